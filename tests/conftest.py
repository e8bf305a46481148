"""What all tests share: a home of their own, the sandbox, and the real command."""

import os
import subprocess
import sysconfig
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from wxhelper.sandbox import Sandbox
from wxhelper.sandbox.environment import lay_out

WXHELPER = os.path.join(sysconfig.get_path("scripts"), "wxhelper")
_FOREIGN = (
    *("WXHELPER_", "XDG_", "KUBE", "GIT_", "PIP_"),
    *("IBM", "IC_", "WATSONX", "WO_", "WXO_", "DPH_", "CPD_", "CP4D_", "ZEN_"),
)
_NETWORK = ("PROXY", "SSL_CERT", "CA_BUNDLE", "SSLKEYLOG", "NETRC")


@dataclass(frozen=True)
class Outcome:
    """How a command ended. Its repr is the transcript."""

    status: int
    out: str
    err: str


class Command:
    """The installed ``wxhelper``, in an environment of its own.

    Attributes:
        environ: the variables that the command sees, and no others.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self.environ = dict(environ)

    def __call__(self, *arguments: str, stdin: str = "", **changes: str | None) -> Outcome:
        """Run it to its end; a variable changed to None is unset."""
        done = subprocess.run(
            [WXHELPER, *arguments],
            env=self.changed(changes),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    def start(self, *arguments: str, **changes: str | None) -> "subprocess.Popen[str]":
        """Run it in the background."""
        return subprocess.Popen(
            [WXHELPER, *arguments],
            env=self.changed(changes),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def changed(self, changes: Mapping[str, str | None]) -> dict[str, str]:
        """The variables with some of them changed."""
        merged = {**self.environ, **changes}
        return {name: value for name, value in merged.items() if value is not None}


def bare_environment(home: Path) -> dict[str, str]:
    """The least that a program needs; and what lets coverage see child processes."""
    kept = {n: v for n, v in os.environ.items() if n.startswith(("COV", "COVERAGE"))}
    return {"PATH": os.environ["PATH"], "HOME": str(home), "LANG": "C.UTF-8", **kept}


@pytest.fixture(autouse=True)
def _own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(_FOREIGN) or any(word in name.upper() for word in _NETWORK):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path_factory.mktemp("home")))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """An empty home directory."""
    path = tmp_path / "home"
    path.mkdir(mode=0o700)
    return path


@pytest.fixture
def sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """IBM's stand-ins over plain http on loopback."""
    folder = tmp_path / "sandbox"
    folder.mkdir(mode=0o700)
    with Sandbox(str(folder), tls=False) as running:
        yield running


@pytest.fixture
def tls_sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """The same over http and TLS."""
    folder = tmp_path / "sandbox"
    folder.mkdir(mode=0o700)
    with Sandbox(str(folder)) as running:
        assert not running.tls_skipped
        yield running


def _command(running: Sandbox, tmp_path: Path) -> Command:
    folder = tmp_path / "laid-out"
    folder.mkdir(mode=0o700)
    laid_out = lay_out(running, str(folder), [WXHELPER])
    return Command({**bare_environment(folder), **laid_out})


@pytest.fixture
def wx(sandbox: Sandbox, tmp_path: Path) -> Command:
    """The command, configured for the sandbox: profile ``sandbox``, key file, own cache."""
    return _command(sandbox, tmp_path)


@pytest.fixture
def tls_wx(tls_sandbox: Sandbox, tmp_path: Path) -> Command:
    """The command, configured for the TLS sandbox: profiles ``sandbox``, ``sandbox-tls``."""
    return _command(tls_sandbox, tmp_path)
