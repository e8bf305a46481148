"""Runs the checks, whatever they do."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from wxhelper.doctor.patient import Patient, Untried
from wxhelper.errors import (
    Ended,
    TemporaryError,
    WxhelperError,
    for_profile,
    printable,
    unkeyed,
)
from wxhelper.plugin.deadline import Late
from wxhelper.plugin.types import CheckResult

_LONGEST = 1000


class Check(Protocol):
    """A module of this package, or one like it."""

    @property
    def NAME(self) -> str:  # noqa: N802 - a module's constant
        """One or two words."""
        ...

    def look(self, patient: Patient) -> Iterable[CheckResult]:
        """Look, and tell."""
        ...


@dataclass(frozen=True)
class Finding:
    """One line of the diagnosis.

    Attributes:
        check: the check's name.
        outcome: ``ok``, ``warn``, ``fail`` or ``unknown``.
        text: what was found; one line without a secret.
        remedy: what to do or to type next; "" where all is well.
        status: the exit status that it stands for; 0 unless it is a failure.
    """

    check: str
    outcome: str
    text: str
    remedy: str
    status: int


def examine(patient: Patient, checks: Iterable[Check]) -> Iterator[Finding]:
    """Everything that the checks find, as they find it."""
    for check in checks:
        try:
            for result in check.look(patient):
                failed: int = getattr(check, "STATUS", TemporaryError.exit_status)
                status = failed if result.outcome == "fail" else 0
                yield _finding(check, patient, result, status)
        except (KeyboardInterrupt, Ended):
            raise
        except Untried as cause:
            yield _finding(check, patient, _untried(cause.told_by), 0)
        except WxhelperError as fault:
            told = CheckResult(outcome="fail", text=fault.message, remedy=fault.remedy)
            yield _finding(check, patient, told, fault.exit_status)
        except Exception as fault:  # noqa: BLE001 - one check's defect is not the others'
            yield _finding(check, patient, _broken(fault), 0)


def _finding(check: Check, patient: Patient, result: CheckResult, status: int) -> Finding:
    text, remedy = (
        printable(unkeyed(for_profile(said, patient.profile_name)), _LONGEST)
        for said in (result.text, result.remedy)
    )
    return Finding(check.NAME, result.outcome, text, remedy, status)


def _untried(told_by: str) -> CheckResult:
    return CheckResult(outcome="unknown", text="not tried", remedy=f"first see to: {told_by}")


def _broken(fault: Exception) -> CheckResult:
    if isinstance(fault, Late):
        return CheckResult(outcome="unknown", text="it took too long", remedy="try again")
    # A message may hold anything.
    return CheckResult(
        outcome="unknown",
        text=f"a defect of wxhelper: {type(fault).__name__}",
        remedy="please report it with this line",
    )
