"""Floor 6: the programs that an entry names, by paths that stay true.

A path is absolute, since desktops start tools with another PATH than shells have;
and it is not resolved, since package managers link a stable name to a directory
with a version in it, which the next upgrade removes.
"""

import os
import shutil
import sys
import sysconfig
from collections.abc import Mapping, Sequence

from wxhelper.errors import ConfigurationError

NAME = "wxhelper"


def find(
    environ: Mapping[str, str], name: str = NAME, argv: Sequence[str] = tuple(sys.argv)
) -> str:
    """The program's absolute path.

    Args:
        environ: the variables; PATH is looked at last.
        name: ``wxhelper``, or a program that is installed beside it.
        argv: how this process was started.

    Raises:
        ConfigurationError: there is none, or its path has unprintable characters.
    """
    started = argv[0] if argv else ""
    if os.path.basename(started) == NAME and os.sep not in started:
        started = shutil.which(started, path=environ.get("PATH")) or ""
    beside = [os.path.abspath(started)] if os.path.basename(started) == NAME else []
    beside += [os.path.realpath(path) for path in beside]
    folders = [*map(os.path.dirname, beside), sysconfig.get_path("scripts")]
    for folder in folders:
        path = os.path.join(folder, name)
        if runs(path) and path.isprintable():
            return path
    found = shutil.which(name, path=environ.get("PATH"))
    if found is None or not os.path.abspath(found).isprintable():
        raise ConfigurationError(
            f"the program {name} is not beside this one and not on PATH",
            remedy="install wxhelper-core again",
        )
    return os.path.abspath(found)


def runs(path: str) -> bool:
    """Whether there is a program that may be run."""
    return os.path.isfile(path) and os.access(path, os.X_OK)


def is_ours(command: str, name: str = NAME) -> bool:
    """Whether a command in some entry names the program, wherever it is."""
    return os.path.basename(command) == name
