"""What a token service may answer, and what becomes of it: one table for every source."""

import base64
import email.utils
import json
from collections.abc import Callable
from dataclasses import dataclass, field

from wxhelper.errors import (
    AnswerNotUnderstood,
    KeyRefused,
    Redirected,
    ServiceFailed,
    Throttled,
    Unreachable,
)

NOW = 1_763_712_000
KEY = "k3y+/that=opens&nothing"
OPAQUE = "opaque-token.value"
CHECK = "check url in the profile: is it the token service?"
NO_JSON = "{service} answered HTTP {status} with something that is no JSON object"
NONE = "the answer of {service} holds no {fields}"
BAD = "the answer of {service} holds something in {fields} that cannot be a token"
NO_LIFE = "the answer of {service} does not say how long the token lives"
SPLIT = "the answer of {service} holds different tokens in {both}"
REFUSED = "{service} {refused}"
AGAIN = "try again in a minute"
WAIT = "wait; until then it is not asked again"
MENDED = (
    "export A=ANOTHER_KEY, or store one: wxhelper login {{profile}}; "
    "if the key was mended instead, run: wxhelper invalidate {{profile}}"
)
Outcome = float | tuple[type, str, str]
"""Seconds of life; or an error's class, message and remedy, as templates."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A source, as far as its answers differ from those of the others.

    Attributes:
        source: its name.
        settings: a profile's, besides ``url``.
        service: what messages call the service.
        fields: where it looks for a token, the first that counts first.
        own_life: whether the token alone says how long it lives.
        refused: what a refusal means.
        mended: what to do about one.
        first: what is answered to the step before the last, if there is one.
    """

    source: str
    service: str
    fields: tuple[str, ...]
    settings: dict[str, str] = field(default_factory=dict)
    own_life: bool = False
    refused: str = "refused the API key from env:A"
    mended: str = MENDED
    first: bytes = b""


@dataclass(frozen=True, kw_only=True)
class Row:
    """An answer and what it means.

    Attributes:
        name: says what it is.
        raw: the bytes on the wire.
        outcome: what becomes of it; for a source the life of whose tokens only they
            tell, ``own``, where that is another.
    """

    name: str
    raw: Callable[[Asked], bytes]
    outcome: Outcome
    own: Outcome | None = None


def jwt(**claims: object) -> str:
    """A token that tells something."""
    parts = ({"alg": "RS256"}, claims)
    coded = [base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in parts]
    return ".".join([*coded, "c2lnbmF0dXJl"])


