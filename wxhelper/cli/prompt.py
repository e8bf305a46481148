"""Floor 7: questions to the person at the terminal, never on standard output.

The terminal is asked itself, so that pipes can be used beside it. Its echo is back
on whatever happens meanwhile: an interruption, a signal that ends us, a stop.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from types import FrameType

from wxhelper.errors import Ended, UsageError

try:
    import termios
except ImportError:  # Windows
    termios = None  # type: ignore[assignment]

ATTEMPTS = 3
_LINE_LIMIT = 65_536
_LOCAL_FLAGS = 3  # of what tcgetattr returns
_STOPS = [signal.SIGTSTP] if hasattr(signal, "SIGTSTP") else []
_ENDINGS = [
    getattr(signal, name) for name in ("SIGTERM", "SIGHUP", "SIGQUIT") if hasattr(signal, name)
]


class Terminal:
    """The terminal that the command was typed at.

    Args:
        reads: an open descriptor to read from.
        writes: one to write to.
    """

    def __init__(self, reads: int, writes: int) -> None:
        self._reads = reads
        self._writes = writes

    def close(self) -> None:
        """Let it go, where it was opened for us."""
        if self._reads > 2:
            os.close(self._reads)

    def say(self, text: str) -> None:
        """Show something; a terminal that is gone is none of our business."""
        with contextlib.suppress(OSError):
            os.write(self._writes, text.encode("utf-8", "backslashreplace"))

    def ask(self, question: str, *, usual: str = "") -> str:
        """An answer, without the spaces around it.

        Args:
            question: without the colon.
            usual: what an empty answer stands for; shown.

        Raises:
            UsageError: there is no answer: Ctrl-D, or the terminal is gone.
        """
        with _in_order():
            self.say(question + (f" [{usual}]" if usual else "") + ": ")
            return self._line().strip() or usual

    def ask_hidden(self, question: str) -> str:
        """An answer that is not shown while it is typed.

        Raises:
            UsageError: as above.
        """
        with _in_order(), self._silence(f"{question}: "):
            try:
                return self._line()
            finally:
                self.say("\n")

    def _line(self) -> str:
        data = b""
        while not data.endswith(b"\n") and len(data) < _LINE_LIMIT:
            try:
                chunk = os.read(self._reads, _LINE_LIMIT)
            except OSError:
                chunk = b""
            if not chunk:
                self.say("\n")
                raise UsageError(
                    "the terminal gave no answer; nothing was stored", remedy="type it again"
                )
            data += chunk
        return data.decode("utf-8", "surrogateescape").rstrip("\r\n")

    @contextlib.contextmanager
    def _silence(self, question: str) -> Iterator[None]:
        """The question, with echo off until it is answered."""
        if termios is None:
            raise UsageError(
                "a hidden prompt is not possible here", remedy="give the key with --api-key-stdin"
            )
        try:
            before = termios.tcgetattr(self._reads)
        except termios.error:
            raise UsageError("the terminal is gone", remedy="type it again") from None
        silent = [*before]
        silent[_LOCAL_FLAGS] &= ~termios.ECHO

        def hush() -> None:
            termios.tcsetattr(self._reads, termios.TCSAFLUSH, silent)
            self.say(question)

        def restore() -> None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self._reads, termios.TCSAFLUSH, before)

        def stop(number: int, _: FrameType | None) -> None:
            # The shell gets a terminal that echoes; who comes back is asked again.
            restore()
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)
            signal.signal(number, stop)
            hush()

        with _handled(_STOPS, stop):
            try:
                hush()
                yield
            except termios.error:
                raise UsageError("the terminal is gone", remedy="type it again") from None
            finally:
                restore()


@contextlib.contextmanager
def _in_order() -> Iterator[None]:
    """Signals that end us come as an exception, and only at an open question."""

    def leave(number: int, _: FrameType | None) -> None:
        raise Ended(128 + number)

    with _handled(_ENDINGS, leave):
        yield


@contextlib.contextmanager
def _handled(
    numbers: Sequence[int], handler: Callable[[int, FrameType | None], None]
) -> Iterator[None]:
    """Signals with another handler for a while; those that are ignored stay so."""
    before = {
        number: signal.signal(number, handler)
        for number in numbers
        if signal.getsignal(number) != signal.SIG_IGN  # nohup's choice stays
    }
    try:
        yield
    finally:
        for number, earlier in before.items():
            signal.signal(number, earlier)


def ask_until(
    person: Terminal,
    question: str,
    fits: Callable[[str], bool],
    unfit: UsageError,
    *,
    usual: str = "",
) -> str:
    """An answer that fits; it is asked for ``ATTEMPTS`` times.

    Args:
        person: who is asked.
        question: without the colon.
        fits: whether an answer does.
        unfit: what is raised when none did.
        usual: what an empty answer stands for.

    Raises:
        UsageError: that, or there is no answer.
    """
    for _ in range(ATTEMPTS):
        if fits(answer := person.ask(question, usual=usual)):
            return answer
    raise unfit


def terminal() -> Terminal | None:
    """The terminal, or None when there is nobody to ask."""
    with contextlib.suppress(OSError):
        opened = os.open(
            "/dev/tty", os.O_RDWR | getattr(os, "O_NOCTTY", 0) | getattr(os, "O_CLOEXEC", 0)
        )
        return Terminal(opened, opened)
    with contextlib.suppress(OSError, ValueError):
        if os.isatty(0) and os.isatty(2) and sys.stdin is not None:
            return Terminal(0, 2)
    return None
