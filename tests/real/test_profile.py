"""``wxhelper profile`` as a program: killed, many at once, on a disk that fails."""

import errno
import os
import signal
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from disk import Traced
from processes import Ended, Start

if TYPE_CHECKING:
    from tests.conftest import Command

_ADD = ("--source", "ibmcloud", "--api-key-ref", "command:true")
_NEW = '[profiles.new]\nsource = "ibmcloud"\napi_key = "command:true"\n'
_CHANGING = "openat,write,fsync,close,rename,renameat,renameat2,unlink,unlinkat,fchmod,fchown"


def restored(config: Path, old: str | None) -> None:
    if old is None:
        config.unlink(missing_ok=True)
    else:
        config.write_text(old)
        config.chmod(0o644)


@pytest.mark.parametrize("there", [True, False], ids=["there already", "new"])
def test_killed_anywhere_it_leaves_the_old_configuration_or_the_new_one(
    there: bool, strace: str, unwatched: "Command", program: str, config: Path, tmp_path: Path
) -> None:
    if not there:
        config = config.parent / "deep" / "config.toml"
        unwatched.environ["WXHELPER_CONFIG"] = str(config)
    old = config.read_text() if there else None
    new = (old + "\n" if old else 'default_profile = "new"\n\n') + _NEW
    add = ("profile", "add", "new", *_ADD)
    assert unwatched(*add).status == 0  # what is compiled on the way is compiled
    restored(config, old)
    traced = Traced(strace, unwatched, program, tmp_path / "log", add)
    points = traced.storing(_CHANGING)
    assert 7 <= len(points) <= 15
    outcomes = set()
    for name, count in points:
        restored(config, old)
        killed = traced.run(name, f"signal=KILL:when={count}")
        assert killed.returncode == -signal.SIGKILL, (name, count)
        found = config.read_text() if config.exists() else None
        assert found in (old, new), (name, count)
        outcomes.add(found)
        for path in config.parent.glob(".*.tmp"):
            assert stat.S_IMODE(path.stat().st_mode) in (0o600, 0o644 if there else 0o600)
        if found is not None:
            assert stat.S_IMODE(config.stat().st_mode) == (0o644 if there else 0o600)
        after = unwatched("profile", "default", "new" if found == new else "sandbox")
        assert after.status == (0 if there or found == new else 5), (name, count, after)
    assert outcomes == {old, new}
    unwatched("profile", "add", "newer", *_ADD)
    assert list(config.parent.glob(".*.tmp")) == []


def test_profiles_that_are_added_at_once_are_all_there(
    start: Start, finish: Callable[["subprocess.Popen[str]"], Ended], config: Path
) -> None:
    before = config.read_text()
    tables = {name: _NEW.replace("new", name) for name in [f"p{n}" for n in range(8)]}
    running = [start("profile", "add", name, *_ADD) for name in tables]
    assert [(status, err) for status, _, err in map(finish, running)] == [(0, "")] * 8
    added = config.read_text().removeprefix(before)
    assert sorted(f"[{piece}".strip() for piece in added.split("[")[1:]) == sorted(
        table.strip() for table in tables.values()
    )


def test_the_tokens_of_a_removed_profile_go_with_it_and_its_key_stays(
    wx: "Command", config: Path, key_file: Path, cache: Path
) -> None:
    assert wx("token").status == 0
    assert list(cache.glob("sandbox*.token"))
    done = wx("profile", "remove", "sandbox")
    assert (done.status, done.out, done.err) == (
        0,
        f"profile sandbox is removed: {config}\nits key is left where it is: file:apikey\n",
        (
            "wxhelper: it was the default one; choose another: "
            "wxhelper profile default trusted-profile\n"
        ),
    )
    assert list(cache.glob("*.token")) == []
    assert key_file.exists()


@pytest.mark.parametrize(
    ("calls", "error"),
    [
        ("rename,renameat,renameat2", "EROFS"),
        ("fsync", "ENOSPC"),
        ("fchmod", "EPERM"),
    ],
)
def test_a_disk_that_fails_is_told_and_the_configuration_as_it_was(
    calls: str,
    error: str,
    strace: str,
    unwatched: "Command",
    program: str,
    config: Path,
    tmp_path: Path,
) -> None:
    target = config.with_name("elsewhere.toml")
    config.rename(target)
    config.symlink_to(target.name)
    before = target.read_text()
    log = tmp_path / "log"
    traced = Traced(strace, unwatched, program, log, ("profile", "remove", "sandbox"))
    done = traced.run(calls, f"error={error}")
    why = os.strerror(getattr(errno, error))
    assert (done.returncode, done.stdout, done.stderr) == (
        5,
        "",
        (
            f"wxhelper: the configuration {target} cannot be changed: {why}; "
            "look at its directory's owner and mode, or edit it by hand\n"
        ),
    )
    assert (target.read_text(), list(config.parent.glob(".*.tmp"))) == (before, [])
