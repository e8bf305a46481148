"""The look at all processes by which other tests find secrets that are in the wrong place."""

import subprocess
import sys

import pytest

import watch
from watch import Watch

pytestmark = pytest.mark.skipif(not watch.HERE, reason="there is no /proc here")

WAITS = "import sys; print(flush=True); sys.stdin.read()"


def seen(*arguments: str, environments: bool, **environ: str) -> Watch:
    """A look at a process that was there."""
    looking = Watch(environments=environments)
    with subprocess.Popen(
        [sys.executable, "-c", WAITS, *arguments],
        env=environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        looking.look()
        process.communicate()
    return looking


def test_an_argument_is_seen() -> None:
    assert seen("a-canary", environments=False).found("a-canary", "another") == ["a-canary"]


def test_a_part_of_an_argument_is_seen() -> None:
    assert seen("--header=a-canary!", environments=False).found("a-canary") == ["a-canary"]


@pytest.mark.parametrize("environments", [True, False])
def test_a_variable_is_seen_where_variables_are_looked_at(environments: bool) -> None:
    looking = seen(environments=environments, SECRET="canary-in-a-variable")
    assert looking.found("canary-in-a-variable") == ["canary-in-a-variable"] * environments


def test_a_process_that_ran_meanwhile_is_seen() -> None:
    with Watch() as looking:
        subprocess.run(["sleep", "0.5"], check=True)
    assert looking.ran({"sleep", "no-such-program"}) == {"sleep"}
