"""Floor 6: whom the token is for is told before one is asked for."""

import pytest

from worlds import CONFIG, STALE, World, seen
from wxhelper.errors import (
    ConfigurationError,
    HostRefused,
    KeyRefused,
    PluginBroken,
    Throttled,
    WxhelperError,
)

API, OTHER = ("api.example.com", 443), ("evil.org", 443)
ONE_HOST = f'{CONFIG}hosts = ["git.example.com:8443"]\n'


def test_a_place_of_the_sources_audience_is_given_the_token(world: World) -> None:
    assert seen(world.ask(place=API)) == ("token-no-1", False)
    assert seen(world.ask(place=("x.b.example.com", None))) == ("token-no-1", True)


@pytest.mark.parametrize("kept", [False, True], ids=["no token", "a token"])
def test_another_place_is_refused_without_a_request(world: World, kept: bool) -> None:
    if kept:
        world.ask()
    assert world.told(place=OTHER) == (
        HostRefused,
        (
            "wxhelper: profile dev: evil.org is not given the token, only *.b.example.com, "
            'api.example.com; if it may have it, write hosts = ["HOST"] into the profile, '
            "instead of these"
        ),
    )
    assert world.service.requests == int(kept)
    assert world.cache.failure("dev") is None


def test_another_place_is_refused_without_a_look_at_the_key(world: World) -> None:
    del world.environ["A_KEY"]
    assert world.told(place=OTHER)[0] is HostRefused


def test_the_profiles_hosts_stand_instead_of_the_audience(world: World) -> None:
    world.write(ONE_HOST)
    assert world.told(place=API) == (
        HostRefused,
        (
            "wxhelper: profile dev: api.example.com is not given the token, only "
            "git.example.com:8443; if it may have it, add it to the profile's hosts"
        ),
    )
    assert seen(world.ask(place=("git.example.com", 8443))) == ("token-no-1", False)


def test_a_long_audience_is_told_in_part(world: World) -> None:
    world.audience = frozenset(f"a{number}.example.com" for number in range(10))
    assert "a7.example.com and 2 more; " in world.told(place=OTHER)[1]
    world.audience = frozenset()
    assert "given the token, only nobody; " in world.told(place=OTHER)[1]


def test_hosts_that_change_count_at_once_for_the_token_that_is_kept(world: World) -> None:
    world.ask(place=API)
    world.write(f'{ONE_HOST}login = "git"\n')
    assert world.told(place=API)[0] is HostRefused
    grant = world.ask(place=("git.example.com", 8443))
    assert (*seen(grant), grant.login) == ("token-no-1", True, "git")
    kept = world.cache.read("dev")
    assert kept is not None
    assert (kept.hosts, kept.login) == (("git.example.com:8443",), "git")
    assert world.service.requests == 1


def test_a_failure_that_is_remembered_is_no_answer_to_another_place(world: World) -> None:
    world.service.next = [KeyRefused("it refused the key")]
    assert world.told(place=API)[0] is KeyRefused
    assert world.told(place=OTHER)[0] is HostRefused
    assert world.told(place=API)[0] is KeyRefused
    assert world.service.requests == 1


def test_a_place_that_was_refused_is_no_failure_to_those_that_are_not(world: World) -> None:
    assert world.told(place=OTHER)[0] is HostRefused
    assert seen(world.ask(place=API)) == ("token-no-1", False)


@pytest.mark.parametrize(
    ("fault", "place", "admitted"),
    [
        (KeyRefused("no"), API, True),
        (Throttled("later"), API, True),
        (KeyRefused("no"), OTHER, False),
    ],
)
def test_an_error_tells_whether_the_token_was_for_the_place(
    world: World, fault: WxhelperError, place: tuple[str, int], admitted: bool
) -> None:
    world.service.next = [fault]
    with pytest.raises(WxhelperError) as caught:
        world.ask(place=place)
    assert caught.value.admitted is admitted


def test_where_the_audience_cannot_be_told_nobody_was_admitted(world: World) -> None:
    world.write(CONFIG.replace('"fake"', '"another"'))
    with pytest.raises(ConfigurationError) as caught:
        world.ask(place=API)
    assert caught.value.admitted is False


@pytest.mark.parametrize("audience", [{"https://x"}, {"a b"}, {3}, None, 5], ids=repr)
def test_an_audience_that_is_none_is_the_plugins_fault(world: World, audience: object) -> None:
    world.audience = audience  # type: ignore[assignment]
    assert world.told(place=API)[0] is PluginBroken
    assert world.service.requests == 0


# ---------------------------------------------------------------------- tokens that were refused


def test_a_token_that_was_refused_is_not_handed_out_again(world: World) -> None:
    refused = world.ask().token
    world.clock.go(5)
    assert seen(world.ask(newer_than=refused.minted_at)) == ("token-no-2", False)
    # Another who ran into the same refusal takes the one that came since.
    assert seen(world.ask(newer_than=refused.minted_at)) == ("token-no-2", True)
    assert seen(world.ask()) == ("token-no-2", True)


def test_a_token_that_was_refused_is_no_way_out_when_there_is_no_new_one(world: World) -> None:
    refused = world.ask().token
    world.clock.go(STALE)
    world.service.next = [KeyRefused("no")]
    with pytest.raises(KeyRefused):
        world.ask(newer_than=refused.minted_at)
