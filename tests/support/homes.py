"""A configuration with a record for each of its profiles, and what the door makes of it."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from wxhelper import door, profiles
from wxhelper.cache import Cache
from wxhelper.lookups import Lookups
from wxhelper.record import Moment, Record
from wxhelper.tokens import Token

KEY = "a-key"
CONFIG = """\
default_profile = "dev"
[profiles.dev]
source = "ibmcloud"
api_key = "env:A_KEY"
url = "http://127.0.0.1:1"
hosts = ["api.example.com", "*.star.example.com", "127.0.0.1"]
[profiles.prod]
source = "ibmcloud"
api_key = "env:A_KEY"
url = "http://127.0.0.1:1"
[profiles.--refresh]
source = "ibmcloud"
api_key = "env:A_KEY"
url = "http://127.0.0.1:1"
"""


class Home:
    """A configuration with a record for each of its profiles."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.config, self.cache_dir = folder / "config.toml", folder / "cache"
        self.config.write_text(CONFIG)
        monkeypatch.setenv("WXHELPER_CONFIG", str(self.config))
        monkeypatch.setenv("WXHELPER_CACHE_DIR", str(self.cache_dir))
        monkeypatch.setenv("A_KEY", KEY)
        monkeypatch.setenv("WXHELPER_PROFILE", "")
        monkeypatch.delenv("KUBERNETES_EXEC_INFO", raising=False)
        self.cache = Cache(os.environ, str(self.config))
        for name in ("dev", "prod", "--refresh"):
            self.keep(name)

    def keep(
        self,
        name: str,
        *,
        age: float = 10,
        life: float = 3600,
        clock: float = 0,
        scheme: str = "Bearer",
    ) -> None:
        """A record of that profile, minted ``age`` seconds ago."""
        lookups = Lookups(os.environ)
        profile = profiles.choose(name, config=str(self.config), lookups=lookups)
        lookups.variable("A_KEY")
        now = Moment.now()
        self.cache.write(
            Record(
                profile=name,
                default=profile.default,
                source=profile.source,
                login=profile.login,
                hosts=profile.hosts or (),
                generation=self.cache.generation(name),
                moment=Moment(now.wall - age - clock, now.boot - age, now.boot_id),
                basis=lookups.basis("5a17", "1d"),
                token=Token.minted(
                    scheme, f"token-of-{name}", minted_at=now.wall - age, life=life, chance=0.5
                ),
            )
        )

    def only(self, kind: str) -> Path:
        """The file of the profile dev and that kind."""
        (found,) = self.cache_dir.glob(f"{'' if kind == 'pointer' else 'dev'}@*.{kind}")
        return found


def hit(*arguments: str) -> str | None:
    """The door's answer, or None."""
    return answered(list(arguments), os.environ)


def answered(arguments: list[str], environ: Mapping[str, str], stdin: bytes = b"") -> str | None:
    asked = door._asked(arguments)
    if asked is None:
        return None
    asked.stdin = stdin
    return door._hit(asked, environ)
