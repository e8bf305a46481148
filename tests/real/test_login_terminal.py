"""``wxhelper login`` with somebody at the terminal."""

import os
import signal
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from leaks import files_with
from terminals import Screen
from wxhelper.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.conftest import Command

HIDDEN = "API key (not shown; @FILE takes it from a file): "
Sit = Callable[..., Screen]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the configuration will be; there is nothing yet."""
    return tmp_path / "somewhere" / "wxhelper"


@pytest.fixture
def wx(wx: "Command", folder: Path) -> "Command":
    wx.environ["WXHELPER_CONFIG"] = str(folder / "config.toml")
    wx.environ["WXHELPER_PLUGINS"] = "ibmcloud"  # the only source: it is not asked for
    wx.environ["PYTHON_KEYRING_BACKEND"] = "keyring.backends.fail.Keyring"
    return wx


@pytest.fixture
def sit(wx: "Command", program: str) -> Iterator[Sit]:
    """Starts the command at a terminal of its own."""
    screens: list[Screen] = []

    def start(*arguments: str) -> Screen:
        screens.append(Screen([program, *arguments], wx.environ))
        return screens[-1]

    yield start
    for screen in screens:
        screen.close()


def at_the_key(sit: Sit, sandbox: Sandbox) -> Screen:
    screen = sit("login", "dev", "--url", sandbox.http_url)
    screen.until(HIDDEN)
    return screen


def test_everything_is_asked_for_and_the_key_is_not_shown(
    sit: Sit, wx: "Command", sandbox: Sandbox, folder: Path
) -> None:
    screen = sit("login", "--url", sandbox.http_url)
    screen.answer("Profile [default]: ", "dev")
    screen.until(HIDDEN)
    assert not screen.echoes
    screen.type(f"  {sandbox.api_key} \n")
    assert screen.finish() == (
        0,
        (
            f"the key works, and is in the private file {folder}/keys/dev "
            "(there is no keyring here that keeps a key safe)\n"
            f"profile dev, source ibmcloud, the default one: {folder}/config.toml\n"
            "try it: wxhelper token\n"
        ),
        "",
    )
    assert screen.shown == f"Profile [default]: dev\r\n{HIDDEN}\r\n"
    assert screen.echoes
    assert sandbox.issuer.grant(wx("token").out.strip()) is not None


def test_of_several_sources_the_usual_one_is_offered(
    sit: Sit, wx: "Command", sandbox: Sandbox, folder: Path
) -> None:
    wx.environ["WXHELPER_PLUGINS"] = "ibmcloud,ibmcloud-kubernetes"
    screen = sit("login", "dev", "--url", sandbox.http_url)
    screen.answer("Source, one of ibmcloud, ibmcloud-kubernetes [ibmcloud]: ", "")
    screen.answer(HIDDEN, sandbox.api_key)
    assert screen.finish()[0] == 0
    assert 'source = "ibmcloud"\n' in (folder / "config.toml").read_text()


def test_a_profile_that_is_there_is_offered_and_keeps_what_it_says(
    sit: Sit, wx: "Command", sandbox: Sandbox, folder: Path
) -> None:
    folder.mkdir(parents=True)
    text = (
        "# mine\n[profiles.dev]\nsource = 'ibmcloud'  # here\n"
        f"url = '{sandbox.http_url}'\napi_key = 'PASTED_HERE'\nhosts = ['a.example.com']\n"
    )
    (folder / "config.toml").write_text(text)
    screen = sit("login")
    screen.answer("Profile [dev]: ", "")
    screen.answer(HIDDEN, sandbox.api_key)
    status, _, err = screen.finish()
    assert (status, err) == (0, "")
    changed = text.replace("'PASTED_HERE'", '"file:keys/dev"')
    assert (folder / "config.toml").read_text() == changed


def test_a_file_can_be_named_at_the_hidden_prompt(
    sit: Sit, sandbox: Sandbox, folder: Path, tmp_path: Path
) -> None:
    (tmp_path / "apikey.json").write_text(f'{{"name": "mine", "apikey": "{sandbox.api_key}"}}')
    screen = at_the_key(sit, sandbox)
    screen.type(f"@{tmp_path}/apikey.json\n")
    assert screen.finish()[0] == 0
    assert (folder / "keys" / "dev").read_text() == f"{sandbox.api_key}\n"


def test_a_slip_is_told_and_the_question_asked_again(
    sit: Sit, sandbox: Sandbox, folder: Path
) -> None:
    screen = at_the_key(sit, sandbox)
    screen.type("\n")
    screen.answer(HIDDEN, "cpd-apikey-me-2025")
    screen.answer(HIDDEN, sandbox.api_key)
    assert screen.finish()[0] == 0
    assert screen.shown == (
        f"{HIDDEN}\r\n"
        f"wxhelper: the prompt is empty; put the API key there\r\n{HIDDEN}\r\n"
        "wxhelper: the prompt holds the name of a user API key, not a key; the key behind that "
        "name cannot be seen; create an API key in IBM Cloud, under Manage > Access (IAM) > API "
        f"keys, and give that\r\n{HIDDEN}\r\n"
    )
    assert (folder / "keys" / "dev").read_text() == f"{sandbox.api_key}\n"


def test_a_key_that_is_refused_is_not_stored(sit: Sit, sandbox: Sandbox, folder: Path) -> None:
    screen = at_the_key(sit, sandbox)
    screen.type("no-such-key\n")
    assert screen.finish() == (
        4,
        "",
        (
            "wxhelper: IBM Cloud IAM refused the API key from the prompt: BXNIM0415E Provided API "
            "key could not be found (nothing was stored); copy the key once more, or take another: "
            "wxhelper login dev\n"
        ),
    )
    assert not folder.exists()


def test_somebody_who_stops_and_comes_back_is_asked_again(
    sit: Sit, sandbox: Sandbox, folder: Path
) -> None:
    screen = at_the_key(sit, sandbox)
    screen.process.send_signal(signal.SIGTSTP)
    # In a session of its own nobody could wake it; the signal is as good as ignored.
    screen.until(HIDDEN)
    assert not screen.echoes
    screen.type(f"{sandbox.api_key}\n")
    assert screen.finish()[0] == 0
    assert screen.echoes


# -------------------------------------------------------------------------------- interrupted


def control_c(screen: Screen) -> None:
    screen.type("\x03")


def control_d(screen: Screen) -> None:
    screen.type("\x04")


def control_backslash(screen: Screen) -> None:
    screen.type("\x1c")


def told_to_end(screen: Screen) -> None:
    screen.process.send_signal(signal.SIGTERM)


def terminal_closed(screen: Screen) -> None:
    screen.hang_up()


NO_ANSWER = "wxhelper: the terminal gave no answer; nothing was stored; type it again\n"
INTERRUPTIONS = [
    (control_c, 130, ""),
    (control_d, 2, NO_ANSWER),
    (control_backslash, 131, ""),
    (told_to_end, 143, ""),
    (terminal_closed, 129, ""),
]


@pytest.mark.parametrize(
    ("interrupt", "status", "said"), INTERRUPTIONS, ids=lambda i: getattr(i, "__name__", "")
)
@pytest.mark.parametrize("question", ["Profile [default]: ", HIDDEN], ids=["profile", "key"])
def test_interrupted_at_a_question_it_leaves_nothing(
    question: str,
    interrupt: Callable[[Screen], None],
    status: int,
    said: str,
    sit: Sit,
    sandbox: Sandbox,
    folder: Path,
) -> None:
    screen = sit("login", "--url", sandbox.http_url)
    if question == HIDDEN:
        screen.answer("Profile [default]: ", "dev")
    screen.until(question)
    interrupt(screen)
    assert screen.finish() == (status, "", said)
    assert interrupt is terminal_closed or screen.echoes
    assert not folder.exists()
    assert len(sandbox.requests) == 0


def test_a_key_that_was_half_typed_is_nowhere(
    sit: Sit, sandbox: Sandbox, folder: Path, tmp_path: Path
) -> None:
    screen = at_the_key(sit, sandbox)
    screen.type("half-a-key-of-mine\x03")
    assert screen.finish() == (130, "", "")
    assert "half-a-key" not in screen.shown
    assert files_with("half-a-key-of-mine", tmp_path) == set()


def test_without_a_terminal_the_option_to_give_is_told(
    wx: "Command", program: str, sandbox: Sandbox
) -> None:
    # setsid: the terminal of whoever runs the tests is not to be asked.
    told = [
        wx_alone(wx, program, "login"),
        wx_alone(wx, program, "login", "dev", "--url", sandbox.http_url),
    ]
    assert told == [
        (
            2,
            "",
            ("wxhelper: login: PROFILE is missing; type: wxhelper login PROFILE ...\n"),
        ),
        (
            2,
            "",
            (
                "wxhelper: login: there is no terminal to ask for the key at; "
                "give it with --api-key-stdin or --api-key @FILE\n"
            ),
        ),
    ]


def wx_alone(wx: "Command", program: str, *arguments: str) -> tuple[int, str, str]:
    done = subprocess.run(
        [program, *arguments],
        env=wx.environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        start_new_session=True,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_whatever_the_umask_nobody_else_can_read_what_is_made(
    sit: Sit, sandbox: Sandbox, folder: Path
) -> None:
    screen = at_the_key(sit, sandbox)  # with a umask of 000
    screen.type(f"{sandbox.api_key}\n")
    assert screen.finish()[0] == 0
    assert {
        str(path.relative_to(folder)): stat.S_IMODE(path.stat().st_mode)
        for path in [folder, *folder.rglob("*")]
    } == {".": 0o700, "config.toml": 0o600, "keys": 0o700, "keys/dev": 0o600}
    assert os.stat(folder.parent).st_mode & 0o077 == 0
