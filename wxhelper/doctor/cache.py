"""Whether tokens can be kept, and whether one is."""

from collections.abc import Iterator

from wxhelper.doctor.patient import Missing, Patient, had
from wxhelper.errors import printable
from wxhelper.plugin.types import CheckResult
from wxhelper.standing import NEVER, NONE
from wxhelper.words import span

NAME = "cache"


def look(patient: Patient) -> Iterator[CheckResult]:
    """Look, and tell. Never a failure: without a cache, every call makes its own token."""
    cache = had(patient.cache)
    try:
        locks = cache.try_out()
    except OSError as fault:
        reason = printable(fault.strerror or str(fault))
        yield CheckResult(
            outcome="warn",
            text=f"tokens cannot be kept in {cache.directory or 'any directory'}: {reason}; "
            "every call asks the service",
            remedy="mend it, or set WXHELPER_CACHE_DIR to a directory of your own",
        )
        return
    yield CheckResult(
        outcome="ok", text=f"{cache.directory} is private and can be written{_held(patient)}"
    )
    if not locks:
        yield CheckResult(
            outcome="warn",
            text="its file system has no locks: processes that start at once may each ask",
            remedy="set WXHELPER_CACHE_DIR to a directory on a local disk",
        )


def _held(patient: Patient) -> str:
    """What it holds for the profile, to follow a sentence."""
    if isinstance(patient.standing, Missing):
        return ""
    token = patient.standing.token
    if token.state == NONE:
        return "; no token is in it yet"
    if token.state == NEVER:
        return f"; nothing is kept there for this profile: {token.reason}"
    if token.reason:
        return f"; the token in it is not used: {token.reason}"
    left = (token.expires_at or 0) - patient.moment().wall
    return f"; the token in it lives for {span(left)}" if left > 0 else "; the token in it is dead"
