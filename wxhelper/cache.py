"""Floor 3, steps 4 and 7: what is kept on disk, and whose turn it is to fetch.

Readers never lock and writers rename, so a reader finds the old record or the
new one and nothing else. The lock only saves requests: where it cannot be had
(a file system without locks), two processes may fetch, and both answers are good.

    NAME.token        the record (``record``)
    NAME.failure      the last failure, while it is remembered
    NAME.generation   a random word, new at every ``invalidate``
    NAME.nothing      says that nothing is kept, since its tokens are the key itself:
                      what that depends on, and nothing about the key
    NAME.lock         held by the process that fetches; stays, for ever empty
    .pointer          the name of the default profile

A generation is what makes ``invalidate`` final without waiting for anybody: a
record carries the word that was there before its token was asked for, so a fetch
that was under way counts for nothing however late it ends.
"""

import contextlib
import os
import re
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import platformdirs
from filelock import FileLock, Timeout

from wxhelper import errors, paths, record
from wxhelper.files import make_private, open_private, private_umask, sweep, write_by_rename
from wxhelper.record import Basis, Moment, Record

_FAILURE_MAGIC = "wxhelper failure 1"
_NOTHING_MAGIC = "wxhelper nothing 1"
# https://bford.info/cachedir/: backup programs leave such a directory out.
_TAG_NAME = "CACHEDIR.TAG"
_TAG = "Signature: 8a477f597d28d172789f06886806bc55\n# This directory was created by wxhelper.\n"
_ORPHAN_AGE = 3600.0
_SWEEP_AT_MOST = 32
_TEMPORARY = re.compile(r"\..*\.(token|failure|generation|nothing|pointer)\.[0-9a-f]{12}\.tmp")


@dataclass(frozen=True)
class Failure:
    """A failure that all processes remember for a while.

    Attributes:
        kind: the error's class, by name.
        message: its message.
        remedy: its remedy.
        until: Unix seconds; the service is left alone before that.
        count: how many came in a row.
        basis: the configuration and key that it is about.
        moment: when it happened.
    """

    kind: str
    message: str
    remedy: str
    until: float
    count: int
    basis: Basis
    moment: Moment

    def error(self) -> errors.WxhelperError:
        """The error as it was raised the first time."""
        kind = getattr(errors, self.kind, None)
        if not (isinstance(kind, type) and issubclass(kind, errors.WxhelperError)):
            kind = errors.TemporaryError
        fault: errors.WxhelperError = kind(self.message, remedy=self.remedy)
        fault.repeated = True
        return fault

    def stands(self, now: float) -> bool:
        """Whether it is still to be remembered; a clock set back ends it, too."""
        return self.moment.wall - 1 <= now < self.until


class Lock:
    """The turn to fetch, for one profile; or, without a lock file, nobody's turn."""

    def __init__(self, held: FileLock | None) -> None:
        self._held = held

    def __enter__(self) -> "Lock":
        return self

    def __exit__(self, *_: object) -> None:
        if self._held is not None:
            with contextlib.suppress(OSError):
                self._held.release()


