"""The tokens that were issued, and which of them are still good."""

import base64
import enum
import json
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_NO_CLAIMS: Mapping[str, Any] = {}
_SIGNATURE_BYTES = 256  # RS256 with a key of 2048 bits


class Verdict(enum.Enum):
    """What becomes of a token that is shown to a service."""

    LIVE = "live"
    EXPIRED = "expired"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Grant:
    """What is known of one issued token.

    Attributes:
        subject: who it speaks for.
        scheme: the authorization scheme it is to be shown with.
        issued_at: Unix seconds.
        expires_at: Unix seconds; the token is good before this moment.
    """

    subject: str
    scheme: str
    issued_at: float
    expires_at: float


class Issuer:
    """Issues tokens and remembers them. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._grants: dict[str, Grant] = {}
        self._revoked: set[str] = set()
        self._key_id = f"sandbox-{secrets.token_hex(6)}"

    def issue(
        self,
        subject: str,
        *,
        now: float,
        lifetime: float,
        scheme: str = "Bearer",
        claims: Mapping[str, Any] = _NO_CLAIMS,
    ) -> str:
        """A new token in the form of a JWT (RFC 7519), signed by nobody.

        Args:
            subject: who the token speaks for.
            now: Unix seconds.
            lifetime: seconds; not positive gives a token that is expired already.
            scheme: the authorization scheme it is to be shown with.
            claims: further claims; ``iat`` and ``exp`` are always the token's own.
        """
        grant = Grant(subject, scheme, now, now + lifetime)
        header = {"kid": self._key_id, "alg": "RS256"}
        payload = {"sub": subject, **claims, "iat": int(now), "exp": int(now + lifetime)}
        token = ".".join(
            (_encoded(header), _encoded(payload), _base64(secrets.token_bytes(_SIGNATURE_BYTES)))
        )
        with self._lock:
            self._grants[token] = grant
        return token

    def grant(self, token: str) -> Grant | None:
        """What is known of a token, or None when it was not issued here."""
        with self._lock:
            return self._grants.get(token)

    def verdict(self, token: str, now: float, *, scheme: str = "Bearer") -> Verdict:
        """Whether a service takes the token.

        Args:
            token: what the client showed.
            now: Unix seconds.
            scheme: the scheme it was shown with, in any case; the wrong one makes
                the token unknown.
        """
        with self._lock:
            grant = self._grants.get(token)
            if grant is None or grant.scheme.lower() != scheme.lower():
                return Verdict.UNKNOWN
            if token in self._revoked:
                return Verdict.REVOKED
            return Verdict.LIVE if now < grant.expires_at else Verdict.EXPIRED

    def revoke(self, token: str) -> None:
        """Takes one token back. A token that was not issued here stays unknown."""
        with self._lock:
            self._revoked.add(token)

    def revoke_all(self) -> None:
        """Takes back every token issued so far; later ones are good."""
        with self._lock:
            self._revoked.update(self._grants)


def _encoded(document: Mapping[str, Any]) -> str:
    return _base64(json.dumps(document, separators=(",", ":")).encode())


def _base64(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode("ascii")
