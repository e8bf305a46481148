"""Verbs that are told whom the token is for: curl-config, netrc, docker-credential-wxhelper."""

import os
import subprocess
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from processes import Ended
from wxhelper import __version__
from wxhelper.sandbox import Fault, Sandbox

if TYPE_CHECKING:
    from tests.conftest import Command

DOCKER = os.path.join(sysconfig.get_path("scripts"), "docker-credential-wxhelper")
HOSTS = (
    '["127.0.0.1", "api.example.com", "other.example.com:8443", "*.wild.example.com", "cp.icr.io"]'
)
PROFILE = f"""
[profiles.{{name}}]
source = "ibmcloud"
url = "{{url}}"
api_key = "file:apikey"
hosts = {HOSTS}
login = "me"
"""
AUDIENCE = "127.0.0.1, api.example.com, other.example.com:8443, *.wild.example.com, cp.icr.io"
NOT_FOUND = "credentials not found in native keychain\n"
VERSION = f"docker-credential-wxhelper (wxhelper-core) {__version__}\n"
USAGE = "Usage: docker-credential-wxhelper <store|get|erase|list|version>\n"
TOO_LONG = (
    "wxhelper: profile sandbox: the token has 4,001 characters, and curl reads only the first "
    "4,000 or so from a netrc file; use: wxhelper curl-config URL | curl -K - URL\n"
)


@pytest.fixture
def mine(wx: "Command", config: Path, sandbox: Sandbox) -> "Command":
    """The command, with one profile, which has hosts of its own."""
    config.write_text(PROFILE.format(name="sandbox", url=sandbox.http_url))
    return wx


