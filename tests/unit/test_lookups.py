"""Floor 2: what was looked at on the way to an answer."""

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from wxhelper.fingerprint import fingerprint
from wxhelper.lookups import File, Lookups
from wxhelper.record import ABSENT, file_state

LONG_AGO, FAR_AHEAD = -1e9, 1e9


class Watch:
    """A wall clock some seconds off the file system's, and a sleep that moves it."""

    def __init__(self, path: Path, ahead: float) -> None:
        self.now = path.stat().st_ctime + ahead if path.exists() else ahead
        self.slept: list[float] = []
        self.on_sleep: Callable[[], object] = lambda: None

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds
        self.on_sleep()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"content")
    return path


def lookups_at(watch: Watch, environ: dict[str, str] | None = None) -> Lookups:
    return Lookups(environ or {}, wall=watch, sleep=watch.sleep)


def looked(environ: dict[str, str] | None = None) -> Lookups:
    """Lookups for files of no matter what age."""
    return Lookups(environ or {}, wall=lambda: 0.0, sleep=lambda _: None)


# ------------------------------------------------------------------------------------- files


def test_a_file_is_read_whole_with_its_path_and_state(file: Path) -> None:
    found = looked().read(str(file), 100)
    assert found is not None
    assert (found.path, found.data, found.stat.st_ino) == (
        str(file),
        b"content",
        file.stat().st_ino,
    )


def test_a_file_that_was_read_is_in_the_basis(file: Path) -> None:
    lookups = looked()
    lookups.read(str(file), 100)
    assert lookups.basis("5a17", "id").files == [(str(file), file_state(str(file)))]


@pytest.mark.parametrize("path", ["/no/such/file", "/dev/null/below"])
def test_a_file_that_is_not_there_is_none_and_in_the_basis(path: str) -> None:
    lookups = looked()
    assert lookups.read(path, 100) is None
    assert lookups.basis("5a17", "id").files == [(path, ABSENT)]


def test_a_dangling_link_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nowhere")
    assert looked().read(str(tmp_path / "link"), 100) is None


def test_a_link_is_followed(file: Path) -> None:
    link = file.with_name("link")
    link.symlink_to(file)
    found = looked().read(str(link), 100)
    assert found is not None
    assert found.data == b"content"


def test_the_files_stand_in_the_basis_in_the_order_of_reading(file: Path) -> None:
    other = file.with_name("a-second-one")
    other.touch()
    lookups = looked()
    for path in (file, other, file):
        lookups.read(str(path), 100)
    assert [path for path, _ in lookups.basis("5a17", "id").files] == [str(file), str(other)]


@pytest.mark.parametrize(("limit", "taken"), [(6, False), (7, True), (8, True)])
def test_a_file_has_a_largest_size(file: Path, limit: int, taken: bool) -> None:
    if taken:
        found = looked().read(str(file), limit)
        assert found is not None
        assert found.data == b"content"
    else:
        with pytest.raises(OSError, match=r"^it is larger than 6 bytes$"):
            looked().read(str(file), limit)


def test_a_giant_file_is_not_read_into_memory(file: Path) -> None:
    os.truncate(file, 2**40)
    with pytest.raises(OSError, match=r"^it is larger than 100 bytes$"):
        looked().read(str(file), 100)


def test_a_fifo_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    with pytest.raises(OSError, match=r"^it is not a regular file$"):
        looked().read(str(tmp_path / "fifo"), 100)


def test_a_device_is_refused() -> None:
    with pytest.raises(OSError, match=r"^it is not a regular file$"):
        looked().read("/dev/zero", 100)


def test_a_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        looked().read(str(tmp_path), 100)


def test_links_in_a_circle_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(OSError, match="symbolic links"):
        looked().read(str(tmp_path / "a"), 100)


def test_a_path_that_can_be_none_is_an_os_error() -> None:
    with pytest.raises(OSError, match=r"\S"):
        looked().read("/a\0b", 100)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read_is_an_os_error(file: Path) -> None:
    file.chmod(0)
    with pytest.raises(PermissionError):
        looked().read(str(file), 100)


@pytest.mark.parametrize("name", ["file", "missing", ""], ids=["file", "missing", "directory"])
def test_reading_leaves_no_descriptor_open(file: Path, name: str) -> None:
    before = len(os.listdir("/dev/fd"))
    with contextlib.suppress(OSError):
        looked().read(os.path.join(file.parent, name), 100)
    assert len(os.listdir("/dev/fd")) == before


# ----------------------------------------------------------------------------- young files


