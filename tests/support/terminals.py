"""The command at a real terminal, with somebody who types."""

import contextlib
import os
import pty
import select
import subprocess
import sys
import termios
import time
from collections.abc import Mapping, Sequence

# Makes the terminal its own, and becomes the command.
_AT_TERMINAL = """
import fcntl, os, sys, termios
fcntl.ioctl(int(sys.argv[1]), termios.TIOCSCTTY, 0)
os.close(int(sys.argv[1]))
os.execv(sys.argv[2], sys.argv[2:])
"""


class Screen:
    """A terminal with a command at it; its standard streams are elsewhere.

    Args:
        command: the program and its arguments.
        environ: all its variables.

    Attributes:
        shown: all that was on the screen.
    """

    def __init__(self, command: Sequence[str], environ: Mapping[str, str]) -> None:
        self.shown = ""
        self._master, self._slave = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-I", "-c", _AT_TERMINAL, str(self._slave), *command],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
            pass_fds=[self._slave],
            umask=0,
        )

    def until(self, text: str) -> None:
        """Read what is shown until the text is there, after what was read before."""
        end, before = time.monotonic() + 30, len(self.shown)
        while text not in self.shown[before:]:
            assert self._look(end - time.monotonic()), f"not shown: {text!r} in {self.shown!r}"

    def _look(self, seconds: float) -> bool:
        if not select.select([self._master], [], [], max(0.0, seconds))[0]:
            return False
        self.shown += os.read(self._master, 4096).decode("utf-8", "replace")
        return True

    def type(self, text: str) -> None:
        """Type it; control characters do what they do."""
        os.write(self._master, text.encode())

    def answer(self, question: str, text: str) -> None:
        """Wait for a question and type the answer, with Enter."""
        self.until(question)
        self.type(f"{text}\n")

    @property
    def echoes(self) -> bool:
        """Whether what is typed is shown."""
        return bool(termios.tcgetattr(self._slave)[3] & termios.ECHO)

    def hang_up(self) -> None:
        """The terminal goes away."""
        os.close(self._master)
        self._master = -1

    def finish(self) -> tuple[int, str, str]:
        """Wait for the command's end: its status, output and errors."""
        out, err = self.process.communicate(timeout=60)
        while self._master >= 0 and self._look(0):
            pass
        return self.process.returncode, out, err

    def close(self) -> None:
        """End the command, whatever it does."""
        with contextlib.suppress(ProcessLookupError):
            self.process.kill()
        self.process.communicate(timeout=30)
        for number in (self._master, self._slave):
            if number >= 0:
                os.close(number)
