"""Errors as a user meets them: where no token can be kept, and nothing can be read."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from mistakes import TOKEN_BEGINS, World, told_in_one_line
from processes import Ended, ended


def a_file_in_place_of_the_cache(world: World) -> None:
    world.cache.rmdir()
    world.cache.write_text("a file\n")


@pytest.mark.parametrize(
    ("command", "warning"),
    [
        ("token", "wxhelper: the token is good but could not be kept: Not a directory\n"),
        ("header", "wxhelper: the token is good but could not be kept: Not a directory\n"),
        ("exec-credential", ""),
    ],
)
def test_a_token_that_cannot_be_kept_is_good(command: str, warning: str, world: World) -> None:
    a_file_in_place_of_the_cache(world)
    done = world.wx(command)
    assert (done.status, done.err) == (0, warning)
    assert TOKEN_BEGINS in done.out
    assert world.cache.read_text() == "a file\n"


def by_variables(world: World, **changed: str | None) -> dict[str, str | None]:
    """What it takes to get a token without a configuration."""
    return {
        "WXHELPER_CONFIG": None,
        "WXHELPER_CACHE_DIR": None,
        "WXHELPER_URL": world.sandbox.http_url,
        "IBMCLOUD_API_KEY": world.sandbox.api_key,
        **changed,
    }


def run_as(world: World, command: list[str], changes: dict[str, str | None]) -> Ended:
    return ended(command, world.wx.changed(changes), cwd="/")


def test_a_home_directory_that_is_not_there_is_not_made(
    world: World, program: str, tmp_path: Path
) -> None:
    home = tmp_path / "nonexistent"
    changes = by_variables(world, HOME=str(home))
    status, out, err = run_as(world, [program, "token"], changes)
    assert (status, err) == (
        0,
        (
            "wxhelper: the token is good but could not be kept: "
            f"the home directory {home} does not exist\n"
        ),
    )
    assert world.sandbox.issuer.grant(out.strip()) is not None
    assert not home.exists()


def test_without_home_the_directory_is_that_of_the_user(world: World) -> None:
    # The files are named, so that nothing is kept in the home directory of whoever tests.
    done = world.wx("token", HOME=None)
    assert (done.status, done.err) == (0, "")
    assert world.wx("token") == done


NOBODY = 54_321


@pytest.fixture
def as_nobody(program: str) -> list[str]:
    """What starts the command as a user that no file knows."""
    if os.geteuid() != 0:
        pytest.skip("only root becomes another user")
    if shutil.which("setpriv") is None:
        pytest.skip("there is no setpriv")
    become = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    tried = subprocess.run([*become, program, "--version"], capture_output=True, check=False)
    if tried.returncode != 0:
        pytest.skip("another user may not start the command where it is installed")
    return [*become, program]


@pytest.mark.parametrize(
    ("verb", "warning"),
    [
        ("token", "wxhelper: the token is good but could not be kept: Permission denied\n"),
        ("exec-credential", ""),
    ],
)
def test_a_user_that_is_in_no_list_is_served(
    verb: str, warning: str, world: World, as_nobody: list[str]
) -> None:
    status, out, err = run_as(world, [*as_nobody, verb], by_variables(world, HOME="/"))
    assert (status, err) == (0, warning)
    assert TOKEN_BEGINS in out
    assert world.sandbox.token_requests() == 1


def test_a_user_without_any_home_is_served_too(world: World, as_nobody: list[str]) -> None:
    status, out, err = run_as(world, [*as_nobody, "token"], by_variables(world, HOME=None))
    assert (status, err) == (
        0,
        (
            "wxhelper: the token is good but could not be kept: "
            "there is no home directory to keep it in\n"
        ),
    )
    assert world.sandbox.issuer.grant(out.strip()) is not None


def test_a_configuration_that_may_not_be_read_is_told(world: World, as_nobody: list[str]) -> None:
    told_in_one_line(
        world,
        run_as(world, [*as_nobody, "token"], {}),
        5,
        "the configuration {config} cannot be read: Permission denied; "
        "look at it with: ls -lL {config}",
    )
