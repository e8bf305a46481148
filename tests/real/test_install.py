"""`wxhelper install` and `uninstall`, and what the tools themselves make of it."""

import json
import os
import re
import shutil
import signal
import stat
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from disk import Traced
from processes import Ended, ended
from sandbox_client import address
from wxhelper.installers import kubeconfig
from wxhelper.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.conftest import Command

SCRIPTS = sysconfig.get_path("scripts")
PODS = "watsonx-gateway-0   1/1     Running"
needs_yaml = pytest.mark.skipif(not kubeconfig.AVAILABLE, reason="PyYAML is not installed")


def needs(program: str) -> pytest.MarkDecorator:
    missing = shutil.which(program) is None
    return pytest.mark.skipif(missing, reason=f"{program} is not installed")


def run(wx: "Command", *arguments: str, **changes: str) -> Ended:
    return ended(list(arguments), {**wx.environ, **changes})


def without_entry(path: Path) -> bytes:
    """Takes the entry out of a laid-out kubeconfig, as if it had never been there."""
    config = json.loads(path.read_text())
    config["users"][0]["user"] = {}
    path.write_text(json.dumps(config, indent=2) + "\n")
    return path.read_bytes()


@pytest.fixture
def kubeconfig_file(wx: "Command") -> Path:
    path = Path(wx.environ["KUBECONFIG"])
    without_entry(path)
    return path


@needs_yaml
@needs("kubectl")
def test_kubectl_asks_the_helper_until_it_is_taken_out(tls_wx: "Command") -> None:
    path = Path(tls_wx.environ["KUBECONFIG"])
    before = without_entry(path)
    installed = tls_wx("install", "kubectl", "--profile", "sandbox-tls")
    assert installed.status == 0, installed
    assert installed.out == (
        f"{path}: user sandbox runs {SCRIPTS}/wxhelper for profile sandbox-tls\n"
    )
    status, out, err = run(tls_wx, "kubectl", "get", "pods")
    assert (status, err) == (0, "")
    assert PODS in out
    status, out, err = run(tls_wx, "kubectl", "config", "view", "--raw", "--output", "json")
    entry = json.loads(out)["users"][0]["user"]["exec"]
    assert (status, entry["args"]) == (0, ["exec-credential", "--profile", "sandbox-tls"])
    assert tls_wx("uninstall", "kubectl").status == 0
    assert path.read_bytes() == before


@needs_yaml
@needs("kubectl")
def test_what_kubectl_itself_wrote_anew_is_still_ours(wx: "Command", kubeconfig_file: Path) -> None:
    assert wx("install", "kubectl").status == 0
    assert run(wx, "kubectl", "config", "set-context", "--current", "--namespace=x")[0] == 0
    rewritten = kubeconfig_file.read_text()
    assert wx("install", "kubectl").out.endswith("nothing to change, user sandbox has this entry\n")
    assert kubeconfig_file.read_text() == rewritten
    assert wx("install", "kubectl", "--profile", "sandbox").status == 0
    assert wx("uninstall", "kubectl").status == 0
    status, out, err = run(wx, "kubectl", "config", "view", "--raw", "--output", "json")
    content = json.loads(out)
    assert (status, err) == (0, "")
    assert content["users"] == [{"name": "sandbox", "user": {}}]
    assert content["contexts"][0]["context"]["namespace"] == "x"


@needs_yaml
@needs("kubectl")
def test_kubectls_lock_is_respected(wx: "Command", kubeconfig_file: Path) -> None:
    before = kubeconfig_file.read_bytes()
    lock = Path(f"{kubeconfig_file}.lock")
    lock.touch(mode=0)
    assert run(wx, "kubectl", "config", "use-context", "sandbox")[0] != 0
    assert wx("install", "kubectl") == type(wx("--version"))(
        3,
        "",
        f"wxhelper: another program is changing this file: {lock} exists; "
        "try again; if none is running any more, remove that file\n",
    )
    assert kubeconfig_file.read_bytes() == before


