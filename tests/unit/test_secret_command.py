"""Floor 3: a key that a program prints."""

import os
import shlex
import sys
import time
from pathlib import Path

import pytest

from wxhelper.errors import ConfigurationError, KeyUnavailable
from wxhelper.lookups import Lookups
from wxhelper.secret import Secret, resolve

KEY = "k3y-+&=%ü.that_opens/nothing"
BY_HAND = "run the command by hand and mend it"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def resolved(command: str, config: Path, *, deadline: float = 60.0, **environ: str) -> Secret:
    environ = {"PATH": os.environ["PATH"], **environ}
    return resolve(
        f"command:{command}",
        named="profiles.dev.api_key",
        config=str(config),
        lookups=Lookups(environ),
        deadline=deadline,
    )


def refused(command: str, config: Path, *, deadline: float = 60.0) -> tuple[type, str, str]:
    with pytest.raises(ConfigurationError) as caught:
        resolved(command, config, deadline=deadline)
    return type(caught.value), caught.value.message, caught.value.remedy


def python(program: str) -> str:
    """A command that runs a program of Python's, as it stands in a configuration."""
    return shlex.join([sys.executable, "-c", program])


def sh(script: str) -> str:
    return shlex.join(["sh", "-c", script])


def is_alive(pid: int) -> bool:
    """Whether the process is there and no mere zombie."""
    try:
        os.kill(pid, 0)
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in ("Z", "X")
    except ProcessLookupError:
        return False
    except FileNotFoundError:  # just gone; or a system without /proc, where it is there
        return not os.path.isdir("/proc/self")


def ended(pid: int) -> bool:
    """Whether the process ends, killed as it is, before long."""
    end = time.monotonic() + 20
    while is_alive(pid) and time.monotonic() < end:
        os.sched_yield()
    return not is_alive(pid)


# ------------------------------------------------------------------------------- what works


def test_the_key_is_what_the_command_prints(config: Path) -> None:
    found = resolved(f"printf %s {shlex.quote(KEY)}", config)
    assert (found.reveal(), found.origin) == (KEY, "command:printf")


@pytest.mark.parametrize(
    ("printed", "value"),
    [
        ("key-one", "key-one"),
        ("key-one\\n", "key-one"),
        ("key-one\\r\\n", "key-one"),
        ("key-one\\n\\n", "key-one\n"),
        (" key one ", " key one "),
        ("k\\303\\251y", "kéy"),
    ],
)
def test_one_final_newline_goes(config: Path, printed: str, value: str) -> None:
    assert resolved(f"printf '{printed}'", config).reveal() == value


def test_words_are_split_as_a_shell_does(config: Path) -> None:
    command = "printf '%s/' one 'two three' \"four five\" six\\ seven ''"
    assert resolved(command, config).reveal() == "one/two three/four five/six seven//"


@pytest.mark.parametrize("text", ["$HOME", "`id`", "$(id)", "a;id", "a|id", "a>f", "*", "~", "#a"])
def test_no_shell_expands_anything(config: Path, text: str) -> None:
    assert resolved(f"printf key:%s {text}", config).reveal() == f"key:{text}"
    assert os.listdir(config.parent) == []


def test_it_runs_where_the_configuration_is(config: Path) -> None:
    assert resolved("pwd", config).reveal() == str(config.parent)


def test_a_program_beside_the_configuration_can_be_named(config: Path) -> None:
    (config.parent / "key.sh").write_text("#!/bin/sh\necho key-one\n")
    (config.parent / "key.sh").chmod(0o700)
    assert resolved("./key.sh", config).reveal() == "key-one"


def test_a_configuration_that_is_nowhere_does_no_harm(config: Path) -> None:
    assert resolved("echo key-one", config.parent / "no" / "config.toml").reveal() == "key-one"


def test_it_has_no_input_and_no_terminal(config: Path) -> None:
    program = "import os, sys; print(repr(sys.stdin.read()), os.getsid(0) == os.getpid())"
    assert resolved(python(program), config).reveal() == "'' True"