class Cache:
    """The cache directory, seen from one configuration.

    Args:
        environ: the variables.
        config: the configuration file.
    """

    def __init__(self, environ: Mapping[str, str], config: str) -> None:
        self._environ = environ
        self._config = config
        self._chosen = bool(environ.get("WXHELPER_CACHE_DIR"))
        self.directory = paths.cache_dir(environ)
        if os.name != "posix":
            # Elsewhere nothing here can prove that a file is private: nothing is kept.
            self.directory = None
        elif self.directory is None and not self._chosen:
            with contextlib.suppress(RuntimeError):  # a user without a home directory
                self.directory = platformdirs.user_cache_dir("wxhelper", appauthor=False)

    def _name(self, kind: str, profile: str) -> str:
        return paths.file_name(kind, profile, self._environ, self._config)

    def read(self, profile: str) -> Record | None:
        """The profile's record, or None when there is none to trust."""
        if self.directory is None:
            return None
        found = record.load(self.directory, self._name(paths.RECORD, profile))
        return found if found is not None and found.profile == profile else None

    def garbled(self, profile: str) -> bool:
        """Whether something is in the record's place, and is none to trust."""
        name = self._name(paths.RECORD, profile)
        there = self.directory is not None and os.path.lexists(os.path.join(self.directory, name))
        return there and self.read(profile) is None

    def generation(self, profile: str) -> str:
        """What the profile's last ``invalidate`` left."""
        if self.directory is None:
            return record.ABSENT
        return record.generation(self.directory, self._name(paths.GENERATION, profile))

    def write(self, kept: Record) -> None:
        """Keep a record in place of the profile's old one.

        Raises:
            OSError: it cannot be kept; the old one, if any, is as it was.
        """
        try:
            text = record.write(kept)
        except ValueError as fault:
            raise OSError(str(fault)) from None
        self._replace(self._name(paths.RECORD, kept.profile), text)
        if kept.default:
            self._point_at(kept.profile)

    def _point_at(self, profile: str) -> None:
        name = self._name(paths.POINTER, "")
        line = f"{profile}\n"
        assert self.directory is not None  # noqa: S101 - the record is in it already
        if record.read_private(self.directory, name) != line.encode():
            self._replace(name, line)

    def failure(self, profile: str) -> Failure | None:
        """The profile's last failure, or None; whether it still stands is not judged."""
        parts = self._parts(paths.FAILURE, _FAILURE_MAGIC, profile)
        if parts is None:
            return None
        single, basis = parts
        try:
            return Failure(
                kind=single["kind"],
                message=single["message"],
                remedy=single["remedy"],
                until=float(single["until"]),
                count=int(single["count"]),
                basis=basis,
                moment=Moment(float(single["at"])),
            )
        except (KeyError, ValueError):
            return None

    def remember(self, profile: str, failure: Failure) -> None:
        """Keep a failure; not being able to costs only requests, so it is silent."""
        lines = [
            f"kind {failure.kind}",
            f"message {errors.printable(failure.message, 1000)}",
            f"remedy {errors.printable(failure.remedy, 1000)}",
            f"at {failure.moment.wall:.3f}",
            f"until {failure.until:.3f}",
            f"count {failure.count}",
            *failure.basis.lines(),
        ]
        with contextlib.suppress(OSError, ValueError):
            self._replace(self._name(paths.FAILURE, profile), record.lay_out(_FAILURE_MAGIC, lines))

    def nothing(self, profile: str) -> Basis | None:
        """What it depends on that nothing is kept for the profile; None if that is not said."""
        parts = self._parts(paths.NOTHING, _NOTHING_MAGIC, profile)
        return None if parts is None else parts[1]

    def _parts(self, kind: str, magic: str, profile: str) -> tuple[dict[str, str], Basis] | None:
        """What one of the profile's small files says, or None when there is none to trust."""
        if self.directory is None:
            return None
        data = record.read_private(self.directory, self._name(kind, profile))
        return (
            None
            if data is None
            else record.take_apart(magic, data.decode("utf-8", "surrogateescape"))
        )

    def keep_nothing(self, profile: str, basis: Basis) -> None:
        """Say that nothing is kept, and drop the record of an earlier configuration.

        Not being able to say it costs only waiting, so it is silent.
        """
        self.drop(profile)
        with contextlib.suppress(OSError, ValueError):
            text = record.lay_out(_NOTHING_MAGIC, basis.lines())
            self._replace(self._name(paths.NOTHING, profile), text)

    def drop(self, profile: str) -> None:
        """Drop the record alone."""
        self._unlink(paths.RECORD, profile)

    def forget(self, profile: str) -> None:
        """Drop the remembered failure: the source answers again."""
        self._unlink(paths.FAILURE, profile)

    def invalidate(self, profile: str) -> None:
        """Drop the record and the remembered failure, and whatever is being fetched.

        Raises:
            OSError: a record is there and cannot be made to go.
        """
        if self.directory is None or not os.path.isdir(self.directory):
            return
        try:
            self._replace(self._name(paths.GENERATION, profile), os.urandom(8).hex() + "\n")
        finally:  # on a full disk, too
            for kind in (paths.RECORD, paths.FAILURE, paths.NOTHING):
                self._unlink(kind, profile)

    def reject(self, profile: str, refused: Callable[[Record], bool]) -> None:
        """Invalidate the profile if its record is the one that was refused somewhere.

        Args:
            profile: the profile's name.
            refused: tells whether a record is that one.

        Raises:
            OSError: it is, and cannot be made to go.
        """
        found = self.read(profile)
        if found is None or not refused(found):
            return
        # With the turn to fetch nobody puts a new one in its place meanwhile. Without it
        # somebody may just be doing so, and then one request is lost.
        with self.try_lock(profile) or Lock(None):
            found = self.read(profile)
            if found is not None and refused(found):
                self.invalidate(profile)

    def try_lock(self, profile: str) -> Lock | None:
        """The turn to fetch, or None while another process has it.

        Where the file system has no locks, or no file can be made, everybody has
        the turn.
        """
        name = self._name(paths.LOCK, profile)
        try:
            with private_umask():
                os.close(self._open_directory())
                assert self.directory is not None  # noqa: S101 - it was just opened
                return Lock(self._locked(os.path.join(self.directory, name)))
        except Timeout:
            return None
        except (OSError, NotImplementedError, ValueError):
            return Lock(None)

    @staticmethod
    def _locked(path: str) -> FileLock:
        lock = FileLock(
            path,
            timeout=0,
            mode=0o600,
            thread_local=False,
            # A soft lock would outlive its holder, and an unlinked one lets two in.
            fallback_to_soft=False,
            preserve_lock_file=True,
        )
        lock.acquire()
        return lock

    def _unlink(self, kind: str, profile: str) -> None:
        if self.directory is not None:
            with contextlib.suppress(OSError):
                os.unlink(os.path.join(self.directory, self._name(kind, profile)))

    def obstacle(self) -> str:
        """Why nothing can be kept, as far as looking tells; or ""."""
        try:
            directory = self._place()
            while not os.path.lexists(directory) and directory != os.path.dirname(directory):
                directory = os.path.dirname(directory)
            if directory == self.directory:
                self._judge(os.stat(directory, follow_symlinks=False))
            elif os.geteuid() == 0 and os.stat(directory).st_uid != 0:
                return f"{directory} belongs to another user"
            if not os.path.isdir(directory):
                return f"{directory} is not a directory"
            if not os.access(directory, os.W_OK | os.X_OK):
                return f"{directory} cannot be written"
        except OSError as fault:
            return fault.strerror or str(fault)
        return ""

    def try_out(self) -> bool:
        """Keep something that is nobody's record, lock it, and drop it again.

        Returns:
            Whether the file system has locks.

        Raises:
            OSError: nothing can be kept.
        """
        name = f"~trial.{paths.RECORD}"  # no profile can be called so
        self._replace(name, "trial\n")
        path = os.path.join(self._place(), name)
        try:
            self._locked(path).release()
        except Timeout:
            return True  # another trial holds it
        except (OSError, NotImplementedError, ValueError):
            return False
        finally:
            with contextlib.suppress(OSError):
                os.unlink(path)
        return True

    def _place(self) -> str:
        if self.directory is None:
            raise OSError("there is no home directory to keep it in")
        home = self._environ.get("HOME")
        if not self._chosen and home and not os.path.isdir(home):
            raise OSError(f"the home directory {home} does not exist")
        return self.directory

    def _judge(self, found: os.stat_result) -> None:
        if stat.S_ISLNK(found.st_mode):
            raise OSError(f"{self.directory} is a symbolic link")
        if found.st_uid != os.geteuid():
            raise PermissionError(f"{self.directory} belongs to another user")
        # A directory of the user's choice may serve other purposes: it is not ours
        # to close, as /tmp is not root's.
        if self._chosen and found.st_mode & 0o022:
            raise PermissionError(f"{self.directory} can be written by other users")

    def _open_directory(self) -> int:
        self.directory = self._place()
        if make_private(self.directory):
            _tag(self.directory)
        self._judge(os.stat(self.directory, follow_symlinks=False))
        folder = os.open(
            self.directory, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
        )
        try:
            found = os.fstat(folder)
            self._judge(found)
            if not self._chosen and found.st_mode & 0o077:
                os.fchmod(folder, 0o700)
        except BaseException:
            os.close(folder)
            raise
        return folder

    def _replace(self, name: str, text: str) -> None:
        with private_umask():
            folder = self._open_directory()
            try:
                since = Moment.now().wall - _ORPHAN_AGE
                sweep(folder, _TEMPORARY, before=since, at_most=_SWEEP_AT_MOST)
                write_by_rename(folder, name, text.encode("utf-8", "surrogateescape"))
            finally:
                os.close(folder)


def _tag(directory: str) -> None:
    tag = os.path.join(directory, _TAG_NAME)
    with contextlib.suppress(OSError), open(tag, "x", opener=open_private) as stream:
        stream.write(_TAG)
