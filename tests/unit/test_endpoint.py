"""Floor 4: an address that a key may be sent to."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from wxhelper.errors import EndpointRefused
from wxhelper.hosts import is_loopback
from wxhelper.plugin.endpoint import Endpoint, bracketed

WRITE = "write it as https://HOST[:PORT][/PATH]"
HTTPS = "must begin with https://"
HOLDS = "holds a space or an unprintable character"
NOBODY = "must not hold a user name or password"
NO_QUERY = "must not have a query or a fragment"
NONE = "is not an address"


def refused(url: str) -> tuple[str, str]:
    with pytest.raises(EndpointRefused) as caught:
        Endpoint.parse(url)
    return caught.value.message, caught.value.remedy


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("https://iam.cloud.ibm.com", ("https", "iam.cloud.ibm.com", 443, "/own")),
        ("https://iam.cloud.ibm.com/", ("https", "iam.cloud.ibm.com", 443, "/own")),
        ("https://iam.cloud.ibm.com/a/b", ("https", "iam.cloud.ibm.com", 443, "/a/b")),
        ("https://iam.cloud.ibm.com/a/", ("https", "iam.cloud.ibm.com", 443, "/a/")),
        ("https://IAM.Cloud.IBM.com/A", ("https", "iam.cloud.ibm.com", 443, "/A")),
        ("HTTPS://x.example", ("https", "x.example", 443, "/own")),
        ("https://x.example:8443/a", ("https", "x.example", 8443, "/a")),
        ("https://x.example:443/a", ("https", "x.example", 443, "/a")),
        ("https://x.example.", ("https", "x.example", 443, "/own")),
        ("https://bücher.example", ("https", "xn--bcher-kva.example", 443, "/own")),
        ("https://10.0.0.1", ("https", "10.0.0.1", 443, "/own")),
        ("https://[2001:db8::1]:8443", ("https", "2001:db8::1", 8443, "/own")),
        ("https://[::1]", ("https", "::1", 443, "/own")),
        ("http://127.0.0.1:8080", ("http", "127.0.0.1", 8080, "/own")),
        ("http://127.8.9.1", ("http", "127.8.9.1", 80, "/own")),
        ("http://localhost", ("http", "localhost", 80, "/own")),
        ("http://LOCALHOST.:99/a", ("http", "localhost", 99, "/a")),
        ("http://[::1]:8080/a", ("http", "::1", 8080, "/a")),
        ("https://x.example/a%20b", ("https", "x.example", 443, "/a%20b")),
    ],
)
def test_an_address(url: str, endpoint: tuple[str, str, int, str]) -> None:
    assert Endpoint.parse(url, default_path="/own") == Endpoint(*endpoint)


@pytest.mark.parametrize(
    ("url", "reason", "shown"),
    [
        ("", HTTPS, ""),
        ("iam.cloud.ibm.com", HTTPS, "iam.cloud.ibm.com"),
        ("iam.cloud.ibm.com:443/a", HTTPS, "iam.cloud.ibm.com:443/a"),
        ("//x.example", HTTPS, "//x.example"),
        ("ftp://x.example", HTTPS, "ftp://x.example"),
        ("file:///etc/passwd", HTTPS, "file:///etc/passwd"),
        ("https://", "has no host", "https://"),
        ("https:x.example", "has no host", "https:x.example"),
        ("https://:443/a", "has no host", "https://:443/a"),
        ("https://.", NONE, "https://."),
        ("https://x.example:port", NONE, "https://x.example"),
        ("https://x.example:99999", NONE, "https://x.example"),
        ("https://x.example:-1", NONE, "https://x.example"),
        ("https://[::1", NONE, "https://["),
        ("https://x.example:0", NONE, "https://x.example"),
        ("https://me:secret", NONE, "https://me"),
        ("https://a..b", NONE, "https://a..b"),
        ("https://¯.example", NONE, "https://¯.example"),
        # Old and new rules for international names make two owners of these.
        ("https://straße.example", NONE, "https://straße.example"),
        ("https://\u2102pd.example", NONE, "https://\u2102pd.example"),
        ("https://\u212apd.example", NONE, "https://\u212apd.example"),
        ("https://ﬃce.example", NONE, "https://ﬃce.example"),
        ("https://x。example", NONE, "https://x。example"),
        ("https://*.x.example", NONE, "https://*.x.example"),
        ("https://x%2ey.example", NONE, "https://x%2ey.example"),
        ("https://x,y.example", NONE, "https://x,y.example"),
        (f"https://{'a' * 64}.example", NONE, f"https://{'a' * 64}.example"),
        ("https://me:secret@x.example/a", NOBODY, "https://x.example/a"),
        ("https://secret@x.example", NOBODY, "https://x.example"),
        ("https://me:secret@x.example//a", NOBODY, "https://x.example//a"),
        ("me:secret@x.example//a", HTTPS, "me:x.example//a"),
        ("ftp://me:secret@x.example//a", HTTPS, "ftp://x.example//a"),
        ("https://x.example/a@b?secret", NO_QUERY, "https://x.example/a@b"),
        ("https://x.example?secret", NO_QUERY, "https://x.example"),
        ("https://x.example/a?apikey=secret", NO_QUERY, "https://x.example/a"),
        ("https://x.example/a#secret", NO_QUERY, "https://x.example/a"),
        ("https://x.example/?", NO_QUERY, "https://x.example/"),
        ("https://x.example/#", NO_QUERY, "https://x.example/"),
        (" https://x.example", HOLDS, "https://x.example"),
        ("https://x.example\n", HOLDS, "https://x.example"),
        ("https://x.\texample", HOLDS, "https://x. example"),
        ("https://x.exam ple", HOLDS, "https://x.exam ple"),
        ("https://x.example/a b", HOLDS, "https://x.example/a b"),
        ("https://x.example\\@y.example", HOLDS, "https://y.example"),
        ("https://x\u202e.example", HOLDS, "https://x .example"),
        ("https://me:sec/ret@x.example", NONE, "https://x.example"),
    ],
)  # fmt: skip
def test_what_is_no_address_for_a_key(url: str, reason: str, shown: str) -> None:
    remedy = f"write it as {shown}" if reason == NO_QUERY else WRITE
    assert refused(url) == (f"url {reason}: {shown}", remedy)


@pytest.mark.parametrize(
    ("url", "shown", "meant"),
    [
        ("https:///x.example/a/b", "https:///x.example/a/b", "https://x.example/a/b"),
        ("https:///x.example:8443", "https:///x.example:8443", "https://x.example:8443"),
        ("https:////x.example", "https:////x.example", "https://x.example"),
        ("https:///me:secret@x.example/a", "https:///x.example/a", "https://x.example/a"),
        ("https:///x.example/a?secret", "https:///x.example/a", "https://x.example/a"),
        ("http:///x.example/a", "http:///x.example/a", "https://x.example/a"),
        ("https:///", "https:///", "https://HOST[:PORT][/PATH]"),
    ],
)
def test_a_slash_too_many_is_told_with_the_address_that_was_meant(
    url: str, shown: str, meant: str
) -> None:
    message = f"url has three slashes and so no host: {shown}"
    assert refused(url) == (message, f"write it as {meant}")


SWITCHES = ("includeRoles", "prefix")


@pytest.mark.parametrize("query", ["includeRoles=true", "includeRoles=false&prefix=true"])
def test_switches_that_a_service_understands_stay_in_its_address(query: str) -> None:
    url = f"https://x.example/a?{query}"
    endpoint = Endpoint.parse(url, switches=SWITCHES)
    assert (endpoint.path, endpoint.query, endpoint.url) == ("/a", query, url)


@pytest.mark.parametrize(
    "query",
    ["apikey=true", "includeRoles=secret", "includeRoles", "includeRoles=", "=true",
     "includeRoles=true&", "includeRoles=true&apikey=secret", "includeRoles=true;x", "true"],
)  # fmt: skip
def test_nothing_else_can_stand_there(query: str) -> None:
    with pytest.raises(EndpointRefused) as caught:
        Endpoint.parse(f"https://x.example/a?{query}", switches=SWITCHES)
    assert caught.value.message == f"url {NO_QUERY}: https://x.example/a"


@pytest.mark.parametrize(
    "host",
    ["iam.cloud.ibm.com", "10.0.0.1", "192.168.1.1", "0.0.0.0", "128.0.0.1", "localhost.example",
     "xlocalhost", "127.0.0.1.example", "ip6-localhost"],
)  # fmt: skip
def test_a_key_never_goes_over_plain_http(host: str) -> None:
    assert refused(f"http://{host}:8080/a") == (
        f"url is http://{host}:8080/a, and a key never goes over plain http",
        f"write https://{host}",
    )


def test_the_place_of_the_address_is_named_as_the_caller_says() -> None:
    with pytest.raises(EndpointRefused, match=r"^WXHELPER_URL must begin with https://: x$"):
        Endpoint.parse("x", named="WXHELPER_URL")


@pytest.mark.parametrize(
    ("url", "origin", "whole"),
    [
        ("https://x.example", "x.example:443", "https://x.example/"),
        ("https://x.example:8443/a", "x.example:8443", "https://x.example:8443/a"),
        ("http://localhost:80/a", "localhost:80", "http://localhost/a"),
        ("http://localhost:443/a", "localhost:443", "http://localhost:443/a"),
        ("https://[::1]:8443/a", "[::1]:8443", "https://[::1]:8443/a"),
        ("https://[::1]", "[::1]:443", "https://[::1]/"),
    ],
)
def test_an_address_is_written_as_origin_and_whole(url: str, origin: str, whole: str) -> None:
    endpoint = Endpoint.parse(url)
    assert (endpoint.origin, endpoint.url) == (origin, whole)
    assert Endpoint.parse(endpoint.url) == endpoint


@pytest.mark.parametrize(
    ("url", "hosts", "within"),
    [
        ("https://x.example", {"x.example"}, True),
        ("https://x.example", {"x.example:443"}, True),
        ("https://x.example", {"X.Example."}, True),
        ("https://x.example", {"y.example", "x.example"}, True),
        ("https://x.example", set(), False),
        ("https://x.example", {"y.example"}, False),
        ("https://x.example", {"x.example:8443"}, False),
        ("https://x.example:8443", {"x.example"}, False),
        ("https://x.example:8443", {"x.example:8443"}, True),
        ("https://a.x.example", {"x.example"}, False),
        ("https://a.x.example", {"*.x.example"}, False),
        ("https://x.example.evil.example", {"x.example"}, False),
        ("https://xx.example", {"x.example"}, False),
        ("http://127.0.0.1:8080", {"127.0.0.1:8080"}, True),
        ("http://127.0.0.1:8080", {"127.0.0.1"}, False),
        ("https://[::1]:8443", {"[::1]:8443"}, True),
        ("https://[::1]", {"[::1]"}, True),
    ],
)
def test_an_address_is_one_of_the_hosts_or_not(url: str, hosts: set[str], within: bool) -> None:
    assert Endpoint.parse(url).within(frozenset(hosts)) is within


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("127.0.0.1", True),
        ("127.255.255.254", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("::", False),
        ("0:0:0:0:0:0:0:1", False),  # nobody writes it so
        ("::ffff:127.0.0.1", False),
        ("10.0.0.1", False),
        ("localhost.example", False),
        ("2130706433", False),
        ("127.1", False),
        ("", False),
    ],
)
def test_what_can_only_be_this_machine(host: str, loopback: bool) -> None:
    assert is_loopback(bracketed(host)) is loopback


@settings(deadline=None)
@example("https://¯")
@given(st.text() | st.text().map("https://".__add__) | st.text().map("https://x.example/".__add__))
def test_no_text_does_anything_else_than_be_an_address_or_be_refused(url: str) -> None:
    try:
        endpoint = Endpoint.parse(url)
    except EndpointRefused:
        return
    assert endpoint.within(frozenset({endpoint.origin}))
    assert endpoint.url.isprintable()
    assert " " not in endpoint.url
