"""``wxhelper demo``: the first thing that a newcomer runs."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wxhelper.cli import demo
from wxhelper.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.conftest import Command

BEFORE = """\
wxhelper demo: stand-ins for IBM's services run on this machine for a few seconds.

1. The first token
   $ wxhelper token
   eyJ...  (N characters)
   1 request to the token service, N ms

2. The second, from the cache of all processes
   $ wxhelper token
   the same token
   no request to the token service, N ms

3. A protected call
   $ wxhelper header | curl -H @- http://127.0.0.1:N/ml/v1/foundation_model_specs
"""
CALLED = """\
   HTTP 200 with it, HTTP 401 without
   the token was in no process's arguments (all were looked at N times)
   no request to the token service, N ms

4. kubectl, by an exec entry in its kubeconfig
   $ kubectl get pods
"""
PODS = """\
   NAME                READY   STATUS    RESTARTS   AGE
   watsonx-gateway-0   1/1     Running   0          1d
   watsonx-gateway-1   1/1     Running   0          1d
   no request to the token service, N ms

"""
SERVICES = """\
5. Every service of IBM's documents
   $ wxhelper header --profile NAME
   sandbox   IBM Cloud            Bearer eyJ...          no request, HTTP 200
   aws       watsonx on AWS       Bearer eyJ...          1 request, HTTP 200
   govcloud  watsonx in GovCloud  Bearer eyJ...          1 request, HTTP 200
   dph       Data Product Hub     Bearer eyJ...          1 request, HTTP 200
   dph-zen   Data Product Hub     ZenApiKey c2FuZGJv...  no request, HTTP 200

"""
AFTER = """\
6. Expiry: tokens live 3 seconds from now on
   $ wxhelper token
   3 seconds later: a new token, by itself
   1 request to the token service, N ms

With your own key:

  export IBMCLOUD_API_KEY=...
  wxhelper token

"""


def folded(text: str) -> str:
    """The demo's output without what differs from run to run."""
    text = re.sub(r"(?<=Bearer )eyJ\w{5}\.\.\.", "eyJ...     ", text)
    text = re.sub(r"eyJ\w+\.\.\.", "eyJ...", text)
    return re.sub(r"\d+(?= ms| characters| times|/ml/)", "N", text)


def environment(home: Path, temporary: Path, **more: str) -> dict[str, str]:
    temporary.mkdir()
    return {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(temporary), **more}


def run(program: str, environ: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [program, "demo"], env=environ, capture_output=True, text=True, timeout=60, check=False
    )


def linked(folder: Path, *programs: str) -> str:
    """A directory with no programs but these."""
    folder.mkdir()
    for name in programs:
        found = shutil.which(name)
        assert found
        (folder / name).symlink_to(found)
    return str(folder)


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("kubectl")), reason="not installed")
def test_it_shows_every_source_a_call_kubectl_and_a_renewal_and_leaves_nothing(
    program: str, home: Path, tmp_path: Path
) -> None:
    done = run(program, environment(home, tmp_path / "tmp"))
    assert (done.returncode, done.stderr) == (0, "")
    assert folded(done.stdout) == BEFORE + CALLED + PODS + SERVICES + AFTER
    assert os.listdir(home) == []
    assert os.listdir(tmp_path / "tmp") == []


def test_the_readme_shows_what_is_printed() -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    (shown,) = re.findall(r"^```text\n(wxhelper demo: .*?)^```$", readme, re.DOTALL | re.MULTILINE)
    assert folded(shown) + "\n" == BEFORE + CALLED + PODS + SERVICES + AFTER


def test_it_ignores_what_the_user_has_set_up(program: str, home: Path, tmp_path: Path) -> None:
    config = home / "config.toml"
    config.write_text("this is no TOML")
    environ = environment(
        home,
        tmp_path / "tmp",
        WXHELPER_CONFIG=str(config),
        WXHELPER_PROFILE="mine",
        WXHELPER_CACHE_DIR=str(home / "cache"),
        WXHELPER_PLUGINS="",
        IBMCLOUD_API_KEY="a-key-of-the-user",
        HTTP_PROXY="http://127.0.0.1:9",
        HTTPS_PROXY="http://127.0.0.1:9",
        KUBECONFIG="/nonexistent",
        REQUESTS_CA_BUNDLE="/nonexistent",
    )
    done = run(program, environ)
    assert (done.returncode, done.stderr) == (0, "")
    assert os.listdir(home) == ["config.toml"]


def test_it_leaves_out_what_is_not_installed(program: str, home: Path, tmp_path: Path) -> None:
    environ = environment(home, tmp_path / "tmp") | {"PATH": linked(tmp_path / "bin", "openssl")}
    done = run(program, environ)
    assert (done.returncode, done.stderr) == (0, "")
    assert folded(done.stdout) == (
        BEFORE
        + "   curl is not installed; this step is left out\n\n"
        + "4. kubectl, by an exec entry in its kubeconfig\n   $ kubectl get pods\n"
        + "   kubectl is not installed; this step is left out\n\n"
        + SERVICES.replace(", HTTP 200", "")
        + AFTER
    )


def test_a_source_that_is_not_there_stops_nothing(
    wx: "Command", sandbox: Sandbox, capfd: pytest.CaptureFixture[str]
) -> None:
    without_curl = {"PATH": "/nonexistent", "WXHELPER_PLUGINS": "ibmcloud,govcloud"}
    demo._Demo(sandbox, {**wx.environ, **without_curl})._services()
    left_out = "source {0} is installed, but WXHELPER_PLUGINS leaves it out; {1}"
    remedy = "add {0} to WXHELPER_PLUGINS, or unset it"
    missing = {name: left_out.format(name, remedy.format(name)) for name in ("aws", "dph")}
    assert folded(capfd.readouterr().out) == (
        "1. Every service of IBM's documents\n"
        "   $ wxhelper header --profile NAME\n"
        "   sandbox   IBM Cloud            Bearer eyJ...          1 request\n"
        f"   aws       watsonx on AWS       {missing['aws']}\n"
        "   govcloud  watsonx in GovCloud  Bearer eyJ...          1 request\n"
        f"   dph       Data Product Hub     {missing['dph']}\n"
        f"   dph-zen   Data Product Hub     {missing['dph']}\n"
        "\n"
    )


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=lambda n: n.name)
def test_interrupted_it_leaves_nothing(
    program: str, home: Path, tmp_path: Path, number: signal.Signals
) -> None:
    process = subprocess.Popen(
        [program, "demo"],
        env=environment(home, tmp_path / "tmp"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith("6."):
            break
    process.send_signal(number)
    _, complaint = process.communicate(timeout=30)
    assert (process.returncode, complaint) == (130, "")
    assert os.listdir(tmp_path / "tmp") == []
