"""Sockets, threads, TLS and HTTP/1.1 on 127.0.0.1.

``http.server`` parses; the rest is here, because a test double for a thousand
impatient clients has other duties than a file server: no line of output whatever a
client does, TLS handshakes outside the accept loop, a bound on threads, and an end
that comes at once and leaves nothing behind.
"""

import contextlib
import selectors
import socket
import socketserver
import ssl
import threading
import time
import urllib.parse
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any, Protocol

from wxhelper.sandbox import wire
from wxhelper.sandbox.faults import NO_FAULT
from wxhelper.sandbox.messages import Headers, Request, text_answer

BODY_LIMIT = 1024 * 1024
WORKER_LIMIT = 512

_LINE_LIMIT = 65_536
_DISCARD_LIMIT = 16 * BODY_LIMIT
_BLOCK = 65_536
_BACKLOG = 1024
_IDLE_SECONDS = 30.0
_HANDSHAKE_SECONDS = 10.0
_CLOSE_SECONDS = 5.0
_POLL_SECONDS = 0.05


class Application(Protocol):
    """What a server serves."""

    @property
    def clock(self) -> Callable[[], float]:
        """Gives Unix seconds."""

    def service_for(self, path: str) -> str:
        """The name of the service that owns a path, or ""."""

    def respond(self, request: Request) -> wire.Reply:
        """Answers one request; called from many threads at once."""


class Server(socketserver.TCPServer):
    """One listening socket; serves from the moment it is made.

    Not ``http.server.HTTPServer``: that one asks the resolver for its own name.

    Args:
        application: what to serve.
        context: for TLS; None for plain http.
        workers: the most connections served at once. Further ones wait in the
            kernel's queue; from half of it on, answers end their connection, so that
            idle clients do not keep others waiting.
    """

    allow_reuse_address = False
    request_queue_size = _BACKLOG

    def __init__(
        self,
        application: Application,
        context: ssl.SSLContext | None = None,
        *,
        workers: int = WORKER_LIMIT,
    ) -> None:
        self.application = application
        self.closing = threading.Event()
        self.defects: list[Exception] = []
        self._context = context
        if context is not None:
            context.sslsocket_class = _SecuredSocket
        self._workers = workers
        self._slots = threading.Semaphore(workers)
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._serving = 0
        super().__init__(("127.0.0.1", 0), _Handler)
        self.socket.setblocking(False)
        self._bell, self._clapper = socket.socketpair()
        self._accepting = self._thread("accept", self._accept)
        self._accepting.start()

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        scheme = "http" if self._context is None else "https"
        return f"{scheme}://127.0.0.1:{self.server_address[1]}"

    @property
    def tls(self) -> bool:
        """Whether the server speaks TLS."""
        return self._context is not None

    @property
    def crowded(self) -> bool:
        """Whether connections should end with their answer, to make room."""
        with self._lock:
            return self._serving * 2 > self._workers

    def close(self) -> None:
        """Stops accepting, ends every connection and waits for the threads."""
        if self.closing.is_set():
            return
        self.closing.set()
        self._clapper.close()
        self._accepting.join()
        self._bell.close()
        self.server_close()
        with self._lock:
            for connection in self._connections:
                _hang_up(connection)
        deadline = time.monotonic() + _CLOSE_SECONDS
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def process_request(self, request: Any, client_address: Any) -> None:
        """Hands a connection to a thread of its own; waits while there are too many."""
        while not self._slots.acquire(timeout=_POLL_SECONDS):
            if self.closing.is_set():
                self.shutdown_request(request)
                return
        thread = self._thread("worker", self._serve, request, client_address)
        with self._lock:
            self._serving += 1
            if len(self._threads) > self._workers:
                self._threads = [thread for thread in self._threads if thread.is_alive()]
        try:
            thread.start()
        except RuntimeError:  # the system has no thread left
            self._leave(request)
        else:
            self._threads.append(thread)

    def _thread(self, role: str, target: Callable[..., None], *args: object) -> threading.Thread:
        name = f"sandbox-{self.server_address[1]}-{role}"
        return threading.Thread(target=target, args=args, name=name, daemon=True)

    def _accept(self) -> None:
        """Accepts until ``close``; in place of ``serve_forever``, which notices it late."""
        with selectors.DefaultSelector() as selector:
            selector.register(self.socket, selectors.EVENT_READ)
            selector.register(self._bell, selectors.EVENT_READ)
            while True:
                selector.select()
                if self.closing.is_set():
                    return
                try:
                    connection, address = self.socket.accept()
                except BlockingIOError:
                    continue  # the client has thought better of it
                except OSError:
                    self.closing.wait(_POLL_SECONDS)  # no descriptor left: not in a tight loop
                    continue
                connection.setblocking(True)  # BSD and macOS hand the listener's mode down
                self.process_request(connection, address)

    def _serve(self, connection: socket.socket, client_address: Any) -> None:
        try:
            self._enter(connection)
            if self._context is not None:
                connection = self._secured(connection, self._context)
            self.finish_request(connection, client_address)
        except OSError:
            pass  # the client is gone, too slow, or does not like the certificate
        except Exception as defect:  # noqa: BLE001  a worker must not print a traceback
            self.defects.append(defect)
        finally:
            self._leave(connection)

    def _secured(self, connection: socket.socket, context: ssl.SSLContext) -> ssl.SSLSocket:
        connection.settimeout(_HANDSHAKE_SECONDS)
        with self._lock:  # close() must find the socket that owns the descriptor
            self._connections.discard(connection)
            secured = context.wrap_socket(
                connection, server_side=True, do_handshake_on_connect=False
            )
            self._connections.add(secured)
        try:
            secured.do_handshake()
        except OSError:
            with self._lock:
                self._connections.discard(secured)
            secured.close()
            raise
        return secured

    def _enter(self, connection: socket.socket) -> None:
        with self._lock:
            if self.closing.is_set():
                raise ConnectionAbortedError
            self._connections.add(connection)

    def _leave(self, connection: socket.socket) -> None:
        with self._lock:
            self._connections.discard(connection)
            self._serving -= 1
        self.shutdown_request(connection)
        self._slots.release()


