"""A ZenApiKey is the key itself: made without anybody's help, and kept nowhere."""

import base64
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from leaks import KEY, files_with, holds
from watch import Watch
from wxhelper.sandbox import Sandbox
from wxhelper.sandbox.sandbox import USERNAME

if TYPE_CHECKING:
    from tests.conftest import Command
    from tests.real.conftest import Ended, Start

    AtOnce = Callable[..., list[Ended]]
    Finish = Callable[["subprocess.Popen[str]"], Ended]

ZEN = ("--profile", "dph-zen")
VALUE = base64.b64encode(f"{USERNAME}:{KEY}".encode()).decode()
NO_BEARER = (
    "wxhelper: profile dph-zen: exec-credential can only carry Bearer tokens, and source dph gives "
    "ZenApiKey; name another profile: wxhelper exec-credential --profile NAME\n"
)


@pytest.fixture(autouse=True)
def key_file(wx: "Command", sandbox: Sandbox, config: Path, tmp_path: Path) -> Path:
    """The canary, as the key of the sandbox's user; and temporary files in sight."""
    sandbox.member.api_key = KEY
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    wx.environ["TMPDIR"] = str(temporary)
    path = config.with_name("dph-apikey")
    path.write_text(KEY)
    return path


def by_command(config: Path, script: str) -> None:
    """Lets the profile's key come from a program."""
    program = config.with_name("key-program")
    program.write_text(f"#!/bin/sh\ncd {config.parent}\n{script}\n")
    program.chmod(0o755)
    text = config.read_text()
    head, mark, rest = text.partition("[profiles.dph-zen]")
    assert mark
    changed = re.sub(r'api_key = "[^"]*"', f'api_key = "command:{program}"', rest, count=1)
    config.write_text(head + mark + changed)


# ------------------------------------------------------------------------------------ answers


def test_the_value_is_printed_and_nobody_is_asked(wx: "Command", sandbox: Sandbox) -> None:
    done = [wx(verb, *ZEN) for verb in ("token", "header", "token")]
    assert [(one.status, one.err) for one in done] == [(0, "")] * 3
    assert [one.out for one in done] == [
        f"{VALUE}\n",
        f"Authorization: ZenApiKey {VALUE}\n",
        f"{VALUE}\n",
    ]
    assert len(sandbox.requests) == 0


def test_kubectl_is_refused_what_it_cannot_carry(wx: "Command") -> None:
    done = wx("exec-credential", *ZEN)
    assert (done.status, done.out, done.err) == (5, "", NO_BEARER)


