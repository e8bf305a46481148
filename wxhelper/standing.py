"""Floor 6: how each profile stands, by what can be seen from here.

Nothing is asked: no server, no keyring, no key manager. So what is found is never
called good or valid: a key is present, missing, or not looked at; a token is on
disk, and would be handed out or not.
"""

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from wxhelper import manager, profiles, source
from wxhelper.cache import Cache
from wxhelper.errors import (
    ConfigurationError,
    KeyUnavailable,
    WxhelperError,
    printable,
    unkeyed,
)
from wxhelper.fingerprint import fingerprint
from wxhelper.lookups import Lookups
from wxhelper.plugin.types import TokenSourceType
from wxhelper.profiles import Profile
from wxhelper.record import Basis, Moment, Record, clock_held, file_state
from wxhelper.reference import UNTRIED, shown_reference
from wxhelper.secret import resolve
from wxhelper.tokens import EXPIRED, STALE

PRESENT, MISSING, UNUSABLE, NOT_LOOKED_AT = "present", "missing", "unusable", "not looked at"
NONE, OUTDATED, DUE, NEVER = "none", "outdated", "due", "never kept"


@dataclass(frozen=True)
class Remark:
    """Something to be warned of: the text, and what to do about it."""

    text: str
    remedy: str = ""

    @classmethod
    def of(cls, fault: WxhelperError, profile: str = "") -> "Remark":
        """An error as a remark about a profile."""
        return cls(_shown(fault.message), _shown(fault.remedy_for(profile)))


@dataclass(frozen=True)
class Key:
    """Where a profile's key comes from.

    Attributes:
        state: PRESENT, MISSING, UNUSABLE or NOT_LOOKED_AT.
        origin: the reference, or the variable that won; None when nothing names one.
        ignored: variables that are set, and would hold such a key if they counted.
    """

    state: str
    origin: str | None
    ignored: tuple[str, ...] = ()


@dataclass(frozen=True)
class Kept:
    """The token on disk.

    Attributes:
        state: ``fresh``; DUE for renewal; ``expired``; OUTDATED when it will not be handed
            out; NONE; NEVER where the token is the key itself.
        scheme: of the token; None without one.
        expires_at: Unix seconds, or None.
        refresh_at: Unix seconds, or None.
        reason: why it is outdated or never kept, or "".
    """

    state: str
    scheme: str | None = None
    expires_at: int | None = None
    refresh_at: int | None = None
    reason: str = ""


@dataclass(frozen=True)
class Setback:
    """The last failure.

    Attributes:
        what: its message and remedy.
        at: when it was, Unix seconds.
        until: Unix seconds; until then it is told again and the service left alone.
        remembered: whether that is so for the present key and configuration.
    """

    what: Remark
    at: float
    until: float
    remembered: bool


@dataclass(frozen=True, kw_only=True)
class Standing:
    """One profile, as it stands.

    Attributes:
        name: of the profile.
        chosen: whether it is the one that is used when none is named.
        source: the kind of source; None when that cannot be read.
        plugin: the distribution that offers it; None when it cannot be had.
        key: its key.
        token: its token.
        failure: its last failure, or None.
        remarks: what to be warned of.
    """

    name: str
    chosen: bool
    source: str | None
    plugin: str | None
    key: Key
    token: Kept
    failure: Setback | None
    remarks: tuple[Remark, ...]


LOST = Remark(
    "WXHELPER_CONFIG names a file that does not exist",
    "correct WXHELPER_CONFIG, or: wxhelper login",
)
"""For whoever mistypes the variable: another key than the meant one may be in use."""


@dataclass(frozen=True, kw_only=True)
class Overview:
    """Everything that can be seen from here.

    Attributes:
        config: the configuration file, there or not.
        cache: the cache directory; None when there cannot be one.
        obstacle: why nothing can be kept, or "".
        configured: whether there is a profile in the configuration; else the
            variables are one.
        chosen: the profile that is used when none is named, or None.
        profiles: all of them, in the order of the file.
        remarks: about none of them alone.
    """

    config: str
    cache: str | None
    obstacle: str
    configured: bool
    chosen: str | None
    profiles: tuple[Standing, ...]
    remarks: tuple[Remark, ...]


