"""The sources that are installed, and what keeps one from being used."""

from collections.abc import Iterator

from wxhelper import manager
from wxhelper.doctor.patient import Missing, Patient
from wxhelper.errors import printable
from wxhelper.plugin.deadline import Late, within
from wxhelper.plugin.types import CheckResult

NAME = "plugins"
_SECONDS = 5.0


def look(patient: Patient) -> Iterator[CheckResult]:
    """Look, and tell. All plugins are imported for it, as ``wxhelper sources`` does."""
    own = "" if isinstance(patient.profile, Missing) else patient.profile.source
    limit = patient.environ.get("WXHELPER_PLUGINS")
    limited = f"; WXHELPER_PLUGINS allows {printable(limit, 100)}" if limit is not None else ""
    try:
        offers = within(patient.left(_SECONDS), lambda: manager.offers(patient.lookups))
    except Late:
        offers = []
        yield CheckResult(
            outcome="warn",
            text=f"the installed plugins took more than {_SECONDS:g} seconds to import",
            remedy="leave out the slow one: export WXHELPER_PLUGINS=NAME,...",
        )
    for offer in offers:
        if offer.name != own and offer.fault is not None:
            told = offer.fault
            yield CheckResult(
                outcome="warn", text=f"source {offer.name}: {told.message}", remedy=told.remedy
            )
    if isinstance(patient.kind, Missing) and patient.kind.told_by == NAME:
        raise patient.kind.fault
    if own:
        named = next((offer.distribution for offer in offers if offer.name == own), "its plugin")
        yield CheckResult(outcome="ok", text=f"source {own} is offered by {named}{limited}")