def test_neither_requests_nor_a_lock_is_needed(wx: "Command") -> None:
    wx("token", *ZEN)
    script = (
        "import sys\nfrom wxhelper.door import main\nstatus = main(sys.argv[1:])\n"
        "sys.stderr.write(' '.join(m for m in ('requests', 'urllib3', 'wxhelper.plugin.wire') "
        "if m in sys.modules))\nsys.exit(status)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, "token", *ZEN],
        env={n: v for n, v in wx.environ.items() if not n.startswith("COV")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{VALUE}\n", "")


# --------------------------------------------------------------------------------------- leaks

COMMANDS = (
    "token",
    "token --output json",
    "token --refresh",
    "token --min-ttl 999999",
    "header",
    "header --output json",
    "exec-credential",
    "exec-credential --api-version v1beta1",
    "invalidate",
    "token",
    "token --unknown",
)


def no_name(config: Path, key_file: Path) -> None:
    config.write_text(re.sub(r"username = .*\n", "", config.read_text()))


def another_name(config: Path, key_file: Path) -> None:
    no_name(config, key_file)
    pair = f"somebody-else:{KEY}"
    key_file.write_text(base64.b64encode(pair.encode()).decode())


def a_value_that_is_encoded(config: Path, key_file: Path) -> None:
    key_file.write_text(VALUE)


def the_key_by_a_command(config: Path, key_file: Path) -> None:
    by_command(config, "cat dph-apikey")


def nothing_wrong(config: Path, key_file: Path) -> None:
    pass


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="there is no /proc here")
@pytest.mark.parametrize(
    ("prepare", "commands"),
    [
        (nothing_wrong, COMMANDS),
        (the_key_by_a_command, ("token", "header", "exec-credential")),
        (a_value_that_is_encoded, ("token", "header", "exec-credential")),
        (another_name, ("token", "header")),
        (no_name, ("token", "header", "exec-credential")),
    ],
    ids=["nothing wrong", "by a command", "encoded", "of another name", "no name"],
)
def test_after_every_command_the_key_is_in_its_place_alone(
    prepare: Callable[[Path, Path], None],
    commands: tuple[str, ...],
    wx: "Command",
    config: Path,
    key_file: Path,
    tmp_path: Path,
) -> None:
    prepare(config, key_file)
    with Watch() as watch:
        for command in commands:
            done = wx(*command.split(), *ZEN)
            assert "Traceback" not in done.err
            assert not holds(done.err.encode(), KEY)
            assert files_with(KEY, tmp_path) == {key_file}, command
    assert not [arguments for arguments in watch.seen if holds(arguments, KEY)]


def test_nor_is_it_anywhere_after_a_command_was_killed(
    wx: "Command",
    start: "Start",
    config: Path,
    key_file: Path,
    tmp_path: Path,
    cache: Path,
) -> None:
    # The program gives the key and does not end: the command holds it when it is killed.
    by_command(config, "cat dph-apikey\ntouch given\nsleep 3")
    process = start("token", *ZEN)
    while not config.with_name("given").exists():
        assert process.poll() is None
        time.sleep(0.01)
    process.kill()
    process.wait(30)
    assert files_with(KEY, tmp_path) == {key_file}


def test_what_was_kept_in_the_other_mode_goes(wx: "Command", config: Path, cache: Path) -> None:
    text = config.read_text().replace('mode = "zenapikey"', 'mode = "bearer"')
    config.write_text(text)
    assert wx("token", *ZEN).status == 0
    assert len(list(cache.glob("dph-zen*.token"))) == 1
    head, mark, rest = text.partition("[profiles.dph-zen]")
    config.write_text(head + mark + rest.replace('mode = "bearer"', 'mode = "zenapikey"'))
    assert wx("token", *ZEN).out == f"{VALUE}\n"
    assert list(cache.glob("dph-zen*.token")) == []


# ------------------------------------------------------------------------------------- at once


def test_twenty_at_once_do_not_wait_for_each_other(
    wx: "Command", at_once: "AtOnce", config: Path
) -> None:
    # The key's program ends when all twenty of them run: one after the other, none would.
    gate = "while [ $(ls here | wc -l) -lt $(cat wanted) ]; do sleep 0.2; done"
    by_command(config, f"mkdir -p here\ntouch here/$$\n{gate}\ncat dph-apikey")
    wanted = config.with_name("wanted")
    wanted.write_text("1")
    assert wx("token", *ZEN).out == f"{VALUE}\n"
    wanted.write_text("21")
    assert set(at_once(20, "token", *ZEN)) == {(0, f"{VALUE}\n", "")}


def test_twenty_at_once_in_the_very_beginning(at_once: "AtOnce", sandbox: Sandbox) -> None:
    assert set(at_once(20, "header", *ZEN)) == {(0, f"Authorization: ZenApiKey {VALUE}\n", "")}
    assert len(sandbox.requests) == 0


def test_a_mode_that_is_kept_again_is_asked_for_once(
    wx: "Command", at_once: "AtOnce", sandbox: Sandbox, config: Path
) -> None:
    assert wx("token", *ZEN).status == 0
    config.write_text(config.read_text().replace('mode = "zenapikey"', 'mode = "bearer"'))
    ended = at_once(10, "token", *ZEN)
    assert len(set(ended)) == 1
    assert sandbox.issuer.grant(ended[0][1].strip()) is not None
    assert sandbox.token_requests() == 1


def test_what_is_said_about_it_on_disk(wx: "Command", config: Path, cache: Path) -> None:
    wx("token", *ZEN)
    (said,) = cache.glob("dph-zen*.nothing")
    lines = [line.split()[0] for line in said.read_text().splitlines()]
    assert lines == ["wxhelper", "salt", "identity", "file", "env", "end"]
    assert "\nidentity -\n" in said.read_text()
    assert said.stat().st_mode & 0o777 == 0o600
    assert wx("invalidate", *ZEN).status == 0
    assert not said.exists()
