"""Floor 2: a TOML text that is changed in one place and left alone in all others.

The standard library says whether a text is TOML and what it means; this file knows
where in it things stand, so that a change replaces the characters it is about.
(Libraries that keep comments rebuild the text from a tree: they drop the comment
above the next table with the table before it, and put a new table between dotted
keys, which changes what these mean.)

A text that is no TOML is nobody's to edit: what is given here was parsed before.
"""

import re
import tomllib
from collections.abc import Mapping, Sequence
from typing import NamedTuple

Path = tuple[str, ...]
Value = str | Sequence[str]

_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")
_BLANK = re.compile(r"[ \t]*")
_BETWEEN = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_KEY_PART = re.compile(r"""[A-Za-z0-9_-]+|"(?:\\.|[^"\\])*"|'[^']*'""")
_STRING = re.compile(
    r'''"""(?:\\.|[^\\])*?"{3,5}|"(?:\\.|[^"\\])*"|\'\'\'.*?'{3,5}|'[^']*\'''', re.DOTALL
)
_PLAIN = re.compile(r"(?:\d{4}-\d\d-\d\d \d\d:)?[^\s,\]}#]+")
_ESCAPED = re.compile(r'["\\\x00-\x1f\x7f]')


class Item(NamedTuple):
    """Where a table's header or a key with its value stands.

    Attributes:
        path: the whole path, from the top.
        start: its first character.
        name: where the last part of its key starts.
        equals: where its key ends, before the blanks that may follow.
        value: where its value starts; for a header the same as ``end``.
        end: behind its last character.
        within: where the inline table starts that it is a member of; -1 for none.
    """

    path: Path
    start: int
    name: int
    equals: int
    value: int
    end: int
    within: int

    @property
    def is_header(self) -> bool:
        """Whether it is a table's header, and has no value."""
        return self.value == self.end


def quoted(text: str) -> str:
    """The text as a TOML string."""
    return '"' + _ESCAPED.sub(_escape, text) + '"'


def _escape(found: re.Match[str]) -> str:
    character = found[0]
    return "\\" + character if character in '"\\' else f"\\u{ord(character):04x}"


def written(value: Value) -> str:
    """A string or a list of strings as TOML."""
    if isinstance(value, str):
        return quoted(value)
    return "[" + ", ".join(map(quoted, value)) + "]"


def key(name: str) -> str:
    """A key, in quotes where it needs them."""
    return name if _BARE_KEY.fullmatch(name) else quoted(name)


