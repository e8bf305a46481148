"""What ``wxhelper install`` has put into other tools, and what stands in its way."""

from collections.abc import Iterator

from wxhelper.doctor.patient import Patient, had
from wxhelper.errors import ConfigurationError
from wxhelper.installers import docker, git, kubectl
from wxhelper.plugin.deadline import within
from wxhelper.plugin.types import CheckResult

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
            *kubectl.findings(environ, known),
            *git.findings(environ, known),
            *docker.findings(environ, default),
        ]

    found = within(patient.left(_SECONDS), find)
    yield from found or [CheckResult(outcome="ok", text="none is installed")]
