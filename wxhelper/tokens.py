"""Floor 1: a token, its alphabet and its times.

All times are Unix seconds, UTC. A hit comes through here, so this file is plain
Python: no dataclasses, no typing at run time.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

FRESH: "Final" = "fresh"  # before refresh_at
STALE: "Final" = "stale"  # due for renewal, still good to hand out
EXPIRED: "Final" = "expired"  # too little life left to hand out

# RFC 6750, 2.1: b64token = 1*( ALPHA / DIGIT / "-" / "." / "_" / "~" / "+" / "/" ) *"="
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/"
_SHORTEST = 8
_LONGEST = 16_384

# Clients are often slow and clocks are never equal: nothing is handed out that
# would die on the way (python-sdk-core#189 saw services reject the last seconds).
_MARGIN = 60.0
_RENEWAL_POINT = 0.80
_RENEWAL_SPREAD = 0.05


def is_b64token(value: str) -> bool:
    """Whether the text is an RFC 6750 b64token of 8 to 16,384 characters.

    Such a token needs no escaping in a header, in JSON, in git's and docker's
    protocols or in a netrc file, and nothing can be injected with it.
    """
    if not _SHORTEST <= len(value) <= _LONGEST or not value.isascii():
        return False
    body = value.rstrip("=")
    return bool(body) and not body.encode("ascii").translate(None, _ALPHABET)


class Token:
    """What a source hands out.

    Attributes:
        scheme: the authentication scheme, ``Bearer`` or ``ZenApiKey``.
        value: the token itself, a b64token.
        minted_at: when the request for it was sent.
        refresh_at: when it is due for renewal; None for a long-lived value.
        expires_at: when it dies; None for a long-lived value.
    """

    __slots__ = ("expires_at", "minted_at", "refresh_at", "scheme", "value")

    def __init__(
        self,
        scheme: str,
        value: str,
        *,
        minted_at: float,
        refresh_at: int | None,
        expires_at: int | None,
    ) -> None:
        self.scheme = scheme
        self.value = value
        self.minted_at = minted_at
        self.refresh_at = refresh_at
        self.expires_at = expires_at

    @classmethod
    def minted(
        cls, scheme: str, value: str, *, minted_at: float, life: float, chance: float
    ) -> "Token":
        """A token with a lifetime.

        Args:
            scheme: the authentication scheme.
            value: a b64token.
            minted_at: when the request for it was sent: the life counts from
                there, so that a slow answer never makes it look longer.
            life: seconds, positive.
            chance: 0 to 1, drawn at random, so that hosts which began together
                do not renew together.
        """
        minted_at = round(minted_at, 3)  # what a record holds: a hit must compute the same
        point = _RENEWAL_POINT + (2 * chance - 1) * _RENEWAL_SPREAD
        return cls(
            scheme,
            value,
            minted_at=minted_at,
            refresh_at=int(minted_at + life * point),
            expires_at=int(minted_at + life),
        )

    def __repr__(self) -> str:
        return f"Token({self.scheme}, expires_at={self.expires_at})"

    @property
    def margin(self) -> float:
        """Seconds of life that every token handed out still has.

        60, or a tenth of the token's life if that is shorter.
        """
        if self.expires_at is None:
            return 0.0
        return min(_MARGIN, (self.expires_at - self.minted_at) / 10)

    @property
    def good_until(self) -> int | None:
        """The expiry that callers are told: the true one, less the margin."""
        return None if self.expires_at is None else int(self.expires_at - self.margin)

    def state(self, now: float) -> str:
        """FRESH, STALE or EXPIRED at the time ``now``."""
        if self.expires_at is None or self.refresh_at is None:
            return FRESH
        if now >= self.expires_at - self.margin:
            return EXPIRED
        return STALE if now >= self.refresh_at else FRESH
