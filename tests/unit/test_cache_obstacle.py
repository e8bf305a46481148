"""Why nothing can be kept, told without trying."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from records import CONFIG, a_record
from wxhelper import paths
from wxhelper.cache import Cache


def nothing(folder: Path) -> None:
    pass


def a_directory(folder: Path) -> None:
    folder.mkdir(parents=True)


def a_file(folder: Path) -> None:
    folder.parent.mkdir()
    folder.touch()


def a_link(folder: Path) -> None:
    folder.parent.mkdir()
    folder.symlink_to("/tmp")


def open_to_all(folder: Path) -> None:
    folder.mkdir(parents=True)
    folder.chmod(0o777)


def of_somebody_else(folder: Path) -> None:
    folder.mkdir(parents=True)
    os.chown(folder, 12345, 12345)


def below_somebody_else(folder: Path) -> None:
    folder.parent.mkdir()
    os.chown(folder.parent, 12345, 12345)


def below_a_file(folder: Path) -> None:
    folder.parent.touch()


only_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


@pytest.mark.parametrize(
    ("make", "obstacle"),
    [
        (nothing, ""),
        (a_directory, ""),
        (a_file, "FOLDER is not a directory"),
        (a_link, "FOLDER is a symbolic link"),
        (open_to_all, "FOLDER can be written by other users"),
        (below_a_file, "PARENT is not a directory"),
        pytest.param(of_somebody_else, "FOLDER belongs to another user", marks=only_root),
        pytest.param(below_somebody_else, "PARENT belongs to another user", marks=only_root),
    ],
)
def test_what_is_in_the_way(
    make: Callable[[Path], None], obstacle: str, folder: Path, cache: Cache
) -> None:
    make(folder)
    before = sorted(folder.parents[1].rglob("*"))
    told = cache.obstacle()
    assert told.replace(str(folder), "FOLDER").replace(str(folder.parent), "PARENT") == obstacle
    assert sorted(folder.parents[1].rglob("*")) == before
    if obstacle:
        with pytest.raises(OSError, match=r"."):
            cache.write(a_record())
    else:
        cache.write(a_record())
        assert cache.obstacle() == ""


def test_a_directory_that_cannot_be_written(
    folder: Path, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder.mkdir(parents=True)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert cache.obstacle() == f"{folder} cannot be written"


def test_a_home_that_is_not_there() -> None:
    assert Cache({"HOME": "/nowhere"}, CONFIG).obstacle() == (
        "the home directory /nowhere does not exist"
    )


def test_a_record_that_cannot_be_trusted_is_noticed(folder: Path, cache: Cache) -> None:
    assert not cache.garbled("dev")
    cache.write(a_record())
    assert not cache.garbled("dev")
    record = folder / paths.file_name(paths.RECORD, "dev", {}, CONFIG)
    record.chmod(0o644)
    assert cache.garbled("dev")
    record.chmod(0o600)
    record.write_text("no record")
    assert cache.garbled("dev")
