"""Every kubectl on this machine, against a server over TLS, with the kubeconfig as laid out."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from processes import ended
from wxhelper.sandbox import Sandbox, certs
from wxhelper.sandbox.certs import Certificates

if TYPE_CHECKING:
    from tests.conftest import Command
    from tests.real.conftest import Ended

PODS = """\
NAME                READY   STATUS    RESTARTS   AGE
watsonx-gateway-0   1/1     Running   0          1d
watsonx-gateway-1   1/1     Running   0          1d
"""

THROW_AWAY_PLUGIN = """
from wxhelper.plugin import TokenSourceType, hookimpl
from wxhelper.tokens import Token

wxhelper_api = 1


class Source:
    def fetch(self):
        return Token(
            "ZenApiKey", "bm90LWEtYmVhcmVy", minted_at=0.0, refresh_at=None, expires_at=None
        )


@hookimpl
def wxhelper_token_sources():
    nobody = lambda settings: frozenset()
    yield TokenSourceType(
        name="throw-away",
        summary="tokens that are not Bearer",
        token_hosts=nobody,
        audience=nobody,
        open=lambda context: Source(),
    )
"""


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    """One authority for all; making one takes longer than a test."""
    return certs.make(str(tmp_path_factory.mktemp("certificates")))


@pytest.fixture
def tls_sandbox(tmp_path: Path, certificates: Certificates) -> Iterator[Sandbox]:
    """IBM's stand-ins over http and TLS."""
    with Sandbox(str(tmp_path), tls=certificates) as running:
        assert not running.tls_skipped
        yield running


def every_kubectl() -> list[str]:
    """The programs: on the search path, and beside where the links there lead to."""
    on_path = os.environ.get("PATH", "").split(os.pathsep)
    first = shutil.which("kubectl")
    beside = [os.path.dirname(os.path.realpath(first))] if first else []
    found: dict[str, str] = {}
    for directory in dict.fromkeys([*on_path, *beside, "/usr/lib/google-cloud-sdk/bin"]):
        if os.path.isdir(directory):
            for name in sorted(os.listdir(directory)):
                path = os.path.join(directory, name)
                if re.fullmatch(r"kubectl(\.\d+\.\d+)?", name) and os.access(path, os.X_OK):
                    found.setdefault(os.path.realpath(path), path)
    return sorted(found.values(), key=os.path.basename)


EVERY_KUBECTL = every_kubectl()
NONE = [pytest.param("", marks=pytest.mark.skip(reason="there is no kubectl on this machine"))]
with_every_kubectl = pytest.mark.parametrize("kubectl", EVERY_KUBECTL or NONE, ids=os.path.basename)
with_one_kubectl = pytest.mark.parametrize(
    "kubectl", EVERY_KUBECTL[-1:] or NONE, ids=os.path.basename
)


def get_pods(kubectl: str, tls_wx: "Command", **changes: str | None) -> "Ended":
    return ended([kubectl, "get", "pods"], tls_wx.changed(changes))


@pytest.mark.skipif(not EVERY_KUBECTL, reason="there is no kubectl on this machine")
def test_commands_of_all_versions_in_parallel_share_one_token(
    tls_sandbox: Sandbox, tls_wx: "Command"
) -> None:
    twice = [*EVERY_KUBECTL, *EVERY_KUBECTL]
    with ThreadPoolExecutor(len(twice)) as threads:
        ended = list(threads.map(lambda kubectl: get_pods(kubectl, tls_wx), twice))
    assert ended == [(0, PODS, "")] * len(twice)
    assert tls_sandbox.token_requests() == 1


@with_every_kubectl
def test_a_v1beta1_kubeconfig_gets_a_v1beta1_answer_whatever_its_arguments_say(
    kubectl: str, tls_sandbox: Sandbox, tls_wx: "Command"
) -> None:
    path = Path(tls_wx.environ["KUBECONFIG"])
    document = json.loads(path.read_text())
    execute = document["users"][0]["user"]["exec"]
    execute["apiVersion"] = "client.authentication.k8s.io/v1beta1"
    execute["args"] += ["--api-version", "v1"]
    path.write_text(json.dumps(document))
    assert get_pods(kubectl, tls_wx) == (0, PODS, "")
    assert tls_sandbox.token_requests() == 1


