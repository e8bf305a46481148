"""What the source's plugin checks itself."""

from collections.abc import Iterator
from functools import partial

from wxhelper import source
from wxhelper.doctor.patient import Patient, had
from wxhelper.errors import WxhelperError, printable
from wxhelper.plugin.types import Check, CheckResult, Settings, TokenSourceType
from wxhelper.secret import Secret

NAME = "source"
_SECONDS = 3.0
_OUTCOMES = ("ok", "warn", "fail", "unknown")


def look(patient: Patient) -> Iterator[CheckResult]:
    """Look, and tell; what a plugin says is shown without the key, whatever it says."""
    kind, settings, secret = had(patient.kind), had(patient.settings), had(patient.secret)
    if not kind.checks:
        yield CheckResult(outcome="ok", text=f"source {kind.name} has no checks of its own")
        return
    config = had(patient.config)
    for check in kind.checks:
        name = printable(secret.redact(check.name), 60)
        conditions = source.Conditions(
            config=config,
            deadline=patient.left(_SECONDS),
            environ=patient.environ,
            clock=lambda: patient.moment().wall,
            insist=False,
        )
        try:
            found = patient.plugins_own(
                partial(_run, check, kind, (settings, secret), conditions), _SECONDS
            )
        except WxhelperError as fault:
            found = CheckResult(outcome="unknown", text=fault.message, remedy=fault.remedy)
        yield CheckResult(
            outcome=found.outcome,
            text=f"{name}: {secret.redact(found.text)}",
            remedy=secret.redact(found.remedy),
        )


def _run(
    check: Check,
    kind: TokenSourceType,
    given: tuple[Settings, Secret],
    conditions: source.Conditions,
) -> CheckResult:
    """The result as a plain one, of plain strings, with no ideas of its own."""
    found: object = check.run(source.context_of(kind, *given, conditions))
    if not isinstance(found, CheckResult) or found.outcome not in _OUTCOMES:
        raise TypeError
    return CheckResult(outcome=found.outcome, text=str(found.text), remedy=str(found.remedy))
