"""One real token, by the way that every other verb goes."""

from collections.abc import Iterator

from wxhelper.doctor.patient import Missing, Patient, owned
from wxhelper.plugin.types import CheckResult
from wxhelper.words import span

NAME = "token"


def look(patient: Patient) -> Iterator[CheckResult]:
    """Look, and tell; the token itself is in the cache, and shown to nobody.

    A failure that is remembered is told again instead of asking again.
    """
    grant = patient.grant
    if isinstance(grant, Missing) and grant.told_by == NAME and grant.fault.repeated:
        fault = grant.fault
        fault.message += "; this is remembered, and the service not asked again now"
        raise fault
    token = owned(grant, NAME).token
    if token.expires_at is None:
        yield CheckResult(
            outcome="ok",
            text=f"{token.scheme}, made here of the key; whether it is accepted was not tried",
        )
        return
    minutes = round((token.expires_at - token.minted_at) / 60)
    life = span(60 * minutes) if minutes else span(token.expires_at - token.minted_at)
    yield CheckResult(outcome="ok", text=f"a new one was issued: {token.scheme}, lives {life}")
