"""Floor 5, step 5: the one plugin that offers a kind of source.

Only the plugin that a profile names is imported. pluggy's own loading would import
every plugin of the group, and of two with one name keep whichever comes first on
``sys.path`` without a word; here ``importlib.metadata`` is asked, and both nothing
and two are errors.
"""

import logging
import os
import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

import pluggy

from wxhelper.errors import (
    AnswerNotUnderstood,
    ConfigurationError,
    KeyUnavailable,
    PluginBroken,
    PluginClash,
    PluginError,
    PluginInvalid,
    PluginMissing,
    PluginVersion,
    WxhelperError,
    printable,
)
from wxhelper.lookups import Lookups
from wxhelper.plugin import hookspecs
from wxhelper.plugin.transport import Transport
from wxhelper.plugin.types import COMMON, Settings, SourceContext, TokenSourceType
from wxhelper.profiles import KEYS, Profile, nearest, unknown_key
from wxhelper.secret import Secret, from_variable, resolve
from wxhelper.tokens import EXPIRED, Token, is_b64token

GROUP = "wxhelper"
_PLUGINS = "WXHELPER_PLUGINS"
_KEY_VARIABLE = "WXHELPER_API_KEY"
# Where a name that is not installed can be had from.
_FIRST_PARTY = {
    "ibmcloud": "wxhelper-ibmcloud",
    "ibmcloud-kubernetes": "wxhelper-ibmcloud",
    "aws": "wxhelper-aws",
    "govcloud": "wxhelper-govcloud",
    "dph": "wxhelper-dph",
}


@dataclass(frozen=True)
class Offer:
    """A source as it was found: what it is, or why it cannot be had.

    Attributes:
        name: the source's name.
        distribution: where it comes from, with its version.
        kind: the type; None when ``fault`` says why.
        fault: the error; None when there is a type.
    """

    name: str
    distribution: str
    kind: TokenSourceType | None
    fault: PluginError | None


def find(name: str, lookups: Lookups) -> TokenSourceType:
    """The kind of source of that name.

    Raises:
        PluginMissing, PluginClash, PluginBroken, PluginInvalid, PluginVersion: in
            this order of looking.
    """
    known = _installed(lookups)
    found = [point for point in known if point.name == name]
    if not found:
        raise _missing(name, {point.name for point in known}, lookups)
    if len(found) > 1:
        both = " and ".join(sorted(_distribution(point) for point in found))
        raise PluginClash(
            f"source {name} is offered by {both}", remedy="uninstall the one that you do not want"
        )
    return _load(found[0])


def offers(lookups: Lookups) -> list[Offer]:
    """Every installed source, by name; a broken one is told and stops no other."""
    points = _installed(lookups)
    listed = []
    for name in sorted({point.name for point in points}):
        distribution = " and ".join(sorted(_distribution(p) for p in points if p.name == name))
        try:
            listed.append(Offer(name, distribution, find(name, lookups), None))
        except PluginError as fault:
            listed.append(Offer(name, distribution, None, fault))
    return listed


def _installed(lookups: Lookups) -> list[EntryPoint]:
    allowed = lookups.environ.get(_PLUGINS)
    lookups.variable(_PLUGINS)
    points = entry_points(group=GROUP)
    if allowed is None:
        return list(points)
    names = {name.strip() for name in allowed.split(",")}
    return [point for point in points if point.name in names]


def _distribution(point: EntryPoint) -> str:
    if point.dist is None:
        return "an unknown distribution"
    return f"{point.dist.name} {point.dist.version}"


def _missing(name: str, known: Iterable[str], lookups: Lookups) -> PluginMissing:
    limited = _PLUGINS in lookups.environ
    shown = printable(name, 60)
    if limited and any(point.name == name for point in entry_points(group=GROUP)):
        return PluginMissing(
            f"source {shown} is installed, but {_PLUGINS} leaves it out",
            remedy=f"add {shown} to {_PLUGINS}, or unset it",
        )
    if name in _FIRST_PARTY:
        remedy = f"install the distribution {_FIRST_PARTY[name]} beside wxhelper-core"
    elif meant := nearest(name, known):
        remedy = f"did you mean {meant}?"
    else:
        remedy = f"install its plugin; installed are: {', '.join(sorted(known)) or 'none'}"
    return PluginMissing(f"no installed plugin offers source {shown}", remedy=remedy)


def _load(point: EntryPoint) -> TokenSourceType:
    where = f"the plugin {_distribution(point)}"
    mend = "upgrade or uninstall it"
    try:
        module = point.load()
    # A plugin can fail in any way, SystemExit included, and must not take us along.
    except (Exception, SystemExit) as fault:  # noqa: BLE001
        raise PluginBroken(
            f"{where} cannot be imported: {type(fault).__name__}: {printable(str(fault))}",
            remedy=mend,
        ) from None
    version = getattr(module, "wxhelper_api", None)
    if version != hookspecs.API:
        said = (
            f"for plugin API {printable(repr(version), 20)}" if version is not None else "for none"
        )
        raise PluginVersion(
            f"{where} is written {said}, and this wxhelper has plugin API {hookspecs.API}",
            remedy="install a version of it that fits"
            if version is not None
            else f"its module must say wxhelper_api = {hookspecs.API}",
        )
    try:
        kinds = _ask(module)
    except (Exception, SystemExit) as fault:  # noqa: BLE001
        raise PluginBroken(
            f"{where} fails when asked what it offers: "
            f"{type(fault).__name__}: {printable(str(fault))}",
            remedy=mend,
        ) from None
    for kind in kinds:
        if not isinstance(kind, TokenSourceType):
            raise PluginInvalid(
                f"{where} offers a {type(kind).__name__}, not a TokenSourceType", remedy=mend
            )
    matching = [kind for kind in kinds if kind.name == point.name]
    if len(matching) != 1:
        names = ", ".join(printable(str(kind.name), 60) for kind in kinds) or "nothing"
        raise PluginInvalid(
            f"{where} should offer source {point.name} once, and offers {names}", remedy=mend
        )
    return matching[0]