class Document:
    """A TOML text.

    Args:
        text: valid TOML, without a byte order mark.

    Attributes:
        text: as it is now.
    """

    def __init__(self, text: str) -> None:
        self.text = text

    @property
    def _newline(self) -> str:
        first = self.text.find("\n")
        return "\r\n" if first > 0 and self.text[first - 1] == "\r" else "\n"

    def set(self, path: Path, value: Value) -> None:
        """Give a key a value, in place of its old one or behind its table's last key."""
        items = scan(self.text)
        for item in items:
            if item.path == path and not item.is_header:
                self._splice(item.value, item.end, written(value))
                return
        self.remove(path)
        items = scan(self.text)
        beside = [i for i in items if i.path[:-1] == path[:-1] and not i.is_header]
        around = [i for i in items if i.path == path[:-1]]
        if beside:
            self._insert_beside(beside, path[-1], value)
        elif around:
            self._insert_first(around[0], path[-1], value)
        elif len(path) == 1:
            self._insert_at_top(path[0], value)
        else:
            self.add_table(path[:-1], {path[-1]: value})

    def add_table(self, path: Path, values: Mapping[str, Value]) -> None:
        """Add a table at the end; or where its parent is an inline table, in there."""
        pairs = [f"{key(name)} = {written(value)}" for name, value in values.items()]
        for parent in scan(self.text):
            if parent.path == path[:-1] and not parent.is_header:
                table = "{ " + ", ".join(pairs) + " }" if pairs else "{}"
                self._insert_member(parent, f"{key(path[-1])} = {table}")
                return
        end, newline = self.text, self._newline
        gap = newline * 2 if end and not end.endswith("\n") else newline
        if not end or end.endswith(("\n\n", "\n\r\n")):
            gap = ""
        header = "[" + ".".join(map(key, path)) + "]"
        self.text = end + gap + "".join(line + newline for line in (header, *pairs))

    def remove(self, path: Path) -> None:
        """Remove a key or a table, with whatever is in it.

        Comments above it stay; so do those at the end of a table, behind an empty
        line or in front of the next one.
        """
        while found := [i for i in scan(self.text) if i.path[: len(path)] == path]:
            item = found[0]
            if item.within >= 0:
                self._remove_member(item)
            elif item.is_header:
                self._remove_lines(item.start, self._end_of_table(item))
            else:
                self._remove_lines(item.start, item.end)

    def _splice(self, start: int, end: int, new: str) -> None:
        self.text = self.text[:start] + new + self.text[end:]

    def _line_start(self, at: int) -> int:
        return self.text.rfind("\n", 0, at) + 1

    def _line_end(self, at: int) -> int:
        return self.text.find("\n", at) + 1 or len(self.text)

    def _insert_line(self, after: int, line: str) -> None:
        """A line of its own, behind the one that a position stands in."""
        at = self._line_end(after)
        if self.text[at - 1 : at] == "\n":
            self._splice(at, at, line + self._newline)
        else:  # the last line, which has no end; the new one has none, either
            self._splice(at, at, self._newline + line)

    def _insert_beside(self, beside: list[Item], name: str, value: Value) -> None:
        """Behind the last of a table's keys, laid out as these are."""
        last = beside[-1]
        before = self.text[last.start : last.name]
        if last.within >= 0:
            self._splice(last.end, last.end, f", {before}{key(name)} = {written(value)}")
            return
        columns = {self._equals_sign(item) - self._line_start(item.start) for item in beside}
        indent = self.text[self._line_start(last.start) : last.start]
        sign = self._equals_sign(last)
        left = indent + before + key(name)
        if len(beside) > 1 and len(columns) == 1 and sign > last.equals:
            left = left.ljust(columns.pop() - 1) + " "
        else:
            left += self.text[last.equals : sign][:1]
        self._insert_line(last.end, left + self.text[sign : last.value] + written(value))

    def _equals_sign(self, item: Item) -> int:
        return self.text.index("=", item.equals)

    def _insert_first(self, table: Item, name: str, value: Value) -> None:
        pair = f"{key(name)} = {written(value)}"
        if table.is_header:
            indent = self.text[self._line_start(table.start) : table.start]
            self._insert_line(table.end, indent + pair)
        else:
            self._insert_member(table, pair)

    def _insert_member(self, table: Item, pair: str) -> None:
        """Into an inline table, behind its last member."""
        members = [i for i in scan(self.text) if i.within == table.value]
        if members:
            self._splice(members[-1].end, members[-1].end, f", {pair}")
        else:
            self._splice(table.value, table.end, "{ " + pair + " }")

    def _insert_at_top(self, name: str, value: Value) -> None:
        """In front of the first table, and of the comment that belongs to it."""
        pair, newline = f"{key(name)} = {written(value)}", self._newline
        items = scan(self.text)
        headers = [i for i in items if i.is_header]
        if not headers:
            at_end = "" if self.text.endswith("\n") or not self.text else newline
            self.text += at_end + pair + newline
            return
        before = [self._line_end(i.end) for i in items if i.start < headers[0].start]
        at, above = self._line_start(headers[0].start), max(before, default=0)
        while at > above and self.text[self._line_start(at - 1) : at].strip():
            at = self._line_start(at - 1)
        self._splice(at, at, pair + newline * 2)

    def _remove_member(self, item: Item) -> None:
        siblings = [i for i in scan(self.text) if i.within == item.within]
        place = siblings.index(item)
        if len(siblings) == 1:
            table = next(i for i in scan(self.text) if i.value == item.within)
            self._splice(table.value, table.end, "{}")
        elif place == 0:
            self._splice(item.start, siblings[1].start, "")
        else:
            self._splice(siblings[place - 1].end, item.end, "")

    def _end_of_table(self, header: Item) -> int:
        """Behind the last line that belongs to a table, comments beneath it included."""
        end, following = header.end, len(self.text)
        for item in scan(self.text):
            if item.start > header.start and item.within < 0:
                if item.is_header:
                    following = self._line_start(item.start)
                    break
                end = item.end
        stop = at = self._line_end(end)
        while at < following and self.text[at : self._line_end(at)].strip():
            at = self._line_end(at)
        touches_next = at == following < len(self.text)
        return end if touches_next else max(end, at - 1 if at > stop else end)

    def _remove_lines(self, start: int, end: int) -> None:
        """Whole lines, and the empty ones that would then be too many."""
        start, end = self._line_start(start), self._line_end(end)
        empty_before = not self.text[self._line_start(start - 1) : start].strip()
        if empty_before:
            while end < len(self.text) and not self.text[end : self._line_end(end)].strip():
                end = self._line_end(end)
            while end == len(self.text) and start:
                line = self._line_start(start - 1)
                if self.text[line:start].strip():
                    break
                start = line
        self._splice(start, end, "")


