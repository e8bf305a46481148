"""Whatever the disk does while the command runs: the token is good, and no harm is left."""

import errno
import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from disk import UNKEPT, Traced, assert_private
from wxhelper.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.conftest import Command
    from tests.real.conftest import Ended


def emptied(cache: Path) -> None:
    for path in cache.iterdir():
        path.unlink()


def test_a_cache_that_is_deleted_all_the_time_fails_nobody(
    at_once: "Callable[..., list[Ended]]", sandbox: Sandbox, cache: Path
) -> None:
    done = threading.Event()

    def delete() -> None:
        while not done.wait(0.001):
            shutil.rmtree(cache, ignore_errors=True)

    deleting = threading.Thread(target=delete)
    deleting.start()
    try:
        ended = at_once(50, "token")
    finally:
        done.set()
        deleting.join()
    for status, out, err in ended:
        assert status == 0
        assert sandbox.issuer.grant(out.removesuffix("\n")) is not None
        assert err == "" or (err.startswith(UNKEPT) and err.count("\n") == 1)


def test_a_file_size_limit_costs_the_record_alone(
    unwatched: "Command", sandbox: Sandbox, cache: Path, program: str
) -> None:
    done = subprocess.run(
        ["sh", "-c", 'ulimit -f 1; exec "$1" token', "sh", program],
        # Python itself keeps bytecode that was cut off, and stumbles over it ever after.
        env={**unwatched.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, f"{UNKEPT}{os.strerror(errno.EFBIG)}\n")
    assert sandbox.issuer.grant(done.stdout.strip()) is not None
    assert list(cache.glob(".*.tmp")) == list(cache.glob("*.token")) == []


@pytest.fixture
def traced(strace: str, unwatched: "Command", program: str, tmp_path: Path) -> Traced:
    return Traced(strace, unwatched, program, tmp_path / "strace.log")


@pytest.mark.parametrize(
    ("calls", "fault", "error"),
    [
        ("flock", "error=ENOLCK", None),
        ("flock", "error=ENOSYS", None),
        ("flock", "error=EIO", None),
        ("fsync", "error=ENOSPC", errno.ENOSPC),
        ("fsync", "error=EIO", errno.EIO),
        ("rename,renameat,renameat2", "error=EXDEV", errno.EXDEV),
        ("rename,renameat,renameat2", "error=EROFS", errno.EROFS),
        ("write", "error=ENOSPC:when=1", errno.ENOSPC),
        ("write", "error=EDQUOT:when=1", errno.EDQUOT),
    ],
)
def test_a_disk_that_fails_costs_the_record_at_most(
    calls: str,
    fault: str,
    error: int | None,
    traced: Traced,
    wx: "Command",
    sandbox: Sandbox,
    cache: Path,
) -> None:
    done = traced.run(calls, fault)
    injected = [rest for _, _, rest in traced.of_main_thread() if "(INJECTED)" in rest]
    assert injected
    assert (done.returncode, done.stderr) == (
        0,
        "" if error is None else f"{UNKEPT}{os.strerror(error)}\n",
    )
    assert sandbox.issuer.grant(done.stdout.strip()) is not None
    assert list(cache.glob(".*.tmp")) == []
    assert len(list(cache.glob("*.token"))) == (1 if error is None else 0)
    assert (wx("token").out == done.stdout) is (error is None)


def test_a_record_that_is_full_only_when_it_is_closed_is_not_kept(
    traced: Traced, sandbox: Sandbox, cache: Path
) -> None:
    storing = traced.storing()
    closing = next(call for call in storing[storing.index(("fsync", 1)) :] if call[0] == "close")
    emptied(cache)
    done = traced.run("close", f"error=EDQUOT:when={closing[1]}")
    assert (done.returncode, done.stderr) == (0, f"{UNKEPT}{os.strerror(errno.EDQUOT)}\n")
    assert sandbox.issuer.grant(done.stdout.strip()) is not None
    assert list(cache.glob(".*.tmp")) == list(cache.glob("*.token")) == []


SHARDS = 4


@pytest.mark.parametrize("shard", range(SHARDS))
def test_killed_anywhere_while_it_stores_it_leaves_nothing_that_harms(
    shard: int, traced: Traced, wx: "Command", sandbox: Sandbox, cache: Path
) -> None:
    shutil.rmtree(cache)
    points = traced.storing()
    assert 15 <= len(points) <= 60
    for name, count in points[shard::SHARDS]:
        shutil.rmtree(cache)
        killed = traced.run(name, f"signal=KILL:when={count}")
        assert killed.returncode == -signal.SIGKILL, (name, count)
        assert killed.stdout == "" or sandbox.issuer.grant(killed.stdout.strip()) is not None
        assert_private(cache)
        after = wx("token")
        assert (after.status, after.err) == (0, ""), (name, count)
        assert sandbox.issuer.grant(after.out.strip()) is not None
        assert wx("token") == after
