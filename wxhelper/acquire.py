"""Floor 6, steps 3 to 7: the whole story of a token, on one screen.

Read ``Acquisition.run``. A call waits for at most one other process, asks the
service at most twice, and never hands out a token that is dead, invalidated, or
made with another key than the configuration names now.
"""

import os
import random
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from wxhelper import errors, profiles
from wxhelper.cache import Cache, Failure, Lock
from wxhelper.errors import HostRefused, KeyRefused, TemporaryError, Throttled, WxhelperError
from wxhelper.fingerprint import fingerprint
from wxhelper.hosts import Place, matches
from wxhelper.lookups import Lookups
from wxhelper.protocols import Asked, Grant
from wxhelper.record import ABSENT, Basis, Moment, Record, clock_held
from wxhelper.tokens import EXPIRED, FRESH, Token

if TYPE_CHECKING:
    from wxhelper.plugin.types import Settings, TokenSourceType
    from wxhelper.secret import Secret

# Longer than a healthy holder of the lock takes, and with what comes after it short
# of the 32 seconds that kubectl gives a discovery request, its helper's time included.
PATIENCE = 18.0
_PATIENCE_SPREAD = 4.0
_BUDGET = 30.0
_FETCH_DEADLINE = 10.0
_RENEWAL_DEADLINE = 3.0
_FIRST_PAUSE, _PAUSE_GROWTH, _LONGEST_PAUSE = 0.002, 1.5, 0.1
_LOCK_EVERY = 4

_REFUSED_FOR = 60.0
_THROTTLED_FOR = 30.0
_THROTTLED_AT_MOST = 300.0
_FAILED_FOR, _FAILED_AT_MOST = 2.0, 30.0
_IN_A_ROW = 60.0
_HOSTS_SHOWN = 8
_KEY_LENGTH = 36

Identify = Callable[[str], str]
"""Gives the identity (source, settings and key) under a salt."""


