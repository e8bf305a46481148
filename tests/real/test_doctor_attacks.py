"""``wxhelper doctor`` against what hangs, drips, breaks or listens; and as a real process."""

import contextlib
import json
import os
import pty
import signal
import socket
import subprocess
import sysconfig
import threading
from collections.abc import Callable
from urllib.parse import quote

import pytest

from leaks import holds
from mistakes import World
from processes import Ended
from wxhelper import doctor
from wxhelper.doctor import CHECKS, Patient
from wxhelper.plugin import CheckResult
from wxhelper.sandbox import Fault

Examine = Callable[..., Ended]

OURS = os.path.join(sysconfig.get_path("scripts"), "wxhelper")
CANARY = 'CaNaRy+0451/of=the&mine%"\\é shaft<7>'


def outcomes(out: str) -> dict[str, str]:
    """The last outcome of each check."""
    return {row["check"]: row["outcome"] for row in json.loads(out)["checks"]}


def texts(out: str, check: str) -> list[str]:
    return [row["text"] for row in json.loads(out)["checks"] if row["check"] == check]


# ------------------------------------------------------------- what takes its time


def test_a_command_that_hangs(
    world: World, examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wxhelper.doctor.patient.COMMAND_DEADLINE", 0.3)
    world.profile(api_key="command:sleep 60")
    status, out, _ = examine(world, "--output", "json")
    assert (status, texts(out, "key")) == (5, ["command:sleep printed no key within 0.3 seconds"])
    assert outcomes(out)["token"] == "unknown"


def test_a_command_that_gives_the_key(world: World, examine: Examine) -> None:
    world.profile(api_key=f"command:cat {world.key_file}")
    status, out, _ = examine(world, "--output", "json")
    assert (status, texts(out, "key")) == (0, ["found in command:cat"])


def test_a_server_that_never_answers(
    world: World, examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    world.sandbox.faults.add(Fault(match="*", times=None, gate=gate))
    monkeypatch.setattr("wxhelper.doctor.patient._VISIT_SECONDS", 1.0)
    monkeypatch.setattr("wxhelper.doctor.patient._TOKEN_SECONDS", 0.5)
    status, out, _ = examine(world, "--output", "json")
    gate.set()
    assert status == 3
    assert texts(out, "clock") == [f"{world.sandbox.http_url[7:]} did not tell the time"]
    assert texts(out, "token") == ["there was no token within 0.5 seconds"]


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"\0" * 70_000,
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000,
        b"HTTP/1.1 999\r\nDate: \xff\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nDate: Thu, 99 Foo 99999 99:99:99 GMT\r\n\r\n",
        b"\x1b]0;title\x07\r\n\r\n",
    ],
    ids=["nothing", "zeros", "headers", "status", "date", "escapes"],
)
def test_a_server_that_talks_nonsense(said: bytes, world: World, examine: Examine) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            with contextlib.suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    with connection, contextlib.suppress(OSError):
                        connection.settimeout(5)
                        connection.recv(65_536)
                        connection.sendall(said)

        threading.Thread(target=serve, daemon=True).start()
        world.profile(url=f"http://127.0.0.1:{listener.getsockname()[1]}")
        status, out, err = examine(world, "--output", "json")
        listener.shutdown(socket.SHUT_RDWR)
    assert (status, err) == (3, "")
    found = outcomes(out)
    assert (found["connection"], found["clock"], found["token"]) == ("ok", "unknown", "fail")
    assert "\x1b" not in out


def test_the_whole_has_an_end(world: World) -> None:
    gate = threading.Event()
    world.sandbox.faults.add(Fault(match="*", times=None, gate=gate))
    patient = Patient(world.environ, seconds=4.0)
    found = {one.check: one.text for one in doctor.examine(patient, CHECKS)}
    gate.set()
    assert found["token"] == "there was no token within 0.2 seconds"  # all that was left


# ------------------------------------------------------------ what is wrong with us


class Defective:
    NAME = "defective"

    def look(self, patient: Patient) -> list[CheckResult]:
        raise ValueError(CANARY)


class Own:
    NAME = "own"

    def look(self, patient: Patient) -> list[CheckResult]:
        return [CheckResult(outcome="ok", text="a\x1b]0;t\x07\nb\u202e", remedy="x {profile}")]


