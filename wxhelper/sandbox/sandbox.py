"""The whole: starts the servers, leads requests to services, stops."""

import base64
import secrets
import ssl
import time
import urllib.parse
import uuid
from collections.abc import Callable
from types import TracebackType
from typing import Self

from wxhelper.sandbox import certs, wire
from wxhelper.sandbox.api import Api
from wxhelper.sandbox.certs import Certificates
from wxhelper.sandbox.cloudpak import CloudPak, CloudPakKeys
from wxhelper.sandbox.dph import DataProductHub
from wxhelper.sandbox.faults import NO_FAULT, Fault, Faults
from wxhelper.sandbox.iam import Iam
from wxhelper.sandbox.issuer import Issuer
from wxhelper.sandbox.journal import Journal
from wxhelper.sandbox.kubernetes import Kubernetes
from wxhelper.sandbox.mcsp import Mcsp
from wxhelper.sandbox.messages import Answer, Request, text_answer
from wxhelper.sandbox.registry import Registry
from wxhelper.sandbox.server import Server
from wxhelper.sandbox.service import Identity, Member, Realm, Service, TrustedProfile

SERVICES: tuple[type[Service], ...] = (
    Iam,
    Mcsp,
    CloudPak,
    CloudPakKeys,
    Api,
    DataProductHub,
    Kubernetes,
    Registry,
)
USERNAME = "sandbox.user"

_USER = Identity("sandbox.user@example.com", "user")