def docker(wx: "Command", *arguments: str, stdin: bytes = b"", **changes: str | None) -> Ended:
    done = subprocess.run(
        [DOCKER, *arguments],
        env=wx.changed(changes),
        input=stdin,
        capture_output=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout.decode(), done.stderr.decode()


def not_given(place: str) -> str:
    return (
        f"wxhelper: profile sandbox: {place} is not given the token, only {AUDIENCE}; "
        "if it may have it, add it to the profile's hosts\n"
    )


# ---------------------------------------------------------------------------------- curl-config


@pytest.mark.parametrize(
    "url",
    [
        "https://api.example.com/ml/v1/text?version=2024-05-01",
        "HTTPS://API.EXAMPLE.COM:443/",
        "https://other.example.com:8443/",
        "https://a.b.wild.example.com",
        "http://127.0.0.1:8080/",
    ],
)
def test_curl_is_configured_for_an_address_of_the_audience(
    url: str, mine: "Command", sandbox: Sandbox
) -> None:
    first, second = mine("curl-config", url), mine("curl-config", url)
    token = mine("token").out.strip()
    assert (first.status, first.err) == (0, "")
    assert first.out == second.out == f'header = "Authorization: Bearer {token}"\n'
    assert sandbox.token_requests() == 1


@pytest.mark.parametrize("warm", [False, True], ids=["without a token", "with a token"])
@pytest.mark.parametrize(
    ("url", "place"),
    [
        ("https://evil.example/", "evil.example"),
        ("https://api.example.com:8443/", "api.example.com:8443"),
    ],
)
def test_any_other_address_is_refused_and_no_token_is_made_for_it(
    url: str, place: str, warm: bool, mine: "Command", sandbox: Sandbox
) -> None:
    if warm:
        assert mine("token").status == 0
    done = mine("curl-config", url)
    assert (done.status, done.out, done.err) == (5, "", not_given(place))
    assert sandbox.token_requests() == int(warm)


# ---------------------------------------------------------------------------------------- netrc


def test_every_host_of_the_audience_has_an_entry_whatever_its_port(mine: "Command") -> None:
    first, second = (mine("netrc", "API.example.com", "other.example.com") for _ in range(2))
    token = mine("token").out.strip()
    assert (first.status, first.err) == (0, "")
    assert (
        first.out
        == second.out
        == (
            f"machine api.example.com\nlogin me\npassword\n{token}\n"
            f"machine other.example.com\nlogin me\npassword\n{token}\n"
        )
    )


def test_with_one_host_outside_the_audience_nothing_is_printed(
    mine: "Command", sandbox: Sandbox
) -> None:
    done = mine("netrc", "api.example.com", "evil.example")
    assert (done.status, done.out, done.err) == (5, "", not_given("evil.example"))
    assert sandbox.token_requests() == 0


@pytest.mark.parametrize("cached", [False, True], ids=["new", "cached"])
def test_a_token_that_curl_would_cut_is_refused(
    cached: bool, mine: "Command", sandbox: Sandbox
) -> None:
    long = b'{"access_token":"%s","expires_in":3600,"token_type":"Bearer"}' % (b"a" * 4001)
    sandbox.faults.add(Fault(match="iam", body=long))
    if cached:
        assert mine("token").status == 0
    done = mine("netrc", "api.example.com")
    assert (done.status, done.out, done.err) == (5, "", TOO_LONG)
    assert mine("curl-config", "https://api.example.com").out == (
        f'header = "Authorization: Bearer {"a" * 4001}"\n'
    )


def test_no_file_of_the_users_is_touched(mine: "Command") -> None:
    home = Path(mine.environ["HOME"])
    netrc = home / ".netrc"
    netrc.write_text("machine api.example.com login somebody password else\n")
    netrc.chmod(0o600)
    before = netrc.stat()
    assert mine("netrc", "api.example.com").status == 0
    assert (netrc.read_text(), netrc.stat().st_mtime_ns) == (
        "machine api.example.com login somebody password else\n",
        before.st_mtime_ns,
    )
    assert os.listdir(home) == [".netrc"]


# --------------------------------------------------------------------------------------- docker


@pytest.mark.parametrize("server", ["api.example.com", "https://api.example.com/v2/"])
def test_docker_is_given_the_user_and_the_token(
    server: str, mine: "Command", sandbox: Sandbox
) -> None:
    first, second = (docker(mine, "get", stdin=server.encode()) for _ in range(2))
    token = mine("token").out.strip()
    answer = f'{{"ServerURL":"{server}","Username":"me","Secret":"{token}"}}\n'
    assert first == second == (0, answer, "")
    assert sandbox.token_requests() == 1


@pytest.mark.parametrize(
    "server",
    [b"evil.example", b"cp.icr.io", b"api.example.com\n.evil.example", b"a" * 1_000_000],
    ids=lambda server: repr(server[:40]),
)
@pytest.mark.parametrize("warm", [False, True], ids=["without a token", "with a token"])
def test_docker_is_told_that_there_is_nothing_for_another_registry(
    server: bytes, warm: bool, mine: "Command", sandbox: Sandbox
) -> None:
    if warm:
        assert mine("token").status == 0
    assert docker(mine, "get", stdin=server) == (1, NOT_FOUND, "")
    assert sandbox.token_requests() == int(warm)


def test_docker_is_told_what_is_wrong_on_both_streams(mine: "Command", sandbox: Sandbox) -> None:
    sandbox.keys.clear()
    status, out, err = docker(mine, "get", stdin=b"api.example.com")
    assert (status, out) == (1, err)
    assert out.startswith("wxhelper: profile sandbox: IBM Cloud IAM refused the API key from file:")
    assert out.count("\n") == 1


def test_without_a_configuration_docker_is_told_so(mine: "Command", config: Path) -> None:
    config.unlink()
    status, out, err = docker(mine, "get", stdin=b"us.icr.io")
    assert (status, out) == (1, err)
    assert "there is no API key" in out
    assert docker(mine, "get", stdin=b"docker.io") == (1, NOT_FOUND, "")


@pytest.mark.parametrize(
    ("arguments", "stdin", "expected"),
    [
        (("store",), b'{"ServerURL":"x","Username":"u","Secret":"s"}\n', (0, "", "")),
        (("erase",), b"api.example.com", (0, "", "")),
        (("list",), b"unused", (0, "{}\n", "")),
        (("version",), b"", (0, VERSION, "")),
        (("get",), b"", (1, "no credentials server URL\n", "")),
        ((), b"", (1, USAGE, "")),
        (("delete",), b"", (1, "docker-credential-wxhelper: unknown action: delete\n", "")),
    ],
)
def test_docker_is_answered_in_its_own_words(
    arguments: tuple[str, ...],
    stdin: bytes,
    expected: Ended,
    mine: "Command",
    sandbox: Sandbox,
    cache: Path,
) -> None:
    assert mine("token").status == 0
    before = {path.name: path.read_bytes() for path in cache.iterdir()}
    assert docker(mine, *arguments, stdin=stdin) == expected
    assert {path.name: path.read_bytes() for path in cache.iterdir()} == before
    assert sandbox.token_requests() == 1


@pytest.mark.parametrize(
    ("arguments", "status"), [(["list"], 0), (["version"], 0), (["-v"], 0), ([], 1), (["x"], 1)]
)
def test_where_docker_writes_nothing_nothing_is_waited_for(
    arguments: list[str], status: int, mine: "Command"
) -> None:
    with subprocess.Popen(
        [DOCKER, *arguments], env=mine.environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.wait(30) == status  # and standard input is still open


def test_the_profile_for_docker_is_named_by_the_variable(
    mine: "Command", config: Path, sandbox: Sandbox
) -> None:
    config.write_text(
        "".join(PROFILE.format(name=name, url=sandbox.http_url) for name in ("sandbox", "b"))
    )
    assert docker(mine, "get", stdin=b"api.example.com", WXHELPER_PROFILE="b")[0] == 0
    status, out, err = docker(mine, "get", stdin=b"api.example.com", WXHELPER_PROFILE="c")
    assert (status, out) == (1, err)
    assert "there is no profile c" in out
