"""Floor 3: what is kept on disk, and whose turn it is to fetch."""

import errno
import os
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from records import CONFIG, a_failure, a_record
from wxhelper import record
from wxhelper.cache import Cache
from wxhelper.record import ABSENT

running_as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


@pytest.fixture
def umask() -> Iterator[None]:
    """The umask may be changed; it is put back."""
    before = os.umask(0o022)
    yield
    os.umask(before)


def value_in(cache: Cache, profile: str = "dev") -> str | None:
    found = cache.read(profile)
    return None if found is None else found.token.value


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# ---------------------------------------------------------------------------------- records


def test_what_was_written_is_read_back(cache: Cache) -> None:
    cache.write(a_record())
    found = cache.read("dev")
    assert found is not None
    assert record.write(found) == record.write(a_record())


def test_the_last_record_counts(cache: Cache) -> None:
    cache.write(a_record("first-one"))
    cache.write(a_record("second-one"))
    assert value_in(cache) == "second-one"


def test_each_profile_has_its_own(cache: Cache) -> None:
    cache.write(a_record("for-dev-1"))
    cache.write(a_record("for-prod", profile="prod"))
    assert (value_in(cache), value_in(cache, "prod"), value_in(cache, "x")) == (
        "for-dev-1",
        "for-prod",
        None,
    )


def test_a_record_under_another_profiles_name_is_not_read(cache: Cache, folder: Path) -> None:
    cache.write(a_record())
    (folder / "dev.token").rename(folder / "prod.token")
    assert cache.read("prod") is None


def test_two_configurations_do_not_read_each_others_records(folder: Path) -> None:
    caches = [
        Cache({"WXHELPER_CACHE_DIR": str(folder), "WXHELPER_CONFIG": path}, path)
        for path in ("/a/wx.toml", "/b/wx.toml")
    ]
    caches[0].write(a_record("for-a-only"))
    assert [value_in(cache) for cache in caches] == ["for-a-only", None]


def test_nothing_is_read_where_nothing_is(cache: Cache, folder: Path) -> None:
    assert (cache.read("dev"), cache.failure("dev"), cache.generation("dev")) == (
        None,
        None,
        ABSENT,
    )
    assert not folder.exists()


def test_a_path_with_a_line_break_is_not_kept(cache: Cache, folder: Path) -> None:
    with pytest.raises(OSError, match=r"^a line break cannot be recorded$"):
        cache.write(a_record(path="/a\nb"))
    assert not folder.exists()


def test_a_path_that_is_no_text_is_kept(cache: Cache) -> None:
    cache.write(a_record(path="/a\udcff"))
    found = cache.read("dev")
    assert found is not None
    assert found.basis.files == [("/a\udcff", ABSENT)]


# ---------------------------------------------------------------------------------- privacy


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077, 0o277, 0o777], ids=oct)
def test_everything_is_private_under_any_umask(cache: Cache, tmp_path: Path, mask: int) -> None:
    os.umask(mask)
    cache.write(a_record())
    cache.remember("dev", a_failure())
    with cache.try_lock("dev") or pytest.fail("the lock was free"):
        cache.invalidate("dev")
        cache.write(a_record())
        cache.remember("dev", a_failure())
    os.umask(0o022)
    made = {str(path.relative_to(tmp_path)): oct(mode(path)) for path in tmp_path.rglob("*")}
    assert made == {
        "parent": "0o700",
        "parent/cache": "0o700",
        "parent/cache/CACHEDIR.TAG": "0o600",
        "parent/cache/dev.token": "0o600",
        "parent/cache/dev.failure": "0o600",
        "parent/cache/dev.generation": "0o600",
        "parent/cache/dev.lock": "0o600",
        "parent/cache/.pointer": "0o600",
    }


def test_backup_programs_are_told_to_leave_it_out(cache: Cache, folder: Path) -> None:
    cache.write(a_record())
    tag = (folder / "CACHEDIR.TAG").read_text()
    assert tag.startswith("Signature: 8a477f597d28d172789f06886806bc55\n")


def test_a_directory_that_was_there_gets_no_tag(cache: Cache, folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True)
    cache.write(a_record())
    assert sorted(os.listdir(folder)) == [".pointer", "dev.token"]


