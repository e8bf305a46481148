"""Floor 6: the whole story of a token."""

import pytest

from worlds import CONFIG, KEY, STALE, World, seen
from wxhelper import profiles
from wxhelper.cache import Cache, Lock
from wxhelper.errors import KeyUnavailable, Throttled, Unreachable
from wxhelper.lookups import Lookups

# ------------------------------------------------------------------------------ hit and miss


def test_a_miss_asks_the_service_and_a_hit_does_not(world: World) -> None:
    grants = [world.ask() for _ in range(3)]
    assert [seen(grant) for grant in grants] == [
        ("token-no-1", False),
        ("token-no-1", True),
        ("token-no-1", True),
    ]
    assert (grants[1].profile, grants[1].source, world.service.keys) == ("dev", "fake", [KEY])


def test_a_token_serves_until_its_renewal_and_after_that_a_new_one(world: World) -> None:
    world.ask()
    world.clock.go(2600)
    assert seen(world.ask()) == ("token-no-1", True)
    world.clock.go(500)
    assert seen(world.ask()) == ("token-no-2", False)
    assert seen(world.ask()) == ("token-no-2", True)


def test_a_token_that_is_dead_is_not_handed_out(world: World) -> None:
    world.ask()
    world.clock.go(3541)
    world.service.next = [Unreachable("it is away")]
    assert world.told() == (Unreachable, "wxhelper: profile dev: it is away")


@pytest.mark.parametrize(
    ("wall", "boot"), [(-7200, 10), (-61, 0), (3000, 10), (100, 0)],
    ids=["back", "back a little", "forward", "forward a little"],
)  # fmt: skip
def test_a_clock_that_was_set_makes_a_new_token(world: World, wall: float, boot: float) -> None:
    world.ask()
    world.clock.wall += wall
    world.clock.boot += boot
    assert seen(world.ask()) == ("token-no-2", False)


def test_each_profile_has_its_own_token(world: World) -> None:
    world.write(CONFIG + CONFIG.replace("dev", "prod") + 'region = "eu-de"\n')
    assert seen(world.ask("dev")) == ("token-no-1", False)
    assert seen(world.ask("prod")) == ("token-no-2", False)
    assert seen(world.ask("dev")) == ("token-no-1", True)


# ------------------------------------------------------------------------------ what is asked


def test_refresh_makes_a_new_token_whatever_is_there(world: World) -> None:
    world.ask()
    world.clock.go(1)
    assert seen(world.ask(refresh=True)) == ("token-no-2", False)
    assert seen(world.ask()) == ("token-no-2", True)


def test_a_refresh_that_fails_fails_and_leaves_the_token(world: World) -> None:
    world.ask()
    world.clock.go(1)
    world.service.next = [Unreachable("it is away")]
    assert world.told(refresh=True)[0] is Unreachable
    assert seen(world.ask()) == ("token-no-1", True)


@pytest.mark.parametrize(
    ("min_ttl", "value"),
    [
        (0, "token-no-1"),
        (3000, "token-no-1"),
        (3500, "token-no-2"),
        (3601, "token-no-2"),
        (10**9, "token-no-2"),
    ],
)
def test_a_token_has_the_life_that_is_asked_for_or_is_new(
    world: World, min_ttl: int, value: str
) -> None:
    world.ask()
    world.clock.go(200)
    assert world.ask(min_ttl=min_ttl).token.value == value


# ------------------------------------------------------------------------- what it depends on


def files_of(world: World) -> list[tuple[str, str]]:
    """The files that an answer depends on now."""
    lookups = Lookups(world.environ)
    profiles.choose(None, config=str(world.config), lookups=lookups)
    return lookups.basis("5a17", "1d").files


def test_a_configuration_that_was_only_touched_costs_no_request(world: World) -> None:
    world.ask()
    world.write(CONFIG + "# a remark\n")
    assert seen(world.ask()) == ("token-no-1", True)
    kept = world.cache.read("dev")
    assert kept is not None
    assert kept.basis.files == files_of(world)


@pytest.mark.parametrize("line", ['region = "eu-de"\n', 'url = "https://x.example"\n'])
def test_other_settings_make_a_new_token(world: World, line: str) -> None:
    world.ask()
    world.write(CONFIG + line)
    assert seen(world.ask()) == ("token-no-2", False)


