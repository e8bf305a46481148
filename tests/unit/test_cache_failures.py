"""Floor 3: failures that all processes remember, and how things go."""

import errno
import os
import time
from pathlib import Path

import pytest

from records import CONFIG, a_failure, a_record
from wxhelper import errors
from wxhelper.cache import Cache
from wxhelper.record import ABSENT


def value_in(cache: Cache, profile: str = "dev") -> str | None:
    found = cache.read(profile)
    return None if found is None else found.token.value


def test_a_failure_is_read_back(cache: Cache) -> None:
    cache.remember("dev", a_failure())
    found = cache.failure("dev")
    assert found is not None
    told = (found.kind, found.message, found.remedy, found.until, found.count, found.moment.wall)
    assert told == ("KeyRefused", "it refused the key", "mend it", 1060.25, 2, 1000.125)
    assert found.basis.lines() == a_failure().basis.lines()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("", ""),
        ("a\nuntil 9999999999\nb", "a until 9999999999 b"),
        ("end\n", "end"),
        ("a\x1b[2J\u202eb\x00", "a [2J b"),
        ("x" * 5000, "x" * 997 + "..."),
        ("run {profile}", "run {profile}"),
        ("ü 日本", "ü 日本"),
    ],
)
def test_hostile_text_in_a_failure_stays_one_line(cache: Cache, text: str, kept: str) -> None:
    cache.remember("dev", a_failure(message=text, remedy=text))
    found = cache.failure("dev")
    assert found is not None
    assert (found.message, found.remedy, found.until, found.count) == (kept, kept, 1060.25, 2)


@pytest.mark.parametrize(
    "name",
    [n for n, k in vars(errors).items() if isinstance(k, type) and issubclass(k, Exception)],
)
def test_a_failure_is_raised_as_it_was_the_first_time(name: str) -> None:
    fault = a_failure(kind=name).error()
    assert (type(fault), fault.line()) == (
        getattr(errors, name),
        "wxhelper: it refused the key; mend it",
    )


@pytest.mark.parametrize("name", ["", "printable", "THIS_PROFILE", "__doc__", "Exception", "No"])
def test_a_failure_of_an_unknown_kind_is_temporary(name: str) -> None:
    assert type(a_failure(kind=name).error()) is errors.TemporaryError


@pytest.mark.parametrize(
    ("now", "stands"),
    [
        (1000.125, True),
        (1060.24, True),
        (1060.25, False),
        (999.2, True),
        (999.0, False),
        (0, False),
    ],
    ids=["at once", "just before the end", "at the end", "clock jitter", "set back", "set to 0"],
)
def test_a_failure_stands_until_its_time_and_not_on_a_clock_set_back(
    now: float, stands: bool
) -> None:
    assert a_failure().stands(now) is stands


@pytest.mark.parametrize(
    ("old", "new"),
    [("count 2", "count many"), ("until 1060.250\n", ""), ("failure 1", "failure 2"),
     ("kind KeyRefused\n", ""), ("end\n", ""), ("salt 5a17\n", "")],
)  # fmt: skip
def test_a_damaged_failure_is_none(cache: Cache, folder: Path, old: str, new: str) -> None:
    cache.remember("dev", a_failure())
    text = (folder / "dev.failure").read_text()
    assert old in text
    (folder / "dev.failure").write_text(text.replace(old, new))
    assert cache.failure("dev") is None


def test_a_failure_that_is_raised_again_says_so() -> None:
    assert a_failure().error().repeated


def test_a_forgotten_failure_is_gone(cache: Cache) -> None:
    cache.remember("dev", a_failure())
    cache.forget("dev")
    cache.forget("dev")
    assert cache.failure("dev") is None


