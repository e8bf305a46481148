"""config.toml is changed by what was asked, on any disk, for any number of editors at once."""

import fcntl
import os
import threading
from pathlib import Path

import pytest

from config_files import DEV, PROD
from edits import ADDED, NEW, added, refused
from wxhelper import editor as editor_module
from wxhelper.editor import Editor
from wxhelper.errors import UnknownProfile


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


def test_what_a_person_writes_meanwhile_is_kept(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text(DEV)
    fsync, written = os.fsync, []

    def and_meanwhile(fd: int) -> None:
        fsync(fd)
        if not written:
            written.append(config.write_text(DEV + "\n" + PROD))

    monkeypatch.setattr(os, "fsync", and_meanwhile)
    added(config)
    assert config.read_text() == DEV + "\n" + PROD + ADDED
    assert os.listdir(config.parent) == ["config.toml"]


def test_a_file_that_never_holds_still_is_told(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text(DEV)

    def and_meanwhile(fd: int) -> None:
        config.write_text(config.read_text() + "#\n")

    monkeypatch.setattr(os, "fsync", and_meanwhile)
    assert refused(lambda: added(config))[0] == (
        f"the configuration {config} cannot be changed: it does not stop changing"
    )
    assert os.listdir(config.parent) == ["config.toml"]


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
