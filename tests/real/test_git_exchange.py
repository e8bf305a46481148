"""The helper alone, against what git 2.55 wrote to it when it was watched."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hostile import EVIL, GOOD
from wxhelper.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.conftest import Command

Helper = Callable[..., "tuple[int, str, str]"]

HOST = "protocol=https\nhost=127.0.0.1:34841\n"
WANTED = 'wwwauth[]=Bearer realm="models"\nwwwauth[]=Basic realm="models"\n'
CAPABLE = "capability[]=authtype\ncapability[]=state\n"


@pytest.fixture
def helper(wx: "Command", program: str) -> Helper:
    """Runs ``git-credential-wxhelper`` as git does."""

    def run(operation: str, stdin: str | bytes, *options: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [program.replace("wxhelper", "git-credential-wxhelper"), *options, operation],
            env=wx.environ,
            input=stdin if isinstance(stdin, bytes) else stdin.encode(),
            capture_output=True,
            timeout=60,
            check=False,
        )
        return done.returncode, done.stdout.decode(), done.stderr.decode()

    return run


def answer(token: str, expiry: int, *rest: str) -> tuple[int, str, str]:
    lines = [
        "capability[]=authtype",
        "capability[]=state",
        "authtype=Bearer",
        f"credential={token}",
        "ephemeral=1",
        f"password_expiry_utc={expiry}",
        *rest,
    ]
    return 0, "\n".join([*lines, ""]), ""


def kept(cache: Path) -> tuple[str, str, int]:
    """The token in the cache, when it was minted, and until when it is good."""
    text = "".join(path.read_text() for path in cache.glob("*.token"))
    found = [re.search(rf"(?m)^{key} (.*)$", text) for key in ("token Bearer", "minted", "expires")]
    token, minted, expires = (match[1] for match in found if match)
    return token, minted, int(expires) - 60


def test_the_exchange_of_a_clone_across_a_401(
    helper: Helper, cache: Path, sandbox: Sandbox
) -> None:
    first = helper("get", CAPABLE + HOST + WANTED)
    token, minted, expiry = kept(cache)
    assert first == answer(token, expiry, "state[]=wxhelper:fresh")
    state = f"state[]=wxhelper:cached:{minted}"
    assert helper("get", CAPABLE + HOST + WANTED) == answer(token, expiry, state, "continue=1")
    said = f"authtype=Bearer\nephemeral=1\n{HOST}password_expiry_utc={expiry}\n{WANTED}{state}\n"
    again = helper("get", CAPABLE + said)
    new_token, new_minted, new_expiry = kept(cache)
    assert new_token != token
    assert again == answer(new_token, new_expiry, "state[]=wxhelper:fresh")
    # A second git that was refused the same token is offered the one that came since.
    other = helper("get", CAPABLE + said)
    offer = f"state[]=wxhelper:cached:{new_minted}"
    assert other == answer(new_token, new_expiry, offer, "continue=1")
    assert sandbox.token_requests() == 2
    end = f"{HOST}password_expiry_utc={new_expiry}\nstate[]=wxhelper:fresh\n"
    said = f"{CAPABLE}authtype=Bearer\ncredential={new_token}\nephemeral=1\n{end}"
    assert helper("store", said) == (0, "", "")
    assert kept(cache)[0] == new_token
    assert helper("erase", said.replace(new_token, token)) == (0, "", "")
    assert kept(cache)[0] == new_token
    assert helper("erase", said) == (0, "", "")
    assert list(cache.glob("*.token")) == []
    assert sandbox.token_requests() == 2


def test_an_older_git_is_given_a_user_and_a_password(helper: Helper, cache: Path) -> None:
    first = helper("get", HOST)
    token, _, expiry = kept(cache)
    text = f"username=iambearer\npassword={token}\npassword_expiry_utc={expiry}\n"
    assert first == (0, text, "")
    assert helper("get", HOST, "--profile", "sandbox") == first
    assert helper("get", HOST, "--profile=sandbox") == first


def test_the_login_is_the_profiles(helper: Helper, config: Path) -> None:
    config.write_text(config.read_text().replace("source = ", 'login = "git"\nsource = '))
    assert helper("get", HOST)[1].startswith("username=git\npassword=")
    assert helper("get", HOST)[1].startswith("username=git\npassword=")


def test_what_a_helper_can_do_is_told(helper: Helper) -> None:
    told = (0, "version 0\ncapability authtype\ncapability state\n", "")
    assert helper("capability", "") == told


@pytest.mark.parametrize("operation", ["store", "approve", "quit", "get-all", "GET", "\u00fc", ""])
def test_what_is_not_for_us_is_left_alone(
    helper: Helper, operation: str, cache: Path, sandbox: Sandbox
) -> None:
    assert helper(operation, HOST) == (0, "", "")
    assert sandbox.token_requests() == 0
    assert list(cache.iterdir()) == []


@pytest.mark.parametrize(
    "stdin",
    [
        f"protocol=https\nhost={EVIL}\n",
        f"protocol=https\nusername=a\x0bhost={GOOD}\nhost={EVIL}\n",
        f"protocol=https\nhost={EVIL}\nhost=127.0.0.1\n",
        "protocol=https\nhost=127.0.0.1\r\n",
        "protocol=https\nhost=127.0.0.1\npath=" + "x" * 65_536 + "\n",
        "protocol=https\nhost=127.0.0.1",
        "x" * 2_000_000,
        "",
    ],
    ids=lambda text: ascii(text[:60]),
)
@pytest.mark.parametrize("hit", [False, True], ids=["miss", "hit"])
def test_the_odd_and_the_foreign_are_told_nothing(
    helper: Helper, wx: "Command", sandbox: Sandbox, stdin: str, hit: bool
) -> None:
    if hit:
        wx("token")
    assert helper("get", stdin) == (0, "", "")
    assert sandbox.token_requests() == int(hit)


def test_a_key_that_is_refused_ends_the_question(helper: Helper, sandbox: Sandbox) -> None:
    sandbox.keys.clear()
    status, out, err = helper("get", HOST)
    assert (status, out, err.count("\n")) == (4, "quit=1\n", 1)
    assert err.startswith("wxhelper: profile sandbox: IBM Cloud IAM refused the API key")
    assert helper("get", f"protocol=https\nhost={EVIL}\n") == (0, "", "")
    assert sandbox.token_requests() == 1


def test_a_profile_that_is_not_there_leaves_the_question_to_others(helper: Helper) -> None:
    status, out, err = helper("get", HOST, "--profile", "nobody")
    assert (status, out, err.count("\n")) == (5, "", 1)
    assert "nobody" in err
    assert helper("erase", HOST, "--profile", "nobody") == (0, "", "")


@pytest.mark.parametrize(
    ("arguments", "status"), [(["--profile"], 2), (["get", "--refresh"], 2), (["a", "b"], 2)]
)
def test_what_git_never_types_is_a_usage_error(
    wx: "Command", arguments: list[str], status: int
) -> None:
    ended = wx("git-credential", *arguments, stdin=HOST)
    assert (ended.status, ended.out, ended.err.count("\n")) == (status, "", 1)


def test_without_an_operation_the_question_is_what_to_do(wx: "Command") -> None:
    assert wx("git-credential").err == (
        "wxhelper: git-credential: the following arguments are required: "
        "get|store|erase|capability; see: wxhelper git-credential --help\n"
    )
