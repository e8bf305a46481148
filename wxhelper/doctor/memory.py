"""The last failure, while it is remembered."""

from collections.abc import Iterator

from wxhelper.doctor.patient import Patient, had
from wxhelper.errors import THIS_PROFILE
from wxhelper.plugin.types import CheckResult
from wxhelper.words import span

NAME = "memory"


def look(patient: Patient) -> Iterator[CheckResult]:
    """Look, and tell. A failure of another configuration or key is none of this one's."""
    failure = had(patient.standing).failure
    left = 0.0 if failure is None else failure.until - patient.moment().wall
    if failure is None or left <= 0 or not (failure.remembered or had(patient.profile).volatile):
        yield CheckResult(outcome="ok", text="no failure is remembered")
        return
    if not failure.remembered:
        yield CheckResult(
            outcome="unknown",
            text=f"one is remembered of the key that there was then: {failure.what.text}",
            remedy="see to: token",
        )
        return
    wait = span(max(1.0, left))
    yield CheckResult(
        outcome="warn",
        text=f"the service is left alone for another {wait}, since {failure.what.text}",
        remedy=f"wait; or, when the cause is mended: wxhelper invalidate {THIS_PROFILE}",
    )
