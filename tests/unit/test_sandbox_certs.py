import os
import ssl
import stat
import subprocess
import sys
import time

import pytest

from wxhelper.sandbox import Sandbox, certs


def mode(path) -> int:
    return stat.S_IMODE(os.stat(path).st_mode)


def decoded(path):
    return ssl._ssl._test_decode_cert(str(path))


def seconds(text: str) -> float:
    return ssl.cert_time_to_seconds(text)


@pytest.fixture(params=["openssl", "trustme"])
def make(request, tmp_path):
    """Makes certificates, once with either way."""
    if request.param == "trustme":
        pytest.importorskip("trustme")

    def make(**arguments):
        program = "openssl" if request.param == "openssl" else "no-such-program"
        return certs.make(str(tmp_path), openssl=program, **arguments)

    return make


def test_the_certificates_are_for_loopback(make):
    files = make()
    server = decoded(files.certificate_file)
    assert set(server["subjectAltName"]) == {("IP Address", "127.0.0.1"), ("DNS", "localhost")}
    assert seconds(server["notBefore"]) < time.time() - 3600
    assert seconds(server["notAfter"]) > time.time() + 300 * certs.DAY
    assert server["issuer"] == decoded(files.ca_file)["subject"]


def test_only_the_owner_reads_the_key(make):
    previous = os.umask(0)
    try:
        files = make()
    finally:
        os.umask(previous)
    assert mode(files.key_file) == 0o600
    assert mode(os.path.dirname(files.key_file)) == 0o700


def test_names_and_times_can_be_chosen(make):
    files = make(names=["wrong.example"], valid_from=1_600_000_000, valid_until=1_600_086_400)
    server = decoded(files.certificate_file)
    assert server["subjectAltName"] == (("DNS", "wrong.example"),)
    assert seconds(server["notBefore"]) == 1_600_000_000
    assert seconds(server["notAfter"]) == 1_600_086_400


def test_another_call_makes_another_authority(make):
    first, second = make(), make()
    assert first.ca_file != second.ca_file
    assert decoded(first.ca_file)["subject"] != decoded(second.ca_file)["subject"]


def test_the_extensions_are_those_that_strict_clients_ask_for(tmp_path):
    files = certs.make(str(tmp_path))
    wanted = {
        files.ca_file: {
            "X509v3 Basic Constraints: critical": "CA:TRUE, pathlen:0",
            "X509v3 Key Usage: critical": "Certificate Sign, CRL Sign",
        },
        files.certificate_file: {
            "X509v3 Basic Constraints: critical": "CA:FALSE",
            "X509v3 Key Usage: critical": "Digital Signature",
            "X509v3 Extended Key Usage": "TLS Web Server Authentication",
        },
    }
    for path, extensions in wanted.items():
        text = subprocess.run(
            ["openssl", "x509", "-noout", "-text", "-in", path],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
        lines = [line.strip() for line in text.splitlines()]
        for name, value in extensions.items():
            assert lines[next(i for i, li in enumerate(lines) if li.startswith(name)) + 1] == value
        assert any(line.startswith("X509v3 Subject Key Identifier") for line in lines)
    assert any(line.startswith("X509v3 Authority Key Identifier") for line in lines)
    assert any("prime256v1" in line for line in lines)


@pytest.mark.parametrize("content", [None, "[[[ no configuration\n", ""])
def test_the_machines_own_openssl_configuration_does_not_matter(tmp_path, monkeypatch, content):
    configuration = tmp_path / "openssl.cnf"
    if content is not None:
        configuration.write_text(content)
    monkeypatch.setenv("OPENSSL_CONF", str(configuration))
    monkeypatch.setenv("OPENSSL_MODULES", str(tmp_path))
    assert os.path.isfile(certs.make(str(tmp_path)).certificate_file)


def test_an_odd_directory_does_not_matter(tmp_path):
    odd = tmp_path / "a b=$HOME,'\";é"
    odd.mkdir()
    assert os.path.isfile(certs.make(str(odd)).certificate_file)


@pytest.fixture
def no_trustme(monkeypatch):
    monkeypatch.setitem(sys.modules, "trustme", None)


def script(tmp_path, text) -> str:
    path = tmp_path / "openssl-stand-in"
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "there is no no-such-program program, and trustme"),
        ("exit 3", r"req failed \(no message\), and trustme"),
        ("echo one >&2; echo two >&2; exit 1", r"req failed \(two\), and trustme"),
        ("exec sleep 60", r"could not be run \(TimeoutExpired\), and trustme"),
    ],
)
def test_the_reason_is_given_when_nothing_can_make_them(
    tmp_path, no_trustme, monkeypatch, text, said
):
    monkeypatch.setattr(certs, "_SECONDS_FOR_ALL", 0.2 if "sleep" in (text or "") else 15.0)
    program = "no-such-program" if text is None else script(tmp_path, text)
    with pytest.raises(certs.CertificatesUnavailable, match=said):
        certs.make(str(tmp_path), openssl=program)


def test_the_program_is_given_no_environment_but_the_path(tmp_path, no_trustme, monkeypatch):
    monkeypatch.setenv("WXHELPER_API_KEY", "must-not-be-passed-on")
    program = script(tmp_path, f"env > '{tmp_path}/seen'; cat >> '{tmp_path}/seen'; exit 1")
    with pytest.raises(certs.CertificatesUnavailable):
        certs.make(str(tmp_path), openssl=program)
    names = {line.partition("=")[0] for line in (tmp_path / "seen").read_text().splitlines()}
    assert names - {"PWD", "_", "SHLVL", "OLDPWD"} == {"PATH", "HOME", "LC_ALL", "OPENSSL_CONF"}


def test_a_sandbox_without_certificates_does_without_tls(tmp_path, monkeypatch, no_trustme):
    monkeypatch.setattr(certs.shutil, "which", lambda program: None)
    with Sandbox(str(tmp_path)) as box:
        assert (box.https_url, box.ca_file) == (None, None)
        assert box.tls_skipped == (
            "TLS is off: there is no openssl program, and trustme is not installed."
        )
        assert box.http_url.startswith("http://127.0.0.1:")


def test_a_sandbox_can_do_without_tls(tmp_path):
    with Sandbox(str(tmp_path), tls=False) as box:
        assert (box.https_url, box.tls_skipped) == (None, "TLS was not asked for.")
    assert list(tmp_path.iterdir()) == []
