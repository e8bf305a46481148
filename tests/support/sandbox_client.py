"""A client of the sandbox: requests as they should be, and bytes as they should not."""

import contextlib
import http.client
import json
import socket
import urllib.parse
from collections.abc import Iterator

from wxhelper.sandbox import Sandbox

PATIENCE = 20.0
GRANT = "grant_type=urn:ibm:params:oauth:grant-type:apikey&apikey="
FORM = {"Content-Type": "application/x-www-form-urlencoded"}


def address(url: str) -> tuple[str, int]:
    """The host and the port."""
    parts = urllib.parse.urlsplit(url)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


@contextlib.contextmanager
def connected(box: Sandbox) -> Iterator[http.client.HTTPConnection]:
    """A connection, closed in the end."""
    connection = http.client.HTTPConnection(*address(box.http_url), timeout=PATIENCE)
    try:
        yield connection
    finally:
        connection.close()


def get(box: Sandbox, path: str = "/nowhere") -> tuple[http.client.HTTPResponse, bytes]:
    """An answer and its body."""
    with connected(box) as connection:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer, answer.read()


def get_token(box: Sandbox) -> tuple[int, dict[str, object]]:
    """The status and the document with which IAM answers the right key."""
    with connected(box) as connection:
        connection.request("POST", "/identity/token", body=GRANT + box.api_key, headers=FORM)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def exchange(box: Sandbox, raw: bytes) -> bytes:
    """Sends bytes, and returns all that comes back until the server hangs up."""
    with socket.create_connection(address(box.http_url), timeout=PATIENCE) as client:
        client.sendall(raw)
        return b"".join(iter(lambda: client.recv(65536), b""))
