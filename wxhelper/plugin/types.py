"""Floor 4: what a plugin offers, and what a source is handed."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, Protocol

from wxhelper.plugin.transport import Transport
from wxhelper.secret import Secret
from wxhelper.tokens import Token

Settings = Mapping[str, str]
"""A profile's settings, checked: name to value; a setting without value is absent."""


@dataclass(frozen=True, kw_only=True)
class Setting:
    """One key of a profile that a source understands.

    Attributes:
        name: the key; without a configuration, ``WXHELPER_<NAME>``.
        help: one line for a person.
        required: whether a profile without it is refused.
        default: its value when the profile does not say; None for none.
        choices: the values it may have; empty for any.
        pattern: the regular expression that its whole value must match; empty for
            any value. Its ``help`` then tells an example.
        unless: another setting, beside which it is not required.
        asked: whether ``login`` asks a person for it; else it is an option alone.
    """

    name: str
    help: str
    required: bool = False
    default: str | None = None
    choices: tuple[str, ...] = ()
    pattern: str = ""
    unless: str = ""
    asked: bool = True


@dataclass(frozen=True, kw_only=True)
class SourceContext:
    """What a source is given, and all it is given.

    Attributes:
        settings: the profile's settings.
        secret: the API key.
        transport: the one way to the network; it reaches the ``token_hosts`` only.
        clock: Unix seconds.
        chance: a random number, 0 to 1.
        logger: for the curious; never shown by a helper.
    """

    settings: Settings
    secret: Secret
    transport: Transport
    clock: Callable[[], float]
    chance: Callable[[], float]
    logger: logging.Logger


class TokenSource(Protocol):
    """What ``open`` returns."""

    def fetch(self) -> Token:
        """Ask the service for a token, now.

        One call is one exchange: nothing is cached, printed or tried again here.

        Raises:
            KeyRefused: the service says that the key is not good.
            TemporaryError: it may work later; Throttled when the service says when.
            ConfigurationError: it cannot work with these settings.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class CheckResult:
    """What a check found.

    Attributes:
        outcome: ``unknown`` for what could not be tried; never ``ok`` for that.
        text: one line.
        remedy: what to do or to type next.
    """

    outcome: Literal["ok", "warn", "fail", "unknown"]
    text: str
    remedy: str = ""


@dataclass(frozen=True, kw_only=True)
class Check:
    """A diagnosis that belongs to one kind of source.

    Attributes:
        name: a few words.
        run: looks, and tells.
    """

    name: str
    run: Callable[[SourceContext], CheckResult]


Hosts = Callable[[Settings], frozenset[str]]


def _nobody(settings: Settings) -> frozenset[str]:  # noqa: ARG001
    return frozenset()


def _bearer(settings: Settings) -> str:  # noqa: ARG001
    return "Bearer"


@dataclass(frozen=True, kw_only=True)
class TokenSourceType:
    """A kind of token source.

    Attributes:
        name: what a profile writes as ``source``, and the entry point's name.
        summary: one line for a person.
        settings: what a profile may say besides ``source``, ``api_key``, ``url``
            and ``ca_file``, which every source takes. One with such a name replaces
            it, and so can say more about it.
        token_hosts: the hosts that the key may be sent to, ``host`` or
            ``host:port``. The transport reaches nothing else; the host of the
            profile's ``url`` always belongs to them.
        audience: the hosts that may be given the token by a helper. Another list
            than ``token_hosts``, and never mixed with it. Both are handed the
            profile's settings and nothing else: one that is optional, or not needed
            beside another, may be absent.
        open: makes a source; called with the context, does nothing else.
        api_key_variables: the variables that people keep such a key in, the one
            that wins first.
        scheme: its tokens' authentication scheme, for those who must know it before
            there is a token: kubectl and docker carry ``Bearer`` alone.
        registries: those of the audience that are container registries.
        services: the base URLs that a user needs next: what for, then in which
            region ("" where there is but one). Their hosts belong to the audience.
        checks: diagnoses of its own.
    """

    name: str
    summary: str
    token_hosts: Hosts
    audience: Hosts
    open: Callable[[SourceContext], TokenSource]
    settings: tuple[Setting, ...] = ()
    api_key_variables: tuple[str, ...] = ()
    scheme: Callable[[Settings], str] = _bearer
    registries: Hosts = _nobody
    services: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    checks: tuple[Check, ...] = field(default=(), repr=False)

    @property
    def all_settings(self) -> tuple[Setting, ...]:
        """The common ones and its own."""
        named = {setting.name: setting for setting in (*COMMON, *self.settings)}
        return tuple(named.values())


COMMON = (
    Setting(name="url", help="the token service's address, with or without its path"),
    Setting(name="ca_file", help="certificates (PEM) to trust for it instead of the usual ones"),
)
"""The settings that every source takes."""
