"""A plugin that misbehaves: the protocol stays clean and the key stays where it is."""

import json
import re
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import Command

TOKEN = "a-token-of-the-plugin"
PLUGIN = """
import asyncio, logging, os, sys, time, warnings
from wxhelper.plugin import Token, TokenSourceType, hookimpl

wxhelper_api = 1
noisy = logging.getLogger("somebody.else")

class Source:
    def __init__(self, context):
        self.context, self.key = context, context.secret.reveal()

    def fetch(self):
        {fetch}
        now = self.context.clock()
        return Token("Bearer", {token!r}, minted_at=now, refresh_at=int(now) + 50,
                     expires_at=int(now) + 60)

@hookimpl
def wxhelper_token_sources():
    yield TokenSourceType(name="mine", summary="mine", token_hosts=lambda settings: frozenset(),
                          audience=lambda settings: frozenset(), open=Source)
"""
Install = Callable[[str], "Command"]


@pytest.fixture
def install(wx: "Command", tmp_path: Path) -> Install:
    """Install a plugin whose ``fetch`` begins with some code, and make it the default."""

    def put(fetch: str) -> "Command":
        library = tmp_path / "library"
        metadata = library / "mine-1.0.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text("[wxhelper]\nmine = mine\n")
        (library / "mine.py").write_text(PLUGIN.format(fetch=fetch, token=TOKEN))
        Path(wx.environ["WXHELPER_CONFIG"]).write_text(
            '[profiles.mine]\nsource = "mine"\napi_key = "file:apikey"\n'
        )
        wx.environ["PYTHONPATH"] = str(library)
        return wx

    return put


@pytest.mark.parametrize(
    "fetch",
    [
        'print("SPOILED")',
        'print("SPOILED", flush=True)',
        'sys.stdout.write("SPOILED" * 5000)',
        'os.write(1, b"SPOILED")',
        'os.system("echo SPOILED")',
    ],
    ids=["print", "flushed", "much", "descriptor", "child"],
)
def test_what_a_plugin_prints_is_no_part_of_the_answer(install: Install, fetch: str) -> None:
    done = install(fetch)("exec-credential")
    assert done.status == 0
    assert json.loads(done.out)["status"]["token"] == TOKEN
    assert done.out.count("\n") == 1


@pytest.mark.parametrize(
    "fetch",
    [
        "self.context.logger.warning(self.key)",
        'noisy.error("%s", self.key)',
        "warnings.warn(self.key)",
    ],
    ids=["its logger", "another logger", "warning"],
)
def test_a_success_is_silent_whatever_a_plugin_logs(install: Install, fetch: str) -> None:
    done = install(fetch)("token")
    assert (done.status, done.out, done.err) == (0, TOKEN + "\n", "")


@pytest.mark.parametrize(
    ("fetch", "kind"),
    [
        ("raise ValueError(self.key)", "ValueError"),
        ("raise SystemExit(self.key)", "SystemExit"),
        ("raise asyncio.CancelledError(self.key)", "CancelledError"),
        ("raise GeneratorExit(self.key)", "GeneratorExit"),
        ("raise BaseException(self.key)", "BaseException"),
        ("class Odd(Exception): pass\n        raise Odd(self.key)", "Odd"),
    ],
    ids=["error", "exit", "cancelled", "generator", "base", "its own"],
)
def test_what_a_plugin_raises_is_told_by_its_type_and_place_alone(
    install: Install, fetch: str, kind: str
) -> None:
    done = install(fetch)("token")
    assert (done.status, done.out, re.sub(r"[a-z_]+\.py:\d+", "PLACE", done.err)) == (
        5,
        "",
        (
            f"wxhelper: profile mine: the plugin of source mine failed with {kind} at PLACE; "
            "upgrade it, or report it to its authors\n"
        ),
    )


def test_many_that_wait_for_a_plugin_that_fails_end_with_the_one_that_asked(
    install: Install, tmp_path: Path
) -> None:
    asked = tmp_path / "asked"
    command = install(
        f"open({str(asked)!r}, 'a').write('x'); time.sleep(3); raise ValueError(self.key)"
    )
    running = [command.start("token") for _ in range(12)]
    ended = [process.communicate(timeout=60) for process in running]
    assert {process.returncode for process in running} == {5}
    assert len(set(ended)) == 1
    # Whoever starts after the failure may ask again: it is not the service's.
    assert len(asked.read_text()) <= 2


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_told_to_end_it_ends_its_keys_command_and_says_nothing(
    wx: "Command", tmp_path: Path, number: signal.Signals
) -> None:
    child = tmp_path / "child"
    Path(wx.environ["WXHELPER_CONFIG"]).write_text(
        '[profiles.slow]\nsource = "ibmcloud"\n'
        f"api_key = \"command:sh -c 'echo $$ > {child}; exec sleep 60'\"\n"
    )
    process = wx.start("token")
    while not (child.exists() and child.read_text().endswith("\n")):
        assert process.poll() is None
    process.send_signal(number)
    assert process.communicate(timeout=30) == ("", "")
    assert process.returncode == 128 + number
    gone = subprocess.run(["ps", "-p", child.read_text().strip()], capture_output=True, check=False)
    assert gone.returncode == 1
