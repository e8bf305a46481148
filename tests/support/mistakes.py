"""A command with everything that can be made wrong about it, and how it tells what is wrong."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from processes import Ended
from wxhelper.sandbox import Fault, Sandbox

if TYPE_CHECKING:
    from tests.conftest import Command

# Like a key of IBM's: 44 characters, and never to be seen in any output.
PASTED = "Xq3_paStEdbYmiStaKe-0000000000000000000000aZ"
TOKEN_BEGINS = "eyJ"
OURS = "profile sandbox: "


@dataclass
class World:
    """A command as it is laid out, and what can be made wrong with it."""

    wx: "Command"
    sandbox: Sandbox
    config: Path
    key_file: Path
    cache: Path

    @property
    def environ(self) -> dict[str, str]:
        return self.wx.environ

    def text(self, text: str) -> None:
        """Writes a configuration."""
        self.config.write_text(text)

    def profile(self, **settings: str | None) -> None:
        """Writes a profile that would work, with changes."""
        usual = {"source": "ibmcloud", "url": self.sandbox.http_url, "api_key": "file:apikey"}
        lines = [f"{k} = '{v}'" for k, v in {**usual, **settings}.items() if v is not None]
        self.text("\n".join(["[profiles.sandbox]", *lines, ""]))

    def key(self, text: str) -> None:
        """Writes the key file."""
        self.key_file.write_text(text)

    def fault(self, **said: object) -> None:
        """Lets every token request go wrong."""
        self.sandbox.faults.add(Fault(match="iam", times=None, **said))  # type: ignore[arg-type]

    def unconfigured(self, **variables: str) -> None:
        """Takes the configuration away."""
        del self.environ["WXHELPER_CONFIG"]
        self.environ.update(variables)

    def told(self, text: str) -> str:
        """A line of the tables below with what is different each time."""
        return text.format(
            config=self.config,
            key_file=self.key_file,
            cache=self.cache,
            home=self.environ.get("HOME", ""),
            port=self.sandbox.http_url.rpartition(":")[2],
        )


Prepare = Callable[[World], object]
Row = tuple[str, str, Prepare, str]


def as_it_is(world: World) -> None:
    """Nothing is wrong with the files."""


def text(content: str) -> Prepare:
    return lambda world: world.text(content)


def profile(**settings: str | None) -> Prepare:
    return lambda world: world.profile(**settings)


def key(content: str) -> Prepare:
    return lambda world: world.key(content)


def variables(**changed: str) -> Prepare:
    return lambda world: world.environ.update(changed)


def fault(**said: object) -> Prepare:
    return lambda world: world.fault(**said)


def a_directory_in_place_of(name: str) -> Prepare:
    def prepare(world: World) -> None:
        path = getattr(world, name)
        path.unlink()
        path.mkdir()

    return prepare


def told_in_one_line(world: World, ended: Ended, status: int, line: str) -> None:
    assert ended == (status, "", f"wxhelper: {world.told(line)}\n")
    for secret in (world.sandbox.api_key, PASTED, TOKEN_BEGINS, "Traceback"):
        assert secret not in ended[2]


def run(world: World, command: str) -> Ended:
    done = world.wx(*command.split())
    return done.status, done.out, done.err


def by_name(rows: list[Row]) -> pytest.MarkDecorator:
    named = [pytest.param(*row[1:], id=row[0]) for row in rows]
    return pytest.mark.parametrize(("command", "prepare", "line"), named)
