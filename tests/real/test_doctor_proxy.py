"""What ``wxhelper doctor`` says of a proxy on the way."""

from urllib.parse import quote, urlsplit

import pytest

from connect_proxy import ConnectProxy
from diagnoses import Row
from mistakes import World
from networks import Examine, TlsWorld, expect, of_network, seen

NAME = "iam.example.com"
PASSWORD = "pa55word-never-to-be-seen@/:"


def through(proxy: ConnectProxy, login: str = "") -> str:
    return f"http://{login}127.0.0.1:{proxy.port}"


def proxied(tls_world: TlsWorld) -> tuple[World, tuple[str, int]]:
    """A world whose service has a name that only a proxy knows; and where it leads."""
    world = tls_world(names=(NAME,))
    world.profile(url=f"https://{NAME}", ca_file=world.sandbox.ca_file)
    parts = urlsplit(world.sandbox.https_url or "")
    return world, (str(parts.hostname), int(parts.port or 0))


THROUGH: dict[str, Row] = {
    "name": ("ok", f"{NAME} is looked up by the proxy", ""),
    "connection": ("ok", f"{NAME}:443 takes connections, through 127.0.0.1:PORT", ""),
}


def leads(extra: str = "") -> Row:
    return ("ok", f"HTTPS_PROXY leads to 127.0.0.1:PORT{extra}, which lets us through", "")


def test_a_proxy(tls_world: TlsWorld, examine: Examine) -> None:
    world, target = proxied(tls_world)
    with ConnectProxy(target) as proxy:
        world.environ["HTTPS_PROXY"] = through(proxy)
        assert seen(world, examine) == (0, expect(proxy=leads(), **THROUGH))
        assert set(proxy.asked) == {f"{NAME}:443"}


def test_a_proxy_that_wants_a_password(tls_world: TlsWorld, examine: Examine) -> None:
    world, target = proxied(tls_world)
    with ConnectProxy(target, login=f"me:{PASSWORD}") as proxy:
        world.environ["HTTPS_PROXY"] = through(proxy)
        said = "the proxy 127.0.0.1:PORT wants a name and a password (HTTP 407)"
        remedy = "write them as http://NAME:PASSWORD@127.0.0.1:PORT in HTTPS_PROXY"
        assert seen(world, examine) == (3, expect(proxy=("fail", said, remedy)))
        login = f"me:{quote(PASSWORD, safe='')}@"
        world.environ["HTTPS_PROXY"] = through(proxy, login)
        expected = expect(proxy=leads(" with a name and a password"), **THROUGH)
        assert seen(world, examine) == (0, expected)
        assert proxy.logins[-1] == f"me:{PASSWORD}"
        world.environ["HTTPS_PROXY"] = through(proxy, "me:wrong-pa55word@")
        status, out, err = examine(world)
        assert status == 3
        for password in (PASSWORD, quote(PASSWORD, safe=""), "wrong-pa55word"):
            assert password not in out + err


def test_a_proxy_that_is_not_there(tls_world: TlsWorld, examine: Examine) -> None:
    world, target = proxied(tls_world)
    with ConnectProxy(target) as proxy:
        world.environ["ALL_PROXY"] = through(proxy)
    said = "the proxy 127.0.0.1:PORT cannot be reached: Connection refused"
    remedy = f"correct ALL_PROXY, or add {NAME} to NO_PROXY"
    assert seen(world, examine) == (3, expect(proxy=("fail", said, remedy)))


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 403 Forbidden\r\n\r\n", "answered HTTP 403"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "does not speak HTTP"),
    ],
)
def test_a_proxy_that_does_not_let_us_through(
    answer: bytes, said: str, tls_world: TlsWorld, examine: Examine
) -> None:
    world, target = proxied(tls_world)
    with ConnectProxy(target, answer=answer) as proxy:
        world.environ["HTTPS_PROXY"] = through(proxy)
        text = f"the proxy 127.0.0.1:PORT {said} when asked for {NAME}:443"
        remedy = f"ask who runs it, correct HTTPS_PROXY, or add {NAME} to NO_PROXY"
        assert seen(world, examine) == (3, expect(proxy=("fail", text, remedy)))


def test_a_proxy_whose_name_does_not_resolve(tls_world: TlsWorld, examine: Examine) -> None:
    world, _ = proxied(tls_world)
    world.environ["HTTPS_PROXY"] = "http://me:secret@proxy.invalid:3128"
    text = "there is no address for the name proxy.invalid"
    assert seen(world, examine) == (3, expect(proxy=("fail", text, "correct HTTPS_PROXY")))


def test_a_proxy_of_a_kind_that_cannot_be_seen_through(
    tls_world: TlsWorld, examine: Examine
) -> None:
    world, _ = proxied(tls_world)
    world.environ["HTTPS_PROXY"] = "https://127.0.0.1:1"
    text = "HTTPS_PROXY leads to 127.0.0.1:1: nothing can be seen through a proxy of that kind"
    status, everything = seen(world, examine)
    rows = of_network(everything)
    assert status == 3
    assert rows[0] == {
        "check": "proxy",
        "outcome": "unknown",
        "text": text,
        "remedy": "see to: token",
    }
    assert [row["outcome"] for row in rows[1:]] == ["unknown"] * 4 + ["fail"]


@pytest.mark.parametrize(
    ("variables", "url", "reason"),
    [
        (
            {"NO_PROXY": ".example.com"},
            f"https://{NAME}",
            f"NO_PROXY exempts {NAME} from https_proxy",
        ),
        ({}, "", "127.0.0.1 is this machine, whatever https_proxy says"),
    ],
    ids=["exempted", "this machine"],
)
def test_why_a_proxy_is_not_used(
    variables: dict[str, str], url: str, reason: str, tls_world: TlsWorld, examine: Examine
) -> None:
    world = tls_world()
    if url:
        world.profile(url=url)
    world.environ.update(variables, https_proxy="http://127.0.0.1:1")
    _, rows = seen(world, examine)
    assert of_network(rows)[0]["text"] == f"none: {reason}"
