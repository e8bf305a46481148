"""Floor 3: a program that is asked about a key, run for its output and ended in any case.

Without a shell and without a terminal, so that it cannot prompt; in a group of its
own, so that what it leaves running ends with it.
"""

import contextlib
import os
import re
import selectors
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from types import FrameType
from typing import IO

from wxhelper.errors import printable

OUTPUT_LIMIT = 65_536
_COMPLAINT_LIMIT = 4_096
_LOOK_EVERY = 0.05
_LONG_WORD = re.compile(r"[A-Za-z0-9._~+/=-]{20,}")
# A key manager needs its own variables, but no key that is ours to guard.
_OURS = re.compile(
    r"WXHELPER_.*|(IBM|IBM_?CLOUD|IC|BM|BLUEMIX|WATSONX|WX|WXAI|WXG|WO|WXO|ZEN|DPH|CP4D|CPD)_"
    r".*(KEY|TOKEN|PASSWORD).*"
)
_ENDINGS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


@dataclass(frozen=True)
class Ran:
    """How it went.

    Attributes:
        output: what it printed, whole, when there is no fault.
        fault: what went wrong, to follow the command's name in a sentence; or "".
        remedy: what to do about it.
        never_ran: whether it could not even be started.
        late: whether the deadline came first.
    """

    output: bytes = field(default=b"", repr=False)
    fault: str = ""
    remedy: str = ""
    never_ran: bool = False
    late: bool = False


def scrubbed(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that another program may see: all but those that hold IBM keys."""
    return {name: value for name, value in environ.items() if not _OURS.fullmatch(name)}


def run(
    words: Sequence[str],
    *,
    folder: str,
    environ: Mapping[str, str],
    seconds: float,
    given: bytes | None = None,
) -> Ran:
    """Run a command to its end, or to the deadline.

    Args:
        words: the program and its arguments.
        folder: where it runs, if that is a directory.
        environ: all that it sees of the variables.
        seconds: the deadline, for everything.
        given: what it can read; None for nothing. What a pipe does not hold at once
            is not given.
    """
    deadline = time.monotonic() + seconds
    try:
        with _started(words, folder, environ, given) as process:
            output, complaint = _read_both(process, deadline)
            if len(output) > OUTPUT_LIMIT:
                return Ran(fault="printed more than a key", remedy="let it print the key alone")
            status = process.wait(max(0.0, deadline - time.monotonic()))
    except (TimeoutError, subprocess.TimeoutExpired):
        return Ran(
            fault=f"printed no key within {seconds:g} seconds",
            remedy="unlock the key manager that it asks, or run the command by hand",
            late=True,
        )
    except (OSError, ValueError, IndexError) as fault:
        reason = fault.strerror if isinstance(fault, OSError) else "not a command"
        return Ran(fault=f"cannot be run: {reason}", never_ran=True)
    if status == 0:
        return Ran(output)
    said = complaint.decode("utf-8", "replace").strip().rpartition("\n")[2]
    said = printable(_LONG_WORD.sub("[redacted]", said))
    ended = f"ended with status {status}" if status > 0 else f"ended with signal {-status}"
    return Ran(
        fault=ended + (f": {said}" if said else ""), remedy="run the command by hand and mend it"
    )


@contextlib.contextmanager
def _started(
    words: Sequence[str], folder: str, environ: Mapping[str, str], given: bytes | None
) -> Iterator["subprocess.Popen[bytes]"]:
    process = None
    try:
        with _signals_held_back():
            process = subprocess.Popen(  # noqa: S603 - a list, no shell; the user's own command
                words,
                stdin=subprocess.DEVNULL if given is None else subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                cwd=folder if os.path.isdir(folder) else None,
                env=environ,
                start_new_session=True,
            )
        if process.stdin is not None:
            _give(process.stdin, given or b"")
        yield process
    finally:
        if process is not None:
            # The whole group: what the command left running holds our pipes.
            with contextlib.suppress(OSError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            for stream in (process.stdout, process.stderr):
                if stream is not None:
                    stream.close()


@contextlib.contextmanager
def _signals_held_back() -> Iterator[None]:
    """Signals that end us wait: in the middle of a start nobody knows the child yet."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    noted: list[tuple[int, FrameType | None]] = []

    def note(number: int, frame: FrameType | None) -> None:
        noted.append((number, frame))

    # A signal that is ignored is ignored by the child, too: that is left as it is.
    before = {
        number: signal.signal(number, note)
        for number in _ENDINGS
        if signal.getsignal(number) not in (signal.SIG_IGN, None)
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    for number, frame in noted:
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)
        else:
            os.kill(os.getpid(), number)


def _give(stream: IO[bytes], data: bytes) -> None:
    """Let it read something, without waiting for a program that does not read."""
    with contextlib.suppress(OSError):
        os.set_blocking(stream.fileno(), False)
        os.write(stream.fileno(), data)
    stream.close()


def _read_both(process: "subprocess.Popen[bytes]", deadline: float) -> tuple[bytes, bytes]:
    """Standard output up to the limit, and the end of standard error.

    Raises:
        TimeoutError: the deadline (monotonic seconds) came first.
    """
    output, complaint = bytearray(), bytearray()
    with selectors.DefaultSelector() as selector:
        for stream, into in ((process.stdout, output), (process.stderr, complaint)):
            assert stream is not None  # noqa: S101 - both were asked for
            selector.register(stream, selectors.EVENT_READ, into)
        while selector.get_map() and len(output) <= OUTPUT_LIMIT:
            ready = selector.select(min(_LOOK_EVERY, max(0.0, deadline - time.monotonic())))
            if not ready and process.poll() is not None:
                break  # what it left running may hold the pipes for ever
            if not ready and time.monotonic() >= deadline:
                raise TimeoutError
            for key, _ in ready:
                chunk = os.read(key.fd, OUTPUT_LIMIT)
                if not chunk:
                    selector.unregister(key.fileobj)
                key.data.extend(chunk)
                del complaint[:-_COMPLAINT_LIMIT]
    return bytes(output), bytes(complaint)
