"""Floor 7: the three standard streams, as programs and people expect them to be used."""

import argparse
import contextlib
import errno
import os
import sys
from collections.abc import Iterator

from wxhelper.errors import OutputFailed
from wxhelper.protocols import deliver, read_request


def say(text: str) -> None:
    """Text on standard output, for a verb that answers a person.

    Raises:
        SystemExit: standard output does not take it; what there is to say is said.
    """
    try:
        deliver(text)
    except OSError as fault:
        raise SystemExit(undelivered(fault)) from None


def complain(line: str) -> None:
    """One line for a person, on standard error; silence when there is none."""
    with contextlib.suppress(OSError):
        os.write(2, (line + "\n").encode("utf-8", "backslashreplace"))


def stdin_of(options: argparse.Namespace, end: bytes) -> bytes:
    """What the caller wrote: as the door has read it, or read now.

    Args:
        options: a verb's; ``stdin`` is what the door has read, or None.
        end: what ends a request.

    Returns:
        Nothing where there is nothing to read from.
    """
    if options.stdin is not None:
        return bytes(options.stdin)
    try:
        return read_request(end)
    except OSError:
        return b""


def undelivered(fault: OSError) -> int:
    """The exit status when standard output did not take the answer.

    A reader that went away (``wxhelper token | head -c1``) is told nothing.
    """
    if fault.errno != errno.EPIPE:
        complain(
            OutputFailed(
                f"standard output does not take the answer: {fault.strerror}",
                remedy="look at where it is redirected to",
            ).line()
        )
    return OutputFailed.exit_status


def open_standard_streams() -> None:
    """Give 0, 1 and 2 to /dev/null where they are closed.

    The next file opened would get such a number, and what is meant for a reader
    would be written into it.

    Raises:
        OutputFailed: there is no standard output to answer on.
    """
    closed = []
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            closed.append(number)
            os.open(os.devnull, os.O_RDWR)
    if 1 in closed:
        raise OutputFailed("standard output is closed", remedy="let it go to a pipe or a file")


@contextlib.contextmanager
def answer_only() -> Iterator[int]:
    """A private descriptor for the answer; what others print goes to standard error.

    A plugin, or a library that warns, must not be able to spoil the protocol.
    """
    private, printed = os.dup(1), sys.stdout
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    try:
        yield private
    finally:
        with contextlib.suppress(OSError, ValueError):
            printed.flush()  # what was written to the old object goes where it belongs
        sys.stdout = printed
        os.dup2(private, 1)
        os.close(private)


def whole_input(at_most: int) -> bytes:
    """All of standard input, or a little more than so many bytes of it."""
    data = b""
    while len(data) <= at_most and (chunk := os.read(0, 65_536)):
        data += chunk
    return data