@needs("git")
def test_git_gets_the_token_until_the_helper_is_taken_out(wx: "Command", sandbox: Sandbox) -> None:
    config = Path(wx.environ["HOME"], ".gitconfig")
    config.write_text("[credential]\n\thelper = store")
    before = config.read_bytes()
    installed = wx("install", "git", "--host", "127.0.0.1:8443")
    assert (installed.status, installed.err) == (0, "")
    asked = {"GIT_TERMINAL_PROMPT": "0"}
    read = ["git", "config", "--get-urlmatch", "credential.helper", "https://127.0.0.1:8443/"]
    program = f"{SCRIPTS}/git-credential-wxhelper"
    assert run(wx, *read) == (0, f"{program} --profile sandbox\n", "")
    filled = subprocess.run(
        ["git", "credential", "fill"],
        env={**wx.environ, **asked},
        input="protocol=https\nhost=127.0.0.1:8443\n\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    said = dict(line.split("=", 1) for line in filled.stdout.splitlines())
    assert filled.returncode == 0, filled
    assert sandbox.issuer.grant(said["password"]) is not None
    assert not Path(wx.environ["HOME"], ".git-credentials").exists()
    assert wx("uninstall", "git").status == 0
    assert config.read_bytes() == before


@needs("docker")
def test_docker_gets_the_token_until_the_helper_is_taken_out(
    wx: "Command", sandbox: Sandbox
) -> None:
    host, port = address(sandbox.http_url)
    registry = f"{host}:{port}"
    path = os.pathsep.join([SCRIPTS, wx.environ["PATH"]])
    assert wx("install", "docker", "--host", registry, PATH=path).status == 0
    image = f"{registry}/sandbox/granite:1.0"
    look = ["docker", "manifest", "inspect", "--insecure", image]
    status, out, err = run(wx, *look, PATH=path)
    assert (status, err) == (0, "")
    assert "schemaVersion" in out
    assert wx("uninstall", "docker").status == 0
    assert not Path(wx.environ["HOME"], ".docker", "config.json").exists()
    assert run(wx, *look, PATH=path)[0] != 0


@needs_yaml
def test_a_dry_run_shows_a_diff_and_writes_nothing(wx: "Command", kubeconfig_file: Path) -> None:
    home = Path(wx.environ["HOME"])
    before = kubeconfig_file.read_bytes()
    shown = wx("install", "kubectl", "--dry-run").out
    assert shown.startswith(f"--- {kubeconfig_file}\n+++ {kubeconfig_file}\n@@ ")
    assert re.search(r'(?m)^\+ +"user": \{"exec": \{"apiVersion": ', shown)
    shown = wx("install", "git", "--host", "localhost:8443", "--dry-run").out
    assert shown.startswith(f"--- /dev/null\n+++ {home}/.gitconfig\n@@ -0,0 +1,")
    shown = wx("install", "docker", "--host", "localhost:5000", "--dry-run").out
    assert shown.startswith(f"--- /dev/null\n+++ {home}/.docker/config.json\n@@ -0,0 +1,")
    assert wx("uninstall", "git", "--dry-run").out == "git: nothing would change\n"
    assert kubeconfig_file.read_bytes() == before
    assert os.listdir(home) == []


@needs_yaml
def test_the_programs_path_is_not_resolved(
    wx: "Command", kubeconfig_file: Path, tmp_path: Path
) -> None:
    stable = tmp_path / "stable"
    stable.symlink_to(SCRIPTS)
    for typed in (str(stable / "wxhelper"), "wxhelper"):
        before = kubeconfig_file.read_bytes()
        path = os.pathsep.join([str(stable), wx.environ["PATH"]])
        assert run(wx, typed, "install", "kubectl", PATH=path)[0] == 0
        users = json.loads(kubeconfig_file.read_text())["users"]
        assert users[0]["user"]["exec"]["command"] == f"{stable}/wxhelper"
        assert wx("uninstall", "kubectl").status == 0
        assert kubeconfig_file.read_bytes() == before


def test_without_pyyaml_the_entry_is_printed_to_be_pasted(wx: "Command", tmp_path: Path) -> None:
    hiding = tmp_path / "hiding"
    hiding.mkdir()
    (hiding / "yaml.py").write_text("raise ImportError\n")
    done = wx("install", "kubectl", PYTHONPATH=str(hiding))
    assert done.status == 5
    assert done.err == (
        "wxhelper: PyYAML is not installed, and no kubeconfig is edited without it; "
        "install wxhelper-core[kubectl], or paste this under the user of your cluster\n"
    )
    assert done.out.startswith("users:\n- name: NAME\n  user:\n    exec:\n      apiVersion: ")
    assert f"      command: {SCRIPTS}/wxhelper\n" in done.out
    removal = wx("uninstall", "kubectl", PYTHONPATH=str(hiding))
    assert (removal.status, removal.out) == (5, "")


TWO = """
[profiles.{name}]
source = "ibmcloud"
api_key = "env:A_KEY"
{hosts}
"""


@pytest.mark.parametrize(
    ("typed", "hosts", "status", "line"),
    [
        ("install", "", 2, "install: the following arguments are required: kubectl|git|docker"),
        ("install svn", "", 2, "install: kubectl|git|docker: must be one of kubectl, git, docker"),
        ("install git --user x", "", 2, "--user is not for git"),
        ("install kubectl --host x", "", 2, "--host is not for kubectl"),
        ("uninstall docker --user x", "", 2, "--user is not for docker"),
        ("install git --host a/b", "", 2, "--host must be HOST, HOST:PORT or *.HOST"),
        ("install git", "", 5, "profile two: no service of IBM is known to take git"),
        ("install git --host a.io", "", 5, "profile two: the token is not for a.io; if it should"),
        ("install git --host *.b.io", "a.b.io", 5, "profile two: the token is not for *.b.io"),
        ("install git --host b.io:1", "b.io", 5, "profile two: the token is not for b.io:1"),
        (
            *("install docker", "", 5),
            (
                "docker names no profile to its helper, which would not be that of two; "
                "wxhelper profile default two, or: export WXHELPER_PROFILE=two\n"
            ),
        ),
        ("install docker", "r.io:5000", 5, "profile two: none of the profile's hosts is a regis"),
        ("install docker --host cp.icr.io", "*.icr.io", 5, "profile two: docker's helper never"),
        ("install docker --host *.icr.io", "*.icr.io", 5, "profile two: docker's helper never"),
        ("install docker --profile none", "", 5, "there is no profile none in "),
    ],
)
def test_a_mistake_is_told_in_one_line(
    typed: str, hosts: str, status: int, line: str, wx: "Command"
) -> None:
    listed = f'hosts = ["{hosts}"]' if hosts else ""
    with open(wx.environ["WXHELPER_CONFIG"], "a", encoding="utf-8") as config:
        config.write(TWO.format(name="two", hosts=listed))
    named = [] if "none" in typed or status == 2 else ["--profile", "two"]
    done = wx(*typed.split(), *named)
    assert (done.status, done.out) == (status, "")
    assert done.err.startswith(f"wxhelper: {line}")
    assert "; " in done.err
    assert done.err.count("\n") == 1
    assert os.listdir(wx.environ["HOME"]) == []


@pytest.mark.parametrize(
    ("hosts", "registries"),
    [
        ("", {"icr.io", "us.icr.io", "private-us.icr.io"}),
        ('hosts = ["us.icr.io", "*.ml.cloud.ibm.com"]', {"us.icr.io"}),
        ('hosts = ["*.icr.io"]', {"us.icr.io", "private-us.icr.io"}),
    ],
    ids=["the source's", "one", "a star"],
)
def test_docker_asks_for_the_registries_of_the_profile(
    hosts: str, registries: set[str], wx: "Command"
) -> None:
    config = Path(wx.environ["WXHELPER_CONFIG"])
    config.write_text(TWO.format(name="two", hosts=hosts))
    assert wx("install", "docker").status == 0
    path = Path(wx.environ["HOME"], ".docker", "config.json")
    helpers = json.loads(path.read_text())["credHelpers"]
    assert registries <= set(helpers)
    assert "cp.icr.io" not in helpers
    assert len(helpers) == len(registries) or not hosts or "*.icr" in hosts
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    config.write_text(TWO.format(name="one", hosts="") + TWO.format(name="two", hosts=hosts))
    assert wx("install", "docker", "--profile", "two").status == 5
    stronger = wx("install", "docker", "--profile", "two", WXHELPER_PROFILE="one")
    assert stronger.err.endswith(" that of two; export WXHELPER_PROFILE=two\n")
    assert wx("install", "docker", "--profile", "two", WXHELPER_PROFILE="two").status == 0


EDIT = """
import os, sys
from wxhelper.installers import file
os.umask(0)
path, lock = sys.argv[1:]
file.edit(path, lambda data: file.After(b"new\\n" * 1000), lock=lock or None)
os.write(1, b"done")
"""


@pytest.mark.parametrize("locked", [False, True], ids=["without a lock", "with a lock"])
def test_killed_anywhere_the_file_is_the_old_or_the_new(
    locked: bool, strace: str, unwatched: "Command", tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    path = folder / "config"
    lock = f"{path}.lock" if locked else ""
    traced = Traced(
        strace, unwatched, sys.executable, tmp_path / "log", ["-c", EDIT, str(path), lock]
    )

    def lay() -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        path.write_bytes(b"old\n")
        path.chmod(0o640)

    lay()
    points = traced.storing()
    assert path.read_bytes() == b"new\n" * 1000
    names = {name for name, _ in points}
    assert {"openat", "write", "fsync", "close"} <= names
    assert any(name.startswith("rename") for name in names)
    seen = set()
    for name, count in points:
        lay()
        killed = traced.run(name, f"signal=KILL:when={count}")
        if killed.returncode == 0:
            continue  # the interpreter's own end
        assert killed.returncode == -signal.SIGKILL, (name, count)
        seen.add(path.read_bytes())
        for left in folder.iterdir():
            assert stat.S_IMODE(left.stat().st_mode) in (0o600, 0o640)
        Path(lock or folder / "none").unlink(missing_ok=True)
        assert traced.run("fsync").returncode == 0
        assert path.read_bytes() == b"new\n" * 1000
    assert seen == {b"old\n", b"new\n" * 1000}


@pytest.mark.parametrize("tool", [pytest.param("kubectl", marks=needs_yaml), "docker"])
def test_a_token_that_the_tool_cannot_carry_is_told_before_anything_is_written(
    tool: str, wx: "Command", kubeconfig_file: Path
) -> None:
    before = kubeconfig_file.read_bytes()
    refused = wx("install", tool, "--profile", "dph-zen")
    assert (refused.status, refused.out, refused.err) == (
        5,
        "",
        (
            f"wxhelper: profile dph-zen: {tool} can only carry Bearer tokens, and source dph gives "
            "ZenApiKey with these settings; name another profile: "
            f"wxhelper install {tool} --profile NAME\n"
        ),
    )
    assert kubeconfig_file.read_bytes() == before
