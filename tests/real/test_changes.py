"""What a token depends on: when it changes, the next call asks again, with the right key."""

import os
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wxhelper.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.conftest import Command


@dataclass
class World:
    """A command, its files, and the sandbox that takes two keys.

    Attributes:
        key: the first key.
        other: the second one, of the same length.
        old_key: a file with the second key, older than everything else.
    """

    wx: "Command"
    sandbox: Sandbox
    config: Path
    key_file: Path
    key: str
    other: str
    old_key: Path

    def profile(self, api_key: str, name: str = "sandbox") -> str:
        """A profile's text."""
        return (
            f'[profiles.{name}]\nsource = "ibmcloud"\nurl = "{self.sandbox.http_url}"\n'
            f'api_key = "{api_key}"\n'
        )

    def keys_sent(self) -> list[str]:
        """The keys of all token requests so far."""
        return [
            urllib.parse.parse_qs(request.body.decode())["apikey"][0]
            for request in self.sandbox.requests
            if request.service == "iam"
        ]


@pytest.fixture
def world(wx: "Command", sandbox: Sandbox, config: Path, key_file: Path, tmp_path: Path) -> World:
    key = sandbox.api_key
    other = key[::-1] if key[::-1] != key else key[1:] + "x"
    sandbox.keys[other] = sandbox.keys[key]
    old_key = tmp_path / "old-key"
    write(old_key, f"{other}\n")
    os.utime(old_key, (1_600_000_000, 1_600_000_000))
    return World(wx, sandbox, config, key_file, key, other, old_key)


