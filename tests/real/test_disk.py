"""Whatever the disk and others do to the cache: the token is good, and nobody's file is touched."""

import errno
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wxhelper import paths
from wxhelper.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.conftest import Command, Outcome
    from tests.real.conftest import Ended

UNKEPT = "wxhelper: the token is good but could not be kept: "
STRANGER = 54_321
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


def emptied(cache: Path) -> None:
    for path in cache.iterdir():
        path.unlink()


def assert_good(sandbox: Sandbox, done: "Outcome") -> None:
    assert done.status == 0
    assert sandbox.issuer.grant(done.out.removesuffix("\n")) is not None
    assert done.err == "" or (done.err.startswith(UNKEPT) and done.err.count("\n") == 1)


def assert_private(root: Path) -> None:
    """Nobody but the owner can do anything with what is there."""
    for path in [root, *root.rglob("*")]:
        mode = path.lstat().st_mode
        expected = 0o700 if stat.S_ISDIR(mode) else 0o600
        assert stat.S_IMODE(mode) == expected, path


# ------------------------------------------------------------------------ what lies in the way

Plant = Callable[[Path, Path], object]


def nothing_in_it(path: Path, victim: Path) -> None:
    path.touch(mode=0o600)


def garbage(path: Path, victim: Path) -> None:
    path.write_bytes(bytes(range(256)) * 8)


def only_nul(path: Path, victim: Path) -> None:
    path.write_bytes(bytes(4096))


def the_beginning_of_a_record(path: Path, victim: Path) -> None:
    path.write_text("wxhelper record 1\nprofile sandbox\nclock 1 2\ntoken Bearer victim-victim\n")


def a_gibibyte(path: Path, victim: Path) -> None:
    path.touch(mode=0o600)
    os.truncate(path, 2**30)


def somebody_elses(path: Path, victim: Path) -> None:
    path.write_text("victim\n")
    os.chown(path, STRANGER, STRANGER)


def a_fifo(path: Path, victim: Path) -> None:
    os.mkfifo(path, 0o600)


def a_socket(path: Path, victim: Path) -> None:
    # The address of a socket is short, the path of a test is not.
    listening = socket.socket(socket.AF_UNIX)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        listening.bind(f"/proc/self/fd/{folder}/{path.name}")
    finally:
        os.close(folder)
        listening.close()


def a_directory(path: Path, victim: Path) -> None:
    path.mkdir()
    (path / "inside").write_text("victim\n")


def a_symbolic_link(path: Path, victim: Path) -> None:
    path.symlink_to(victim)


def a_dangling_link(path: Path, victim: Path) -> None:
    path.symlink_to(victim.with_name("not-there"))


def a_second_name(path: Path, victim: Path) -> None:
    os.link(victim, path)


PLANTS = [
    nothing_in_it,
    garbage,
    only_nul,
    the_beginning_of_a_record,
    a_gibibyte,
    pytest.param(somebody_elses, marks=only_root),
    a_fifo,
    pytest.param(
        a_socket,
        marks=pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="there is no /proc"),
    ),
    a_directory,
    a_symbolic_link,
    a_dangling_link,
    a_second_name,
]


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.__name__)
@pytest.mark.parametrize(
    "kinds",
    [(paths.RECORD,), (paths.LOCK,), (paths.FAILURE, paths.GENERATION, paths.POINTER)],
    ids="+".join,
)
def test_what_lies_in_the_way_harms_nobody(
    kinds: tuple[str, ...],
    plant: Plant,
    wx: "Command",
    sandbox: Sandbox,
    cache: Path,
    tmp_path: Path,
) -> None:
    config = wx.environ["WXHELPER_CONFIG"]
    victim = tmp_path / "victim"
    victim.write_text("victim\n")
    victim.chmod(0o644)
    for kind in kinds:
        profile = "" if kind == paths.POINTER else "sandbox"
        plant(cache / paths.file_name(kind, profile, wx.environ, config), victim)
    done = wx("token")
    assert_good(sandbox, done)
    assert victim.read_text() == "victim\n"
    assert stat.S_IMODE(victim.stat().st_mode) == 0o644
    assert not victim.with_name("not-there").exists()
    assert not list(cache.glob(".*.tmp"))
    assert_good(sandbox, wx("token"))


def it_is_somebody_elses(record: Path) -> None:
    os.chown(record, STRANGER, STRANGER)


def others_may_read_it(record: Path) -> None:
    record.chmod(0o640)


def it_has_a_second_name(record: Path) -> None:
    os.link(record, record.with_name("second"))


def it_is_another_profiles(record: Path) -> None:
    record.write_text(record.read_text().replace("profile sandbox\n", "profile other\n"))


def its_end_is_missing(record: Path) -> None:
    record.write_text(record.read_text().removesuffix("end\n"))


def it_is_of_another_version(record: Path) -> None:
    record.write_text(record.read_text().replace("record 1\n", "record 2\n"))


def its_token_could_not_be_a_header(record: Path) -> None:
    record.write_text(re.sub(r"(?m)^token Bearer .*$", "token Bearer a token", record.read_text()))


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(it_is_somebody_elses, marks=only_root),
        others_may_read_it,
        it_has_a_second_name,
        it_is_another_profiles,
        its_end_is_missing,
        it_is_of_another_version,
        its_token_could_not_be_a_header,
    ],
    ids=lambda change: change.__name__,
)
def test_a_record_that_cannot_be_trusted_is_not(
    change: Callable[[Path], None], wx: "Command", sandbox: Sandbox, cache: Path
) -> None:
    first = wx("token")
    change(next(cache.glob("*.token")))
    second = wx("token")
    assert (second.status, second.err) == (0, "")
    assert second.out != first.out
    assert wx("token") == second
    assert sandbox.token_requests() == 2


