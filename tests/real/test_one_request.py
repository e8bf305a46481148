"""However many processes ask at once, the service is asked once."""

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from processes import held_up, holder_of, issued
from wxhelper.sandbox import Fault, Sandbox

if TYPE_CHECKING:
    import subprocess

    from tests.conftest import Command
    from tests.real.conftest import Ended, Start, StartWaiting

    AtOnce = Callable[..., list[Ended]]
    Finish = Callable[["subprocess.Popen[str]"], Ended]


def test_two_hundred_on_a_cold_cache_with_a_slow_service(
    at_once: "AtOnce", sandbox: Sandbox
) -> None:
    sandbox.faults.add(Fault(match="iam", latency=5.0))
    ended = at_once(200, "token")
    token = ended[0][1].strip()
    assert sandbox.issuer.grant(token) is not None
    assert set(ended) == {(0, f"{token}\n", "")}
    assert sandbox.token_requests() == 1


def test_sixty_with_a_key_that_is_refused(
    at_once: "AtOnce", sandbox: Sandbox, key_file: Path
) -> None:
    sandbox.keys.clear()
    line = (
        f"wxhelper: profile sandbox: IBM Cloud IAM refused the API key from file:{key_file}: "
        "BXNIM0415E Provided API key could not be found; replace it: wxhelper login "
        "--profile sandbox; if the key was mended instead, run: "
        "wxhelper invalidate --profile sandbox\n"
    )
    assert set(at_once(60, "header")) == {(4, "", line)}
    assert sandbox.token_requests() == 1


@pytest.mark.parametrize(
    ("count", "fault"),
    [
        (60, Fault(match="iam", latency=1.0)),
        (20, Fault(match="iam", status=429, headers={"Retry-After": "300"}, times=None)),
    ],
    ids=["slow", "failing"],
)
def test_many_when_the_token_is_due(
    count: int,
    fault: Fault,
    at_once: "AtOnce",
    wx: "Command",
    sandbox: Sandbox,
    make_due: Callable[[], None],
) -> None:
    held = wx("token").out
    make_due()
    sandbox.faults.add(fault)
    ended = at_once(count, "token")
    assert {(status, err) for status, _, err in ended} == {(0, "")}
    renewed = {out for _, out, _ in ended} - {held}
    assert len(renewed) == (0 if fault.status else 1)
    assert all(sandbox.issuer.grant(out.strip()) for out in renewed)
    assert sandbox.token_requests() == 2


def test_a_burst_survives_the_killing_of_the_one_that_fetches(
    start: "Start", finish: "Finish", sandbox: Sandbox, cache: Path
) -> None:
    if not Path("/proc/locks").exists():
        pytest.skip("there is no /proc/locks here")
    gate = threading.Event()
    sandbox.faults.add(Fault(match="iam", gate=gate))
    processes = [start("token") for _ in range(30)]
    assert sandbox.requests.wait_for(1, 30, service="iam")
    victim = holder_of(next(cache.glob("*.lock")))
    assert victim in [process.pid for process in processes]
    os.kill(victim, signal.SIGKILL)
    killed = next(process for process in processes if process.pid == victim)
    ended = [finish(process) for process in processes if process is not killed]
    gate.set()
    assert len(set(ended)) == 1
    issued(sandbox, ended[0])
    assert finish(killed) == (-signal.SIGKILL, "", "")
    assert sandbox.token_requests() == 2


def test_those_that_wait_already_take_over_from_one_that_is_killed(
    start: "Start", start_waiting: "StartWaiting", finish: "Finish", sandbox: Sandbox
) -> None:
    victim, gate = held_up(sandbox, start)
    waiting = start_waiting(3, "token")
    victim.kill()
    ended = [finish(process) for process in waiting]
    gate.set()
    assert len(set(ended)) == 1
    issued(sandbox, ended[0])
    assert sandbox.token_requests() == 2


def test_nobody_waits_for_a_stopped_holder_while_a_token_is_good(
    start: "Start",
    finish: "Finish",
    wx: "Command",
    sandbox: Sandbox,
    make_due: Callable[[], None],
) -> None:
    held = wx("token").out
    make_due()
    stopped, gate = held_up(sandbox, start, requests=2)
    stopped.send_signal(signal.SIGSTOP)
    others = [start("token") for _ in range(10)]
    ended = {finish(process) for process in others}
    assert stopped.poll() is None
    assert ended == {(0, held, "")}
    assert sandbox.token_requests() == 2
    gate.set()
    stopped.send_signal(signal.SIGCONT)
    issued(sandbox, finish(stopped))


def test_those_that_waited_get_the_token_that_the_other_one_fetched(
    start: "Start", start_waiting: "StartWaiting", finish: "Finish", sandbox: Sandbox
) -> None:
    first, gate = held_up(sandbox, start)
    waiting = start_waiting(3, "token")
    gate.set()
    fetched = finish(first)
    assert fetched[0] == 0
    assert [finish(process) for process in waiting] == [fetched] * 3
    assert sandbox.token_requests() == 1


def test_two_profiles_do_not_wait_for_each_other(
    start: "Start", finish: "Finish", wx: "Command", sandbox: Sandbox, config: Path
) -> None:
    with config.open("a") as file:
        file.write(
            '\n[profiles.other]\nsource = "ibmcloud"\n'
            f'url = "{sandbox.http_url}"\napi_key = "file:apikey"\n'
        )
    fetching, gate = held_up(sandbox, start, "--profile", "sandbox")
    assert wx("token", "--profile", "other").status == 0
    assert fetching.poll() is None
    gate.set()
    assert finish(fetching)[0] == 0


def test_a_fetch_that_is_under_way_during_invalidate_counts_for_nothing(
    start: "Start", finish: "Finish", wx: "Command", sandbox: Sandbox
) -> None:
    fetching, gate = held_up(sandbox, start)
    assert wx("invalidate").status == 0
    gate.set()
    status, out, err = finish(fetching)
    assert (status, err) == (0, "")
    assert wx("token").out == out
    assert sandbox.token_requests() == 2
