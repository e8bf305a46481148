"""A hit prints what a miss prints, and costs what starting the interpreter costs."""

import json
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wxhelper.sandbox import Fault, Sandbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.conftest import Command
    from tests.real.conftest import Ended, Start, StartWaiting

V1, V1BETA1 = (f"client.authentication.k8s.io/{version}" for version in ("v1", "v1beta1"))


def said_by_client_go(version: str) -> dict[str, str]:
    info = f'{{"kind":"ExecCredential","apiVersion":"{version}","spec":{{"interactive":false}}}}\n'
    return {"KUBERNETES_EXEC_INFO": info}


def said_by_python(version: str) -> dict[str, str]:
    info = {"apiVersion": version, "kind": "ExecCredential", "spec": {"interactive": False}}
    return {"KUBERNETES_EXEC_INFO": json.dumps(info)}


RAW = "{token}\n"
RAW_HEADER = "Authorization: Bearer {token}\n"
JSON_HEADER = '{{"Authorization":"Bearer {token}"}}\n'
EXEC_CREDENTIAL = (
    '{{"kind":"ExecCredential","apiVersion":"VERSION",'
    '"status":{{"token":"{token}","expirationTimestamp":"{expiry}"}}}}\n'
)
EXEC_V1 = EXEC_CREDENTIAL.replace("VERSION", V1)
EXEC_V1BETA1 = EXEC_CREDENTIAL.replace("VERSION", V1BETA1)

FORMS: dict[str, tuple[str, dict[str, str], str]] = {
    "token": ("token", {}, RAW),
    "token, raw": ("token --output raw", {}, RAW),
    "token, raw=": ("token --output=raw", {}, RAW),
    "token of a profile": ("token --profile sandbox", {}, RAW),
    "token of a profile=": ("token --profile=sandbox", {}, RAW),
    "token of WXHELPER_PROFILE": ("token", {"WXHELPER_PROFILE": "sandbox"}, RAW),
    "token with a life": ("token --min-ttl 900", {}, RAW),
    "token with a life=": ("token --min-ttl=900", {}, RAW),
    "header": ("header", {}, RAW_HEADER),
    "header, raw": ("header --output raw", {}, RAW_HEADER),
    "header, json": ("header --output json", {}, JSON_HEADER),
    "header of a profile with a life": (
        "header --min-ttl 900 --profile sandbox --output=json",
        {},
        JSON_HEADER,
    ),
    "exec-credential": ("exec-credential", {}, EXEC_V1),
    "exec-credential of a profile": ("exec-credential --profile sandbox", {}, EXEC_V1),
    "exec-credential v1 by option": ("exec-credential --api-version v1", {}, EXEC_V1),
    "exec-credential v1beta1 by option": (
        "exec-credential --api-version=v1beta1",
        {},
        EXEC_V1BETA1,
    ),
    "exec-credential of a whole name": (
        f"exec-credential --api-version {V1BETA1}",
        {},
        EXEC_V1BETA1,
    ),
    "exec-credential v1 by client-go": ("exec-credential", said_by_client_go(V1), EXEC_V1),
    "exec-credential v1beta1 by client-go": (
        "exec-credential",
        said_by_client_go(V1BETA1),
        EXEC_V1BETA1,
    ),
    "exec-credential v1 by Python": ("exec-credential", said_by_python(V1), EXEC_V1),
    "exec-credential v1beta1 by Python": (
        "exec-credential",
        said_by_python(V1BETA1),
        EXEC_V1BETA1,
    ),
    "the client wins over the option": (
        "exec-credential --api-version v1",
        said_by_client_go(V1BETA1),
        EXEC_V1BETA1,
    ),
    "a client with another hand": (
        "exec-credential",
        {"KUBERNETES_EXEC_INFO": f'{{ "apiVersion" :\n"{V1BETA1}" }}'},
        EXEC_V1BETA1,
    ),
    "a client that says nothing": (
        "exec-credential --api-version v1beta1",
        {"KUBERNETES_EXEC_INFO": "{"},
        EXEC_V1BETA1,
    ),
}


@pytest.mark.parametrize(("command", "changes", "form"), FORMS.values(), ids=FORMS)
def test_a_hit_is_byte_for_byte_what_the_miss_was(
    command: str, changes: dict[str, str], form: str, wx: "Command", sandbox: Sandbox
) -> None:
    miss = wx(*command.split(), **changes)
    hit = wx(*command.split(), **changes)
    held = json.loads(wx("token", "--output", "json").out)
    expiry = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(held["expires_at"] - 60))
    expected = form.format(token=held["token"], expiry=expiry)
    assert (miss.status, miss.out, miss.err) == (0, expected, "")
    assert hit == miss
    assert sandbox.token_requests() == 1


