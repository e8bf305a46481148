"""Floor 6: members put into the text of a JSON object, and taken out of it.

A new member goes first. The spaces before the old first one are repeated behind it,
so that taking out a member up to the next one's beginning restores the text:

    {                {                      {}     {"new": 0}
      "old": 1         "new": 0,
    }                  "old": 1
                     }

YAML's objects in braces are written the same way, and the positions may as well come
from a YAML parser.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass

_SPACES = " \t\r\n"
_DECODER = json.JSONDecoder()


@dataclass(frozen=True)
class Member:
    """A member of an object, by positions in the text.

    Attributes:
        key: its name.
        start: where the name begins.
        value: where the value begins.
        end: where the value ends.
    """

    key: str
    start: int
    value: int
    end: int


def members(text: str, brace: int) -> list[Member]:
    """The members of the object whose brace opens there; the text is good JSON."""
    found = []
    at = _skip(text, brace + 1)
    while text[at] != "}":
        key, end = _DECODER.raw_decode(text, at)
        value = _skip(text, _skip(text, end) + 1)
        _, end = _DECODER.raw_decode(text, value)
        found.append(Member(key, at, value, end))
        at = _skip(text, end)
        if text[at] == ",":
            at = _skip(text, at + 1)
    return found


def first(text: str) -> int:
    """Where the first thing in a text is that is no space."""
    return _skip(text, 0)


def gap(text: str, brace: int, before: Sequence[Member]) -> str:
    """The spaces between an object's brace and its first member."""
    between = text[brace + 1 : before[0].start] if before else ""
    return between if not between.strip(_SPACES) else " "


def put(text: str, brace: int, before: Sequence[Member], entries: Sequence[str]) -> str:
    """The text with new members in an object.

    Args:
        text: all of it.
        brace: where the object begins.
        before: the members that it has.
        entries: each ``"name": value``; at least one.
    """
    spaces = gap(text, brace, before)
    joined = f",{spaces or ' ' * (not before)}".join(entries)
    if not before:
        return text[: brace + 1] + joined + text[brace + 1 :]
    return text[: before[0].start] + joined + "," + spaces + text[before[0].start :]


def take(text: str, before: Sequence[Member], gone: Sequence[Member]) -> str:
    """The text without some of an object's members.

    Args:
        text: all of it.
        before: the members that it has.
        gone: those of them to be taken out.
    """
    left = [member for member in before if member not in gone]
    for member in reversed(before):
        if member in left:
            continue
        later = [other for other in before if other.start > member.start]
        start, end = member.start, member.end
        if [other for other in later if other in left]:
            end = later[0].start
        elif left and member.start > left[0].start:
            start = before[before.index(member) - 1].end
        elif later:
            end = later[0].start
        text = text[:start] + text[end:]
    return text


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _SPACES:
        at += 1
    return at
