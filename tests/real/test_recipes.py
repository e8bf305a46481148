"""The README's recipes, as they stand there, with the real programs."""

import base64
import json
import os
import shutil
import sysconfig
import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import watch
from git_server import GitServer, make_repository
from processes import Ended
from recipes import follow, recipes
from watch import Watch
from wxhelper.sandbox import Fault, Sandbox

if TYPE_CHECKING:
    from tests.conftest import Command

MODELS = "/ml/v1/foundation_model_specs"
SCRIPTS = sysconfig.get_path("scripts")

PROFILES = {"sandbox": "Bearer", "dph-zen": "ZenApiKey"}
"""Profiles, and the scheme that their tokens are to be shown with."""

# Each with the program that makes the call, by the name that it runs under.
CALLS = {
    "curl": "curl",
    "curl-header": "curl",
    "wget": "wget",
    "httpie": "http",
    "requests": "",
}

needs_proc = pytest.mark.skipif(not watch.HERE, reason="there is no /proc here")


def installed(program: str) -> str:
    return shutil.which(program, path=os.pathsep.join([SCRIPTS, os.environ["PATH"]])) or ""


def skip_without(program: str) -> None:
    if program and not installed(program):
        pytest.skip(f"{program} is not installed")


@pytest.fixture
def environ(wx: "Command", tmp_path: Path) -> dict[str, str]:
    """The variables of somebody who has wxhelper on the search path, and a full netrc file."""
    settings = tmp_path / "httpie"
    settings.mkdir()
    (settings / "config.json").write_text('{"disable_update_warnings": true}')
    netrc = Path(wx.environ["HOME"], ".netrc")
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    netrc.chmod(0o600)
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    return {
        **wx.environ,
        "PATH": os.pathsep.join([SCRIPTS, wx.environ["PATH"]]),
        "HTTPIE_CONFIG_DIR": str(settings),
        "TMPDIR": str(temporary),
    }


def watched(
    name: str, environ: Mapping[str, str], sandbox: Sandbox, service: str, cwd: Path
) -> tuple[Ended, Watch]:
    """Follows a recipe, and looks at every process while the service holds its answer."""
    gate = threading.Event()
    sandbox.faults.add(Fault(match=service, gate=gate))
    with Watch(environments=True) as seen, ThreadPoolExecutor(1) as threads:
        following = threads.submit(follow, name, environ, cwd=cwd)
        try:
            assert sandbox.requests.wait_for(1, 30, service=service)
            seen.look()
        finally:
            gate.set()
        return following.result(), seen


@needs_proc
@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", CALLS)
def test_a_recipe_makes_the_call_and_shows_the_token_to_nobody_else(
    name: str,
    profile: str,
    wx: "Command",
    environ: dict[str, str],
    sandbox: Sandbox,
    tmp_path: Path,
) -> None:
    skip_without(CALLS[name])
    environ |= {"URL": sandbox.http_url + MODELS, "WXHELPER_PROFILE": profile}
    (status, out, err), seen = watched(name, environ, sandbox, "api", tmp_path)
    assert (status, err) == (0, "")
    assert out == "2\n" if name == "requests" else '"total_count"' in out
    token = wx("token", "--profile", profile).out.strip()
    shown = [r.authorization() for r in sandbox.requests if r.service == "api"]
    assert shown == [(PROFILES[profile].lower(), token)]
    assert seen.found(token, sandbox.api_key) == []
    assert seen.found(sandbox.http_url) != []
    assert seen.ran({CALLS[name]} - {""}) == {CALLS[name]} - {""}
    assert os.listdir(environ["TMPDIR"]) == []


@pytest.mark.parametrize("profile", PROFILES)
def test_data_can_come_through_standard_input(
    profile: str, wx: "Command", environ: dict[str, str], sandbox: Sandbox, tmp_path: Path
) -> None:
    skip_without("curl")
    environ |= {"URL": sandbox.http_url + MODELS, "WXHELPER_PROFILE": profile}
    sandbox.faults.add(Fault(match="api", body=b"made\n"))
    assert follow("curl-data", environ, cwd=tmp_path) == (0, "made\n", "")
    token = wx("token", "--profile", profile).out.strip()
    assert sandbox.requests[-1].authorization() == (PROFILES[profile].lower(), token)
    assert sandbox.requests[-1].body == b'{"input": "Hello"}\n'


@needs_proc
def test_the_netrc_recipe_buys_a_registry_token(
    wx: "Command", environ: dict[str, str], sandbox: Sandbox, tmp_path: Path
) -> None:
    skip_without("curl")
    environ |= {"HOST": "127.0.0.1", "URL": f"{sandbox.http_url}/oauth/token?service=registry"}
    (status, out, err), seen = watched("netrc", environ, sandbox, "registry", tmp_path)
    assert (status, err) == (0, "")
    assert out.startswith('{"token":"')
    token = wx("token").out.strip()
    assert seen.found(token, sandbox.api_key) == []
    assert seen.ran({"curl"}) == {"curl"}


