"""Floor 4: the one way to the network, and the one user of requests.

What requests does by default is not fit for a key: it re-sends a body to another
host on 307, lets a netrc entry replace a header, lets a variable replace the
trusted certificates, and has a timeout for each read but none for the whole. So
nothing is left to it: redirects are errors, authentication is an explicit
nothing, proxies and certificates are chosen here, one deadline holds over all,
and an answer has a largest size.
"""

import logging
import os
import random
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import requests
import urllib3.exceptions

from wxhelper import __version__
from wxhelper.errors import (
    AnswerNotUnderstood,
    EndpointRefused,
    Redirected,
    Unreachable,
    printable,
)
from wxhelper.plugin.deadline import Late, within
from wxhelper.plugin.endpoint import Endpoint
from wxhelper.plugin.surroundings import Proxy, certificates, proxy_for

DEADLINE = 10.0
BODY_LIMIT = 262_144
_RETRIES = 2
_RETRY_PAUSE = 0.2
_RETRIED = (502, 503, 504)
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": f"wxhelper/{__version__}",
}


@dataclass(frozen=True)
class Answer:
    """What a service answered.

    Attributes:
        status: the HTTP status; never a 3xx.
        headers: by lower-case name.
        body: at most 256 KiB, not decoded.
        sent_at: when the request was sent, Unix seconds.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)
    sent_at: float


@dataclass(frozen=True)
class _Request:
    endpoint: Endpoint
    form: Mapping[str, str] | None = field(repr=False)
    json: Mapping[str, str] | None = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


class Transport:
    """Sends a request to the hosts that may see the key.

    Args:
        token_hosts: ``host`` or ``host:port``; nothing else is connected to.
        ca_file: certificates to trust, PEM; None for the usual ones.
        deadline: seconds for everything that is sent through this transport,
            counted from now.
        environ: the variables, for proxies and certificates.
        clock: Unix seconds.
        insist: whether what got no answer is sent again.
    """

    def __init__(
        self,
        token_hosts: frozenset[str],
        *,
        ca_file: str | None = None,
        deadline: float = DEADLINE,
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.time,
        insist: bool = True,
    ) -> None:
        self._retries = _RETRIES if insist else 0
        self._token_hosts = token_hosts
        _, self._verify = certificates(ca_file, environ)
        self._environ = environ
        self._seconds = deadline
        self._end = time.monotonic() + deadline
        self._clock = clock

    def post(
        self,
        endpoint: Endpoint,
        *,
        form: Mapping[str, str] | None = None,
        json: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """POST a form (url-encoded) or JSON.

        A connection that breaks off, and a 502, 503 or 504 without Retry-After,
        is tried again twice at most, inside the deadline.

        Raises:
            EndpointRefused: the host is not one of the token hosts.
            Redirected: the answer is a 3xx.
            Unreachable: there is no answer within the deadline.
            AnswerNotUnderstood: the answer is too large, or compressed.
        """
        if not endpoint.within(self._token_hosts):
            raise EndpointRefused(
                f"the key may not be sent to {endpoint.origin}, "
                f"only to {', '.join(sorted(self._token_hosts))}",
                remedy="correct url in the profile",
            )
        request = _Request(endpoint, form, json, headers or {})
        return self._in_time(endpoint, lambda: self._insist(request))

    def _in_time(self, endpoint: Endpoint, work: Callable[[], Answer]) -> Answer:
        """What ``work`` gives, or the error that it is late."""
        try:
            return within(self._end - time.monotonic(), work)
        except Late:
            raise self._late(endpoint) from None

    def _insist(self, request: "_Request") -> Answer:
        for attempt in range(self._retries + 1):
            pause = _RETRY_PAUSE * 2**attempt * random.uniform(0.5, 1.5)  # noqa: S311
            last = attempt == self._retries or time.monotonic() + 2 * pause > self._end
            try:
                answer = self._send(request)
            except _BrokenOff as fault:
                if last:
                    raise Unreachable(fault.message, remedy=fault.remedy) from None
            else:
                if last or answer.status not in _RETRIED or "retry-after" in answer.headers:
                    return answer
            time.sleep(pause)
        raise self._late(request.endpoint)

    def _send(self, request: "_Request") -> Answer:
        endpoint = request.endpoint
        proxy = proxy_for(endpoint, self._environ)
        sent_at = self._clock()
        try:
            with _Session() as session:
                session.trust_env = False
                session.headers.clear()
                with session.post(
                    endpoint.url,
                    data=request.form,
                    json=request.json,
                    headers={**_HEADERS, **request.headers},
                    auth=_no_authentication,
                    allow_redirects=False,
                    stream=True,
                    timeout=max(0.001, self._end - time.monotonic()),
                    proxies={endpoint.scheme: proxy.address} if proxy.address else {},
                    verify=self._verify,
                ) as response:
                    return self._answer(response, endpoint, sent_at)
        # requests wraps what urllib3 raises, but not for a body that is read as it comes.
        except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError):
            raise self._late(endpoint) from None
        except (
            requests.exceptions.RequestException,
            urllib3.exceptions.HTTPError,
            OSError,
        ) as fault:
            raise _explained(fault, endpoint, proxy) from None

    def _answer(self, response: requests.Response, endpoint: Endpoint, sent_at: float) -> Answer:
        headers = {name.lower(): value for name, value in response.headers.items()}
        if 300 <= response.status_code < 400:
            raise Redirected(
                f"{endpoint.host} redirects to {_target(headers.get('location', ''), endpoint)}, "
                "and a key is not sent after it",
                remedy="write the token service's own address as url in the profile",
            )
        if headers.get("content-encoding", "").strip().lower() not in ("", "identity"):
            raise AnswerNotUnderstood(
                f"{endpoint.host} sent a compressed answer that nobody asked for",
                remedy="look at what stands between: a proxy?",
            )
        body = b""
        while len(body) <= BODY_LIMIT:
            # Nobody waits any more: a thread that was left behind must end.
            if time.monotonic() > self._end:
                raise self._late(endpoint)
            chunk = response.raw.read1(65_536, decode_content=False)
            if not chunk:
                return Answer(response.status_code, headers, body, sent_at)
            body += chunk
        raise AnswerNotUnderstood(
            f"{endpoint.host} sent more than {BODY_LIMIT // 1024} KiB where a token was expected",
            remedy="check url in the profile",
        )

    def _late(self, endpoint: Endpoint) -> Unreachable:
        return Unreachable(
            f"{endpoint.host} did not answer within {self._seconds:g} seconds",
            remedy="try again; if it stays so, look at the network and the proxy",
        )


class _Session(requests.Session):
    """Sees no redirect anywhere; even one that is not followed would be looked into."""

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002
        return None


class _BrokenOff(Unreachable):
    """The connection could not be made or broke off: worth another try."""


def _no_authentication(request: requests.PreparedRequest) -> requests.PreparedRequest:
    """Given as ``auth``, it keeps requests from looking into a netrc file."""
    return request


def _target(location: str, endpoint: Endpoint) -> str:
    """A redirect's target as scheme and host: the rest may hold anything."""
    try:
        parts = urlsplit(location, scheme=endpoint.scheme)
        host = parts.hostname
    except ValueError:
        host = None
    return printable(f"{parts.scheme}://{host}") if host else "another path"


