import base64
import json
import os
import pathlib
import shutil
import stat
import subprocess
import sys
import tomllib

import pytest

from wxhelper.sandbox import Sandbox, environment

KUBECTLS = sorted(
    {
        *filter(None, [shutil.which("kubectl")]),
        *map(str, pathlib.Path("/usr/lib/google-cloud-sdk/bin").glob("kubectl.1.*")),
    }
)


@pytest.fixture(scope="module")
def box(tmp_path_factory):
    with Sandbox(str(tmp_path_factory.mktemp("box"))) as sandbox:
        assert sandbox.tls_skipped == ""
        yield sandbox
        assert sandbox.defects == ()


@pytest.fixture
def plain_box(tmp_path):
    with Sandbox(str(tmp_path), tls=False) as sandbox:
        yield sandbox


def test_the_configuration_has_a_profile_for_every_service(box):
    hosts = {"hosts": ["127.0.0.1", "localhost"]}
    iam = {"api_key": "file:apikey", "url": box.http_url, **hosts}
    mcsp = {**iam, "api_key": "file:mcsp-apikey"}
    user = {**iam, "source": "dph", "api_key": "file:dph-apikey", "username": "sandbox.user"}
    profile = box.trusted_profile.identifier
    assert tomllib.loads(environment.profile_text(box)) == {
        "default_profile": "sandbox",
        "profiles": {
            "sandbox": {"source": "ibmcloud", **iam},
            "sandbox-tls": {
                "source": "ibmcloud",
                **iam,
                "url": box.https_url,
                "ca_file": box.ca_file,
            },
            "trusted-profile": {"source": "ibmcloud", **iam, "trusted_profile": profile},
            "kubernetes": {"source": "ibmcloud-kubernetes", **iam},
            "aws": {"source": "aws", **mcsp},
            "govcloud": {"source": "govcloud", **mcsp},
            "dph": {**user, "mode": "bearer"},
            "dph-zen": {**user, "mode": "zenapikey"},
        },
    }


def test_the_configuration_is_written_for_readers_too(plain_box):
    assert environment.profile_text(plain_box).startswith(
        'default_profile = "sandbox"\n'
        "\n"
        "[profiles.sandbox]\n"
        'source = "ibmcloud"\n'
        'api_key = "file:apikey"\n'
        f'url = "{plain_box.http_url}"\n'
        'hosts = ["127.0.0.1", "localhost"]\n'
        "\n"
        "[profiles.trusted-profile]\n"
    )


def test_an_odd_path_is_quoted(box, monkeypatch):
    odd = '/tmp/a"b\\c\x7f\té/ca.pem'
    monkeypatch.setattr(box, "ca_file", odd)
    document = tomllib.loads(environment.profile_text(box))
    assert document["profiles"]["sandbox-tls"]["ca_file"] == odd


def test_the_kubeconfig_runs_the_command(box):
    document = json.loads(environment.kubeconfig_text(box, ["python", "-m", "wxhelper"]))
    assert document["current-context"] == "sandbox"
    (cluster,) = document["clusters"]
    assert cluster["cluster"].pop("server") == box.https_url
    authority = base64.b64decode(cluster["cluster"].pop("certificate-authority-data"))
    assert authority == pathlib.Path(box.ca_file).read_bytes()
    assert cluster == {"name": "sandbox", "cluster": {}}
    (user,) = document["users"]
    assert user["user"]["exec"].pop("installHint")
    assert user == {
        "name": "sandbox",
        "user": {
            "exec": {
                "apiVersion": "client.authentication.k8s.io/v1",
                "command": "python",
                "args": ["-m", "wxhelper", "exec-credential", "--profile", "sandbox"],
                "env": None,
                "interactiveMode": "Never",
                "provideClusterInfo": False,
            }
        },
    }


