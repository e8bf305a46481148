"""What ``wxhelper doctor`` says of set-ups as people have them, whole, as text and as JSON."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

import wxhelper
from diagnoses import (
    CACHE,
    HEALTHY,
    KEY,
    PROFILE,
    Row,
    Rows,
    as_json,
    as_text,
    checks,
    untried,
    with_names,
)
from mistakes import World
from processes import Ended
from setups import SETUPS, made

if TYPE_CHECKING:
    from tests.conftest import Command

Examine = Callable[..., Ended]

NETWORK = ("proxy", "name", "connection", "tls", "clock", "token")
NEEDS_PROFILE = ("key", "audience", "memory", *NETWORK, "source")
FROM_VARIABLES: Row = (
    "ok",
    "no profiles in HOME/.config/wxhelper/config.toml: variables make the profile env",
    "",
)
NO_NAME: Rows = {
    "name": [
        (
            "fail",
            "there is no address for the name iam.cloud.ibm.com",
            "check url in the profile, the network and its name service",
        )
    ],
    **untried(("connection", "tls", "clock", "token"), "name"),
}
REFUSED = (
    "IBM Cloud IAM refused the API key from file:KEY_FILE: "
    "BXNIM0415E Provided API key could not be found"
)
PEACE = "IBM Cloud IAM asks to be left alone for a while (HTTP 429)"
INVALIDATE = "wait; or, when the cause is mended: wxhelper invalidate --profile sandbox"
MEND_KEY = (
    "replace it: wxhelper login --profile sandbox; if the key was mended instead, "
    "run: wxhelper invalidate --profile sandbox"
)
UNKEPT = (
    "tokens cannot be kept in CACHE: CACHE can be written by other users; "
    "every call asks the service"
)
STORE_KEY = (
    "store one: wxhelper login --profile sandbox; "
    "or create it, paste the key, end with Ctrl-D: (umask 077; cat > KEY_FILE)"
)
REMEMBERED = "; this is remembered, and the service not asked again now"


def without_key(fault: str, remedy: str) -> Rows:
    return {"key": [("fail", fault, remedy)], **untried(("token", "source"), "key")}


def ignored(name: str) -> Row:
    return (
        "warn",
        f"set, and not used: {name}",
        "unset what is stale, so that nobody takes it for the key in use",
    )


def left_alone(why: str) -> Row:
    return ("warn", f"the service is left alone for another TIME, since {why}", INVALIDATE)


# By set-up: the exit status, what is different from a healthy one, and the last line.
Expected = tuple[int, Rows, str]
EXPECTED: dict[str, Expected] = {
    "healthy": (
        0,
        {"cache": [("ok", CACHE + "the token in it lives for TIME", "")]},
        "all is well",
    ),
    "never used": (0, {}, "all is well"),
    "no configuration": (
        5,
        {
            "configuration": [FROM_VARIABLES],
            **NO_NAME,
            **without_key(
                "there is no API key: HOME/.config/wxhelper/config.toml does not exist, "
                "and none of VARIABLES is set",
                "store one: wxhelper login; or export IBMCLOUD_API_KEY=YOUR_API_KEY",
            ),
        },
        "2 failed, 5 not tried",
    ),
    "variables alone": (
        3,
        {
            "configuration": [FROM_VARIABLES],
            "key": [("ok", "found in env:IC_API_KEY", ""), ignored("WATSONX_APIKEY")],
            **NO_NAME,
        },
        "1 failed, 4 not tried, 1 to be warned of",
    ),
    "a variable that is ignored": (
        0,
        {"key": [KEY, ignored("IBMCLOUD_API_KEY")]},
        "1 to be warned of",
    ),
    "no key file": (
        5,
        without_key(
            "there is no key file KEY_FILE",
            STORE_KEY,
        ),
        "1 failed, 2 not tried",
    ),
    "a key file that others can read": (
        0,
        {
            "key": [
                KEY,
                ("warn", "the key file KEY_FILE can be read by other users", "chmod 600 KEY_FILE"),
            ]
        },
        "1 to be warned of",
    ),
    "a key file that others can write": (
        5,
        without_key("the key file KEY_FILE can be changed by other users", "chmod go-w KEY_FILE"),
        "1 failed, 2 not tried",
    ),
    "an unknown setting": (
        5,
        {
            "configuration": [
                PROFILE,
                ("fail", "CONFIG: unknown key profiles.sandbox.urll", "did you mean url?"),
            ],
            **untried(("audience", *NETWORK, "source"), "configuration"),
        },
        "1 failed, 8 not tried",
    ),
    "plain http": (
        5,
        {
            "configuration": [
                PROFILE,
                (
                    "fail",
                    "url is http://iam.example.com, and a key never goes over plain http",
                    "write https://iam.example.com",
                ),
            ],
            **untried(NETWORK, "configuration"),
        },
        "1 failed, 6 not tried",
    ),
    "no plugin": (
        5,
        {
            "configuration": [
                PROFILE,
                (
                    "unknown",
                    "the settings cannot be judged without the source",
                    "first see to: plugins",
                ),
            ],
            "plugins": [
                (
                    "fail",
                    "no installed plugin offers source acme",
                    "install its plugin; installed are: ibmcloud, ibmcloud-kubernetes",
                )
            ],
            **untried(NEEDS_PROFILE, "plugins"),
            "cache": [("ok", CACHE.removesuffix("; "), "")],
        },
        "1 failed, 11 not tried",
    ),
    "a command": (
        5,
        without_key(
            "command:pass cannot be run: No such file or directory",
            "correct the command in profiles.sandbox.api_key",
        ),
        "1 failed, 2 not tried",
    ),
    "a default that is none": (
        5,
        {
            "configuration": [
                (
                    "fail",
                    "CONFIG: default_profile names sandbax, and there is only sandbox",
                    'write default_profile = "sandbox"',
                )
            ],
            "plugins": [],
            **untried(NEEDS_PROFILE, "configuration"),
            "cache": [("ok", CACHE.removesuffix("; "), "")],
        },
        "1 failed, 10 not tried",
    ),
    "a refused key": (
        4,
        {
            "memory": [left_alone(REFUSED)],
            "token": [
                (
                    "fail",
                    REFUSED + REMEMBERED,
                    MEND_KEY,
                )
            ],
        },
        "1 failed, 1 to be warned of",
    ),
    "a service that asks for peace": (
        3,
        {
            "memory": [left_alone(PEACE)],
            "token": [("fail", PEACE + REMEMBERED, "wait; until then it is not asked again")],
        },
        "1 failed, 1 to be warned of",
    ),
    "edited since": (
        0,
        {"cache": [("ok", CACHE + "the token in it is not used: CONFIG has changed since", "")]},
        "all is well",
    ),
    "a cache that others can write": (
        0,
        {
            "cache": [
                (
                    "warn",
                    UNKEPT,
                    "mend it, or set WXHELPER_CACHE_DIR to a directory of your own",
                )
            ]
        },
        "1 to be warned of",
    ),
}


@pytest.mark.parametrize("name", EXPECTED)
@pytest.mark.parametrize("form", ["text", "json"])
def test_the_whole_diagnosis(
    name: str, form: str, world: World, wx: "Command", examine: Examine
) -> None:
    status, different, summary = EXPECTED[name]
    rows = {**HEALTHY, **different}
    made(world, SETUPS[name], lambda: wx("token"))
    asked = world.sandbox.token_requests()
    answered, out, err = examine(world, "--output", form)
    assert (answered, err) == (status, "")
    if form == "json":
        assert checks(out, world) == as_json(rows)
    else:
        assert with_names(out, world) == as_text(rows, summary)
    issued = rows["token"][0][0] == "ok"
    assert world.sandbox.token_requests() - asked == issued


def test_the_output_as_it_stands(world: World, examine: Examine) -> None:
    world.key_file.unlink()
    assert (
        with_names(examine(world)[1], world)
        == f"""\
