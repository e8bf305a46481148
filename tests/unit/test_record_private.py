"""Floor 2: only a private file of ours, in a directory of ours, is read back."""

import os
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from records import TEXT
from wxhelper import record
from wxhelper.record import ABSENT

running_as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


@pytest.fixture
def room(tmp_path: Path) -> Path:
    """A private directory with a private record ``r``."""
    folder = tmp_path / "room"
    folder.mkdir(mode=0o700)
    (folder / "r").touch(0o600)
    (folder / "r").write_text(TEXT)
    return folder


def test_a_private_record_is_loaded(room: Path) -> None:
    found = record.load(str(room), "r")
    assert found is not None
    assert record.write(found) == TEXT


def _instead(make: Callable[[Path], object]) -> Callable[[Path], object]:
    def change(room: Path) -> None:
        (room / "r").unlink()
        make(room / "r")

    return change


def _socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listener:
        here = os.getcwd()
        os.chdir(path.parent)  # the path of a socket is short
        try:
            listener.bind(path.name)
        finally:
            os.chdir(here)


def _link_to_itself_elsewhere(path: Path) -> None:
    elsewhere = path.with_name("elsewhere")
    elsewhere.touch(0o600)
    elsewhere.write_text(TEXT)
    path.symlink_to(elsewhere)


@pytest.mark.parametrize(
    "change",
    [
        lambda room: (room / "r").unlink(),
        _instead(_link_to_itself_elsewhere),
        _instead(lambda path: path.symlink_to("nowhere")),
        _instead(lambda path: os.mkfifo(path, 0o600)),
        _instead(_socket),
        _instead(lambda path: path.mkdir(0o700)),
        lambda room: os.link(room / "r", room / "twin"),
        lambda room: (room / "r").chmod(0o640),
        lambda room: (room / "r").chmod(0o604),
        lambda room: (room / "r").chmod(0o620),
        lambda room: (room / "r").chmod(0o610),
        lambda room: (room / "r").write_text(""),
        lambda room: (room / "r").write_text(TEXT + " " * 65_536),
        lambda room: os.truncate(room / "r", 2**33),
        lambda room: (room / "r").write_bytes(b"\0" * 500),
        lambda room: (room / "r").write_bytes(b"\xff\xfe" + TEXT.encode("utf-16-le")),
        lambda room: room.chmod(0o770),
        lambda room: room.chmod(0o703),
        lambda room: room.chmod(0o1777),
        pytest.param(lambda room: os.chown(room / "r", 12_345, -1), marks=running_as_root),
        pytest.param(lambda room: os.chown(room, 12_345, -1), marks=running_as_root),
    ],
    ids=[
        "absent", "symlink", "dangling symlink", "fifo", "socket", "directory", "hard link",
        "group reads", "others read", "group writes", "group executes", "empty", "too large",
        "giant and sparse", "only NULs", "utf-16", "directory writable by group",
        "directory writable by others", "directory like /tmp", "foreign file",
        "foreign directory",
    ],
)  # fmt: skip
def test_anything_else_is_no_record(room: Path, change: Callable[[Path], object]) -> None:
    change(room)
    assert record.load(str(room), "r") is None


def test_a_directory_may_be_readable_by_others(room: Path) -> None:
    room.chmod(0o755)
    assert record.load(str(room), "r") is not None


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_the_owners_own_bits_do_not_matter(room: Path, mode: int) -> None:
    (room / "r").chmod(mode)
    assert record.load(str(room), "r") is not None


def test_the_directory_may_not_be_a_symlink(room: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(room)
    assert record.load(str(tmp_path / "link"), "r") is None


def test_a_symlink_on_the_way_to_the_directory_is_followed(room: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path)
    assert record.load(str(tmp_path / "link" / "room"), "r") is not None


@pytest.mark.parametrize("directory", ["/no/such/directory", "/dev/null", "/a\0b", ""])
def test_a_directory_that_is_none_holds_nothing(directory: str) -> None:
    assert record.read_private(directory, "r") is None


@pytest.mark.parametrize("name", ["a\0b", "x" * 300, "", "no/such"])
def test_a_name_that_is_none_is_nothing(room: Path, name: str) -> None:
    assert record.read_private(str(room), name) is None


def test_reading_leaves_no_descriptor_open(room: Path) -> None:
    before = len(os.listdir("/dev/fd"))
    for name in ("r", "missing"):
        record.read_private(str(room), name)
    (room / "r").chmod(0o644)
    record.read_private(str(room), "r")
    assert len(os.listdir("/dev/fd")) == before


def test_reading_changes_nothing(room: Path) -> None:
    before = [(p.name, p.stat().st_mtime_ns) for p in (room, room / "r")]
    record.load(str(room), "r")
    assert [(p.name, p.stat().st_mtime_ns) for p in (room, room / "r")] == before
    assert stat.S_IMODE((room / "r").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"0a1b2c\n", "0a1b2c"), (b"0a1b2c", "0a1b2c"), (b"", ABSENT), (b" \n", ABSENT)],
)
def test_a_generation_is_the_word_in_its_file(room: Path, content: bytes, expected: str) -> None:
    (room / "r").write_bytes(content)
    assert record.generation(str(room), "r") == expected


def test_without_its_file_the_generation_is_the_sign_for_none(room: Path) -> None:
    assert record.generation(str(room), "missing") == ABSENT
