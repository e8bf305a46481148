"""Set-ups as people have them, healthy and broken: each is made from a world that works.

``status`` and ``doctor`` are shown every one of them. A set-up may ask for tokens
(the second value), and then be changed once more (the third).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mistakes import PASTED, Prepare, World, as_it_is, fault, key, profile, text, variables


@dataclass(frozen=True)
class SetUp:
    """How a set-up is made, in this order.

    Attributes:
        prepare: done first.
        asks: whether a token is asked for then.
        after: done last.
    """

    prepare: Prepare = as_it_is
    asks: bool = False
    after: Prepare = as_it_is


def both(*steps: Prepare) -> Prepare:
    return lambda world: [step(world) for step in steps]


def without_its_key(world: World) -> None:
    world.key_file.unlink()


def mode(name: str, bits: int) -> Prepare:
    return lambda world: getattr(world, name).chmod(bits)


def a_record_that_is_not_ours(world: World) -> None:
    for path in world.cache.glob("*.token"):
        path.chmod(0o644)


def written_again(world: World) -> None:
    world.text(world.config.read_text() + "\n")


def unconfigured(**set_: str) -> Prepare:
    return lambda world: world.unconfigured(**set_)


_PROFILE = '[profiles.sandbox]\nsource = "ibmcloud"\napi_key = "file:apikey"\n'

SETUPS: Mapping[str, SetUp] = {
    "healthy": SetUp(profile(), asks=True),
    "never used": SetUp(profile()),
    "no configuration": SetUp(unconfigured()),
    "variables alone": SetUp(unconfigured(IC_API_KEY="abc", WATSONX_APIKEY="def")),
    "a variable that is ignored": SetUp(both(profile(), variables(IBMCLOUD_API_KEY="abc"))),
    "no key file": SetUp(both(profile(), without_its_key)),
    "a key file that others can read": SetUp(both(profile(), mode("key_file", 0o644))),
    "a key file that others can write": SetUp(both(profile(), mode("key_file", 0o666))),
    "a key in the configuration": SetUp(profile(api_key=PASTED)),
    "an unknown setting": SetUp(profile(urll="https://example.com")),
    "plain http": SetUp(profile(url="http://iam.example.com")),
    "no plugin": SetUp(
        both(profile(source="acme"), variables(WXHELPER_PLUGINS="ibmcloud,ibmcloud-kubernetes"))
    ),
    "a command": SetUp(profile(api_key="command:pass show ibm/dev")),
    "one broken profile": SetUp(
        text(f'{_PROFILE}\n[profiles.broken]\nsource = "ibmcloud"\napikey = "{PASTED}"\n')
    ),
    "a default that is none": SetUp(text(f'default_profile = "sandbax"\n\n{_PROFILE}')),
    "a refused key": SetUp(both(profile(), key("rotated-away\n")), asks=True),
    "a service that asks for peace": SetUp(
        both(profile(), fault(status=429, headers={"Retry-After": "300"})), asks=True
    ),
    "edited since": SetUp(profile(), asks=True, after=written_again),
    "a cache that others can write": SetUp(profile(), asks=True, after=mode("cache", 0o777)),
    "a record that others can read": SetUp(profile(), asks=True, after=a_record_that_is_not_ours),
}


def made(world: World, setup: SetUp, ask: Callable[[], object]) -> None:
    """Make it.

    Args:
        world: one that works.
        setup: what to make of it.
        ask: asks for a token, and does not mind when there is none.
    """
    setup.prepare(world)
    if setup.asks:
        ask()
    setup.after(world)
