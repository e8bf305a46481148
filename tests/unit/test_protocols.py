"""Floor 2: what other programs send and read."""

import json
import os
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wxhelper import protocols
from wxhelper.protocols import JSON, RAW, Asked, Grant, deliver, exec_credential, plain
from wxhelper.tokens import Token

MINTED = 1_763_712_000.0
VALUE = "eyJhbGciOi.J9.c2ln-_~+/=="
BEARER = Token.minted("Bearer", VALUE, minted_at=MINTED, life=3600, chance=0.5)
LONG_LIVED = Token("ZenApiKey", VALUE, minted_at=MINTED, refresh_at=None, expires_at=None)


def grant(token: Token = BEARER, *, cached: bool = True) -> Grant:
    return Grant(token, "dev", "ibmcloud", cached=cached)


# -------------------------------------------------------------------------- token and header


@pytest.mark.parametrize(
    ("verb", "output", "token", "cached", "text"),
    [
        ("token", RAW, BEARER, True, f"{VALUE}\n"),
        ("token", RAW, LONG_LIVED, False, f"{VALUE}\n"),
        ("header", RAW, BEARER, True, f"Authorization: Bearer {VALUE}\n"),
        ("header", RAW, LONG_LIVED, True, f"Authorization: ZenApiKey {VALUE}\n"),
        ("header", JSON, BEARER, True, f'{{"Authorization":"Bearer {VALUE}"}}\n'),
        (
            "token",
            JSON,
            BEARER,
            True,
            (f'{{"token":"{VALUE}","scheme":"Bearer","expires_at":1763715600,'
            '"refresh_at":1763714880,"profile":"dev","source":"ibmcloud","cached":true}\n'),
        ),
        (
            "token",
            JSON,
            LONG_LIVED,
            False,
            (f'{{"token":"{VALUE}","scheme":"ZenApiKey","expires_at":null,'
            '"refresh_at":null,"profile":"dev","source":"ibmcloud","cached":false}\n'),
        ),
    ],
    ids=["token", "long-lived token", "header", "header of another scheme", "header as json",
         "token as json", "long-lived token as json"],
)  # fmt: skip
def test_an_answer_for_a_program(
    verb: str, output: str, token: Token, cached: bool, text: str
) -> None:
    assert plain.render(grant(token, cached=cached), Asked(verb, output=output)) == text


@pytest.mark.parametrize("token", [BEARER, LONG_LIVED], ids=["bearer", "long-lived"])
def test_the_json_of_a_token_has_exactly_these_keys(token: Token) -> None:
    answer = json.loads(plain.render(grant(token), Asked("token", output=JSON)))
    assert answer == {
        "token": VALUE,
        "scheme": token.scheme,
        "expires_at": token.expires_at,
        "refresh_at": token.refresh_at,
        "profile": "dev",
        "source": "ibmcloud",
        "cached": True,
    }


@pytest.mark.parametrize("scheme", ["Bearer", "ZenApiKey"])
def test_a_command_carries_any_scheme(scheme: str) -> None:
    assert plain.carries(scheme, Asked("token"))


def test_a_command_says_it_all_with_its_arguments() -> None:
    assert plain.complete(Asked("token"), {exec_credential.VARIABLE: "garbled"})


# -------------------------------------------------------------------------- exec-credential


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_an_answer_for_kubectl(version: str) -> None:
    text = exec_credential.render(grant(), Asked("exec-credential", api_version=version))
    assert text == (
        '{"kind":"ExecCredential",'
        f'"apiVersion":"client.authentication.k8s.io/{version}",'
        f'"status":{{"token":"{VALUE}","expirationTimestamp":"2025-11-21T08:59:00Z"}}}}\n'
    )


def test_kubectl_is_told_an_expiry_that_is_earlier_by_the_margin() -> None:
    short = Token.minted("Bearer", VALUE, minted_at=MINTED, life=100, chance=0.5)
    text = exec_credential.render(grant(short), Asked("exec-credential", api_version="v1"))
    assert json.loads(text)["status"]["expirationTimestamp"] == "2025-11-21T08:01:30Z"


def test_what_never_expires_has_no_expiry() -> None:
    forever = Token("Bearer", VALUE, minted_at=MINTED, refresh_at=None, expires_at=None)
    text = exec_credential.render(grant(forever), Asked("exec-credential", api_version="v1"))
    assert json.loads(text)["status"] == {"token": VALUE}


@pytest.mark.parametrize(
    ("scheme", "carried"), [("Bearer", True), ("ZenApiKey", False), ("bearer", False), ("", False)]
)
def test_kubectl_carries_bearer_tokens_only(scheme: str, carried: bool) -> None:
    assert exec_credential.carries(scheme, Asked("exec-credential")) is carried


GROUP = "client.authentication.k8s.io/"
GO = '{"kind":"ExecCredential","apiVersion":"%s","spec":{"interactive":false}}'
PYTHON = '{"apiVersion": "%s", "kind": "ExecCredential", "spec": {"interactive": false}}'
JAVA = '{"apiVersion":"%s","kind":"ExecCredential","spec":{"interactive":false}}'
NESTED = '{"spec":{"apiVersion":"client.authentication.k8s.io/v1"},"kind":"ExecCredential"}'
ODD = [
    "{",
    "null",
    "[]",
    " ",
    "garbled \x1b[2J \udcff",
    '"client.authentication.k8s.io/v1"',
    NESTED,
    GO % "",
    GO % "v1",
    GO % (GROUP + "v1alpha1"),
    GO % (GROUP + "v2"),
    GO % (GROUP + "V1"),
    GO % GROUP,
    GO % "other.example/v1",
    '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1',
    '{"apiVersion":"client.authentication.k8s.io/',
    '{"apiVersion":1}',
    "[" * 100_000,
    "x" * 1_000_000,
]


