"""Floor 4: "POST a key, read a token out of JSON", once for every source that does it.

A source declares what differs; how a key is sent, how its answer is judged
(``replies``) and what a refusal may come from (``keyforms``) is the same for all.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Literal
from urllib.parse import urlsplit

from wxhelper.errors import AnswerNotUnderstood, ConfigurationError, KeyRefused, printable
from wxhelper.plugin import keyforms
from wxhelper.plugin.endpoint import Endpoint
from wxhelper.plugin.replies import REFUSED, content_of, lifetime, refusal, token_in
from wxhelper.plugin.types import Settings, SourceContext, TokenSource
from wxhelper.secret import Secret
from wxhelper.tokens import Token

_LABEL = re.compile(r"[A-Za-z0-9-]{1,63}")


def _nothing(settings: Settings) -> None:  # noqa: ARG001
    return None


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
        own_life: whether the token's life is the one that it tells itself, as a
            JWT, because the answer's fields are about another token.
        stems: paths of a profile's ``url`` that stand for the service's own path:
            where its addresses begin, or where people find them.
        paths: the paths of hosts that have another than the service's own.
        switches: names of query parameters that a profile's ``url`` may carry,
            each ``NAME=true`` or ``NAME=false``.
        key_forms: the forms of ``keyforms`` that are right for this service, each
            with the address that is meant for such keys; "" where there is no other.
        refused: what a refusal means, after the service's name and with the
            ``{origin}`` of the key.
        remedy: what to do about a refusal.
        then: with the settings, the exchange of the token for the one that is
            wanted, whose ``key_field`` carries the first; None when it is the one.
    """

    service: str
    url: str
    body: Literal["form", "json"]
    key_field: str = "apikey"
    fields: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    token_fields: tuple[str, ...] = ("access_token",)
    scheme: str = "Bearer"
    own_life: bool = False
    stems: tuple[str, ...] = ()
    paths: Mapping[str, str] = field(default_factory=dict)
    switches: tuple[str, ...] = ()
    key_forms: Mapping[str, str] = field(default_factory=dict)
    refused: str = REFUSED
    remedy: str = ""
    then: "Callable[[Settings], KeyExchange | None]" = _nothing

    def endpoint(self, settings: Settings) -> Endpoint:
        """Where the key goes: the profile's ``url``, else the service's own address.

        A ``url`` without a path, or with one of the ``stems``, gets the service's.

        Raises:
            EndpointRefused: the address is none that a key may go to.
            ConfigurationError: a setting in it is missing, or is no label.
        """
        labels = _Labels(settings)
        if "url" not in settings:
            if self.url.startswith("/"):
                raise _missing("url")
            return Endpoint.parse(self.url.format_map(labels))
        given = Endpoint.parse(settings["url"], switches=self.switches)
        if given.path.rstrip("/") not in ("", *self.stems):
            return given
        # The settings that make the service's own host are not needed beside url.
        path = self.paths.get(given.host) or urlsplit(self.url).path.format_map(labels)
        return replace(given, path=path or "/")

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
        """One request, one token; and another of each for every step that follows."""
        steps: list[KeyExchange] = []
        following: KeyExchange | None = self._declared
        while following is not None:  # all are known before the key goes anywhere
            steps.append(following)
            following = following.then(self._context.settings)
        token = self._sent(steps[0], self._context.secret)
        for step in steps[1:]:
            token = self._sent(step, Secret(token.value, self._context.secret.origin))
        return token

    def _sent(self, declared: KeyExchange, secret: Secret) -> Token:
        context = self._context
        given = _Given(context.settings)
        fields = {name: value.format_map(given) for name, value in declared.fields.items()}
        fields[declared.key_field] = secret.reveal()
        endpoint = declared.endpoint(context.settings)
        form, document = (fields, None) if declared.body == "form" else (None, fields)
        answer = context.transport.post(
            endpoint, form=form, json=document, headers=declared.headers
        )
        if not 200 <= answer.status < 300:
            fault = refusal(
                answer,
                declared.service,
                secret,
                context.clock(),
                refused=declared.refused,
                remedy=declared.remedy,
                also=(context.secret,),
            )
            asked = declared.key_forms and secret is context.secret
            if asked and isinstance(fault, KeyRefused | AnswerNotUnderstood):
                hint = keyforms.hint(secret.reveal(), declared.key_forms, endpoint.path)
                fault.remedy = hint or fault.remedy
            raise fault
        content = content_of(answer, declared.service)
        value = token_in(content, declared.token_fields, declared.service)
        life = lifetime(content, value, answer, declared.service, own=declared.own_life)
        return Token.minted(
            declared.scheme, value, minted_at=answer.sent_at, life=life, chance=context.chance()
        )
