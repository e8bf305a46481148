"""Floor 6: renewals that fail, and failures of all kinds: remembered, and of the disk."""

import pytest

from worlds import CONFIG, KEY, NOW, STALE, World, seen
from wxhelper import errors, manager
from wxhelper.cache import Cache
from wxhelper.errors import KeyRefused, Throttled, Unreachable, WxhelperError
from wxhelper.plugin import Token
from wxhelper.record import Record

# --------------------------------------------------------------------------- failed renewals


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (Unreachable("it is away"), 4),
        (KeyRefused("it refused"), 60),
        (Throttled("later"), 30),
        (Throttled("later", retry_after=12), 12),
    ],
    ids=["unreachable", "refused", "throttled", "retry-after"],
)
def test_a_failed_renewal_costs_nobody_anything(
    world: World, fault: WxhelperError, seconds: int
) -> None:
    world.ask()
    world.clock.go(STALE)
    world.service.next = [fault]
    assert [seen(world.ask()) for _ in range(3)] == [("token-no-1", True)] * 3
    assert world.service.requests == 2
    world.clock.go(seconds - 1)
    assert seen(world.ask()) == ("token-no-1", True)
    assert world.service.requests == 2
    world.clock.go(3)
    assert seen(world.ask()) == ("token-no-3", False)


def test_a_renewal_that_the_plugin_cannot_do_keeps_the_token(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.ask()
    world.clock.go(STALE)
    monkeypatch.setattr(manager, "entry_points", lambda group: [])
    assert [seen(world.ask()) for _ in range(2)] == [("token-no-1", True)] * 2
    world.clock.go(500)
    assert world.told()[0] is errors.PluginMissing


def test_a_failure_during_a_renewal_does_not_make_the_token_live_longer(world: World) -> None:
    world.ask()
    world.clock.go(3530)
    world.service.next = [Throttled("later", retry_after=300)]
    assert seen(world.ask()) == ("token-no-1", True)
    world.clock.go(20)
    assert world.told()[0] is Throttled


def test_a_token_that_is_due_while_a_failure_stands_serves_without_a_request(
    world: World,
) -> None:
    world.ask()
    world.clock.go(STALE - 30)
    world.service.next = [KeyRefused("no")]
    assert world.told(refresh=True)[0] is KeyRefused
    world.clock.go(40)
    assert (seen(world.ask()), world.service.requests) == (("token-no-1", True), 2)


# ----------------------------------------------------------------------- remembered failures


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (KeyRefused("no", remedy="mend it"), 60),
        (Throttled("no", remedy="mend it"), 30),
        (Throttled("no", retry_after=7, remedy="mend it"), 7),
        (Throttled("no", retry_after=0, remedy="mend it"), 1),
        (Throttled("no", retry_after=86_400, remedy="mend it"), 300),
        (Unreachable("no", remedy="mend it"), 4),
        (errors.ServiceFailed("no", remedy="mend it"), 4),
        (errors.Redirected("no", remedy="mend it"), 4),
        (errors.AnswerNotUnderstood("no", remedy="mend it"), 4),
    ],
    ids=["refused", "throttled", "retry-after", "no wait", "capped", "unreachable", "failed",
         "redirected", "not understood"],
)  # fmt: skip
def test_a_failure_is_remembered_for_a_while(
    world: World, fault: WxhelperError, seconds: float
) -> None:
    world.service.next = [fault]
    told = (type(fault), "wxhelper: profile dev: no; mend it")
    assert [world.told(), world.told(refresh=True)] == [told, told]
    world.clock.go(seconds - 0.5)
    assert world.told() == told
    assert world.service.requests == 1
    world.clock.go(1)
    assert seen(world.ask()) == ("token-no-2", False)


def test_a_failure_that_repeats_is_remembered_longer_up_to_half_a_minute(world: World) -> None:
    for wait in (4, 8, 16, 30, 30):
        world.service.next = [Unreachable("it is away")]
        before = world.service.requests
        world.told()
        world.clock.go(wait - 0.5)
        world.told()
        assert world.service.requests == before + 1
        world.clock.go(1)
    world.ask()
    world.service.next = [Unreachable("it is away")]
    world.clock.go(1)
    world.told(refresh=True)
    world.clock.go(4.5)
    world.ask(refresh=True)


