"""The way to IBM's own addresses, which ends at a sandbox.

Programs use the addresses that they have of themselves; what they are told is the
variables of a proxy and of a certificate authority, as in many a company's network.
"""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from sandbox_client import address
from wxhelper.sandbox import Sandbox, certs

NAMES = (
    "iam.cloud.ibm.com",
    "us-south.ml.cloud.ibm.com",
    "account-iam.platform.saas.ibm.com",
    "iam.platform.saas.ibm.com",
    "us-east-1.aws.data.ibm.com",
    "us-east-1.aws.wxai.ibm.com",
    "dai.ibmforusgov.com",
    "wxai.ibmforusgov.com",
    "cpd.example.com",
)


class Tunnel:
    """A proxy that knows CONNECT (RFC 9110, 9.3.6) and leads every host to one sandbox.

    Attributes:
        url: the proxy's own address.
        asked: the authorities that were asked for, in order.
    """

    def __init__(self, box: Sandbox) -> None:
        assert box.https_url is not None
        self._target = address(box.https_url)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._closing = False
        self._connections: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._start(self._accept)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing = True
        with contextlib.suppress(OSError):  # wakes who accepts, on every system
            socket.create_connection(address(self.url), timeout=5).close()
        for connection in self._connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        for connection in [self._listener, *self._connections]:
            connection.close()

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while not self._closing:
                connection, _ = self._listener.accept()
                self._connections.append(connection)
                self._start(self._lead, connection)

    def _lead(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                piece = connection.recv(65536)
                if not piece:
                    return
                head += piece
            method, authority, _ = head.decode("latin-1").split(" ", 2)
            assert method == "CONNECT", "plain http is not for a tunnel"
            self.asked.append(authority)
            onward = socket.create_connection(self._target)
            self._connections.append(onward)
            connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            self._start(_pump, onward, connection)
            _pump(connection, onward)


def _pump(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while piece := source.recv(65536):
            target.sendall(piece)
        target.shutdown(socket.SHUT_WR)


@contextlib.contextmanager
def ibm(folder: Path) -> Iterator[tuple[Sandbox, Mapping[str, str]]]:
    """A sandbox under IBM's own names, and the variables that lead there and nowhere else."""
    made = certs.make(str(folder), names=NAMES)
    with Sandbox(str(folder), tls=made) as box, Tunnel(box) as tunnel:
        authority = made.ca_file
        yield (
            box,
            {
                "HTTPS_PROXY": tunnel.url,
                "HTTP_PROXY": tunnel.url,
                "SSL_CERT_FILE": authority,
                "REQUESTS_CA_BUNDLE": authority,
                "WX_CLIENT_VERIFY_REQUESTS": authority,
            },
        )