def test_a_failure_that_cannot_be_kept_is_silent(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    cache = Cache({"WXHELPER_CACHE_DIR": f"{tmp_path}/file"}, CONFIG)
    cache.remember("dev", a_failure())
    assert cache.failure("dev") is None


# -------------------------------------------------------------------------------- invalidate


def test_invalidate_drops_record_and_failure_and_changes_the_generation(cache: Cache) -> None:
    cache.write(a_record())
    cache.remember("dev", a_failure())
    cache.invalidate("dev")
    first = cache.generation("dev")
    assert (value_in(cache), cache.failure("dev")) == (None, None)
    cache.invalidate("dev")
    assert len({ABSENT, first, cache.generation("dev")}) == 3


def test_invalidate_leaves_other_profiles_alone(cache: Cache) -> None:
    cache.write(a_record(profile="prod"))
    cache.invalidate("dev")
    assert (value_in(cache, "prod"), cache.generation("prod")) == ("abcdefgh", ABSENT)


def test_invalidate_makes_no_directory(cache: Cache, folder: Path) -> None:
    cache.invalidate("dev")
    assert not folder.exists()


def test_invalidate_tells_when_it_cannot(cache: Cache, monkeypatch: pytest.MonkeyPatch) -> None:
    cache.write(a_record())

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "rename", refused)
    with pytest.raises(PermissionError):
        cache.invalidate("dev")
    assert value_in(cache) is None


# ------------------------------------------------------------------------------------- sweep


def aged(path: Path, seconds: float) -> None:
    path.touch(0o600)
    os.utime(path, (time.time() - seconds,) * 2)


@pytest.mark.parametrize(
    ("name", "age", "stays"),
    [
        (".dev.token.0a1b2c3d4e5f.tmp", 60, True),
        (".dev.token.0a1b2c3d4e5f.tmp", 3500, True),
        (".dev.token.0a1b2c3d4e5f.tmp", 3700, False),
        (".dev.token.0a1b2c3d4e5f.tmp", -3700, True),
        ("..pointer.0a1b2c3d4e5f.tmp", 3700, False),
        (".dev@0f77.failure.0a1b2c3d4e5f.tmp", 3700, False),
        (".dev.token.0a1b2c.tmp", 3700, True),
        ("report.tmp", 999 * 86_400, True),
        ("old.token", 999 * 86_400, True),
        ("old.failure", 999 * 86_400, True),
        ("@0f77.pointer", 999 * 86_400, True),
        ("old.lock", 999 * 86_400, True),
        ("old.generation", 999 * 86_400, True),
        ("notes.txt", 999 * 86_400, True),
        ("CACHEDIR.TAG", 999 * 86_400, True),
    ],
)
def test_only_what_dead_writers_left_is_swept(
    cache: Cache, folder: Path, name: str, age: float, stays: bool
) -> None:
    folder.mkdir(mode=0o700, parents=True)
    aged(folder / name, age)
    cache.write(a_record(default=False))
    assert (folder / name).exists() is stays


def test_a_directory_or_a_link_is_never_swept(cache: Cache, folder: Path) -> None:
    old, link = ".a.token.000000000000.tmp", ".b.token.000000000000.tmp"
    (folder / old).mkdir(mode=0o700, parents=True)
    os.utime(folder / old, (1, 1))
    (folder / link).symlink_to(old)
    os.utime(folder / link, (1, 1), follow_symlinks=False)
    cache.write(a_record())
    assert {old, link} <= set(os.listdir(folder))


def test_what_a_killed_writer_left_has_a_name_that_is_swept(
    cache: Cache, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*_: object, **__: object) -> None:
        raise SystemExit

    monkeypatch.setattr(os, "rename", killed)
    monkeypatch.setattr(os, "unlink", killed)
    with pytest.raises(SystemExit):
        cache.write(a_record())
    monkeypatch.undo()
    (left,) = folder.glob(".*.tmp")
    aged(left, 3700)
    cache.write(a_record())
    assert not left.exists()


def test_a_call_sweeps_a_bounded_number(cache: Cache, folder: Path) -> None:
    folder.mkdir(mode=0o700, parents=True)
    for number in range(100):
        aged(folder / f".dev.token.{number:012x}.tmp", 10_000)
    cache.write(a_record(default=False))
    assert len(list(folder.glob(".*.tmp"))) == 68