def overview(environ: Mapping[str, str], now: Moment, named: str | None = None) -> Overview:
    """How all profiles stand, or the one of that name.

    Args:
        environ: the variables.
        now: the present.
        named: the only profile to look at; None for all.

    Raises:
        ConfigurationError: the configuration cannot be used.
        UnknownProfile: there is none of that name.
    """
    config = profiles.config_file(environ)
    listing = profiles.every(config, lookups=Lookups(environ))
    known = listing.profiles
    if named is not None and named not in known:
        raise profiles.no_such_profile(named, known, config, "--profile ")
    chosen, remarks = environ.get("WXHELPER_PROFILE") or listing.default, []
    if listing.fault is not None:
        remarks.append(Remark.of(listing.fault))
    if chosen is not None and chosen not in known:
        fault = profiles.no_such_profile(chosen, known, config)
        remarks.append(Remark(f"WXHELPER_PROFILE: {_shown(fault.message)}", fault.remedy))
        chosen = None
    if environ.get("WXHELPER_CONFIG") and not os.path.exists(config):
        remarks.append(LOST)
    looker = _Looker(environ, config, now)
    return Overview(
        config=config,
        cache=looker.cache.directory,
        obstacle=looker.obstacle,
        configured=not any(isinstance(p, Profile) and p.from_environment for p in known.values()),
        chosen=chosen,
        profiles=tuple(
            looker.standing(name, one, chosen=name == chosen)
            for name, one in known.items()
            if named in (None, name)
        ),
        remarks=tuple(remarks),
    )


def _shown(text: str) -> str:
    return printable(unkeyed(text), 1000)


class _Looker:
    """Looks at one profile after the other."""

    def __init__(self, environ: Mapping[str, str], config: str, now: Moment) -> None:
        self._environ = environ
        self._config = config
        self._now = now
        self.cache = Cache(environ, config)
        self.obstacle = self.cache.obstacle()
        self._offers: dict[str, manager.Offer] = {}

    def standing(self, name: str, found: Profile | ConfigurationError, *, chosen: bool) -> Standing:
        """How a profile stands."""
        remarks: list[Remark] = []
        plugin, key, profile = None, Key(UNUSABLE, None), None
        if isinstance(found, Profile):
            profile = found
            lookups = Lookups(self._environ, wall=lambda: self._now.wall)
            offer = self._offer(profile.source)
            plugin = offer.distribution or None
            remarks += _about_settings(offer, profile, lookups)
            key, about_key = _key(offer.kind, profile, lookups)
            remarks += about_key
        else:
            remarks.append(Remark.of(found, name))
        if not self.obstacle and self.cache.garbled(name):
            what = "what is in its token's place in the cache cannot be trusted"
            remarks.append(Remark(what, f"drop it: wxhelper invalidate --profile {name}"))
        return Standing(
            name=name,
            chosen=chosen,
            source=_shown(profile.source) if profile is not None else None,
            plugin=plugin,
            key=key,
            token=self._token(name),
            failure=self._failure(name, volatile=profile is not None and profile.volatile),
            remarks=tuple(remarks),
        )

    def _offer(self, name: str) -> manager.Offer:
        """What is installed for a source; looked for once, however many profiles name it."""
        if name not in self._offers:
            self._offers[name] = manager.offer(name, Lookups(self._environ))
        return self._offers[name]

    def _token(self, name: str) -> Kept:
        found = self.cache.read(name)
        if found is None:
            basis = self.cache.nothing(name)
            if basis is None or self._changed(basis):
                return Kept(NONE)
            return Kept(NEVER, reason="the token is the key itself")
        reason = self._outdated(found)
        state = found.token.state(self._now.wall)
        if reason and state != EXPIRED:
            state = OUTDATED
        return Kept(
            DUE if state == STALE else state,
            found.token.scheme,
            found.token.expires_at,
            found.token.refresh_at,
            reason,
        )

    def _outdated(self, found: Record) -> str:
        if self.cache.generation(found.profile) != found.generation:
            return "it was invalidated"
        if not clock_held(found, self._now):
            return "the clock has been set since"
        return self._changed(found.basis)

    def _changed(self, basis: Basis) -> str:
        """What has changed since, or ""."""
        if basis.unchanged(self._environ, self._config, fingerprint):
            return ""
        if not basis.files or basis.files[0][0] != self._config:
            return "it is about another configuration"
        changed = [path for path, state in basis.files if file_state(path) != state]
        changed += [
            f"the variable {name}"
            for name, digest in basis.variables
            if not Basis(basis.salt, "", [], [(name, digest)]).variables_unchanged(
                self._environ, fingerprint
            )
        ]
        return f"{_shown(changed[0])} has changed since"

    def _failure(self, name: str, *, volatile: bool) -> Setback | None:
        found = self.cache.failure(name)
        if found is None:
            return None
        stands = found.stands(self._now.wall) and not volatile
        return Setback(
            Remark.of(found.error(), name),
            found.moment.wall,
            found.until,
            stands and not self._changed(found.basis),
        )