def test_output_on_standard_error_is_no_part_of_the_key(config: Path) -> None:
    assert resolved(sh("echo warning >&2; echo key-one"), config).reveal() == "key-one"


def test_much_output_on_standard_error_holds_nothing_up(config: Path) -> None:
    script = "head -c 1000000 /dev/zero >&2; echo key-one"
    assert resolved(sh(script), config).reveal() == "key-one"


def test_it_is_not_on_record(config: Path) -> None:
    lookups = Lookups({"PATH": os.environ["PATH"]})
    resolve("command:echo key-one", named="x", config=str(config), lookups=lookups)
    basis = lookups.basis("5a17", "1d")
    assert (basis.files, basis.variables) == ([], [])


KEPT = {
    "HOME": "h", "LANG": "C", "VAULT_TOKEN": "t", "OP_SESSION": "s", "GNUPGHOME": "g",
    "IBM_REGION": "r", "IBMCLOUD_HOME": "c", "SSH_AUTH_SOCK": "a", "MY_WXHELPER_KEY": "m",
    "AWS_SECRET_ACCESS_KEY": "w",
}  # fmt: skip
GONE = [
    "WXHELPER_API_KEY", "WXHELPER_PROFILE", "IBMCLOUD_API_KEY", "IBM_CLOUD_API_KEY",
    "IC_API_KEY", "BM_API_KEY", "BLUEMIX_API_KEY", "WATSONX_APIKEY", "WATSONX_API_KEY",
    "WATSONX_TOKEN", "WX_API_KEY", "WXAI_APIKEY", "WXG_API_KEY", "WO_API_KEY", "WXO_API_KEY",
    "ZEN_API_KEY", "DPH_API_KEY", "CPD_PASSWORD", "CP4D_APIKEY", "IBMCLOUD_IAM_TOKEN",
]  # fmt: skip


def test_its_variables_are_those_of_the_caller_without_any_key_of_ours(config: Path) -> None:
    printed = resolved("env", config, **KEPT, **dict.fromkeys(GONE, KEY)).reveal()
    seen = dict(line.split("=", 1) for line in printed.splitlines())
    for name in ("PATH", "PWD", "_", "SHLVL", "OLDPWD"):
        seen.pop(name, None)
    assert seen == KEPT


# ------------------------------------------------------------------------------ what fails


@pytest.mark.parametrize(
    ("script", "ending"),
    [
        ("exit 1", "status 1"),
        ("exit 3", "status 3"),
        ("echo locked >&2; exit 1", "status 1: locked"),
        ("printf 'first\\nlast\\n\\n' >&2; exit 1", "status 1: last"),
        ("printf 'a\\033[2Jb\\302\\205c' >&2; exit 1", "status 1: a [2Jb c"),
        ("printf '\\377\\376' >&2; exit 1", "status 1: \ufffd\ufffd"),
        (f"echo bad key {'k' * 44} >&2; exit 1", "status 1: bad key [redacted]"),
        ("echo key-one; exit 1", "status 1"),
        ("kill -9 $$", "signal 9"),
        ("kill -TERM $$", "signal 15"),
        ("exec 1>&- 2>&-; exit 4", "status 4"),
    ],
    ids=["status", "another", "its words", "the last line", "escapes", "no text", "long words",
         "with a key", "killed", "terminated", "output closed"],
)  # fmt: skip
def test_a_command_that_fails_is_told_with_its_last_words(
    config: Path, script: str, ending: str
) -> None:
    assert refused(sh(script), config) == (
        KeyUnavailable,
        f"command:sh ended with {ending}",
        BY_HAND,
    )


def test_the_arguments_of_a_command_are_nobodys_business(config: Path) -> None:
    told = "".join(map(str, refused(sh("exit 1; secret-path"), config)))
    assert "secret-path" not in told


