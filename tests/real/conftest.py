"""What the tests with real programs share: many processes at once, and where things lie."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from logins import Place
from mistakes import World
from networks import with_tls
from processes import Ended, Start
from wxhelper import cli
from wxhelper.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.conftest import Command

StartWaiting = Callable[..., "list[subprocess.Popen[str]]"]

# Tells when the command begins to wait for another process, which no command does itself.
_WATCHED = """
import os, sys, time
pause, told = time.sleep, []
def sleep(seconds):
    if not told:
        told.append(os.write(2, b"waiting\\n"))
    pause(seconds)
time.sleep = sleep
from wxhelper.door import main
status = main(sys.argv[1:])
if os.environ.get("TELL_MODULES"):
    os.write(2, (" ".join(sorted(sys.modules)) + "\\n").encode())
sys.exit(status)
"""


@pytest.fixture
def program() -> str:
    """The path of the installed command."""
    return os.path.join(sysconfig.get_path("scripts"), "wxhelper")


@pytest.fixture
def unwatched(wx: "Command") -> "Command":
    """The command as users have it: coverage imports, opens and writes things of its own."""
    for name in [name for name in wx.environ if name.startswith("COV")]:
        del wx.environ[name]
    return wx


@pytest.fixture
def config(wx: "Command") -> Path:
    """The configuration file."""
    return Path(wx.environ["WXHELPER_CONFIG"])


@pytest.fixture
def key_file(config: Path) -> Path:
    """The key file that the configuration names."""
    return config.with_name("apikey")


@pytest.fixture
def cache(wx: "Command") -> Path:
    """The cache directory."""
    return Path(wx.environ["WXHELPER_CACHE_DIR"])


@pytest.fixture
def world(wx: "Command", sandbox: Sandbox, config: Path, key_file: Path, cache: Path) -> World:
    """The command as it is laid out, and what can be made wrong with it."""
    return World(wx, sandbox, config, key_file, cache)


@pytest.fixture
def place(wx: "Command", sandbox: Sandbox, tmp_path: Path) -> Place:
    """A configuration that is not there yet, for login to make."""
    return Place(wx, sandbox, tmp_path / "configured")


@pytest.fixture
def make_due(cache: Path) -> Callable[[], None]:
    """Makes every token in the cache due for renewal, as if four fifths of its life were over."""

    def age() -> None:
        for path in cache.glob("*.token"):
            text = path.read_text()
            path.write_text(re.sub(r"(?m)^refresh \d+$", "refresh 1", text))

    return age


@pytest.fixture
def running() -> Iterator[list["subprocess.Popen[str]"]]:
    """Processes that are ended with the test, whatever became of it."""
    processes: list[subprocess.Popen[str]] = []
    yield processes
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.communicate(timeout=30)


@pytest.fixture
def start(wx: "Command", running: list["subprocess.Popen[str]"]) -> Start:
    """Starts the command in the background."""

    def begin(*arguments: str, **changes: str | None) -> "subprocess.Popen[str]":
        running.append(wx.start(*arguments, **changes))
        return running[-1]

    return begin


@pytest.fixture
def start_waiting(wx: "Command", running: list["subprocess.Popen[str]"]) -> StartWaiting:
    """Starts the command some times, and returns when all of them wait for another process.

    With TELL_MODULES in the environment they say at their end what they have imported.
    """

    def begin(count: int, *arguments: str, **changes: str | None) -> list["subprocess.Popen[str]"]:
        environ = {n: v for n, v in wx.changed(changes).items() if not n.startswith("COV")}
        started = [
            subprocess.Popen(
                [sys.executable, "-c", _WATCHED, *arguments],
                env=environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(count)
        ]
        running.extend(started)
        assert [process.stderr and process.stderr.readline() for process in started] == [
            "waiting\n"
        ] * count
        return started

    return begin


@pytest.fixture
def finish() -> Callable[["subprocess.Popen[str]"], Ended]:
    """Waits for the end of a process."""

    def wait(process: "subprocess.Popen[str]") -> Ended:
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err

    return wait


@pytest.fixture
def at_once(
    start: Start, finish: Callable[["subprocess.Popen[str]"], Ended]
) -> Callable[..., list[Ended]]:
    """Runs the command many times at once."""

    def run(count: int, *arguments: str, **changes: str | None) -> list[Ended]:
        processes = [start(*arguments, **changes) for _ in range(count)]
        return [finish(process) for process in processes]

    return run


@pytest.fixture
def strace() -> str:
    """The program, where it is there and may be used."""
    found = shutil.which("strace")
    if found is None:
        pytest.skip("strace is not installed")
    tried = subprocess.run(
        [found, "-o", os.devnull, "true"], capture_output=True, check=False, timeout=30
    )
    if tried.returncode != 0:
        pytest.skip("strace may not trace here")
    return found


_look_up = socket.getaddrinfo


def _local_names_only(host: str, *arguments: Any, **named: Any) -> list[Any]:
    """A name service that knows this machine alone, and asks no other."""
    if host not in ("127.0.0.1", "localhost"):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    return _look_up(host, *arguments, **named)


@pytest.fixture
def examine(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Callable[..., Ended]:
    """Runs ``wxhelper doctor`` in this process, where a name service can be replaced."""

    def run(world: World, *arguments: str) -> Ended:
        for name in list(os.environ):
            if not name.startswith("COV"):
                monkeypatch.delenv(name)
        path = sysconfig.get_path("scripts") + os.pathsep + world.environ["PATH"]
        for name, value in {**world.environ, "PATH": path}.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(socket, "getaddrinfo", _local_names_only)
        # What else this machine lets run at every start of Python is not under test.
        monkeypatch.setattr("wxhelper.doctor.startup._site_folders", list)
        for of_processes in ("keep_quiet", "end_in_order"):
            monkeypatch.setattr(f"wxhelper.cli.doctor.{of_processes}", lambda: None)
        capfd.readouterr()
        status = cli.main(["doctor", *arguments])
        return status, *capfd.readouterr()

    return run


@pytest.fixture
def tls_world(tmp_path: Path) -> Iterator[Callable[..., World]]:
    """Makes a world with TLS; what is special about the certificate can be said."""
    with contextlib.ExitStack() as stack:
        yield lambda **certificate: with_tls(stack, tmp_path, **certificate)
