"""Where the programs are that an entry names: absolute, and by the name that upgrades keep."""

import os
import sysconfig
from pathlib import Path

import pytest

from wxhelper.errors import ConfigurationError
from wxhelper.installers import launcher

SIBLING = "git-credential-wxhelper"


@pytest.fixture
def versioned(tmp_path: Path) -> Path:
    """A directory as package managers make them: `bin` links into one with a version."""
    inside = tmp_path / "cellar" / "1.0" / "bin"
    inside.mkdir(parents=True)
    (tmp_path / "bin").mkdir()
    for name in ("wxhelper", SIBLING):
        (inside / name).write_text("#!/bin/sh\n")
        (inside / name).chmod(0o755)
        (tmp_path / "bin" / name).symlink_to(inside / name)
    return tmp_path


@pytest.mark.parametrize("name", ["wxhelper", SIBLING])
@pytest.mark.parametrize("typed", ["{root}/bin/wxhelper", "wxhelper", "./bin/wxhelper"])
def test_the_name_is_the_one_that_was_typed(
    typed: str, name: str, versioned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(versioned)
    found = launcher.find({"PATH": f"{versioned}/bin"}, name, [typed.format(root=versioned)])
    assert found == f"{versioned}/bin/{name}"


def test_a_sibling_may_be_beside_where_the_link_leads(versioned: Path) -> None:
    (versioned / "bin" / SIBLING).unlink()
    found = launcher.find({}, SIBLING, [f"{versioned}/bin/wxhelper"])
    assert found == f"{versioned}/cellar/1.0/bin/{SIBLING}"


def test_started_as_a_module_it_is_where_scripts_are() -> None:
    found = launcher.find({}, "wxhelper", ["/site-packages/wxhelper/__main__.py"])
    assert found == os.path.join(sysconfig.get_path("scripts"), "wxhelper")


def test_at_last_the_search_path_is_looked_at(versioned: Path) -> None:
    only = versioned / "bin" / "wxhelper-else"
    only.symlink_to(versioned / "cellar" / "1.0" / "bin" / "wxhelper")
    found = launcher.find({"PATH": f"{versioned}/bin"}, "wxhelper-else", [])
    assert found == str(only)


def test_a_program_that_is_nowhere_is_told() -> None:
    with pytest.raises(ConfigurationError, match="the program wxhelper-none is not beside") as told:
        launcher.find({"PATH": "/none"}, "wxhelper-none", [])
    assert told.value.remedy == "install wxhelper-core again"
