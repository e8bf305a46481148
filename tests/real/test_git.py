"""git itself, against a server that checks tokens: the machine's, and one that is named."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import watch
from git_server import GitServer, make_repository
from gits import GITS, Git, a_git
from processes import Ended
from recipes import follow
from wxhelper.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.conftest import Command

PROFILE = "sandbox-tls"
Clone = Callable[..., Ended]
Token = Callable[[], str]


@pytest.fixture
def server(tls_sandbox: Sandbox, tmp_path: Path) -> Iterator[GitServer]:
    """The server, with its one repository; the profile's only host is its address."""
    running = GitServer(tls_sandbox, make_repository(tmp_path / "repositories"))
    yield running
    running.close()


@pytest.fixture(params=GITS)
def git(
    request: pytest.FixtureRequest, tls_wx: "Command", tls_sandbox: Sandbox, tmp_path: Path
) -> Git:
    config = Path(tls_wx.environ["WXHELPER_CONFIG"])
    config.write_text(config.read_text().replace('["127.0.0.1", "localhost"]', '["127.0.0.1"]'))
    environ = {**tls_wx.environ, "GIT_SSL_CAINFO": str(tls_sandbox.ca_file)}
    return a_git(request.param, environ, tmp_path, helper=f"wxhelper --profile {PROFILE}")


@pytest.fixture
def clone(git: Git, server: GitServer) -> Clone:
    """Clones the repository."""

    def run(name: str = "copy", **url: str) -> Ended:
        return git("clone", "-q", server.url(**url), name)

    return run


@pytest.fixture
def token(tls_wx: "Command") -> Token:
    """The token that is in the cache, or a new one."""

    def held() -> str:
        return tls_wx("token", "--profile", PROFILE).out.strip()

    return held


def test_clone_fetch_and_push_take_one_token(git: Git, clone: Clone, server: GitServer) -> None:
    assert clone() == (0, "", "")
    copy = git.folder / "copy"
    (copy / "file").write_text("text\n")
    assert git("add", "file", cwd=copy) == (0, "", "")
    assert git("commit", "-q", "-m", "second", cwd=copy) == (0, "", "")
    assert git("push", "-q", cwd=copy) == (0, "", "")
    assert git("fetch", cwd=copy) == (0, "", "")
    assert clone("another") == (0, "", "")
    assert (git.folder / "another" / "file").read_text() == "text\n"
    assert server.sandbox.token_requests() == 1
    scheme = "bearer" if git.knows_states else "basic"
    assert {shown for shown, _ in server.shown} == {scheme}
    assert server.refused == 0


def revoked(server: GitServer, value: str) -> None:
    server.sandbox.issuer.revoke(value)


def expired(server: GitServer, value: str) -> None:
    server.ahead = 3600  # its clock says that the hour is over
    server.sandbox.lifetime = 86_400


@pytest.mark.parametrize("refuse", [revoked, expired])
def test_a_token_that_is_refused_is_shown_once(
    git: Git,
    clone: Clone,
    server: GitServer,
    token: Token,
    refuse: Callable[[GitServer, str], None],
) -> None:
    refused = token()
    refuse(server, refused)
    first = clone()
    if git.knows_states:
        assert first == (0, "", "")
    else:
        assert (first[0], first[2].splitlines()[-1]) == (
            128,
            f"fatal: Authentication failed for '{server.url()}/'",
        )
        assert clone() == (0, "", "")
    assert server.refused == 1
    assert server.shown[0][1] == refused
    assert refused not in {shown for _, shown in server.shown[1:]}
    assert git("fetch", cwd=git.folder / "copy") == (0, "", "")
    assert server.sandbox.token_requests() == 2


def test_a_token_that_has_run_out_here_is_not_shown(
    git: Git, clone: Clone, server: GitServer, tls_wx: "Command", token: Token
) -> None:
    token()
    (kept,) = Path(tls_wx.environ["WXHELPER_CACHE_DIR"]).glob("*.token")
    kept.write_text(re.sub(r"(?m)^(refresh|expires) \d+$", r"\1 1763712000", kept.read_text()))
    assert clone() == (0, "", "")
    assert server.refused == 0
    assert server.sandbox.token_requests() == 2


