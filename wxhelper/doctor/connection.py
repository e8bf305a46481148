"""Whether the service can be reached."""

from collections.abc import Iterator

from wxhelper.doctor.patient import Patient
from wxhelper.plugin.types import CheckResult

NAME = "connection"


def look(patient: Patient) -> Iterator[CheckResult]:
    """Look, and tell."""
    seen = patient.reached("connection")
    way = f", through {seen.proxy.shown}" if seen.proxy.address else ""
    yield CheckResult(outcome="ok", text=f"{seen.endpoint.origin} takes connections{way}")
