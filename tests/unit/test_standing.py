"""How profiles stand when plugins are not as they should be."""

import sys
import types
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from wxhelper import manager
from wxhelper.plugin import SourceContext, TokenSource, TokenSourceType, hookimpl
from wxhelper.record import Moment
from wxhelper.standing import Key, Remark, overview, readable_by_others

BEHIND = "upgrade it, or report it to its authors"


def never(context: SourceContext) -> TokenSource:
    raise AssertionError("nothing is asked")


def fails(settings: object) -> frozenset[str]:
    raise ZeroDivisionError("with the key in it")


def kind(name: str, **changes: object) -> TokenSourceType:
    usual = {
        "name": name,
        "summary": "Made up",
        "token_hosts": lambda settings: frozenset({"tokens.example.com"}),
        "audience": lambda settings: frozenset(),
        "open": never,
    }
    return TokenSourceType(**{**usual, **changes})  # type: ignore[arg-type]


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration with a profile for each of several plugins, of which one is good."""
    kinds = {
        "good": [kind("good", api_key_variables=("A_KEY", "B_KEY"))],
        "failing": [kind("failing", token_hosts=fails)],
        "garbled": [kind("garbled", settings=5, api_key_variables=5)],
        "nothing": [],
    }
    for name, offered in kinds.items():
        module = types.ModuleType(f"a_{name}_plugin")
        module.wxhelper_api = 1  # type: ignore[attr-defined]
        module.wxhelper_token_sources = hookimpl(  # type: ignore[attr-defined]
            lambda offered=offered: offered, specname="wxhelper_token_sources"
        )
        monkeypatch.setitem(sys.modules, module.__name__, module)
    points = [EntryPoint(name, f"a_{name}_plugin", "wxhelper") for name in (*kinds, "gone")]
    monkeypatch.setattr(manager, "entry_points", lambda group: points)
    path = tmp_path / "config.toml"
    path.write_text(
        "".join(
            f'[profiles.{name}]\nsource = "{name}"\napi_key = "env:A_KEY"\n'
            for name in (*kinds, "gone", "none")
        )
    )
    return path


def test_a_plugin_that_is_broken_hides_no_other_profile(config: Path) -> None:
    environ = {"WXHELPER_CONFIG": str(config), "A_KEY": "x", "B_KEY": "y", "HOME": "/"}
    seen = {one.name: one for one in overview(environ, Moment(1000.0)).profiles}
    assert {name: one.plugin for name, one in seen.items()} == {
        **dict.fromkeys(
            ["good", "failing", "garbled", "nothing", "gone"], "an unknown distribution"
        ),
        "none": None,
    }
    assert seen["good"].key == Key("present", "env:A_KEY", ("B_KEY",))
    assert {one.key.state for one in seen.values()} == {"present"}
    assert seen["good"].remarks == ()
    assert seen["failing"].remarks == (
        Remark(
            "the plugin of source failing failed with ZeroDivisionError at test_standing.py:23",
            BEHIND,
        ),
    )
    (garbled,) = seen["garbled"].remarks
    assert garbled.text.startswith("the plugin of source garbled failed with TypeError at types.py")
    assert [one.remarks[0].text for one in seen.values() if one.remarks][2:] == [
        ("the plugin an unknown distribution should offer source nothing once, and offers nothing"),
        (
            "the plugin an unknown distribution cannot be imported: "
            "ModuleNotFoundError: No module named 'a_gone_plugin'"
        ),
        "no installed plugin offers source none",
    ]


def test_a_key_file_that_only_its_owner_can_read_is_no_matter(tmp_path: Path) -> None:
    key_file = tmp_path / "a key"
    assert readable_by_others(str(key_file)) is None
    key_file.touch(0o600)
    assert readable_by_others(str(key_file)) is None
    for bits in (0o640, 0o604, 0o444):
        key_file.chmod(bits)
        assert readable_by_others(str(key_file)) == Remark(
            f"the key file {key_file} can be read by other users", f"chmod 600 '{key_file}'"
        )
