"""Floor 3: where ``login`` keeps keys: the keyring where one works, else private files.

    keyring:NAME       an entry for the profile
    file:keys/NAME     beside the configuration, 0600 in a directory of 0700

A profile's reference says which. What the user wrote into it instead (a variable, a
file of theirs, a command) is not ours: it is never written to and never removed.
"""

import math
import os
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from wxhelper import keyrings, paths
from wxhelper.errors import ConfigurationError
from wxhelper.files import make_private, sweep, temporaries, write_by_rename

KEYRING, FILE = "keyring", "file"
_FOLDER = "keys"
_USUAL_CONFIG = "config.toml"
_FOLDER_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_DIRECTORY", 0)
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_CLOEXEC", 0)
)


@dataclass(frozen=True)
class Stored:
    """Where a key is now.

    Attributes:
        reference: leads to it, for the configuration.
        place: the same for a person.
        fault: why it is not in the keyring, or "".
    """

    reference: str
    place: str
    fault: str = ""


class Keystore:
    """The place for one profile's key.

    Args:
        profile: its name.
        config: the configuration file.
        environ: the variables.
    """

    def __init__(self, profile: str, config: str, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self._in_keyring = False
        self._entry = paths.entry_name(profile, environ, config)
        self._folder = os.path.join(os.path.dirname(config), _FOLDER)
        # No profile has an @ in its name, and some are what a directory cannot hold.
        other = "" if os.path.basename(config) == _USUAL_CONFIG else os.path.basename(config)
        self._name = f"{profile}@{other}" if other or profile in (".", "..") else profile
        self._base = os.path.dirname(config)

    @property
    def path(self) -> str:
        """The file that a key goes to where no keyring works."""
        return os.path.join(self._folder, self._name)

    @property
    def file_reference(self) -> str:
        """What leads to that file, from the configuration."""
        return f"file:{_FOLDER}/{self._name}"

    def kind_of(self, reference: str) -> str | None:
        """KEYRING or FILE, for a reference to what was stored here; None for others."""
        kind, _, rest = reference.partition(":")
        if kind == KEYRING and rest == self._entry:
            return KEYRING
        if kind == FILE and os.path.normpath(os.path.join(self._base, rest)) == self.path:
            return FILE
        return None

    def keep(self, key: str, where: str | None) -> Stored:
        """Store a key, in place of the one that is there.

        Args:
            key: it.
            where: KEYRING or FILE; None for the keyring if one works, else the file.

        Raises:
            ConfigurationError: it cannot be stored there.
        """
        fault = ""
        if where != FILE:
            self._in_keyring = True
            answer = keyrings.keep(self._entry, key, self._environ)
            self._in_keyring = answer.state == keyrings.DONE
            if answer.state == keyrings.DONE:
                place = f"the system's keyring (service wxhelper, user {self._entry})"
                return Stored(f"keyring:{self._entry}", place)
            fault = answer.fault
            if where == KEYRING:
                raise ConfigurationError(
                    f"the key cannot be stored in the keyring: {fault}", remedy=answer.remedy
                )
        self._write(f"{key}\n".encode())
        return Stored(self.file_reference, f"the private file {self.path}", fault)

    def drop(self, reference: str) -> str:
        """Remove the key that was stored here.

        Args:
            reference: one that ``kind_of`` knows.

        Returns:
            What there was, for a person; "" when there was nothing.

        Raises:
            ConfigurationError: it is there still.
        """
        if self.kind_of(reference) == FILE:
            return self._unlink()
        answer = keyrings.drop(self._entry, self._environ)
        if answer.state == keyrings.NONE_WORKS:
            raise ConfigurationError(
                f"the key is still in the keyring (service wxhelper, user {self._entry}): "
                f"{answer.fault}",
                remedy="mend the keyring and log out again",
            )
        return f"the key in the keyring (user {self._entry})" * (answer.state == keyrings.DONE)

    @contextmanager
    def undone_on_failure(self, reference: str, ours: Callable[[], bool]) -> Iterator[None]:
        """Whatever ends the block early, the key that was there before is there again.

        Args:
            reference: what the profile says before the block.
            ours: tells whether what is stored is still this block's to undo.
        """
        in_file, in_keyring = self._content(), ""
        if self.kind_of(reference) == KEYRING:
            in_keyring = keyrings.get(self._entry, self._environ).value
        try:
            yield
        except BaseException:
            if ours():
                self._put_back(in_file, in_keyring)
            raise

    def _put_back(self, in_file: bytes | None, in_keyring: str) -> None:
        with suppress(ConfigurationError):
            if in_file is None:
                self._unlink()
            elif self._content() != in_file:
                self._write(in_file)
        if self._in_keyring and in_keyring:
            keyrings.keep(self._entry, in_keyring, self._environ)
        elif self._in_keyring:
            keyrings.drop(self._entry, self._environ)

    def _content(self) -> bytes | None:
        try:
            with open(self.path, "rb") as file:
                return file.read()
        except OSError:
            return None

    def _write(self, data: bytes) -> None:
        try:
            make_private(self._folder)
            with self._opened() as folder:
                write_by_rename(folder, self._name, data)
                self._sweep(folder)
                with suppress(OSError):  # some file systems cannot
                    os.fsync(folder)
        except OSError as fault:
            raise ConfigurationError(
                f"the key cannot be stored in {self.path}: {fault.strerror or fault}",
                remedy="look at that directory's owner and mode",
            ) from None

    def _unlink(self) -> str:
        try:
            with self._opened() as folder:
                self._sweep(folder)
                os.unlink(self._name, dir_fd=folder)
        except (FileNotFoundError, NotADirectoryError):
            return ""
        except OSError as fault:
            raise ConfigurationError(
                f"the key file {self.path} cannot be removed: {fault.strerror or fault}",
                remedy="look at its directory's owner and mode",
            ) from None
        return f"the key file {self.path}"

    @contextmanager
    def _opened(self) -> Iterator[int]:
        """The directory of keys, which nobody else may look into."""
        folder = os.open(self._folder, _FOLDER_FLAGS)
        try:
            found = os.fstat(folder)
            if os.name == "posix" and found.st_uid != os.geteuid():
                raise PermissionError(f"{self._folder} belongs to another user")
            if stat.S_IMODE(found.st_mode) & 0o077:
                os.fchmod(folder, 0o700)
            yield folder
        finally:
            os.close(folder)

    def _sweep(self, folder: int) -> None:
        """Remove what a killed login of this profile left: there is a key in it."""
        sweep(folder, temporaries(self._name), before=math.inf)
