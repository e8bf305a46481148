"""Floor 4: what a certificate says, whether or not it is trusted.

Python tells this only of a certificate that was accepted, and the one that was not
is the one that people want to know about. So the few fields are read from its DER
(RFC 5280, 4.1; X.690). Nothing is verified here.
"""

import datetime
from collections.abc import Iterator
from dataclasses import dataclass

from wxhelper.errors import printable

_SEQUENCE, _SET, _VERSION, _UTC_TIME = 0x30, 0x31, 0xA0, 0x17
# RFC 5280, appendix A.1: the parts of a name that people know it by, the best first.
_COMMON_NAME, _ORGANISATION, _UNIT = b"\x55\x04\x03", b"\x55\x04\x0a", b"\x55\x04\x0b"
_WIDE = {0x1E: "utf-16-be", 0x1C: "utf-32-be"}  # BMPString, UniversalString
_UNNAMED = "somebody without a name"


@dataclass(frozen=True)
class Certificate:
    """What it says.

    Attributes:
        subject: whose it is.
        issuer: who signed it.
        not_before: Unix seconds.
        not_after: Unix seconds.
    """

    subject: str
    issuer: str
    not_before: float
    not_after: float

    @classmethod
    def parse(cls, data: bytes) -> "Certificate | None":
        """A certificate in DER, or None when it cannot be understood."""
        try:
            body = _content(_content(data, _SEQUENCE), _SEQUENCE)
            parts = list(_elements(body))
            if parts[0][0] == _VERSION:
                del parts[0]
            issuer, validity, subject = parts[2][1], parts[3][1], parts[4][1]
            begins, ends = (_time(*element) for element in list(_elements(validity))[:2])
        except (IndexError, ValueError, OverflowError):
            return None
        return cls(_name(subject), _name(issuer), begins, ends)


def _elements(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The elements that stand in a row: tag and content."""
    while data:
        tag, length, start = data[0], data[1], 2
        if length >= 0x80:
            start = 2 + (length & 0x7F)
            length = int.from_bytes(data[2:start], "big")
        if start + length > len(data):
            raise ValueError("it ends too soon")
        yield tag, data[start : start + length]
        data = data[start + length :]


def _content(data: bytes, expected: int) -> bytes:
    tag, content = next(_elements(data), (0, b""))
    if tag != expected:
        raise ValueError("it is something else")
    return content


def _name(data: bytes) -> str:
    """A distinguished name as people write it, shortened to what tells who it is."""
    found: dict[bytes, str] = {}
    try:
        for _, attributes in _elements(data):
            for _, attribute in _elements(attributes):
                (_, kind), (tag, value) = list(_elements(attribute))[:2]
                found.setdefault(kind, value.decode(_WIDE.get(tag, "utf-8"), "replace"))
    except (IndexError, ValueError):
        return _UNNAMED
    said = [found[kind] for kind in (_COMMON_NAME, _ORGANISATION, _UNIT) if found.get(kind)]
    return printable(", ".join(dict.fromkeys(said[:2])), 120) or _UNNAMED


def _time(tag: int, content: bytes) -> float:
    text = content.decode("ascii")
    if tag == _UTC_TIME:  # two digits, RFC 5280, 4.1.2.5.1
        text = ("20" if text < "50" else "19") + text
    when = datetime.datetime.strptime(text, "%Y%m%d%H%M%SZ")
    return when.replace(tzinfo=datetime.UTC).timestamp()