@pytest.mark.parametrize("loose", [0o755, 0o777, 0o750, 0o701], ids=oct)
def test_a_loose_directory_of_our_own_is_tightened(tmp_path: Path, loose: int) -> None:
    cache = Cache({"XDG_CACHE_HOME": str(tmp_path), "HOME": str(tmp_path)}, CONFIG)
    folder = tmp_path / "wxhelper"
    folder.mkdir()
    folder.chmod(loose)
    cache.write(a_record())
    assert (mode(folder), value_in(cache)) == (0o700, "abcdefgh")


@pytest.mark.parametrize("loose", [0o755, 0o750, 0o711], ids=oct)
def test_a_directory_that_the_user_chose_is_left_as_it_is(
    cache: Cache, folder: Path, loose: int
) -> None:
    folder.mkdir(parents=True)
    folder.chmod(loose)
    cache.write(a_record())
    assert (mode(folder), value_in(cache)) == (loose, "abcdefgh")


@pytest.mark.parametrize("loose", [0o777, 0o770, 0o703, 0o1777], ids=oct)
def test_a_directory_that_the_user_chose_and_others_write_is_refused(
    cache: Cache, folder: Path, loose: int
) -> None:
    folder.mkdir(parents=True)
    folder.chmod(loose)
    with pytest.raises(PermissionError) as caught:
        cache.write(a_record())
    assert str(caught.value) == f"{folder} can be written by other users"
    assert (os.listdir(folder), folder.stat().st_mode & 0o7777) == ([], loose)


def test_the_parents_of_the_directory_stay_as_they_are(cache: Cache, folder: Path) -> None:
    folder.parent.mkdir()
    folder.parent.chmod(0o755)
    cache.write(a_record())
    assert mode(folder.parent) == 0o755


@running_as_root
def test_a_foreign_directory_is_refused(cache: Cache, folder: Path) -> None:
    folder.mkdir(parents=True)
    os.chown(folder, 12_345, -1)
    with pytest.raises(PermissionError, match=r" belongs to another user$"):
        cache.write(a_record())
    assert os.listdir(folder) == []


def test_a_symlinked_directory_is_refused(cache: Cache, folder: Path, tmp_path: Path) -> None:
    folder.parent.mkdir()
    (tmp_path / "elsewhere").mkdir()
    folder.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match=r" is a symbolic link$"):
        cache.write(a_record())
    assert os.listdir(tmp_path / "elsewhere") == []


def test_a_home_directory_that_is_missing_is_not_made(tmp_path: Path) -> None:
    cache = Cache({"HOME": f"{tmp_path}/home"}, CONFIG)
    with pytest.raises(OSError, match=r"^the home directory .*/home does not exist$"):
        cache.write(a_record())
    assert os.listdir(tmp_path) == []


@running_as_root
def test_root_makes_no_directory_below_one_of_another_user(tmp_path: Path) -> None:
    os.chown(tmp_path, 12_345, -1)
    cache = Cache({"HOME": str(tmp_path)}, CONFIG)
    with pytest.raises(PermissionError, match=r" belongs to another user$"):
        cache.write(a_record())
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("below", ["", "/below", "/two/below"])
def test_a_file_where_the_directory_should_be_is_refused(tmp_path: Path, below: str) -> None:
    (tmp_path / "file").write_text("mine")
    cache = Cache({"WXHELPER_CACHE_DIR": f"{tmp_path}/file{below}"}, CONFIG)
    with pytest.raises(NotADirectoryError):
        cache.write(a_record())
    assert (tmp_path / "file").read_text() == "mine"
    assert cache.read("dev") is None


def test_without_a_home_directory_nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> str:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("platformdirs.user_cache_dir", unknown)
    cache = Cache({"HOME": ""}, CONFIG)
    with pytest.raises(OSError, match=r"^there is no home directory to keep it in$"):
        cache.write(a_record())
    cache.remember("dev", a_failure())
    cache.forget("dev")
    cache.invalidate("dev")
    assert (cache.read("dev"), cache.failure("dev"), cache.generation("dev")) == (
        None,
        None,
        ABSENT,
    )
    with cache.try_lock("dev") or pytest.fail("everybody has the turn"):
        pass


def test_a_record_that_is_a_symlink_is_replaced_and_its_target_kept(
    cache: Cache, folder: Path, tmp_path: Path
) -> None:
    cache.write(a_record())
    (tmp_path / "precious").write_text("precious")
    (folder / "dev.token").unlink()
    (folder / "dev.token").symlink_to(tmp_path / "precious")
    cache.write(a_record("another-1"))
    assert (tmp_path / "precious").read_text() == "precious"
    assert value_in(cache) == "another-1"


