"""``wxhelper sandbox``: a command, or a shell of the user's, against IBM's stand-ins."""

import os
import shlex
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

VARIABLES = [
    "HOME",
    "WXHELPER_CONFIG",
    "WXHELPER_CACHE_DIR",
    "KUBECONFIG",
    "WXHELPER_SANDBOX_URL",
    "WXHELPER_SANDBOX_TLS_URL",
    "WXHELPER_SANDBOX_CA",
]


@pytest.fixture
def environ(home: Path, tmp_path: Path) -> dict[str, str]:
    (tmp_path / "tmp").mkdir()
    return {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(tmp_path / "tmp")}


def run(
    program: str, environ: dict[str, str], *arguments: str
) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [program, "sandbox", *arguments],
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("script", "status"),
    [("exit 0", 0), ("exit 7", 7), ("kill -9 $$", 137)],
    ids=["done", "own status", "killed"],
)
def test_the_commands_status_is_passed_on(
    program: str, environ: dict[str, str], tmp_path: Path, script: str, status: int
) -> None:
    done = run(program, environ, "--", "sh", "-c", script)
    assert (done.returncode, done.stdout, done.stderr) == (status, "", "")
    assert os.listdir(tmp_path / "tmp") == []


def test_the_command_finds_wxhelper_a_profile_and_a_home_of_its_own(
    program: str, environ: dict[str, str], home: Path
) -> None:
    script = 'test "$(wxhelper token)" = "$(wxhelper token)" && ls -A "$HOME" && echo "$HOME"'
    done = run(program, environ, "--", "sh", "-c", script)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.strip() != str(home)
    assert not os.path.exists(done.stdout.strip())
    assert os.listdir(home) == []


def test_options_and_dashes_behind_the_dashes_are_the_commands(
    program: str, environ: dict[str, str]
) -> None:
    done = run(program, environ, "--", "printf", "%s|", "--profile", "-x", "--", "y")
    assert (done.returncode, done.stdout, done.stderr) == (0, "--profile|-x|--|y|", "")


def test_a_program_that_is_not_there_is_named(program: str, environ: dict[str, str]) -> None:
    done = run(program, environ, "--", "no-such-program-here")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "wxhelper: no-such-program-here cannot be run: no such program; "
        "see: wxhelper sandbox --help\n"
    )


@pytest.mark.skipif(not shutil.which("kubectl"), reason="kubectl is not installed")
def test_kubectl_works_in_it(program: str, environ: dict[str, str]) -> None:
    done = run(program, environ, "--", "kubectl", "get", "pods", "-o", "name")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "pod/watsonx-gateway-0\npod/watsonx-gateway-1\n"


@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_curl_gets_through_over_tls_with_its_certificate(
    program: str, environ: dict[str, str]
) -> None:
    script = (
        "wxhelper header --profile sandbox-tls | curl -sS -o /dev/null -w '%{http_code}' "
        '--cacert "$WXHELPER_SANDBOX_CA" -H @- '
        '"$WXHELPER_SANDBOX_TLS_URL/ml/v1/foundation_model_specs"'
    )
    done = run(program, environ, "--", "sh", "-c", script)
    assert (done.returncode, done.stdout, done.stderr) == (0, "200", "")


@pytest.mark.parametrize(
    "number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP], ids=lambda n: n.name
)
def test_without_a_command_it_prints_what_to_export_and_serves_until_interrupted(
    program: str, environ: dict[str, str], tmp_path: Path, number: signal.Signals
) -> None:
    process = subprocess.Popen(
        [program, "sandbox"],
        env=environ,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    printed = [process.stdout.readline() for _ in VARIABLES]
    variables = dict(shlex.split(line)[1].split("=", 1) for line in printed)
    assert list(variables) == VARIABLES
    asked = subprocess.run(
        [program, "token"], env=environ | variables, capture_output=True, text=True, check=False
    )
    assert (asked.returncode, asked.stderr) == (0, "")
    process.send_signal(number)
    rest, complaint = process.communicate(timeout=30)
    assert (process.returncode, rest, complaint) == (
        0,
        "",
        "wxhelper: serving until interrupted\n",
    )
    assert os.listdir(tmp_path / "tmp") == []


def test_without_openssl_and_trustme_tls_is_left_out_aloud(
    program: str, environ: dict[str, str], tmp_path: Path
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("sh", "env", "true"):
        found = shutil.which(name)
        assert found
        (programs / name).symlink_to(found)
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "trustme.py").write_text("raise ImportError('hidden')\n")
    changed = environ | {"PATH": str(programs), "PYTHONPATH": str(hidden)}
    done = run(program, changed, "--", "sh", "-c", "wxhelper token >/dev/null")
    assert done.returncode == 0
    assert done.stderr.startswith("wxhelper: ")
    assert "openssl" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_temporary_directory_that_is_not_there_is_no_hindrance(
    program: str, environ: dict[str, str]
) -> None:
    done = run(program, environ | {"TMPDIR": "/nonexistent"}, "--", "true")
    assert (done.returncode, done.stderr) == (0, "")