def test_a_server_that_takes_no_token_is_shown_two_at_most(
    git: Git, clone: Clone, server: GitServer, token: Token
) -> None:
    server.refuses_all = True
    token()
    status, _, err = clone()
    told = f"fatal: Authentication failed for '{server.url()}/'"
    assert (status, err.splitlines()[-1]) == (128, told)
    assert server.refused == (2 if git.knows_states else 1)
    assert server.sandbox.token_requests() == (2 if git.knows_states else 1)


@pytest.mark.parametrize("kept", [False, True], ids=["no token", "a token"])
def test_another_host_is_told_nothing_and_no_token_is_asked_for(
    clone: Clone, server: GitServer, token: Token, kept: bool
) -> None:
    if kept:
        token()
    status, _, err = clone(host="localhost")
    where = f"https://localhost:{server.port}"
    told = f"fatal: could not read Username for '{where}': terminal prompts disabled\n"
    assert (status, err) == (128, told)
    assert server.shown == []
    assert server.sandbox.token_requests() == int(kept)


def test_another_user_in_the_address_is_the_tokens_user_all_the_same(clone: Clone) -> None:
    assert clone(user="bob@") == (0, "", "")


def test_without_a_token_our_line_is_shown_and_nobody_is_asked_for_a_password(
    git: Git, clone: Clone, server: GitServer
) -> None:
    server.sandbox.keys.clear()
    git.environ["GIT_TERMINAL_PROMPT"] = "1"
    status, out, err = clone()
    ours, ended = err.splitlines()
    assert (status, out) == (128, "")
    assert ours.startswith(f"wxhelper: profile {PROFILE}: IBM Cloud IAM refused the API key from")
    assert re.fullmatch(r"fatal: credential helper '.*' told us to quit", ended)


@pytest.mark.parametrize("with_value", [True, False])
def test_a_reject_by_hand_drops_the_token_unless_it_names_another(
    git: Git, server: GitServer, token: Token, with_value: bool
) -> None:
    kept = token()
    asked = f"protocol=https\nhost=127.0.0.1:{server.port}\nusername=x\n"
    another = f"{asked}password={kept}x\n\n"
    assert git("credential", "reject", stdin=another) == (0, "", "")
    assert token() == kept
    same = f"{asked}password={kept}\n\n" if with_value else f"{asked}\n"
    assert git("credential", "reject", stdin=same) == (0, "", "")
    assert token() != kept


@pytest.mark.skipif(not watch.HERE, reason="processes are watched in /proc")
def test_neither_key_nor_token_is_in_arguments_or_variables(
    clone: Clone, server: GitServer, token: Token
) -> None:
    with watch.Watch(environments=True) as seen:
        assert clone() == (0, "", "")
    assert seen.ran({"git", "git-credential-wxhelper"}) != set()
    assert seen.found(token(), server.sandbox.api_key) == []


@pytest.mark.skipif(not shutil.which("bash"), reason="the recipes are for bash")
def test_the_recipe_of_the_documentation(
    git: Git, clone: Clone, server: GitServer, token: Token
) -> None:
    settings = Path(git.environ["GIT_CONFIG_GLOBAL"])
    before = settings.read_text().partition("[user]")
    settings.write_text("[credential]\n\thelper = store\n" + "".join(before[1:]))
    environ = {**git.environ, "SERVER": f"https://127.0.0.1:{server.port}"}
    assert follow("git", environ, cwd=git.folder) == (0, "", "")
    git.environ["WXHELPER_PROFILE"] = PROFILE
    assert clone() == (0, "", "")
    assert server.shown[0][1] == token()
    assert not (Path(git.environ["HOME"]) / ".git-credentials").exists()


def test_approve_changes_nothing(git: Git, server: GitServer, token: Token) -> None:
    kept = token()
    evil = f"protocol=https\nhost=127.0.0.1:{server.port}\nusername=x\npassword=evil\n\n"
    assert git("credential", "approve", stdin=evil) == (0, "", "")
    assert token() == kept
    assert server.sandbox.token_requests() == 1
