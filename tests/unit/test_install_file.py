"""One file of another tool: replaced as a whole, or not touched."""

import os
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from wxhelper.errors import ConfigurationError, TemporaryError
from wxhelper.installers import file
from wxhelper.installers.file import After, Edit

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


def more(data: bytes | None) -> After:
    """Adds a line."""
    return After((data or b"") + b"new\n")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "config"
    path.write_bytes(b"old\n")
    return path


@pytest.fixture
def nothing_given_away(monkeypatch: pytest.MonkeyPatch) -> None:
    """Root without the capability, as in some containers."""

    def forbidden(fd: int, uid: int, gid: int) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "fchown", forbidden)


@pytest.fixture(params=[0o000, 0o022, 0o277], ids=oct)
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o640, 0o664, 0o755], ids=oct)
def test_a_files_mode_stays(mode: int, path: Path, umask: int) -> None:
    path.chmod(mode)
    file.edit(str(path), more)
    assert path.read_bytes() == b"old\nnew\n"
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert os.umask(umask) == umask


def test_a_new_file_and_its_directories_are_private(tmp_path: Path, umask: int) -> None:
    path = tmp_path / "a" / "b" / "config"
    file.edit(str(path), more)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    for folder in (path.parent, path.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@needs_root
def test_a_files_owner_stays(path: Path) -> None:
    os.chown(path, 65534, 65534)
    path.chmod(0o640)
    file.edit(str(path), more)
    found = path.stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (65534, 65534, 0o640)


@needs_root
def test_a_file_whose_owner_cannot_be_kept_stays_as_it_is(
    path: Path, nothing_given_away: None
) -> None:
    os.chown(path, 65534, 65534)
    with pytest.raises(ConfigurationError, match="cannot be changed: Operation not permitted"):
        file.edit(str(path), more)
    assert (path.read_bytes(), path.stat().st_uid) == (b"old\n", 65534)
    assert os.listdir(path.parent) == ["config"]


@needs_root
def test_a_group_that_cannot_be_kept_loses_its_rights(path: Path, nothing_given_away: None) -> None:
    os.chown(path, -1, 12345)
    path.chmod(0o660)
    file.edit(str(path), more)
    assert (path.stat().st_gid, stat.S_IMODE(path.stat().st_mode)) == (os.getegid(), 0o600)


@needs_root
def test_root_makes_no_file_in_somebody_elses_directory(tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)
    with pytest.raises(ConfigurationError, match="belongs to another user") as raised:
        file.edit(str(tmp_path / "a" / "config"), more)
    assert raised.value.remedy == "type this as that user"
    assert os.listdir(tmp_path) == []


def test_a_symbolic_link_stays_one(path: Path, tmp_path: Path) -> None:
    (tmp_path / "links").mkdir()
    link, other = tmp_path / "links" / "link", tmp_path / "links" / "other"
    other.symlink_to("../config")
    link.symlink_to("other")
    assert file.edit(str(link), more) == Edit(str(link), b"old\n", b"old\nnew\n")
    assert (os.readlink(link), os.readlink(other)) == ("other", "../config")
    assert path.read_bytes() == b"old\nnew\n"
    assert sorted(os.listdir(tmp_path / "links")) == ["link", "other"]


def test_a_link_to_nothing_gets_its_file_and_loses_it_again(tmp_path: Path) -> None:
    link, target = tmp_path / "link", tmp_path / "target"
    link.symlink_to("target")
    file.edit(str(link), more)
    assert target.read_bytes() == b"new\n"
    file.edit(str(link), lambda _: After(None))
    assert os.listdir(tmp_path) == ["link"]


def test_nothing_is_written_for_a_look(path: Path, tmp_path: Path) -> None:
    before = path.stat()
    edit = file.edit(str(path), more, lock=f"{path}.lock", dry_run=True)
    assert edit.changed
    assert path.stat() == before
    missing = tmp_path / "a" / "b"
    assert file.edit(str(missing), more, dry_run=True) == Edit(str(missing), None, b"new\n")
    assert os.listdir(tmp_path) == ["config"]


def test_what_needs_no_change_is_not_written(path: Path) -> None:
    before = path.stat(), path.parent.stat()
    path.chmod(0o444)
    file.edit(str(path), After, lock=f"{path}.lock")
    path.chmod(stat.S_IMODE(before[0].st_mode))
    assert path.stat().st_mtime_ns == before[0].st_mtime_ns
    assert path.parent.stat() == before[1]


@pytest.mark.parametrize("mode", [0o400, 0o444], ids=oct)
def test_a_read_only_file_is_not_touched(mode: int, path: Path) -> None:
    path.chmod(mode)
    with pytest.raises(ConfigurationError, match="is read-only") as raised:
        file.edit(str(path), more)
    assert raised.value.remedy == f"if it may be changed: chmod u+w {path}"
    assert path.read_bytes() == b"old\n"


def test_a_file_with_two_names_is_not_touched(path: Path, tmp_path: Path) -> None:
    os.link(path, tmp_path / "same")
    with pytest.raises(ConfigurationError, match="hard links"):
        file.edit(str(path), more)
    assert path.read_bytes() == b"old\n"


@pytest.mark.parametrize("kind", ["directory", "fifo", "loop", "too large"])
def test_what_is_no_file_is_not_touched(kind: str, path: Path) -> None:
    path.unlink()
    if kind == "directory":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    elif kind == "loop":
        path.symlink_to(path)
    else:
        with path.open("wb") as stream:
            stream.truncate(file.SIZE_LIMIT + 1)
    before = path.lstat()
    with pytest.raises(ConfigurationError, match="cannot be read") as raised:
        file.edit(str(path), more)
    assert str(path) in raised.value.remedy
    assert path.lstat() == before


def test_a_directory_that_is_a_file_is_told(path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be changed: "):
        file.edit(str(path / "below"), more)


def test_the_tools_lock_is_waited_for_and_let_go(path: Path) -> None:
    lock = Path(f"{path}.lock")
    lock.touch()
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            path.write_bytes(b"theirs\n")
            lock.unlink()

    file.edit(str(path), more, lock=str(lock), sleep=sleep)
    assert path.read_bytes() == b"theirs\nnew\n"
    assert len(pauses) == 3
    assert not lock.exists()


def test_a_lock_that_stays_is_told_and_left(path: Path) -> None:
    lock = Path(f"{path}.lock")
    lock.touch()
    with pytest.raises(TemporaryError, match="another program is changing this file") as raised:
        file.edit(str(path), more, lock=str(lock), sleep=lambda _: None)
    assert "remove that file" in raised.value.remedy
    assert lock.exists()
    assert path.read_bytes() == b"old\n"


def test_a_file_that_changes_meanwhile_is_read_again(path: Path) -> None:
    seen: list[bytes | None] = []

    def change(data: bytes | None) -> After:
        seen.append(data)
        if len(seen) in (2, 3):  # the first was only a look
            path.write_bytes(b"theirs %d\n" % len(seen))
        return more(data)

    file.edit(str(path), change)
    assert path.read_bytes() == b"theirs 3\nnew\n"
    assert seen == [b"old\n", b"old\n", b"theirs 2\n", b"theirs 3\n"]
    assert os.listdir(path.parent) == ["config"]


def test_a_file_that_never_holds_still_is_told(path: Path) -> None:
    def change(data: bytes | None) -> After:
        path.write_bytes((data or b"") + b"more\n")
        return After(b"ours\n")

    with pytest.raises(TemporaryError, match="does not stop changing"):
        file.edit(str(path), change)
    assert b"ours" not in path.read_bytes()
    assert os.listdir(path.parent) == ["config"]


def test_readers_see_the_old_or_the_new(path: Path) -> None:
    whole = {b"a" * 100_000, b"b" * 200_000}
    path.write_bytes(b"a" * 100_000)
    done = threading.Event()
    seen: set[bytes] = set()

    def look() -> None:
        while not done.is_set():
            seen.add(path.read_bytes())

    looking = threading.Thread(target=look)
    looking.start()
    for content in sorted(whole) * 5:
        file.edit(str(path), lambda _, content=content: After(content))
    done.set()
    looking.join()
    assert seen <= whole


def test_what_a_killed_writer_left_goes_after_an_hour(path: Path) -> None:
    old, young = (path.with_name(f".config.{digit * 12}.tmp") for digit in "ab")
    others = path.with_name(".config.backup.tmp")
    for each in (old, young, others):
        each.touch()
        os.utime(each, (0, 0) if each != young else (time.time(), time.time()))
    file.edit(str(path), more)
    assert sorted(os.listdir(path.parent)) == sorted([young.name, others.name, "config"])


@pytest.mark.parametrize(
    ("before", "after", "diff"),
    [
        (b"a\n", b"a\n", ""),
        (None, b"a\nb\n", "--- /dev/null\n+++ /c\n@@ -0,0 +1,2 @@\n+a\n+b\n"),
        (b"a\n", None, "--- /c\n+++ /dev/null\n@@ -1 +0,0 @@\n-a\n"),
        (
            b"a",
            b"a\nb",
            (
                "--- /c\n+++ /c\n@@ -1 +1,2 @@\n-a\n\\ No newline at end of file\n"
                "+a\n+b\n\\ No newline at end of file\n"
            ),
        ),
        (b"a:\r\n", b"a:\r\nb\r\n", "--- /c\n+++ /c\n@@ -1 +1,2 @@\n a:\r\n+b\r\n"),
    ],
)
def test_the_diff(before: bytes | None, after: bytes | None, diff: str) -> None:
    assert Edit("/c", before, after).diff() == diff


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("    token: s3cr3t", "    token: [not shown]"),
        ("    token: |", "    token: |"),
        ("      s3cr3t", "      [not shown]"),
        ('    "X-Api-Key": "s3cr3t",', '    "X-Api-Key": [not shown]'),
        ('{"auths":{"r.io":{"auth":"s3cr3t"}}}', '{"auths":[not shown]'),
        ("\thelper = !echo s3cr3t", "\thelper = [not shown]"),
        ("# s3cr3t", "[not shown]"),
        ('[url "https://me:s3cr3t@git.example.com/"]', "[[not shown]"),
        ('[credential "https://auth.example.com:8443"]', ...),
        ('    "auths": {', ...),
        ("    },", ...),
        ("- name: dev", ...),
        ("  user:", ...),
        ("", ...),
    ],
)
def test_what_the_lines_around_a_change_say_is_not_shown(line: str, shown: object) -> None:
    diff = Edit("/c", f"{line}\nold\n".encode(), f"{line}\nnew\n".encode()).diff()
    [context] = [each[1:] for each in diff.split("\n") if each.startswith(" ")]
    assert context == (line if shown is ... else shown)


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('{"auths":{"r.io":{"auth":"s3cr3t"}}}', '{"auths":{"r.io":{"auth":[not shown]}}}'),
        ('"X-Api-Key": "s3cr3t", "x": 1', '"X-Api-Key": [not shown], "x": 1'),
        ('"Cookie": "s3cr3t"', '"Cookie": [not shown]'),
        ('"identitytoken": "a \\" s3cr3t"', '"identitytoken": [not shown]'),
        ("user: {token: s3cr3t, client-key-data: s3cr3t==}", ...),
        ("password: s3cr3t # s3cr3t", "password: [not shown]"),
        ("insteadOf = https://me:s3cr3t@git.example.com/", ...),
        ("      args: [exec-credential, --profile, dev]", ...),
    ],
)
def test_secrets_in_a_line_that_changes_are_not_shown(line: str, shown: object) -> None:
    diff = Edit("/c", f"{line}\n".encode(), b"new\n").diff()
    [changed] = [each[1:] for each in diff.split("\n") if each.startswith("-") and each[1] != "-"]
    assert "s3cr3t" not in changed
    if shown is not ...:
        assert changed == shown
