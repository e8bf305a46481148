"""Clocks that are wrong, for every source: fresh tokens are used, and asked for once."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from processes import ended
from wxhelper.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.conftest import Command

NINETY_MINUTES = 5400.0
# A profile of the sandbox's, and how many requests one token takes.
every_source = pytest.mark.parametrize(
    ("profile", "requests"),
    [("sandbox", 1), ("trusted-profile", 2), ("kubernetes", 1), ("aws", 1), ("govcloud", 1),
     ("dph", 1)],
)  # fmt: skip


@pytest.fixture
def skew() -> float:
    """By how much the service's clock is wrong."""
    return 0.0


@pytest.fixture
def sandbox(tmp_path: Path, skew: float) -> Iterator[Sandbox]:
    """Services whose clock is wrong, in their tokens and their Date alike."""
    folder = tmp_path / "sandbox"
    folder.mkdir(mode=0o700)
    with Sandbox(str(folder), tls=False, clock=lambda: time.time() + skew) as running:
        yield running


@every_source
@pytest.mark.parametrize("skew", [NINETY_MINUTES, -NINETY_MINUTES], ids=["fast", "slow"])
def test_a_service_with_a_wrong_clock(
    skew: float, profile: str, requests: int, wx: "Command", sandbox: Sandbox
) -> None:
    before = int(time.time())
    done = wx("token", "--output", "json", "--profile", profile)
    assert (done.status, done.err) == (0, "")
    held = json.loads(done.out)
    assert before + 3600 <= held["expires_at"] <= time.time() + 3600
    assert {wx("token", "--profile", profile).out for _ in range(2)} == {f"{held['token']}\n"}
    assert sandbox.token_requests() == requests


# The command, on a wall clock that is wrong; no other clock is.
WRONG = """
import sys, time
right, wrong = time.time, float(sys.argv.pop(1))
time.time = lambda: right() + wrong
from wxhelper.door import main
sys.exit(main(sys.argv[1:]))
"""


@every_source
@pytest.mark.parametrize("wrong", [NINETY_MINUTES, -NINETY_MINUTES], ids=["fast", "slow"])
def test_a_client_with_a_wrong_clock(
    wrong: float, profile: str, requests: int, wx: "Command", sandbox: Sandbox
) -> None:
    command = [sys.executable, "-c", WRONG, str(wrong), "token", "--profile", profile]
    done = [ended(command, wx.environ) for _ in range(3)]
    assert len(set(done)) == 1
    status, out, err = done[0]
    assert (status, err) == (0, "")
    assert sandbox.issuer.grant(out.strip()) is not None
    assert sandbox.token_requests() == requests
    # Once the clock is right, what was made on the wrong one is not trusted.
    assert wx("token", "--profile", profile).out not in ("", out)
    assert sandbox.token_requests() == 2 * requests
