"""An answer on its way to the client, with everything that may go wrong there."""

import email.utils
import socket
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus

from wxhelper.sandbox.faults import Drip, Fault
from wxhelper.sandbox.messages import Answer

_GATE_POLL = 0.02
_WITHOUT_CONTENT = (204, 304)
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection"})


@dataclass(frozen=True)
class Reply:
    """An answer and how it is to be sent.

    Attributes:
        answer: what the service says.
        fault: what goes wrong on the way; its ``status``, ``body`` and ``headers``
            are part of ``answer`` already.
        date: gives the moment for the Date field, Unix seconds.
    """

    answer: Answer
    fault: Fault
    date: Callable[[], float]


def send(
    connection: socket.socket,
    reply: Reply,
    *,
    closing: threading.Event,
    keep_alive: bool,
    head_only: bool,
) -> bool:
    """Sends an answer, late, in drops or in part when the fault says so.

    Args:
        connection: the client's end, plain or TLS.
        reply: the answer.
        closing: set when the server stops; everything that waits gives up then.
        keep_alive: whether the connection may serve another request.
        head_only: whether the content is left out (RFC 9110, 9.3.2).

    Returns:
        Whether the connection is fit for another request.

    Raises:
        OSError: the client is gone.
    """
    answer, fault = reply.answer, reply.fault
    if not _held(fault, closing) or fault.drop == "before":
        return False
    keep_alive = keep_alive and fault.drop is None and not _forges_framing(answer)
    head = _head(answer, reply.date(), keep_alive=keep_alive)
    body = b"" if head_only or answer.status in _WITHOUT_CONTENT else answer.body
    if not _write(connection, head, fault.drip_headers or fault.drip, closing):
        return False
    if fault.drop == "after-headers":
        return False
    if fault.drop == "mid-body":
        body = body[: len(body) // 2]
    return _write(connection, body, fault.drip_body or fault.drip, closing) and keep_alive


def http_date(moment: float) -> str:
    """A moment (Unix seconds) as an IMF-fixdate (RFC 9110, 5.6.7)."""
    return email.utils.formatdate(moment, usegmt=True)


def _held(fault: Fault, closing: threading.Event) -> bool:
    """Waits out latency and gate; False when the server stops meanwhile."""
    if fault.latency and closing.wait(fault.latency):
        return False
    while fault.gate is not None and not fault.gate.wait(_GATE_POLL):
        if closing.is_set():
            return False
    return True


def _forges_framing(answer: Answer) -> bool:
    """Whether the answer's own fields say how long it is.

    Nobody can tell then where the next answer on the connection would begin.
    """
    return not _FRAMING.isdisjoint(name.lower() for name in answer.headers)


def _head(answer: Answer, date: float, *, keep_alive: bool) -> bytes:
    fields = {
        "date": ("Date", http_date(date)),
        "content-length": ("Content-Length", str(len(answer.body))),
        "connection": ("Connection", "keep-alive" if keep_alive else "close"),
    }
    if answer.status in _WITHOUT_CONTENT:
        del fields["content-length"]
    for name, value in answer.headers.items():
        fields[name.lower()] = (name, value)
    lines = [f"HTTP/1.1 {answer.status} {_phrase(answer.status)}"]
    lines += [f"{name}: {value}" for name, value in fields.values()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _write(
    connection: socket.socket, data: bytes, drip: Drip | None, closing: threading.Event
) -> bool:
    """Writes all of the data; False when the server stops meanwhile."""
    if drip is None:
        connection.sendall(data)
        return True
    size, pause = drip
    for start in range(0, len(data), size):
        if start and closing.wait(pause):
            return False
        connection.sendall(data[start : start + size])
    return True
