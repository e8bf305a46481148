"""Floor 2: where configuration and cache live, and what the files are called.

The rules are platformdirs' (XDG on Linux and macOS, else the platform's own),
computed here with ``os`` alone because a hit may not import platformdirs; a test
holds the two equal. Where this file cannot know (Windows' known folders, no home
directory) it answers None, and the long way asks platformdirs.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

_APPLICATION = "wxhelper"

RECORD = "token"
LOCK = "lock"
FAILURE = "failure"
GENERATION = "generation"
NOTHING = "nothing"
POINTER = "pointer"


def cache_dir(environ: "Mapping[str, str]", platform: str = sys.platform) -> str | None:
    """The cache directory, or None where only platformdirs can tell."""
    if given := environ.get("WXHELPER_CACHE_DIR"):
        return _absolute(given)
    base = _base(environ, platform, "XDG_CACHE_HOME", ".cache", "Library/Caches")
    return base and os.path.join(base, _APPLICATION)


def config_file(environ: "Mapping[str, str]", platform: str = sys.platform) -> str | None:
    """The configuration file, there or not; None where only platformdirs can tell."""
    if given := environ.get("WXHELPER_CONFIG"):
        return _absolute(given)
    return _usual_config(environ, platform)


def _usual_config(environ: "Mapping[str, str]", platform: str) -> str | None:
    base = _base(environ, platform, "XDG_CONFIG_HOME", ".config", "Library/Application Support")
    return base and os.path.join(base, _APPLICATION, "config.toml")


def _absolute(path: str) -> str | None:
    try:
        return os.path.abspath(path)
    except OSError:  # it is relative to a directory that is gone
        return None


def _base(
    environ: "Mapping[str, str]", platform: str, variable: str, linux: str, macos: str
) -> str | None:
    if platform == "win32":
        return None
    given = environ.get(variable, "")
    if given.startswith("/"):
        return given
    home = environ["HOME"] if "HOME" in environ else os.path.expanduser("~")
    if not home.startswith("/"):
        return None
    return os.path.join(home, macos if platform == "darwin" else linux)


def file_name(kind: str, profile: str, environ: "Mapping[str, str]", config: str) -> str:
    """The name, inside the cache directory, of a file about one profile.

    A configuration in another than the usual place has names of its own: two
    projects that both call a profile "dev" would otherwise throw out each
    other's token at every turn. The number need not be unguessable or unique,
    since a record names the configuration that it is about.

    Args:
        kind: one of the constants of this module.
        profile: a profile's name; empty for the pointer to the default one.
        environ: the variables.
        config: the configuration file.
    """
    return f"{entry_name(profile, environ, config)}.{kind}"


def entry_name(profile: str, environ: "Mapping[str, str]", config: str) -> str:
    """The name of a profile among those of all configurations."""
    slot = ""
    if environ.get("WXHELPER_CONFIG") and config != _usual_config(environ, sys.platform):
        slot = f"@{int.from_bytes(os.fsencode(config), 'big') % (2**61 - 1):016x}"
    return f"{profile}{slot}"