def test_a_failure_of_a_kind_that_only_a_library_knows_is_remembered_as_ours(
    world: World,
) -> None:
    class BrokenOff(Unreachable):
        pass

    world.service.next = [BrokenOff("it is away")]
    assert [world.told()[0], world.told()[0]] == [BrokenOff, Unreachable]


def test_a_clock_set_back_ends_a_failure(world: World) -> None:
    world.service.next = [KeyRefused("no")]
    world.told()
    world.clock.wall -= 3600
    assert seen(world.ask()) == ("token-no-2", False)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "no_proxy", "REQUESTS_CA_BUNDLE"])
def test_a_proxy_that_was_corrected_is_tried_at_once(world: World, name: str) -> None:
    world.service.next = [Unreachable("it is away")]
    world.told()
    world.environ[name] = ""
    assert seen(world.ask()) == ("token-no-2", False)


def test_failures_far_apart_are_none_in_a_row(world: World) -> None:
    for wait in (65, 65, 4.5):
        world.service.next = [Unreachable("it is away")]
        world.told()
        world.clock.go(wait)
    assert seen(world.ask()) == ("token-no-4", False)


def test_invalidate_ends_a_failure(world: World) -> None:
    world.service.next = [KeyRefused("no")]
    world.told()
    world.cache.invalidate("dev")
    assert seen(world.ask()) == ("token-no-2", False)


@pytest.mark.parametrize("reference", ["env:A_KEY", "file:key", "command:cat key"])
def test_a_key_that_was_changed_is_tried_at_once(world: World, reference: str) -> None:
    (world.folder / "key").write_text(KEY)
    world.write(CONFIG.replace("env:A_KEY", reference))
    world.service.next = [KeyRefused("no")]
    assert [world.told()[0] for _ in range(3)] == [KeyRefused] * 3
    assert world.service.requests == 1
    world.environ["A_KEY"] = "another-key"
    (world.folder / "key").write_text("another-key")
    assert seen(world.ask()) == ("token-no-2", False)


@pytest.mark.parametrize("reference", ["env:A_KEY", "file:key"])
def test_a_configuration_that_was_only_touched_does_not_end_a_failure(
    world: World, reference: str
) -> None:
    (world.folder / "key").write_text(KEY)
    world.write(CONFIG.replace("env:A_KEY", reference))
    world.service.next = [KeyRefused("no")]
    world.told()
    world.write(CONFIG.replace("env:A_KEY", reference) + "# a remark\n")
    assert world.told()[0] is KeyRefused
    assert world.service.requests == 1


# ------------------------------------------------------------------------------------- unkept


def test_a_token_that_cannot_be_kept_is_handed_out_all_the_same(world: World) -> None:
    (world.folder / "cache").write_text("in the way")
    assert [seen(world.ask()), world.unkept] == [("token-no-1", False), "Not a directory"]
    assert seen(world.ask()) == ("token-no-2", False)


def test_a_long_lived_token_is_the_key_itself_and_is_never_kept(world: World) -> None:
    token = Token("ZenApiKey", "bXk6a2V5", minted_at=NOW, refresh_at=None, expires_at=None)
    world.service.next = [lambda: token, lambda: token]
    assert [seen(world.ask()), seen(world.ask())] == [("bXk6a2V5", False)] * 2
    files = [path for path in world.folder.glob("cache/*") if path.is_file()]
    assert not [path for path in files if b"bXk6a2V5" in path.read_bytes()]


def test_a_new_token_that_cannot_be_kept_leaves_no_old_one_that_was_not_wanted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.ask()
    world.clock.go(1)

    def full(cache: Cache, kept: Record) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Cache, "write", full)
    assert seen(world.ask(refresh=True)) == ("token-no-2", False)
    monkeypatch.undo()
    assert world.cache.read("dev") is None


def test_a_thousand_runs_with_a_refused_key_cost_two_requests_a_minute_at_most(
    world: World,
) -> None:
    world.service.next = [KeyRefused("it refused")] * 1000
    for _ in range(1000):
        assert world.told()[0] is KeyRefused
        world.clock.go(0.06)
    assert world.service.requests <= 2
    world.environ["A_KEY"] = "another-key"
    world.told()
    assert world.service.keys[-1] == "another-key"
