"""What ``wxhelper install`` has put into other tools, and what stands in its way."""

from collections.abc import Iterator
from contextlib import suppress
from functools import partial

from wxhelper import manager, source
from wxhelper.doctor.patient import Patient, had
from wxhelper.errors import ConfigurationError, WxhelperError
from wxhelper.installers import docker, git, kubectl
from wxhelper.plugin.deadline import within
from wxhelper.plugin.types import CheckResult
from wxhelper.profiles import Listing, Profile

NAME = "integrations"
STATUS = ConfigurationError.exit_status
_SECONDS = 5.0


def look(patient: Patient) -> Iterator[CheckResult]:
    """Look, and tell. Whichever profile they name, all entries are looked at."""
    listing = had(patient.listing)
    environ, known = patient.environ, listing.profiles
    used = environ.get("WXHELPER_PROFILE") or listing.default
    default = used if used in known else None

    def find() -> list[CheckResult]:  # git is run for it
        return [
            *kubectl.findings(environ, known, _without_bearer(patient, listing)),
            *git.findings(environ, known),
            *docker.findings(environ, default),
        ]

    found = within(patient.left(_SECONDS), find)
    yield from found or [CheckResult(outcome="ok", text="none is installed")]


def _without_bearer(patient: Patient, listing: Listing) -> set[str]:
    """The profiles whose tokens are of another scheme; one that cannot be used is none of them."""
    found = set()
    for name, profile in listing.profiles.items():
        if isinstance(profile, Profile):
            with suppress(WxhelperError):
                kind = manager.find(profile.source, patient.lookups)
                settings = source.settings_of(kind, profile, patient.lookups)
                if source.survived(kind.name, partial(kind.scheme, settings)) != "Bearer":
                    found.add(name)
    return found
