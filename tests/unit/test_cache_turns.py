"""Floor 3: whose turn it is to fetch."""

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from records import CONFIG
from wxhelper.cache import Cache

HOLDER = (
    "import sys\n"
    "from wxhelper.cache import Cache\n"
    "cache = Cache({'WXHELPER_CACHE_DIR': sys.argv[1]}, sys.argv[2])\n"
    "with cache.try_lock('dev'):\n"
    "    print('held', flush=True)\n"
    "    sys.stdin.readline()\n"
    "print('let go', flush=True)\n"
    "sys.stdin.readline()\n"
)


@pytest.fixture
def holder(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """Another process that has the turn; lets go at a line."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder), CONFIG],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_one_process_at_a_time_has_the_turn(cache: Cache, holder: "subprocess.Popen[str]") -> None:
    assert holder.stdin is not None
    assert holder.stdout is not None
    assert cache.try_lock("dev") is None
    holder.stdin.write("\n")
    holder.stdin.flush()
    assert holder.stdout.readline() == "let go\n"
    with cache.try_lock("dev") or pytest.fail("the lock was free"):
        assert cache.try_lock("dev") is None


def test_a_process_that_was_killed_has_let_go(
    cache: Cache, folder: Path, holder: "subprocess.Popen[str]"
) -> None:
    holder.kill()
    holder.wait()
    assert (folder / "dev.lock").exists()
    with cache.try_lock("dev") or pytest.fail("the lock was free"):
        pass


def test_another_profile_has_a_turn_of_its_own(
    cache: Cache, holder: "subprocess.Popen[str]"
) -> None:
    with cache.try_lock("prod") or pytest.fail("the lock was free"):
        assert cache.try_lock("dev") is None


def test_the_lock_file_stays_and_stays_empty(cache: Cache, folder: Path) -> None:
    for _ in range(2):
        with cache.try_lock("dev") or pytest.fail("the lock was free"):
            before = (folder / "dev.lock").stat().st_ino
        assert (folder / "dev.lock").stat().st_ino == before
    assert (folder / "dev.lock").read_bytes() == b""


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EIO])
def test_without_locks_everybody_has_the_turn(
    cache: Cache, folder: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    def no_locks(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", no_locks)
    with cache.try_lock("dev") or pytest.fail("one"), cache.try_lock("dev") or pytest.fail("two"):
        assert not [name for name in os.listdir(folder) if "soft" in name]


def test_where_no_file_can_be_made_everybody_has_the_turn(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = Cache({"WXHELPER_CACHE_DIR": f"{tmp_path}/file"}, CONFIG)
    with cache.try_lock("dev") or pytest.fail("one"), cache.try_lock("dev") or pytest.fail("two"):
        pass
