"""Floor 2: who may be given a token: hosts as profiles list them, and as clients name them.

A list's entries, and which places they let in:

    api.example.com         that host, port 443
    api.example.com:8443    that host and port
    *.example.com           one or more labels in place of the star, port 443
    localhost, 127.0.0.1    a loopback address without a port: any port
    [::1]:8443              IPv6 in brackets

A place is a host and a port, ``("api.example.com", 443)``; the port is None where
the client knows of none, as netrc. Both sides are compared in one form: lower-case
ASCII, no final dot. What a client names is read strictly: whatever is not plainly
a host, with or without a port, is nobody. An address that curl would understand in
yet another way (``2130706433``, ``0x7f.1``) is a name like any other here, and is on
no list.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

Place = tuple[str, int | None]

_PORTS = {"https": 443, "http": 80}
_LETTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_-")
_HEXADECIMAL = frozenset("0123456789abcdef:.")


def place(authority: str, scheme: str = "https") -> Place | None:
    """The place that a client names.

    Args:
        authority: ``HOST`` or ``HOST:PORT``, as it stands in an address.
        scheme: ``https``; or ``http``, for loopback addresses alone.

    Returns:
        None for everything else, a user name, a final dot and non-ASCII included.
    """
    found = _split(authority.lower()) if authority.isascii() else None
    usual = _PORTS.get(scheme)
    if found is None or usual is None or (scheme == "http" and not is_loopback(found[0])):
        return None
    host, port = found
    return host, usual if port is None else port


def place_of(url: str) -> Place | None:
    """The place that an address leads to, or None; only ``https`` and ``http`` lead anywhere."""
    scheme, separator, rest = url.partition("://")
    # A backslash is a slash to some and a character to others: no two need agree.
    if not separator or "\\" in url or not url.isprintable() or " " in url:
        return None
    ends = (rest.find(mark) for mark in "/?#")
    return place(rest[: min((end for end in ends if end >= 0), default=None)], scheme.lower())


def entry(text: str) -> str | None:
    """An entry of a list in the one form, or None when it is none.

    Args:
        text: ASCII; international names are turned into A-labels before.
    """
    if not text.isascii():
        return None
    star = "*." if text.startswith("*.") else ""
    found = _split(text.lower().removeprefix(star))
    if found is None:
        return None
    host, port = found
    if star and (host.startswith("[") or host.rpartition(".")[2].isdigit()):
        return None  # a part of a number is no part of a name
    return f"{star}{host}" if port is None else f"{star}{host}:{port}"


def ascii_name(name: str) -> str | None:
    """A name in lower-case ASCII, an international one in A-labels (RFC 5890); else None.

    Where the old and the new rules for such names differ (one makes "ss" of a sharp
    s), they lead to two owners: no guess is made.
    """
    folded = name.lower()
    try:
        found = folded.encode("idna").decode("ascii")
        back = found.encode("ascii").decode("idna")
    except UnicodeError:
        return None
    # A character may fold into a letter of ASCII (U+212A): that would be a guess, too.
    return found if name.isascii() or (back == folded and not folded.isascii()) else None


def matches(entries: "Iterable[str]", asking: Place) -> bool:
    """Whether one of the entries lets the place in.

    Args:
        entries: each as ``entry`` gives it.
        asking: as ``place`` gives it; without a port, any port of an entry will do.
    """
    return any(_covers(each, *asking) for each in entries)


def is_loopback(host: str) -> bool:
    """Whether a place's host can only be this machine."""
    if host in ("localhost", "[::1]"):
        return True
    parts = host.split(".")
    return (
        len(parts) == 4
        and parts[0] == "127"
        and all(p.isdigit() and p == str(int(p)) and int(p) < 256 for p in parts)
    )


def _covers(each: str, host: str, port: int | None) -> bool:
    name, colon, own_port = each.rpartition(":")
    if not colon or own_port.endswith("]"):
        name, own_port = each, ""
    # No label of a place is empty, so that something stands before the dot of an ending.
    named = host.endswith(name[1:]) if name.startswith("*.") else host == name
    if not named or port is None:
        return named
    return str(port) == own_port if own_port else port == 443 or is_loopback(name)


def _split(text: str) -> "tuple[str, int | None] | None":
    """Host and port of lower-case ASCII ``host``, ``host:port`` or ``[ipv6]:port``."""
    if text.startswith("["):
        inner, bracket, rest = text[1:].partition("]")
        host = f"[{inner}]"
        good = bracket and ":" in inner and len(inner) <= 45 and _HEXADECIMAL.issuperset(inner)
    else:
        host, colon, after = text.partition(":")
        rest = colon + after
        good = len(host) <= 253 and all(map(_is_label, host.split(".")))
    if not good:
        return None
    if not rest:
        return host, None
    digits = rest[1:]
    if not rest.startswith(":") or not digits.isdigit() or digits[0] == "0" or len(digits) > 5:
        return None
    port = int(digits)
    return (host, port) if port <= 65_535 else None


def _is_label(text: str) -> bool:
    return (
        0 < len(text) <= 63
        and _LETTERS.issuperset(text)
        and not text.startswith("-")
        and not text.endswith("-")
    )
