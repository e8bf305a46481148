"""config.toml is changed by what was asked, on any disk, for any number of editors at once."""

import fcntl
import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from config_files import DEV, PROD
from wxhelper import editor as editor_module
from wxhelper.editor import Editor
from wxhelper.errors import ConfigurationError, UnknownProfile

NEW = {"source": "ibmcloud", "api_key": "env:C", "hosts": ["a.example.com", "*.b"]}
ADDED = """
[profiles.new]
source = "ibmcloud"
api_key = "env:C"
hosts = ["a.example.com", "*.b"]
"""


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def refused(step: Callable[[], object], kind: type = ConfigurationError) -> tuple[str, str]:
    with pytest.raises(kind) as caught:
        step()
    assert isinstance(caught.value, ConfigurationError)
    return caught.value.message, caught.value.remedy


def added(config: Path, name: str = "new") -> None:
    editor = Editor(str(config))
    editor.add(name, NEW)
    editor.save()


def test_everything_that_was_asked_for_is_done_and_nothing_before_it_is_saved(
    config: Path,
) -> None:
    config.write_text(DEV + "\n" + PROD)
    editor = Editor(str(config))
    assert (editor.names, editor.default, editor.keys("dev")) == (
        ["dev", "prod"],
        None,
        ["source", "api_key"],
    )
    editor.add("new", NEW)
    editor.change("dev", {"api_key": None, "url": "https://a"})
    editor.make_default("prod")
    editor.remove("prod")
    assert config.read_text() == DEV + "\n" + PROD
    editor.save()
    assert (editor.names, editor.default) == (["dev", "new"], None)
    assert config.read_text() == (
        '[profiles.dev]\nsource = "ibmcloud"\nurl = "https://a"\n' + ADDED
    )


def test_the_default_goes_with_its_profile(config: Path) -> None:
    config.write_text('default_profile = "dev"\n\n' + DEV)
    editor = Editor(str(config))
    assert editor.default == "dev"
    editor.remove("dev")
    editor.save()
    assert (config.read_text(), editor.default) == ("", None)


def test_what_is_so_already_is_not_written_again(config: Path) -> None:
    config.write_text("default_profile = 'dev'\n" + DEV)
    before = config.stat()
    editor = Editor(str(config))
    editor.make_default("dev")
    editor.change("dev", {"source": "ibmcloud", "url": None})
    editor.save()
    assert config.stat() == before


def test_a_name_is_taken_once(config: Path) -> None:
    config.write_text(DEV)
    editor = Editor(str(config))
    assert refused(lambda: editor.add("dev", NEW)) == (
        f"there is a profile dev in {config} already",
        "choose another name, or: wxhelper profile add dev --replace ...",
    )
    assert refused(lambda: editor.add("a b", NEW)) == (
        f"{config}: a b cannot be a profile's name",
        "use 1 to 64 letters, digits, dots, underscores or hyphens",
    )


def test_a_profile_that_is_not_there_is_told(config: Path) -> None:
    config.write_text(DEV)
    editor = Editor(str(config))
    for step in (
        lambda: editor.change("dve", {}),
        lambda: editor.remove("dve"),
        lambda: editor.make_default("dve"),
        lambda: editor.keys("dve"),
    ):
        assert refused(step, UnknownProfile) == (
            f"there is no profile dve in {config}, only dev",
            "did you mean dev?",
        )


def test_a_profile_that_is_no_table_can_be_removed_and_not_be_changed(config: Path) -> None:
    config.write_text("profiles.dev = 1 # one\n" + PROD)
    editor = Editor(str(config))
    assert editor.keys("dev") == []
    assert refused(lambda: editor.change("dev", {"source": "x"})) == (
        f"{config}: profiles.dev must be a table",
        "begin it with [profiles.dev]",
    )
    editor.remove("dev")
    editor.save()
    assert config.read_text() == PROD


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"[profiles.dev]\nsource = x\n", "FILE, line 2: invalid value"),
        (b"\xff", "FILE, line 1: it is not UTF-8 text"),
        (b"profiles = 1", "FILE: profiles must be a table"),
        (b"[profile.dev]", "FILE: unknown key profile"),
    ],
)
def test_a_file_that_cannot_be_understood_is_not_edited(
    text: bytes, message: str, config: Path
) -> None:
    config.write_bytes(text)
    assert refused(lambda: Editor(str(config)))[0] == message.replace("FILE", str(config))


