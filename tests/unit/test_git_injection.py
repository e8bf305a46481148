"""No request that is odd, or names another host, is answered with a token."""

import os

import pytest

from homes import Home, answered
from hostile import REQUESTS
from wxhelper import cli

NEW = b"capability[]=authtype\ncapability[]=state\n"


def test_there_are_enough_of_them() -> None:
    assert len(set(REQUESTS)) == len(REQUESTS) >= 100


@pytest.mark.parametrize("request_", REQUESTS, ids=lambda data: ascii(data[:60]))
def test_a_hostile_request_is_answered_with_nothing(
    at_home: Home, capfd: pytest.CaptureFixture[str], request_: bytes
) -> None:
    for stdin in (request_, NEW + request_, request_ + NEW):
        assert not answered(["git-credential", "get"], os.environ, stdin)
        assert cli.main(["git-credential", "get"], stdin=stdin) == 0
        assert tuple(capfd.readouterr()) == ("", "")


def test_no_hostile_request_erases_anything(at_home: Home) -> None:
    for request in REQUESTS:
        for stdin in (request, request + b"password=token-of-dev\n"):
            assert cli.main(["git-credential", "erase"], stdin=stdin) == 0
            assert at_home.cache.read("dev") is not None, request
    whole = b"protocol=https\nhost=api.example.com\npassword=token-of-dev\n"
    assert cli.main(["git-credential", "erase"], stdin=whole) == 0
    assert at_home.cache.read("dev") is None


@pytest.mark.parametrize(
    ("protocol", "host"),
    [
        ("https", "api.example.com"),
        ("https", "API.example.com:443"),
        ("https", "a.b.star.example.com"),
        ("https", "127.0.0.1:8443"),
        ("http", "127.0.0.1:8080"),
        ("http", "127.0.0.1"),
    ],
)
def test_the_hosts_of_the_profile_are_answered(at_home: Home, protocol: str, host: str) -> None:
    stdin = f"protocol={protocol}\nhost={host}\npath=a/b.git\nusername=\u00fc\n".encode()
    answer = answered(["git-credential", "get"], os.environ, stdin)
    assert answer is not None
    assert "password=token-of-dev\n" in answer
