"""The commands that PATH leads to: whether they are ours, and start at all."""

import os
import shlex
import shutil
import sysconfig
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution

from wxhelper.doctor.installation import DISTRIBUTION
from wxhelper.doctor.patient import Patient
from wxhelper.plugin.types import CheckResult

NAME = "launchers"
_COMMAND = "wxhelper"
_SHELLS = ("sh", "bash", "dash", "zsh", "ksh", "fish")
_HEAD = 512


def look(patient: Patient) -> Iterator[CheckResult]:
    """Look, and tell."""
    folder = sysconfig.get_path("scripts")
    for name in _commands():
        ours = os.path.join(folder, name)
        found = shutil.which(name, path=patient.environ.get("PATH", os.defpath))
        if found is None:
            where = f"; it is {ours}" if os.path.exists(ours) else ""
            yield CheckResult(
                outcome="warn",
                text=f"{name} is in no directory of PATH{where}",
                remedy=f'export PATH={shlex.quote(folder)}:"$PATH", or name it in full',
            )
        elif os.path.exists(ours) and not os.path.samefile(found, ours):
            yield _another(name, found, ours)
        elif gone := _interpreter_gone(found):
            yield CheckResult(
                outcome="warn",
                text=f"{found} cannot start: its interpreter {gone} cannot be found",
                remedy=f"install {DISTRIBUTION} anew",
            )
        else:
            yield CheckResult(outcome="ok", text=f"{name} is {found}")


def _commands() -> list[str]:
    try:
        points = distribution(DISTRIBUTION).entry_points
    except PackageNotFoundError:
        return [_COMMAND]
    return sorted(p.name for p in points if p.group == "console_scripts") or [_COMMAND]


def _another(name: str, found: str, ours: str) -> CheckResult:
    """What PATH leads to instead: a wrapper, or another program of that name."""
    folder = os.path.dirname(ours)
    if os.path.basename(_interpreter(found)) in _SHELLS:
        return CheckResult(
            outcome="warn",
            text=f"{name} is {found}, a wrapper that starts a shell first at every call",
            remedy=f"name {ours} in the configuration of kubectl, git and others",
        )
    return CheckResult(
        outcome="warn",
        text=f"{name} is {found}, and not this one, {ours}",
        remedy=f'export PATH={shlex.quote(folder)}:"$PATH", or uninstall the other one',
    )


def _interpreter(path: str) -> str:
    """The interpreter that a script names in its first line, or ""."""
    try:
        with open(path, "rb") as file:
            lines = file.read(_HEAD).split(b"\n")
    except OSError:
        return ""
    if not lines[0].startswith(b"#!"):
        return ""
    words = os.fsdecode(lines[0][2:]).split()
    if words and os.path.basename(words[0]) == "env":
        del words[0]
    return words[0] if words else ""


def _interpreter_gone(path: str) -> str:
    named = _interpreter(path)
    return named if os.path.isabs(named) and not os.path.exists(named) else ""