@only_root
def test_a_directory_of_somebody_else_is_left_as_it_is(
    wx: "Command", sandbox: Sandbox, cache: Path
) -> None:
    os.chown(cache, STRANGER, STRANGER)
    done = wx("token")
    assert (done.status, done.err) == (0, f"{UNKEPT}{cache} belongs to another user\n")
    assert sandbox.issuer.grant(done.out.strip()) is not None
    assert list(cache.iterdir()) == []


def test_a_linked_directory_keeps_nothing(
    wx: "Command", sandbox: Sandbox, cache: Path, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(mode=0o700)
    cache.rmdir()
    cache.symlink_to(elsewhere)
    assert_good(sandbox, wx("token"))
    assert list(elsewhere.iterdir()) == []


@pytest.mark.parametrize("mode", [0o755, 0o777])
def test_its_own_directory_is_made_private(mode: int, wx: "Command") -> None:
    del wx.environ["WXHELPER_CACHE_DIR"]
    assert wx("token").status == 0
    cache = Path(wx.environ["HOME"], ".cache", "wxhelper")
    cache.chmod(mode)
    assert wx("token", "--refresh").status == 0
    assert_private(cache)


def test_a_directory_that_was_chosen_is_left_as_it_is(wx: "Command", cache: Path) -> None:
    cache.chmod(0o755)
    first = wx("token")
    assert (first.status, first.err) == (0, "")
    assert wx("token") == first
    assert stat.S_IMODE(cache.stat().st_mode) == 0o755
    assert {stat.S_IMODE(path.stat().st_mode) for path in cache.iterdir()} == {0o600}


def test_a_directory_that_was_chosen_and_that_others_may_change_is_not_trusted(
    wx: "Command", sandbox: Sandbox, cache: Path
) -> None:
    held = wx("token")
    cache.chmod(0o777)
    done = wx("token")
    assert (done.status, done.err) == (0, f"{UNKEPT}{cache} can be written by other users\n")
    assert done.out != held.out
    assert sandbox.issuer.grant(done.out.strip()) is not None
    assert stat.S_IMODE(cache.stat().st_mode) == 0o777


# ------------------------------------------------------------------------------------- the modes


def test_everything_is_private_under_any_umask(
    wx: "Command", sandbox: Sandbox, config: Path, program: str
) -> None:
    home = Path(wx.environ["HOME"])
    environ = wx.changed({"WXHELPER_CACHE_DIR": None})

    def run(verb: str) -> int:
        done = subprocess.run(
            [program, verb], env=environ, umask=0, capture_output=True, timeout=60, check=False
        )
        return done.returncode

    assert [run("token"), run("invalidate"), run("token")] == [0, 0, 0]
    key_file = config.with_name("apikey")
    key_file.write_text("a key that nobody knows")
    assert run("token") == 4
    cache = home / ".cache" / "wxhelper"
    kinds = {path.suffix for path in cache.iterdir()}
    assert kinds >= {".token", ".lock", ".generation", ".failure", ".pointer", ".TAG"}
    assert_private(home / ".cache")


# ------------------------------------------------------------------------- the disk while it runs


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


class Traced:
    """Runs the command under strace, which lets system calls fail.

    Args:
        strace: the program.
        wx: the command, without coverage.
        program: the command's path.
        log: where strace writes.
    """

    def __init__(self, strace: str, wx: "Command", program: str, log: Path) -> None:
        self.environ = {**wx.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        self._command = [strace, "-f", "-qq", "-e", "signal=none", "-o", str(log)]
        self._program = program
        self._log = log

    def run(self, calls: str, fault: str = "") -> "subprocess.CompletedProcess[str]":
        """Runs ``wxhelper token`` to its end.

        Args:
            calls: what is traced.
            fault: what happens to it.
        """
        inject = ["-e", f"inject={calls}:{fault}"] if fault else []
        # Tracing by --seccomp-bpf is faster and counts wrongly for "when" (strace 6.1).
        fast = [] if "when" in fault else ["--seccomp-bpf"]
        return subprocess.run(
            [*self._command, *fast, "-e", f"trace={calls}", *inject, self._program, "token"],
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def of_main_thread(self) -> list[tuple[str, int, str]]:
        """What it called: the name, how many of that name it was, and the rest of the line."""
        lines = self._log.read_text().splitlines()
        main = lines[0].split()[0]
        counted: dict[str, int] = {}
        found = []
        for line in lines:
            match = re.match(rf"{main}\s+(\w+)\((.*)", line)
            if match:
                counted[match[1]] = counted.get(match[1], 0) + 1
                found.append((match[1], counted[match[1]], match[2]))
        return found

    def storing(self) -> list[tuple[str, int]]:
        """The calls that change something, from where a record is first stored to the end."""
        self.run("openat,write,fsync,close,rename,renameat,renameat2,unlink,flock,dup2")
        calls = self.of_main_thread()
        first = next(n for n, (_, _, rest) in enumerate(calls) if ".tmp" in rest)
        return [
            (name, count)
            for name, count, rest in calls[first:]
            if name != "openat" or "O_CREAT" in rest
        ]


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
