"""Floor 4: the one way to the network: who may be asked, how often and how long.

``wire`` sends the single request. It is imported with the first one, since it
brings requests along: a source that asks nobody does not pay for it.
"""

import errno
import os
import random
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from wxhelper.errors import ConfigurationError, EndpointRefused, Unreachable, printable
from wxhelper.plugin.endpoint import Endpoint

DEADLINE = 10.0
_RETRIES = 2
_RETRY_PAUSE = 0.2
_RETRIED = (502, 503, 504)
_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
_PROXY_VARIABLES = ("https_proxy", "all_proxy", "no_proxy")
NETWORK_VARIABLES = (
    *_CA_VARIABLES,
    "SSL_CERT_DIR",
    *_PROXY_VARIABLES,
    *(name.upper() for name in _PROXY_VARIABLES),
)
"""What decides, besides the profile, how a service is reached."""


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
class Request:
    """A POST: where to, and a form or JSON."""

    endpoint: Endpoint
    form: Mapping[str, str] | None = field(repr=False)
    json: Mapping[str, str] | None = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)


class BrokenOff(Unreachable):
    """The connection could not be made or broke off: worth another try."""


class Late(Exception):
    """The end came first."""


class Transport:
    """Sends a request to the hosts that may see the key.

    Args:
        token_hosts: ``host`` or ``host:port``; nothing else is connected to.
        ca_file: certificates to trust, PEM; None for the usual ones.
        deadline: seconds for everything that is sent through this transport,
            counted from the first of it.
        environ: the variables, for proxies and certificates.
        clock: Unix seconds.
    """

    def __init__(
        self,
        token_hosts: frozenset[str],
        *,
        ca_file: str | None = None,
        deadline: float = DEADLINE,
        environ: Mapping[str, str] = os.environ,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._token_hosts = token_hosts
        self._verify = _certificates(ca_file, environ)
        self._environ = environ
        self._seconds = deadline
        self._end: float | None = None
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
        from wxhelper.plugin import wire

        # The time begins now: on a busy machine an import takes some, and not the service.
        if self._end is None:
            self._end = time.monotonic() + self._seconds
        end, request = self._end, Request(endpoint, form, json, headers or {})
        return self._in_time(endpoint, end, lambda: self._insist(request, end, wire.send))

    def _in_time(self, endpoint: Endpoint, end: float, work: Callable[[], Answer]) -> Answer:
        """What ``work`` gives, or the error that it is late.

        A read's timeout starts again with every byte, and a look-up of a name has
        none: only a thread that can be left behind keeps the deadline.
        """
        outcome: list[Answer | Exception] = []
        done = threading.Event()

        def run() -> None:
            try:
                outcome.append(work())
            except Exception as fault:  # noqa: BLE001 - raised again below, in the caller's thread
                outcome.append(fault)
            done.set()

        threading.Thread(target=run, name="wxhelper-transport", daemon=True).start()
        if not done.wait(max(0.0, end - time.monotonic())):
            raise self._late(endpoint)
        if isinstance(outcome[0], Exception):
            raise outcome[0]
        return outcome[0]

    def _insist(self, request: Request, end: float, send: Callable[..., Answer]) -> Answer:
        for attempt in range(_RETRIES + 1):
            pause = _RETRY_PAUSE * 2**attempt * random.uniform(0.5, 1.5)  # noqa: S311
            last = attempt == _RETRIES or time.monotonic() + 2 * pause > end
            try:
                answer = send(
                    request,
                    end=end,
                    verify=self._verify,
                    environ=self._environ,
                    clock=self._clock,
                )
            except Late:
                break
            except BrokenOff as fault:
                if last:
                    raise Unreachable(fault.message, remedy=fault.remedy) from None
            else:
                if last or answer.status not in _RETRIED or "retry-after" in answer.headers:
                    return answer
            time.sleep(pause)
        raise self._late(request.endpoint)

    def _late(self, endpoint: Endpoint) -> Unreachable:
        return Unreachable(
            f"{endpoint.host} did not answer within {self._seconds:g} seconds",
            remedy="try again; if it stays so, look at the network and the proxy",
        )


def _certificates(ca_file: str | None, environ: Mapping[str, str]) -> str | bool:
    """What requests takes as ``verify``: the profile's file, a variable's, or its own."""
    named = [("ca_file", ca_file)] if ca_file else []
    named += [(name, environ[name]) for name in _CA_VARIABLES if environ.get(name)]
    if (directory := environ.get("SSL_CERT_DIR")) and os.path.isdir(directory):
        named.append(("SSL_CERT_DIR", directory))  # it may be a list, which requests cannot take
    if not named:
        return True
    import ssl  # noqa: PLC0415 - dear, and seldom needed here

    name, path = named[0]
    path = path or ""
    try:
        if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
            raise OSError(errno.EINVAL, "it is not a regular file")
        if not os.path.isdir(path):
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        reason = "holds no certificate (PEM)"
    except (OSError, ValueError) as fault:
        reason = f"cannot be read: {getattr(fault, 'strerror', None) or 'it is no path'}"
    else:
        return path
    raise ConfigurationError(
        f"{name} names {printable(path)}, which {reason}", remedy=f"correct or remove {name}"
    )
