"""Floor 2: entries of a netrc file, as Python's own reader finds them."""

import netrc as python_netrc
from pathlib import Path

import pytest

from wxhelper.errors import ConfigurationError
from wxhelper.protocols import Asked, Grant, netrc
from wxhelper.tokens import Token

VALUE = "eyJhbGciOi.J9.c2ln-_~+/=="


def rendered(*hosts: str, value: str = VALUE, login: str = "iambearer") -> str:
    asked = Asked("netrc", arguments=hosts)
    assert netrc.complete(asked, {})
    token = Token("Bearer", value, minted_at=1.0, refresh_at=None, expires_at=None)
    return netrc.render(Grant(token, "dev", "fake", cached=True, login=login), asked)


def test_each_host_has_an_entry_and_the_password_a_line_of_its_own() -> None:
    assert rendered("us.icr.io", "DE.icr.io", "us.icr.io", login="me@example.com") == (
        f"machine us.icr.io\nlogin me@example.com\npassword\n{VALUE}\n"
        f"machine de.icr.io\nlogin me@example.com\npassword\n{VALUE}\n"
    )


@pytest.mark.parametrize("login", ["iambearer", "me@example.com", "a%b=c/d~e+f"])
def test_python_reads_it_as_it_is_meant(login: str, tmp_path: Path) -> None:
    file = tmp_path / "netrc"
    file.write_text(rendered("us.icr.io", "[::1]", login=login))
    assert python_netrc.netrc(str(file)).hosts == {
        "us.icr.io": (login, "", VALUE),
        "::1": (login, "", VALUE),
    }


@pytest.mark.parametrize("length", [8, 3999, 4000])
def test_a_token_of_4000_characters_fits(length: int) -> None:
    assert f"\n{'a' * length}\n" in rendered("us.icr.io", value="a" * length)


@pytest.mark.parametrize("length", [4001, 5000, 16_384])
def test_a_longer_one_is_refused_with_a_way_that_carries_it(length: int) -> None:
    with pytest.raises(ConfigurationError) as caught:
        rendered("us.icr.io", value="a" * length)
    assert caught.value.line() == (
        f"wxhelper: the token has {length:,} characters, and curl reads only the first 4,000 or "
        "so from a netrc file; use: wxhelper curl-config URL | curl -K - URL"
    )


@pytest.mark.parametrize(
    "host",
    [
        "",
        "us.icr.io:443",
        "https://us.icr.io",
        "us.icr.io/path",
        "us.icr.io.",
        "user@us.icr.io",
        "us.icr.io default",
        "us.icr.io\nmachine",
        "us.icr.io\x00",
        '"us.icr.io"',
        "us.icr.io#",
        "us.icr.іo",  # noqa: RUF001 - a Cyrillic letter
        "*.icr.io",
        "::1",
    ],
)
def test_what_is_no_host_has_no_entry(host: str) -> None:
    assert not netrc.complete(Asked("netrc", arguments=("us.icr.io", host)), {})


def test_without_a_host_there_is_nothing() -> None:
    assert not netrc.complete(Asked("netrc"), {})


@pytest.mark.parametrize("word", ["default", "DEFAULT"])
def test_the_word_for_any_host_is_no_host(word: str) -> None:
    assert not netrc.complete(Asked("netrc", arguments=(word,)), {})


@pytest.mark.parametrize(("scheme", "carried"), [("Bearer", True), ("ZenApiKey", False)])
def test_only_a_bearer_token_is_a_password(scheme: str, carried: bool) -> None:
    assert netrc.carries(scheme, Asked("netrc")) == carried
