"""Floor 2: what was looked at on the way to an answer.

Whoever decides something from a file or a variable reads it through a
``Lookups``, so that the list of what a record depends on is complete by
construction. Reading also makes the file's state fit its content: a file that
was changed in the clock tick of the read could change once more and look the
same (git's racy-git), so a young file is read only when that tick is over.
"""

import errno
import os
import shlex
import stat
import time
from collections.abc import Callable, Iterable, Mapping

from wxhelper.errors import ConfigurationError
from wxhelper.fingerprint import fingerprint
from wxhelper.record import ABSENT, Basis, file_state

# Kernels without fine-grained time stamps tick every 1 to 10 ms.
_TICK = 0.02
_ATTEMPTS = 50
_BINARY = getattr(os, "O_BINARY", 0)


class File:
    """A file that was read.

    Attributes:
        path: where it is.
        data: its content.
        stat: its state when it was read.
    """

    __slots__ = ("data", "path", "stat")

    def __init__(self, path: str, data: bytes, found: os.stat_result) -> None:
        self.path = path
        self.data = data
        self.stat = found

    def distrusted(self) -> tuple[str, str] | None:
        """Why anyone but us and root could have written it, and the remedy; or None."""
        if os.name != "posix":
            return None
        quoted = shlex.quote(self.path)
        if self.stat.st_uid not in (0, os.geteuid()):
            return "belongs to another user", f"copy it, or: sudo chown $(id -u) {quoted}"
        if self.stat.st_mode & 0o022:
            return "can be changed by other users", f"chmod go-w {quoted}"
        return None


class Lookups:
    """Reads variables and files, and remembers which.

    Args:
        environ: the variables.
        wall: the wall clock, Unix seconds.
        sleep: waits for a number of seconds.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        wall: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.environ = environ
        self._wall = wall
        self._sleep = sleep
        self._files: dict[str, str] = {}
        self._variables: dict[str, str | None] = {}

    def variable(self, name: str) -> str | None:
        """A variable's value, or None when it is unset or empty."""
        self._variables[name] = self.environ.get(name)
        return self._variables[name] or None

    def read(self, path: str, limit: int) -> File | None:
        """A regular file, whole; None when there is none.

        Args:
            path: absolute.
            limit: the most bytes it may have.

        Raises:
            OSError: it cannot be read, is no regular file, is larger than
                ``limit``, or never holds still.
        """
        for _ in range(_ATTEMPTS):
            before = file_state(path)
            try:
                found = _read_regular(path, limit)
            except (FileNotFoundError, NotADirectoryError):
                self._files[path] = ABSENT
                return None
            touched = max(found.stat.st_mtime, found.stat.st_ctime)
            if before == file_state(path) and not 0 <= self._wall() - touched < _TICK:
                self._files[path] = before
                return found
            self._sleep(_TICK)
        raise OSError(f"it does not stop changing: {path}")

    def read_trusted(
        self,
        what: str,
        path: str,
        limit: int,
        *,
        unreadable: type[ConfigurationError] = ConfigurationError,
    ) -> File | None:
        """The same, for a file that nobody else may have written.

        Args:
            what: the file's part, for messages: ``key file``.
            path: absolute.
            limit: the most bytes it may have.
            unreadable: the error for one that cannot be read.

        Raises:
            ConfigurationError: it cannot be read, or others could have written it.
        """
        try:
            found = self.read(path, limit)
        except OSError as fault:
            raise unreadable(
                f"the {what} {path} cannot be read: {fault.strerror or fault}",
                remedy=f"look at it with: ls -lL {shlex.quote(path)}",
            ) from None
        if found is not None and (distrusted := found.distrusted()):
            reason, remedy = distrusted
            raise ConfigurationError(f"the {what} {path} {reason}", remedy=remedy)
        return found

    def basis(self, salt: str, identity: str, also: Iterable[str] = ()) -> Basis:
        """Everything that was looked at, the first file first.

        Args:
            salt: keys the fingerprints.
            identity: the fingerprint of source, settings and key.
            also: variables that somebody else has looked at.
        """
        looked_at = {**{name: self.environ.get(name) for name in also}, **self._variables}
        variables = [
            (name, ABSENT if value is None else fingerprint(salt, value))
            for name, value in sorted(looked_at.items())
        ]
        return Basis(salt, identity, list(self._files.items()), variables)


def _read_regular(path: str, limit: int) -> File:
    # Without O_NONBLOCK a FIFO in the file's place would hold us for ever.
    try:
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | _BINARY)
    except ValueError:
        raise OSError("it is no path") from None
    try:
        found = os.fstat(fd)
        if stat.S_ISDIR(found.st_mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not stat.S_ISREG(found.st_mode):
            raise OSError("it is not a regular file")
        data = b""
        while len(data) <= limit and (chunk := os.read(fd, limit + 1 - len(data))):
            data += chunk
    finally:
        os.close(fd)
    if len(data) > limit:
        raise OSError(f"it is larger than {limit} bytes")
    return File(path, data, found)