def test_a_check_with_a_defect_stops_no_other(world: World) -> None:
    found = list(doctor.examine(Patient(world.environ), [Defective(), Own()]))
    assert [(one.check, one.outcome, one.text, one.status) for one in found] == [
        ("defective", "unknown", "a defect of wxhelper: ValueError", 0),
        ("own", "ok", "a ]0;t b", 0),
    ]
    assert found[1].remedy == "x --profile sandbox"


# ------------------------------------------------------------------------- secrets


def said_in_all_forms(world: World) -> bytes:
    """All that the real command writes, in both forms, and what it writes for --help."""
    written = b""
    for arguments in (("doctor",), ("doctor", "--output", "json"), ("doctor", "--help")):
        done = subprocess.run(
            [OURS, *arguments], env=world.environ, capture_output=True, check=False, timeout=60
        )
        assert b"Traceback" not in done.stderr
        written += done.stdout + done.stderr
    return written


@pytest.mark.parametrize("where", ["file", "variable", "in the wrong place", "repeated", "proxy"])
def test_no_key_and_no_password_is_shown(where: str, world: World) -> None:
    if where == "file":
        world.key(CANARY)
    elif where == "variable":
        world.profile(api_key="env:MY_KEY")
        world.environ.update(MY_KEY=CANARY, IBMCLOUD_API_KEY=CANARY)
    elif where == "in the wrong place":
        world.profile(api_key=CANARY.replace("'", ""))
    elif where == "repeated":
        world.key(CANARY)
        world.fault(status=401, body=json.dumps({"errorMessage": CANARY}).encode())
    else:
        world.profile(url="https://iam.example.com")
        world.environ["HTTPS_PROXY"] = f"http://me:{quote(CANARY, safe='')}@127.0.0.1:1"
    written = said_in_all_forms(world)
    assert b"launchers" in written
    assert not holds(written, CANARY)
    assert not holds(written, world.sandbox.api_key)


# ------------------------------------------------------------------- a real process


def on_a_terminal(environ: dict[str, str]) -> bytes:
    """What the command writes to a pseudo-terminal."""
    leader, follower = pty.openpty()
    process = subprocess.Popen([OURS, "doctor"], env=environ, stdout=follower, stdin=follower)
    os.close(follower)
    written = b""
    with contextlib.suppress(OSError):  # Linux tells the end so
        while chunk := os.read(leader, 65_536):
            written += chunk
    os.close(leader)
    assert process.wait(60) == 0
    return written


def test_colour_is_for_terminals_alone(world: World) -> None:
    coloured = on_a_terminal({**world.environ, "TERM": "xterm"})
    assert b"\x1b[32mok\x1b[0m" in coloured
    for plain in ({"NO_COLOR": "1", "TERM": "xterm"}, {"TERM": "dumb"}):
        assert b"\x1b" not in on_a_terminal({**world.environ, **plain})
    assert b"\x1b" not in said_in_all_forms(world)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it(
    number: int, status: int, world: World, start: Callable[..., "subprocess.Popen[str]"]
) -> None:
    gate = threading.Event()
    world.sandbox.faults.add(Fault(match="*", times=None, gate=gate))
    process = start("doctor")
    assert world.sandbox.requests.wait_for(1, 30)
    process.send_signal(number)
    out, err = process.communicate(timeout=30)
    gate.set()
    assert (process.returncode, err) == (status, "")
    assert out.startswith("ok       installation")


def test_a_reader_that_goes_away_is_told_nothing(world: World) -> None:
    script = f"{OURS} doctor | head -n 1"
    done = subprocess.run(
        ["sh", "-c", script], env=world.environ, capture_output=True, text=True, check=False
    )
    assert (done.stdout.count("\n"), done.stderr) == (1, "")


def test_the_configuration_is_not_touched(world: World) -> None:
    def everything() -> dict[str, tuple[int, bytes]]:
        return {
            str(path): (path.stat().st_mtime_ns, path.read_bytes())
            for path in (world.config, world.key_file)
        }

    before = everything()
    said_in_all_forms(world)
    assert everything() == before
