"""Floor 6: what is wrong, and what to type next: one check a file.

A check is a module with two names:

    NAME             one or two words, the first column of a line
    look(patient)    yields a ``CheckResult`` for each thing that it looked at

A third, STATUS, is the exit status that its ``fail`` stands for, where that is not 3.

``patient`` holds what is known and finds out the rest when it is first asked for,
once for all checks; what cannot be had is a ``Missing`` there. A check that needs
it calls ``had``, and is ``unknown`` without it; the check whose matter it is calls
``owned``, and fails with the very error that every other verb would end with. Any
``WxhelperError`` that a check raises is its failure, and the error's exit status
counts. Nothing here prints, changes the configuration, or shows a secret.

    patient          the set-up under examination
    checks           all of them, in order
    findings         runs the checks, whatever they do

    installation     what is installed, and the stranger's distribution of our name
    startup          what else runs at every start of Python
    launchers        the commands that PATH leads to
    configuration    the file, the profile, its settings, and who could change them
    plugins          the sources, and what keeps one from being used
    key              where the key comes from
    audience         who may be given the token
    cache            whether tokens can be kept
    memory           the last failure, while it is remembered
    proxy            which proxy, or why none
    name             whether the service's name has an address
    connection       whether the service can be reached
    tls              whose certificate is shown there, and whether it is accepted
    clock            the clock here and there
    token            one real token
    source           what the source's plugin checks itself
    integrations     what is installed into kubectl, git and docker

One more check is one more file and one more entry in ``CHECKS``; a caller on a
higher floor hands its own to ``examine``.
"""

from wxhelper.doctor.checks import CHECKS
from wxhelper.doctor.findings import Check, Finding, examine
from wxhelper.doctor.patient import Patient

__all__ = ["CHECKS", "Check", "Finding", "Patient", "examine"]
