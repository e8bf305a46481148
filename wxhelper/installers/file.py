"""Floor 6: one file of another tool: read, compared, and replaced as a whole.

A reader finds the old content or the new, whenever it looks and however we end.
The tool's own lock is held where it has one, and a file that changed meanwhile is
read again. Modes, owners and symbolic links stay; the temporary file beside it,
which holds whatever secrets the file holds, has the file's mode from the start.
"""

import contextlib
import difflib
import os
import re
import shlex
import stat
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from wxhelper.errors import ConfigurationError, TemporaryError
from wxhelper.lookups import File, Lookups
from wxhelper.record import Moment

SIZE_LIMIT = 4_194_304
_ATTEMPTS = 10
_LOCK_ATTEMPTS, _LOCK_PAUSE = 20, 0.1
_ORPHAN_AGE = 3600.0
_SECRET = re.compile(
    r"""(?ix)
    ( (?: [\w.-]* (?: token | passw | secret | auth | key-data | certificate-data | header )
      [\w.-]* | \b value ) (?: ["'] \s* : \s* | \s* = \s* | : \s+ ) )
    ( "(?:\\.|[^"\\])*" | '[^']*' | [^\s{\[,}\]"'] [^\r\n,}]* )
    | ( (?<=://) [^\s/@"']+ (?=@) )
    """
)
_FILES_OF_THE_DIFF = re.compile(r"(---|\+\+\+) ")


@dataclass(frozen=True)
class After:
    """What a file is to be.

    Attributes:
        data: its content; None for no file.
        directories: how many of the directories above it go with it when they are
            empty.
    """

    data: bytes | None
    directories: int = 0


Change = Callable[[bytes | None], After]
"""Says from a file's content, None for no file, what it is to be."""


@dataclass(frozen=True)
class Edit:
    """What became, or would become, of a file.

    Attributes:
        path: the file as it is named, not where its symbolic links lead.
        before: its content; None for no file.
        after: the same afterwards.
    """

    path: str
    before: bytes | None
    after: bytes | None

    @property
    def changed(self) -> bool:
        """Whether there is any difference."""
        return self.before != self.after

    def diff(self) -> str:
        """A unified diff to look at.

        What looks like a secret in the lines around a change is not shown, so that it
        cannot be applied as a patch wherever that is the case.
        """
        old, new = (
            lines((data or b"").decode("utf-8", "replace")) for data in (self.before, self.after)
        )
        names = [os.devnull if data is None else self.path for data in (self.before, self.after)]
        shown = []
        for line in difflib.unified_diff(old, new, names[0], names[1]):
            text = line if _FILES_OF_THE_DIFF.match(line) else _masked(line)
            shown.append(text if text.endswith("\n") else f"{text}\n\\ No newline at end of file\n")
        return "".join(shown)


@dataclass
class Outcome:
    """What an installation did, or would do.

    Attributes:
        edits: the files, changed or not.
        lines: what is so now, for a person.
        notes: what else is worth knowing.
    """

    edits: list[Edit] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def read(path: str) -> File | None:
    """The file, or None where there is none.

    Raises:
        ConfigurationError: it cannot be read.
    """
    try:
        return Lookups({}).read(path, SIZE_LIMIT)
    except OSError as fault:
        raise ConfigurationError(
            f"{path} cannot be read: {fault.strerror or fault}",
            remedy=f"look at it with: ls -lL {shlex.quote(path)}",
        ) from None


def text_of(data: bytes, path: str) -> str:
    """The content as text.

    Raises:
        ConfigurationError: it is not UTF-8.
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        raise broken(path, line, "it is not UTF-8 text") from None


def broken(path: str, line: int, reason: str) -> ConfigurationError:
    """The error for a file that cannot be understood."""
    return ConfigurationError(
        f"{path}, line {line}: {reason}; nothing was changed", remedy="correct that line first"
    )


def newline(text: str) -> str:
    """How the text ends its lines."""
    return "\r\n" if "\r\n" in text else "\n"


def lines(text: str) -> list[str]:
    """The text's lines with their ends; split at the line feed alone."""
    return [line for line in re.split(r"(?<=\n)", text) if line]


def missing_directories(path: str) -> int:
    """How many directories would have to be made for the file."""
    folder, count = os.path.dirname(os.path.realpath(path)), 0
    while not os.path.lexists(folder):
        folder, count = os.path.dirname(folder), count + 1
    return count


def edit(
    path: str,
    change: Change,
    *,
    lock: str | None = None,
    dry_run: bool = False,
    sleep: Callable[[float], None] = time.sleep,
) -> Edit:
    """Change a file.

    Args:
        path: absolute; a symbolic link stays one.
        change: says what the content is to be; called again when the file changed
            meanwhile.
        lock: the file that the tool makes while it writes; None for none.
        dry_run: whether only to tell.
        sleep: waits for a number of seconds.

    Raises:
        ConfigurationError: it cannot be read or written, or ``change`` says so.
        TemporaryError: another program is changing it.
    """
    target = os.path.realpath(path)
    found = read(target)
    before = found.data if found is not None else None
    after = change(before)
    if dry_run or after.data == before:
        return Edit(path, before, after.data)
    _refuse_to_write(path, found)
    with _failing(path), _held(lock, sleep):
        for _ in range(_ATTEMPTS):
            found = read(target)
            before = found.data if found is not None else None
            after = change(before)
            made = Edit(path, before, after.data)
            if not made.changed or _put(target, found, after):
                return made
    raise TemporaryError(
        f"{path} does not stop changing", remedy="try again when nothing else writes it"
    )