def test_a_file_that_others_can_write_is_not_edited(config: Path) -> None:
    config.write_text(DEV)
    config.chmod(0o666)
    assert refused(lambda: Editor(str(config))) == (
        f"the configuration {config} can be changed by other users",
        f"chmod go-w {config}",
    )


@pytest.mark.parametrize(
    ("name", "text"),
    [
        # A table between the parts of what dotted keys and a header make up.
        ("dev", "profiles.dev.a.b = 1\nprofiles.dev.a.c = 2\n"),
        ("dev", "[profiles]\ndev.x.y = 1\n"),
    ],
)
def test_a_change_that_would_mean_something_else_is_refused_and_forgotten(
    name: str, text: str, config: Path
) -> None:
    config.write_text(text)
    editor = Editor(str(config))
    assert refused(lambda: editor.change(name, {"source": "s"})) == (
        f"{config} is laid out in a way that this program cannot make the change",
        "edit it by hand",
    )
    editor.add("new", NEW)
    editor.save()
    assert config.read_text() == text + ADDED


def test_what_could_not_be_read_again_is_not_written(config: Path) -> None:
    config.write_text(DEV)
    editor = Editor(str(config))
    assert refused(lambda: editor.add("new", {"source": "x" * 140_000}))[0] == (
        f"{config} would be so large that this program cannot make the change"
    )
    assert refused(lambda: editor.add("new", {"source": "\udcff"}))[0] == (
        "a value is not text, and the configuration is"
    )
    editor.save()
    assert config.read_text() == DEV


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


@pytest.mark.parametrize("bits", [0o400, 0o444, 0o600, 0o644, 0o640])
def test_the_mode_is_kept(bits: int, config: Path) -> None:
    config.write_text(DEV)
    config.chmod(bits)
    before = os.umask(0o077)
    try:
        added(config)
    finally:
        os.umask(before)
    assert (config.read_text(), mode(config)) == (DEV + ADDED, bits)


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
    monkeypatch.setattr(
        editor_module, "_state", lambda path: os.stat_result([*found[:5], 12345, *found[6:10]])
    )
    added(config)
    assert (config.read_text(), mode(config)) == (DEV + ADDED, 0o600)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_root_makes_no_configuration_that_its_user_could_not_read(config: Path) -> None:
    os.chown(config.parent, 12345, 12345)
    assert refused(lambda: added(config))[0] == (
        f"the configuration {config} cannot be changed: {config.parent} belongs to another user"
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


def test_what_was_changed_meanwhile_is_kept(config: Path) -> None:
    config.write_text(DEV)
    one, two = Editor(str(config)), Editor(str(config))
    one.add("new", NEW)
    two.make_default("dev")
    two.change("dev", {"api_key": "env:Z"})
    one.save()
    two.save()
    assert config.read_text() == (
        'default_profile = "dev"\n\n' + DEV.replace("env:A", "env:Z") + ADDED
    )


def test_what_does_not_fit_any_more_is_refused(config: Path) -> None:
    config.write_text(DEV)
    one, two = Editor(str(config)), Editor(str(config))
    one.add("new", NEW)
    one.save()
    two.add("new", {"source": "other"})
    assert refused(two.save)[0] == f"there is a profile new in {config} already"
    three = Editor(str(config))
    three.remove("dev")
    config.unlink()
    assert refused(three.save, UnknownProfile) == (
        f"there is no profile dev in {config}, nor any other",
        "add one: wxhelper profile add NAME --help",
    )
    assert not config.exists()


def test_many_at_once_lose_nothing(config: Path) -> None:
    config.write_text(DEV)
    names = [f"p{n}" for n in range(12)]
    threads = [threading.Thread(target=added, args=(config, name)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(Editor(str(config)).names) == sorted(["dev", *names])
    assert os.listdir(config.parent) == ["config.toml"]


def test_an_editor_that_holds_on_is_waited_for_and_then_told(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text(DEV)
    monkeypatch.setattr(editor_module, "_PATIENCE", 0.05)
    held = os.open(config.parent, os.O_RDONLY)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        assert refused(lambda: added(config))[0] == (
            f"the configuration {config} cannot be changed: another process is changing it"
        )
    finally:
        os.close(held)
    added(config)
    assert config.read_text() == DEV + ADDED


def test_a_file_system_without_locks_is_edited_all_the_same(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", without)
    added(config)
    assert config.read_text() == ADDED[1:]
