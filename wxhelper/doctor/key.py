"""Where the key comes from; never what it is."""

from collections.abc import Iterator

from wxhelper.doctor.configuration import loose_folders
from wxhelper.doctor.patient import Patient, had, owned
from wxhelper.plugin.types import CheckResult
from wxhelper.standing import readable_by_others
from wxhelper.words import some

NAME = "key"


def look(patient: Patient) -> Iterator[CheckResult]:
    """Look, and tell. A command has been run by then, as it is when a token is due."""
    secret = owned(patient.secret, NAME)
    yield CheckResult(outcome="ok", text=f"found in {secret.origin}")
    kind, _, rest = secret.origin.partition(":")
    if kind == "file":
        yield from _about_file(rest)
    if ignored := had(patient.standing).key.ignored:
        yield CheckResult(
            outcome="warn",
            text=f"set, and not used: {some(ignored, 6)}",
            remedy="unset what is stale, so that nobody takes it for the key in use",
        )


def _about_file(path: str) -> Iterator[CheckResult]:
    if remark := readable_by_others(path):
        yield CheckResult(outcome="warn", text=remark.text, remedy=remark.remedy)
    yield from loose_folders(path)