def _chain(fault: BaseException) -> Iterator[BaseException]:
    """The fault and what it was made from, in the ways of requests and urllib3."""
    seen: list[BaseException] = []
    waiting: list[object] = [fault]
    while waiting:
        current = waiting.pop(0)
        if not isinstance(current, BaseException) or current in seen:
            continue
        seen.append(current)
        yield current
        waiting += [*current.args, getattr(current, "reason", None)]
        waiting += [current.__cause__, current.__context__]


def _explained(fault: BaseException, endpoint: Endpoint, proxy: Proxy) -> Unreachable:
    """The fault in words that hold neither the request nor a proxy's password."""
    causes = list(_chain(fault))
    for cause in causes:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return Unreachable(
                f"the certificate of {endpoint.origin} was not accepted: {cause.verify_message}",
                remedy="if your organisation signs it, write its CA as ca_file in the profile",
            )
    tls = next((c for c in causes if isinstance(c, ssl.SSLError)), None)
    if tls is not None:
        return Unreachable(
            f"TLS with {endpoint.origin} failed: {printable(tls.reason or 'unknown reason')}",
            remedy="check url in the profile, and what stands between: a proxy?",
        )
    said = next((c.strerror for c in causes if isinstance(c, OSError) and c.strerror), "")
    if proxy.address and any(isinstance(c, _PROXY_FAULTS) for c in causes):
        return _proxy_fault(causes, proxy, said)
    if any(isinstance(c, socket.gaierror) for c in causes):
        return _BrokenOff(
            f"there is no address for the name {endpoint.host}",
            remedy="check url in the profile, the network and its name service",
        )
    if not said:
        return _BrokenOff(f"the connection to {endpoint.origin} broke off", remedy="try again")
    return _BrokenOff(
        f"{endpoint.origin} cannot be reached: {said}",
        remedy="check url in the profile, the network and the proxy",
    )


_PROXY_FAULTS = (
    requests.exceptions.ProxyError,
    requests.exceptions.InvalidSchema,  # a kind of proxy that is not installed
    requests.exceptions.InvalidURL,
    urllib3.exceptions.LocationValueError,
)


def _proxy_fault(causes: Iterable[BaseException], proxy: Proxy, said: str) -> Unreachable:
    host = re.sub(r":\d+$", "", proxy.shown)
    named = f"the proxy {host}" if host else "the proxy"
    remedy = "correct HTTPS_PROXY, or add the host to NO_PROXY"
    # http.client tells a refused CONNECT in the text of an OSError and nowhere else.
    answered = re.search(r"Tunnel connection failed: (\d{3})", " ".join(map(str, causes)))
    if answered:
        return Unreachable(f"{named} answered HTTP {answered[1]}", remedy=remedy)
    if not any(isinstance(c, requests.exceptions.ProxyError) for c in causes):
        return Unreachable(f"{named} cannot be used: it must be http://HOST:PORT", remedy=remedy)
    return _BrokenOff(f"{named} cannot be used" + (f": {said}" if said else ""), remedy=remedy)


# urllib3 writes every address it connects to into its log.
logging.getLogger("urllib3").setLevel(logging.WARNING)