class Acquisition:
    """One call for a token.

    Args:
        asked: what the caller wants.
        environ: the variables.
        moment: the present, on the wall and boot clocks.
        sleep: waits for a number of seconds.
        patience: seconds to wait for another process that is fetching.
        insist: whether a request that got no answer is sent again.

    Attributes:
        unkept: why the token could not be kept, or "".
    """

    def __init__(
        self,
        asked: Asked,
        environ: Mapping[str, str],
        *,
        moment: Callable[[], Moment] = Moment.now,
        sleep: Callable[[float], None] = time.sleep,
        patience: float = PATIENCE,
        insist: bool = True,
    ) -> None:
        self._asked = asked
        self._environ = environ
        self._moment = moment
        self._sleep = sleep
        self._insist = insist
        self._patience = patience + random.uniform(0, _PATIENCE_SPREAD)  # noqa: S311
        self._began = moment().wall
        self._end = time.monotonic() + _BUDGET
        self._lookups = Lookups(environ, wall=lambda: moment().wall, sleep=sleep)
        self._config = profiles.config_file(environ)
        self._cache = Cache(environ, self._config)
        self._identify: Identify | None = None
        self._keyless: Basis | None = None
        self._audience: tuple[str, ...] = ()
        self.unkept = ""

    def run(self) -> Grant:
        """The token.

        Raises:
            ConfigurationError: the profile, its key or its source cannot be used.
            KeyRefused: the service does not take the key.
            TemporaryError: there is no token now.
        """
        profile = profiles.choose(self._asked.profile, config=self._config, lookups=self._lookups)
        admitted = False
        try:
            held = self._usable(self._cache.read(profile.name))
            self._admit(profile, held)
            admitted = True
            if held is not None and self._fresh(held):
                return self._grant(held, cached=True)
            turn = self._turn(profile, held)
            if isinstance(turn, Grant):
                return turn
            with turn:
                held = self._usable(self._cache.read(profile.name))
                if held is not None and self._fresh(held):
                    return self._grant(held, cached=True)
                return self._renew(profile, held)
        except WxhelperError as fault:
            fault.profile = profile.name
            fault.admitted = admitted
            raise

    def _admit(self, profile: profiles.Profile, held: Record | None) -> None:
        """Refuse a place that is not to be given the token, before one is even asked for.

        Raises:
            HostRefused: the token is for others.
            ConfigurationError: it cannot be told whom it is for.
        """
        if not self._asked.places:
            return
        audience = held.hosts if held is not None else profile.hosts
        if audience is None:
            from wxhelper import manager, source

            kind = manager.find(profile.source, self._lookups)
            settings = source.settings_of(kind, profile, self._lookups)
            audience = source.audience_of(kind, profile, settings)
        for place in self._asked.places:
            if not matches(audience, place):
                raise _not_for(place, audience, profile)

    def _turn(self, profile: profiles.Profile, held: Record | None) -> Lock | Grant:
        """The turn to fetch; or what another process fetched meanwhile.

        With a token that is good for a while nobody waits, nor where nothing is kept:
        what another process fetches there is of no use to this one. Past the patience
        the holder is taken for stuck and the lock for nothing.
        """
        end, pause, attempt = time.monotonic() + self._patience, _FIRST_PAUSE, 0
        while True:
            self._raise_remembered(profile, held)
            if held is None and self._keeps_nothing(profile.name):
                return Lock(None)
            lock = self._cache.try_lock(profile.name) if attempt % _LOCK_EVERY == 0 else None
            if lock is not None:
                return lock
            if held is not None:
                return self._grant(held, cached=True)
            if time.monotonic() >= end:
                return Lock(None)
            self._sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311 - spreads the waiters
            pause, attempt = min(pause * _PAUSE_GROWTH, _LONGEST_PAUSE), attempt + 1
            arrived = self._usable(self._cache.read(profile.name))
            if arrived is not None:
                return self._grant(arrived, cached=True)

    def _keeps_nothing(self, profile: str) -> bool:
        basis = self._cache.nothing(profile)
        return basis is not None and basis.unchanged(self._environ, self._config, fingerprint)

    def _usable(self, found: Record | None) -> Record | None:
        """The record, if its token may be handed out to this caller; due or not."""
        if found is None or not self._about_the_same(found):
            return None
        return found if self._suits(found.token) else None

    def _about_the_same(self, found: Record) -> bool:
        return (
            clock_held(found, self._moment())
            and found.basis.unchanged(self._environ, self._config, fingerprint)
            and self._cache.generation(found.profile) == found.generation
        )

    def _suits(self, token: Token) -> bool:
        now = self._moment().wall
        if token.state(now) == EXPIRED or token.minted_at <= self._asked.newer_than:
            return False
        # Asked for after this call began: nothing newer can be had.
        if token.minted_at >= self._began:
            return True
        life_left = token.expires_at is None or token.expires_at - now >= self._asked.min_ttl
        return life_left and not self._asked.refresh

    def _fresh(self, held: Record) -> bool:
        return held.token.state(self._moment().wall) == FRESH or (
            held.token.minted_at >= self._began
        )

    def _raise_remembered(self, profile: profiles.Profile, held: Record | None) -> None:
        """Raise a failure that still stands, unless a good token is at hand anyway.

        A failure since this call began is the outcome of the attempt that it waited
        for, and counts even where it is not remembered for others.
        """
        failure = self._cache.failure(profile.name)
        if held is not None or failure is None:
            return
        now = self._moment().wall
        stands = failure.stands(now) and not profile.volatile
        if (stands or self._began < failure.moment.wall <= now) and failure.basis.unchanged(
            self._environ, self._config, fingerprint
        ):
            raise failure.error()

    def _renew(self, profile: profiles.Profile, held: Record | None) -> Grant:
        """A new token; or the one that is held, when there is no new one and it is good."""
        # The one lazy import behind the door: a process that only waited for its
        # turn must not pay for pluggy and requests, which cost ten times its work.
        from wxhelper import manager, source

        try:
            kind = manager.find(profile.source, self._lookups)
            settings = source.settings_of(kind, profile, self._lookups)
            # What "nothing is kept" will depend on: all but the key, which is not looked at yet.
            self._keyless = self._lookups.basis(os.urandom(16).hex(), ABSENT)
            self._audience = source.audience_of(kind, profile, settings)
            secret = source.secret_of(
                kind, profile, self._lookups, deadline=self._deadline(hurry=held is not None)
            )
            self._identify = _identifier(profile, settings, secret)
            held = held or self._made_with(profile)
            if held is not None and self._fresh(held):
                return self._grant(held, cached=True)
            self._raise_if_failed_with_it(profile)
            return self._fetch(profile, kind, settings, secret, hurry=held is not None)
        except WxhelperError as fault:
            if not fault.repeated:
                self._remember(fault, profile)
            # It has become older meanwhile.
            if held is None or not self._suits(held.token):
                raise
            self._postpone(held)
            return self._grant(held, cached=True)

    def _made_with(self, profile: profiles.Profile) -> Record | None:
        """The record whose configuration or key file changed without changing the key.

        Its basis is made new, so that the next call is a hit again.
        """
        found = self._cache.read(profile.name)
        if (
            found is None
            or not self._is_about_it(found.basis)
            or not clock_held(found, self._moment())
            or self._cache.generation(profile.name) != found.generation
            or not self._suits(found.token)
        ):
            return None
        found.basis = self._lookups.basis(found.basis.salt, found.basis.identity)
        found.default = profile.default
        found.login, found.hosts = profile.login, self._audience
        self._keep(found)
        return found

    def _is_about_it(self, basis: Basis) -> bool:
        return self._identify is not None and basis.identity == self._identify(basis.salt)

    def _raise_if_failed_with_it(self, profile: profiles.Profile) -> None:
        failure = self._cache.failure(profile.name)
        if (
            failure is not None
            and failure.stands(self._moment().wall)
            and self._is_about_it(failure.basis)
            and failure.basis.variables_unchanged(self._environ, fingerprint)
        ):
            raise failure.error()

    def _deadline(self, *, hurry: bool) -> float:
        """Seconds for the next step: short where a good token is at hand anyway."""
        if hurry:
            return _RENEWAL_DEADLINE
        return max(_RENEWAL_DEADLINE, min(_FETCH_DEADLINE, self._end - time.monotonic()))

    def _fetch(
        self,
        profile: profiles.Profile,
        kind: "TokenSourceType",
        settings: "Settings",
        secret: "Secret",
        *,
        hurry: bool,
    ) -> Grant:
        from wxhelper import source

        for _ in range(2):
            generation, asked_at = self._cache.generation(profile.name), self._moment()
            conditions = source.Conditions(
                config=self._config,
                deadline=self._deadline(hurry=hurry),
                environ=self._environ,
                clock=lambda: self._moment().wall,
                insist=self._insist,
            )
            token = source.fetch(kind, settings, secret, conditions)
            if self._cache.generation(profile.name) == generation:
                break  # else somebody invalidated what was under way
        salt = os.urandom(16).hex()
        made = Record(
            profile=profile.name,
            default=profile.default,
            source=profile.source,
            login=profile.login,
            hosts=self._audience,
            generation=generation,
            moment=asked_at,
            basis=self._lookups.basis(salt, _identifier(profile, settings, secret)(salt)),
            token=token,
        )
        self._keep(made)
        self._cache.forget(profile.name)
        return self._grant(made, cached=False)

    def _keep(self, made: Record) -> None:
        if made.token.expires_at is None:  # a long-lived value is the key itself
            if self._keyless is not None and not self._keeps_nothing(made.profile):
                self._cache.keep_nothing(made.profile, self._keyless)
            return
        try:
            self._cache.write(made)
        except OSError as fault:
            self.unkept = fault.strerror or str(fault)
            if self._asked.refresh:  # the old one was not wanted any more
                self._cache.drop(made.profile)

    def _postpone(self, held: Record) -> None:
        """After a renewal that failed, leave the token to the door for a while."""
        failure, now = self._cache.failure(held.profile), self._moment().wall
        until = failure.until if failure is not None and failure.stands(now) else 0.0
        later = int(max(until, now + _FAILED_FOR)) + 1
        held.token.refresh_at = min(later, held.token.expires_at or later)
        with suppress(OSError):
            self._cache.write(held)

    def _remember(self, fault: WxhelperError, profile: profiles.Profile) -> None:
        from wxhelper import source

        now, salt = self._moment(), os.urandom(16).hex()
        before = self._cache.failure(profile.name)
        in_a_row = before is not None and now.wall - before.until < _IN_A_ROW
        count = before.count + 1 if before is not None and in_a_row else 1
        identity = self._identify(salt) if self._identify is not None else ABSENT
        failure = Failure(
            kind=next(c.__name__ for c in type(fault).__mro__ if c.__module__ == errors.__name__),
            message=fault.message,
            remedy=fault.remedy,
            until=now.wall + _wait_after(fault, count),
            count=count,
            basis=self._lookups.basis(salt, identity, also=source.NETWORK_VARIABLES),
            moment=now,
        )
        self._cache.remember(profile.name, failure)

    @staticmethod
    def _grant(held: Record, *, cached: bool) -> Grant:
        return Grant(held.token, held.profile, held.source, cached=cached, login=held.login)