def test_another_key_makes_a_new_token(world: World) -> None:
    world.ask()
    world.environ["A_KEY"] = "another-key"
    assert seen(world.ask()) == ("token-no-2", False)
    assert world.service.keys == [KEY, "another-key"]


def test_a_key_file_is_watched(world: World) -> None:
    (world.folder / "key").write_text("key-one")
    world.write(CONFIG.replace("env:A_KEY", "file:key"))
    world.ask()
    (world.folder / "key").write_text("key-two")
    assert seen(world.ask()) == ("token-no-2", False)
    assert world.service.keys == ["key-one", "key-two"]


def test_a_key_that_a_command_prints_is_read_at_a_renewal(world: World) -> None:
    (world.folder / "key").write_text("key-one")
    world.write(CONFIG.replace("env:A_KEY", "command:cat key"))
    world.ask()
    (world.folder / "key").write_text("key-two")
    assert seen(world.ask()) == ("token-no-1", True)
    world.clock.go(STALE)
    assert seen(world.ask()) == ("token-no-2", False)
    assert world.service.keys == ["key-one", "key-two"]


def test_a_profile_without_a_key_is_told_each_time_and_never_remembered(world: World) -> None:
    del world.environ["A_KEY"]
    told = (
        KeyUnavailable,
        (
            "wxhelper: profile dev: the variable A_KEY is not set; export A_KEY=YOUR_API_KEY, "
            "or store one: wxhelper login --profile dev"
        ),
    )
    assert [world.told(), world.told()] == [told, told]
    world.environ["A_KEY"] = KEY
    assert seen(world.ask()) == ("token-no-1", False)


# -------------------------------------------------------------------------------- invalidate


def test_after_an_invalidate_a_new_token_is_asked_for(world: World) -> None:
    world.ask()
    assert world.unkept == ""
    world.cache.invalidate("dev")
    assert [seen(world.ask()), seen(world.ask())] == [("token-no-2", False), ("token-no-2", True)]


def test_a_fetch_that_is_invalidated_on_its_way_is_repeated(world: World) -> None:
    world.service.next = [lambda: world.cache.invalidate("dev")]
    assert seen(world.ask()) == ("token-no-2", False)
    assert seen(world.ask()) == ("token-no-2", True)


def test_a_fetch_that_is_invalidated_again_and_again_is_not_published(world: World) -> None:
    world.service.next = [lambda: world.cache.invalidate("dev")] * 2
    assert seen(world.ask()) == ("token-no-2", False)
    assert seen(world.ask()) == ("token-no-3", False)


# -------------------------------------------------------------------------------------- turns


def test_with_a_token_that_is_good_nobody_waits_for_the_one_who_renews(world: World) -> None:
    world.ask()
    world.clock.go(STALE)
    with world.cache.try_lock("dev") or pytest.fail("the lock was free"):
        world.on_sleep = lambda: pytest.fail("waited")
        assert seen(world.ask()) == ("token-no-1", True)
    assert world.service.requests == 1


def test_without_one_everybody_waits_for_what_the_holder_brings(world: World) -> None:
    turn = world.cache.try_lock("dev") or pytest.fail("the lock was free")

    def bring() -> None:
        world.on_sleep = lambda: None
        turn.__exit__()
        world.ask()

    world.on_sleep = bring
    assert seen(world.ask()) == ("token-no-1", True)
    assert world.service.requests == 1


def test_a_failure_of_the_holder_is_a_failure_of_all_who_wait(world: World) -> None:
    turn = world.cache.try_lock("dev") or pytest.fail("the lock was free")
    world.service.next = [Throttled("later")]

    def fail() -> None:
        world.on_sleep = lambda: None
        turn.__exit__()
        world.told()

    world.on_sleep = fail
    assert world.told() == (Throttled, "wxhelper: profile dev: later")
    assert world.service.requests == 1


def test_a_holder_that_is_stuck_is_not_waited_for_for_ever(world: World) -> None:
    with world.cache.try_lock("dev") or pytest.fail("the lock was free"):
        assert seen(world.ask(patience=-60)) == ("token-no-1", False)


def test_what_arrived_while_the_turn_was_taken_is_not_asked_for_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = Cache.try_lock

    def late(cache: Cache, profile: str) -> Lock | None:
        monkeypatch.setattr(Cache, "try_lock", take)
        world.ask()
        return take(cache, profile)

    monkeypatch.setattr(Cache, "try_lock", late)
    assert (seen(world.ask()), world.service.requests) == (("token-no-1", True), 1)
