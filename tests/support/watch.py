"""What every user of the machine, or every process of this user, can see of the others."""

import os
import threading
from collections.abc import Iterable
from pathlib import Path

HERE = Path("/proc/self/environ").exists()


class Watch:
    """Looks at all processes on the machine, all the time.

    Args:
        environments: whether to look at their variables, too.

    Attributes:
        seen: the arguments, and variables, of whatever process was there.
    """

    def __init__(self, *, environments: bool = False) -> None:
        self.seen: set[bytes] = set()
        self._commands: set[bytes] = set()
        self._files = ("cmdline", "environ") if environments else ("cmdline",)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Watch":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def look(self) -> None:
        """One look at all of them, which a test takes when it knows that one is there."""
        for process in filter(str.isdigit, os.listdir("/proc")):
            for name in self._files:
                try:
                    with open(f"/proc/{process}/{name}", "rb") as file:
                        content = file.read()
                except OSError:
                    continue
                self.seen.add(content)
                if name == "cmdline":
                    self._commands.add(content)

    def found(self, *secrets: str) -> list[str]:
        """Which of the secrets were to be seen."""
        return [s for s in secrets if any(s.encode() in each for each in self.seen)]

    def ran(self, programs: Iterable[str]) -> set[str]:
        """Which of the programs were to be seen running, by themselves or in an interpreter."""
        words = {word for each in self._commands for word in each.split(b"\0")[:2]}
        names = {os.path.basename(os.fsdecode(word)) for word in words}
        return names.intersection(programs)

    def _run(self) -> None:
        while not self._done.wait(0.004):
            self.look()