def test_as_json_a_hit_differs_from_the_miss_in_cached_alone(
    wx: "Command", sandbox: Sandbox
) -> None:
    miss = wx("token", "--output", "json")
    hit = wx("token", "--output", "json")
    held = json.loads(hit.out)
    expected = (
        '{{"token":"{token}","scheme":"Bearer","expires_at":{expires_at},'
        '"refresh_at":{refresh_at},"profile":"sandbox","source":"ibmcloud","cached":CACHED}}\n'
    ).format(**held)
    assert (miss.status, miss.out, miss.err) == (0, expected.replace("CACHED", "false"), "")
    assert (hit.status, hit.out, hit.err) == (0, expected.replace("CACHED", "true"), "")
    assert sandbox.issuer.grant(held["token"]) is not None
    assert sandbox.token_requests() == 1


# ------------------------------------------------------------------------- what a hit may import

KEYED_BY_FILES = [
    "wxhelper",
    "wxhelper.door",
    "wxhelper.hosts",
    "wxhelper.paths",
    "wxhelper.protocols",
    "wxhelper.protocols.plain",
    "wxhelper.record",
    "wxhelper.tokens",
]
KEYED_BY_VARIABLES = sorted([*KEYED_BY_FILES, "wxhelper.fingerprint", "_blake2"])


GIT = "protocol=https\nhost=127.0.0.1:8443\n"


def speaking(protocol: str, modules: list[str]) -> list[str]:
    return sorted({*modules, f"wxhelper.protocols.{protocol}"} - {"wxhelper.protocols.plain"})


FORBIDDEN = {
    "argparse",
    "collections",
    "contextlib",
    "dataclasses",
    "enum",
    "filelock",
    "functools",
    "hashlib",
    "importlib.metadata",
    "json",
    "logging",
    "pathlib",
    "platformdirs",
    "pluggy",
    "re",
    "requests",
    "socket",
    "ssl",
    "subprocess",
    "tomllib",
    "typing",
    "urllib3",
    "wxhelper.cli",
}
ADDED = """
import sys
before = set(sys.modules)
from wxhelper.door import main
status = main(sys.argv[1:])
print(*sorted(set(sys.modules) - before), file=sys.stderr)
sys.exit(status)
"""


def in_python(environ: dict[str, str], program: str, *arguments: str, stdin: str = "") -> "Ended":
    done = subprocess.run(
        [sys.executable, "-c", program, *arguments],
        env=environ,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("command", "stdin", "golden"),
    [
        ("token", "", KEYED_BY_FILES),
        ("token --output json", "", KEYED_BY_FILES),
        ("header --profile sandbox", "", KEYED_BY_FILES),
        ("exec-credential", "", speaking("exec_credential", KEYED_BY_FILES)),
        ("curl-config http://127.0.0.1/", "", speaking("curl_config", KEYED_BY_FILES)),
        ("git-credential get", GIT, speaking("git_credential", KEYED_BY_FILES)),
        ("docker-credential get", "127.0.0.1\n", speaking("docker_credential", KEYED_BY_FILES)),
    ],
)
def test_a_hit_of_a_profile_keyed_by_files_imports_this_and_nothing_else(
    command: str, stdin: str, golden: list[str], unwatched: "Command"
) -> None:
    unwatched("token")
    status, _, err = in_python(unwatched.environ, ADDED, *command.split(), stdin=stdin)
    assert (status, err.split()) == (0, golden)
    assert FORBIDDEN.isdisjoint(golden)


@pytest.mark.parametrize(
    ("command", "golden"),
    [
        ("token", KEYED_BY_VARIABLES),
        ("exec-credential", speaking("exec_credential", KEYED_BY_VARIABLES)),
    ],
)
def test_a_hit_of_a_profile_keyed_by_variables_imports_this_and_nothing_else(
    command: str, golden: list[str], unwatched: "Command", sandbox: Sandbox
) -> None:
    unwatched.environ |= {"IBMCLOUD_API_KEY": sandbox.api_key, "WXHELPER_URL": sandbox.http_url}
    del unwatched.environ["WXHELPER_CONFIG"]
    assert unwatched("token").status == 0
    status, _, err = in_python(unwatched.environ, ADDED, *command.split())
    assert (status, err.split()) == (0, golden)
    assert FORBIDDEN.isdisjoint(golden)


