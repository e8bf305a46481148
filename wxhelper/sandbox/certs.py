"""A certificate authority for one afternoon, and one server certificate from it.

Made by the ``openssl`` program, or by trustme where that is installed. The
certificates satisfy Go, curl and Python's ``VERIFY_X509_STRICT`` (the default since
3.13): they carry the key usages, constraints and identifiers of RFC 5280, 4.2.1.
"""

import datetime
import importlib
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

LOOPBACK_NAMES = ("127.0.0.1", "localhost")
DAY = 86_400.0

_SECONDS_FOR_ALL = 15.0
_CA_FILE = "ca.pem"
_CERTIFICATE_FILE = "server.pem"
_KEY_FILE = "server.key"

_CONFIGURATION = """\
[req]
distinguished_name = no_subject
prompt = no
string_mask = utf8only
[no_subject]
[ca]
default_ca = authority
[authority]
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = any_name
unique_subject = no
email_in_dn = no
[any_name]
commonName = supplied
[authority_extensions]
basicConstraints = critical,CA:TRUE,pathlen:0
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[server_extensions]
basicConstraints = critical,CA:FALSE
keyUsage = critical,digitalSignature
extendedKeyUsage = serverAuth
subjectKeyIdentifier = hash
authorityKeyIdentifier = keyid
subjectAltName = {names}
"""


class CertificatesUnavailable(Exception):
    """No certificate can be made here; the message says why, without a full stop."""


@dataclass(frozen=True)
class Certificates:
    """Where the PEM files are.

    Attributes:
        ca_file: the authority's certificate, for clients.
        certificate_file: the server's certificate.
        key_file: the server's key, readable by its owner alone.
    """

    ca_file: str
    certificate_file: str
    key_file: str


def make(
    directory: str,
    *,
    names: Sequence[str] = LOOPBACK_NAMES,
    valid_from: float | None = None,
    valid_until: float | None = None,
    openssl: str = "openssl",
) -> Certificates:
    """Makes a new authority and a server certificate.

    Args:
        directory: an existing private directory; the files go into a new directory
            ``tls`` in it (``tls-2`` and so on when that is taken).
        names: host names and IPv4 addresses that the server certificate is for.
        valid_from: Unix seconds; yesterday when not given, for clocks that differ.
        valid_until: Unix seconds; in thirteen months when not given. In the past
            makes a certificate that has expired.
        openssl: the program's name or path.

    Returns:
        The files.

    Raises:
        CertificatesUnavailable: neither openssl nor trustme can make one.
        OSError: the directory cannot be written.
    """
    now = time.time()
    starts = now - DAY if valid_from is None else valid_from
    ends = now + 395 * DAY if valid_until is None else valid_until
    room = _new_room(directory)
    try:
        _Openssl(openssl, room).make(names, starts, ends)
    except CertificatesUnavailable as reason:
        try:
            trustme = importlib.import_module("trustme")
        except ImportError:
            raise CertificatesUnavailable(f"{reason}, and trustme is not installed") from reason
        _make_with_trustme(trustme, room, names, starts, ends)
    files = Certificates(*(os.path.join(room, n) for n in (_CA_FILE, _CERTIFICATE_FILE, _KEY_FILE)))
    os.chmod(files.key_file, 0o600)
    return files


