"""Floor 4: the way to a service, walked without a key: name, proxy, connection, TLS, answer.

For diagnosis alone: it tells how far one gets and what is seen there. What is sent
is a HEAD for the service's path, and nothing that is secret but a proxy's password,
to that proxy.
"""

import base64
import dataclasses
import os
import re
import socket
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

import urllib3.util.ssl_

from wxhelper import __version__
from wxhelper.errors import Unreachable, WxhelperError, printable
from wxhelper.plugin.certificate import Certificate
from wxhelper.plugin.deadline import Late, within
from wxhelper.plugin.endpoint import Endpoint
from wxhelper.plugin.surroundings import Proxy, certificates, proxy_for

Stage = Literal["proxy", "name", "connection", "tls", "answer"]
STAGES: tuple[Stage, ...] = ("proxy", "name", "connection", "tls", "answer")
"""In the order in which they are come to; with a proxy, the name is the proxy's to look up."""
_HEAD_LIMIT = 65_536
_EXPIRED, _NOT_YET_VALID = 10, 9  # OpenSSL's X509_V_ERR_...
_OTHER_HOST = (62, 64)


@dataclass
class Visit:
    """How far one gets.

    Attributes:
        endpoint: where to.
        proxy: the proxy on the way, or why there is none.
        trusts: who names the certificates that are trusted; "" for nobody.
        stage: where it came to; ``answer`` is the end.
        fault: why it stopped there; None when it did not, or could not go on for
            want of eyes: ``blind`` says so then.
        blind: why nothing can be seen from there on; "" when it can.
        protocol: the version of TLS; "" without TLS.
        certificate: the server's.
        headers: by lower-case name.
        asked_at: when the answer was asked for, Unix seconds.
        answered_at: when it was there.
    """

    endpoint: Endpoint
    proxy: Proxy
    trusts: str = ""
    stage: Stage = "name"
    fault: WxhelperError | None = None
    blind: str = ""
    protocol: str = ""
    certificate: Certificate | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    asked_at: float = 0.0
    answered_at: float = 0.0


def visit(
    endpoint: Endpoint,
    *,
    ca_file: str | None,
    environ: Mapping[str, str],
    seconds: float,
    clock: Callable[[], float],
) -> Visit:
    """Go there.

    Args:
        endpoint: where.
        ca_file: the profile's certificates, absolute; or None.
        environ: the variables, for proxies and certificates.
        seconds: for everything.
        clock: Unix seconds.
    """
    seen = Visit(endpoint, proxy_for(endpoint, environ))
    walk = _Walk(endpoint, seen, seconds, clock)
    try:
        within(seconds, lambda: walk.go(ca_file, environ))
    except Late:
        # Whoever was left behind may go on writing into the old one.
        seen = dataclasses.replace(seen)
        host = seen.proxy.shown if seen.stage == "proxy" else endpoint.origin
        seen.fault = Unreachable(
            f"{host} did not answer within {seconds:.2g} seconds",
            remedy="try again; if it stays so, look at the network and the proxy",
        )
    except WxhelperError as fault:
        seen.fault = fault
    return seen


