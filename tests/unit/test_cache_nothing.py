"""Floors 3 and 6: what is kept of a token that is the key itself: that nothing is."""

from collections.abc import Callable
from pathlib import Path

import pytest

from records import CONFIG, a_record
from worlds import CONFIG as WORLD
from worlds import KEY, NOW, World, seen
from wxhelper.cache import Cache
from wxhelper.plugin import Token
from wxhelper.record import ABSENT, Basis

BASIS = Basis("5a17", ABSENT, [(CONFIG, "1 2 3 4")], [("A", "77ab"), ("B", ABSENT)])
TEXT = f"""\
wxhelper nothing 1
salt 5a17
identity -
file 1 2 3 4 {CONFIG}
env A 77ab
env B -
end
"""


def test_that_nothing_is_kept_is_written_and_read_back(cache: Cache, folder: Path) -> None:
    cache.keep_nothing("dev", BASIS)
    found = cache.nothing("dev")
    assert found is not None
    assert found.lines() == BASIS.lines()
    assert (folder / "dev.nothing").read_text() == TEXT


def test_a_record_of_earlier_goes(cache: Cache) -> None:
    cache.write(a_record())
    cache.keep_nothing("dev", BASIS)
    assert cache.read("dev") is None


def test_an_invalidate_takes_it_back(cache: Cache) -> None:
    cache.keep_nothing("dev", BASIS)
    cache.invalidate("dev")
    assert cache.nothing("dev") is None


@pytest.mark.parametrize(
    "text", ["", "wxhelper nothing 2\nend\n", TEXT[:-5], "wxhelper nothing 1\nend\n", "\xff"]
)
def test_anything_else_is_not_believed(cache: Cache, folder: Path, text: str) -> None:
    cache.keep_nothing("dev", BASIS)
    (folder / "dev.nothing").write_text(text)
    assert cache.nothing("dev") is None


def test_what_others_could_have_written_is_not_believed(cache: Cache, folder: Path) -> None:
    cache.keep_nothing("dev", BASIS)
    (folder / "dev.nothing").chmod(0o644)
    assert cache.nothing("dev") is None


def test_not_being_able_to_say_it_is_no_error() -> None:
    cache = Cache({"WXHELPER_CACHE_DIR": "/dev/null/cache"}, CONFIG)
    cache.keep_nothing("dev", BASIS)
    assert cache.nothing("dev") is None


# ------------------------------------------------------------------------------------- whose turn


def the_key() -> Token:
    return Token("ZenApiKey", "bXk6a2V5", minted_at=NOW, refresh_at=None, expires_at=None)


def held_by_another(world: World) -> object:
    lock = world.cache.try_lock("dev")
    assert lock is not None
    return lock


def test_once_it_is_known_nobody_waits(world: World) -> None:
    world.service.next = [the_key, the_key]
    world.ask()
    world.on_sleep = lambda: pytest.fail("waited")
    with held_by_another(world):  # type: ignore[attr-defined]
        assert seen(world.ask()) == ("bXk6a2V5", False)


def test_who_waits_already_goes_on_when_it_becomes_known(world: World) -> None:
    world.service.next = [the_key, the_key]
    world.ask()
    basis = world.cache.nothing("dev")
    assert basis is not None
    world.cache.invalidate("dev")
    world.on_sleep = lambda: world.cache.keep_nothing("dev", basis)
    with held_by_another(world):  # type: ignore[attr-defined]
        assert seen(world.ask(patience=600)) == ("bXk6a2V5", False)
    assert world.service.requests == 2


@pytest.mark.parametrize(
    "change",
    [
        lambda world: world.write(WORLD + 'region = "x"\n'),
        lambda world: world.environ.update(WXHELPER_PLUGINS="fake"),
        lambda world: world.cache.invalidate("dev"),
    ],
    ids=["configuration", "variable", "invalidate"],
)
def test_who_finds_it_changed_waits_again(change: Callable[[World], None], world: World) -> None:
    world.service.next = [the_key]
    world.ask()
    change(world)

    def waited() -> None:
        raise _Waited

    world.on_sleep = waited
    with held_by_another(world), pytest.raises(_Waited):  # type: ignore[attr-defined]
        world.ask()
    assert seen(world.ask()) == ("token-no-2", False)
    assert world.cache.read("dev") is not None


class _Waited(Exception):
    """It waited for another process."""


def test_another_key_changes_nothing_about_it(world: World) -> None:
    world.service.next = [the_key, the_key]
    world.ask()
    said = (world.folder / "cache").glob("*.nothing")
    before = {path: path.read_bytes() for path in said}
    world.environ["A_KEY"] = "another-key-altogether"
    world.ask()
    assert {path: path.read_bytes() for path in before} == before
    assert not [data for data in before.values() if KEY.encode() in data or b"A_KEY" in data]
    assert len(before) == 1
