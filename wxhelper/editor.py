"""Floor 3: ``config.toml``, changed without touching what was not meant.

An ``Editor`` reads the file, is told what to change, and saves it. Comments, order,
spacing, line ends, mode, owner and symbolic links stay; the new text is parsed and
compared with what was meant before anything is written. Editors take turns. Where
the file has changed since it was read, the changes are made once more, to what is
there now: of two profiles that are added at once, both are kept.
"""

import codecs
import copy
import json
import os
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from wxhelper import profiles
from wxhelper.document import Document, Value
from wxhelper.errors import ConfigurationError
from wxhelper.files import make_private, opened, refuse_to_replace, replace
from wxhelper.lookups import Lookups

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

_PATIENCE = 5.0
_PAUSE = 0.02
_ATTEMPTS = 10


class Editor:
    """The configuration file, as it will be.

    Args:
        config: its path, there or not; a symbolic link stays one.

    Raises:
        ConfigurationError: it cannot be read, is no TOML (with the line), or others
            could have written it.
    """

    _before: bytes
    _mark: bytes
    _meant: dict[str, object]
    _document: Document

    def __init__(self, config: str) -> None:
        self._config = config
        self._steps: list[Callable[[], None]] = []
        self._use(self._fetch())

    @property
    def _profiles(self) -> dict[str, object]:
        found = self._meant["profiles"]
        assert isinstance(found, dict)  # noqa: S101 - it was looked at when it was read
        return found

    @property
    def names(self) -> list[str]:
        """The profiles, in the order of the file."""
        return list(self._profiles)

    @property
    def default(self) -> str | None:
        """What ``default_profile`` says, or None."""
        found = self._meant.get("default_profile")
        return found if isinstance(found, str) else None

    def keys(self, name: str) -> list[str]:
        """What a profile says something about.

        Raises:
            UnknownProfile: there is no such profile.
        """
        table = self._existing(name)
        return list(table) if isinstance(table, dict) else []

    def add(self, name: str, values: Mapping[str, Value]) -> None:
        """Add a profile.

        Args:
            name: of the profile.
            values: what it says, in this order; strings and lists of strings.

        Raises:
            ConfigurationError: there is one of that name, or it is no name.
        """
        kept = dict(values)
        self._do(lambda: self._add(name, kept))

    def change(self, name: str, values: Mapping[str, Value | None]) -> None:
        """Change what a profile says; None removes a key, others stay as they are.

        Raises:
            UnknownProfile: there is no such profile.
        """
        kept = dict(values)
        self._do(lambda: self._change(name, kept))

    def remove(self, name: str) -> None:
        """Remove a profile; and ``default_profile``, where it named this one.

        Raises:
            UnknownProfile: there is no such profile.
        """
        self._do(lambda: self._remove(name))

    def make_default(self, name: str | None) -> None:
        """Let ``default_profile`` name a profile; None removes it.

        Raises:
            UnknownProfile: there is no such profile.
        """
        self._do(lambda: self._make_default(name))

    def save(self) -> None:
        """Put the file in place, in one step; nothing, when nothing was changed.

        Raises:
            ConfigurationError: it cannot be written, or is not to be (``files``), or
                somebody else changed it in a way that the changes do not fit any more.
        """
        path = os.path.realpath(self._config)
        folder, name = os.path.split(path)
        try:
            make_private(folder)
            with _turn(folder) as held:
                self._replace(held, path, name)
        except OSError as fault:
            raise ConfigurationError(
                f"the configuration {path} cannot be changed: {fault.strerror or fault}",
                remedy="look at its directory's owner and mode, or edit it by hand",
            ) from None
        self._steps.clear()

    def _replace(self, folder: int, path: str, name: str) -> None:
        for _ in range(_ATTEMPTS):  # a person's editor waits for no turn
            found = _state(path)
            self._catch_up()
            data = self._encoded()
            if data != self._before:
                refuse_to_replace(path, found)
            if data == self._before or replace(folder, name, data, found=found):
                self._before = data
                return
        raise OSError("it does not stop changing")

    def _do(self, step: Callable[[], None]) -> None:
        before = self._document.text, copy.deepcopy(self._meant)
        try:
            step()
            self._check()
        except ConfigurationError:
            self._document.text, self._meant = before
            raise
        self._steps.append(step)

    def _fetch(self) -> bytes:
        found = profiles.read(self._config, Lookups({}))
        return found.data if found is not None else b""

    def _use(self, data: bytes) -> None:
        self._before = data
        self._meant = profiles.parsed(data, self._config)
        self._meant["profiles"] = profiles.tables_of(self._meant, self._config)
        self._mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
        self._document = Document(data.removeprefix(self._mark).decode("utf-8"))

    def _catch_up(self) -> None:
        """Where the file has changed since it was read, change what is there now."""
        data = self._fetch()
        if data != self._before:
            self._use(data)
            for step in self._steps:
                step()
            self._check()

    def _add(self, name: str, values: Mapping[str, Value]) -> None:
        if not profiles.NAME.fullmatch(name):
            raise profiles.bad_name(name, self._config)
        if name in self._profiles:
            raise ConfigurationError(
                f"there is a profile {name} in {self._config} already",
                remedy=f"choose another name, or: wxhelper profile add {name} --replace ...",
            )
        self._document.add_table(("profiles", name), values)
        self._profiles[name] = {key: _plain(value) for key, value in values.items()}

    def _change(self, name: str, values: Mapping[str, Value | None]) -> None:
        table = self._existing(name)
        if not isinstance(table, dict):
            raise ConfigurationError(
                f"{self._config}: profiles.{name} must be a table",
                remedy=f"begin it with [profiles.{name}]",
            )
        for key, value in values.items():
            path = ("profiles", name, key)
            if value is None:
                self._document.remove(path)
                table.pop(key, None)
            elif table.get(key) != _plain(value):
                self._document.set(path, value)
                table[key] = _plain(value)

    def _remove(self, name: str) -> None:
        self._existing(name)
        self._document.remove(("profiles", name))
        del self._profiles[name]
        if self._meant.get("default_profile") == name:
            self._make_default(None)

    def _make_default(self, name: str | None) -> None:
        if name is None:
            self._document.remove(("default_profile",))
            self._meant.pop("default_profile", None)
        else:
            self._existing(name)
            if self.default != name:
                self._document.set(("default_profile",), name)
                self._meant["default_profile"] = name

    def _existing(self, name: str) -> object:
        if name not in self._profiles:
            raise profiles.no_such_profile(name, self._profiles, self._config)
        return self._profiles[name]

    def _encoded(self) -> bytes:
        try:
            return self._mark + self._document.text.encode("utf-8")
        except UnicodeEncodeError:
            raise ConfigurationError(
                "a value is not text, and the configuration is", remedy="write it in UTF-8"
            ) from None

    def _check(self) -> None:
        """The text means what was meant, or it is not to be saved.

        Raises:
            ConfigurationError: it does not.
        """
        data = self._encoded()
        try:
            same = _said(profiles.parsed(data, self._config)) == _said(self._meant)
        except ConfigurationError:
            same = False
        if not same or len(data) > profiles.SIZE_LIMIT:
            reason = "is laid out in a way that" if not same else "would be so large that"
            raise ConfigurationError(
                f"{self._config} {reason} this program cannot make the change",
                remedy="edit it by hand",
            )


def _plain(value: Value) -> object:
    return value if isinstance(value, str) else list(value)


def _said(content: Mapping[str, object]) -> str:
    """What a configuration says, to be compared; no profiles are as good as none."""
    kept = {key: value for key, value in content.items() if value != {}}
    return json.dumps(kept, sort_keys=True, default=repr)


def _state(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


@contextmanager
def _turn(folder: str) -> Iterator[int]:
    """The directory, opened, while no other editor works in it.

    A lock on the directory itself leaves nothing lying about. On a file system
    without locks everybody has the turn; what is compared before saving must do.

    Raises:
        OSError: another process does not let it go.
    """
    with opened(folder) as held:
        end = time.monotonic() + _PATIENCE
        while not _locked(held):
            if time.monotonic() > end:
                raise OSError("another process is changing it")
            time.sleep(_PAUSE * random.uniform(0.5, 1.5))  # noqa: S311 - spreads the waiters
        yield held


def _locked(folder: int) -> bool:
    if fcntl is not None:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:
            return True
    return True
