"""Floor 3: the child that asks the keyring; run as a program, never called.

It reads one JSON object (what, name, key, path) and prints one (state, value). The
parent's import path comes with the question, so that both see the same libraries.
Whatever a backend prints or raises stays here: it may hold the key.
"""

import importlib
import json
import os
import signal
import sys
from collections.abc import Iterator
from typing import Any

SERVICE = "wxhelper"
_ALONE = 5  # seconds, more than it is given
DONE, NOTHING = "done", "nothing"
MISSING, UNSAFE, BROKEN = "missing", "unsafe", "broken"
_UNSAFE = ("keyring.backends.fail", "keyring.backends.null", "keyrings.alt.")
_CHAINER = "keyring.backends.chainer"


def main() -> None:
    """Answer the one question on standard input."""
    if hasattr(signal, "alarm"):
        signal.alarm(_ALONE)  # where whoever asks is killed, nobody else ends a backend that hangs
    answer = os.dup(1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    asked = json.load(sys.stdin)
    sys.path.extend(place for place in asked["path"] if place not in sys.path)
    try:
        state, value = _answer(asked["what"], asked["name"], asked["key"])
    except BaseException as fault:  # noqa: BLE001 - a backend fails in any way it likes
        state, value = BROKEN, type(fault).__name__
    os.write(answer, json.dumps({"state": state, "value": value}).encode())
    os._exit(0)  # whatever a backend has left running


def _answer(what: str, name: str, key: str) -> tuple[str, str]:
    try:
        library = importlib.import_module("keyring")
    except ImportError:
        return MISSING, ""
    backends = list(_safe(library.get_keyring()))
    if not backends:
        return UNSAFE, ""
    found = [backend.get_password(SERVICE, name) for backend in backends]
    if what == "keep":
        backends[0].set_password(SERVICE, name, key)
        kept = backends[0].get_password(SERVICE, name)
        return (DONE, "") if kept == key else (UNSAFE, "")
    if what == "drop":
        for backend, held in zip(backends, found, strict=True):
            if held is not None:
                backend.delete_password(SERVICE, name)
    value = next((held for held in found if held is not None), None)
    if value is None:
        return NOTHING, ""
    return DONE, value if what == "get" else ""


def _safe(backend: Any) -> Iterator[Any]:
    """The backends that are really asked, without those that keep nothing or plain text."""
    module = type(backend).__module__
    if module == _CHAINER:
        for one in backend.backends:
            yield from _safe(one)
    elif not f"{module}.".startswith(_UNSAFE):
        yield backend


if __name__ == "__main__":
    main()