def _ask(module: object) -> list[TokenSourceType]:
    plugins = pluggy.PluginManager(hookspecs.PROJECT)
    plugins.add_hookspecs(hookspecs)
    plugins.register(module)
    plugins.check_pending()
    return [kind for answer in plugins.hook.wxhelper_token_sources() for kind in answer]


def settings_of(kind: TokenSourceType, profile: Profile, lookups: Lookups) -> Settings:
    """The profile's settings, checked against what the source understands.

    Raises:
        ConfigurationError: one is unknown, missing, no string, or none of the
            choices.
    """
    known = {setting.name: setting for setting in (*COMMON, *kind.settings)}
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
        value = given.get(setting.name)
        if value is None and setting.required:
            raise ConfigurationError(
                f"{_place(setting.name, profile)} is missing", remedy=f"it is {setting.help}"
            )
        if value is not None and setting.choices and value not in setting.choices:
            raise ConfigurationError(
                f"{_place(setting.name, profile)} cannot be {printable(value, 60)}",
                remedy=f"choose one of {', '.join(setting.choices)}",
            )
    return given


def _place(name: str, profile: Profile) -> str:
    if profile.from_environment:
        return f"the variable WXHELPER_{name.upper()}"
    return f"profiles.{profile.name}.{name}"


def secret_of(kind: TokenSourceType, profile: Profile, lookups: Lookups) -> Secret:
    """The profile's key.

    Raises:
        ConfigurationError: the reference is none.
        KeyUnavailable: it leads to no key.
    """
    if profile.api_key is not None:
        named = f"profiles.{profile.name}.api_key"
        return resolve(profile.api_key, named=named, config=profile.config, lookups=lookups)
    names = (_KEY_VARIABLE, *kind.api_key_variables)
    # All are looked at, so that setting a stronger one later is noticed.
    values = [lookups.variable(name) for name in names]
    for name, value in zip(names, values, strict=True):
        if value is not None:
            return from_variable(name, lookups)
    state = "has no profiles" if os.path.exists(profile.config) else "does not exist"
    raise KeyUnavailable(
        f"there is no API key: {profile.config} {state}, and none of {', '.join(names)} is set",
        remedy=f"export {names[1] if len(names) > 1 else names[0]}=YOUR_API_KEY",
    )


def fetch(
    kind: TokenSourceType,
    settings: Settings,
    secret: Secret,
    *,
    config: str,
    deadline: float,
    environ: Mapping[str, str],
    clock: Callable[[], float] = time.time,
) -> Token:
    """A new token from the source, step 6.

    Args:
        kind: its type.
        settings: checked.
        secret: the key.
        config: the configuration file; a relative ``ca_file`` starts there.
        deadline: seconds for everything that it sends.
        environ: the variables, for proxies and certificates.
        clock: Unix seconds.

    Raises:
        KeyRefused, TemporaryError, ConfigurationError: as the source says.
        PluginBroken: the source failed in a way of its own.
        AnswerNotUnderstood: what it returned is no token to be handed out.
    """
    ca_file = settings.get("ca_file")
    if ca_file:
        ca_file = os.path.join(os.path.dirname(config), os.path.expanduser(ca_file))
    try:
        transport = Transport(
            kind.token_hosts(settings),
            ca_file=ca_file,
            deadline=deadline,
            environ=environ,
            clock=clock,
        )
        context = SourceContext(
            settings=settings,
            secret=secret,
            transport=transport,
            clock=clock,
            chance=random.random,
            logger=logging.getLogger(f"wxhelper.{kind.name}"),
        )
        return _accepted(kind.open(context).fetch(), kind.name, clock())
    except WxhelperError:
        raise
    # What a plugin raises may hold anything, the key included: only its type is told.
    except (Exception, SystemExit) as fault:  # noqa: BLE001
        raise PluginBroken(
            f"the plugin of source {kind.name} failed with {type(fault).__name__}",
            remedy="upgrade it, or report it to its authors",
        ) from None


def _accepted(token: object, source: str, now: float) -> Token:
    """The token, if it can be handed out: the checks that every protocol relies on."""
    if not isinstance(token, Token) or not is_b64token(token.value):
        fault = "returned something that cannot be a token"
    elif not (token.scheme.isascii() and token.scheme.isalnum()):
        fault = "returned a token of an impossible scheme"
    elif token.state(now) == EXPIRED:
        fault = "returned a token that is dead already"
    else:
        return token
    raise AnswerNotUnderstood(
        f"the plugin of source {source} {fault}", remedy="upgrade it, or report it to its authors"
    )
