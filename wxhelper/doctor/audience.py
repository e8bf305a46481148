"""Who may be given the token by helpers that are asked for a host."""

from collections.abc import Iterator

from wxhelper import hosts
from wxhelper.doctor.patient import Patient, had
from wxhelper.errors import printable
from wxhelper.plugin.types import CheckResult
from wxhelper.words import some

NAME = "audience"


def look(patient: Patient) -> Iterator[CheckResult]:
    """Look, and tell."""
    profile = had(patient.profile)
    if profile.hosts is not None:
        whose, entries = "by the profile", list(profile.hosts)
        remedy = "correct hosts in the profile"
    else:
        kind, settings = had(patient.kind), had(patient.settings)
        whose = f"by source {kind.name}"
        remedy = "write hosts = [...] in the profile, and report it to the plugin's authors"
        entries = patient.plugins_own(lambda: sorted(map(str, kind.audience(settings))))
    if not entries:
        yield CheckResult(
            outcome="warn",
            text=f"no host is named {whose}: helpers for git, curl and docker give it to nobody",
            remedy='write hosts = ["api.example.com"] in the profile',
        )
        return
    named = [printable(host, 100) for host in entries]
    yield CheckResult(
        outcome="ok", text=f"{len(named)} host{'s' * (len(named) > 1)} {whose}: {some(named)}"
    )
    for host in named:
        if reason := _useless(host):
            yield CheckResult(outcome="warn", text=f"{host} {reason}", remedy=remedy)


def _useless(host: str) -> str:
    """Why an entry does nothing good, to follow it in a sentence; or ""."""
    if hosts.entry(host) != host:
        return "is no HOST, HOST:PORT or *.HOST in lower case, and lets nobody in"
    if host.startswith("*.") and "." not in host.removeprefix("*."):
        return "covers everything below one top-level name"
    return ""