def readable_by_others(path: str) -> Remark | None:
    """The warning about a key file that more than its owner can read, or None.

    Such a file works: mounted secrets are like that.
    """
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return None
    if os.name != "posix" or not mode & 0o044:
        return None
    return Remark(
        f"the key file {_shown(path)} can be read by other users", f"chmod 600 {shlex.quote(path)}"
    )


def _about_settings(offer: manager.Offer, profile: Profile, lookups: Lookups) -> list[Remark]:
    """What the source would say about the profile's settings."""
    kind = offer.kind
    try:
        if kind is None:
            return [Remark.of(offer.fault)] if offer.fault is not None else []
        source.survived(
            kind.name, lambda: kind.token_hosts(source.settings_of(kind, profile, lookups))
        )
    except WxhelperError as fault:
        return [Remark.of(fault, profile.name)]
    return []


def _key(
    kind: TokenSourceType | None, profile: Profile, lookups: Lookups
) -> tuple[Key, list[Remark]]:
    """The profile's key, and what there is to say about it."""
    held = _variables(kind, lookups)
    reference = profile.api_key or (f"env:{held[0]}" if held else "")
    ignored = tuple(name for name in held if reference != f"env:{name}")
    origin = shown_reference(reference)
    if reference.startswith(UNTRIED) or (kind is None and not reference):
        return Key(NOT_LOOKED_AT, origin, ignored), []
    try:
        if kind is not None:
            secret = source.secret_of(kind, profile, lookups, deadline=0.0)
        else:
            named = f"profiles.{profile.name}.api_key"
            secret = resolve(reference, named=named, config=profile.config, lookups=lookups)
    except ConfigurationError as fault:
        missing = isinstance(fault, KeyUnavailable) and not _something_there(
            reference, profile.config, lookups
        )
        state = MISSING if missing else UNUSABLE
        return Key(state, origin, ignored), [Remark.of(fault, profile.name)]
    kind_of_origin, _, path = secret.origin.partition(":")
    remark = readable_by_others(path) if kind_of_origin == "file" else None
    return Key(PRESENT, origin, ignored), [remark] if remark is not None else []


def _variables(kind: TokenSourceType | None, lookups: Lookups) -> list[str]:
    """The variables that are set and hold such a key, as far as the plugin can tell."""
    if kind is None:
        return []
    try:
        return source.survived(kind.name, lambda: source.key_variables(kind, lookups))
    except WxhelperError:
        return []  # its remark is made where the settings are looked at


def _something_there(reference: str, config: str, lookups: Lookups) -> bool:
    """Whether a reference leads to something, which then is no usable key."""
    kind, _, rest = reference.partition(":")
    if kind == "file":
        return os.path.lexists(os.path.join(os.path.dirname(config), os.path.expanduser(rest)))
    return kind == "env" and lookups.variable(rest) is not None