def write(path: Path, text: str) -> None:
    """Writes a private file, also where there was none."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)
    path.write_text(text)


def unconfigured(world: World, **variables: str) -> None:
    """Takes the configuration away: the variables are the profile."""
    del world.wx.environ["WXHELPER_CONFIG"]
    world.wx.environ |= {"WXHELPER_URL": world.sandbox.http_url, **variables}


# Each prepares, and returns what then changes the key from the first to the second.
Change = Callable[[], None]


def the_configuration_names_another_key(world: World) -> Change:
    write(world.config.with_name("second"), world.other)
    return lambda: write(world.config, world.profile("file:second"))


def the_key_file_is_replaced_in_size_and_time_alike(world: World) -> Change:
    before = world.key_file.stat()

    def change() -> None:
        world.key_file.write_text(f"{world.other}\n")
        os.utime(world.key_file, ns=(before.st_atime_ns, before.st_mtime_ns))
        after = world.key_file.stat()
        assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)

    return change


def an_older_key_file_is_moved_over_it(world: World) -> Change:
    return lambda: os.replace(world.old_key, world.key_file)


def the_link_to_the_key_file_is_swapped(world: World) -> Change:
    mounts = world.config.with_name("mounts")
    for version, key in (("1", world.key), ("2", world.other)):
        write(mounts / version / "apikey", key)
    (mounts / "current").symlink_to("1")
    (mounts / "apikey").symlink_to("current/apikey")
    write(world.config, world.profile("file:mounts/apikey"))

    def change() -> None:
        (mounts / "next").symlink_to("2")
        os.replace(mounts / "next", mounts / "current")

    return change


def the_variable_with_the_key_changes(world: World) -> Change:
    write(world.config, world.profile("env:THE_KEY"))
    world.wx.environ["THE_KEY"] = world.key
    return lambda: world.wx.environ.update(THE_KEY=world.other)


def a_stronger_variable_is_set(world: World) -> Change:
    unconfigured(world, IBMCLOUD_API_KEY=world.key)
    return lambda: world.wx.environ.update(WXHELPER_API_KEY=world.other)


def a_stronger_variable_is_unset(world: World) -> Change:
    unconfigured(world, WXHELPER_API_KEY=world.key, WATSONX_APIKEY=world.other)

    def change() -> None:
        del world.wx.environ["WXHELPER_API_KEY"]

    return change


def a_stronger_variable_is_emptied(world: World) -> Change:
    unconfigured(world, WXHELPER_API_KEY=world.key, WATSONX_APIKEY=world.other)
    return lambda: world.wx.environ.update(WXHELPER_API_KEY="")


def a_configuration_appears_where_there_was_none(world: World) -> Change:
    unconfigured(world, IBMCLOUD_API_KEY=world.key)
    config = Path(world.wx.environ["HOME"], ".config", "wxhelper", "config.toml")

    def change() -> None:
        write(config.with_name("apikey"), world.other)
        write(config, world.profile("file:apikey"))

    return change


def the_configuration_disappears(world: World) -> Change:
    unconfigured(world, IBMCLOUD_API_KEY=world.other)
    config = Path(world.wx.environ["HOME"], ".config", "wxhelper", "config.toml")
    write(config.with_name("apikey"), world.key)
    write(config, world.profile("file:apikey"))
    return config.unlink


def another_configuration_directory_is_named(world: World) -> Change:
    del world.wx.environ["WXHELPER_CONFIG"]
    for name, key in (("one", world.key), ("two", world.other)):
        folder = world.config.with_name(name) / "wxhelper"
        write(folder / "apikey", key)
        write(folder / "config.toml", world.profile("file:apikey"))
    world.wx.environ["XDG_CONFIG_HOME"] = str(world.config.with_name("one"))
    return lambda: world.wx.environ.update(XDG_CONFIG_HOME=str(world.config.with_name("two")))


def another_configuration_file_is_named(world: World) -> Change:
    other = world.config.with_name("other.toml")
    write(world.config.with_name("second"), world.other)
    write(other, world.profile("file:second"))
    return lambda: world.wx.environ.update(WXHELPER_CONFIG=str(other))


def another_home_is_named(world: World) -> Change:
    for name, key in (("one", world.key), ("two", world.other)):
        write(world.config.with_name(name) / "key", key)
    write(world.config, world.profile("file:~/key"))
    world.wx.environ["HOME"] = str(world.config.with_name("one"))
    return lambda: world.wx.environ.update(HOME=str(world.config.with_name("two")))


def two_profiles(world: World) -> str:
    write(world.config.with_name("second"), world.other)
    return world.profile("file:apikey", "first") + world.profile("file:second", "second")


def another_profile_is_named(world: World) -> Change:
    write(world.config, two_profiles(world))
    world.wx.environ["WXHELPER_PROFILE"] = "first"
    return lambda: world.wx.environ.update(WXHELPER_PROFILE="second")


def the_default_profile_changes(world: World) -> Change:
    write(world.config, 'default_profile = "first"\n' + two_profiles(world))
    return lambda: write(world.config, 'default_profile = "second"\n' + two_profiles(world))


CHANGES = [
    the_configuration_names_another_key,
    the_key_file_is_replaced_in_size_and_time_alike,
    an_older_key_file_is_moved_over_it,
    the_link_to_the_key_file_is_swapped,
    the_variable_with_the_key_changes,
    a_stronger_variable_is_set,
    a_stronger_variable_is_unset,
    a_stronger_variable_is_emptied,
    a_configuration_appears_where_there_was_none,
    the_configuration_disappears,
    another_configuration_directory_is_named,
    another_configuration_file_is_named,
    another_home_is_named,
    another_profile_is_named,
    the_default_profile_changes,
]


@pytest.mark.parametrize("prepare", CHANGES, ids=lambda prepare: prepare.__name__)
def test_another_key_is_asked_with_at_once(
    prepare: Callable[[World], Change], world: World
) -> None:
    change = prepare(world)
    first = world.wx("token")
    assert world.wx("token") == first
    assert world.keys_sent() == [world.key]
    change()
    second = world.wx("token")
    assert world.wx("token") == second
    assert world.keys_sent() == [world.key, world.other]
    assert [first.status, second.status] == [0, 0]
    assert [first.err, second.err] == ["", ""]
    assert first.out != second.out


def test_a_key_that_is_corrected_is_tried_at_once(world: World) -> None:
    write(world.key_file, "mistyped")
    assert world.wx("token").status == 4
    write(world.key_file, world.key)
    assert world.wx("token").status == 0
    assert world.keys_sent() == ["mistyped", world.key]


def the_key_file_is_touched(world: World) -> None:
    os.utime(world.key_file)


def the_key_file_is_written_anew(world: World) -> None:
    world.key_file.unlink()
    write(world.key_file, f"{world.key}\n")


def a_comment_is_added_to_the_configuration(world: World) -> None:
    with world.config.open("a") as file:
        file.write("# a comment\n")


@pytest.mark.parametrize(
    "change",
    [
        the_key_file_is_touched,
        the_key_file_is_written_anew,
        a_comment_is_added_to_the_configuration,
    ],
    ids=lambda change: change.__name__,
)
def test_the_same_key_and_settings_keep_their_token(
    change: Callable[[World], None], world: World
) -> None:
    first = world.wx("token")
    change(world)
    assert [world.wx("token"), world.wx("token")] == [first, first]
    assert world.keys_sent() == [world.key]


def test_a_changed_setting_is_a_miss(world: World, sandbox: Sandbox) -> None:
    first = world.wx("token")
    text = world.config.read_text()
    assert sandbox.http_url in text
    write(
        world.config,
        text.replace(sandbox.http_url, f"{sandbox.http_url}/identity/token"),
    )
    second = world.wx("token")
    assert second.status == 0
    assert second != first
    assert world.keys_sent() == [world.key, world.key]


def test_projects_with_configurations_of_their_own_keep_a_token_each(world: World) -> None:
    write(world.config.with_name("second"), world.other)
    other = world.config.with_name("other.toml")
    write(other, world.profile("file:second"))
    first = world.wx("token"), world.wx("token", WXHELPER_CONFIG=str(other))
    again = world.wx("token"), world.wx("token", WXHELPER_CONFIG=str(other))
    assert again == first
    assert world.keys_sent() == [world.key, world.other]


def test_a_source_that_is_no_longer_allowed_is_refused_in_spite_of_its_token(world: World) -> None:
    assert world.wx("token").status == 0
    refused = world.wx("token", WXHELPER_PLUGINS="")
    assert (refused.status, refused.out, refused.err) == (
        5,
        "",
        (
            "wxhelper: profile sandbox: source ibmcloud is installed, but WXHELPER_PLUGINS leaves "
            "it out; add ibmcloud to WXHELPER_PLUGINS, or unset it\n"
        ),
    )
    assert world.keys_sent() == [world.key]
