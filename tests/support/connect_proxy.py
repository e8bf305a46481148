"""A real proxy: CONNECT (RFC 9110, 9.3.6), to one server whatever is asked for."""

import base64
import contextlib
import socket
import threading


class ConnectProxy:
    """Listens on loopback until it is closed.

    Args:
        target: the address of the server that every tunnel leads to.
        login: ``name:password`` to ask for; None asks for nothing.
        answer: what everybody is told instead of being let through.

    Attributes:
        asked: the hosts and ports that tunnels were asked for.
        logins: what was given as name and password, or None.
    """

    def __init__(
        self, target: tuple[str, int], login: str | None = None, answer: bytes = b""
    ) -> None:
        self.asked: list[str] = []
        self.logins: list[str | None] = []
        self._target = target
        self._login = login
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._open: list[socket.socket] = [self._listener]
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> "ConnectProxy":
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._open.append(client)
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        head = b""
        with contextlib.suppress(OSError):
            while not head.endswith(b"\r\n\r\n"):
                head += client.recv(1)
            lines = head.decode().split("\r\n")
            self.asked.append(lines[0].split()[1])
            given = [line.split()[-1] for line in lines if line.startswith("Proxy-Authorization")]
            self.logins.append(base64.b64decode(given[0]).decode() if given else None)
            if self._login not in (None, self.logins[-1]):
                client.sendall(b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
                client.close()
                return
            if self._answer:
                client.sendall(self._answer)
                client.close()
                return
            server = socket.create_connection(self._target)
            self._open.append(server)
            client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            threading.Thread(target=_copy, args=(server, client), daemon=True).start()
            _copy(client, server)


def _copy(source: socket.socket, target: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := source.recv(65_536):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
