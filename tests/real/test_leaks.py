"""The key and the token are where they belong, and nowhere else."""

import base64
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

import pytest

from leaks import KEY, Watch, files_with, holds
from wxhelper.sandbox import Fault, Sandbox

if TYPE_CHECKING:
    from tests.conftest import Command, Outcome
    from tests.real.conftest import Ended, Start

SPELLINGS: dict[str, Callable[[str], bytes]] = {
    "raw": lambda text: text.encode(),
    "hex": lambda text: text.encode().hex().encode(),
    "quoted": lambda text: quote(text, safe="").encode(),
    "json": lambda text: json.dumps({"key": text}).encode(),
    "base64": lambda text: base64.b64encode(text.encode()),
    "base64 of a pair": lambda text: base64.urlsafe_b64encode(f"user:{text}".encode()),
    "base64 of a form": lambda text: base64.b64encode(f"key={text}&more".encode()),
}


@pytest.mark.parametrize("spell", SPELLINGS.values(), ids=SPELLINGS)
@pytest.mark.parametrize("secret", [KEY, "abcdefgh", "eyJhbGciOiJSUzI1NiJ9.e30.c2ln"])
def test_this_search_finds_what_it_looks_for(spell: Callable[[str], bytes], secret: str) -> None:
    assert holds(b"before " + spell(secret) + b" after", secret)
    assert not holds(b"before " + spell(secret)[: len(secret) // 2] + b" after", secret)


# ------------------------------------------------------------------------------------- the sweep

Prepare = Callable[["Mine"], None]


class Mine:
    """A command with the canary for a key."""

    def __init__(self, wx: "Command", sandbox: Sandbox, config: Path) -> None:
        self.wx = wx
        self.sandbox = sandbox
        self.config = config
        self.key_file = config.with_name("apikey")

    def fault(self, **said: object) -> None:
        self.sandbox.faults.add(Fault(match="iam", **said))  # type: ignore[arg-type]


def all_is_well(mine: Mine) -> None:
    pass


def the_service_repeats_the_key_as_a_failure(mine: Mine) -> None:
    mine.fault(status=500, body=json.dumps({"message": f"cannot find {KEY}"}).encode())


def the_service_answers_with_the_key_for_a_token(mine: Mine) -> None:
    mine.fault(body=json.dumps({"access_token": KEY, "expires_in": 3600}).encode())


def the_service_shows_the_key_on_a_page(mine: Mine) -> None:
    mine.fault(body=f"<html>{KEY}</html>".encode())


def the_service_redirects_to_the_key(mine: Mine) -> None:
    mine.fault(status=302, headers={"Location": f"https://{quote(KEY, safe='')}@other.invalid/"})


def the_service_hangs_up(mine: Mine) -> None:
    mine.fault(drop="before", times=3)


def the_service_does_not_know_the_key(mine: Mine) -> None:
    mine.sandbox.keys.clear()


def the_service_is_elsewhere(mine: Mine) -> None:
    text = mine.config.read_text()
    mine.config.write_text(text.replace(mine.sandbox.http_url, "http://127.0.0.1:1"))


def the_key_is_in_a_variable(mine: Mine) -> None:
    text = mine.config.read_text()
    mine.config.write_text(text.replace("file:apikey", "env:THE_KEY"))
    mine.wx.environ["THE_KEY"] = KEY


def the_key_comes_from_a_command(mine: Mine) -> None:
    text = mine.config.read_text()
    mine.config.write_text(text.replace("file:apikey", "command:cat apikey"))


def the_key_stands_in_the_wrong_place(mine: Mine) -> None:
    mine.config.write_text(f"[profiles.sandbox]\nsource = 'ibmcloud'\napi_key = '{KEY}'\n")


def nothing_can_be_kept(mine: Mine) -> None:
    mine.wx.environ["WXHELPER_CACHE_DIR"] = "/dev/null/cache"


def python_is_talkative(mine: Mine) -> None:
    mine.wx.environ |= {"PYTHONDEVMODE": "1", "PYTHONWARNINGS": "default"}


SWEEP: dict[Prepare, tuple[str, ...]] = {
    all_is_well: (
        "token",
        "token",
        "token --output json",
        "token --refresh",
        "token --min-ttl 999999",
        "header",
        "header --output json",
        "exec-credential",
        "exec-credential --api-version v1beta1",
        "invalidate",
        "sources",
        "sources --output json",
        "--help",
        "token --help",
        "--version",
        "token --profile nobody",
        "token --unknown",
        "nonsense",
    ),
    python_is_talkative: ("token", "token", "header", "exec-credential", "invalidate"),
    the_key_is_in_a_variable: ("token", "header", "invalidate"),
    the_key_comes_from_a_command: ("token", "exec-credential"),
    the_key_stands_in_the_wrong_place: ("token", "exec-credential", "invalidate"),
    the_service_repeats_the_key_as_a_failure: ("header", "header"),
    the_service_answers_with_the_key_for_a_token: ("token",),
    the_service_shows_the_key_on_a_page: ("exec-credential",),
    the_service_redirects_to_the_key: ("token",),
    the_service_hangs_up: ("token",),
    the_service_does_not_know_the_key: ("token", "header", "exec-credential"),
    the_service_is_elsewhere: ("token",),
    nothing_can_be_kept: ("token", "exec-credential"),
}


@pytest.fixture
def mine(wx: "Command", sandbox: Sandbox, config: Path, tmp_path: Path) -> Mine:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    wx.environ["TMPDIR"] = str(temporary)
    sandbox.keys[KEY] = sandbox.keys[sandbox.api_key]
    world = Mine(wx, sandbox, config)
    world.key_file.write_text(KEY)
    return world


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="there is no /proc here")
@pytest.mark.parametrize("prepare", SWEEP, ids=lambda prepare: prepare.__name__)
def test_the_key_is_in_its_place_alone(prepare: Prepare, mine: Mine, tmp_path: Path) -> None:
    prepare(mine)
    done: list[Outcome] = []
    control = "a-control-that-is-to-be-seen"
    with Watch() as watch:
        subprocess.run(
            [sys.executable, "-c", "import time; time.sleep(0.3)", control], check=True, timeout=60
        )
        done += [mine.wx(*command.split()) for command in SWEEP[prepare]]
    outputs = "\n".join(one.out + one.err for one in done).encode()
    places = {mine.key_file}
    if prepare is the_key_stands_in_the_wrong_place:
        places.add(mine.config)
    assert any(control.encode() in arguments for arguments in watch.seen)
    assert not [arguments for arguments in watch.seen if holds(arguments, KEY)]
    assert not holds(outputs, KEY)
    assert b"Traceback" not in outputs
    assert files_with(KEY, tmp_path) == places


ECHOES: dict[str, Callable[[str], str]] = {
    "as it is": lambda text: text,
    "url-encoded": lambda text: quote(text, safe=""),
    "url-encoded but for slashes": quote,
    "form-encoded": quote_plus,
    "as JSON": lambda text: json.dumps(text)[1:-1],
    "as JSON in UTF-8": lambda text: json.dumps(text, ensure_ascii=False)[1:-1],
    "in hex": lambda text: text.encode().hex(),
    "in base64": lambda text: base64.b64encode(text.encode()).decode(),
    "in base64 for a url": lambda text: base64.urlsafe_b64encode(text.encode()).decode(),
}


@pytest.mark.parametrize("echo", ECHOES.values(), ids=ECHOES)
def test_a_service_that_repeats_the_key_is_not_quoted(
    echo: Callable[[str], str], mine: Mine, tmp_path: Path
) -> None:
    said = {"errorCode": "BXNIM0415E", "errorMessage": f"no key {echo(KEY)} here"}
    mine.fault(status=400, body=json.dumps(said).encode())
    done = mine.wx("token")
    assert (done.status, done.out) == (4, "")
    assert "BXNIM0415E no key [redacted]" in done.err
    assert not holds(done.err.encode(), KEY)
    assert files_with(KEY, tmp_path) == {mine.key_file}


def test_the_token_is_in_the_record_and_the_answer_alone(mine: Mine, tmp_path: Path) -> None:
    with Watch() as watch:
        token = mine.wx("token").out.strip()
        done = [mine.wx(verb) for verb in ("token", "header", "exec-credential")]
    record = next(Path(mine.wx.environ["WXHELPER_CACHE_DIR"]).glob("*.token"))
    assert [token in one.out for one in done] == [True] * 3
    assert [one.err for one in done] == [""] * 3
    assert not [arguments for arguments in watch.seen if holds(arguments, token)]
    assert files_with(token, tmp_path) == {record}
    assert mine.wx("invalidate").status == 0
    assert files_with(token, tmp_path) == set()


@pytest.mark.parametrize(
    "variable", ["WXHELPER_API_KEY", "IBMCLOUD_API_KEY", "IC_API_KEY", "WATSONX_APIKEY"]
)
def test_a_command_that_gives_the_key_is_not_given_another(variable: str, mine: Mine) -> None:
    dump = mine.config.with_name("dump")
    text = mine.config.read_text()
    mine.config.write_text(text.replace("file:apikey", "command:sh -c 'env >dump; cat apikey'"))
    assert mine.wx("token", **{variable: "another-canary", "OTHER": "stays"}).status == 0
    given = dump.read_text().splitlines()
    assert "OTHER=stays" in given
    assert "another-canary" not in dump.read_text()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_command_says_nothing(
    number: signal.Signals,
    start: "Start",
    finish: "Callable[[subprocess.Popen[str]], Ended]",
    wx: "Command",
    sandbox: Sandbox,
) -> None:
    gate = threading.Event()
    sandbox.faults.add(Fault(match="iam", gate=gate))
    process = start("token")
    assert sandbox.requests.wait_for(1, 30, service="iam")
    process.send_signal(number)
    status, out, err = finish(process)
    gate.set()
    assert (out, err) == ("", "")
    assert status == 128 + number
    assert wx("token").status == 0