def _refuse_to_write(path: str, found: File | None) -> None:
    """Refuse what would take something away from the user.

    Raises:
        ConfigurationError: the file is read-only, not ours, or has several names; or
            root, with the variables of another user, would make what is root's.
    """
    if os.name != "posix":
        return
    quoted = shlex.quote(path)
    if found is None:
        folder = next(each for each in _parents(os.path.realpath(path)) if os.path.lexists(each))
        if os.geteuid() == 0 and os.stat(folder).st_uid != 0:
            raise ConfigurationError(
                f"{folder} belongs to another user, who could not use {path} if root made it",
                remedy="type this as that user",
            )
        return
    if not found.stat.st_mode & stat.S_IWUSR:
        raise ConfigurationError(
            f"{path} is read-only", remedy=f"if it may be changed: chmod u+w {quoted}"
        )
    if found.stat.st_uid != os.geteuid() and os.geteuid() != 0:
        raise ConfigurationError(
            f"{path} belongs to another user", remedy=f"look at it with: ls -lL {quoted}"
        )
    if found.stat.st_nlink > 1:
        raise ConfigurationError(
            f"{path} has more than one name (hard links), which would part",
            remedy="use a symbolic link instead",
        )


@contextlib.contextmanager
def _failing(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        raise ConfigurationError(
            f"{path} cannot be changed: {fault.strerror or fault}",
            remedy=f"look at it with: ls -ld {shlex.quote(os.path.dirname(path))}",
        ) from None


@contextlib.contextmanager
def _held(lock: str | None, sleep: Callable[[float], None]) -> Iterator[None]:
    if lock is None:
        yield
        return
    for attempt in range(_LOCK_ATTEMPTS):
        try:
            os.close(os.open(lock, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
            break
        except FileExistsError:
            if attempt + 1 == _LOCK_ATTEMPTS:
                raise TemporaryError(
                    f"another program is changing this file: {lock} exists",
                    remedy="try again; if none is running any more, remove that file",
                ) from None
            sleep(_LOCK_PAUSE)
    try:
        yield
    finally:
        os.unlink(lock)


def _put(target: str, found: File | None, after: After) -> bool:
    """Replace the file, unless it is no longer what was read."""
    folder, name = os.path.split(target)
    if after.data is None:
        if not _unchanged(target, found):
            return False
        os.unlink(target)
        with contextlib.suppress(OSError):  # others keep things there
            for _ in range(after.directories):
                os.rmdir(folder)
                folder = os.path.dirname(folder)
        return True
    with _exact_modes():
        for path in reversed([folder, *_parents(folder)]):
            if not os.path.lexists(path):
                os.mkdir(path, 0o700)
        _sweep(folder, name)
        temporary = os.path.join(folder, f".{name}.{os.urandom(6).hex()}.tmp")
        try:
            _write(temporary, after.data, found)
            if not _unchanged(target, found):
                os.unlink(temporary)
                return False
            os.rename(temporary, target)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise
    return True


def _write(path: str, data: bytes, like: File | None) -> None:
    mode = 0o600 if like is None else stat.S_IMODE(like.stat.st_mode) & 0o777
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        if like is not None and hasattr(os, "fchown"):
            made = os.fstat(fd)
            if (made.st_uid, made.st_gid) != (like.stat.st_uid, like.stat.st_gid):
                os.fchown(fd, like.stat.st_uid, like.stat.st_gid)
            if mode != stat.S_IMODE(made.st_mode):
                os.fchmod(fd, mode)  # after the owner, so that it is never wider than it was
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(fd, rest) :]
        os.fsync(fd)
    finally:
        os.close(fd)


def _unchanged(path: str, found: File | None) -> bool:
    try:
        now = os.stat(path)
    except FileNotFoundError:
        return found is None
    if found is None:
        return False
    kept = ("st_dev", "st_ino", "st_size", "st_mtime_ns", "st_ctime_ns")
    return all(getattr(now, name) == getattr(found.stat, name) for name in kept)


def _parents(folder: str) -> Iterator[str]:
    while (parent := os.path.dirname(folder)) != folder:
        yield parent
        folder = parent


@contextlib.contextmanager
def _exact_modes() -> Iterator[None]:
    """Modes come out as they are asked for."""
    before = os.umask(0)
    try:
        yield
    finally:
        os.umask(before)


def _sweep(folder: str, name: str) -> None:
    """Remove what writers that were killed left of this file's content."""
    orphan = re.compile(rf"\.{re.escape(name)}\.[0-9a-f]{{12}}\.tmp")
    for entry in filter(orphan.fullmatch, os.listdir(folder)):
        path = os.path.join(folder, entry)
        with contextlib.suppress(OSError):
            if os.lstat(path).st_mtime < Moment.now().wall - _ORPHAN_AGE:
                os.unlink(path)


def _masked(line: str) -> str:
    def hide(found: "re.Match[str]") -> str:
        return "[not shown]" if found[3] else f"{found[1]}[not shown]"

    return _SECRET.sub(hide, line)