def test_without_tls_the_kubeconfig_has_no_authority(plain_box):
    (cluster,) = json.loads(environment.kubeconfig_text(plain_box, ["wxhelper"]))["clusters"]
    assert cluster["cluster"] == {"server": plain_box.http_url}


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_everything_is_laid_out_private(box, tmp_path, umask):
    root = tmp_path / "made"
    previous = os.umask(umask)
    try:
        variables = environment.lay_out(box, str(root), ["wxhelper"])
    finally:
        os.umask(previous)
    assert variables == {
        "HOME": f"{root}/home",
        "WXHELPER_CONFIG": f"{root}/config.toml",
        "WXHELPER_CACHE_DIR": f"{root}/cache",
        "KUBECONFIG": f"{root}/kubeconfig",
        "WXHELPER_SANDBOX_URL": box.http_url,
        "WXHELPER_SANDBOX_TLS_URL": box.https_url,
        "WXHELPER_SANDBOX_CA": box.ca_file,
    }
    modes = {
        path.relative_to(tmp_path).as_posix(): stat.S_IMODE(path.stat().st_mode)
        for path in [root, *root.rglob("*")]
    }
    assert modes == {
        "made": 0o700,
        "made/home": 0o700,
        "made/cache": 0o700,
        "made/config.toml": 0o600,
        "made/apikey": 0o600,
        "made/mcsp-apikey": 0o600,
        "made/dph-apikey": 0o600,
        "made/kubeconfig": 0o600,
    }
    assert (root / "apikey").read_text() == f"{box.api_key}\n"
    assert (root / "mcsp-apikey").read_text() == f"{box.mcsp_key}\n"
    assert (root / "dph-apikey").read_text() == f"{box.member.api_key}\n"
    assert (root / "config.toml").read_text() == environment.profile_text(box)


def test_a_place_that_is_taken_is_left_alone(box, tmp_path):
    environment.lay_out(box, str(tmp_path / "x"), ["wxhelper"])
    with pytest.raises(FileExistsError):
        environment.lay_out(box, str(tmp_path / "x"), ["wxhelper"])


def test_without_tls_the_variables_say_so_by_their_absence(plain_box, tmp_path):
    variables = environment.lay_out(plain_box, str(tmp_path / "x"), ["wxhelper"])
    assert not {"WXHELPER_SANDBOX_TLS_URL", "WXHELPER_SANDBOX_CA"} & set(variables)


# ------------------------------------------------------------------------------- real kubectl

PLUGIN = """\
import json, sys
status = {"token": open(sys.argv[1]).read(), "expirationTimestamp": "2099-01-01T00:00:00Z"}
api = "client.authentication.k8s.io/v1"
print(json.dumps({"kind": "ExecCredential", "apiVersion": api, "status": status}))
"""


def run(kubectl, variables, *arguments):
    return subprocess.run(
        [kubectl, *arguments],
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.mark.skipif(not KUBECTLS, reason="kubectl is not installed")
@pytest.mark.parametrize("kubectl", KUBECTLS or [""])
def test_kubectl_lists_the_pods_with_the_plugins_token(box, tmp_path, kubectl):
    token = box.issuer.issue("someone", now=box.clock(), lifetime=600)
    (tmp_path / "token").write_text(token)
    (tmp_path / "plugin.py").write_text(PLUGIN)
    command = [sys.executable, str(tmp_path / "plugin.py"), str(tmp_path / "token")]
    variables = environment.lay_out(box, str(tmp_path / "x"), command)
    listed = run(kubectl, variables, "get", "pods", "--no-headers", "-o", "wide")
    assert listed.returncode == 0, listed.stderr
    assert [line.split()[:3] for line in listed.stdout.splitlines()] == [
        ["watsonx-gateway-0", "1/1", "Running"],
        ["watsonx-gateway-1", "1/1", "Running"],
    ]
    assert "v1.31.0-wxhelper.sandbox" in run(kubectl, variables, "version").stdout
    box.issuer.revoke(token)
    refused = run(kubectl, variables, "get", "pods")
    assert refused.returncode == 1
    assert "You must be logged in" in refused.stderr
