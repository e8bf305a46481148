"""Floor 2: files that are private from the first moment, and whole or as they were.

A mode is right in the system call that makes a file or a directory, under any
umask. Content arrives by rename: a reader, a full disk or a killed process finds
the old content or the new one, and nothing else. A user's own file is replaced by
one of its mode and owner, or not at all.
"""

import contextlib
import math
import os
import re
import shlex
import stat
from collections.abc import Callable, Iterator

from wxhelper.errors import ConfigurationError

_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)
_FOLDER = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | getattr(os, "O_CLOEXEC", 0)


@contextlib.contextmanager
def private_umask() -> Iterator[None]:
    """Modes come out as they are asked for, neither looser nor tighter."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def make_private(directory: str) -> bool:
    """Make the directory and its parents, each 0700 whatever the umask.

    Returns:
        Whether it had to be made.

    Raises:
        OSError: they cannot be made; or root, with the variables of another user,
            would make what that user could not use.
    """
    missing = []
    while not os.path.isdir(directory) and directory != os.path.dirname(directory):
        missing.append(directory)
        directory = os.path.dirname(directory)
    if missing and os.name == "posix" and os.geteuid() == 0 and os.stat(directory).st_uid != 0:
        raise PermissionError(f"{directory} belongs to another user")
    with private_umask():
        for path in reversed(missing):
            with contextlib.suppress(FileExistsError):
                os.mkdir(path, 0o700)
    return bool(missing)


def open_private(path: str, flags: int) -> int:
    """An opener for a file that is ours alone, for ``open`` and the like."""
    return os.open(path, flags | _NO_FOLLOW, 0o600)


@contextlib.contextmanager
def opened(folder: str) -> Iterator[int]:
    """The directory's descriptor, closed in the end.

    Raises:
        OSError: it cannot be opened.
    """
    fd = os.open(folder, _FOLDER)
    try:
        yield fd
    finally:
        os.close(fd)


def refuse_to_replace(path: str, found: os.stat_result | None) -> None:
    """Refuse what would take something away from the user whose file it is.

    Args:
        path: the file, as messages name it.
        found: its state; None where there is none.

    Raises:
        ConfigurationError: the file is read-only, not ours, or has several names; or
            root, with the variables of another user, would make what is root's.
    """
    if os.name != "posix":
        return
    root, quoted = os.geteuid() == 0, shlex.quote(path)
    if found is None:
        folder = os.path.dirname(os.path.realpath(path))
        while not os.path.lexists(folder):
            folder = os.path.dirname(folder)
        if root and os.stat(folder).st_uid != 0:
            raise ConfigurationError(
                f"{folder} belongs to another user, who could not use {path} if root made it",
                remedy="type this as that user",
            )
    elif not found.st_mode & stat.S_IWUSR:
        raise ConfigurationError(
            f"{path} is read-only", remedy=f"if it may be changed: chmod u+w {quoted}"
        )
    elif found.st_uid != os.geteuid() and not root:
        raise ConfigurationError(
            f"{path} belongs to another user", remedy=f"look at it with: ls -lL {quoted}"
        )
    elif found.st_nlink > 1:
        raise ConfigurationError(
            f"{path} has more than one name (hard links), which would part",
            remedy="use a symbolic link instead",
        )


def replace(
    folder: int,
    name: str,
    data: bytes,
    *,
    found: os.stat_result | None,
    left_before: float = math.inf,
) -> bool:
    """Replace a user's file, in one step, by one of its mode and owner.

    What writers that were killed left of it goes first.

    Args:
        folder: the open directory that it is in, symbolic links resolved.
        name: its name there.
        data: its content.
        found: its state when it was read; None for a file that was not there, which
            becomes 0600 and ours.
        left_before: Unix seconds; what other writers wrote since is left to them.
            Who keeps all of them away needs no limit.

    Returns:
        False when it is no longer what was read; then it is as it was.

    Raises:
        OSError: it is not kept; what was there is as it was.
    """
    sweep(folder, temporaries(name), before=left_before)
    if not write_by_rename(
        folder, name, data, like=found, only_if=lambda: is_still(found, folder, name)
    ):
        return False
    with contextlib.suppress(OSError):  # some file systems cannot
        os.fsync(folder)
    return True


def temporaries(name: str) -> "re.Pattern[str]":
    """Matches the names under which a file is written before it is put in place."""
    return re.compile(rf"\.{re.escape(name)}\.[0-9a-f]{{12}}\.tmp")


def sweep(
    folder: int, temporary: "re.Pattern[str]", *, before: float, at_most: float = math.inf
) -> None:
    """Remove what killed writers left, and nothing else.

    Args:
        folder: the open directory.
        temporary: matches the names that count.
        before: Unix seconds; what was written since stays.
        at_most: how many go at once.
    """
    swept = 0
    for name in filter(temporary.fullmatch, os.listdir(folder)):
        with contextlib.suppress(OSError):
            found = os.stat(name, dir_fd=folder, follow_symlinks=False)
            if stat.S_ISREG(found.st_mode) and found.st_mtime < before:
                os.unlink(name, dir_fd=folder)
                swept += 1
        if swept >= at_most:
            return


def write_by_rename(
    folder: int,
    name: str,
    data: bytes,
    *,
    like: os.stat_result | None = None,
    only_if: Callable[[], bool] = lambda: True,
) -> bool:
    """Put a file in place, in one step.

    Args:
        folder: the open directory that it belongs in.
        name: its name there; what has that name is replaced.
        data: its content.
        like: the state of a file whose mode and owner it is given, and whose group
            if that is allowed; without one it is 0600 and ours.
        only_if: asked last of all; where it says no, nothing is put in place.

    Returns:
        Whether it is in place.

    Raises:
        OSError: it is not kept; what was there is as it was.
    """
    temporary = f".{name}.{os.urandom(6).hex()}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_FOLLOW
    with private_umask():
        fd = os.open(temporary, flags, 0o600, dir_fd=folder)
    try:
        try:
            rest = memoryview(data)
            while rest:
                rest = rest[os.write(fd, rest) :]
            if like is not None:
                _resemble(fd, like)
            os.fsync(fd)
        finally:
            os.close(fd)  # quotas and network file systems tell here that it is not kept
        if only_if():
            os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
            return True
        os.unlink(temporary, dir_fd=folder)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise
    return False


def is_still(found: os.stat_result | None, folder: int, name: str) -> bool:
    """Whether it is the same file, or none, and nobody changed it."""
    try:
        now = os.stat(name, dir_fd=folder)
    except FileNotFoundError:
        return found is None
    kept = ("st_dev", "st_ino", "st_size", "st_mtime_ns", "st_ctime_ns")
    return found is not None and all(getattr(now, n) == getattr(found, n) for n in kept)


def _resemble(fd: int, like: os.stat_result) -> None:
    mode, made = like.st_mode & 0o777, os.fstat(fd)
    if made.st_uid != like.st_uid:
        os.fchown(fd, like.st_uid, like.st_gid)  # or its owner could not use it any more
    elif made.st_gid != like.st_gid:
        with contextlib.suppress(OSError):
            os.fchown(fd, -1, like.st_gid)
    if os.fstat(fd).st_gid != like.st_gid:
        mode &= ~0o070  # what another group was allowed, this one was not
    os.fchmod(fd, mode)