class Sandbox:
    """IBM's servers on 127.0.0.1, from the moment it is made until ``close``.

    Args:
        directory: a private directory of the caller's, who also removes it. The
            certificates and their key go into ``tls`` below it.
        clock: gives Unix seconds; a clock that is wrong makes a server that is wrong,
            in its tokens and its Date alike.
        tls: whether to serve https as well; or the certificates to serve it with, for
            one that is expired or bears another name.

    Attributes:
        faults: what is to go wrong.
        requests: what has come in, at the moment it had been read.
        date_skew: seconds added to the Date of every answer, and to nothing else.
        api_key: a made-up key that IAM takes.
        mcsp_key: one that the SaaS platform takes, at all its addresses but the first
            version's; `mcsp_v1_key` is the one for that.
        mcsp_v1_key: see there.
        member: the user ``sandbox.user`` of Cloud Pak for Data, with key and password.
        trusted_profile: the profile of IAM that every user may assume.
        ca_file: the certificate authority to trust, or None without TLS.
        tls_skipped: why there is no TLS, a sentence; or "".
    """

    def __init__(
        self,
        directory: str,
        *,
        clock: Callable[[], float] = time.time,
        tls: bool | Certificates = True,
    ) -> None:
        self.faults = Faults()
        self.requests = Journal()
        self.date_skew = 0.0
        self.api_key = _made_up_key()
        self.ca_file: str | None = None
        self.tls_skipped = ""
        self._clock = clock
        self._realm = Realm(clock)
        self._realm.keys[self.api_key] = _USER
        self.mcsp_key, self.mcsp_v1_key = _made_up_saas_key("k2"), _made_up_saas_key("k1")
        self._realm.mcsp_keys.update({self.mcsp_key: _USER, self.mcsp_v1_key: _USER})
        self.member = Member(secrets.token_urlsafe(12), secrets.token_hex(20))
        self._realm.members[USERNAME] = self.member
        self.trusted_profile = _made_up_profile()
        self._realm.profiles.append(self.trusted_profile)
        self._services = {service.name: service(self._realm) for service in SERVICES}
        context = self._tls_context(directory, tls)
        self._http = Server(self)
        self._https: Server | None = None
        try:
            self._https = None if context is None else Server(self, context)
        except BaseException:
            self._http.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stops at once: open connections end, held answers are never sent."""
        for server in self._servers():
            server.close()

    @property
    def http_url(self) -> str:
        """``http://127.0.0.1:PORT``."""
        return self._http.url

    @property
    def https_url(self) -> str | None:
        """``https://127.0.0.1:PORT``, or None without TLS."""
        return None if self._https is None else self._https.url

    @property
    def clock(self) -> Callable[[], float]:
        """The sandbox's clock."""
        return self._clock

    @property
    def keys(self) -> dict[str, Identity]:
        """The API keys that IAM takes; entries may come and go at any time."""
        return self._realm.keys

    @property
    def issuer(self) -> Issuer:
        """The tokens: to revoke them, or to issue some by hand."""
        return self._realm.issuer

    @property
    def lifetime(self) -> int:
        """Seconds that new tokens live; may be set."""
        return self._realm.lifetime

    @lifetime.setter
    def lifetime(self, seconds: int) -> None:
        self._realm.lifetime = seconds

    @property
    def defects(self) -> tuple[Exception, ...]:
        """What went wrong in the sandbox itself; a test does well to find none."""
        return tuple(defect for server in self._servers() for defect in server.defects)

    def token_requests(self) -> int:
        """How many requests for a token have come in, whatever was answered."""
        issuing = {name for name, service in self._services.items() if service.issues_tokens}
        return sum(r.method == "POST" and r.service in issuing for r in self.requests)

    def service_for(self, path: str) -> str:
        """The name of the service that owns a path (still percent-encoded), or ""."""
        plain = urllib.parse.unquote(path)
        best = max(self._services.values(), key=lambda service: service.claim(plain))
        return best.name if best.claim(plain) else ""

    def respond(self, request: Request) -> wire.Reply:
        """Answers one request; the servers call this from many threads at once.

        The request is in ``requests`` before anything else happens to it, so that a
        test can wait for it while the answer is held.
        """
        self.requests.add(request)
        fault = self.faults.take(request.service, request.path)
        return wire.Reply(
            self._answer(request, fault),
            fault,
            lambda: self._clock() + self.date_skew + fault.date_skew,
        )

    def _answer(self, request: Request, fault: Fault) -> Answer:
        if fault.status is not None:
            answer = text_answer(fault.status)
        elif request.service:
            lifetime = self.lifetime if fault.lifetime is None else fault.lifetime
            answer = self._handled(request, lifetime)
        else:
            answer = text_answer(404)
        if fault is NO_FAULT:
            return answer
        body = answer.body if fault.body is None else fault.body
        return Answer(answer.status, body, _merged(answer, fault))

    def _handled(self, request: Request, lifetime: int) -> Answer:
        try:
            return self._services[request.service].handle(request, lifetime)
        except Exception as defect:  # noqa: BLE001  the client gets a 500, the test the cause
            self._http.defects.append(defect)
            return text_answer(500)

    def _servers(self) -> list[Server]:
        return [server for server in (self._http, self._https) if server is not None]

    def _tls_context(self, directory: str, tls: bool | Certificates) -> ssl.SSLContext | None:
        """The context to serve https with; None, and the reason noted, without."""
        if tls is False:
            self.tls_skipped = "TLS was not asked for."
            return None
        try:
            files = certs.make(directory) if tls is True else tls
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.set_alpn_protocols(["http/1.1"])
            context.load_cert_chain(files.certificate_file, files.key_file)
        except (certs.CertificatesUnavailable, OSError) as reason:
            self.tls_skipped = f"TLS is off: {reason}."
            return None
        self.ca_file = files.ca_file
        return context


def _merged(answer: Answer, fault: Fault) -> dict[str, str]:
    """The answer's header fields, with those of the fault in place of its own."""
    put = {name.lower() for name in fault.headers}
    kept = {name: value for name, value in answer.headers.items() if name.lower() not in put}
    return {**kept, **fault.headers}


def _made_up_key() -> str:
    """44 characters, like IAM's. Never with a leading "-", which commands take for an option."""
    while (key := secrets.token_urlsafe(33)).startswith("-"):
        pass
    return key


def _made_up_saas_key(generation: str) -> str:
    """Base64 of a word that begins with ``k1:`` or ``k2:``; see `service.key_generation`."""
    words = f"{generation}:usr_{secrets.token_hex(12)}:{secrets.token_urlsafe(33)}"
    return base64.b64encode(words.encode()).decode("ascii")


def _made_up_profile() -> TrustedProfile:
    identifier, account = f"Profile-{uuid.uuid4()}", secrets.token_hex(16)
    return TrustedProfile(identifier, "sandbox-profile", account)
