"""The set-up under examination: what is known of it, found out once and only when needed."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TypeVar

from wxhelper import manager, profiles, source
from wxhelper.acquire import Acquisition
from wxhelper.cache import Cache
from wxhelper.errors import EndpointRefused, PluginBroken, Unreachable, WxhelperError
from wxhelper.lookups import Lookups
from wxhelper.plugin import probe
from wxhelper.plugin.deadline import Late, within
from wxhelper.plugin.endpoint import Endpoint
from wxhelper.plugin.types import Settings, TokenSourceType
from wxhelper.profiles import Profile
from wxhelper.protocols import Asked, Grant
from wxhelper.record import Moment
from wxhelper.secret import COMMAND_DEADLINE, Secret
from wxhelper.standing import Standing, overview

SECONDS = 28.0
"""For everything together; a person waits for it, and so may a CI job."""
_PLUGIN_SECONDS = 5.0
_VISIT_SECONDS = 6.0
_TOKEN_SECONDS = 14.0
_TURN_SECONDS = 2.0
_LEAST = 0.2

_T = TypeVar("_T")


@dataclass(frozen=True)
class Missing:
    """What could not be had.

    Attributes:
        fault: why.
        told_by: the name of the check that tells it.
    """

    fault: WxhelperError
    told_by: str


class Untried(Exception):
    """A check cannot be tried for want of what another check tells about."""

    def __init__(self, told_by: str) -> None:
        super().__init__(told_by)
        self.told_by = told_by


def had(value: _T | Missing) -> _T:
    """What a check needs and others tell about.

    Raises:
        Untried: it could not be had.
    """
    if isinstance(value, Missing):
        raise Untried(value.told_by)
    return value


def owned(value: _T | Missing, check: str) -> _T:
    """What a check itself tells about.

    Raises:
        WxhelperError: why it could not be had.
        Untried: that is another check's to tell.
    """
    if isinstance(value, Missing) and value.told_by == check:
        raise value.fault
    return had(value)


class Patient:
    """One profile, as it would be used now.

    Args:
        environ: the variables.
        named: the profile's name, by an option; None for the one that would be used.
        moment: the present.
        seconds: for everything that is found out.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        named: str | None = None,
        *,
        moment: Callable[[], Moment] = Moment.now,
        seconds: float = SECONDS,
    ) -> None:
        self.environ = environ
        self.named = named
        self.moment = moment
        self._end = time.monotonic() + seconds
        self.lookups = Lookups(environ, wall=lambda: moment().wall)

    def left(self, at_most: float) -> float:
        """Seconds for the next step."""
        return max(_LEAST, min(at_most, self._end - time.monotonic()))

    def plugins_own(self, step: Callable[[], _T], at_most: float | None = None) -> _T:
        """What a step of a plugin's own code gives, in time.

        Args:
            step: is called in another thread.
            at_most: seconds; None for the usual.

        Raises:
            PluginBroken: it fails, or takes too long.
            WxhelperError: as the plugin says.
        """
        name = had(self.profile).source
        seconds = self.left(at_most or _PLUGIN_SECONDS)
        try:
            return within(seconds, lambda: source.survived(name, step))
        except Late:
            raise PluginBroken(
                f"the plugin of source {name} gave no answer within {seconds:.2g} seconds",
                remedy="upgrade it, or report it to its authors",
            ) from None

    @cached_property
    def config(self) -> str | Missing:
        """The configuration file, there or not."""
        return _tried("configuration", lambda: profiles.config_file(self.environ))

    @cached_property
    def listing(self) -> profiles.Listing | Missing:
        """All profiles, also those that cannot be used."""
        return _tried(
            "configuration", lambda: profiles.every(had(self.config), lookups=self.lookups)
        )

    @cached_property
    def profile(self) -> Profile | Missing:
        """The profile."""
        return _tried(
            "configuration",
            lambda: profiles.choose(self.named, config=had(self.config), lookups=self.lookups),
        )

    @property
    def profile_name(self) -> str:
        """Its name, or ""."""
        return "" if isinstance(self.profile, Missing) else self.profile.name

    @cached_property
    def kind(self) -> TokenSourceType | Missing:
        """The kind of source that the profile names."""
        return _tried(
            "plugins",
            lambda: self.plugins_own(lambda: manager.find(had(self.profile).source, self.lookups)),
        )

    @cached_property
    def settings(self) -> Settings | Missing:
        """The profile's settings, checked."""
        return _tried(
            "configuration",
            lambda: source.settings_of(had(self.kind), had(self.profile), self.lookups),
        )

    @cached_property
    def secret(self) -> Secret | Missing:
        """The key; a command is really run, and a keyring really asked."""
        seconds = self.left(COMMAND_DEADLINE)
        return _tried(
            "key",
            lambda: source.secret_of(
                had(self.kind), had(self.profile), self.lookups, deadline=seconds
            ),
        )

    @cached_property
    def cache(self) -> Cache | Missing:
        """The cache."""
        return _tried("configuration", lambda: Cache(self.environ, had(self.config)))

    @cached_property
    def standing(self) -> Standing | Missing:
        """What can be seen of the profile without asking anybody."""

        def see() -> Standing:
            had(self.kind)  # which can be imported, then
            name = had(self.profile).name
            return self.plugins_own(lambda: overview(self.environ, self.moment(), name).profiles[0])

        return _tried("configuration", see)

    @cached_property
    def endpoint(self) -> Endpoint | Missing:
        """The service: the profile's ``url``, else the first host that the key may go to."""
        return _tried("configuration", self._endpoint)

    def _endpoint(self) -> Endpoint:
        kind, settings = had(self.kind), had(self.settings)
        hosts = self.plugins_own(lambda: sorted(map(str, kind.token_hosts(settings))))
        if "url" in settings:
            return Endpoint.parse(settings["url"])
        if not hosts:
            raise EndpointRefused(
                f"source {kind.name} names no host that the key may go to",
                remedy="write the service's address as url in the profile",
            )
        return Endpoint.parse(f"https://{hosts[0]}")

    @cached_property
    def visit(self) -> probe.Visit | Missing:
        """The way to the service, walked without the key."""

        def go() -> probe.Visit:
            return probe.visit(
                had(self.endpoint),
                ca_file=source.ca_file_of(had(self.settings), had(self.config)),
                environ=self.environ,
                seconds=self.left(_VISIT_SECONDS),
                clock=lambda: self.moment().wall,
            )

        return _tried("connection", go)

    def reached(self, stage: probe.Stage) -> probe.Visit:
        """The visit, when it came through this stage.

        Raises:
            WxhelperError: why it ended there.
            Untried: it ended before.
        """
        seen = had(self.visit)
        at, wanted = probe.STAGES.index(seen.stage), probe.STAGES.index(stage)
        if at < wanted or (at == wanted and seen.blind):
            raise Untried(seen.stage)
        if at == wanted and seen.fault is not None:
            raise seen.fault
        return seen

    @cached_property
    def grant(self) -> Grant | Missing:
        """A real token, by the way of every other verb: one request at most."""
        return _tried("token", self._acquire)

    def _acquire(self) -> Grant:
        had(self.secret)
        seen = had(self.visit)
        if seen.fault is not None and seen.stage != "answer":
            raise Untried(seen.stage)
        asked = Asked("token", profile=had(self.profile).name, refresh=True)
        acquisition = Acquisition(
            asked, self.environ, moment=self.moment, patience=_TURN_SECONDS, insist=False
        )
        seconds = self.left(_TOKEN_SECONDS)
        try:
            return within(seconds, acquisition.run)
        except Late:
            raise Unreachable(
                f"there was no token within {seconds:.2g} seconds",
                remedy="try again; if it stays so, look at the network and the proxy",
            ) from None


def _tried(told_by: str, step: Callable[[], _T]) -> _T | Missing:
    """What the step gives, or why it gives nothing."""
    try:
        return step()
    except Untried as cause:
        return Missing(WxhelperError("not tried"), cause.told_by)
    except WxhelperError as fault:
        return Missing(fault, told_by)
