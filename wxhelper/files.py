"""Floor 2: files that are private from the first moment, and whole or as they were.

A mode is right in the system call that makes a file or a directory, under any
umask. Content arrives by rename: a reader, a full disk or a killed process finds
the old content or the new one, and nothing else.
"""

import contextlib
import os
from collections.abc import Iterator

_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_CLOEXEC", 0)


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


def write_by_rename(
    folder: int, name: str, data: bytes, *, like: os.stat_result | None = None
) -> None:
    """Put a file in place, in one step.

    Args:
        folder: the open directory that it belongs in.
        name: its name there; what has that name is replaced.
        data: its content.
        like: the state of a file whose mode and owner it is given, as far as that
            is allowed; without one it is 0600 and ours.

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
        os.rename(temporary, name, src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary, dir_fd=folder)
        raise


def _resemble(fd: int, like: os.stat_result) -> None:
    mode, made = like.st_mode & 0o777, os.fstat(fd)
    if (made.st_uid, made.st_gid) != (like.st_uid, like.st_gid):
        try:
            os.fchown(fd, like.st_uid, like.st_gid)
        except OSError:
            with contextlib.suppress(OSError):
                os.fchown(fd, -1, like.st_gid)
    if os.fstat(fd).st_gid != like.st_gid:
        mode &= ~0o070  # what another group was allowed, this one was not
    os.fchmod(fd, mode)
