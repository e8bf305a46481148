"""The requests that came in, in the order in which they had been read."""

import threading
from collections.abc import Iterator, Sequence
from typing import overload

from wxhelper.sandbox.messages import Request


class Journal(Sequence[Request]):
    """A growing sequence of requests. Safe to use from many threads.

    Iterating goes over the requests that were there when it began.
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._requests: list[Request] = []

    def add(self, request: Request) -> None:
        """Appends one request and wakes who waits for it."""
        with self._changed:
            self._requests.append(request)
            self._changed.notify_all()

    def clear(self) -> None:
        """Forgets everything."""
        with self._changed:
            self._requests.clear()

    def snapshot(self) -> tuple[Request, ...]:
        """The requests so far."""
        with self._changed:
            return tuple(self._requests)

    def wait_for(self, count: int, timeout: float, *, service: str = "") -> bool:
        """Waits until requests have come in; they need not be answered yet.

        Args:
            count: how many requests.
            timeout: the longest wait, in seconds.
            service: counts the requests of this service alone; "" counts all.

        Returns:
            Whether there are that many now.
        """

        def enough() -> bool:
            return sum(not service or r.service == service for r in self._requests) >= count

        with self._changed:
            return self._changed.wait_for(enough, timeout)

    def __len__(self) -> int:
        with self._changed:
            return len(self._requests)

    def __iter__(self) -> Iterator[Request]:
        return iter(self.snapshot())

    @overload
    def __getitem__(self, index: int) -> Request: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Request, ...]: ...
    def __getitem__(self, index: int | slice) -> Request | tuple[Request, ...]:
        return self.snapshot()[index]

    def __repr__(self) -> str:
        return f"<Journal {len(self)} requests>"