def scan(text: str) -> list[Item]:
    """Every header, key and member of an inline table, in the order of the text."""
    items: list[Item] = []
    table: Path = ()
    at = _after(_BETWEEN, text, 0)
    while at < len(text):
        if text[at] == "[":
            double = text.startswith("[[", at)
            path, name, equals = _read_key(text, _after(_BLANK, text, at + 1 + double))
            end = _after(_BLANK, text, equals) + 1 + double
            items.append(Item(path, at, name, equals, end, end, -1))
            table = path
        else:
            end = _read_pair(text, at, table, -1, items)
        at = _after(_BETWEEN, text, end)
    return items


def _after(pattern: re.Pattern[str], text: str, at: int) -> int:
    found = pattern.match(text, at)
    assert found is not None  # noqa: S101 - the text is TOML
    return found.end()


def _read_key(text: str, at: int) -> tuple[Path, int, int]:
    """A dotted key: its parts, where the last one starts, and where that ends."""
    parts: list[str] = []
    while True:
        end = _after(_KEY_PART, text, at)
        raw = text[at:end]
        parts.append(next(iter(tomllib.loads(f"{raw} = 0"))))
        dot = _after(_BLANK, text, end)
        if text[dot : dot + 1] != ".":
            return tuple(parts), at, end
        at = _after(_BLANK, text, dot + 1)


def _read_pair(text: str, at: int, table: Path, within: int, items: list[Item]) -> int:
    """A key and its value: where it ends. It and what is inside it is added to the items."""
    path, name, equals = _read_key(text, at)
    value = _after(_BLANK, text, text.index("=", equals) + 1)
    place = len(items)
    end = _read_value(text, value, (*table, *path), items)
    items.insert(place, Item((*table, *path), at, name, equals, value, end, within))
    return end


def _read_value(text: str, at: int, path: Path, items: list[Item]) -> int:
    """A value: where it ends."""
    first = text[at]
    if first in "\"'":
        return _after(_STRING, text, at)
    if first not in "[{":
        return _after(_PLAIN, text, at)
    start, closing = at, "]" if first == "[" else "}"
    at = _after(_BETWEEN, text, at + 1)
    while text[at] != closing:
        if first == "[":
            at = _read_value(text, at, path, [])
        else:
            at = _read_pair(text, at, path, start, items)
        at = _after(_BETWEEN, text, at)
        if text[at] == ",":
            at = _after(_BETWEEN, text, at + 1)
    return at + 1
