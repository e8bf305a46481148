"""Floor 4: proxies, certificates, and what the surroundings say about both."""

import os
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from wxhelper.errors import ConfigurationError, Unreachable
from wxhelper.plugin import Answer, Endpoint, Transport, transport
from wxhelper.sandbox import Sandbox, certs

KEY = "k3y-that-opens-nothing"
PROXY_VARIABLES = ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY",
                   "ALL_PROXY")  # fmt: skip
SIGNED = "if your organisation signs it, write its CA as ca_file in the profile"


class Proxy:
    """A proxy that notes what it is asked, and connects to nobody."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                self.heard.append(connection.recv(65_536).decode("latin-1"))
                connection.sendall(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    running = Proxy()
    yield running
    running.close()


@pytest.fixture(autouse=True)
def _loopback_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test of this file may look up a name or leave this machine, even when it fails."""
    look_up = socket.getaddrinfo

    def local(host: str, *rest: object, **named: object) -> object:
        if host != "127.0.0.1":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return look_up(host, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", local)
    monkeypatch.setattr(transport, "_RETRY_PAUSE", 0.001)


def posted(endpoint: Endpoint, *, ca_file: str | None = None, **environ: str) -> Answer:
    way = Transport(frozenset({endpoint.origin}), ca_file=ca_file, environ=environ)
    return way.post(endpoint, form={"apikey": KEY})


def told(endpoint: Endpoint, *, ca_file: str | None = None, **environ: str) -> tuple[str, str]:
    with pytest.raises(Unreachable) as caught:
        posted(endpoint, ca_file=ca_file, **environ)
    assert KEY not in repr(caught.value) + caught.value.line()
    return caught.value.message, caught.value.remedy


# ---------------------------------------------------------------------------------- proxies

ELSEWHERE = Endpoint.parse("https://tokens.example.invalid/t")


def test_a_proxy_is_never_used_for_this_machine(
    sandbox: Sandbox, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = dict.fromkeys(PROXY_VARIABLES, f"http://{proxy.address}")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert posted(Endpoint.parse(f"{sandbox.http_url}/identity/token"), **variables).status == 400
    assert (len(sandbox.requests), proxy.heard) == (1, [])


@pytest.mark.parametrize("name", ["https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"])
def test_the_proxy_of_the_variables_is_used_for_other_hosts(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, f"http://me:pass-word@{proxy.address}")
    assert told(ELSEWHERE, **os.environ) == (
        "the proxy 127.0.0.1 answered HTTP 403",
        "correct HTTPS_PROXY, or add the host to NO_PROXY",
    )
    assert {line.partition(" HTTP/")[0] for line in proxy.heard} == {
        "CONNECT tokens.example.invalid:443"
    }
    assert not [line for line in proxy.heard if KEY in line]


def test_the_variables_are_those_that_were_given(proxy: Proxy) -> None:
    told(ELSEWHERE, https_proxy=f"http://{proxy.address}")
    assert proxy.heard != []


def test_variables_that_were_not_given_do_not_count(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("https_proxy", f"http://{proxy.address}")
    told(ELSEWHERE)
    assert proxy.heard == []


@pytest.mark.parametrize("name", ["no_proxy", "NO_PROXY"])
@pytest.mark.parametrize("value", ["tokens.example.invalid", ".example.invalid", "*"])
def test_a_host_may_be_left_out_of_the_proxy(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv("https_proxy", f"http://{proxy.address}")
    monkeypatch.setenv(name, value)
    assert told(ELSEWHERE, **os.environ) == (
        "there is no address for the name tokens.example.invalid",
        "check url in the profile, the network and its name service",
    )
    assert proxy.heard == []


def test_a_proxy_that_is_not_there_is_told_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    monkeypatch.setenv("https_proxy", f"http://me:pass-word@127.0.0.1:{port}")
    message, _ = told(ELSEWHERE, **os.environ)
    assert message == "the proxy 127.0.0.1 cannot be used: Connection refused"


# ------------------------------------------------------------------------------ certificates


def iam(box: Sandbox) -> Endpoint:
    return Endpoint.parse(f"{box.https_url}/identity/token")


@pytest.fixture
def other_ca(tmp_path: Path) -> str:
    """An authority that signed nothing here."""
    (tmp_path / "other").mkdir()
    return certs.make(str(tmp_path / "other")).ca_file


def test_the_certificates_of_the_profile_are_trusted(tls_sandbox: Sandbox) -> None:
    assert posted(iam(tls_sandbox), ca_file=tls_sandbox.ca_file).status == 400
    assert [request.tls for request in tls_sandbox.requests] == [True]


def test_an_unknown_authority_is_not(tls_sandbox: Sandbox) -> None:
    endpoint = iam(tls_sandbox)
    assert told(endpoint) == (
        (
            f"the certificate of {endpoint.origin} was not accepted: "
            "unable to get local issuer certificate"
        ),
        SIGNED,
    )
    assert len(tls_sandbox.requests) == 0


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_the_certificates_of_a_variable_are_trusted(tls_sandbox: Sandbox, name: str) -> None:
    assert tls_sandbox.ca_file is not None
    assert posted(iam(tls_sandbox), **{name: tls_sandbox.ca_file}).status == 400


@pytest.mark.parametrize("name", ["REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE"])
def test_the_profile_wins_over_a_variable(
    tls_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch, other_ca: str, name: str
) -> None:
    assert tls_sandbox.ca_file is not None
    monkeypatch.setenv(name, other_ca)
    endpoint = iam(tls_sandbox)
    assert posted(endpoint, ca_file=tls_sandbox.ca_file, **{name: other_ca}).status == 400
    monkeypatch.setenv(name, tls_sandbox.ca_file)
    told(endpoint, ca_file=other_ca, **{name: tls_sandbox.ca_file})


def test_a_variable_that_was_not_given_does_not_count(
    tls_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert tls_sandbox.ca_file is not None
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.setenv(name, tls_sandbox.ca_file)
    told(iam(tls_sandbox))


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        (
            {"names": ["wrong.example"]},
            "IP address mismatch, certificate is not valid for '127.0.0.1'.",
        ),
        ({"valid_from": 1_600_000_000, "valid_until": 1_600_086_400}, "certificate has expired"),
        ({"valid_from": time.time() + 9 * certs.DAY}, "certificate is not yet valid"),
    ],
    ids=["other name", "expired", "not yet"],
)
def test_a_certificate_that_does_not_fit_is_told(
    tmp_path: Path, changes: dict[str, object], reason: str
) -> None:
    files = certs.make(str(tmp_path), **changes)  # type: ignore[arg-type]
    with Sandbox(str(tmp_path), tls=files) as box:
        endpoint = iam(box)
        assert told(endpoint, ca_file=box.ca_file) == (
            f"the certificate of {endpoint.origin} was not accepted: {reason}",
            SIGNED,
        )
        assert len(box.requests) == 0


def test_a_server_without_tls_is_told(tls_sandbox: Sandbox) -> None:
    url = tls_sandbox.http_url.replace("http:", "https:")
    endpoint = Endpoint.parse(f"{url}/identity/token")
    message, remedy = told(endpoint, ca_file=tls_sandbox.ca_file)
    assert message.startswith(f"TLS with {endpoint.origin} failed: ")
    assert remedy == "check url in the profile, and what stands between: a proxy?"


def test_plain_http_to_a_server_with_tls_is_told(tls_sandbox: Sandbox) -> None:
    assert tls_sandbox.https_url is not None
    url = tls_sandbox.https_url.replace("https:", "http:")
    message, _ = told(Endpoint.parse(f"{url}/identity/token"))
    assert message.startswith(("the connection to 127.0.0.1:", "127.0.0.1:"))


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("missing.pem", None, "cannot be read: No such file or directory"),
        ("empty.pem", b"", "holds no certificate (PEM)"),
        ("garbage.pem", b"garbage", "holds no certificate (PEM)"),
        ("der.pem", b"\x30\x82\x01\x00", "holds no certificate (PEM)"),
    ],
)
@pytest.mark.parametrize("by", ["ca_file", "REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_certificates_that_cannot_be_used_are_told(
    tmp_path: Path, name: str, content: bytes | None, reason: str, by: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    ca_file, environ = (str(path), {}) if by == "ca_file" else (None, {by: str(path)})
    with pytest.raises(ConfigurationError) as caught:
        Transport(frozenset(), ca_file=ca_file, environ=environ)
    assert (caught.value.message, caught.value.remedy) == (
        f"{by} names {path}, which {reason}",
        f"correct or remove {by}",
    )


def test_a_path_of_certificates_that_can_be_none_is_told() -> None:
    with pytest.raises(ConfigurationError, match=r"^ca_file names "):
        Transport(frozenset(), ca_file="a\0b", environ={})


@pytest.mark.parametrize("value", ["/no/such/directory", "/etc:/usr", "/dev/null"])
def test_a_directory_of_certificates_that_is_none_is_left_alone(value: str) -> None:
    Transport(frozenset(), environ={"SSL_CERT_DIR": value})


@pytest.mark.parametrize(
    "proxy", ["socks5://me:pass-word@127.0.0.1:1", "ftp://127.0.0.1:1", "http://me:pass-word@:x"]
)
def test_a_proxy_that_can_be_none_is_told_without_its_password(proxy: str) -> None:
    message, remedy = told(ELSEWHERE, https_proxy=proxy)
    assert message.startswith("the proxy ")
    assert "cannot be used" in message
    assert "pass-word" not in message
    assert remedy == "correct HTTPS_PROXY, or add the host to NO_PROXY"


def test_an_empty_variable_names_no_certificates() -> None:
    Transport(frozenset(), environ={"REQUESTS_CA_BUNDLE": "", "SSL_CERT_FILE": ""})


def test_a_directory_of_certificates_is_taken(tls_sandbox: Sandbox, tmp_path: Path) -> None:
    assert tls_sandbox.ca_file is not None
    folder = tmp_path / "certificates"
    folder.mkdir()
    with open(tls_sandbox.ca_file) as file:
        pem = file.read()
    name = subject_hash(tls_sandbox.ca_file)
    (folder / f"{name}.0").write_text(pem)
    assert posted(iam(tls_sandbox), SSL_CERT_DIR=str(folder)).status == 400


def subject_hash(ca_file: str) -> str:
    """The name under which OpenSSL looks for an authority."""

    done = subprocess.run(
        ["openssl", "x509", "-noout", "-subject_hash", "-in", ca_file],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return done.stdout.strip()
