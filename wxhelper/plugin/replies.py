"""Floor 4: what a token service's answer means: a token with its life, or an error."""

import base64
import json
import math
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

from wxhelper.errors import (
    THIS_PROFILE,
    AnswerNotUnderstood,
    KeyRefused,
    ServiceFailed,
    Throttled,
    WxhelperError,
    printable,
)
from wxhelper.plugin.transport import Answer
from wxhelper.secret import Secret
from wxhelper.tokens import is_b64token

REFUSED = "refused the API key from {origin}"
_REFUSALS = (400, 401, 403)
_LONGEST_LIFE = 86_400.0
_NOT_A_TOKEN_SERVICE = "check url in the profile: is it the token service?"


def refusal(
    answer: Answer,
    service: str,
    secret: Secret,
    now: float,
    *,
    refused: str = REFUSED,
    remedy: str = "",
    also: tuple[Secret, ...] = (),
) -> WxhelperError:
    """The error that an answer without a token means; its status class decides.

    Args:
        answer: anything but a 2xx.
        service: the service's name, for the message.
        secret: the key; no spelling of it gets into the message.
        now: Unix seconds, for a Retry-After that is a date.
        refused: what a refusal means, with the key's ``{origin}``.
        remedy: what to do about a refusal; else, how to replace the key.
        also: what else was sent and is not to be told.
    """
    said = _said(answer, (secret, *also))
    reason = f": {said}" if said else f" (HTTP {answer.status})"
    # What stands between, a proxy for example, refuses with pages of its own.
    if answer.status == 401 or (answer.status in _REFUSALS and _object(answer) is not None):
        return KeyRefused(
            f"{service} {refused.replace('{origin}', secret.origin)}{reason}",
            remedy=remedy
            or f"{secret.replacement}; if the key was mended instead, run: "
            f"wxhelper invalidate {THIS_PROFILE}",
        )
    wait = retry_after(answer, now)
    if answer.status == 429 or (answer.status == 503 and wait is not None):
        return Throttled(
            f"{service} asks to be left alone for a while (HTTP {answer.status})",
            retry_after=wait,
            remedy="wait; until then it is not asked again",
        )
    if answer.status >= 500 or answer.status == 408:
        return ServiceFailed(
            f"{service} failed with HTTP {answer.status}" + (f": {said}" if said else ""),
            remedy="try again in a minute",
        )
    return AnswerNotUnderstood(
        f"{service} answered HTTP {answer.status}" + (f": {said}" if said else ""),
        remedy=_NOT_A_TOKEN_SERVICE,
    )


def _said(answer: Answer, secrets: tuple[Secret, ...]) -> str:
    """The service's own words: IBM's code and message, or the usual other fields.

    IBM's ``context`` holds addresses of the caller and is never shown, nor is a
    body that is no JSON object.
    """
    content = _object(answer)
    if content is None:
        return ""
    first = content.get("errors")
    if isinstance(first, list) and first and isinstance(first[0], dict):
        content = {**first[0], **content}
    code = content.get("errorCode") or content.get("code")
    names = ("errorMessage", "message", "error_description", "error")
    message = next((str(content[n]) for n in names if isinstance(content.get(n), str)), "")
    words = f"{code} {message}" if isinstance(code, str) else message
    for secret in secrets:
        words = secret.redact(words)
    return printable(words.rstrip(". \n"))


def retry_after(answer: Answer, now: float) -> float | None:
    """Seconds to wait, of the Retry-After header (RFC 9110, 10.2.3), or None.

    A date is measured on the server's own clock where the answer shows it.
    """
    said = answer.headers.get("retry-after", "").strip()
    if said.isascii() and said.isdigit():
        return float(said[:9])
    until = _date(said)
    if until is None:
        return None
    return max(0.0, until - (_date(answer.headers.get("date", "")) or now))


def _date(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _object(answer: Answer) -> dict[str, object] | None:
    try:
        content = json.loads(answer.body, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def content_of(answer: Answer, service: str) -> dict[str, object]:
    """The JSON object that a 2xx brings.

    Raises:
        AnswerNotUnderstood: it brings something else.
    """
    content = _object(answer)
    if content is None:
        raise AnswerNotUnderstood(
            f"{service} answered HTTP {answer.status} with something that is no JSON object",
            remedy=_NOT_A_TOKEN_SERVICE,
        )
    return content


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def token_in(content: Mapping[str, object], fields: tuple[str, ...], service: str) -> str:
    """The token of an answer.

    Args:
        content: the answer.
        fields: where it may be; the first that is there counts.
        service: the service's name, for the message.

    Raises:
        AnswerNotUnderstood: there is none, or two that differ, or what is there
            cannot be a token.
    """
    given = [content[name] for name in fields if content.get(name) not in (None, "")]
    if not given:
        fault = f"holds no {' or '.join(fields)}"
    elif any(value != given[0] for value in given):
        fault = f"holds different tokens in {' and '.join(fields)}"
    elif not isinstance(given[0], str) or not is_b64token(given[0]):
        fault = f"holds something in {' or '.join(fields)} that cannot be a token"
    else:
        return given[0]
    raise AnswerNotUnderstood(f"the answer of {service} {fault}", remedy=_NOT_A_TOKEN_SERVICE)


def lifetime(
    content: Mapping[str, object], token: str, answer: Answer, service: str, *, own: bool = False
) -> float:
    """Seconds that a token lives, counted from the sending of the request.

    ``expires_in``; else ``expiration`` less the server's own Date; else the JWT's
    ``exp`` less its ``iat``. The local clock has no part in it, so a clock that is
    wrong makes no token look dead or alive. More than a day counts as a day.

    Args:
        content: the answer's JSON.
        token: the token.
        answer: the answer.
        service: the service's name, for the message.
        own: whether only the JWT is to be believed, because the answer's fields
            are about another token.

    Raises:
        AnswerNotUnderstood: there is no lifetime, or none that is positive.
            Never is one assumed: accounts shorten it to 15 minutes.
    """
    date = _date(answer.headers.get("date", ""))
    claims = _claims(token)
    life: float | None = None
    if not own and content.get("expires_in") is not None:
        life = _seconds(content["expires_in"])
    elif not own and content.get("expiration") is not None and date is not None:
        until = _seconds(content["expiration"])
        life = None if until is None else until - date
    else:
        until, since = _seconds(claims.get("exp")), _seconds(claims.get("iat"))
        life = None if until is None or since is None else until - since
    if life is None or not life > 0:  # infinity less infinity is not a number
        raise AnswerNotUnderstood(
            f"the answer of {service} does not say how long the token lives",
            remedy=_NOT_A_TOKEN_SERVICE,
        )
    return min(life, _LONGEST_LIFE)


def _seconds(value: object) -> float | None:
    if isinstance(value, str) and value.isascii() and value.isdigit():
        return float(value[:20])
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:
        return math.inf
    return number if not math.isnan(number) else None


def _claims(token: str) -> Mapping[str, object]:
    """What a JWT says of itself (RFC 7519); nothing for anything else.

    It is not verified: the token comes straight from the service, over TLS.
    """
    parts = token.split(".")
    if len(parts) != 3:
        return {}
    try:
        padded = parts[1] + "=" * (-len(parts[1]) % 4)
        claims = json.loads(base64.urlsafe_b64decode(padded))
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}
