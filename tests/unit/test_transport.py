"""Floor 4: the one way to the network, against real servers on loopback."""

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from raw_server import FORM, Raw, iam, posted, told
from wxhelper import __version__
from wxhelper.errors import EndpointRefused, Redirected, Unreachable
from wxhelper.plugin import Endpoint, Transport
from wxhelper.sandbox import Fault, Sandbox

pytestmark = pytest.mark.usefixtures("short_pauses")

LATE = "try again; if it stays so, look at the network and the proxy"
OWN = "write the token service's own address as url in the profile"


# ------------------------------------------------------------------------------ the request


def test_a_form_on_the_wire(sandbox: Sandbox) -> None:
    assert posted(iam(sandbox)).status == 400
    (request,) = sandbox.requests
    assert (request.method, request.path, request.query) == ("POST", "/identity/token", "")
    assert request.body == b"grant_type=urn%3Ax&apikey=k3y%2B%2Fthat%3Dopens%26nothing"
    assert dict(request.headers) == {
        "host": sandbox.http_url.removeprefix("http://"),
        "accept": "application/json",
        "accept-encoding": "identity",
        "user-agent": f"wxhelper/{__version__}",
        "content-type": "application/x-www-form-urlencoded",
        "content-length": str(len(request.body)),
    }


def test_json_on_the_wire(sandbox: Sandbox) -> None:
    endpoint = iam(sandbox)
    way = Transport(frozenset({endpoint.origin}), environ={})
    way.post(endpoint, json={"apikey": 'ü"\n'}, headers={"X-Own": "1", "Accept": "text/plain"})
    (request,) = sandbox.requests
    assert request.body == b'{"apikey": "\\u00fc\\"\\n"}'
    assert (request.media_type, request.headers["X-Own"], request.headers["Accept"]) == (
        "application/json",
        "1",
        "text/plain",
    )


def test_the_answer_is_as_it_came(sandbox: Sandbox) -> None:
    fault = Fault(match="iam", status=418, body=b"\x00\xff", headers={"X-Kept": "Yes"})
    sandbox.faults.add(fault)
    endpoint = iam(sandbox)
    way = Transport(frozenset({endpoint.origin}), environ={}, clock=lambda: 1234.5)
    answer = way.post(endpoint, form=FORM)
    assert (answer.status, answer.body, answer.sent_at) == (418, b"\x00\xff", 1234.5)
    assert answer.headers["x-kept"] == "Yes"


def test_no_cookie_is_kept(sandbox: Sandbox) -> None:
    sandbox.faults.add(Fault(headers={"Set-Cookie": "a=b; Path=/"}))
    endpoint = iam(sandbox)
    way = Transport(frozenset({endpoint.origin}), environ={})
    way.post(endpoint, form=FORM)
    way.post(endpoint, form=FORM)
    assert ["Cookie" in request.headers for request in sandbox.requests] == [False, False]


def test_a_host_that_is_none_of_the_token_hosts_is_not_connected_to(
    raw: Callable[..., Raw],
) -> None:
    server = raw()
    endpoint = Endpoint.parse(f"{server.url}/t")
    way = Transport(frozenset({"b.example", "a.example:8443"}), environ={})
    with pytest.raises(EndpointRefused) as caught:
        way.post(endpoint, form=FORM)
    assert (caught.value.message, caught.value.remedy) == (
        f"the key may not be sent to {endpoint.origin}, only to a.example:8443, b.example",
        "correct url in the profile",
    )
    assert server.heard == []


@pytest.mark.parametrize(
    "entry", ["machine 127.0.0.1 login me password {}", "default login me password {}"]
)
@pytest.mark.parametrize("place", ["home", "variable"])
def test_a_netrc_file_is_never_consulted(
    sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, entry: str, place: str
) -> None:
    path = tmp_path / (".netrc" if place == "home" else "other")
    path.write_text(entry.format("secret") + "\n")
    path.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    if place == "variable":
        monkeypatch.setenv("NETRC", str(path))
    posted(iam(sandbox))
    assert ["Authorization" in request.headers for request in sandbox.requests] == [False]


# -------------------------------------------------------------------------------- redirects


