"""Repositories over TLS for those who show a token, served by git's own http-backend."""

import base64
import os
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from wxhelper.sandbox import Sandbox
from wxhelper.sandbox.issuer import Verdict

LOGIN = "iambearer"


def make_repository(root: Path) -> Path:
    """A directory with ``models.git``, of one commit."""
    identity = {
        f"GIT_{who}_{what}": "a" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")
    }
    environ = {**_environment(root), **identity}

    def git(*arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], env=environ, check=True, timeout=60, capture_output=True, text=True
        )
        return done.stdout.strip()

    bare = str(root / "models.git")
    git("init", "-q", "--bare", "-b", "main", bare)
    tree = git("-C", bare, "hash-object", "-t", "tree", "-w", "/dev/null")
    commit = git("-C", bare, "commit-tree", tree, "-m", "first")
    git("-C", bare, "update-ref", "refs/heads/main", commit)
    return root


def _environment(root: Path) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "HOME": str(root), "GIT_CONFIG_NOSYSTEM": "1"}


class GitServer:
    """A server on 127.0.0.1 that asks the sandbox whether a token is good.

    Args:
        sandbox: issued the tokens; runs with TLS.
        root: the repositories' directory.

    Attributes:
        ahead: seconds that its clock is ahead of the sandbox's.
        shown: the credentials of every request that had any, scheme and value.
        refused: how many of them were no good.
        refuses_all: whether none is any good.
    """

    def __init__(self, sandbox: Sandbox, root: Path) -> None:
        self.sandbox, self.root = sandbox, root
        self.ahead, self.refused, self.refuses_all = 0.0, 0, False
        self.shown: list[tuple[str, str]] = []
        self._lock = threading.Lock()
        assert sandbox.ca_file is not None
        folder = Path(sandbox.ca_file).parent
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(folder / "server.pem", folder / "server.key")
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.socket = context.wrap_socket(self._http.socket, server_side=True)
        self.port = self._http.server_address[1]
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        self._http.shutdown()
        self._thread.join(20)
        self._http.server_close()

    def url(self, host: str = "127.0.0.1", user: str = "") -> str:
        """The address of the one repository."""
        return f"https://{user}{host}:{self.port}/models.git"

    def admits(self, scheme: str, value: str) -> bool:
        """Whether what a request shows is good."""
        token = value
        if scheme == "basic":
            user, _, token = base64.b64decode(value).decode().partition(":")
            if user != LOGIN:
                return False
        verdict = self.sandbox.issuer.verdict(token, self.sandbox.clock() + self.ahead)
        good = verdict is Verdict.LIVE and not self.refuses_all
        with self._lock:
            self.shown.append((scheme, token))
            self.refused += not good
        return good


def _handler(server: GitServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            scheme, _, value = self.headers.get("Authorization", "").partition(" ")
            if not scheme or not server.admits(scheme.lower(), value):
                self.send_response(401)
                self.send_header("WWW-Authenticate", 'Bearer realm="models"')
                self.send_header("WWW-Authenticate", 'Basic realm="models"')
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            path, _, query = self.path.partition("?")
            head, _, content = _backend(server.root, path, query, self, body)
            lines = [line.partition(b": ") for line in head.split(b"\r\n")]
            headers = {name.decode(): text.decode() for name, _, text in lines}
            self.send_response(int(headers.pop("Status", "200").split()[0]))
            for name, text in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, text)
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815 - http.server's names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    return Handler


def _backend(
    root: Path, path: str, query: str, request: BaseHTTPRequestHandler, body: bytes
) -> tuple[bytes, bytes, bytes]:
    environ = {
        **_environment(root),
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "REQUEST_METHOD": request.command,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "CONTENT_LENGTH": str(len(body)),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        "HTTP_GIT_PROTOCOL": request.headers.get("Git-Protocol", ""),
        "REMOTE_USER": LOGIN,  # who is somebody may push
        "REMOTE_ADDR": "127.0.0.1",
    }
    done = subprocess.run(
        ["git", "http-backend"],
        input=body,
        env=environ,
        capture_output=True,
        check=True,
        timeout=60,
    )
    return done.stdout.partition(b"\r\n\r\n")
