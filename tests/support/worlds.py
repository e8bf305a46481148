"""A profile, a token service and a clock, all of them made up, for the whole story of a token."""

import sys
import time
import types
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from wxhelper import manager, profiles
from wxhelper.acquire import Acquisition
from wxhelper.cache import Cache
from wxhelper.errors import WxhelperError
from wxhelper.hosts import Place
from wxhelper.lookups import Lookups
from wxhelper.plugin import Setting, SourceContext, Token, TokenSourceType, hookimpl
from wxhelper.protocols import Asked, Grant
from wxhelper.record import Moment

NOW = 1_763_712_000.0
KEY = "k3y-that-opens-nothing"
STALE = 3100  # after the latest renewal point of an hour, 85 %
CONFIG = '[profiles.dev]\nsource = "fake"\napi_key = "env:A_KEY"\n'


class Clock:
    """The wall clock and the boot clock; a test moves them."""

    def __init__(self) -> None:
        self.wall, self.boot = NOW, 5000.0

    def __call__(self) -> Moment:
        return Moment(self.wall, self.boot, "b007")

    def go(self, seconds: float) -> None:
        """Time goes by."""
        self.wall += seconds
        self.boot += seconds


class Service:
    """A token service. What it does next can be said; else it issues a token."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.life = 3600.0
        self.keys: list[str] = []
        self.next: list[WxhelperError | Callable[[], object]] = []
        self._context: SourceContext | None = None

    def open(self, context: SourceContext) -> "Service":
        self._context = context
        return self

    def fetch(self) -> Token:
        assert self._context is not None
        self.keys.append(self._context.secret.reveal())
        minted_at = self._context.clock()
        step = self.next.pop(0) if self.next else None
        if isinstance(step, WxhelperError):
            raise step
        given = step() if step is not None else None
        if isinstance(given, Token):
            return given
        return Token.minted(
            "Bearer",
            f"token-no-{len(self.keys)}",
            minted_at=minted_at,
            life=self.life,
            chance=self._context.chance(),
        )

    @property
    def requests(self) -> int:
        return len(self.keys)


class World:
    """A configuration, a cache, a service and a clock."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.config = folder, folder / "config.toml"
        self.clock = Clock()
        self.service = Service(self.clock)
        self.environ = {
            "WXHELPER_CONFIG": str(self.config),
            "WXHELPER_CACHE_DIR": str(folder / "cache"),
            "A_KEY": KEY,
            "PATH": "/usr/bin:/bin",
        }
        self.on_sleep: Callable[[], object] = lambda: None
        self.unkept = ""
        self.audience = frozenset({"api.example.com", "*.b.example.com"})
        self.write(CONFIG)

    def write(self, text: str) -> None:
        """The configuration, old enough to be read at once."""
        self.config.write_text(text)
        profiles.choose("dev", config=str(self.config), lookups=Lookups(self.environ))

    @property
    def cache(self) -> Cache:
        return Cache(self.environ, str(self.config))

    def ask(
        self,
        profile: str | None = None,
        *,
        min_ttl: int = 0,
        refresh: bool = False,
        patience: float = 60.0,
        place: Place | None = None,
        newer_than: float = 0.0,
    ) -> Grant:
        asked = Asked("token", profile=profile, min_ttl=min_ttl, refresh=refresh)
        asked.places = () if place is None else (place,)
        asked.newer_than = newer_than
        acquisition = Acquisition(
            asked, self.environ, moment=self.clock, sleep=self._sleep, patience=patience
        )
        try:
            return acquisition.run()
        finally:
            self.unkept = acquisition.unkept

    def _sleep(self, seconds: float) -> None:
        time.sleep(seconds)
        self.on_sleep()

    def told(
        self,
        profile: str | None = None,
        *,
        refresh: bool = False,
        place: Place | None = None,
    ) -> tuple[type, str]:
        with pytest.raises(WxhelperError) as caught:
            self.ask(profile, refresh=refresh, place=place)
        return type(caught.value), caught.value.line()


def seen(grant: Grant) -> tuple[str, bool]:
    """The token, and whether it was on disk already."""
    return grant.token.value, grant.cached


def plug_in(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the only plugin there is offer the world's service, as source ``fake``."""
    kind = TokenSourceType(
        name="fake",
        summary="Fake",
        token_hosts=lambda settings: frozenset({"tokens.example.com"}),
        audience=lambda settings: world.audience,
        open=world.service.open,
        settings=(Setting(name="region", help="where"),),
    )
    module = types.ModuleType("a_fake_plugin")
    module.wxhelper_api = 1  # type: ignore[attr-defined]
    module.wxhelper_token_sources = hookimpl(lambda: [kind], specname="wxhelper_token_sources")  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "a_fake_plugin", module)
    point = EntryPoint("fake", "a_fake_plugin", "wxhelper")
    monkeypatch.setattr(manager, "entry_points", lambda group: [point])
