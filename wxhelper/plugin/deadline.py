"""Floor 4: work that is not waited for any longer than it may take."""

import threading
from collections.abc import Callable
from typing import TypeVar

_T = TypeVar("_T")


class Late(Exception):
    """The work was not done in time."""


def within(seconds: float, work: Callable[[], _T]) -> _T:
    """What ``work`` gives or raises, if that happens in time.

    A read's timeout starts again with every byte, a look-up of a name has none, and
    a plugin may do anything: only a thread that can be left behind keeps a deadline.

    Args:
        seconds: how long to wait.
        work: is done in a thread of its own, which ends with the process at the latest.

    Raises:
        Late: it is not done by then.
    """
    results: list[_T] = []
    faults: list[BaseException] = []
    done = threading.Event()

    def run() -> None:
        try:
            results.append(work())
        except BaseException as fault:  # noqa: BLE001 - raised again below, in the caller's thread
            faults.append(fault)
        done.set()

    threading.Thread(target=run, name="wxhelper-deadline", daemon=True).start()
    if not done.wait(max(0.0, seconds)):
        raise Late
    for fault in faults:
        raise fault
    return results[0]