@with_one_kubectl
def test_a_profile_of_ibm_clouds_kubernetes_service_brings_the_id_token(
    kubectl: str, tls_sandbox: Sandbox, tls_wx: "Command"
) -> None:
    path = Path(tls_wx.environ["KUBECONFIG"])
    document = json.loads(path.read_text())
    arguments = document["users"][0]["user"]["exec"]["args"]
    arguments[arguments.index("--profile") + 1] = "kubernetes"
    path.write_text(json.dumps(document))
    assert get_pods(kubectl, tls_wx) == (0, PODS, "")
    token = tls_wx("token", "--profile", "kubernetes").out.strip()
    sent = {r.headers.get("Authorization") for r in tls_sandbox.requests if r.service != "iam"}
    (asked,) = [r for r in tls_sandbox.requests if r.service == "iam"]
    assert sent == {f"Bearer {token}"}
    assert asked.headers["Authorization"] == "Basic a3ViZTprdWJl"


@with_every_kubectl
def test_commands_in_a_row_share_a_token_until_it_is_revoked_and_invalidated(
    kubectl: str, tls_sandbox: Sandbox, tls_wx: "Command"
) -> None:
    refused = (1, "", "error: You must be logged in to the server (Unauthorized)\n")
    assert [get_pods(kubectl, tls_wx) for _ in range(3)] == [(0, PODS, "")] * 3
    assert tls_sandbox.token_requests() == 1
    tls_sandbox.issuer.revoke_all()
    assert get_pods(kubectl, tls_wx) == refused
    assert tls_wx("invalidate").status == 0
    assert get_pods(kubectl, tls_wx) == (0, PODS, "")
    assert tls_sandbox.token_requests() == 2


@with_every_kubectl
def test_a_refused_key_is_tried_once_however_often_kubectl_asks(
    kubectl: str, tls_sandbox: Sandbox, tls_wx: "Command"
) -> None:
    tls_sandbox.keys.clear()
    key_file = Path(tls_wx.environ["WXHELPER_CONFIG"]).with_name("apikey")
    ours = (
        f"wxhelper: profile sandbox: IBM Cloud IAM refused the API key from file:{key_file}: "
        "BXNIM0415E Provided API key could not be found; replace it: wxhelper login "
        "--profile sandbox; if the key was mended instead, run: "
        "wxhelper invalidate --profile sandbox"
    )
    status, out, err = get_pods(kubectl, tls_wx)
    said = [line for line in err.splitlines() if line.startswith("wxhelper")]
    assert (status, out) == (1, "")
    assert set(said) == {ours}
    assert len(said) >= 5
    assert tls_sandbox.token_requests() == 1


@with_one_kubectl
def test_a_token_that_is_not_bearer_is_refused_in_words(
    kubectl: str, tls_sandbox: Sandbox, tls_wx: "Command", tmp_path: Path
) -> None:
    library = tmp_path / "library"
    metadata = library / "throw_away-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: throw-away\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[wxhelper]\nthrow-away = throw_away\n")
    (library / "throw_away.py").write_text(THROW_AWAY_PLUGIN)
    config = Path(tls_wx.environ["WXHELPER_CONFIG"])
    config.write_text('[profiles.sandbox]\nsource = "throw-away"\napi_key = "file:apikey"\n')
    status, out, err = get_pods(kubectl, tls_wx, PYTHONPATH=str(library))
    said = {line for line in err.splitlines() if line.startswith("wxhelper")}
    assert (status, out) == (1, "")
    assert said == {
        (
            "wxhelper: profile sandbox: exec-credential can only carry Bearer tokens, and source "
            "throw-away gives ZenApiKey; name another profile: wxhelper exec-credential --profile "
            "NAME"
        )
    }
    assert "bm90LWEtYmVhcmVy" not in err
