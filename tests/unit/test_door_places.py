"""Floor 8: the door answers verbs that are told whom the token is for."""

import io
import os
from pathlib import Path

import pytest

from homes import Home, answered
from wxhelper import cli, door

TOKEN = "token-of-dev"
CURL = f'header = "Authorization: Bearer {TOKEN}"\n'


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    return Home(tmp_path, monkeypatch)


HITS: list[tuple[list[str], bytes, str]] = [
    (["curl-config", "https://api.example.com/a"], b"", CURL),
    (["curl-config", "--profile", "dev", "https://a.star.example.com"], b"", CURL),
    (["curl-config", "http://127.0.0.1:8080/", "--profile=dev"], b"", CURL),
    (
        ["netrc", "api.example.com", "127.0.0.1"],
        b"",
        "".join(
            f"machine {host}\nlogin iambearer\npassword\n{TOKEN}\n"
            for host in ("api.example.com", "127.0.0.1")
        ),
    ),
    (
        ["docker-credential", "get"],
        b"api.example.com",
        '{"ServerURL":"api.example.com","Username":"iambearer","Secret":"token-of-dev"}\n',
    ),
    (["docker-credential", "list"], b"", "{}\n"),
    (["docker-credential", "store"], b"{}", ""),
    (["docker-credential", "erase"], b"api.example.com", ""),
]
by_words = pytest.mark.parametrize(
    ("arguments", "stdin", "answer"), HITS, ids=[" ".join(row[0]) for row in HITS]
)


@by_words
def test_a_hit(arguments: list[str], stdin: bytes, answer: str, at_home: Home) -> None:
    assert answered(arguments, os.environ, stdin) == answer


@by_words
def test_the_long_way_says_the_same(
    arguments: list[str],
    stdin: bytes,
    answer: str,
    at_home: Home,
    capfd: pytest.CaptureFixture[str],
) -> None:
    assert (cli.main(arguments, stdin=stdin), *capfd.readouterr()) == (0, answer, "")


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (["curl-config"], b""),
        (["curl-config", "https://api.example.com/", "https://api.example.com/"], b""),
        (["curl-config", "https://evil.example/"], b""),
        (["curl-config", "https://api.example.com:8443/"], b""),
        (["curl-config", "--profile", "prod", "https://api.example.com/"], b""),
        (["curl-config", "--output", "json", "https://api.example.com/"], b""),
        (["curl-config", "--", "https://api.example.com/"], b""),
        (["netrc"], b""),
        (["netrc", "api.example.com", "evil.example"], b""),
        (["netrc", "star.example.com"], b""),
        (["netrc", "default"], b""),
        (["docker-credential"], b"api.example.com"),
        (["docker-credential", "get"], b""),
        (["docker-credential", "get"], b"evil.example"),
        (["docker-credential", "get", "get"], b"api.example.com"),
        (["docker-credential", "--profile", "dev", "get"], b"api.example.com"),
        (["docker-credential", "unknown"], b"api.example.com"),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, list) else given.decode(),
)
def test_whatever_else_goes_the_long_way(arguments: list[str], stdin: bytes, at_home: Home) -> None:
    assert answered(arguments, os.environ, stdin) is None


@pytest.mark.parametrize(
    ("arguments", "carried"),
    [
        (["curl-config", "https://api.example.com/"], True),
        (["netrc", "api.example.com"], False),
        (["docker-credential", "get"], False),
    ],
)
def test_another_scheme_is_for_those_who_carry_it(
    arguments: list[str], carried: bool, at_home: Home
) -> None:
    at_home.keep("dev", scheme="ZenApiKey")
    answer = answered(arguments, os.environ, b"api.example.com")
    assert answer == (CURL.replace("Bearer", "ZenApiKey") if carried else None)


def test_standard_input_is_read_for_those_who_are_told_something_there(
    at_home: Home, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"api.example.com")
    os.close(writer)
    before = os.dup(0)
    os.dup2(reader, 0)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    try:
        assert door.main(["docker-credential", "list"]) == 0
        assert door.main(["docker-credential", "get"]) == 0
    finally:
        os.dup2(before, 0)
        os.close(before)
        os.close(reader)
    assert capfd.readouterr().out == (
        '{}\n{"ServerURL":"api.example.com","Username":"iambearer","Secret":"token-of-dev"}\n'
    )