@pytest.mark.parametrize("status", [300, 301, 302, 303, 304, 305, 307, 308])
@pytest.mark.parametrize("where", ["same host", "other host"])
def test_a_redirect_is_never_followed(
    sandbox: Sandbox, raw: Callable[..., Raw], status: int, where: str
) -> None:
    second = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
    location = "/identity/other" if where == "same host" else f"{second.url}/t"
    target = "another path" if where == "same host" else "http://127.0.0.1"
    sandbox.faults.add(Fault(status=status, times=None, headers={"Location": location}))
    assert told(iam(sandbox)) == (
        Redirected,
        f"127.0.0.1 redirects to {target}, and a key is not sent after it",
        OWN,
    )
    assert (len(sandbox.requests), second.heard) == (1, [])


@pytest.mark.parametrize(
    ("location", "target"),
    [
        (None, "another path"),
        ("", "another path"),
        ("http://", "another path"),
        ("https://evil.example/a?apikey=x#y", "https://evil.example"),
        ("https://me:pw@evil.example/", "https://evil.example"),
        ("//evil.example/a", "http://evil.example"),
        ("http://[bad", "another path"),
        ("http://evil.example:port/", "http://evil.example"),
        ("\xff\xfe", "another path"),
        ("https://ev\x1bil.example/", "https://ev il.example"),
    ],
    ids=["absent", "empty", "no host", "query", "password", "no scheme", "no address", "bad port",
         "no text", "escape"],
)  # fmt: skip
def test_a_redirect_to_anywhere_is_told_harmlessly(
    sandbox: Sandbox, location: str | None, target: str
) -> None:
    headers = {} if location is None else {"Location": location}
    sandbox.faults.add(Fault(status=307, times=None, headers=headers))
    assert told(iam(sandbox)) == (
        Redirected,
        f"127.0.0.1 redirects to {target}, and a key is not sent after it",
        OWN,
    )


# ---------------------------------------------------------------------------------- deadline


def _silent(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.recv(1)


def _endless(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    connection.settimeout(0.05)
    for _ in range(1000):
        connection.sendall(b"1\r\nx\r\n")
        try:
            if not connection.recv(1):
                return
        except TimeoutError:
            continue


def _endless_head(connection: socket.socket) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    connection.settimeout(0.05)
    for _ in range(90):
        connection.sendall(b"X-More: x\r\n")
        try:
            if not connection.recv(1):
                return
        except TimeoutError:
            continue


@pytest.mark.parametrize("serve", [_silent, _endless, _endless_head])
def test_the_deadline_holds_against_a_server_that_never_ends(
    raw: Callable[..., Raw], serve: Callable[[socket.socket], None]
) -> None:
    endpoint = Endpoint.parse(raw(serve).url)
    assert told(endpoint, deadline=0.3) == (
        Unreachable,
        "127.0.0.1 did not answer within 0.3 seconds",
        LATE,
    )


@pytest.mark.parametrize(
    "fault",
    [
        Fault(drip_headers=(1, 0.1)),
        Fault(drip_body=(1, 0.1)),
        Fault(latency=30),
        Fault(gate=threading.Event()),
        Fault(status=503, latency=30),
    ],
    ids=["dripping headers", "dripping body", "late", "held", "late failure"],
)
def test_the_deadline_holds_against_a_slow_server(sandbox: Sandbox, fault: Fault) -> None:
    sandbox.faults.add(fault)
    assert told(iam(sandbox), deadline=0.3) == (
        Unreachable,
        "127.0.0.1 did not answer within 0.3 seconds",
        LATE,
    )


def test_the_deadline_holds_over_everything_that_is_sent(sandbox: Sandbox) -> None:
    endpoint = iam(sandbox)
    way = Transport(frozenset({endpoint.origin}), environ={}, deadline=0.0)
    with pytest.raises(Unreachable, match=r"^127\.0\.0\.1 did not answer within 0 seconds$"):
        way.post(endpoint, form=FORM)


def test_the_deadline_begins_with_the_first_that_is_sent_and_is_one_for_all(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    endpoint, right = iam(sandbox), time.monotonic
    way = Transport(frozenset({endpoint.origin}), environ={}, deadline=30.0)
    monkeypatch.setattr(time, "monotonic", lambda: right() + 60)
    assert way.post(endpoint, form=FORM).status == 400
    monkeypatch.setattr(time, "monotonic", lambda: right() + 120)
    with pytest.raises(Unreachable, match="did not answer within 30 seconds"):
        way.post(endpoint, form=FORM)
