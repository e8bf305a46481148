"""Floor 2 and 7: git's credential helper protocol."""

import os

import pytest

from homes import Home, answered
from worlds import CONFIG as WORLD
from worlds import World
from wxhelper import cli
from wxhelper.protocols import Asked, Grant, git_credential
from wxhelper.protocols.git_credential import parse
from wxhelper.tokens import Token

HOST = b"protocol=https\nhost=api.example.com\n"
NEW = b"capability[]=authtype\ncapability[]=state\n"
EXPIRY = 1_763_715_540
BEARER = Token.minted("Bearer", "token-1234", minted_at=EXPIRY - 3540.0, life=3600, chance=0.5)
LONG_LIVED = Token("ZenApiKey", "token-1234", minted_at=5.0, refresh_at=None, expires_at=None)


def asked(operation: str, stdin: bytes) -> Asked:
    made = Asked("git-credential", arguments=(operation,), stdin=stdin)
    git_credential.complete(made, {})
    return made


# -------------------------------------------------------------------------------- requests


@pytest.mark.parametrize(
    ("data", "single", "lists"),
    [
        (b"a=b\n", {"a": "b"}, {}),
        (b"a=b\n\n", {"a": "b"}, {}),
        (b"a=b\n\nc=d\n", {"a": "b"}, {}),
        (b"a=\n", {"a": ""}, {}),
        (b"a=b=c\n", {"a": "b=c"}, {}),
        (b"a b=c d\n", {"a b": "c d"}, {}),
        (b"a[]=1\na[]=2\n", {}, {"a[]": ["1", "2"]}),
        (b"a[]=1\na[]=\na[]=2\n", {}, {"a[]": ["2"]}),
        (b"a[]=1\na[]=\n", {}, {}),
        ("a=\u2028ü\x85\n".encode(), {"a": "\u2028ü\x85"}, {}),
        (b"a=\xff\n", {"a": "\udcff"}, {}),
        (b"a=" + b"x" * 65_532 + b"\n", {"a": "x" * 65_532}, {}),
        (b"a=" + b"x" * 65_533 + b"\n", None, None),
        (b"".join(b"a%d=" % n + b"x" * 60_000 + b"\n" for n in range(5)), None, None),
        (b"", None, None),
        (b"\n", None, None),
        (b"\n\n", None, None),
        (b"\na=b\n", None, None),
        (b"a=b", None, None),
        (b"a=b\nc", None, None),
        (b"a\n", None, None),
        (b"=b\n", None, None),
        (b"a=b\na=b\n", None, None),
        (b"a=b\r\n", None, None),
        (b"a=b\rc=d\n", None, None),
        (b"a=b\0\n", None, None),
        (b"a\x0b=b\n", None, None),
        (b"a=\x1b[2J\n", None, None),
        (b"a=\x7f\n", None, None),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_a_request_is_read_as_git_writes_it_or_not_at_all(
    data: bytes, single: dict[str, str] | None, lists: dict[str, list[str]] | None
) -> None:
    assert parse(data) == (None if single is None else (single, lists))


@pytest.mark.parametrize(
    ("operation", "stdin", "reply"),
    [
        ("store", HOST + b"password=evil\n", ""),
        ("capability", b"", "version 0\ncapability authtype\ncapability state\n"),
        ("approve", HOST, ""),
        ("GET", HOST, ""),
        ("", HOST, ""),
        ("get", b"protocol=https\n", ""),
        ("get", b"host=api.example.com\n", ""),
        ("get", b"protocol=https\nhost=\n", ""),
        ("get", b"protocol=http\nhost=api.example.com\n", ""),
        ("get", b"protocol=ssh\nhost=api.example.com\n", ""),
        ("get", HOST + b"url=https://api.example.com\n", ""),
        ("get", b"url=https://api.example.com\n", ""),
        ("erase", b"password=x\n", ""),
    ],
)
def test_what_takes_no_token_is_answered_at_once(operation: str, stdin: bytes, reply: str) -> None:
    assert asked(operation, stdin).reply == reply


@pytest.mark.parametrize(
    ("state", "newer_than"),
    [
        ("wxhelper:cached:1763712000.131", 1763712000.131),
        ("wxhelper:cached:5", 5.0),
        ("wxhelper:cached:", 0.0),
        ("wxhelper:cached:nan", 0.0),
        ("wxhelper:cached:-5", 0.0),
        ("wxhelper:cached:1e9", 0.0),
        ("wxhelper:cached:\u0665", 0.0),
        ("wxhelper:cached:" + "9" * 400, 0.0),
        ("wxhelper:cached:1.2.3", 0.0),
        ("wxhelper:fresh", 0.0),
        ("other:cached:1763712000.131", 0.0),
    ],
)
def test_a_state_of_ours_names_the_token_that_was_refused(state: str, newer_than: float) -> None:
    made = asked("get", NEW + HOST + f"state[]=other:x\nstate[]={state}\n".encode())
    assert (made.reply, made.newer_than) == (None, newer_than)


# --------------------------------------------------------------------------------- answers

PASSWORD = f"username=iambearer\npassword=token-1234\npassword_expiry_utc={EXPIRY}\n"
CREDENTIAL = "credential=token-1234\nephemeral=1\n"


@pytest.mark.parametrize(
    ("capabilities", "token", "cached", "text"),
    [
        (b"", BEARER, True, PASSWORD),
        (b"capability[]=state\n", BEARER, True, PASSWORD),
        (b"capability[]=other\n", BEARER, True, PASSWORD),
        (
            b"capability[]=authtype\n",
            BEARER,
            True,
            f"capability[]=authtype\nauthtype=Bearer\n{CREDENTIAL}password_expiry_utc={EXPIRY}\n",
        ),
        (
            NEW,
            BEARER,
            False,
            (
                f"capability[]=authtype\ncapability[]=state\nauthtype=Bearer\n{CREDENTIAL}"
                f"password_expiry_utc={EXPIRY}\nstate[]=wxhelper:fresh\n"
            ),
        ),
        (
            NEW,
            BEARER,
            True,
            (
                f"capability[]=authtype\ncapability[]=state\nauthtype=Bearer\n{CREDENTIAL}"
                f"password_expiry_utc={EXPIRY}\nstate[]=wxhelper:cached:1763712000.000\ncontinue=1\n"
            ),
        ),
        (
            NEW,
            LONG_LIVED,
            False,
            (
                f"capability[]=authtype\ncapability[]=state\nauthtype=ZenApiKey\n{CREDENTIAL}"
                "state[]=wxhelper:fresh\n"
            ),
        ),
    ],
    ids=["old", "state alone", "unknown", "no state", "new token", "kept token", "other scheme"],
)
def test_git_is_given_what_it_can_carry(
    capabilities: bytes, token: Token, cached: bool, text: str
) -> None:
    made = asked("get", capabilities + HOST)
    assert git_credential.carries(token.scheme, made)
    grant = Grant(token, "dev", "ibmcloud", cached=cached)
    assert git_credential.render(grant, made) == text


def test_a_profiles_login_is_the_user() -> None:
    grant = Grant(BEARER, "dev", "ibmcloud", cached=True, login="git")
    text = git_credential.render(grant, asked("get", HOST))
    assert text == PASSWORD.replace("iambearer", "git")


def test_an_old_git_cannot_carry_another_scheme() -> None:
    assert not git_credential.carries("ZenApiKey", asked("get", HOST))
    assert git_credential.carries("ZenApiKey", asked("get", NEW + HOST))


# ------------------------------------------------------------------------------- the door


def test_the_door_answers_a_hit_like_the_long_way(
    at_home: Home, capfd: pytest.CaptureFixture[str]
) -> None:
    for arguments in (["get"], ["--profile", "dev", "get"], ["get", "--profile=dev"]):
        for stdin in (HOST, NEW + HOST):
            answer = answered(["git-credential", *arguments], os.environ, stdin)
            assert answer is not None
            assert cli.main(["git-credential", *arguments], stdin=stdin) == 0
            assert tuple(capfd.readouterr()) == (answer, "")


def test_the_door_tells_another_host_nothing(at_home: Home) -> None:
    other = HOST.replace(b"api", b"git")
    assert answered(["git-credential", "get"], os.environ, other) == ""


@pytest.mark.parametrize(
    ("arguments", "stdin"),
    [
        (["get"], NEW + HOST + b"state[]=wxhelper:cached:5\n"),
        (["erase"], HOST),
        (["get", "get"], HOST),
        ([], HOST),
        (["--refresh", "get"], HOST),
        (["--profile"], HOST),
    ],
)
def test_what_is_no_hit_goes_the_long_way(
    at_home: Home, arguments: list[str], stdin: bytes
) -> None:
    assert answered(["git-credential", *arguments], os.environ, stdin) is None


# ---------------------------------------------------------------------------- the long way


def test_another_scheme_is_told_to_an_old_git_in_one_line(
    world: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, value in world.environ.items():
        monkeypatch.setitem(os.environ, name, value)
    world.service.next = [lambda: LONG_LIVED] * 2
    assert cli.main(["git-credential", "get"], stdin=HOST) == 5
    assert tuple(capfd.readouterr()) == (
        "quit=1\n",
        (
            "wxhelper: profile dev: git-credential can only carry Bearer tokens, and source fake "
            "gives ZenApiKey; git 2.46 and later carry any\n"
        ),
    )
    assert cli.main(["git-credential", "get"], stdin=NEW + HOST) == 0
    assert "authtype=ZenApiKey\n" in capfd.readouterr().out


@pytest.mark.parametrize("operation", ["get", "erase"])
def test_a_configuration_that_cannot_be_read_leaves_git_to_its_other_helpers(
    world: World,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    operation: str,
) -> None:
    for name, value in world.environ.items():
        monkeypatch.setitem(os.environ, name, value)
    world.config.write_text(f"{WORLD}nonsense")
    status = cli.main(["git-credential", operation], stdin=HOST)
    out, err = capfd.readouterr()
    assert out == ""
    assert (status, err.count("\n")) == ((5, 1) if operation == "get" else (0, 0))
