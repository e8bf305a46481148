"""Floor 2: where things are kept, by platformdirs' rules."""

import os

import platformdirs
import pytest
from platformdirs.macos import MacOS
from platformdirs.unix import Unix

from wxhelper import paths
from wxhelper.paths import cache_dir, config_file, file_name

HERE = ["/home/me", "/home/me/", "/", "/home/with space", "/home/ü"]
XDG = [None, "", " ", "/x", "/x/", "/x//y", "relative", "./x", "~/x", "~", " /x"]


def environment(home: str | None, xdg: str | None) -> dict[str, str]:
    given = {"HOME": home, "XDG_CACHE_HOME": xdg, "XDG_CONFIG_HOME": xdg}
    return {name: value for name, value in given.items() if value is not None}


def exported(monkeypatch: pytest.MonkeyPatch, environ: dict[str, str]) -> dict[str, str]:
    """The same variables for this process, which platformdirs looks at."""
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    return environ


@pytest.mark.parametrize("platform", ["linux", "darwin"])
@pytest.mark.parametrize("xdg", XDG)
@pytest.mark.parametrize("home", HERE)
def test_directories_are_those_of_platformdirs(
    monkeypatch: pytest.MonkeyPatch, home: str, xdg: str | None, platform: str
) -> None:
    environ = exported(monkeypatch, environment(home, xdg))
    known = {"linux": Unix, "darwin": MacOS}[platform]("wxhelper", appauthor=False)
    assert cache_dir(environ, platform) == known.user_cache_dir
    assert config_file(environ, platform) == os.path.join(known.user_config_dir, "config.toml")


def test_they_are_those_of_this_platform(monkeypatch: pytest.MonkeyPatch) -> None:
    environ = exported(monkeypatch, environment("/home/me", None))
    assert cache_dir(environ) == platformdirs.user_cache_dir("wxhelper", appauthor=False)


@pytest.mark.parametrize("xdg", [None, "relative"])
def test_without_home_the_directory_of_the_user_counts(
    monkeypatch: pytest.MonkeyPatch, xdg: str | None
) -> None:
    environ = exported(monkeypatch, environment(None, xdg))
    known = Unix("wxhelper", appauthor=False)
    assert cache_dir(environ, "linux") == known.user_cache_dir
    assert config_file(environ, "linux") == os.path.join(known.user_config_dir, "config.toml")


@pytest.mark.parametrize("home", ["", "relative", "./x", "~"])
def test_a_home_that_is_no_directory_is_left_to_platformdirs(home: str) -> None:
    environ = environment(home, None)
    assert (cache_dir(environ, "linux"), config_file(environ, "linux")) == (None, None)


def test_windows_is_left_to_platformdirs() -> None:
    environ = environment("/home/me", "/x")
    assert (cache_dir(environ, "win32"), config_file(environ, "win32")) == (None, None)


@pytest.mark.parametrize("platform", ["linux", "darwin", "win32"])
def test_variables_of_our_own_win(platform: str) -> None:
    environ = {
        **environment("/home/me", "/x"),
        "WXHELPER_CACHE_DIR": "/c/cache",
        "WXHELPER_CONFIG": "/c/my.toml",
    }
    assert cache_dir(environ, platform) == "/c/cache"
    assert config_file(environ, platform) == "/c/my.toml"


def test_empty_variables_of_our_own_are_as_good_as_unset() -> None:
    environ = {**environment("/h", None), "WXHELPER_CACHE_DIR": "", "WXHELPER_CONFIG": ""}
    assert cache_dir(environ, "linux") == "/h/.cache/wxhelper"
    assert config_file(environ, "linux") == "/h/.config/wxhelper/config.toml"


@pytest.mark.parametrize(
    ("given", "meant"),
    [("x", "{here}/x"), ("./x/../y", "{here}/y"), ("/a/../b/", "/b"), ("~/x", "{here}/~/x")],
)
def test_a_path_of_our_own_is_made_absolute(given: str, meant: str) -> None:
    meant = meant.format(here=os.getcwd())
    assert cache_dir({"WXHELPER_CACHE_DIR": given}) == meant
    assert config_file({"WXHELPER_CONFIG": given}) == meant


# ------------------------------------------------------------------------------------- names

CONFIG = "/home/me/.config/wxhelper/config.toml"


@pytest.mark.parametrize(
    ("kind", "profile", "name"),
    [
        (paths.RECORD, "dev", "dev.token"),
        (paths.FAILURE, "dev", "dev.failure"),
        (paths.GENERATION, "dev", "dev.generation"),
        (paths.LOCK, "dev", "dev.lock"),
        (paths.NOTHING, "dev", "dev.nothing"),
        (paths.POINTER, "", ".pointer"),
        (paths.RECORD, ".", "..token"),
        (paths.RECORD, "..", "...token"),
        (paths.RECORD, "a.token", "a.token.token"),
    ],
)
def test_files_are_named_after_profile_and_kind(kind: str, profile: str, name: str) -> None:
    assert file_name(kind, profile, {}, CONFIG) == name


def test_a_configuration_of_its_own_has_names_of_its_own() -> None:
    names = {
        file_name(paths.RECORD, "dev", {"WXHELPER_CONFIG": given}, config)
        for given, config in (
            ("", CONFIG),
            (CONFIG, CONFIG),
            ("/a/wx.toml", "/a/wx.toml"),
            ("/b/wx.toml", "/b/wx.toml"),
            ("/ü", "/ü"),
            ("/\udcff", "/\udcff"),
        )
    }
    assert len(names) == 6
    assert "dev.token" in names


def test_the_usual_configuration_has_the_usual_names_however_it_is_named() -> None:
    home = {"HOME": "/home/me"}
    config = config_file(home)
    assert config is not None
    environ = {**home, "WXHELPER_CONFIG": config}
    assert file_name(paths.RECORD, "dev", environ, config) == "dev.token"


def test_the_name_is_the_same_every_time() -> None:
    environ = {"WXHELPER_CONFIG": "wx.toml"}
    name = file_name(paths.RECORD, "dev", environ, "/a/wx.toml")
    assert name == "dev@0f77782e7470e875.token" == file_name("token", "dev", environ, "/a/wx.toml")


@pytest.mark.parametrize("profile", ["dev", "x" * 64])
def test_a_name_is_one_name_and_short_enough_for_every_file_system(profile: str) -> None:
    config = "/" + "long/" * 1000
    for kind in (paths.RECORD, paths.FAILURE, paths.GENERATION, paths.LOCK, paths.NOTHING):
        name = file_name(kind, profile, {"WXHELPER_CONFIG": config}, config)
        assert "/" not in name
        assert len(f".{name}.{'0' * 12}.tmp") <= 143  # eCryptfs has the shortest names


def test_no_two_kinds_or_profiles_share_a_name() -> None:
    kinds = (
        paths.RECORD,
        paths.FAILURE,
        paths.GENERATION,
        paths.LOCK,
        paths.NOTHING,
        paths.POINTER,
    )
    profiles = ("", "a", "a.token", "a.token.token", "token", ".", "..")
    names = [file_name(kind, profile, {}, CONFIG) for kind in kinds for profile in profiles]
    assert len(set(names)) == len(names)
