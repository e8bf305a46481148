"""Floor 2: who may be given a token. One table, for every protocol."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wxhelper import hosts
from wxhelper.hosts import entry, is_loopback, matches, place, place_of

PLAIN = ("api.example.com",)
PORT = ("api.example.com:8443",)
STAR = ("*.example.com",)
LOCAL = ("localhost", "127.0.0.1", "[::1]")
LONG = ".".join(["a" * 63] * 3) + "." + "b" * 57 + ".org"  # 253 characters


@pytest.mark.parametrize(
    ("entries", "authority", "let_in"),
    [
        (PLAIN, "api.example.com", True),
        (PLAIN, "api.example.com:443", True),
        (PLAIN, "API.Example.COM", True),
        (PLAIN, "api.example.com:444", False),
        (PLAIN, "api.example.com:80", False),
        (PLAIN, "api.example.com:4430", False),
        (PLAIN, "api.example.com:44", False),
        (PLAIN, "example.com", False),
        (PLAIN, "x.api.example.com", False),
        (PLAIN, "evilapi.example.com", False),
        (PLAIN, "api.example.com.evil.org", False),
        (PLAIN, "api.example.comevil.org", False),
        (PLAIN, "api-example.com", False),
        (PLAIN, "apixexample.com", False),
        (PLAIN, "evil.org", False),
        (PORT, "api.example.com:8443", True),
        (PORT, "api.example.com", False),
        (PORT, "api.example.com:443", False),
        (PORT, "api.example.com:844", False),
        (STAR, "a.example.com", True),
        (STAR, "a.b.c.example.com:443", True),
        (STAR, "A.EXAMPLE.com", True),
        (STAR, "example.com", False),
        (STAR, "evilexample.com", False),
        (STAR, "a.example.com:8443", False),
        (STAR, "a.example.com.evil.org", False),
        (STAR, "a.example.org", False),
        (("*.example.com:8443",), "a.example.com:8443", True),
        (("*.example.com:8443",), "a.example.com", False),
        (LOCAL, "localhost", True),
        (LOCAL, "localhost:1", True),
        (LOCAL, "127.0.0.1:65535", True),
        (LOCAL, "127.0.0.2", False),
        (LOCAL, "[::1]:8443", True),
        (LOCAL, "[::2]", False),
        (LOCAL, "2130706433", False),
        (LOCAL, "0x7f.1", False),
        (LOCAL, "127.1", False),
        (LOCAL, "127.0.0.01", False),
        (LOCAL, "0177.0.0.1", False),
        (LOCAL, "localhost.localdomain", False),
        (("localhost:8080",), "localhost:8080", True),
        (("localhost:8080",), "localhost:8081", False),
        (("10.0.0.1",), "10.0.0.1", True),
        (("10.0.0.1",), "10.0.0.1:8443", False),
        (("[fe80::1]:8443",), "[FE80::1]:8443", True),
        (("[fe80::1]",), "[fe80::1]:443", True),
        (("[fe80::1]",), "[fe80::1]:8443", False),
        (("xn--bcher-kva.example",), "xn--bcher-kva.example", True),
        (("xn--bcher-kva.example",), "XN--BCHER-KVA.example", True),
        ((), "api.example.com", False),
        ((*PORT, *PLAIN), "api.example.com", True),
    ],
)  # fmt: skip
def test_a_place_is_let_in_or_not(entries: tuple[str, ...], authority: str, let_in: bool) -> None:
    asking = place(authority)
    assert asking is not None
    assert matches(entries, asking) is let_in


@pytest.mark.parametrize("entries", [PLAIN, PORT, ("api.example.com:1", *STAR)])
def test_who_knows_of_no_port_asks_for_all(entries: tuple[str, ...]) -> None:
    assert matches(entries, ("api.example.com", None))
    assert not matches(entries, ("api.example.org", None))


# --------------------------------------------------------------------- what a client names

NOBODY = [
    "", ".", "..", ":", ":443", "@", "api.example.com.", ".api.example.com", "api..example.com",
    "api.example.com:", "api.example.com:0", "api.example.com:0443", "api.example.com:65536",
    "api.example.com:443443", "api.example.com:+443", "api.example.com:-1", "api.example.com: 443",
    "api.example.com:443:443", "api.example.com:4_4", "api.example.com:\u0664\u0664\u0663",
    "api.example.com:443@evil.org", "user@api.example.com", "user:pw@api.example.com",
    "@api.example.com", "api.example.com@evil.org", "api.example.com/", "api.example.com/x",
    "api.example.com?x", "api.example.com#x", "api.example.com\\evil.org", "api.example.com;x",
    "api.example.com,evil.org", " api.example.com", "api.example.com ", "api example.com",
    "api.example.com\t", "api.example.com\n", "api.example.com\r", "api.example.com\0",
    "api.example.com\x0b", "api.example.com\x0c", "api.example.com\x1c", "api.example.com\x85",
    "api.example.com\u2028", "\u0430pi.example.com", "api\u3002example.com", "api\uff0eexample.com",
    "ap\u0131.example.com", "\u212aube.example.com", "\uff41pi.example.com",
    "api.ex\u00adample.com", "api.example.com\u200b",
    "b\u00fccher.example", "api%2eexample.com", "api.example.com%00",
    "*.example.com", "*", "-api.example.com", "api-.example.com", "a" * 64 + ".example.com",
    "a." + LONG, "[::1", "::1", "::1]", "[]", "[::1]443", "[::1]:", "[::1%25eth0]",
    "[fe80::1%eth0]", "[127.0.0.1]", "[::g]", "[" + ":" * 46 + "]", "[::1]:443]", "[[::1]]",
    "'localhost'", '"localhost"', "{localhost}", "local$host", "local`id`host",
]  # fmt: skip


@pytest.mark.parametrize("authority", NOBODY, ids=ascii)
def test_what_is_not_plainly_a_host_is_nobody(authority: str) -> None:
    assert place(authority) is None


@pytest.mark.parametrize("authority", NOBODY, ids=ascii)
def test_nor_is_it_an_entry_except_for_the_star(authority: str) -> None:
    assert entry(authority) == (authority if authority == "*.example.com" else None)


@pytest.mark.parametrize(
    ("authority", "scheme", "found"),
    [
        ("api.example.com", "https", ("api.example.com", 443)),
        ("API.example.com:8443", "https", ("api.example.com", 8443)),
        (LONG, "https", (LONG, 443)),
        ("[2001:DB8::1]:65535", "https", ("[2001:db8::1]", 65535)),
        ("a_b.example.com", "https", ("a_b.example.com", 443)),
        ("localhost", "http", ("localhost", 80)),
        ("127.255.0.1:8080", "http", ("127.255.0.1", 8080)),
        ("[::1]:8080", "http", ("[::1]", 8080)),
        ("api.example.com", "http", None),
        ("api.example.com:443", "http", None),
        ("127.0.0.1.example.com", "http", None),
        ("127.0.0.256", "http", None),
        ("127.0.0.1.", "http", None),
        ("0.0.0.0", "http", None),
        ("127.1", "http", None),
        ("sub.localhost", "http", None),
        ("localhost", "", None),
        ("localhost", "HTTPS", None),
        ("localhost", "ssh", None),
        ("localhost", "cert", None),
        ("localhost", "httpss", None),
    ],
)
def test_a_place_has_its_schemes_port_and_plain_http_is_for_loopback(
    authority: str, scheme: str, found: hosts.Place | None
) -> None:
    assert place(authority, scheme) == found


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://api.example.com", ("api.example.com", 443)),
        ("https://api.example.com/ml/v1?x=//evil.org#y", ("api.example.com", 443)),
        ("https://api.example.com?x=@evil.org", ("api.example.com", 443)),
        ("https://api.example.com#@evil.org/", ("api.example.com", 443)),
        ("HTTPS://API.example.com:8443/", ("api.example.com", 8443)),
        ("http://localhost:8080/x", ("localhost", 8080)),
        ("http://api.example.com/", None),
        ("ftp://api.example.com/", None),
        ("api.example.com", None),
        ("//api.example.com/", None),
        ("https:api.example.com", None),
        ("https:///api.example.com", None),
        ("https://user:pw@api.example.com/", None),
        ("https://evil.org\\@api.example.com/", None),
        ("https://api.example.com\\.evil.org/", None),
        ("https://api.example.com/\n", None),
        ("https://api.example.com/ x", None),
        (" https://api.example.com/", None),
        ("https://api.example.com/\x85", None),
        ("https://{api,evil}.example.com/", None),
        ("https://", None),
        ("", None),
    ],
)
def test_an_address_leads_to_a_place(url: str, found: hosts.Place | None) -> None:
    assert place_of(url) == found


# ------------------------------------------------------------------------------ entries


@pytest.mark.parametrize(
    ("text", "one_form"),
    [
        ("API.example.com", "api.example.com"),
        ("api.example.com:8443", "api.example.com:8443"),
        ("*.Example.com", "*.example.com"),
        ("*.example.com:8443", "*.example.com:8443"),
        ("*.corp", "*.corp"),
        ("[2001:DB8::1]:8443", "[2001:db8::1]:8443"),
        ("*.*.example.com", None),
        ("a.*.example.com", None),
        ("*api.example.com", None),
        ("*.0.0.1", None),
        ("*.[::1]", None),
        ("*.", None),
        ("https://api.example.com", None),
    ],
)
def test_an_entry_has_one_form_or_is_none(text: str, one_form: str | None) -> None:
    assert entry(text) == one_form


@given(st.text(max_size=40), st.sampled_from(["https", "http"]))
def test_whatever_a_client_says_is_a_plain_lower_case_host_or_nobody(
    authority: str, scheme: str
) -> None:
    asking = place(authority, scheme)
    if asking is not None:
        host, port = asking
        assert host.isascii()
        assert host == host.lower()
        assert authority.lower() in (host, f"{host}:{port}")
        assert scheme == "https" or is_loopback(host)


@given(st.text(alphabet="ab.:*[]-4", max_size=12), st.text(alphabet="ab.:[]-4", max_size=12))
def test_an_entry_without_a_star_lets_in_itself_alone(text: str, authority: str) -> None:
    one_form, asking = entry(text), place(authority)
    if one_form is not None and asking is not None and "*" not in one_form:
        same = asking in (place(one_form), place(f"{one_form}:443"))
        assert matches([one_form], asking) is same