def _not_for(place: Place, audience: tuple[str, ...], profile: profiles.Profile) -> HostRefused:
    host, port = place
    # As long as a key, and without a dot: it may be one in the wrong place.
    named = host if "." in host or len(host) < _KEY_LENGTH else "a host of that name"
    named += "" if port in (None, 443) else f":{port}"
    shown = ", ".join(audience[:_HOSTS_SHOWN]) or "nobody"
    more = f" and {len(audience) - _HOSTS_SHOWN} more" * (len(audience) > _HOSTS_SHOWN)
    if profile.hosts is not None:
        remedy = "add it to the profile's hosts"
    elif profile.from_environment:
        remedy = f'write a profile with hosts = ["HOST"] into {profile.config}'
    else:
        remedy = 'write hosts = ["HOST"] into the profile, instead of these'
    return HostRefused(
        f"{named} is not given the token, only {shown}{more}", remedy=f"if it may have it, {remedy}"
    )


def _identifier(profile: profiles.Profile, settings: "Settings", secret: "Secret") -> Identify:
    listed = [f"{name}={value}" for name, value in sorted(settings.items())]
    return lambda salt: secret.fingerprint(salt, profile.source, *listed)


def _wait_after(fault: WxhelperError, count: int) -> float:
    """Seconds that the service is left alone; none where it was not even asked."""
    if isinstance(fault, KeyRefused):
        return _REFUSED_FOR
    if isinstance(fault, Throttled):
        wait = _THROTTLED_FOR if fault.retry_after is None else fault.retry_after
        return min(max(wait, 1.0), _THROTTLED_AT_MOST)
    if isinstance(fault, TemporaryError):
        return min(_FAILED_FOR * (1 << min(count, 10)), _FAILED_AT_MOST)
    return 0.0
