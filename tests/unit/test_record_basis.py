"""Floor 2: whether what an answer depended on is as it was."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from wxhelper.fingerprint import fingerprint
from wxhelper.record import ABSENT, Basis, file_state

SALT = "0f3a"
CONFIG_TEXT = 'source = "a"'


class Scene:
    """A configuration and a key file, two variables, and the basis of an answer."""

    def __init__(self, folder: Path) -> None:
        self.config, self.key = folder / "config.toml", folder / "key"
        self.config.write_text(CONFIG_TEXT)
        self.environ = {"SET": "value", "EMPTY": ""}
        self.take()

    def take(self) -> None:
        names = ("SET", "EMPTY", "UNSET")
        self.basis = Basis(
            SALT,
            "id",
            [(str(path), file_state(str(path))) for path in (self.config, self.key)],
            [
                (n, fingerprint(SALT, self.environ[n]) if n in self.environ else ABSENT)
                for n in names
            ],
        )

    def unchanged(self, config: Path | None = None) -> bool:
        return self.basis.unchanged(self.environ, str(config or self.config), fingerprint)


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


def test_what_did_not_change_is_unchanged(scene: Scene) -> None:
    assert scene.unchanged()


def _in_another_tick(path: Path, change: Callable[[], object]) -> None:
    """The change, repeated until the kernel's clock has ticked since the last one."""
    before = path.stat().st_ctime_ns
    change()
    while path.stat().st_ctime_ns == before:
        change()


def _same_size_and_mtime_put_back(scene: Scene) -> None:
    before = scene.config.stat()

    def change() -> None:
        scene.config.write_text(CONFIG_TEXT.replace("a", "b"))
        os.utime(scene.config, ns=(before.st_atime_ns, before.st_mtime_ns))

    _in_another_tick(scene.config, change)
    after = scene.config.stat()
    assert (after.st_size, after.st_mtime_ns) == (before.st_size, before.st_mtime_ns)


def _mode(scene: Scene) -> None:
    _in_another_tick(scene.config, lambda: scene.config.chmod(0o640))


def _older_file_moved_over_it(scene: Scene) -> None:
    other = scene.config.with_name("other")
    other.write_text(CONFIG_TEXT.replace("a", "b"))
    os.utime(other, (1, 1))
    other.rename(scene.config)


def _twin_moved_over_it(scene: Scene) -> None:
    before = scene.config.stat()
    other = scene.config.with_name("other")
    other.write_text(CONFIG_TEXT)
    os.utime(other, ns=(before.st_atime_ns, before.st_mtime_ns))
    other.rename(scene.config)


@pytest.mark.parametrize(
    "change",
    [
        _same_size_and_mtime_put_back,
        _older_file_moved_over_it,
        _twin_moved_over_it,
        lambda scene: scene.config.write_text(CONFIG_TEXT + " "),
        lambda scene: scene.config.unlink(),
        lambda scene: scene.key.write_text("key"),
        _mode,
        lambda scene: scene.environ.update(SET="other"),
        lambda scene: scene.environ.update(SET=""),
        lambda scene: scene.environ.pop("SET"),
        lambda scene: scene.environ.update(EMPTY="now set"),
        lambda scene: scene.environ.pop("EMPTY"),
        lambda scene: scene.environ.update(UNSET="now set"),
        lambda scene: scene.environ.update(UNSET=""),
        lambda scene: scene.environ.update(UNSET="-"),
    ],
    ids=[
        "same size, mtime put back", "an older file moved over it", "a twin moved over it",
        "content", "file removed", "file made", "mode", "variable changed", "variable emptied",
        "variable unset", "empty variable set", "empty variable unset", "unset variable set",
        "unset variable set empty", "unset variable set to the sign for unset",
    ],
)  # fmt: skip
def test_a_change_is_noticed(scene: Scene, change: Callable[[Scene], object]) -> None:
    change(scene)
    assert not scene.unchanged()


def test_a_variable_that_was_not_looked_at_may_change(scene: Scene) -> None:
    scene.environ["OTHER"] = "x"
    assert scene.unchanged()


def test_an_answer_of_another_configuration_counts_for_nothing(
    scene: Scene, tmp_path: Path
) -> None:
    assert not scene.unchanged(tmp_path / "other.toml")


def test_an_answer_that_names_no_configuration_counts_for_nothing(scene: Scene) -> None:
    scene.basis.files.clear()
    assert not scene.unchanged()


def test_a_mounted_secret_changes_when_its_link_is_swapped(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "key").write_text("same")
    (tmp_path / "data").symlink_to("one")
    (tmp_path / "key").symlink_to("data/key")
    before = file_state(str(tmp_path / "key"))
    (tmp_path / "next").symlink_to("two")
    (tmp_path / "next").rename(tmp_path / "data")
    assert file_state(str(tmp_path / "key")) != before


@pytest.mark.parametrize("path", ["/no/such/file", "/dev/null/x", "/a\0b", "/" + "x" * 5000])
def test_what_is_no_file_is_absent(path: str) -> None:
    assert file_state(path) == ABSENT


def test_a_file_that_is_there_is_its_size_times_and_inode(tmp_path: Path) -> None:
    file = tmp_path / "f"
    file.write_bytes(b"12345")
    found = file.stat()
    assert file_state(str(file)) == (f"5 {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}")
