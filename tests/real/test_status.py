"""``wxhelper status``: what is so, and no more than can be seen from here."""

import json
import os
import pty
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from diagnoses import with_names
from mistakes import PASTED, World
from setups import SETUPS, made
from statuses import JSON, TEXT
from worlds import Clock
from wxhelper import source
from wxhelper.acquire import Acquisition
from wxhelper.cache import Cache
from wxhelper.cli.status import as_json, as_text, lasting
from wxhelper.errors import UnknownProfile, WxhelperError
from wxhelper.protocols import Asked
from wxhelper.sandbox import Sandbox
from wxhelper.standing import Kept, overview

if TYPE_CHECKING:
    from tests.conftest import Command


class Scene:
    """A world in which time stands still; what is asked for in it, and what is shown."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.clock = Clock()

    def ask(self, **asked: object) -> None:
        with suppress(WxhelperError):
            Acquisition(
                Asked("token", **asked),  # type: ignore[arg-type]
                self.world.environ,
                moment=self.clock,
                insist=False,
            ).run()

    def text(self, *, colour: bool = False) -> str:
        seen = overview(self.world.environ, self.clock())
        return with_names(as_text(seen, self.clock.wall, colour=colour), self.world)

    def json(self) -> object:
        seen = overview(self.world.environ, self.clock())
        return json.loads(with_names(json.dumps(as_json(seen, self.clock.wall)), self.world))

    def token(self) -> Kept:
        return overview(self.world.environ, self.clock()).profiles[0].token


@pytest.fixture
def scene(world: World, monkeypatch: pytest.MonkeyPatch) -> Scene:
    """One in which tokens are renewed at the same point of their life."""
    monkeypatch.setattr(source.random, "random", lambda: 0.5)
    return Scene(world)


@pytest.mark.parametrize("name", SETUPS)
def test_what_is_shown_of_a_set_up(name: str, scene: Scene) -> None:
    made(scene.world, SETUPS[name], scene.ask)
    scene.clock.go(10)
    assert scene.text() == TEXT[name]
    assert scene.json() == JSON[name]


def test_a_token_grows_old(scene: Scene) -> None:
    scene.world.profile()
    assert scene.token() == Kept("none")
    scene.ask()
    times = ("Bearer", 1763715600, 1763714880)
    assert scene.token() == Kept("fresh", *times)
    scene.clock.go(2880)
    assert scene.token() == Kept("due", *times)
    assert "sandbox  ibmcloud  cached, due  12 min      0 s        present" in scene.text()
    scene.clock.go(661)
    assert scene.token() == Kept("expired", *times)
    assert "sandbox  ibmcloud  expired  -           -          present" in scene.text()


def moved(world: World) -> None:
    other = world.config.with_name("other.toml")
    other.write_text(world.config.read_text())
    other.rename(world.config)


def a_new_key(world: World) -> None:
    world.key("another\n")


def invalidated(world: World) -> None:
    Cache(world.environ, str(world.config)).invalidate("sandbox")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (moved, "CONFIG has changed since"),
        (a_new_key, "KEY_FILE has changed since"),
        (
            lambda world: world.environ.update(WXHELPER_PLUGINS="ibmcloud"),
            "the variable WXHELPER_PLUGINS has changed since",
        ),
    ],
)
def test_why_a_token_is_not_handed_out(
    change: Callable[[World], object], reason: str, scene: Scene
) -> None:
    scene.world.profile()
    scene.ask()
    change(scene.world)
    token = scene.token()
    assert (token.state, with_names(token.reason, scene.world)) == ("outdated", reason)


def test_a_token_for_a_home_that_was_moved_is_outdated(scene: Scene, tmp_path: Path) -> None:
    world = scene.world
    world.unconfigured(IC_API_KEY=world.sandbox.api_key, WXHELPER_URL=world.sandbox.http_url)
    scene.ask()
    assert scene.token().state == "fresh"
    world.environ["HOME"] = str(tmp_path)
    assert scene.token().reason == "it is about another configuration"


def test_a_clock_that_was_set_makes_a_token_outdated(scene: Scene) -> None:
    scene.world.profile()
    scene.ask()
    scene.clock.wall -= 600
    assert (scene.token().state, scene.token().reason) == (
        "outdated",
        "the clock has been set since",
    )


def test_an_invalidated_token_is_gone_and_one_that_comes_late_does_not_count(
    scene: Scene, cache: Path
) -> None:
    scene.world.profile()
    scene.ask()
    record = next(cache.glob("*.token"))
    late = record.read_bytes()
    invalidated(scene.world)
    assert scene.token() == Kept("none")
    record.touch(0o600)
    record.write_bytes(late)
    assert scene.token().reason == "it was invalidated"


def test_a_failure_is_remembered_until_its_time_or_the_key_changes(scene: Scene) -> None:
    scene.world.profile()
    scene.world.key("refused\n")
    scene.ask()
    scene.clock.go(59)
    assert "last failure, 59 s ago, remembered for 1 s more: IBM Cloud IAM" in scene.text()
    scene.clock.go(1)
    assert "last failure, 60 s ago, not remembered any more: IBM Cloud IAM" in scene.text()
    scene.ask()
    scene.world.key("refused, too\n")
    assert "last failure, 0 s ago, not remembered any more: IBM Cloud IAM" in scene.text()


def test_only_the_profile_that_was_named(scene: Scene) -> None:
    made(scene.world, SETUPS["one broken profile"], scene.ask)
    seen = overview(scene.world.environ, scene.clock(), "broken")
    assert [one.name for one in seen.profiles] == ["broken"]
    with pytest.raises(UnknownProfile) as caught:
        overview(scene.world.environ, scene.clock(), "borken")
    assert caught.value.remedy == "did you mean --profile broken?"


def test_a_variable_that_names_no_profile_hides_none(scene: Scene) -> None:
    scene.world.profile()
    scene.world.environ["WXHELPER_PROFILE"] = "sandbax"
    assert scene.text() == (
        "   PROFILE  SOURCE    TOKEN       EXPIRES IN  RENEWS IN  KEY      FROM\n"
        "   sandbox  ibmcloud  not cached  -           -          present  file:apikey\n\n"
        "warning: WXHELPER_PROFILE: there is no profile sandbax in CONFIG, only sandbox\n"
        "  -> did you mean sandbox?\n\n"
        "configuration  CONFIG\ncache          CACHE\n"
    )


def test_in_colour_the_words_that_matter_stand_out(scene: Scene) -> None:
    made(scene.world, SETUPS["a refused key"], scene.ask)
    scene.world.text(
        scene.world.config.read_text()
        + '\n[profiles.b]\nsource = "ibmcloud"\napi_key = "env:NONE"\n'
    )
    bold, red, yellow, off = "\x1b[1m", "\x1b[31m", "\x1b[33m", "\x1b[0m"
    lines = scene.text(colour=True).split("\n")
    titles = ["PROFILE", "SOURCE", "TOKEN", "EXPIRES IN", "RENEWS IN", "KEY", "FROM"]
    assert [word for word in titles if f"{bold}{word}{off}" in lines[0]] == titles
    assert f"{red}missing{off}" in lines[2]
    assert lines[4].startswith(f"sandbox: {yellow}last failure{off}, 0 s ago, ")
    assert f"b: {yellow}warning:{off} the variable NONE is not set" in lines
    plain = scene.text()
    assert plain == "".join(scene.text(colour=True).split("\x1b")).replace("[0m", "").replace(
        "[1m", ""
    ).replace("[31m", "").replace("[33m", "")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (-5, "0 s"),
        (0.9, "0 s"),
        (99.9, "99 s"),
        (100, "1 min"),
        (5999, "99 min"),
        (6000, "1 h 40 min"),
        (90_000, "25 h 0 min"),
    ],
)
def test_a_length_of_time_as_one_says_it(seconds: float, said: str) -> None:
    assert lasting(seconds) == said


def test_the_command_asks_nobody_and_writes_nothing(
    wx: "Command", world: World, sandbox: Sandbox, cache: Path, tmp_path: Path
) -> None:
    witness = tmp_path / "witness"
    world.text(
        f'[profiles.a]\nsource = "ibmcloud"\napi_key = "command:touch {witness}"\n'
        f'[profiles.b]\nsource = "ibmcloud"\napi_key = "keyring:b"\n'
        f'[profiles.c]\nsource = "ibmcloud"\napi_key = "{PASTED}"\n'
    )
    for arguments in ([], ["--output", "json"], ["--profile", "b"]):
        done = wx("status", *arguments)
        assert (done.status, done.err) == (0, "")
    assert not witness.exists()
    assert len(sandbox.requests) == 0
    assert list(cache.iterdir()) == []


def test_programs_get_json_with_the_facts_of_the_present(wx: "Command") -> None:
    assert wx("token").status == 0
    found = json.loads(wx("status", "--output", "json").out)
    one = found["profiles"][0]
    assert (found["chosen"], one["name"], one["token"]["state"]) == ("sandbox", "sandbox", "fresh")
    assert 3000 < one["token"]["expires_in"] <= 3600
    assert "present  file:apikey" in wx("status").out


def test_a_configuration_that_cannot_be_read_is_told(wx: "Command", config: Path) -> None:
    config.write_text("[profiles.dev]\nsource =\n")
    done = wx("status", "--output", "json")
    assert (done.status, done.out, done.err) == (
        5,
        "",
        (
            f"wxhelper: {config}, line 2: invalid value; "
            "correct that line; values are written in quotes\n"
        ),
    )


@pytest.mark.parametrize(
    ("variables", "coloured"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm", "NO_COLOR": ""}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
    ],
)
def test_a_terminal_gets_colour_unless_it_must_not(
    variables: dict[str, str], coloured: bool, wx: "Command", program: str
) -> None:
    ours, theirs = pty.openpty()
    try:
        subprocess.run(
            [program, "status"],
            env={**wx.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=theirs,
            check=True,
            timeout=60,
        )
        shown = os.read(ours, 65_536).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert "PROFILE" in shown
    assert ("\x1b[" in shown) is coloured


def test_a_token_that_is_the_key_itself_is_never_kept(wx: "Command") -> None:
    zen = ("--profile", "dph-zen")
    before = json.loads(wx("status", *zen, "--output", "json").out)["profiles"][0]["token"]
    assert (before["state"], before["reason"]) == ("none", None)
    assert wx("token", *zen).status == 0
    after = json.loads(wx("status", *zen, "--output", "json").out)["profiles"][0]["token"]
    assert after == before | {"state": "never kept", "reason": "the token is the key itself"}
    text = wx("status", *zen).out
    assert "  never kept  " in text
    assert "\ndph-zen: the token is never kept: the token is the key itself\n" in text
    checks = json.loads(wx("doctor", *zen, "--output", "json").out)["checks"]
    told = {one["check"]: (one["outcome"], one["text"]) for one in checks}
    assert told["token"] == (
        "ok",
        "ZenApiKey, made here of the key; whether it is accepted was not tried",
    )
    assert told["cache"][1].endswith(
        "; nothing is kept there for this profile: the token is the key itself"
    )


def test_a_configuration_that_is_not_where_the_variable_says(scene: Scene) -> None:
    environ = {**scene.world.environ, "WXHELPER_CONFIG": "/nowhere/b.toml", "IC_API_KEY": "abc"}
    (remark,) = overview(environ, scene.clock()).remarks
    assert (remark.text, remark.remedy) == (
        "WXHELPER_CONFIG names a file that does not exist",
        "correct WXHELPER_CONFIG, or: wxhelper login",
    )