class _Handler(BaseHTTPRequestHandler):
    """Reads requests from one connection and sends the answers."""

    protocol_version = "HTTP/1.1"
    timeout = _IDLE_SECONDS
    disable_nagle_algorithm = True
    server: Server
    _expects_continue = False

    def handle_one_request(self) -> None:
        """Serves one request, of any method."""
        self._expects_continue = False
        self.raw_requestline = self.rfile.readline(_LINE_LIMIT + 1)
        if not self.raw_requestline:
            self.close_connection = True
            return
        if len(self.raw_requestline) > _LINE_LIMIT:
            self.command = self.requestline = self.request_version = ""
            self._refuse(414)
            return
        if not self.parse_request():
            return
        body = self._body()
        if body is None:
            return
        request = self._request(body)
        if request is not None:
            self._send(self.server.application.respond(request))

    def handle_expect_100(self) -> bool:
        """Remembers that the client waits; it is told to go on when the size is known."""
        self._expects_continue = True
        return True

    def send_error(
        self,
        code: int,
        message: str | None = None,  # noqa: ARG002
        explain: str | None = None,  # noqa: ARG002
    ) -> None:
        """Answers what cannot be parsed, without quoting it."""
        self._refuse(code)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Silent."""

    def _request(self, body: bytes) -> Request | None:
        application = self.server.application
        try:
            target = urllib.parse.urlsplit(self.path)
        except ValueError:
            self._refuse(400)
            return None
        return Request(
            time=application.clock(),
            method=self.command,
            path=target.path,
            query=target.query,
            headers=Headers((name, str(value)) for name, value in self.headers.items()),
            body=body,
            service=application.service_for(target.path),
            tls=self.server.tls,
        )

    def _body(self) -> bytes | None:
        """The content, or None when the request has been refused for it."""
        if "Transfer-Encoding" in self.headers:
            self._refuse(411)
            return None
        lengths = set(self.headers.get_all("Content-Length", ["0"]))
        text = lengths.pop()
        if lengths or not (text.isascii() and text.isdigit()):
            self._refuse(400)
            return None
        length = int(text) if len(text) < 16 else _DISCARD_LIMIT
        if length > BODY_LIMIT:
            self._discard(length)
            self._refuse(413)
            return None
        if self._expects_continue and length:
            self.connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self.rfile.read(length)
        if len(body) < length:
            self.close_connection = True
            return None
        return body

    def _discard(self, length: int) -> None:
        """Reads content that is too long, within reason.

        A client that is still sending when the connection ends sees a reset and not
        the refusal.
        """
        left = 0 if self._expects_continue else min(length, _DISCARD_LIMIT)
        while left > 0:
            block = self.rfile.read(min(left, _BLOCK))
            if not block:
                return
            left -= len(block)

    def _refuse(self, status: int) -> None:
        self.close_connection = True
        self._send(wire.Reply(text_answer(status), NO_FAULT, self.server.application.clock))

    def _send(self, reply: wire.Reply) -> None:
        if self.server.crowded:
            self.close_connection = True
        self.close_connection = not wire.send(
            self.connection,
            reply,
            closing=self.server.closing,
            keep_alive=not self.close_connection,
            head_only=self.command == "HEAD",
        )


class _SecuredSocket(ssl.SSLSocket):
    """Closes itself when it is forgotten.

    ``wrap_socket`` leaves its socket open when the client resets the connection in
    the middle of it, and hands it to nobody who could close it.
    """

    def __del__(self) -> None:
        self.close()


def _hang_up(connection: socket.socket) -> None:
    """Wakes whoever reads from or writes to the connection.

    The plain socket's method, also for TLS: the one of SSLSocket takes the TLS state
    away from under the thread that is using it.
    """
    with contextlib.suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
