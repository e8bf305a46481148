"""Which proxy stands on the way to the service, or why none."""

from collections.abc import Iterator

from wxhelper.doctor.patient import Patient, had
from wxhelper.plugin.types import CheckResult

NAME = "proxy"


def look(patient: Patient) -> Iterator[CheckResult]:
    """Look, and tell; its password is nobody's business."""
    proxy = had(patient.visit).proxy
    if not proxy.address:
        yield CheckResult(outcome="ok", text=f"none: {proxy.reason}")
        return
    login = " with a name and a password" if "@" in proxy.address else ""
    found = f"{proxy.variable} leads to {proxy.shown or 'what is no address'}{login}"
    blind = had(patient.visit).blind
    if blind:
        yield CheckResult(outcome="unknown", text=f"{found}: {blind}", remedy="see to: token")
        return
    patient.reached("proxy")
    yield CheckResult(outcome="ok", text=f"{found}, which lets us through")
