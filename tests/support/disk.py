"""The cache's files seen from outside, and the command with system calls that fail."""

import re
import stat
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from wxhelper.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.conftest import Command, Outcome

UNKEPT = "wxhelper: the token is good but could not be kept: "


def assert_good(sandbox: Sandbox, done: "Outcome") -> None:
    assert done.status == 0
    assert sandbox.issuer.grant(done.out.removesuffix("\n")) is not None
    assert done.err == "" or (done.err.startswith(UNKEPT) and done.err.count("\n") == 1)


def assert_private(root: Path) -> None:
    """Nobody but the owner can do anything with what is there."""
    for path in [root, *root.rglob("*")]:
        mode = path.lstat().st_mode
        expected = 0o700 if stat.S_ISDIR(mode) else 0o600
        assert stat.S_IMODE(mode) == expected, path


class Traced:
    """Runs the command under strace, which lets system calls fail.

    Args:
        strace: the program.
        wx: the command, without coverage.
        program: the command's path.
        log: where strace writes.
        arguments: the command's.
    """

    def __init__(
        self,
        strace: str,
        wx: "Command",
        program: str,
        log: Path,
        arguments: Sequence[str] = ("token",),
    ) -> None:
        self.environ = {**wx.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        self._command = [strace, "-f", "-qq", "-e", "signal=none", "-o", str(log)]
        self._typed = [program, *arguments]
        self._log = log

    def run(self, calls: str, fault: str = "") -> "subprocess.CompletedProcess[str]":
        """Runs the command to its end.

        Args:
            calls: what is traced.
            fault: what happens to it.
        """
        inject = ["-e", f"inject={calls}:{fault}"] if fault else []
        # Tracing by --seccomp-bpf is faster and counts wrongly for "when" (strace 6.1).
        fast = [] if "when" in fault else ["--seccomp-bpf"]
        return subprocess.run(
            [*self._command, *fast, "-e", f"trace={calls}", *inject, *self._typed],
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def of_main_thread(self) -> list[tuple[str, int, str]]:
        """What it called: the name, how many of that name it was, and the rest of the line."""
        lines = self._log.read_text().splitlines()
        main = lines[0].split()[0]
        counted: dict[str, int] = {}
        found = []
        for line in lines:
            match = re.match(rf"{main}\s+(\w+)\((.*)", line)
            if match:
                counted[match[1]] = counted.get(match[1], 0) + 1
                found.append((match[1], counted[match[1]], match[2]))
        return found

    def storing(
        self, changing: str = "openat,write,fsync,close,rename,renameat,renameat2,unlink,flock,dup2"
    ) -> list[tuple[str, int]]:
        """The calls that change something, from where a file is first stored to the end."""
        self.run(changing)
        calls = self.of_main_thread()
        first = next(n for n, (_, _, rest) in enumerate(calls) if ".tmp" in rest)
        return [
            (name, count)
            for name, count, rest in calls[first:]
            if name != "openat" or "O_CREAT" in rest
        ]
