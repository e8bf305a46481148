"""Errors as a user meets them: the standard streams."""

import os
import subprocess

import pytest

from mistakes import World, told_in_one_line
from processes import Ended, ended


def in_shell(world: World, script: str, program: str) -> Ended:
    return ended(["sh", "-c", script, "sh", program], world.environ)


@pytest.mark.parametrize("held", [False, True], ids=["miss", "hit"])
@pytest.mark.parametrize("command", ["token", "header", "exec-credential"])
@pytest.mark.parametrize(
    ("into", "line"),
    [
        (">&-", "standard output is closed; let it go to a pipe or a file"),
        (
            ">/dev/full",
            (
                "standard output does not take the answer: No space left on device; "
                "look at where it is redirected to"
            ),
        ),
    ],
    ids=["closed", "full"],
)
def test_an_answer_that_cannot_be_written_is_told(
    held: bool, command: str, into: str, line: str, world: World, program: str
) -> None:
    if held:
        assert world.wx("token").status == 0
    told_in_one_line(world, in_shell(world, f'"$1" {command} {into}', program), 3, line)


@pytest.mark.parametrize("held", [False, True], ids=["miss", "hit"])
def test_a_reader_that_goes_away_is_told_nothing(held: bool, world: World, program: str) -> None:
    if held:
        assert world.wx("token").status == 0
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [program, "token"],
            env=world.environ,
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (3, "")


@pytest.mark.parametrize("held", [False, True], ids=["miss", "hit"])
@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- 2>&-"])
def test_the_other_streams_may_be_closed(
    held: bool, closed: str, world: World, program: str
) -> None:
    if held:
        assert world.wx("token").status == 0
    status, out, err = in_shell(world, f'"$1" token {closed}', program)
    assert (status, err) == (0, "")
    assert world.sandbox.issuer.grant(out.strip()) is not None
    assert world.wx("token").out == out
