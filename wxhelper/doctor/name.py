"""Whether the service's name has an address."""

from collections.abc import Iterator

from wxhelper.doctor.patient import Patient
from wxhelper.plugin.types import CheckResult

NAME = "name"


def look(patient: Patient) -> Iterator[CheckResult]:
    """Look, and tell."""
    seen = patient.reached("name")
    host = seen.endpoint.host
    if seen.proxy.address:
        yield CheckResult(outcome="ok", text=f"{host} is looked up by the proxy")
    else:
        yield CheckResult(outcome="ok", text=f"{host} has an address")