@pytest.mark.parametrize(
    ("ahead", "pauses"),
    [(LONG_AGO, 0), (-0.001, 0), (0.001, 1), (0.015, 1), (0.021, 0), (FAR_AHEAD, 0)],
    ids=["clock far behind", "clock just behind", "just made", "young", "old enough", "old"],
)
def test_a_file_is_read_only_when_the_tick_of_its_last_change_is_over(
    file: Path, ahead: float, pauses: int
) -> None:
    watch = Watch(file, ahead)
    found = lookups_at(watch).read(str(file), 100)
    assert found is not None
    assert found.data == b"content"
    assert len(watch.slept) == pauses


def test_what_was_changed_while_waiting_is_read_anew(file: Path) -> None:
    watch = Watch(file, 0.001)

    def change() -> None:
        if len(watch.slept) == 1:
            file.write_bytes(b"changed!")
            watch.now = FAR_AHEAD * 4

    watch.on_sleep = change
    lookups = lookups_at(watch)
    found = lookups.read(str(file), 100)
    assert found is not None
    assert found.data == b"changed!"
    assert lookups.basis("5a17", "id").files == [(str(file), file_state(str(file)))]


def test_a_file_that_never_holds_still_is_refused(file: Path) -> None:
    watch = Watch(file, 0.001)

    def change() -> None:
        file.write_bytes(b"x" * len(watch.slept))
        watch.now = file.stat().st_ctime

    watch.on_sleep = change
    with pytest.raises(OSError, match=r"^it does not stop changing: "):
        lookups_at(watch).read(str(file), 100)
    assert 10 < len(watch.slept) < 1000


def test_a_file_that_goes_while_waiting_is_not_there(file: Path) -> None:
    watch = Watch(file, 0.001)
    watch.on_sleep = lambda: file.unlink(missing_ok=True)
    lookups = lookups_at(watch)
    assert lookups.read(str(file), 100) is None
    assert lookups.basis("5a17", "id").files == [(str(file), ABSENT)]


# --------------------------------------------------------------------------------- variables


@pytest.mark.parametrize(
    ("environ", "value", "kept"),
    [
        ({"NAME": "value"}, "value", fingerprint("5a17", "value")),
        ({"NAME": ""}, None, fingerprint("5a17", "")),
        ({}, None, ABSENT),
        ({"OTHER": "x"}, None, ABSENT),
        ({"NAME": "-"}, "-", fingerprint("5a17", "-")),
    ],
    ids=["set", "empty", "unset", "other set", "set to the sign for unset"],
)
def test_a_variable_is_its_value_or_none_and_is_in_the_basis(
    environ: dict[str, str], value: str | None, kept: str
) -> None:
    lookups = Lookups(environ)
    assert lookups.variable("NAME") == value
    assert lookups.basis("5a17", "id").variables == [("NAME", kept)]


def test_variables_stand_in_the_basis_once_and_by_name() -> None:
    lookups = Lookups({"B": "1", "A": "2"})
    for name in ("B", "C", "A", "B"):
        lookups.variable(name)
    assert [name for name, _ in lookups.basis("5a17", "id").variables] == ["A", "B", "C"]


def test_what_was_not_looked_at_is_not_in_the_basis() -> None:
    basis = Lookups({"A": "1"}).basis("5a17", "id")
    assert (basis.salt, basis.identity, basis.files, basis.variables) == ("5a17", "id", [], [])


def test_the_basis_of_what_was_looked_at_is_unchanged(file: Path) -> None:
    environ = {"A": "1", "EMPTY": ""}
    lookups = looked(environ)
    lookups.read(str(file), 100)
    lookups.read(str(file.with_name("missing")), 100)
    for name in ("A", "EMPTY", "UNSET"):
        lookups.variable(name)
    assert lookups.basis("5a17", "id").unchanged(environ, str(file), fingerprint)


# ----------------------------------------------------------------------------------- owners


def _stat(mode: int, owner: int) -> os.stat_result:
    return os.stat_result((0o100000 | mode, 0, 0, 1, owner, 0, 0, 0, 0, 0))


BY_OTHERS = ("can be changed by other users", "chmod go-w '/a b'")
A_STRANGERS = ("belongs to another user", "copy it, or: sudo chown $(id -u) '/a b'")


@pytest.mark.parametrize(
    ("mode", "owner", "reason"),
    [
        (0o600, os.geteuid(), None),
        (0o644, os.geteuid(), None),
        (0o444, os.geteuid(), None),
        (0o755, 0, None),
        (0o640, 0, None),
        (0o620, os.geteuid(), BY_OTHERS),
        (0o602, os.geteuid(), BY_OTHERS),
        (0o666, 0, BY_OTHERS),
        (0o600, 12_345, A_STRANGERS),
        (0o444, 12_345, A_STRANGERS),
    ],
)
def test_who_could_have_written_a_file(
    mode: int, owner: int, reason: tuple[str, str] | None
) -> None:
    assert File("/a b", b"", _stat(mode, owner)).distrusted() == reason
