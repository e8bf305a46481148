"""``wxhelper demo``: the first thing that a newcomer runs."""

import os
import re
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

BEFORE = """\
wxhelper demo: a stand-in for IBM Cloud runs on this machine for a few seconds.

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
AFTER = """\
5. Expiry: tokens live 3 seconds from now on
   $ wxhelper token
   3 seconds later: a new token, by itself
   1 request to the token service, N ms

With your own key:

  export IBMCLOUD_API_KEY=...
  wxhelper token

"""


def folded(text: str) -> str:
    """The demo's output without what differs from run to run."""
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
def test_it_shows_tokens_a_call_kubectl_and_a_renewal_and_leaves_nothing(
    program: str, home: Path, tmp_path: Path
) -> None:
    done = run(program, environment(home, tmp_path / "tmp"))
    assert (done.returncode, done.stderr) == (0, "")
    assert folded(done.stdout) == BEFORE + CALLED + PODS + AFTER
    assert os.listdir(home) == []
    assert os.listdir(tmp_path / "tmp") == []


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
        + AFTER
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
        if line.startswith("5."):
            break
    process.send_signal(number)
    _, complaint = process.communicate(timeout=30)
    assert (process.returncode, complaint) == (130, "")
    assert os.listdir(tmp_path / "tmp") == []
