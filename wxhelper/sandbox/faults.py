"""What goes wrong on demand.

    box.faults.add(Fault(match="iam", status=503, times=2), Fault(match="iam", latency=1.5))

A fault speaks of one or more of four matters: the *pace* of an answer (latency,
gate, drip), the *answer* itself (status, headers, body, drop), the *token* in it
(lifetime) and its *date* (date_skew). For one request, faults that speak of
different matters act together; faults that speak of the same matter wait for each
other, in the order in which they were added. So the line above makes two answers
503, the first of them late, and everything after that is well.
"""

import dataclasses
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Drip = tuple[int, float]
Drop = Literal["before", "after-headers", "mid-body"]

_DROPS = ("before", "after-headers", "mid-body")
_MATTERS = {
    "latency": "pace",
    "gate": "pace",
    "drip": "pace",
    "drip_headers": "pace",
    "drip_body": "pace",
    "status": "answer",
    "headers": "answer",
    "body": "answer",
    "drop": "answer",
    "lifetime": "token",
    "date_skew": "date",
}


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing, or several things, that go wrong with some requests.

    Attributes:
        match: a service's name, or a path when it begins with "/", or "*" for all.
        times: for how many requests; None is for ever.
        latency: seconds to wait before answering; the token is issued before.
        gate: the answer is held until this event is set (after the latency).
        drip: (bytes, seconds): the answer is sent in pieces of so many bytes with
            so many seconds between them, headers and body alike.
        drip_headers: the same for the headers alone.
        drip_body: the same for the body alone.
        status: this status is answered in the service's place: it is not asked
            and issues nothing. Without ``body`` the content is the status' phrase.
        headers: header fields added to the answer, or put in place of its own;
            Date, Connection and Content-Length included.
        body: the content in place of the service's, with the service's status
            unless ``status`` is given too.
        drop: closes the connection "before" anything is sent, "after-headers", or
            "mid-body", after half of the content.
        lifetime: seconds that tokens issued for the request live.
        date_skew: seconds added to the Date of the answer.

    Raises:
        ValueError: a value makes no sense, or the fault does nothing.
    """

    match: str = "*"
    times: int | None = 1
    latency: float = 0.0
    gate: threading.Event | None = None
    drip: Drip | None = None
    drip_headers: Drip | None = None
    drip_body: Drip | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes | None = field(default=None, repr=False)
    drop: Drop | None = None
    lifetime: int | None = None
    date_skew: float = 0.0

    def __post_init__(self) -> None:
        if self.times is not None and self.times < 1:
            raise ValueError("times is at least 1, or None for ever")
        if self.latency < 0:
            raise ValueError("latency is a number of seconds")
        for drip in (self.drip, self.drip_headers, self.drip_body):
            if drip is not None and (drip[0] < 1 or drip[1] < 0):
                raise ValueError("a drip is (bytes, seconds): at least one byte at a time")
        if self.status is not None and not 200 <= self.status <= 599:
            raise ValueError("status is a final HTTP status, 200 to 599")
        if self.drop is not None and self.drop not in _DROPS:
            raise ValueError(f"drop is one of {', '.join(_DROPS)}")

    def matters(self) -> frozenset[str]:
        """Which of the four matters the fault speaks of."""
        return frozenset(_MATTERS[name] for name in self._said())

    def covers(self, service: str, path: str) -> bool:
        """Whether the fault is meant for a request to this service and path."""
        return self.match in ("*", path if self.match.startswith("/") else service)

    def joined(self, other: "Fault") -> "Fault":
        """This fault and what the other one says."""
        return dataclasses.replace(self, **{name: getattr(other, name) for name in other._said()})

    def _said(self) -> list[str]:
        return [name for name in _MATTERS if getattr(self, name) != getattr(_DEFAULTS, name)]


_DEFAULTS = Fault()
NO_FAULT = _DEFAULTS


class Faults:
    """The faults still to come. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def add(self, *faults: Fault) -> None:
        """Appends faults, in order.

        Raises:
            ValueError: a fault says nothing.
        """
        if not all(fault.matters() for fault in faults):
            raise ValueError("a fault must say what goes wrong")
        with self._lock:
            self._waiting.extend(faults)

    def clear(self) -> None:
        """Forgets all faults. What is held at a gate stays held until it is set."""
        with self._lock:
            self._waiting.clear()

    def waiting(self) -> tuple[Fault, ...]:
        """The faults still to come, ``times`` counted down."""
        with self._lock:
            return tuple(self._waiting)

    def take(self, service: str, path: str) -> Fault:
        """What goes wrong with one request; it is used up by that.

        Args:
            service: the name of the service the request is for.
            path: the request's path.

        Returns:
            All faults that act on the request, as one; NO_FAULT when all is well.
        """
        effect, claimed = NO_FAULT, frozenset[str]()
        left: list[Fault] = []
        with self._lock:
            for fault in self._waiting:
                remains: Fault | None = fault
                if fault.covers(service, path):
                    if claimed.isdisjoint(fault.matters()):
                        effect = effect.joined(fault)
                        remains = _used_once(fault)
                    # A fault that has to wait still claims its matters, so that
                    # none added after it overtakes it.
                    claimed |= fault.matters()
                if remains is not None:
                    left.append(remains)
            self._waiting = left
        return effect


def _used_once(fault: Fault) -> Fault | None:
    if fault.times is None:
        return fault
    return dataclasses.replace(fault, times=fault.times - 1) if fault.times > 1 else None
