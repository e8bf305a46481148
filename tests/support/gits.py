"""The gits there are: the machine's, and one of 2.46 or later that a variable names."""

import os
import re
import shutil
import subprocess
import sysconfig
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from processes import Ended

VARIABLE = "WXHELPER_TEST_GIT"
MACHINE, NAMED = GITS = ("the machine's git", "the named git")
_NAMED_PROGRAM = os.environ.get(VARIABLE)  # before the tests' own environment is made
_KNOWS_STATES = (2, 46)


@dataclass(frozen=True)
class Git:
    """A git with settings of its own, whose one credential helper is ours."""

    program: str
    version: tuple[int, int]
    environ: dict[str, str]
    folder: Path

    def __call__(self, *arguments: str, cwd: Path | None = None, stdin: str = "") -> Ended:
        done = subprocess.run(
            [self.program, *arguments],
            cwd=cwd or self.folder,
            env=self.environ,
            input=stdin.encode(),
            capture_output=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode(errors="replace")

    @property
    def knows_states(self) -> bool:
        """Whether it can ask again after a 401."""
        return self.version >= _KNOWS_STATES


def a_git(which: str, environ: Mapping[str, str], folder: Path, *, helper: str) -> Git:
    """One of GITS; the test is skipped where there is none.

    Args:
        which: of them.
        environ: the variables that the helper needs.
        folder: where its settings go, and where it starts.
        helper: the helper's name and options, as a user writes them.
    """
    program = _NAMED_PROGRAM if which == NAMED else shutil.which("git")
    if not program:
        pytest.skip(f"{VARIABLE} names no git" if which == NAMED else "git is not installed")
    said = subprocess.run([program, "version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"(\d+)\.(\d+)", said)
    assert found is not None
    version = int(found[1]), int(found[2])
    assert which == MACHINE or version >= _KNOWS_STATES, f"{VARIABLE} is older than 2.46"
    settings = folder / "gitconfig"
    settings.write_text(
        f"[credential]\n\thelper = {helper}\n[user]\n\tname = A\n\temail = a@example.com\n"
    )
    variables = {
        **environ,
        "GIT_CONFIG_GLOBAL": str(settings),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_TERMINAL_PROMPT": "0",
        "PATH": os.pathsep.join((sysconfig.get_path("scripts"), environ["PATH"])),
    }
    return Git(program, version, variables, folder)