class _Openssl:
    """Runs the program, in one directory and within one deadline.

    It finds no configuration but the one written here, whatever the machine's own
    openssl.cnf holds or lacks, and inherits nothing but the search path.
    """

    def __init__(self, program: str, room: str) -> None:
        found = shutil.which(program)
        if found is None:
            raise CertificatesUnavailable(f"there is no {program} program")
        self._program = found
        self._room = room
        self._deadline = time.monotonic() + _SECONDS_FOR_ALL
        self._environment = {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": room,
            "LC_ALL": "C",
            "OPENSSL_CONF": os.path.join(room, "openssl.cnf"),
        }
        if "SYSTEMROOT" in os.environ:  # Windows starts no program without it
            self._environment["SYSTEMROOT"] = os.environ["SYSTEMROOT"]

    def make(self, names: Sequence[str], starts: float, ends: float) -> None:
        """Makes the authority, then the server certificate (times in Unix seconds)."""
        self._write("openssl.cnf", _CONFIGURATION.format(names=_alternative_names(names)))
        self._write("index.txt", "")
        # Positive, at most 20 octets, and not one that any other sandbox uses: clients
        # refuse two certificates with one issuer and one serial (RFC 5280, 4.1.2.2).
        self._write("serial", f"01{secrets.token_hex(15)}\n")
        now = time.time()
        self._request("ca", f"wxhelper sandbox authority {secrets.token_hex(4)}")
        self._sign("ca", "authority", now - 2 * DAY, now + 400 * DAY, "-selfsign")
        self._request("server", "wxhelper sandbox")
        self._sign("server", "server", starts, ends, "-cert", _CA_FILE)

    def _request(self, stem: str, common_name: str) -> None:
        self._run(
            "req", "-new", "-config", "openssl.cnf", "-sha256", "-nodes",
            "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
            "-pkeyopt", "ec_param_enc:named_curve",
            "-subj", f"/CN={common_name}", "-keyout", f"{stem}.key", "-out", f"{stem}.csr",
        )  # fmt: skip

    def _sign(self, stem: str, role: str, starts: float, ends: float, *issuer: str) -> None:
        self._run(
            "ca", "-batch", "-notext", "-config", "openssl.cnf",
            "-extensions", f"{role}_extensions", "-keyfile", "ca.key", *issuer,
            "-startdate", _utc_time(starts), "-enddate", _utc_time(ends),
            "-in", f"{stem}.csr", "-out", f"{stem}.pem",
        )  # fmt: skip

    def _write(self, name: str, text: str) -> None:
        with open(os.path.join(self._room, name), "w", encoding="utf-8") as file:
            file.write(text)

    def _run(self, *arguments: str) -> None:
        try:
            done = subprocess.run(  # noqa: S603  the arguments are all from this file
                [self._program, *arguments],
                cwd=self._room,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=max(0.1, self._deadline - time.monotonic()),
                umask=0o077,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise CertificatesUnavailable(
                f"{self._program} could not be run ({type(error).__name__})"
            ) from error
        if done.returncode != 0:
            last = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
            said = last.strip()[:160] or "no message"
            raise CertificatesUnavailable(f"{self._program} {arguments[0]} failed ({said})")


def _make_with_trustme(
    trustme: Any, room: str, names: Sequence[str], starts: float, ends: float
) -> None:
    authority = trustme.CA()
    server = authority.issue_cert(*names, not_before=_moment(starts), not_after=_moment(ends))
    authority.cert_pem.write_to_path(os.path.join(room, _CA_FILE))
    server.cert_chain_pems[0].write_to_path(os.path.join(room, _CERTIFICATE_FILE))
    key_file = os.path.join(room, _KEY_FILE)
    os.close(os.open(key_file, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))
    os.chmod(key_file, 0o600)
    server.private_key_pem.write_to_path(key_file)


def _new_room(directory: str) -> str:
    number = 1
    while True:
        room = os.path.join(os.path.abspath(directory), "tls" if number == 1 else f"tls-{number}")
        try:
            os.mkdir(room, 0o700)
        except FileExistsError:
            number += 1
        else:
            os.chmod(room, 0o700)  # whatever the umask was
            return room


def _alternative_names(names: Sequence[str]) -> str:
    return ",".join(
        f"IP:{name}" if name.replace(".", "").isdigit() else f"DNS:{name}" for name in names
    )


def _moment(seconds: float) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC)


def _utc_time(seconds: float) -> str:
    """ASN.1 UTCTime, which RFC 5280, 4.1.2.5 asks for until 2049."""
    return time.strftime("%y%m%d%H%M%SZ", time.gmtime(seconds))
