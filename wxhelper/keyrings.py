"""Floor 3: the system's keyring, asked by a child process.

Importing the keyring library and asking it can take minutes where a desktop's
message bus is silent, so a child does it (``keyring_child``) and is ended with all
its own after three seconds. Keys go through pipes alone. What keeps nothing, and
what keeps plain text, is no keyring.

An entry's service is ``wxhelper``, and its user the NAME of ``keyring:NAME``.
"""

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field

from wxhelper import command, keyring_child
from wxhelper.errors import THIS_PROFILE

DEADLINE = 3.0
DONE, NOTHING, NONE_WORKS = "done", "nothing", "none works"
LONGEST_KEY = 8_192
_EXTRA = "wxhelper-core[keyring]"
_FILE = f"keep the key in a file: wxhelper login {THIS_PROFILE} --store file"


@dataclass(frozen=True)
class Answer:
    """What the keyring answered.

    Attributes:
        state: DONE; NOTHING when there is no such entry; NONE_WORKS with a fault.
        value: the key that was asked for; else "".
        fault: why none works, to follow a colon; or "".
        remedy: what to do about it.
    """

    state: str
    value: str = field(default="", repr=False)
    fault: str = ""
    remedy: str = ""


def get(name: str, environ: Mapping[str, str], seconds: float = DEADLINE) -> Answer:
    """The key of an entry.

    Args:
        name: the entry's user.
        environ: the variables; those that hold keys are not handed on.
        seconds: the deadline, if it comes before the usual one.
    """
    return _ask("get", name, "", environ, seconds)


def keep(name: str, key: str, environ: Mapping[str, str]) -> Answer:
    """Put a key into an entry, in place of the one in it; it is read back to be sure."""
    return _ask("keep", name, key, environ, DEADLINE)


def drop(name: str, environ: Mapping[str, str]) -> Answer:
    """Remove an entry."""
    return _ask("drop", name, "", environ, DEADLINE)


def _ask(what: str, name: str, key: str, environ: Mapping[str, str], seconds: float) -> Answer:
    seconds = min(seconds, DEADLINE)
    path = [place for place in sys.path if os.path.isabs(place)]
    asked = {"what": what, "name": name, "key": key, "path": path}
    ran = command.run(
        [sys.executable or "python3", "-I", keyring_child.__file__],
        folder="/",
        environ=command.scrubbed(environ),
        seconds=seconds,
        given=json.dumps(asked).encode(),
    )
    if ran.late:
        return Answer(
            NONE_WORKS,
            fault=f"the keyring did not answer within {seconds:g} seconds",
            remedy=f"unlock it, or {_FILE}",
        )
    try:
        said = json.loads(ran.output)
        state, value = str(said["state"]), str(said["value"])
    except (ValueError, KeyError, TypeError):
        # What it printed instead is not shown: it may hold the key.
        state, value = keyring_child.BROKEN, ""
    return _judged(state, value)


def _judged(state: str, value: str) -> Answer:
    remedy = _FILE
    if state in (DONE, NOTHING):
        return Answer(state, value)
    if state == keyring_child.MISSING:
        fault, remedy = "the keyring library is not installed", f"install {_EXTRA}, or {remedy}"
    elif state == keyring_child.UNSAFE:
        fault = "there is no keyring here that keeps a key safe"
    else:
        fault = "the keyring failed" + (f" with {value}" if value.isidentifier() else "")
    return Answer(NONE_WORKS, fault=fault, remedy=remedy)