@pytest.mark.parametrize("name", CALLS)
def test_a_redirect_to_another_host_does_not_take_the_token_along(
    name: str, environ: dict[str, str], sandbox: Sandbox, tmp_path: Path
) -> None:
    skip_without(CALLS[name])
    environ["URL"] = sandbox.http_url + MODELS
    elsewhere = environ["URL"].replace("127.0.0.1", "localhost")
    sandbox.faults.add(Fault(match="api", status=302, headers={"Location": elsewhere}))
    follow(name, environ, cwd=tmp_path)
    shown_to = {r.headers["Host"] for r in sandbox.requests if "Authorization" in r.headers}
    assert shown_to == {sandbox.http_url.removeprefix("http://")}


def issue(sandbox: Sandbox, length: int) -> str:
    """Lets IAM issue a token of so many characters."""
    token = "a" * length
    answer = {"access_token": token, "expires_in": 3600, "token_type": "Bearer"}
    sandbox.faults.add(Fault(match="iam", body=json.dumps(answer).encode()))
    return token


def test_the_longest_token_that_netrc_prints_reaches_the_server_whole(
    environ: dict[str, str], sandbox: Sandbox, tmp_path: Path
) -> None:
    skip_without("curl")
    token = issue(sandbox, 4000)
    environ |= {"HOST": "127.0.0.1", "URL": f"{sandbox.http_url}/oauth/token"}
    assert follow("netrc", environ, cwd=tmp_path)[0] == 22  # nobody knows such a token
    password = base64.b64encode(f"iambearer:{token}".encode()).decode()
    assert sandbox.requests[-1].authorization() == ("basic", password)


@pytest.mark.parametrize("name", ["curl", "curl-header", "wget", "httpie", "requests"])
def test_the_longest_token_there_is_reaches_the_server_whole(
    name: str, environ: dict[str, str], sandbox: Sandbox, tmp_path: Path
) -> None:
    skip_without(CALLS[name])
    token = issue(sandbox, 16_384)
    environ["URL"] = sandbox.http_url + MODELS
    follow(name, environ, cwd=tmp_path)
    assert sandbox.requests[-1].authorization() == ("bearer", token)


@pytest.mark.parametrize("name", ["curl", "netrc", "wget", "git-bearer", "httpie", "requests"])
def test_a_recipe_that_gets_no_token_says_why(
    name: str, environ: dict[str, str], sandbox: Sandbox, tmp_path: Path
) -> None:
    skip_without(CALLS.get(name, ""))
    environ |= {"HOST": "127.0.0.1", "URL": sandbox.http_url + MODELS, "WXHELPER_PROFILE": "other"}
    status, out, err = follow(name, environ, cwd=tmp_path)
    assert "wxhelper: there is no profile other" in err
    assert status != 0
    assert '"total_count"' not in out
    assert os.listdir(environ["TMPDIR"]) == []


@pytest.fixture
def git_server(tls_sandbox: Sandbox, tmp_path: Path) -> Iterator[GitServer]:
    """A server with one repository."""
    running = GitServer(tls_sandbox, make_repository(tmp_path / "repositories"))
    yield running
    running.close()


@needs_proc
def test_an_older_git_shows_the_token_in_a_header(
    git_server: GitServer, tls_wx: "Command", tmp_path: Path
) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    environ = {
        **tls_wx.environ,
        "PATH": os.pathsep.join([SCRIPTS, tls_wx.environ["PATH"]]),
        "TMPDIR": str(temporary),
        "URL": git_server.url(),
        "GIT_SSL_CAINFO": str(git_server.sandbox.ca_file),
        "GIT_TERMINAL_PROMPT": "0",
    }
    Path(environ["HOME"], ".netrc").write_text("machine 127.0.0.1 login me password mine\n")
    with Watch(environments=True) as seen:
        status, _, err = follow("git-bearer", environ, cwd=tmp_path)
    assert (status, err) == (0, "Cloning into 'models'...\n")
    token = tls_wx("token").out.strip()
    assert set(git_server.shown) == {("bearer", token)}
    assert seen.found(token, git_server.sandbox.api_key) == []
    assert seen.ran({"git"}) == {"git"}
    assert os.listdir(temporary) == []


def test_every_recipe_is_tried_by_some_test() -> None:
    tests = "".join(path.read_text() for path in Path(__file__).parents[1].rglob("*.py"))
    assert [name for name in recipes() if f'"{name}"' not in tests] == []