# ------------------------------------------------------------------------------------ faults


@pytest.mark.parametrize("call", ["write", "fsync", "rename"])
def test_a_full_disk_leaves_the_old_record_and_nothing_else(
    cache: Cache, folder: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    cache.write(a_record("first-one"))
    before = sorted(os.listdir(folder))

    def full(*_: object, **__: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, call, full)
    with pytest.raises(OSError, match="No space left on device"):
        cache.write(a_record("second-one"))
    cache.remember("dev", a_failure())
    monkeypatch.undo()
    assert (value_in(cache), sorted(os.listdir(folder))) == ("first-one", before)


def test_a_write_that_comes_in_pieces_is_whole(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = os.write
    monkeypatch.setattr(os, "write", lambda fd, data: whole(fd, data[:7]))
    cache.write(a_record("in-pieces"))
    monkeypatch.undo()
    assert value_in(cache) == "in-pieces"


def test_a_limit_on_the_size_of_files_leaves_nothing_behind(cache: Cache, folder: Path) -> None:
    cache.write(a_record("first-one"))
    program = (
        "import resource, sys\n"
        "from wxhelper import record\n"
        "from wxhelper.cache import Cache\n"
        "cache = Cache({'WXHELPER_CACHE_DIR': sys.argv[1]}, sys.argv[2])\n"
        "kept = cache.read('dev')\n"
        "kept.token.value = 'x' * 9000\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try:\n"
        "    cache.write(kept)\n"
        "except OSError as fault:\n"
        "    print(fault.errno)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(folder), CONFIG],
        # Nothing else may be written below the limit: coverage's data, compiled modules.
        env={n: v for n, v in os.environ.items() if not n.startswith("COV")}
        | {"PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == (f"{errno.EFBIG}\n", "")
    assert value_in(cache) == "first-one"
    assert sorted(os.listdir(folder)) == [".pointer", "CACHEDIR.TAG", "dev.token"]


def test_a_reader_sees_the_old_record_until_the_new_one_is_whole(
    cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache.write(a_record("first-one"))
    seen: list[str | None] = []
    for name in ("write", "fsync", "rename"):
        real = getattr(os, name)

        def spied(*given: object, real: object = real, **named: object) -> object:
            seen.append(value_in(cache))
            return real(*given, **named)  # type: ignore[operator]

        monkeypatch.setattr(os, name, spied)
    cache.write(a_record("second-one"))
    monkeypatch.undo()
    assert seen == ["first-one"] * 3
    assert value_in(cache) == "second-one"


# ----------------------------------------------------------------------------------- pointer


def test_the_pointer_names_the_default_profile(cache: Cache, folder: Path) -> None:
    cache.write(a_record())
    cache.write(a_record(profile="prod", default=False))
    assert (folder / ".pointer").read_text() == "dev\n"
    cache.write(a_record(profile="prod"))
    assert (folder / ".pointer").read_text() == "prod\n"


def test_a_pointer_that_is_right_is_not_written_again(cache: Cache, folder: Path) -> None:
    cache.write(a_record())
    before = (folder / ".pointer").stat().st_ino
    cache.write(a_record("another-1"))
    assert (folder / ".pointer").stat().st_ino == before


# ------------------------------------------------------------------------------ refused records


def test_a_record_that_was_refused_is_dropped_and_another_is_not(cache: Cache) -> None:
    cache.write(a_record("abcdefgh"))
    cache.reject("dev", lambda found: found.token.value == "another-one")
    assert value_in(cache) == "abcdefgh"
    before = cache.generation("dev")
    cache.reject("dev", lambda found: found.token.value == "abcdefgh")
    assert value_in(cache) is None
    assert cache.generation("dev") != before


def test_without_a_record_there_is_nothing_to_refuse(cache: Cache, folder: Path) -> None:
    cache.reject("dev", lambda found: True)
    assert cache.generation("dev") == ABSENT
    assert not list(folder.glob("*.generation"))


def test_a_refused_record_does_not_wait_for_who_is_fetching(cache: Cache) -> None:
    cache.write(a_record())
    lock = cache.try_lock("dev")
    assert lock is not None
    with lock:
        cache.reject("dev", lambda found: True)
    assert value_in(cache) is None