class _Walk:
    def __init__(
        self, endpoint: Endpoint, seen: Visit, seconds: float, clock: Callable[[], float]
    ) -> None:
        self._endpoint = endpoint
        self._seen = seen
        self._end = time.monotonic() + seconds
        self._clock = clock

    def go(self, ca_file: str | None, environ: Mapping[str, str]) -> None:
        """To the end, or to the first fault, which is raised."""
        endpoint, seen = self._endpoint, self._seen
        if seen.proxy.address and not _with_scheme(seen.proxy).lower().startswith("http://"):
            seen.stage = "proxy"
            seen.blind = "nothing can be seen through a proxy of that kind"
            return
        plain = self._connected()
        with plain:
            if endpoint.scheme == "http":
                self._ask(plain)
                return
            seen.stage = "tls"
            seen.trusts, verify = certificates(ca_file, environ)
            with self._secured(plain, verify) as secured:
                seen.protocol = secured.version() or ""
                seen.certificate = Certificate.parse(secured.getpeercert(binary_form=True) or b"")
                self._ask(secured)

    def _left(self) -> float:
        return max(0.001, self._end - time.monotonic())

    def _connected(self) -> socket.socket:
        """A connection, through the proxy where there is one."""
        seen, endpoint = self._seen, self._endpoint
        host, port = endpoint.host, endpoint.port
        if seen.proxy.address:
            host, port = self._hop()
        seen.stage = "proxy" if seen.proxy.address else "name"
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise Unreachable(
                f"there is no address for the name {host}",
                remedy=f"correct {seen.proxy.variable}"
                if seen.proxy.address
                else "check url in the profile, the network and its name service",
            ) from None
        addresses = list(dict.fromkeys(address[:2] for *_, address in found))
        seen.stage = "proxy" if seen.proxy.address else "connection"
        plain = self._first_of(addresses)
        if seen.proxy.address:
            self._tunnel(plain)
        return plain

    def _hop(self) -> tuple[str, int]:
        self._seen.stage = "proxy"
        try:
            parts = urlsplit(_with_scheme(self._seen.proxy))
            if parts.hostname:
                return parts.hostname, parts.port or 80
        except ValueError:
            pass
        raise Unreachable(
            f"{self._seen.proxy.variable} cannot be used: it must be http://HOST:PORT",
            remedy=f"correct or unset {self._seen.proxy.variable}",
        )

    def _first_of(self, addresses: list[Any]) -> socket.socket:
        said = "no address"
        for address in addresses:
            try:
                return socket.create_connection(address, timeout=self._left())
            except OSError as fault:
                said = fault.strerror or "it does not answer"
        proxy = self._seen.proxy
        if proxy.address:
            raise Unreachable(
                f"the proxy {proxy.shown} cannot be reached: {said}",
                remedy=f"correct {proxy.variable}, or add {self._endpoint.host} to NO_PROXY",
            )
        raise Unreachable(
            f"{self._endpoint.origin} cannot be reached: {said}",
            remedy="check url in the profile, the network and the proxy",
        )

    def _tunnel(self, plain: socket.socket) -> None:
        """Ask the proxy for a tunnel (RFC 9110, 9.3.6)."""
        proxy = self._seen.proxy
        parts = urlsplit(_with_scheme(proxy))
        lines = [f"CONNECT {self._endpoint.origin} HTTP/1.1", f"Host: {self._endpoint.origin}"]
        if parts.username is not None:
            login = f"{unquote(parts.username)}:{unquote(parts.password or '')}".encode()
            lines.append("Proxy-Authorization: Basic " + base64.b64encode(login).decode())
        status, _ = self._exchanged(plain, lines)
        if 200 <= status < 300:
            return
        plain.close()
        if status == 407:
            raise Unreachable(
                f"the proxy {proxy.shown} wants a name and a password (HTTP 407)",
                remedy=f"write them as http://NAME:PASSWORD@{proxy.shown} in {proxy.variable}",
            )
        answer = f"answered HTTP {status}" if status else "does not speak HTTP"
        raise Unreachable(
            f"the proxy {proxy.shown} {answer} when asked for {self._endpoint.origin}",
            remedy=f"ask who runs it, correct {proxy.variable}, "
            f"or add {self._endpoint.host} to NO_PROXY",
        )

    def _secured(self, plain: socket.socket, verify: str | bool) -> ssl.SSLSocket:
        """The connection under TLS, as the transport would accept it."""
        context = _context(verify)
        try:
            return context.wrap_socket(plain, server_hostname=self._endpoint.host)
        except ssl.SSLCertVerificationError as fault:
            refused = fault
        except ssl.SSLError as fault:
            raise Unreachable(
                f"TLS with {self._endpoint.origin} failed: "
                f"{printable(fault.reason or 'unknown reason')}",
                remedy="check url in the profile, and what stands between: a proxy?",
            ) from None
        except OSError:
            raise Unreachable(
                f"{self._endpoint.origin} broke off before TLS began",
                remedy="check url in the profile, and what stands between: a proxy?",
            ) from None
        raise self._refused(refused, self._presented())

    def _presented(self) -> Certificate | None:
        """The certificate as it is shown to one who trusts everything and says nothing."""
        trusting = _context(None)
        try:
            with (
                self._connected() as plain,
                trusting.wrap_socket(plain, server_hostname=self._endpoint.host) as secured,
            ):
                return Certificate.parse(secured.getpeercert(binary_form=True) or b"")
        except (OSError, WxhelperError):
            return None
        finally:
            self._seen.stage = "tls"

    def _refused(
        self, fault: ssl.SSLCertVerificationError, shown: Certificate | None
    ) -> Unreachable:
        self._seen.certificate = shown
        issuer = shown.issuer if shown else "its issuer"
        said = fault.verify_message.rstrip(". ")
        if fault.verify_code in (_EXPIRED, _NOT_YET_VALID):
            remedy = "let whoever runs it renew it; or is the clock of this machine wrong?"
        elif fault.verify_code in _OTHER_HOST:
            remedy = "check url in the profile: another host answers there"
        else:
            remedy = (
                f"if {issuer} is your organisation's, write ca_file = "
                '"/path/to/its/certificate.pem" in the profile; else do not trust this network'
            )
        known = f"; it is {shown.subject}'s, issued by {shown.issuer}" if shown else ""
        return Unreachable(
            f"the certificate of {self._endpoint.origin} was not accepted: {said}{known}",
            remedy=remedy,
        )

    def _ask(self, connection: socket.socket) -> None:
        seen, endpoint = self._seen, self._endpoint
        seen.stage = "answer"
        seen.asked_at = self._clock()
        _, seen.headers = self._exchanged(
            connection,
            [
                f"HEAD {endpoint.path} HTTP/1.1",
                f"Host: {urlsplit(endpoint.url).netloc}",
                f"User-Agent: wxhelper/{__version__}",
                "Accept: */*",
                "Connection: close",
            ],
        )
        seen.answered_at = self._clock()

    def _exchanged(self, connection: socket.socket, lines: list[str]) -> tuple[int, dict[str, str]]:
        """The status and headers of the answer; 0 when there is none that is HTTP."""
        data = b""
        try:
            connection.settimeout(self._left())
            connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace"))
            while b"\r\n\r\n" not in data and len(data) < _HEAD_LIMIT:
                connection.settimeout(self._left())
                chunk = connection.recv(4096) if self._end > time.monotonic() else b""
                if not chunk:
                    break
                data += chunk
        except OSError:
            pass
        first, *rest = data.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
        status = re.match(r"HTTP/1\.[01] (\d{3})", first)
        fields = (line.partition(":") for line in rest)
        headers = {name.strip().lower(): value.strip() for name, _, value in fields}
        return (int(status[1]), headers) if status else (0, {})


def _with_scheme(proxy: Proxy) -> str:
    """The proxy's address; one without a scheme is http, as requests takes it."""
    return proxy.address if "://" in proxy.address else f"http://{proxy.address}"


def _context(verify: str | bool | None) -> ssl.SSLContext:
    """What requests would make of the same ``verify``; None trusts everything."""
    import requests.utils

    context = urllib3.util.ssl_.create_urllib3_context()
    if verify is None:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    path = requests.utils.DEFAULT_CA_BUNDLE_PATH if verify is True else str(verify)
    try:
        context.load_verify_locations(**{"capath" if os.path.isdir(path) else "cafile": path})
    except OSError:
        raise Unreachable(
            f"the certificates to trust cannot be read from {path}",
            remedy="install certifi anew, or write ca_file in the profile",
        ) from None
    context.verify_mode = ssl.CERT_REQUIRED
    context.check_hostname = True
    return context
