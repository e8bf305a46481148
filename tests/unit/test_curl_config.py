"""Floor 2: the one line for curl, and the addresses that it is for."""

import pytest

from wxhelper.protocols import Asked, Grant, curl_config
from wxhelper.tokens import Token

VALUE = "eyJhbGciOi.J9.c2ln-_~+/=="


def leads_to(url: str) -> object:
    """The place that an address leads to, or "nowhere"."""
    asked = Asked("curl-config", arguments=(url,))
    return asked.places[0] if curl_config.complete(asked, {}) else "nowhere"


@pytest.mark.parametrize("scheme", ["Bearer", "ZenApiKey"])
def test_the_header_is_the_only_line(scheme: str) -> None:
    token = Token(scheme, VALUE, minted_at=1.0, refresh_at=None, expires_at=None)
    asked = Asked("curl-config", arguments=("https://api.example.com/",))
    assert curl_config.carries(scheme, asked)
    assert curl_config.render(Grant(token, "dev", "fake", cached=True), asked) == (
        f'header = "Authorization: {scheme} {VALUE}"\n'
    )


@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://api.example.com", ("api.example.com", 443)),
        ("https://api.example.com/", ("api.example.com", 443)),
        ("HTTPS://API.Example.COM/Path?x=y#z", ("api.example.com", 443)),
        ("https://api.example.com:443/", ("api.example.com", 443)),
        ("https://api.example.com:8443/a:b", ("api.example.com", 8443)),
        ("https://api.example.com?version=2024-05-01", ("api.example.com", 443)),
        ("https://api.example.com/@scope/[1-3]/{a,b}", ("api.example.com", 443)),
        ("https://xn--bcher-kva.example/ü", ("xn--bcher-kva.example", 443)),
        ("http://127.0.0.1:8080/", ("127.0.0.1", 8080)),
        ("http://localhost/", ("localhost", 80)),
        ("https://[::1]:8443/", ("[::1]", 8443)),
    ],
)
def test_an_address_leads_to_a_place(url: str, place: tuple[str, int]) -> None:
    assert leads_to(url) == place


@pytest.mark.parametrize(
    "url",
    [
        "",
        "api.example.com",
        "api.example.com/path",
        "//api.example.com/",
        "https:api.example.com",
        "https:/api.example.com",
        "https://",
        "https:///path",
        "https://:443/",
        "https://api.example.com:/",
        "https://api.example.com:0443/",
        "https://api.example.com:65536/",
        "https://api.example.com:443:443/",
        "https://api.example.com:44３/",  # noqa: RUF001 - a digit of full width
        "https://api.example.com:-1/",
        "https://api.example.com./",
        "https://api.example.com../",
        "https://.api.example.com/",
        "https://api..example.com/",
        "https://user@api.example.com/",
        "https://user:password@api.example.com/",
        "https://api.example.com@evil.example/",
        "https://evil.example@api.example.com/",
        "https://a@b@api.example.com/",
        "https://api.example.com:443@evil.example/",
        "https://api.example.com\\@evil.example/",
        "https://evil.example\\.api.example.com/",
        "https://api.example.com/\\evil.example",
        "https://api.example.com\t/",
        "https://api.example.com\n/",
        "https://api.example.com/\r\nheader",
        "https://api.example.com/\x00",
        "https://api.example.com/\x7f",
        "https://api.example.com/\x85",
        "https://api.example.com/\u2028",
        "https://api.example.com/\u202e",
        "https://api.example.com/a b",
        " https://api.example.com/",
        "https://api.example.com/ ",
        "https://аpi.example.com/",  # noqa: RUF001 - the first letter is Cyrillic
        "https://api。example。com/",
        "https://apı.example.com/",  # noqa: RUF001 - the i has no dot
        "https://bücher.example/",
        "https://api%2eexample.com/",
        "https://api.example.com%00.evil.example/",
        "https://api.example.com%2f@evil.example/",
        "https://{api.example.com,evil.example}/",
        "https://[api.example.com]/",
        "https://[::1/",
        "https://[::1]evil.example/",
        "https://[::1%25lo]/",
        "https://*.example.com/",
        "http://api.example.com/",
        "http://127.0.0.1.evil.example/",
        "http://localhost.evil.example/",
        "http://127.1/",
        "http://2130706433/",
        "http://0x7f.0.0.1/",
        "http://0177.0.0.1/",
        "http://0.0.0.0/",
        "ftp://api.example.com/",
        "wss://api.example.com/",
        "file:///etc/passwd",
        "javascript://api.example.com/",
        "https://https://api.example.com/",
        "-https://api.example.com/",
    ],
)  # fmt: skip
def test_an_address_that_two_programs_could_read_differently_leads_nowhere(url: str) -> None:
    assert leads_to(url) == "nowhere"


@pytest.mark.parametrize("urls", [(), ("https://a.example/", "https://b.example/")])
def test_there_is_one_address(urls: tuple[str, ...]) -> None:
    assert not curl_config.complete(Asked("curl-config", arguments=urls), {})
