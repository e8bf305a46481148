"""Floor 4: "POST a key, read a token out of JSON", once for every source that does it.

A source declares what differs; how a key is sent, how an answer is judged and how
long a token lives is the same for all, and stands here.
"""

import base64
import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Literal
from urllib.parse import urlsplit

from wxhelper.errors import (
    THIS_PROFILE,
    AnswerNotUnderstood,
    ConfigurationError,
    KeyRefused,
    ServiceFailed,
    Throttled,
    WxhelperError,
    printable,
)
from wxhelper.plugin.endpoint import Endpoint
from wxhelper.plugin.transport import Answer
from wxhelper.plugin.types import Settings, SourceContext, TokenSource
from wxhelper.secret import Secret
from wxhelper.tokens import Token, is_b64token

_REFUSALS = (400, 401, 403)
_LONGEST_LIFE = 86_400.0
_LABEL = re.compile(r"[A-Za-z0-9-]{1,63}")
_NOT_A_TOKEN_SERVICE = "check url in the profile: is it the token service?"


@dataclass(frozen=True, kw_only=True)
class KeyExchange:
    """The declaration of one such service.

    Attributes:
        service: its name, for messages.
        url: its address, or its path alone when only the profile's ``url`` can tell
            the host. Settings may stand in it as ``{name}``, each as one label or
            word: letters, digits and hyphens.
        body: how the key is sent.
        key_field: the field that carries the key.
        fields: what is sent beside the key; settings may stand in the values.
        headers: what else is said, for example a client's Basic authentication.
        token_fields: where the token is in the answer; the first that is there
            counts, and two that differ are not understood.
        scheme: the token's authentication scheme.
    """

    service: str
    url: str
    body: Literal["form", "json"]
    key_field: str = "apikey"
    fields: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    token_fields: tuple[str, ...] = ("access_token",)
    scheme: str = "Bearer"

    def endpoint(self, settings: Settings) -> Endpoint:
        """Where the key goes: the profile's ``url``, else the service's own address.

        A ``url`` without a path gets the service's path.

        Raises:
            EndpointRefused: the address is none that a key may go to.
            ConfigurationError: a setting in it is missing, or is no label.
        """
        labels = _Labels(settings)
        if "url" not in settings:
            if self.url.startswith("/"):
                raise _missing("url")
            return Endpoint.parse(self.url.format_map(labels))
        # The settings that make the service's own host are not needed beside url.
        path = urlsplit(self.url).path.format_map(labels)
        return Endpoint.parse(settings["url"], default_path=path or "/")

    def token_hosts(self, settings: Settings) -> frozenset[str]:
        """The one host that the key goes to."""
        return frozenset({self.endpoint(settings).origin})

    def open(self, context: SourceContext) -> TokenSource:
        """The source, for a profile: a type's ``open``."""
        return _Exchange(self, context)


class _Given(dict[str, str]):
    """The settings, for a template."""

    def __missing__(self, name: str) -> str:
        raise _missing(name)


class _Labels(_Given):
    """The settings, for an address: none can bring a host or a path of its own."""

    def __getitem__(self, name: str) -> str:
        value = super().__getitem__(name)
        if not _LABEL.fullmatch(value):
            raise ConfigurationError(
                f"the setting {name} cannot be {printable(value, 60)}",
                remedy="write letters, digits and hyphens only",
            )
        return value


def _missing(name: str) -> ConfigurationError:
    return ConfigurationError(
        f"the setting {name} is missing",
        remedy=f"write it into the profile, or export WXHELPER_{name.upper()}",
    )


class _Exchange:
    def __init__(self, declared: KeyExchange, context: SourceContext) -> None:
        self._declared = declared
        self._context = context

    def fetch(self) -> Token:
        """One request, one token."""
        declared, context = self._declared, self._context
        given = _Given(context.settings)
        fields = {name: value.format_map(given) for name, value in declared.fields.items()}
        fields[declared.key_field] = context.secret.reveal()
        endpoint = declared.endpoint(context.settings)
        form, document = (fields, None) if declared.body == "form" else (None, fields)
        answer = context.transport.post(
            endpoint, form=form, json=document, headers=declared.headers
        )
        if not 200 <= answer.status < 300:
            raise refusal(answer, declared.service, context.secret, context.clock())
        content = _content(answer, declared.service)
        value = _token(content, declared)
        life = lifetime(content, value, answer, declared.service)
        return Token.minted(
            declared.scheme, value, minted_at=answer.sent_at, life=life, chance=context.chance()
        )


def refusal(answer: Answer, service: str, secret: Secret, now: float) -> WxhelperError:
    """The error that an answer without a token means; its status class decides.

    Args:
        answer: anything but a 2xx.
        service: the service's name, for the message.
        secret: the key; no spelling of it gets into the message.
        now: Unix seconds, for a Retry-After that is a date.
    """
    said = _said(answer, secret)
    reason = f": {said}" if said else f" (HTTP {answer.status})"
    # What stands between, a proxy for example, refuses with pages of its own.
    if answer.status == 401 or (answer.status in _REFUSALS and _object(answer) is not None):
        return KeyRefused(
            f"{service} refused the API key from {secret.origin}{reason}",
            remedy=f"{secret.replacement}; if the key was mended instead, run: "
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


def _said(answer: Answer, secret: Secret) -> str:
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
    return printable(secret.redact(words).rstrip(". \n"))


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


def _content(answer: Answer, service: str) -> dict[str, object]:
    content = _object(answer)
    if content is None:
        raise AnswerNotUnderstood(
            f"{service} answered HTTP {answer.status} with something that is no JSON object",
            remedy=_NOT_A_TOKEN_SERVICE,
        )
    return content


def _no_constant(name: str) -> object:
    raise ValueError(f"{name} is not JSON")


def _token(content: Mapping[str, object], declared: KeyExchange) -> str:
    given = [content[n] for n in declared.token_fields if content.get(n) not in (None, "")]
    names = " or ".join(declared.token_fields)
    if not given:
        fault = f"holds no {names}"
    elif any(value != given[0] for value in given):
        fault = f"holds different tokens in {' and '.join(declared.token_fields)}"
    elif not isinstance(given[0], str) or not is_b64token(given[0]):
        fault = f"holds something in {names} that cannot be a token"
    else:
        return given[0]
    raise AnswerNotUnderstood(
        f"the answer of {declared.service} {fault}", remedy=_NOT_A_TOKEN_SERVICE
    )


def lifetime(content: Mapping[str, object], token: str, answer: Answer, service: str) -> float:
    """Seconds that a token lives, counted from the sending of the request.

    ``expires_in``; else ``expiration`` less the server's own Date; else the JWT's
    ``exp`` less its ``iat``. The local clock has no part in it, so a clock that is
    wrong makes no token look dead or alive. More than a day counts as a day.

    Raises:
        AnswerNotUnderstood: there is no lifetime, or none that is positive.
            Never is one assumed: accounts shorten it to 15 minutes.
    """
    date = _date(answer.headers.get("date", ""))
    claims = _claims(token)
    life: float | None = None
    if content.get("expires_in") is not None:
        life = _seconds(content["expires_in"])
    elif content.get("expiration") is not None and date is not None:
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
