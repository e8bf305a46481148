"""Who may be given the token by helpers that are asked for a host."""

import re
from collections.abc import Iterator

from wxhelper.doctor.patient import Patient, had
from wxhelper.doctor.words import some
from wxhelper.errors import printable
from wxhelper.plugin.types import CheckResult

NAME = "audience"
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


def look(patient: Patient) -> Iterator[CheckResult]:
    """Look, and tell."""
    profile = had(patient.profile)
    if profile.hosts is not None:
        whose, hosts = "by the profile", list(profile.hosts)
    else:
        kind, settings = had(patient.kind), had(patient.settings)
        whose = f"by source {kind.name}"
        hosts = patient.plugins_own(lambda: sorted(map(str, kind.audience(settings))))
    if not hosts:
        yield CheckResult(
            outcome="warn",
            text=f"no host is named {whose}: helpers for git, curl and docker give it to nobody",
            remedy='write hosts = ["api.example.com"] in the profile',
        )
        return
    named = [printable(host, 100) for host in hosts]
    yield CheckResult(
        outcome="ok", text=f"{len(hosts)} host{'s' * (len(hosts) > 1)} {whose}: {some(named)}"
    )
    for host in named:
        if reason := _useless(host):
            yield CheckResult(
                outcome="warn", text=f"{host} {reason}", remedy="correct hosts in the profile"
            )


def _useless(host: str) -> str:
    """Why an entry does nothing good, to follow it in a sentence; or ""."""
    name, colon, port = host.rpartition(":")
    if host.endswith("]") or not colon:
        name, port = host, "443"
    if not (port.isdigit() and 0 < int(port) < 65_536):
        return "has a port that there is not"
    if name.startswith("["):
        return ""
    star, name = name.startswith("*."), name.removeprefix("*.")
    try:
        labels = name.lower().removesuffix(".").encode("idna").decode("ascii").split(".")
    except UnicodeError:
        labels = [""]
    if not all(_LABEL.fullmatch(label) for label in labels):
        return "cannot be a host's name"
    if star and len(labels) < 2:
        return "covers everything below one top-level name"
    return ""
