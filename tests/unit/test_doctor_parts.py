"""The small parts of the diagnosis: words, certificates, deadlines, proxies."""

import ssl
import sys
import time
from pathlib import Path

import pytest

from wxhelper.plugin.certificate import Certificate
from wxhelper.plugin.deadline import Late, within
from wxhelper.plugin.endpoint import Endpoint
from wxhelper.plugin.surroundings import Proxy, proxy_for
from wxhelper.sandbox import certs
from wxhelper.words import some, span


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, "0 s"),
        (0.9, "0 s"),
        (59, "59 s"),
        (-61, "1 min 1 s"),
        (3600, "1 h"),
        (3605, "1 h"),
        (3661, "1 h 1 min"),
        (86_400, "1 d"),
        (10**6, "11 d 13 h"),
    ],
)
def test_a_duration(seconds: float, said: str) -> None:
    assert span(seconds) == said


@pytest.mark.parametrize(
    ("items", "said"),
    [([], ""), (["a"], "a"), (["a", "b", "c"], "a, b, c"), ([*"abcde"], "a, b, c and 2 more")],
)
def test_some_of_a_list(items: list[str], said: str) -> None:
    assert some(items) == said


@pytest.fixture(scope="module")
def der(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A certificate that was good for the 24th of October 2019."""
    folder = tmp_path_factory.mktemp("certificates")
    begins = 1_571_875_200.0
    files = certs.make(str(folder), valid_from=begins, valid_until=begins + certs.DAY)
    return ssl.PEM_cert_to_DER_cert(Path(files.certificate_file).read_text())


def test_what_a_certificate_says(der: bytes) -> None:
    found = Certificate.parse(der)
    assert found is not None
    assert (found.subject, found.not_before) == ("wxhelper sandbox", 1_571_875_200)
    assert found.issuer.startswith("wxhelper sandbox authority ")
    assert found.not_after - found.not_before == certs.DAY


def test_what_is_no_certificate(der: bytes) -> None:
    cut = [Certificate.parse(der[:length]) for length in range(len(der))]
    assert cut == [None] * len(der)
    assert Certificate.parse(b"\x30\x84\xff\xff\xff\xff") is None


def test_a_spoilt_certificate_is_told_or_not_told_and_nothing_else(der: bytes) -> None:
    for place in range(min(len(der), 300)):
        for value in (0x00, 0x30, 0x80, 0xFF):
            spoilt = Certificate.parse(der[:place] + bytes([value]) + der[place + 1 :])
            assert spoilt is None or spoilt.subject.isprintable()


def test_work_in_time() -> None:
    assert within(30, lambda: 7) == 7
    with pytest.raises(SystemExit, match="3"):
        within(30, lambda: sys.exit(3))


def test_work_that_is_late() -> None:
    with pytest.raises(Late):
        within(0.01, lambda: time.sleep(5))


def proxy(**environ: str) -> Proxy:
    return proxy_for(Endpoint.parse("https://iam.example.com"), environ)


@pytest.mark.parametrize(
    ("environ", "variable"),
    [
        ({"https_proxy": "http://a:1", "HTTPS_PROXY": "http://b:2"}, "https_proxy"),
        ({"https_proxy": "", "HTTPS_PROXY": "http://b:2"}, "HTTPS_PROXY"),
        ({"ALL_PROXY": "http://c:3", "HTTPS_PROXY": "http://b:2"}, "HTTPS_PROXY"),
        ({"all_proxy": "http://c:3"}, "all_proxy"),
        ({"HTTP_PROXY": "http://d:4"}, ""),
    ],
)
def test_the_variable_that_names_the_proxy(environ: dict[str, str], variable: str) -> None:
    found = proxy(**environ)
    assert (found.variable, found.address) == (variable, environ.get(variable, ""))


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("http://me:p%40ss@proxy.example.com:3128/", "proxy.example.com:3128"),
        ("http://me:p@ss@proxy.example.com", "proxy.example.com"),
        ("me:pass@[::1]:3128", "[::1]:3128"),
        ("proxy:999999", "proxy"),
        ("http://", ""),
        ("\x1b]0;x", ""),
    ],
)
def test_a_proxy_is_shown_without_its_password(address: str, shown: str) -> None:
    found = proxy(https_proxy=address)
    assert found.shown == shown
    assert "ss" not in repr(found).replace("address", "")
