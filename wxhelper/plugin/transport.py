"""Floor 4: the one way to the network: who may be asked, how often and how long.

``wire`` sends the single request. It is imported with the first one, since it
brings requests along: a source that asks nobody does not pay for it.
"""

import os
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from wxhelper.errors import EndpointRefused, Unreachable
from wxhelper.plugin.deadline import Late, within
from wxhelper.plugin.endpoint import Endpoint
from wxhelper.plugin.surroundings import certificates

DEADLINE = 10.0
_RETRIES = 2
_RETRY_PAUSE = 0.2
_RETRIED = (502, 503, 504)


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


class Transport:
    """Sends a request to the hosts that may see the key.

    Args:
        token_hosts: ``host`` or ``host:port``; nothing else is connected to.
        ca_file: certificates to trust, PEM; None for the usual ones.
        deadline: seconds for everything that is sent through this transport,
            counted from the first of it.
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
        """What ``work`` gives, or the error that it is late."""
        try:
            return within(end - time.monotonic(), work)
        except Late:
            raise self._late(endpoint) from None

    def _insist(self, request: Request, end: float, send: Callable[..., Answer]) -> Answer:
        for attempt in range(self._retries + 1):
            pause = _RETRY_PAUSE * 2**attempt * random.uniform(0.5, 1.5)  # noqa: S311
            last = attempt == self._retries or time.monotonic() + 2 * pause > end
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
