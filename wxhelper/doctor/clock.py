"""The clock here, and the server's."""

from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from wxhelper.doctor.patient import Patient, Untried, had
from wxhelper.plugin.probe import Visit
from wxhelper.plugin.types import CheckResult
from wxhelper.words import span

NAME = "clock"
_TOLERANCE = 60.0


def look(patient: Patient) -> Iterator[CheckResult]:
    """Look, and tell.

    Never a failure: a lifetime is what the service says it is, whatever the clock
    here shows.
    """
    seen = had(patient.visit)
    if seen.stage != "answer":
        raise Untried(seen.stage)
    ahead = _ahead(seen)
    if ahead is None:
        yield CheckResult(
            outcome="unknown",
            text=f"{seen.endpoint.origin} did not tell the time",
            remedy="compare it yourself: date -u",
        )
    elif abs(ahead) <= _TOLERANCE:
        yield CheckResult(outcome="ok", text="within a minute of the server's")
    else:
        side = "ahead of" if ahead > 0 else "behind"
        yield CheckResult(
            outcome="warn",
            text=f"{span(ahead)} {side} the server's; wxhelper does not depend on it, "
            "but certificates and other tools do",
            remedy="set it, for example: sudo timedatectl set-ntp true",
        )


def _ahead(seen: Visit) -> float | None:
    """Seconds that the clock here is ahead, at the least; None when the server told no time."""
    try:
        there = parsedate_to_datetime(seen.headers.get("date", "")).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    # A Date has whole seconds, and was written at some time while we waited.
    if seen.answered_at < there:
        return seen.answered_at - there
    return max(0.0, seen.asked_at - (there + 1))