@pytest.mark.parametrize(
    ("command", "origin", "reason"),
    [
        ("no-such-program --key", "no-such-program", "No such file or directory"),
        ("./no-such-program", "./no-such-program", "No such file or directory"),
        ("./plain", "./plain", "Permission denied"),
        ("./sub", "./sub", "Permission denied"),
        ("./garbage", "./garbage", "Exec format error"),
        ("echo 'a\0b'", "echo", "not a command"),
    ],
    ids=["not found", "not here", "not executable", "directory", "not a program", "nul"],
)
def test_what_cannot_be_run(config: Path, command: str, origin: str, reason: str) -> None:
    (config.parent / "sub").mkdir()
    (config.parent / "plain").write_text("echo key\n")
    (config.parent / "garbage").write_bytes(b"\x00\x01\x02")
    (config.parent / "garbage").chmod(0o700)
    assert refused(command, config) == (
        KeyUnavailable,
        f"command:{origin} cannot be run: {reason}",
        "correct the command in profiles.dev.api_key",
    )


@pytest.mark.parametrize(
    ("command", "reason"), [("echo 'a", "No closing quotation"), ("a\\", "No escaped character")]
)
def test_what_cannot_be_split(config: Path, command: str, reason: str) -> None:
    assert refused(command, config) == (
        ConfigurationError,
        f"the command in profiles.dev.api_key cannot be split into words: {reason}",
        "quote it as a shell would need it",
    )


@pytest.mark.parametrize(
    ("command", "reason", "remedy"),
    [
        ("true", "is empty", "put the API key there"),
        ("echo", "is empty", "put the API key there"),
        ("printf '\\377'", "is not text", "give the key alone"),
        (
            "echo '${K}'",
            "holds a placeholder, not a key",
            "put the API key itself there (a shell expands nothing in single quotes)",
        ),
        ("head -c 70000 /dev/zero", "printed more than a key", "let it print the key alone"),
        ("yes", "printed more than a key", "let it print the key alone"),
    ],
    ids=["nothing", "newline", "no text", "placeholder", "much", "without end"],
)
def test_what_is_no_key(config: Path, command: str, reason: str, remedy: str) -> None:
    origin = f"command:{command.split(maxsplit=1)[0]}"
    assert refused(command, config) == (KeyUnavailable, f"{origin} {reason}", remedy)


DEADLINE = 0.6
LATE = (
    KeyUnavailable,
    "command:sh printed no key within 0.6 seconds",
    "unlock the key manager that it asks, or run the command by hand",
)


@pytest.mark.parametrize(
    "script",
    [
        "exec sleep 300",
        "echo key-one; exec sleep 300",
        "trap '' TERM INT HUP; echo key-one; sleep 300; sleep 300",
        "exec 1>&- 2>&-; exec sleep 300",
        "while :; do printf k; sleep 0.1; done",
        "while :; do printf k >&2; sleep 0.1; done",
    ],
    ids=["silent", "after the key", "deaf", "output closed", "dripping", "dripping complaints"],
)
def test_a_command_that_does_not_end_is_given_up_and_killed(config: Path, script: str) -> None:
    assert refused(sh(f"echo $$ > pid; {script}"), config, deadline=DEADLINE) == LATE
    assert ended(int((config.parent / "pid").read_text()))


def test_what_it_left_running_with_our_pipe_is_killed_and_the_key_is_taken(config: Path) -> None:
    script = "sleep 300 & echo $! > pid; echo key-one"
    assert resolved(sh(script), config).reveal() == "key-one"
    assert ended(int((config.parent / "pid").read_text()))


def test_what_it_left_running_is_killed_when_the_key_is_there(config: Path) -> None:
    script = "sleep 300 >/dev/null 2>&1 & echo $! > pid; echo key-one"
    assert resolved(sh(script), config).reveal() == "key-one"
    assert ended(int((config.parent / "pid").read_text()))


def test_a_flood_is_killed(config: Path) -> None:
    assert refused(sh("echo $$ > pid; exec yes"), config)[1] == "command:sh printed more than a key"
    assert ended(int((config.parent / "pid").read_text()))


def test_neither_descriptors_nor_zombies_are_left(config: Path) -> None:
    before = len(os.listdir("/dev/fd"))
    for command in ("echo key-one", "false", "yes", "no-such-program"):
        try:
            resolved(command, config)
        except KeyUnavailable:
            continue
    assert len(os.listdir("/dev/fd")) == before
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