ok       installation   VERSIONS
ok       startup        nothing that is unknown runs before wxhelper does
ok       launchers      docker-credential-wxhelper is SCRIPTS/docker-credential-wxhelper
ok       launchers      git-credential-wxhelper is SCRIPTS/git-credential-wxhelper
ok       launchers      wxhelper is SCRIPTS/wxhelper
ok       configuration  CONFIG, profile sandbox, the default
ok       plugins        source ibmcloud is offered by wxhelper-ibmcloud VERSION
fail     key            there is no key file KEY_FILE
                        -> {STORE_KEY}
ok       audience       2 hosts by the profile: 127.0.0.1, localhost
ok       cache          CACHE is private and can be written; no token is in it yet
ok       memory         no failure is remembered
ok       proxy          none: no variable names one
ok       name           127.0.0.1 has an address
ok       connection     127.0.0.1:PORT takes connections
ok       tls            none: plain http, which never leaves this machine
ok       clock          within a minute of the server's
unknown  token          not tried -> first see to: key
unknown  source         not tried -> first see to: key
ok       integrations   none is installed

1 failed, 2 not tried
"""
    )


def test_the_document_that_programs_get(world: World, examine: Examine) -> None:
    status, out, err = examine(world, "--output", "json", "--profile", "sandbox")
    document = json.loads(out)
    assert (status, err) == (0, "")
    assert {name: type(value).__name__ for name, value in document.items()} == {
        "versions": "dict",
        "profile": "str",
        "exit_status": "int",
        "checks": "list",
    }
    assert (document["profile"], document["exit_status"]) == ("sandbox", 0)
    assert list(document["versions"]) == ["wxhelper-core", "python", "platform"]
    assert document["versions"]["wxhelper-core"] == wxhelper.__version__
    assert {tuple(check) for check in document["checks"]} == {
        ("check", "outcome", "text", "remedy")
    }