def http(status: int, body: object, *, cut: int = 0, **headers: str) -> bytes:
    """An answer on the wire; with ``cut``, as many bytes of it never come."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    date = email.utils.formatdate(NOW, usegmt=True)
    named = {"Date": date, "Content-Length": str(len(data)), "Connection": "close", **headers}
    head = [f"HTTP/1.1 {status} X", *(f"{n.replace('_', '-')}: {v}" for n, v in named.items())]
    return "\r\n".join([*head, "", ""]).encode() + data[: len(data) - cut]


def _with(token: object = OPAQUE, **said: object) -> Callable[[Asked], bytes]:
    """200 with a token in the field that counts."""
    return lambda asked: http(200, {asked.fields[0]: token, **said})


def _always(raw: bytes) -> Callable[[Asked], bytes]:
    return lambda asked: raw


def _lives(name: str, life: float | None, **said: object) -> Row:
    nothing = (AnswerNotUnderstood, NO_LIFE, CHECK)
    return Row(name=name, raw=_with(**said), outcome=nothing if life is None else life, own=nothing)


def _not_understood(name: str, message: str, raw: Callable[[Asked], bytes]) -> Row:
    return Row(name=name, raw=raw, outcome=(AnswerNotUnderstood, message, CHECK))


def _says(name: str, status: int, body: object, *outcome: object, **headers: str) -> Row:
    kind, message, remedy = outcome
    assert isinstance(kind, type)
    said = (kind, str(message), str(remedy))
    return Row(name=name, raw=_always(http(status, body, **headers)), outcome=said)


def _in_other_field(asked: Asked) -> bytes:
    return http(200, {"token": OPAQUE, "access_token": "another-token", "expires_in": 900})


IBM = {
    "errorCode": "BXNIM0415E",
    "errorMessage": f"Provided API key {KEY} could not be found.",
    "context": {"clientIp": "192.0.2.7", "requestId": "r"},
}
SECRETS = {
    "message": f"no {base64.b64encode(KEY.encode()).decode().rstrip('=')} or {'x' * 50}",
    "apikey": KEY,
}
SHORT_JWT = jwt(iat=NOW, exp=NOW + 600)
PAGE = b"<html><body>Log in</body></html>"

ROWS = (
    _lives("an hour", 3600, expires_in=3600),
    _lives("6 minutes", 360, expires_in=360),
    _lives("12 hours", 43_200, expires_in=43_200),
    _lives("a string", 3600, expires_in="3600"),
    _lives("a fraction", 3600, expires_in=3600.9),
    _lives("above a day", 86_400, expires_in=86_401),
    _lives("absurd", 86_400, expires_in=10**400),
    _lives("no life", None),
    _lives("null", None, expires_in=None),
    _lives("zero", None, expires_in=0),
    _lives("zero but an expiration", None, expires_in=0, expiration=NOW + 900),
    _lives("negative", None, expires_in=-3600),
    _lives("words", None, expires_in="an hour"),
    _lives("a fraction in a string", None, expires_in="3600.5"),
    _lives("true", None, expires_in=True),
    _lives("a list", None, expires_in=[3600]),
    _lives("an expiration", 900, expiration=NOW + 900),
    _lives("an expiration in a string", 900, expiration=str(NOW + 900)),
    _lives("an expiration that is past", None, expiration=NOW - 1),
    _lives("both", 900, expires_in=900, expiration=NOW + 3600),
    Row(name="a JWT that tells", raw=_with(SHORT_JWT), outcome=600),
    Row(
        name="a JWT and an answer that tell",
        raw=_with(SHORT_JWT, expires_in=900),
        outcome=900,
        own=600,
    ),
    _not_understood("a JWT that was dead when born", NO_LIFE, _with(jwt(iat=NOW, exp=NOW - 1))),
    _not_understood("a JWT without its beginning", NO_LIFE, _with(jwt(exp=NOW + 900))),
    _not_understood("not a number", NO_JSON, _with(SHORT_JWT, expires_in=float("nan"))),
    _not_understood("no token", NONE, _always(http(200, {"expires_in": 900}))),
    _not_understood("token null", NONE, _with(None, expires_in=900)),
    _not_understood("token empty", NONE, _with("", expires_in=900)),
    _not_understood("token a number", BAD, _with(12345678, expires_in=900)),
    _not_understood("token a list", BAD, _with([OPAQUE], expires_in=900)),
    _not_understood("token with a newline", BAD, _with(f"{OPAQUE}\nX: y", expires_in=900)),
    _not_understood("token with a quote", BAD, _with(f'{OPAQUE}"', expires_in=900)),
    _not_understood("token with an escape", BAD, _with(f"{OPAQUE}\x1b[2J", expires_in=900)),
    _not_understood("token with a space", BAD, _with(f"Bearer {OPAQUE}", expires_in=900)),
    _not_understood("token with a letter of Unicode", BAD, _with(f"{OPAQUE}ü", expires_in=900)),
    _not_understood("token of 7 characters", BAD, _with("seven77", expires_in=900)),
    _not_understood("token of 16 KiB and one", BAD, _with("x" * 16_385, expires_in=900)),
    _not_understood("a page", NO_JSON, _always(http(200, PAGE))),
    _not_understood("nothing", NO_JSON, _always(http(200, b""))),
    _not_understood("204", NO_JSON, _always(http(204, b""))),
    _not_understood("half of it", NO_JSON, _always(http(200, b'{"token":"opaque-tok'))),
    _not_understood("an array", NO_JSON, _always(http(200, [{"token": OPAQUE}]))),
    _not_understood("a word", NO_JSON, _always(http(200, OPAQUE))),
    Row(
        name="a token of 1 MB",
        raw=_with("x" * 1_000_000),
        outcome=(
            AnswerNotUnderstood,
            "127.0.0.1 sent more than 256 KiB where a token was expected",
            "check url in the profile",
        ),
    ),
    Row(
        name="an answer that breaks off",
        raw=_always(http(200, {"token": OPAQUE, "expires_in": 900}, cut=9)),
        outcome=(Unreachable, "the connection to {origin} broke off", "try again"),
    ),
    _says("400 in IBM's words", 400, IBM, KeyRefused,
          f"{REFUSED}: BXNIM0415E Provided API key [redacted] could not be found", "{mended}"),
    _says("400 with a page", 400, PAGE, AnswerNotUnderstood, "{service} answered HTTP 400", CHECK),
    _says("401 with nothing", 401, b"", KeyRefused, f"{REFUSED} (HTTP 401)", "{mended}"),
    _says("403 with JSON", 403, {}, KeyRefused, f"{REFUSED} (HTTP 403)", "{mended}"),
    _says("404", 404, PAGE, AnswerNotUnderstood, "{service} answered HTTP 404", CHECK),
    _says("429", 429, b"", Throttled, "{service} asks to be left alone for a while (HTTP 429)",
          WAIT, Retry_After="60"),
    _says("500 with secrets in it", 500, SECRETS, ServiceFailed,
          "{service} failed with HTTP 500: no [redacted] or [redacted]", AGAIN),
    _says("500 with a page", 500, KEY.encode(), ServiceFailed,
          "{service} failed with HTTP 500", AGAIN),
    _says("503 that says when", 503, b"", Throttled,
          "{service} asks to be left alone for a while (HTTP 503)", WAIT, Retry_After="9"),
    _says("a redirect", 307, b"", Redirected,
          "127.0.0.1 redirects to https://other.invalid, and a key is not sent after it",
          "write the token service's own address as url in the profile",
          Location=f"https://other.invalid/{OPAQUE}"),
    _says("a compressed answer", 200, b"", AnswerNotUnderstood,
          "127.0.0.1 sent a compressed answer that nobody asked for",
          "look at what stands between: a proxy?", Content_Encoding="gzip"),
)  # fmt: skip
"""Every source meets every row."""


def two_fields(asked: Asked) -> tuple[bytes, Outcome]:
    """``token`` and ``access_token``, and they differ."""
    if asked.fields == ("id_token",):
        return _in_other_field(asked), (AnswerNotUnderstood, NONE, CHECK)
    if len(asked.fields) == 1:
        return _in_other_field(asked), 900
    return _in_other_field(asked), (AnswerNotUnderstood, SPLIT, CHECK)
