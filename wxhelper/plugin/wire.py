"""Floor 4: one request, sent: the one user of requests.

What requests does by default is not fit for a key: it re-sends a body to another
host on 307, lets a netrc entry replace a header, lets a variable replace the
trusted certificates, and has a timeout for each read but none for the whole. So
nothing is left to it: redirects are errors, authentication is an explicit
nothing, proxies are chosen here and certificates by the caller, one deadline
holds over all, and an answer has a largest size.
"""

import logging
import re
import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from urllib.parse import urlsplit

import requests
import urllib3.exceptions

from wxhelper import __version__
from wxhelper.errors import AnswerNotUnderstood, Redirected, Unreachable, printable
from wxhelper.plugin.deadline import Late
from wxhelper.plugin.endpoint import Endpoint
from wxhelper.plugin.surroundings import Proxy, proxy_for
from wxhelper.plugin.transport import Answer, BrokenOff, Request

BODY_LIMIT = 262_144
_HEADERS = {
    "Accept": "application/json",
    "Accept-Encoding": "identity",
    "User-Agent": f"wxhelper/{__version__}",
}


def send(
    request: Request,
    *,
    end: float,
    verify: str | bool,
    environ: Mapping[str, str],
    clock: Callable[[], float],
) -> Answer:
    """Send it, and read the answer.

    Args:
        request: what to send.
        end: on the monotonic clock, when there must be an answer.
        verify: certificates to trust: a path, or True for the usual ones.
        environ: the variables, for proxies.
        clock: Unix seconds.

    Raises:
        BrokenOff, Unreachable: there is no answer.
        Redirected: it is a 3xx.
        AnswerNotUnderstood: it is too large, or compressed.
        Late: there is none at the end.
    """
    endpoint = request.endpoint
    proxy = proxy_for(endpoint, environ)
    sent_at = clock()
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
                timeout=max(0.001, end - time.monotonic()),
                proxies={endpoint.scheme: proxy.address} if proxy.address else {},
                verify=verify,
            ) as response:
                return _answer(response, endpoint, sent_at, end)
    # requests wraps what urllib3 raises, but not for a body that is read as it comes.
    except (requests.exceptions.Timeout, urllib3.exceptions.TimeoutError):
        raise Late from None
    except (
        requests.exceptions.RequestException,
        urllib3.exceptions.HTTPError,
        OSError,
    ) as fault:
        raise _explained(fault, endpoint, proxy) from None


def _answer(response: requests.Response, endpoint: Endpoint, sent_at: float, end: float) -> Answer:
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
        if time.monotonic() > end:
            raise Late
        chunk = response.raw.read1(65_536, decode_content=False)
        if not chunk:
            return Answer(response.status_code, headers, body, sent_at)
        body += chunk
    raise AnswerNotUnderstood(
        f"{endpoint.host} sent more than {BODY_LIMIT // 1024} KiB where a token was expected",
        remedy="check url in the profile",
    )


class _Session(requests.Session):
    """Sees no redirect anywhere; even one that is not followed would be looked into."""

    def get_redirect_target(self, resp: requests.Response) -> None:  # noqa: ARG002
        return None


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
        return BrokenOff(
            f"there is no address for the name {endpoint.host}",
            remedy="check url in the profile, the network and its name service",
        )
    if not said:
        return BrokenOff(f"the connection to {endpoint.origin} broke off", remedy="try again")
    return BrokenOff(
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
    return BrokenOff(f"{named} cannot be used" + (f": {said}" if said else ""), remedy=remedy)


# urllib3 writes every address it connects to into its log.
logging.getLogger("urllib3").setLevel(logging.WARNING)
