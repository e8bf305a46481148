"""docker's and skopeo's own clients, against a registry that looks at tokens."""

import json
import os
import shutil
import sysconfig
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import watch
from processes import Ended, ended
from sandbox_client import address
from watch import Watch
from wxhelper.sandbox import Fault, Sandbox

if TYPE_CHECKING:
    from tests.conftest import Command

IMAGE = "sandbox/granite:1.0"
SCRIPTS = sysconfig.get_path("scripts")
ANONYMOUS = {
    "docker": "unauthorized: The login credentials are not valid",
    "skopeo": "unauthorized: The login credentials are not valid",
}


class Client:
    """One registry client, as a user has set it up.

    Args:
        name: the program.
        environ: the variables, DOCKER_CONFIG among them.
        registry: ``HOST:PORT``.
    """

    def __init__(self, name: str, environ: dict[str, str], registry: str) -> None:
        self.name = name
        self.environ = environ
        self.registry = registry

    def helped_for(self, *registries: str) -> None:
        """Names the helper for these registries, as `wxhelper install docker` does."""
        config = Path(self.environ["DOCKER_CONFIG"]) / "config.json"
        config.write_text(json.dumps({"credHelpers": dict.fromkeys(registries, "wxhelper")}))

    def inspect(self) -> Ended:
        """Looks at the image: its status, output and errors."""
        image = f"{self.registry}/{IMAGE}"
        if self.name == "docker":
            return ended(["docker", "manifest", "inspect", "--insecure", image], self.environ)
        options = [
            "--tls-verify=false",
            "--authfile",
            f"{self.environ['DOCKER_CONFIG']}/config.json",
        ]
        return ended(["skopeo", "inspect", *options, f"docker://{image}"], self.environ)


@pytest.fixture(params=["docker", "skopeo"])
def client(
    request: pytest.FixtureRequest, wx: "Command", sandbox: Sandbox, tmp_path: Path
) -> Client:
    """The program, with the helper for the sandbox's registry."""
    if shutil.which(request.param) is None:
        pytest.skip(f"{request.param} is not installed")
    folder = tmp_path / "docker"
    folder.mkdir()
    environ = {
        **wx.environ,
        "PATH": os.pathsep.join([SCRIPTS, wx.environ["PATH"]]),
        "DOCKER_CONFIG": str(folder),
    }
    host, port = address(sandbox.http_url)
    made = Client(request.param, environ, f"{host}:{port}")
    made.helped_for(made.registry)
    return made


def hosts(wx: "Command", text: str) -> None:
    """Gives the sandbox's profile other hosts."""
    config = Path(wx.environ["WXHELPER_CONFIG"])
    lines = config.read_text().splitlines()
    config.write_text("\n".join(text if line.startswith("hosts") else line for line in lines))


def test_the_token_opens_the_registry(client: Client, sandbox: Sandbox) -> None:
    status, out, err = client.inspect()
    assert (status, err) == (0, "")
    assert "sha256:" in out
    assert client.inspect()[0] == 0
    assert sandbox.token_requests() == 1


def test_a_registry_outside_the_audience_gets_nothing(
    client: Client, wx: "Command", sandbox: Sandbox
) -> None:
    hosts(wx, 'hosts = ["registry.example.com"]')
    status, out, err = client.inspect()
    assert (status, out) == (1, "")
    assert ANONYMOUS[client.name] in err
    assert "wxhelper" not in err
    assert sandbox.token_requests() == 0
    assert [r for r in sandbox.requests if r.headers.get("Authorization")] == []


def test_when_there_is_no_token_the_user_sees_why(client: Client, sandbox: Sandbox) -> None:
    sandbox.keys.clear()
    status, out, err = client.inspect()
    assert (status, out) == (1, "")
    assert "wxhelper: profile sandbox: IBM Cloud IAM refused the API key from file:" in err


@pytest.mark.skipif(not watch.HERE, reason="there is no /proc here")
def test_the_token_is_in_no_arguments_and_no_variables(
    client: Client, wx: "Command", sandbox: Sandbox
) -> None:
    gate = threading.Event()
    sandbox.faults.add(Fault(match="/oauth/token", gate=gate))
    with Watch(environments=True) as seen, ThreadPoolExecutor(1) as threads:
        inspecting = threads.submit(client.inspect)
        try:
            assert sandbox.requests.wait_for(3, 30)  # IAM's, the registry's, its token service's
            seen.look()
        finally:
            gate.set()
        assert inspecting.result()[0] == 0
    assert seen.found(wx("token").out.strip(), sandbox.api_key) == []
    assert seen.ran({client.name}) == {client.name}


@pytest.mark.skipif(shutil.which("docker") is None, reason="docker is not installed")
def test_docker_logout_changes_nothing(wx: "Command", sandbox: Sandbox, tmp_path: Path) -> None:
    environ = {
        **wx.environ,
        "PATH": os.pathsep.join([SCRIPTS, wx.environ["PATH"]]),
        "DOCKER_CONFIG": str(tmp_path),
    }
    docker = Client("docker", environ, "127.0.0.1:1")
    docker.helped_for(docker.registry)
    token = wx("token").out
    status, _, err = ended(["docker", "logout", docker.registry], environ)
    assert (status, err) == (0, "")
    assert wx("token").out == token
    assert sandbox.token_requests() == 1
