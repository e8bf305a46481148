"""Floor 4: odd answers, and what is tried again."""

import socket
from collections.abc import Callable

import pytest

from raw_server import Raw, iam, posted, told
from wxhelper.errors import AnswerNotUnderstood, Unreachable
from wxhelper.plugin import Endpoint, transport
from wxhelper.sandbox import Fault, Sandbox

pytestmark = pytest.mark.usefixtures("short_pauses")


# -------------------------------------------------------------------------------- odd answers


@pytest.mark.parametrize(("size", "taken"), [(262_144, True), (262_145, False), (5_000_000, False)])
def test_an_answer_has_a_largest_size(sandbox: Sandbox, size: int, taken: bool) -> None:
    sandbox.faults.add(Fault(body=b"x" * size))
    if taken:
        assert len(posted(iam(sandbox)).body) == size
    else:
        assert told(iam(sandbox)) == (
            AnswerNotUnderstood,
            "127.0.0.1 sent more than 256 KiB where a token was expected",
            "check url in the profile",
        )


def test_an_answer_in_chunks_has_the_same_largest_size(raw: Callable[..., Raw]) -> None:
    chunk = b"8000\r\n" + b"x" * 0x8000 + b"\r\n"
    server = raw(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 20)
    assert told(Endpoint.parse(server.url))[0] is AnswerNotUnderstood


def test_an_answer_in_chunks_is_put_together(raw: Callable[..., Raw]) -> None:
    server = raw(
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    )
    assert posted(Endpoint.parse(server.url)).body == b"abcde"


def test_an_answer_that_ends_with_the_connection_is_whole(raw: Callable[..., Raw]) -> None:
    server = raw(b"HTTP/1.0 200 OK\r\n\r\nabc")
    assert posted(Endpoint.parse(server.url)).body == b"abc"


@pytest.mark.parametrize("coding", ["", "identity", " Identity "])
def test_an_answer_that_says_it_is_plain_is_taken(sandbox: Sandbox, coding: str) -> None:
    sandbox.faults.add(Fault(headers={"Content-Encoding": coding}))
    assert posted(iam(sandbox)).status == 400


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "x-unknown"])
def test_a_compressed_answer_is_refused(sandbox: Sandbox, coding: str) -> None:
    sandbox.faults.add(Fault(headers={"Content-Encoding": coding}))
    assert told(iam(sandbox)) == (
        AnswerNotUnderstood,
        "127.0.0.1 sent a compressed answer that nobody asked for",
        "look at what stands between: a proxy?",
    )


@pytest.mark.parametrize(
    "data",
    [
        b"garbage\r\n\r\n",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"\x16\x03\x01\x02\x00",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 50\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 200 + b"\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000 + b"\r\n\r\n",
    ],
    ids=["garbage", "ssh", "tls", "no status", "bad chunk", "too short",
         "many headers", "long header"],
)  # fmt: skip
def test_what_is_no_whole_answer_is_as_good_as_none(raw: Callable[..., Raw], data: bytes) -> None:
    endpoint = Endpoint.parse(raw(data).url)
    assert told(endpoint) == (
        Unreachable,
        f"the connection to {endpoint.origin} broke off",
        "try again",
    )


# ------------------------------------------------------------------------------------ retries


@pytest.mark.parametrize("drop", ["before", "after-headers", "mid-body"])
@pytest.mark.parametrize("times", [1, 2])
def test_a_connection_that_breaks_off_is_tried_again(
    sandbox: Sandbox, drop: str, times: int
) -> None:
    sandbox.faults.add(Fault(drop=drop, times=times))  # type: ignore[arg-type]
    assert posted(iam(sandbox)).status == 400
    assert len(sandbox.requests) == times + 1


@pytest.mark.parametrize("drop", ["before", "after-headers", "mid-body"])
def test_it_is_tried_again_twice_at_most(sandbox: Sandbox, drop: str) -> None:
    sandbox.faults.add(Fault(drop=drop, times=None))  # type: ignore[arg-type]
    endpoint = iam(sandbox)
    assert told(endpoint) == (
        Unreachable,
        f"the connection to {endpoint.origin} broke off",
        "try again",
    )
    assert len(sandbox.requests) == 3


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_gateway_that_fails_is_tried_again(sandbox: Sandbox, status: int) -> None:
    sandbox.faults.add(Fault(status=status, times=2))
    assert posted(iam(sandbox)).status == 400
    assert len(sandbox.requests) == 3


@pytest.mark.parametrize("status", [502, 503, 504])
def test_the_last_failure_of_a_gateway_is_the_answer(sandbox: Sandbox, status: int) -> None:
    sandbox.faults.add(Fault(status=status, times=None))
    assert posted(iam(sandbox)).status == status
    assert len(sandbox.requests) == 3


@pytest.mark.parametrize(
    ("status", "headers"),
    [(429, {}), (429, {"Retry-After": "1"}), (503, {"Retry-After": "1"}), (500, {}), (501, {}),
     (408, {}), (400, {}), (401, {}), (403, {}), (404, {}), (204, {})],
)  # fmt: skip
def test_nothing_else_is_tried_again(
    sandbox: Sandbox, status: int, headers: dict[str, str]
) -> None:
    sandbox.faults.add(Fault(status=status, headers=headers, times=None))
    assert posted(iam(sandbox)).status == status
    assert len(sandbox.requests) == 1


def test_what_no_longer_fits_into_the_deadline_is_not_tried(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transport, "_RETRY_PAUSE", 1000.0)
    sandbox.faults.add(Fault(status=503, times=None))
    assert posted(iam(sandbox)).status == 503
    assert len(sandbox.requests) == 1


def test_a_server_that_is_not_there(raw: Callable[..., Raw]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert told(Endpoint.parse(f"http://127.0.0.1:{port}/t")) == (
        Unreachable,
        f"127.0.0.1:{port} cannot be reached: Connection refused",
        "check url in the profile, the network and the proxy",
    )