def test_who_only_waited_has_imported_neither_pluggy_nor_requests(
    start: "Start",
    start_waiting: "StartWaiting",
    finish: "Callable[[subprocess.Popen[str]], Ended]",
    sandbox: Sandbox,
) -> None:
    gate = threading.Event()
    sandbox.faults.add(Fault(match="iam", gate=gate))
    fetching = start("token")
    assert sandbox.requests.wait_for(1, 30, service="iam")
    [waiting] = start_waiting(1, "token", TELL_MODULES="yes")
    gate.set()
    fetched = finish(fetching)
    status, out, err = finish(waiting)
    assert (status, out) == fetched[:2]
    modules = err.split()
    assert "wxhelper.acquire" in modules
    assert not {"pluggy", "requests", "urllib3", "ssl", "wxhelper.manager"} & set(modules)
    assert sandbox.token_requests() == 1


# ----------------------------------------------------------------------- what a hit asks the system

CALL = re.compile(r"^(\w+)\((.*?)\)?\s+= (.+)$")
LOCKS = re.compile(r"F_(OFD_)?SETLKW?")
NETWORK = {"socket", "socketpair", "connect", "sendto", "sendmsg", "recvfrom", "bind"}
PROCESSES = {"clone", "clone3", "fork", "vfork", "execve", "kill"}
CHANGES = {
    "mkdir",
    "mkdirat",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "rmdir",
    "link",
    "linkat",
    "symlink",
    "symlinkat",
    "chmod",
    "fchmod",
    "fchmodat",
    "chown",
    "fchown",
    "fchownat",
    "truncate",
    "ftruncate",
    "utimensat",
    "fsync",
    "fdatasync",
    "mknod",
    "mknodat",
    "creat",
    "flock",
}


def calls(
    strace: str, wx: "Command", log: Path, *command: str, stdin: str = ""
) -> list[tuple[str, str]]:
    """The system calls of a program after it has been started: name and arguments."""
    done = subprocess.run(
        [strace, "-f", "-qq", "-e", "signal=none", "-o", str(log), *command],
        env=wx.environ,
        input=stdin.encode(),
        capture_output=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0
    lines = (line.partition(" ")[2].strip() for line in log.read_text().splitlines())
    found = [(match[1], match[2]) for match in map(CALL.match, lines) if match]
    return found[1:]


@pytest.mark.parametrize(
    ("command", "stdin", "opening"),
    [
        ("wxhelper token", "", ""),
        ("git-credential-wxhelper get", GIT, "username=iambearer\\npassword="),
        ("docker-credential-wxhelper get", "127.0.0.1", '{\\"'),
    ],
)
def test_a_hit_opens_no_socket_takes_no_lock_and_writes_no_file(
    strace: str,
    program: str,
    unwatched: "Command",
    tmp_path: Path,
    command: str,
    stdin: str,
    opening: str,
) -> None:
    token = unwatched("token").out
    name, *arguments = command.split()
    hit = [str(Path(program).with_name(name)), *arguments]
    made = calls(strace, unwatched, tmp_path / "log", *hit, stdin=stdin)
    named = {name for name, _ in made}
    assert not named & (NETWORK | PROCESSES | CHANGES)
    assert not [rest for name, rest in made if name == "fcntl" and LOCKS.search(rest)]
    assert not [
        rest
        for name, rest in made
        if name in ("open", "openat") and re.search(r"O_(WRONLY|RDWR|CREAT|TRUNC)", rest)
    ]
    written = [rest for name, rest in made if name.startswith(("write", "pwrite"))]
    assert len(written) == 1
    assert written[0].startswith(f'1, "{opening or token[:16]}')


def test_a_hit_adds_at_most_sixty_system_calls_to_its_imports(
    strace: str, unwatched: "Command", tmp_path: Path
) -> None:
    unwatched("token")
    imports = "import " + ", ".join(KEYED_BY_FILES)
    hit = f"{imports}; wxhelper.door.main(['token'])"
    bare = len(calls(strace, unwatched, tmp_path / "bare", sys.executable, "-c", imports))
    whole = len(calls(strace, unwatched, tmp_path / "whole", sys.executable, "-c", hit))
    assert whole - bare <= 60
