"""Clocks that are wrong: fresh tokens are used, kept and not asked for again and again."""

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wxhelper.sandbox import Fault, Sandbox

if TYPE_CHECKING:
    from tests.conftest import Command, Outcome
    from tests.real.conftest import Ended

NINETY_MINUTES = 5400.0
either_way = pytest.mark.parametrize(
    "skew", [NINETY_MINUTES, -NINETY_MINUTES], ids=["fast", "slow"]
)


@pytest.fixture
def skew() -> float:
    """By how much the service's clock is wrong."""
    return 0.0


@pytest.fixture
def sandbox(tmp_path: Path, skew: float) -> Iterator[Sandbox]:
    """A service whose clock is wrong, in its tokens and its Date alike."""
    folder = tmp_path / "sandbox"
    folder.mkdir(mode=0o700)
    with Sandbox(str(folder), tls=False, clock=lambda: time.time() + skew) as running:
        yield running


def assert_an_hour(asked_after: float, done: "Outcome") -> None:
    """The token is said to live for an hour from when it was asked for."""
    assert (done.status, done.err) == (0, "")
    held = json.loads(done.out)
    assert asked_after + 3600 - 1 <= held["expires_at"] <= time.time() + 3600
    assert held["refresh_at"] < held["expires_at"]


def assert_hits(wx: "Command", sandbox: Sandbox, done: "Outcome", requests: int) -> None:
    token = json.loads(done.out)["token"]
    assert {wx("token").out for _ in range(3)} == {f"{token}\n"}
    assert sandbox.token_requests() == requests


@either_way
def test_a_service_with_a_wrong_clock_gives_tokens_that_are_used(
    skew: float, wx: "Command", sandbox: Sandbox
) -> None:
    before = time.time()
    done = wx("token", "--output", "json")
    assert_an_hour(before, done)
    assert_hits(wx, sandbox, done, 1)


@either_way
def test_a_lifetime_is_measured_on_the_services_own_clock(
    skew: float, wx: "Command", sandbox: Sandbox
) -> None:
    now = sandbox.clock()
    token = sandbox.issuer.issue("somebody", now=now, lifetime=3600)
    answer = {"access_token": token, "expiration": int(now) + 3600}
    sandbox.faults.add(Fault(match="iam", body=json.dumps(answer).encode()))
    done = wx("token", "--output", "json")
    # Date has whole seconds: one may be lost on the way, and one by a slow machine's start.
    life = json.loads(done.out)["expires_at"] - time.time()
    assert (done.status, done.err) == (0, "")
    assert 3500 < life <= 3601
    assert_hits(wx, sandbox, done, 1)


@pytest.mark.parametrize("date", [NINETY_MINUTES, -NINETY_MINUTES])
def test_a_date_that_is_wrong_changes_nothing(date: float, wx: "Command", sandbox: Sandbox) -> None:
    sandbox.date_skew = date
    before = time.time()
    done = wx("token", "--output", "json")
    assert_an_hour(before, done)
    assert_hits(wx, sandbox, done, 1)


# ---------------------------------------------------------------------------- the client's clock


def run(wx: "Command", *command: str) -> "Ended":
    done = subprocess.run(
        [*command, "token"],
        env={**wx.environ, "FAKETIME_DONT_FAKE_MONOTONIC": "1"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.skipif(shutil.which("faketime") is None, reason="faketime is not installed")
@pytest.mark.parametrize("wrong", ["+90m", "-90m"])
def test_a_client_with_a_wrong_clock_asks_once_and_once_more_when_it_is_set(
    wrong: str, unwatched: "Command", sandbox: Sandbox, program: str
) -> None:
    first = run(unwatched, "faketime", "-f", wrong, program)
    assert sandbox.issuer.grant(first[1].strip()) is not None
    assert {run(unwatched, "faketime", "-f", wrong, program) for _ in range(3)} == {first}
    assert sandbox.token_requests() == 1
    second = run(unwatched, program)
    assert {run(unwatched, program) for _ in range(3)} == {second}
    assert [first[0], second[0], first[2], second[2]] == [0, 0, "", ""]
    assert first[1] != second[1]
    assert sandbox.token_requests() == 2


def test_time_that_went_by_unnoticed_by_the_wall_clock_counts(
    wx: "Command", sandbox: Sandbox, program: str
) -> None:
    # Two hours more since the machine was started, on a wall clock that says the same: as if
    # it had been set back after the token had died.
    later = ["unshare", "--time", "--boottime", "7200", "--fork"]
    if os.geteuid() != 0 or shutil.which("unshare") is None or run_true(later) != 0:
        pytest.skip("there is no clock of one's own to be had")
    first = wx("token")
    second = run(wx, *later, program)
    assert second[0] == 0
    assert second[1] != first.out
    assert run(wx, *later, program) == second
    assert sandbox.token_requests() == 2


def run_true(command: list[str]) -> int:
    return subprocess.run([*command, "true"], capture_output=True, check=False).returncode
