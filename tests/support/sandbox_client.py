"""A client of the sandbox: requests as they should be, and bytes as they should not."""

import base64
import contextlib
import http.client
import json
import socket
import urllib.parse
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from wxhelper.sandbox import Sandbox

PATIENCE = 20.0
GRANT = "grant_type=urn:ibm:params:oauth:grant-type:apikey&apikey="
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
MODELS = "/ml/v1/foundation_model_specs"


class Reply(NamedTuple):
    """An answer, whole."""

    status: int
    headers: Any
    body: bytes

    @property
    def document(self) -> Any:
        return json.loads(self.body)


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


def ask(
    box: Sandbox,
    method: str,
    path: str,
    *,
    body: str | bytes | None = None,
    headers: Mapping[str, str] | None = None,
) -> Reply:
    """Sends a request, and returns the answer."""
    with connected(box) as connection:
        connection.request(method, path, body=body, headers=dict(headers or {}))
        answer = connection.getresponse()
        return Reply(answer.status, answer.headers, answer.read())


def ask_json(box: Sandbox, path: str, document: object, **headers: str) -> Reply:
    """Posts JSON."""
    said = {"Content-Type": "application/json", **headers}
    return ask(box, "POST", path, body=json.dumps(document), headers=said)


def claims(token: str) -> dict[str, Any]:
    """What a JWT says of itself."""
    part = token.split(".")[1]
    said = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    assert isinstance(said, dict)
    return said


def basic(text: str) -> dict[str, str]:
    """The header of a client's, or a user's, name and secret."""
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


def zen(text: str) -> dict[str, str]:
    """The header of a Cloud Pak for Data user's name and key."""
    return {"Authorization": "ZenApiKey " + base64.b64encode(text.encode()).decode()}


def bearer(token: str) -> dict[str, str]:
    """The header of a token."""
    return {"Authorization": f"Bearer {token}"}


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
