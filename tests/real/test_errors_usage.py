"""Errors as a user meets them: the command line."""

import pytest

from mistakes import PASTED, Prepare, Row, World, as_it_is, by_name, run, told_in_one_line

SEE = "see: wxhelper token --help"
USAGE: list[Row] = [
    ("nothing typed", "", as_it_is, "say what to do; all verbs: wxhelper --help"),
    (
        "a verb mistyped",
        "tokne",
        as_it_is,
        "there is no such verb; did you mean wxhelper token? all verbs: wxhelper --help",
    ),
    (
        "a key in place of a verb",
        PASTED,
        as_it_is,
        "there is no such verb; all verbs: wxhelper --help",
    ),
    (
        "an option shortened",
        "token --profil sandbox",
        as_it_is,
        f"token: unknown option --profil; {SEE}",
    ),
    (
        "a key by an option",
        f"token --api-key {PASTED}",
        as_it_is,
        f"token: unknown option --api-key; {SEE}",
    ),
    (
        "a key by an option, with =",
        f"token --api-key={PASTED}",
        as_it_is,
        f"token: unknown option --api-key; {SEE}",
    ),
    ("a key as an argument", f"token {PASTED}", as_it_is, f"token: an argument too many; {SEE}"),
    (
        "a key to invalidate",
        f"invalidate {PASTED}",
        as_it_is,
        "invalidate: an argument too many; see: wxhelper invalidate --help",
    ),
    (
        "an impossible profile",
        f"token --profile {PASTED}/+",
        as_it_is,
        f"token: --profile: must have 1 to 64 letters, digits, dots, underscores or hyphens; {SEE}",
    ),
    (
        "no profile named",
        "token --profile",
        as_it_is,
        f"token: --profile: expected one argument; {SEE}",
    ),
    (
        "a life that is no number",
        f"token --min-ttl {PASTED}",
        as_it_is,
        f"token: --min-ttl: must be a number of seconds; {SEE}",
    ),
    (
        "an unknown form",
        f"token --output {PASTED}",
        as_it_is,
        f"token: --output: must be raw or json; {SEE}",
    ),
    (
        "an unknown version",
        "exec-credential --api-version v1alpha1",
        as_it_is,
        (
            "exec-credential: --api-version: must be v1 or v1beta1; "
            "see: wxhelper exec-credential --help"
        ),
    ),
    (
        "an option of another verb",
        "exec-credential --output json",
        as_it_is,
        "exec-credential: unknown option --output; see: wxhelper exec-credential --help",
    ),
]


@by_name(USAGE)
def test_what_cannot_be_understood_is_not_repeated(
    command: str, prepare: Prepare, line: str, world: World
) -> None:
    told_in_one_line(world, run(world, command), 2, line)


@pytest.mark.parametrize("way", ["option", "variable"])
def test_a_key_in_place_of_a_profile_is_not_repeated(way: str, world: World) -> None:
    if way == "option":
        done = world.wx("token", "--profile", PASTED)
    else:
        done = world.wx("token", WXHELPER_PROFILE=PASTED)
    assert (done.status, done.out) == (5, "")
    assert PASTED not in done.err
