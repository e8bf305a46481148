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
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from wxhelper.errors import ConfigurationError, TemporaryError
from wxhelper.files import is_still, make_private, opened, refuse_to_replace, replace
from wxhelper.lookups import File, Lookups
from wxhelper.record import Moment

SIZE_LIMIT = 4_194_304
_ATTEMPTS = 10
_LOCK_ATTEMPTS, _LOCK_PAUSE = 20, 0.1
_ORPHAN_AGE = 3600.0
_SECRET = re.compile(
    r"""(?ix)
    ( (?: [\w.-]* (?: token | passw | secret | auth | api.?key | cookie | key-data
          | certificate-data | header )
      [\w.-]* | \b value ) (?: ["'] \s* : \s* | \s* = \s* | : \s+ ) )
    ( "(?:\\.|[^"\\])*" | '[^']*' | [^\s{\[,}\]"'] [^\r\n,}]* )
    | ( (?<=://) [^\s/@"']+ (?=@) )
    """
)
# What a line is about: brackets, a section of git's, or a key; and what it says of that.
_OUTLINE = re.compile(
    r"""([ \t\[\]{}(),]*(?:- +)?(?:["']?[\w./-]+["']?\s*[:=])?[ \t]*)(.*)""", re.DOTALL
)
_NAME = re.compile(r"""[ -]*["']?name["']?: ["']?[\w.@:/-]+["']?,?""")
_SECTION = re.compile(r"""\s*\[[\w.-]+(?: "[\w.:/*-]*")?\]\s*""")
_PLAIN = re.compile(r"[\s\[\]{}(),|>-]*")
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

        What the lines around a change say is not shown, nor what looks like a secret in
        a changed one, so that it cannot be applied as a patch wherever that is the case.
        """
        old, new = (
            lines((data or b"").decode("utf-8", "replace")) for data in (self.before, self.after)
        )
        names = [os.devnull if data is None else self.path for data in (self.before, self.after)]
        shown = []
        for line in difflib.unified_diff(old, new, names[0], names[1]):
            text = line if _FILES_OF_THE_DIFF.match(line) else _shown(line)
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
    refuse_to_replace(path, None if found is None else found.stat)
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
    """Replace or remove the file, unless it is no longer what was read."""
    folder, name = os.path.split(target)
    state = None if found is None else found.stat
    if after.data is not None:
        make_private(folder)
    with opened(folder) as where:
        if after.data is not None:
            since = Moment.now().wall - _ORPHAN_AGE
            return replace(where, name, after.data, found=state, left_before=since)
        if not is_still(state, where, name):
            return False
        os.unlink(name, dir_fd=where)
    with contextlib.suppress(OSError):  # others keep things there
        for _ in range(after.directories):
            os.rmdir(folder)
            folder = os.path.dirname(folder)
    return True


def _shown(line: str) -> str:
    """A line of a diff: what changes, without its secrets; around it, what is there at all.

    The lines around may hold anything: a header of any name, the body of a block.
    """
    if not line.startswith(" "):
        return _masked(line)
    text = line[1:].rstrip("\r\n")
    about, says = _OUTLINE.fullmatch(text).groups()  # type: ignore[union-attr]
    if _SECTION.fullmatch(text) or _NAME.fullmatch(text) or _PLAIN.fullmatch(says):
        return line
    return f" {about}[not shown]{line[1 + len(text) :]}"


def _masked(line: str) -> str:
    def hide(found: "re.Match[str]") -> str:
        return "[not shown]" if found[3] else f"{found[1]}[not shown]"

    return _SECRET.sub(hide, line)
