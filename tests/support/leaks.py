"""A key that is looked for in every spelling, in output, files, names and arguments."""

import base64
import itertools
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, quote_plus

# Every way to write it down makes another text of it.
KEY = 'CaNaRy+0451/of=the&mine%"\\é shaft<7>'


def in_base64(data: bytes) -> Iterator[bytes]:
    """What of the data's base64 is the same whatever stands before and after it."""
    for before, encode in itertools.product(range(3), (base64.b64encode, base64.urlsafe_b64encode)):
        encoded = encode(bytes(before) + data)
        whole = len(encoded) // 4 * 4 - (4 if (before + len(data)) % 3 else 0)
        yield encoded[4 if before else 0 : whole]


def forms(secret: str) -> set[bytes]:
    """The secret, in every spelling that a program may give it."""
    data = secret.encode()
    spelled = {
        secret,
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        repr(secret)[1:-1],
        repr(data)[2:-1],
        data.hex(),
        data.hex().upper(),
    }
    return {text.encode() for text in spelled} | set(in_base64(data))


def holds(data: bytes, secret: str) -> bool:
    return any(form in data for form in forms(secret))


def files_with(secret: str, *roots: Path) -> set[Path]:
    """The files that have the secret in their name or in their content."""
    found = set()
    for path in itertools.chain.from_iterable(root.rglob("*") for root in roots):
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        if holds(os.fsencode(path), secret) or holds(content, secret):
            found.add(path)
    return found


class Watch:
    """Looks at the arguments of all processes on the machine, all the time."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(0.004):
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    with open(f"/proc/{pid}/cmdline", "rb") as file:
                        self.seen.add(file.read())
                except OSError:
                    continue