@pytest.mark.parametrize("form", [GO, PYTHON, JAVA], ids=["go", "python", "java"])
@pytest.mark.parametrize("version", ["v1", "v1beta1"])
@pytest.mark.parametrize("option", [None, "v1", "v1beta1"])
def test_the_version_that_the_client_names_wins(
    form: str, version: str, option: str | None
) -> None:
    asked = Asked("exec-credential", api_version=option)
    assert exec_credential.complete(asked, {"KUBERNETES_EXEC_INFO": form % (GROUP + version)})
    assert asked.api_version == version


def test_a_large_cluster_in_the_variable_costs_nothing() -> None:
    info = (PYTHON % (GROUP + "v1beta1"))[:-1] + ', "x": "' + "A" * 2_000_000 + '"}'
    asked = Asked("exec-credential")
    assert exec_credential.complete(asked, {"KUBERNETES_EXEC_INFO": info})
    assert asked.api_version == "v1beta1"


@pytest.mark.parametrize("environ", [{}, {"KUBERNETES_EXEC_INFO": ""}], ids=["unset", "empty"])
@pytest.mark.parametrize(
    ("option", "version"), [(None, "v1"), ("v1", "v1"), ("v1beta1", "v1beta1")]
)
def test_without_the_variable_the_option_counts_else_v1(
    environ: dict[str, str], option: str | None, version: str
) -> None:
    asked = Asked("exec-credential", api_version=option)
    assert exec_credential.complete(asked, environ)
    assert asked.api_version == version


@pytest.mark.parametrize("info", ODD, ids=lambda info: repr(info)[:95])
def test_anything_odd_in_the_variable_is_left_to_the_long_way(info: str) -> None:
    asked = Asked("exec-credential", api_version="v1beta1")
    assert not exec_credential.complete(asked, {"KUBERNETES_EXEC_INFO": info})
    assert asked.api_version == "v1beta1"


@settings(deadline=None)
@given(st.text())
def test_no_variable_raises(info: str) -> None:
    asked = Asked("exec-credential")
    if exec_credential.complete(asked, {"KUBERNETES_EXEC_INFO": info}):
        assert asked.api_version in exec_credential.VERSIONS


# --------------------------------------------------------------------------------- delivery


@pytest.fixture
def pipe() -> tuple[int, int]:
    return os.pipe()


def test_an_answer_is_delivered_whole(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    deliver("an answer\n", writer)
    os.close(writer)
    with open(reader, "rb") as stream:
        assert stream.read() == b"an answer\n"


def test_an_answer_that_is_taken_in_pieces_is_delivered_whole(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = pipe
    whole = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: whole(fd, data[:3]))
    deliver("an answer\n", writer)
    monkeypatch.undo()
    os.close(writer)
    with open(reader, "rb") as stream:
        assert stream.read() == b"an answer\n"


def test_a_full_pipe_that_does_not_block_is_waited_for(
    pipe: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = pipe
    os.set_blocking(writer, False)
    taken: list[bytes] = []
    drain = threading.Event()

    def read() -> None:
        drain.wait(30)
        with open(reader, "rb") as stream:
            taken.append(stream.read())

    thread = threading.Thread(target=read)
    thread.start()
    monkeypatch.setattr(protocols.time, "sleep", lambda _: drain.set())
    deliver("x" * 1_000_000, writer)
    os.close(writer)
    thread.join()
    assert taken == [b"x" * 1_000_000]


def test_a_reader_that_went_away_is_an_error(pipe: tuple[int, int]) -> None:
    reader, writer = pipe
    os.close(reader)
    with pytest.raises(BrokenPipeError):
        deliver("an answer\n", writer)
    os.close(writer)


# -------------------------------------------------------------------------------- requests


def test_a_request_is_read_to_its_end_and_no_further() -> None:
    reader, writer = os.pipe()
    try:
        os.write(writer, b"a=b\nc=d\n\n")
        assert protocols.read_request(b"\n\n", reader) == b"a=b\nc=d\n\n"
    finally:
        os.close(reader)
        os.close(writer)


def test_a_request_without_an_end_is_read_to_the_end_of_the_file() -> None:
    reader, writer = os.pipe()
    os.write(writer, b"a=b\n")
    os.close(writer)
    try:
        assert protocols.read_request(b"\n\n", reader) == b"a=b\n"
    finally:
        os.close(reader)


def test_a_caller_that_is_slow_on_a_pipe_that_does_not_wait_is_waited_for() -> None:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)

    def write() -> None:
        for piece in (b"a=b\n", b"\n"):
            os.write(writer, piece)

    timer = threading.Timer(0.05, write)
    timer.start()
    try:
        assert protocols.read_request(b"\n\n", reader) == b"a=b\n\n"
    finally:
        timer.join()
        os.close(reader)
        os.close(writer)


def test_a_request_that_never_ends_is_not_read_for_ever() -> None:
    with open("/dev/zero", "rb", buffering=0) as endless:
        read = protocols.read_request(b"\n\n", endless.fileno())
    assert 262_144 < len(read) <= 400_000
