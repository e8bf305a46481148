"""Floor 2: docker's credential helper protocol."""

import json

import pytest

from wxhelper import __version__
from wxhelper.protocols import Asked, Grant, docker_credential
from wxhelper.tokens import Token

VALUE = "eyJhbGciOi.J9.c2ln-_~+/=="


def asked_for(action: str, stdin: bytes = b"") -> Asked:
    return Asked("docker-credential", arguments=(action,), stdin=stdin)


@pytest.mark.parametrize(
    ("server", "place"),
    [
        (b"us.icr.io", ("us.icr.io", 443)),
        (b"us.icr.io\n", ("us.icr.io", 443)),
        (b" us.icr.io \r\n", ("us.icr.io", 443)),
        (b"US.ICR.IO", ("us.icr.io", 443)),
        (b"us.icr.io:443", ("us.icr.io", 443)),
        (b"us.icr.io:5000", ("us.icr.io", 5000)),
        (b"us.icr.io/namespace/image", ("us.icr.io", 443)),
        (b"https://us.icr.io", ("us.icr.io", 443)),
        (b"https://us.icr.io/v2/", ("us.icr.io", 443)),
        (b"https://index.docker.io/v1/", ("index.docker.io", 443)),
        (b"http://127.0.0.1:5000/v2/", ("127.0.0.1", 5000)),
        (b"localhost:5000", ("localhost", 5000)),
    ],
)
def test_a_registry_is_asked_for_as_docker_names_it(server: bytes, place: tuple[str, int]) -> None:
    asked = asked_for("get", server)
    assert docker_credential.complete(asked, {})
    assert (asked.places, asked.reply) == ((place,), None)
    token = Token("Bearer", VALUE, minted_at=1.0, refresh_at=None, expires_at=None)
    answer = docker_credential.render(Grant(token, "dev", "fake", cached=True), asked)
    assert answer.endswith("}\n")
    assert json.loads(answer) == {
        "ServerURL": server.decode().strip(),
        "Username": "iambearer",
        "Secret": VALUE,
    }


@pytest.mark.parametrize(
    "server",
    [
        b"",
        b"\n",
        b"cp.icr.io",
        b"CP.icr.io",
        b"https://cp.icr.io/v2/",
        b"cp.icr.io:443",
        b"cp.stg.icr.io",
        b"us.icr.io.",
        b"us.icr.io\n.evil.example",
        b"us.icr.io\x00",
        b"us.icr.io\x0b",
        b"us.icr.io\xc2\x85",
        b"us.icr.io\xe2\x80\xa8evil",
        b"us.icr.io\xff",
        b"us.icr.io evil.example",
        b"user@us.icr.io",
        b"us.icr.io@evil.example",
        b"https://us.icr.io@evil.example/",
        b"https://us.icr.io\\@evil.example/",
        b"http://us.icr.io/",
        b"ftp://us.icr.io/",
        b"unix:///var/run/docker.sock",
        b'us.icr.io/"},{',
        b"us.icr.io/\\u0022",
        b"us.icr.io?x",
        b"us%2eicr.io",
        b"//us.icr.io",
        "us.icr.іo".encode(),  # noqa: RUF001 - a Cyrillic letter
        b"*.icr.io",
        b"a" * 300_000,
    ],
)
def test_what_is_no_registry_of_ours_is_not_found(server: bytes) -> None:
    asked = asked_for("get", server)
    assert not docker_credential.complete(asked, {})
    assert (asked.places, asked.reply) == ((), None)


@pytest.mark.parametrize(
    ("action", "reply"),
    [
        ("store", ""),
        ("erase", ""),
        ("list", "{}\n"),
        ("version", f"docker-credential-wxhelper (wxhelper-core) {__version__}\n"),
    ],
)
def test_other_actions_are_answered_without_a_token(action: str, reply: str) -> None:
    asked = asked_for(action, b"us.icr.io")
    assert docker_credential.complete(asked, {})
    assert (asked.reply, asked.places) == (reply, ())


@pytest.mark.parametrize("arguments", [(), ("",), ("GET",), ("delete",), ("get", "get")])
def test_an_unknown_action_is_left_to_the_long_way(arguments: tuple[str, ...]) -> None:
    asked = Asked("docker-credential", arguments=arguments, stdin=b"us.icr.io")
    assert not docker_credential.complete(asked, {})
    assert asked.reply is None


@pytest.mark.parametrize(("scheme", "carried"), [("Bearer", True), ("ZenApiKey", False)])
def test_only_a_bearer_token_is_a_password(scheme: str, carried: bool) -> None:
    assert docker_credential.carries(scheme, asked_for("get")) == carried
