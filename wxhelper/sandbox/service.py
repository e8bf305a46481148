"""What a service is, and what all services of one sandbox share."""

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


@dataclass
class Realm:
    """What the services of one sandbox know together.

    Attributes:
        clock: gives Unix seconds.
        issuer: the tokens.
        keys: the API keys that are good. Entries may come and go at any time.
        lifetime: seconds that new tokens live.
    """

    clock: Callable[[], float]
    issuer: Issuer = field(default_factory=Issuer)
    keys: dict[str, Identity] = field(default_factory=dict, repr=False)
    lifetime: int = 3600


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
    """A service that wants a live token, with its scheme, before anything else."""

    def handle(self, request: Request, lifetime: int) -> Answer:  # noqa: ARG002
        """Answers a holder of a live token, refuses all others.

        Args:
            request: the request.
            lifetime: not used; such a service issues no tokens.
        """
        scheme, token = request.authorization()
        verdict = None
        if scheme and token:
            verdict = self.realm.issuer.verdict(token, self.realm.clock(), scheme=scheme)
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
