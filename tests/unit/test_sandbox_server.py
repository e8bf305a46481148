"""The wire: what a client sees of faults, limits and the end."""

import contextlib
import http.client
import os
import socket
import ssl
import threading
import time
import urllib.parse

import pytest

from sandbox_client import FORM, GRANT, PATIENCE, address, connected, exchange, get, get_token
from wxhelper.sandbox import Fault, Sandbox, certs
from wxhelper.sandbox.faults import NO_FAULT
from wxhelper.sandbox.messages import Headers, Request, text_answer
from wxhelper.sandbox.server import Server
from wxhelper.sandbox.wire import Reply


@pytest.fixture(scope="module")
def tls_box(tmp_path_factory):
    with Sandbox(str(tmp_path_factory.mktemp("tls"))) as sandbox:
        assert sandbox.tls_skipped == ""
        yield sandbox
        assert sandbox.defects == ()


def threads_of(*urls) -> list[str]:
    prefixes = tuple(f"sandbox-{address(url)[1]}-" for url in urls)
    return [t.name for t in threading.enumerate() if t.name.startswith(prefixes)]


def status_of(raw: bytes) -> int:
    return int(raw.split(b" ", 2)[1])


# ------------------------------------------------------------------------------- what is seen


def test_a_request_is_kept_whole(box):
    with connected(box) as connection:
        connection.request("POST", "/x/y%20z?a=1&b=", body=b"\0body", headers={"X-One": "1"})
        connection.getresponse().read()
    (request,) = box.requests
    assert abs(request.time - time.time()) < 60
    seen = (request.method, request.path, request.query, request.body, request.tls)
    assert seen == ("POST", "/x/y%20z", "a=1&b=", b"\0body", False)
    assert request.headers["x-one"] == request.headers["X-ONE"] == "1"
    assert "x-two" not in request.headers
    assert box.requests.snapshot() == (request,) == box.requests[:]


def test_header_fields_may_repeat():
    headers = Headers([("A", "1"), ("b", "2"), ("a", "3")])
    assert headers.all("A") == ["1", "3"]
    assert dict(headers) == {"a": "1", "b": "2"}
    assert len(headers) == 2
    with pytest.raises(KeyError):
        headers["c"]


def test_nothing_secret_is_in_a_repr(box):
    get_token(box)
    get(box, f"/x?apikey={box.api_key}")
    shown = f"{box!r} {box.requests!r} {list(box.requests)!r} {box.requests[0].headers!r}"
    assert box.api_key not in shown
    assert box.api_key not in repr(box._realm)
    assert "Content-Type".casefold() in repr(box.requests[0].headers)


def test_requests_can_be_waited_for_and_forgotten(box):
    assert not box.requests.wait_for(1, timeout=0)
    get(box)
    get_token(box)
    assert box.requests.wait_for(2, timeout=0)
    assert box.requests.wait_for(1, timeout=0, service="iam")
    assert not box.requests.wait_for(2, timeout=0, service="iam")
    box.requests.clear()
    assert len(box.requests) == box.token_requests() == 0


def test_one_connection_serves_many_requests(box):
    with connected(box) as connection:
        for _ in range(3):
            connection.request("GET", "/nowhere")
            answer = connection.getresponse()
            assert (answer.status, answer.version, answer.read()) == (404, 11, b"Not Found\n")
            assert answer.headers["Connection"] == "keep-alive"
        assert connection.sock is not None


def test_tls_serves_the_same_paths(tls_box):
    context = ssl.create_default_context(cafile=tls_box.ca_file)
    context.verify_flags |= ssl.VERIFY_X509_STRICT
    for host in ("127.0.0.1", "localhost"):
        connection = http.client.HTTPSConnection(
            host, address(tls_box.https_url)[1], timeout=PATIENCE, context=context
        )
        body = GRANT + tls_box.api_key
        connection.request("POST", "/identity/token", body=body, headers=FORM)
        assert connection.getresponse().status == 200
        connection.close()
        assert tls_box.requests[-1].tls


