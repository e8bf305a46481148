"""Whatever the disk and others do to the cache: the token is good, and nobody's file is touched."""

import os
import re
import socket
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from disk import UNKEPT, assert_good, assert_private
from wxhelper import paths
from wxhelper.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.conftest import Command

STRANGER = 54_321
only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


# ------------------------------------------------------------------------ what lies in the way

Plant = Callable[[Path, Path], object]


def nothing_in_it(path: Path, victim: Path) -> None:
    path.touch(mode=0o600)


def garbage(path: Path, victim: Path) -> None:
    path.write_bytes(bytes(range(256)) * 8)


def only_nul(path: Path, victim: Path) -> None:
    path.write_bytes(bytes(4096))


def the_beginning_of_a_record(path: Path, victim: Path) -> None:
    path.write_text("wxhelper record 2\nprofile sandbox\nclock 1 2\ntoken Bearer victim-victim\n")


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
    [
        (paths.RECORD,),
        (paths.LOCK,),
        (paths.FAILURE, paths.GENERATION, paths.NOTHING, paths.POINTER),
    ],
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
    record.write_text(record.read_text().replace("record 2\n", "record 3\n"))


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
