"""config.toml is replaced as a whole: its mode, owner and links kept, or nothing done."""

import os
import stat
from pathlib import Path

import pytest

from config_files import DEV
from edits import ADDED, added, refused
from wxhelper import editor as editor_module
from wxhelper.editor import Editor


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_a_new_file_and_its_directories_are_private_under_any_umask(
    umask: int, tmp_path: Path
) -> None:
    config = tmp_path / "a" / "b" / "config.toml"
    before = os.umask(umask)
    try:
        added(config)
    finally:
        os.umask(before)
    assert config.read_text() == ADDED[1:]
    assert [mode(config), mode(config.parent), mode(config.parents[1])] == [0o600, 0o700, 0o700]
    assert os.listdir(config.parent) == ["config.toml"]


@pytest.mark.parametrize("bits", [0o600, 0o644, 0o640])
def test_the_mode_is_kept(bits: int, config: Path) -> None:
    config.write_text(DEV)
    config.chmod(bits)
    before = os.umask(0o077)
    try:
        added(config)
    finally:
        os.umask(before)
    assert (config.read_text(), mode(config)) == (DEV + ADDED, bits)


@pytest.mark.parametrize("bits", [0o400, 0o444])
def test_a_read_only_file_stays_as_it_is(bits: int, config: Path) -> None:
    config.write_text(DEV)
    config.chmod(bits)
    before = config.stat()
    assert refused(lambda: added(config)) == (
        f"{config} is read-only",
        f"if it may be changed: chmod u+w {config}",
    )
    assert (config.read_text(), config.stat()) == (DEV, before)
    editor = Editor(str(config))
    editor.change("dev", {"source": "ibmcloud"})
    editor.save()  # that needs no writing
    assert os.listdir(config.parent) == ["config.toml"]


def test_a_file_with_two_names_stays_one(config: Path) -> None:
    config.write_text(DEV)
    os.link(config, config.with_name("same"))
    assert refused(lambda: added(config)) == (
        f"{config} has more than one name (hard links), which would part",
        "use a symbolic link instead",
    )
    assert config.samefile(config.with_name("same"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_the_group_is_kept(config: Path) -> None:
    config.write_text(DEV)
    os.chown(config, 0, 12345)
    config.chmod(0o640)
    added(config)
    found = config.stat()
    assert (found.st_uid, found.st_gid, mode(config)) == (0, 12345, 0o640)


def test_what_another_group_was_allowed_ours_is_not(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def forbidden(fd: int, uid: int, gid: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    config.write_text(DEV)
    config.chmod(0o640)
    found = config.stat()
    monkeypatch.setattr(os, "fchown", forbidden)
    times = {name: getattr(found, name) for name in ("st_mtime_ns", "st_ctime_ns")}
    another = os.stat_result([*found[:5], 12345, *found[6:10]], times)
    monkeypatch.setattr(editor_module, "_state", lambda path: another)
    added(config)
    assert (config.read_text(), mode(config)) == (DEV + ADDED, 0o600)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_root_makes_no_configuration_that_its_user_could_not_read(config: Path) -> None:
    os.chown(config.parent, 12345, 12345)
    assert refused(lambda: added(config)) == (
        f"{config.parent} belongs to another user, who could not use {config} if root made it",
        "type this as that user",
    )
    assert not config.exists()


def linked(config: Path, *steps: str) -> Path:
    """A chain of links that starts at ``config`` and ends at a file, which is returned."""
    target = config.parent / "dotfiles" / "real.toml"
    target.parent.mkdir()
    target.write_text(DEV)
    places = [config, *(config.parent / "dotfiles" / f"link{n}" for n in range(len(steps) - 1))]
    for place, to in zip(places, steps, strict=True):
        place.symlink_to(to.replace("DIR", str(config.parent)))
    return target


@pytest.mark.parametrize(
    "steps",
    [
        ("DIR/dotfiles/real.toml",),
        ("dotfiles/real.toml",),
        ("dotfiles/link0", "link1", "DIR/dotfiles/../dotfiles/real.toml"),
    ],
)
def test_a_symbolic_link_stays_one_and_what_it_leads_to_is_changed(
    steps: tuple[str, ...], config: Path
) -> None:
    target = linked(config, *steps)
    links = {p: os.readlink(p) for p in (config, *target.parent.iterdir()) if p.is_symlink()}
    added(config)
    assert {p: os.readlink(p) for p in links} == links
    assert target.read_text() == DEV + ADDED
    assert not target.is_symlink()


def test_a_link_that_leads_nowhere_yet_is_followed(config: Path) -> None:
    config.symlink_to("later/real.toml")
    added(config)
    target = config.parent / "later" / "real.toml"
    assert (config.is_symlink(), target.read_text(), mode(target)) == (True, ADDED[1:], 0o600)


def test_a_link_in_a_circle_is_told(config: Path) -> None:
    config.symlink_to(config)
    assert refused(lambda: Editor(str(config)))[0] == (
        f"the configuration {config} cannot be read: Too many levels of symbolic links"
    )


def test_a_place_that_cannot_be_written_is_told_and_left_as_it_is(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text(DEV)

    def read_only(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "rename", read_only)
    assert refused(lambda: added(config)) == (
        f"the configuration {config} cannot be changed: Read-only file system",
        "look at its directory's owner and mode, or edit it by hand",
    )
    assert (config.read_text(), os.listdir(config.parent)) == (DEV, ["config.toml"])