# -------------------------------------------------------------------------------------- limits


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (b"NONSENSE\r\n\r\n", 400),
        (b"GET / HTTP/9.9\r\n\r\n", 505),
        (b"GET / HTTP/1.1 x\r\n\r\n", 400),
        (b"GET http://[ HTTP/1.1\r\n\r\n", 400),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", 414),
        (b"GET / HTTP/1.1\r\n" + b"A: 1\r\n" * 200 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nA: " + b"1" * 70_000 + b"\r\n\r\n", 431),
        (b"POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
        (b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411),
        (b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n", 413),
    ],
)
def test_what_cannot_be_read_is_refused_and_not_quoted(box, raw, status):
    answer = exchange(box, raw)
    assert status_of(answer) == status
    assert b"NONSENSE" not in answer
    assert b"Connection: close" in answer
    assert b"Date: " in answer
    assert len(box.requests) == 0


def test_content_beyond_the_limit_is_refused_even_while_it_is_sent(box):
    with connected(box) as connection:
        connection.request("POST", "/identity/token", body=b"x" * (1024 * 1024 + 1), headers=FORM)
        assert connection.getresponse().status == 413


def test_content_at_the_limit_is_taken(box):
    with connected(box) as connection:
        connection.request("POST", "/nowhere", body=b"x" * 1024 * 1024)
        assert connection.getresponse().status == 404
    assert len(box.requests[0].body) == 1024 * 1024


def test_a_client_that_waits_is_told_to_go_on(box):
    raw = (
        b"POST / HTTP/1.1\r\nConnection: close\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    )
    with socket.create_connection(address(box.http_url), timeout=PATIENCE) as client:
        client.sendall(raw)
        assert client.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        client.sendall(b"ok")
        answer = b"".join(iter(lambda: client.recv(65536), b""))
    assert status_of(answer) == 404
    assert box.requests[0].body == b"ok"


def test_clients_that_leave_are_nobodys_problem(box, tls_box, capfd):
    gate = threading.Event()
    box.faults.add(Fault(match="/held", gate=gate))
    rude = (b"", b"GET", b"GET / HTTP/1.1\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nab")
    for url in (box.http_url, tls_box.https_url):
        for raw in (*rude, b"GET /held HTTP/1.1\r\n\r\n"):
            with socket.create_connection(address(url), timeout=PATIENCE) as client:
                client.sendall(raw)
                # A reset, not a polite end.
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
    strict = ssl.create_default_context()  # does not know the authority
    with (
        socket.create_connection(address(tls_box.https_url), timeout=PATIENCE) as client,
        pytest.raises(ssl.SSLCertVerificationError),
    ):
        strict.wrap_socket(client, server_hostname="127.0.0.1")
    gate.set()
    assert get(box)[0].status == 404
    box.close()
    assert capfd.readouterr() == ("", "")


def test_a_stalled_handshake_holds_up_nobody(tls_box):
    with socket.create_connection(address(tls_box.https_url), timeout=PATIENCE):
        context = ssl.create_default_context(cafile=tls_box.ca_file)
        with (
            socket.create_connection(address(tls_box.https_url), timeout=PATIENCE) as client,
            context.wrap_socket(client, server_hostname="127.0.0.1") as secured,
        ):
            assert secured.version() in {"TLSv1.2", "TLSv1.3"}


class Echo:
    """The smallest application."""

    clock = staticmethod(time.time)

    def service_for(self, path: str) -> str:
        return ""

    def respond(self, request: Request) -> Reply:
        return Reply(text_answer(200), NO_FAULT, time.time)


def test_more_clients_than_workers_are_all_served_in_turn():
    server = Server(Echo(), workers=4)
    try:
        parts = urllib.parse.urlsplit(server.url)
        where = (parts.hostname, parts.port)
        with contextlib.ExitStack() as stack:
            clients = [
                stack.enter_context(socket.create_connection(where, timeout=PATIENCE))
                for _ in range(100)
            ]
            for client in clients:
                client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            answers = [client.recv(65536) for client in clients]
            assert {status_of(answer) for answer in answers} == {200}
            assert len(threads_of(server.url)) <= 4 + 1  # and the one that accepts
    finally:
        server.close()
    assert server.defects == []


def test_a_defect_of_the_sandbox_is_answered_and_kept(box, monkeypatch):
    def fail(request, lifetime):
        raise RuntimeError("a defect")

    monkeypatch.setattr(box._services["iam"], "handle", fail)
    assert get(box, "/identity/token")[0].status == 500
    assert [str(defect) for defect in box.defects] == ["a defect"]
    box._http.defects.clear()


# ------------------------------------------------------------------------------------- the end


@pytest.mark.parametrize(
    "fault",
    [
        Fault(gate=threading.Event()),
        Fault(latency=3600.0),
        Fault(drip=(1, 3600.0)),
        None,
    ],
)
def test_closing_ends_whatever_is_going_on(tmp_path, fault):
    box = Sandbox(str(tmp_path))
    context = ssl.create_default_context(cafile=box.ca_file)
    with contextlib.ExitStack() as stack:
        plain = stack.enter_context(socket.create_connection(address(box.http_url), PATIENCE))
        outer = stack.enter_context(socket.create_connection(address(box.https_url), PATIENCE))
        secured = stack.enter_context(context.wrap_socket(outer, server_hostname="localhost"))
        stack.enter_context(socket.create_connection(address(box.https_url), PATIENCE))
        if fault is not None:
            box.faults.add(fault, fault)
            for client in (plain, secured):
                client.sendall(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")
            assert box.requests.wait_for(2, PATIENCE)
        assert len(threads_of(box.http_url, box.https_url)) >= 2
        box.close()
        box.close()
        assert threads_of(box.http_url, box.https_url) == []
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(address(box.http_url), PATIENCE)
    assert box.defects == ()


def test_a_sandbox_leaves_no_descriptors(tmp_path):
    with Sandbox(str(tmp_path / "warm"), tls=False):
        pass
    before = set(os.listdir("/proc/self/fd")) if os.path.isdir("/proc/self/fd") else set()
    with Sandbox(str(tmp_path), tls=False) as box:
        get(box)
    after = set(os.listdir("/proc/self/fd")) if before else set()
    assert len(after) <= len(before)


# ---------------------------------------------------------------------------- odd certificates


@pytest.mark.parametrize(
    ("made", "complaint"),
    [
        ({"valid_from": 1_600_000_000.0, "valid_until": 1_600_086_400.0}, "expired"),
        ({"names": ["wrong.example"]}, "match"),
        ({}, None),
    ],
)
def test_a_sandbox_can_be_given_any_certificate(tmp_path, made, complaint):
    files = certs.make(str(tmp_path), **made)
    with Sandbox(str(tmp_path), tls=files) as box:
        context = ssl.create_default_context(cafile=files.ca_file)
        with socket.create_connection(address(box.https_url), PATIENCE) as client:
            if complaint is None:
                context.wrap_socket(client, server_hostname="127.0.0.1").close()
                return
            with pytest.raises(ssl.SSLCertVerificationError, match=complaint):
                context.wrap_socket(client, server_hostname="127.0.0.1")
