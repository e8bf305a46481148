"""Floor 5, step 6: a profile's source at work: its settings, its key, its token."""

import logging
import os
import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

from wxhelper import hosts
from wxhelper.errors import (
    AnswerNotUnderstood,
    ConfigurationError,
    Ended,
    KeyUnavailable,
    PluginBroken,
    WxhelperError,
    place_of,
    printable,
)
from wxhelper.lookups import Lookups
from wxhelper.plugin.surroundings import NETWORK_VARIABLES
from wxhelper.plugin.transport import Transport
from wxhelper.plugin.types import Setting, Settings, SourceContext, TokenSourceType
from wxhelper.profiles import KEYS, Profile, unknown_key
from wxhelper.secret import Secret, from_variable, resolve
from wxhelper.tokens import EXPIRED, Token, is_b64token

__all__ = [
    "NETWORK_VARIABLES",
    "Conditions",
    "audience_of",
    "ca_file_of",
    "context_of",
    "fetch",
    "key_variables",
    "secret_of",
    "settings_of",
    "survived",
]

_T = TypeVar("_T")

_KEY_VARIABLE = "WXHELPER_API_KEY"


def settings_of(kind: TokenSourceType, profile: Profile, lookups: Lookups) -> Settings:
    """The profile's settings, checked against what the source understands.

    Raises:
        ConfigurationError: one is unknown, missing, empty, no string, or not what
            the source allows.
    """
    known = {setting.name: setting for setting in kind.all_settings}
    raw: dict[str, object] = dict(profile.settings)
    if profile.from_environment:
        raw = {n: v for n in known if (v := lookups.variable(f"WXHELPER_{n.upper()}")) is not None}
    given: dict[str, str] = {}
    for name, value in raw.items():
        if name not in known:
            raise unknown_key(name, [*KEYS, *known], profile.config, f"profiles.{profile.name}")
        if not isinstance(value, str):
            raise ConfigurationError(
                f"{profile.config}: {_place(name, profile)} must be a string",
                remedy=f'write {name} = "..."',
            )
        given[name] = value
    for setting in known.values():
        if setting.default is not None:
            given.setdefault(setting.name, setting.default)
        if fault := _judged(setting, given):
            where = _place(setting.name, profile)
            raise ConfigurationError(f"{where} {fault[0]}", remedy=fault[1])
    return given


def _judged(setting: Setting, given: Settings) -> tuple[str, str] | None:
    """What is wrong with a setting, and the remedy; or None."""
    value, meaning = given.get(setting.name), f"it is {setting.help}"
    if value is None:
        needed = setting.required and setting.unless not in given
        return ("is missing", meaning) if needed else None
    if not value:
        return "is empty", meaning
    if setting.choices and value not in setting.choices:
        return f"cannot be {printable(value, 60)}", f"choose one of {', '.join(setting.choices)}"
    if setting.pattern and not re.fullmatch(setting.pattern, value):
        return f"cannot be {printable(value, 60)}", meaning
    return None


def _place(name: str, profile: Profile) -> str:
    if profile.from_environment:
        return f"the variable WXHELPER_{name.upper()}"
    return f"profiles.{profile.name}.{name}"


def audience_of(kind: TokenSourceType, profile: Profile, settings: Settings) -> tuple[str, ...]:
    """Who may be given the profile's token, each as ``hosts.entry`` gives it.

    Raises:
        ConfigurationError: as the source says, of a setting that it needs.
        PluginBroken: the source cannot tell.
    """
    if profile.hosts is not None:
        return profile.hosts
    found = survived(kind.name, lambda: [hosts.entry(host) for host in kind.audience(settings)])
    listed = sorted(host for host in found if host is not None)
    if len(listed) < len(found):
        raise PluginBroken(
            f"the plugin of source {kind.name} tells no hosts that may be given its token",
            remedy="upgrade it, or report it to its authors",
        )
    return tuple(listed)


def secret_of(
    kind: TokenSourceType, profile: Profile, lookups: Lookups, *, deadline: float
) -> Secret:
    """The profile's key.

    Args:
        kind: the type, which names the variables that people keep such a key in.
        profile: the profile.
        lookups: reads variables and files.
        deadline: seconds that a command may take.

    Raises:
        ConfigurationError: the reference is none.
        KeyUnavailable: it leads to no key.
    """
    if profile.api_key is not None:
        named = f"profiles.{profile.name}.api_key"
        return resolve(
            profile.api_key,
            named=named,
            config=profile.config,
            lookups=lookups,
            deadline=deadline,
        )
    if held := key_variables(kind, lookups):
        return from_variable(held[0], lookups)
    names = (_KEY_VARIABLE, *kind.api_key_variables)
    state = "has no profiles" if os.path.exists(profile.config) else "does not exist"
    raise KeyUnavailable(
        f"there is no API key: {profile.config} {state}, and none of {', '.join(names)} is set",
        remedy=("correct WXHELPER_CONFIG, or " if lookups.environ.get("WXHELPER_CONFIG") else "")
        + "store one: wxhelper login; "
        f"or export {names[1] if len(names) > 1 else names[0]}=YOUR_API_KEY",
    )


