"""A server that sends whatever bytes a test likes, and the form that is posted to it."""

import contextlib
import socket
import threading
import traceback
from collections.abc import Callable

import pytest

from wxhelper.errors import WxhelperError
from wxhelper.plugin import Answer, Endpoint, Transport
from wxhelper.sandbox import Sandbox

KEY = "k3y+/that=opens&nothing"
FORM = {"grant_type": "urn:x", "apikey": KEY}


class Raw:
    """A server that sends every client the same bytes, and notes what it was sent.

    Args:
        serve: is given each connection after its request was read.
    """

    def __init__(self, serve: Callable[[socket.socket], object]) -> None:
        self.heard: list[bytes] = []
        self._serve = serve
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self.closing = threading.Event()
        self._serving: socket.socket | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self.closing.is_set():
            with contextlib.suppress(OSError):
                connection, _ = self._listener.accept()
                self._serving = connection
                with connection:
                    connection.settimeout(20)
                    self.heard.append(_request(connection))
                    self._serve(connection)

    def close(self) -> None:
        self.closing.set()
        for each in (self._serving, self._listener):
            with contextlib.suppress(OSError, AttributeError):
                each.shutdown(socket.SHUT_RDWR)  # type: ignore[union-attr]
        self._listener.close()
        self._thread.join(20)


def _request(connection: socket.socket) -> bytes:
    """One request, whole: closing with some of it unread would reset the connection."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65_536)
    head, _, body = data.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split()[0])
    while len(body) < length:
        body += connection.recv(65_536)
    return head + body


def iam(box: Sandbox) -> Endpoint:
    return Endpoint.parse(f"{box.http_url}/identity/token")


def posted(endpoint: Endpoint, *, deadline: float = 30.0, **environ: str) -> Answer:
    way = Transport(frozenset({endpoint.origin}), deadline=deadline, environ=environ)
    return way.post(endpoint, form=FORM)


def told(endpoint: Endpoint, *, deadline: float = 30.0, **environ: str) -> tuple[type, str, str]:
    with pytest.raises(WxhelperError) as caught:
        posted(endpoint, deadline=deadline, **environ)
    fault = caught.value
    shown = [str(fault), repr(fault), repr(fault.args), fault.line()]
    shown += traceback.TracebackException.from_exception(fault, capture_locals=False).format()
    assert not [text for text in shown if KEY in text or "opens%26nothing" in text]
    public = next(kind for kind in type(fault).__mro__ if not kind.__name__.startswith("_"))
    return public, fault.message, fault.remedy
