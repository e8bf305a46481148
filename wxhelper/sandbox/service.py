"""What a service is, and what all services of one sandbox share."""

import base64
import binascii
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import ClassVar, Literal

from wxhelper.sandbox.issuer import Issuer, Verdict
from wxhelper.sandbox.messages import Answer, Request


@dataclass(frozen=True)
class Identity:
    """Who an API key belongs to.

    Attributes:
        subject: a mail address for a user, ``ServiceId-...`` for a service ID.
        kind: which of the two it is.
    """

    subject: str
    kind: Literal["user", "service-id"] = "user"


@dataclass(frozen=True)
class TrustedProfile:
    """What a user of IAM may become.

    Attributes:
        identifier: ``Profile-...``.
        name: unique within the account.
        account: the account's identifier.
    """

    identifier: str
    name: str
    account: str

    @property
    def crn(self) -> str:
        """The profile's cloud resource name."""
        place = f"crn:v1:bluemix:public:iam-identity::a/{self.account}"
        return f"{place}::profile:{self.identifier}"


@dataclass
class Member:
    """A user of Cloud Pak for Data.

    Attributes:
        password: as typed at the web client.
        api_key: the user's one platform key; a new one takes its place.
    """

    password: str = field(repr=False)
    api_key: str = field(repr=False)


@dataclass
class Realm:
    """What the services of one sandbox know together.

    Entries of ``keys``, ``mcsp_keys``, ``profiles`` and ``members`` may come and go at
    any time. A key of one family is nothing to the services of another.

    Attributes:
        clock: gives Unix seconds.
        issuer: the tokens.
        keys: the API keys that IAM takes.
        mcsp_keys: the API keys that the SaaS platform takes.
        profiles: the trusted profiles that every user of IAM may assume.
        members: the users of Cloud Pak for Data, by name.
        lifetime: seconds that new tokens live.
    """

    clock: Callable[[], float]
    issuer: Issuer = field(default_factory=Issuer)
    keys: dict[str, Identity] = field(default_factory=dict, repr=False)
    mcsp_keys: dict[str, Identity] = field(default_factory=dict, repr=False)
    profiles: list[TrustedProfile] = field(default_factory=list)
    members: dict[str, Member] = field(default_factory=dict)
    lifetime: int = 3600

    def verdict(self, scheme: str, credentials: str) -> Verdict:
        """What becomes of an Authorization header, in any of the sandbox's services.

        Args:
            scheme: in lower case.
            credentials: what follows it: a token, or for ``zenapikey`` the base64 of
                ``username:key`` (IBM Software Hub docs, "Generating API authorization
                tokens"), which is good as long as the key is.
        """
        if scheme == "zenapikey":
            name, _, key = basic(credentials).partition(":")
            member = self.members.get(name)
            good = member is not None and member.api_key == key
            return Verdict.LIVE if good else Verdict.UNKNOWN
        return self.issuer.verdict(credentials, self.clock(), scheme=scheme)


def basic(credentials: str) -> str:
    """``user:secret`` from base64 without a newline or a wrap (RFC 7617), or ""."""
    try:
        return base64.b64decode(credentials, validate=True).decode()
    except (binascii.Error, ValueError):
        return ""


def key_generation(key: str) -> int:
    """Which generation of the SaaS platform's keys a key belongs to, or 0 for none.

    Its keys are base64, of something that begins with ``k1:`` or ``k2:``
    (`IBM/ibm-watsonx-orchestrate-adk`, ``detect_mcsp_key_type``).
    """
    return {"k1:": 1, "k2:": 2}.get(basic(key)[:3], 0)


class Service(ABC):
    """One server of IBM's, as far as a client can see it.

    Attributes:
        name: what requests and faults call it.
        paths: the paths it owns; one that ends in "/" owns all below it. Among
            services, the longest match wins.
        issues_tokens: whether its POST requests count as token requests.
    """

    name: ClassVar[str]
    paths: ClassVar[tuple[str, ...]]
    issues_tokens: ClassVar[bool] = False

    def __init__(self, realm: Realm) -> None:
        self.realm = realm

    def claim(self, path: str) -> int:
        """How strongly the service claims a path: the length of the match, 0 for none."""
        return max((len(own) for own in self.paths if _matches(own, path)), default=0)

    @abstractmethod
    def handle(self, request: Request, lifetime: int) -> Answer:
        """Answers one request; called from many threads at once.

        Args:
            request: the request, whole.
            lifetime: seconds that tokens issued for it live.
        """


class Protected(Service):
    """A service that wants good credentials, with their scheme, before anything else."""

    def handle(self, request: Request, lifetime: int) -> Answer:  # noqa: ARG002
        """Answers a holder of a live token, refuses all others.

        Args:
            request: the request.
            lifetime: not used; such a service issues no tokens.
        """
        scheme, token = request.authorization()
        verdict = None
        if scheme and token:
            verdict = self.realm.verdict(scheme, token)
        return self.serve(request) if verdict is Verdict.LIVE else self.refuse(verdict)

    @abstractmethod
    def serve(self, request: Request) -> Answer:
        """Answers a request that shows a live token."""

    @abstractmethod
    def refuse(self, verdict: Verdict | None) -> Answer:
        """Answers 401.

        Args:
            verdict: what is wrong with the token; None when there is none.
        """


def _matches(own: str, path: str) -> bool:
    return path.startswith(own) if own.endswith("/") else path == own