def key_variables(kind: TokenSourceType, lookups: Lookups) -> list[str]:
    """The variables that hold something in a key's place, the one that wins first.

    Args:
        kind: the type, which names the variables that people keep such a key in.
        lookups: reads them; all of them, so that setting a stronger one is noticed.
    """
    names = dict.fromkeys((_KEY_VARIABLE, *kind.api_key_variables))
    return [name for name in names if lookups.variable(name) is not None]


@dataclass(frozen=True, kw_only=True)
class Conditions:
    """Under which a source is at work.

    Attributes:
        config: the configuration file; a relative ``ca_file`` starts there.
        deadline: seconds for everything that it sends.
        environ: the variables, for proxies and certificates.
        clock: Unix seconds.
        insist: whether what got no answer is sent again.
    """

    config: str
    deadline: float
    environ: Mapping[str, str]
    clock: Callable[[], float] = time.time
    insist: bool = True


def fetch(
    kind: TokenSourceType, settings: Settings, secret: Secret, conditions: Conditions
) -> Token:
    """A new token from the source, step 6.

    Args:
        kind: its type.
        settings: checked.
        secret: the key.
        conditions: for the context.

    Raises:
        KeyRefused, TemporaryError, ConfigurationError: as the source says.
        PluginBroken: the source failed in a way of its own.
        AnswerNotUnderstood: what it returned is no token to be handed out.
    """

    def work() -> Token:
        context = context_of(kind, settings, secret, conditions)
        return _accepted(kind.open(context).fetch(), kind.name, conditions.clock())

    return survived(kind.name, work)


def context_of(
    kind: TokenSourceType, settings: Settings, secret: Secret, conditions: Conditions
) -> SourceContext:
    """What the source is handed; its deadline counts from now.

    Raises:
        ConfigurationError: its hosts or its certificates cannot be told.
    """
    transport = Transport(
        kind.token_hosts(settings),
        ca_file=ca_file_of(settings, conditions.config),
        deadline=conditions.deadline,
        environ=conditions.environ,
        clock=conditions.clock,
        insist=conditions.insist,
    )
    return SourceContext(
        settings=settings,
        secret=secret,
        transport=transport,
        clock=conditions.clock,
        chance=random.random,
        logger=logging.getLogger(f"wxhelper.{kind.name}"),
    )


def ca_file_of(settings: Settings, config: str) -> str | None:
    """The file of certificates that the profile names, absolute; or None."""
    named = settings.get("ca_file")
    return os.path.join(os.path.dirname(config), os.path.expanduser(named)) if named else None


def survived(source: str, step: Callable[[], _T]) -> _T:
    """What a step of the plugin's own code gives.

    Raises:
        WxhelperError: as the plugin says.
        PluginBroken: it failed in a way of its own.
    """
    try:
        return step()
    except (WxhelperError, KeyboardInterrupt, Ended):
        raise
    # What a plugin raises may hold anything, the key included: its type and place are told.
    except BaseException as fault:  # noqa: BLE001
        raise PluginBroken(
            f"the plugin of source {source} failed with {type(fault).__name__} at "
            f"{place_of(fault)}",
            remedy="upgrade it, or report it to its authors",
        ) from None


def _is_plain(token: Token) -> bool:
    """Whether every part is what it should be, and no subclass with ideas of its own."""
    times = (token.refresh_at, token.expires_at)
    return (
        type(token) is Token
        and type(token.value) is str
        and type(token.scheme) is str
        and token.scheme.isascii()
        and token.scheme.isalnum()
        and type(token.minted_at) in (int, float)
        and (times == (None, None) or all(type(time) is int and time >= 0 for time in times))
    )


def _accepted(token: object, source: str, now: float) -> Token:
    """The token, if it can be handed out: the checks that every protocol relies on."""
    fault = "returned something that cannot be a token"
    if isinstance(token, Token) and _is_plain(token) and is_b64token(token.value):
        if token.state(now) != EXPIRED:
            return token
        fault = "returned a token that is dead already"
    raise AnswerNotUnderstood(
        f"the plugin of source {source} {fault}", remedy="upgrade it, or report it to its authors"
    )
