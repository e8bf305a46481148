"""Floor 4: an address that a key may be sent to."""

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from wxhelper.errors import EndpointRefused, printable
from wxhelper.hosts import ascii_name, is_loopback

_NO_ADDRESS = "is not an address"
_THREE_SLASHES = "has three slashes and so no host"
_NO_QUERY = "must not have a query or a fragment"
_LEAD = re.compile(r"^((?:[A-Za-z][A-Za-z0-9+.-]*:)?/*)")
# A name's labels as they stand in DNS, or an IPv6 address without its brackets.
_HOST = re.compile(r"[a-z0-9_]([a-z0-9._-]*[a-z0-9_])?|[0-9a-f:.]*:[0-9a-f:.]*")


@dataclass(frozen=True)
class Endpoint:
    """A token service's address, checked.

    Attributes:
        scheme: ``https``, or ``http`` for a loopback address.
        host: lower-case ASCII, without a final dot.
        port: always said.
        path: begins with a slash.
        query: switches that the service understands, without the question mark.
    """

    scheme: str
    host: str
    port: int
    path: str
    query: str = ""

    @classmethod
    def parse(
        cls,
        url: str,
        *,
        default_path: str = "/",
        named: str = "url",
        switches: tuple[str, ...] = (),
    ) -> "Endpoint":
        """An address as a user wrote it.

        Args:
            url: with or without a path.
            default_path: the path when it has none.
            named: where it was written, for messages.
            switches: the names that its query may have, each true or false, and
                nothing else: what is written there can be no secret.

        Raises:
            EndpointRefused: it is no such address, or a key must not go there.
        """
        if not url.isprintable() or " " in url or "\\" in url:
            raise _refused(named, "holds a space or an unprintable character", url)
        try:
            parts = urlsplit(url)
            port = parts.port
            host = _host_of(parts)
        except ValueError:
            raise _refused(named, _NO_ADDRESS, url) from None
        if host is None or port == 0:
            raise _refused(named, _NO_ADDRESS, url)
        if parts.scheme not in ("http", "https"):
            raise _refused(named, "must begin with https://", url)
        if not host:
            slip = url.partition(":")[2].startswith("///")
            reason = _THREE_SLASHES if slip else "has no host"
            raise _refused(named, reason, url)
        if "@" in parts.netloc:
            raise _refused(named, "must not hold a user name or password", url)
        wrong = parts.query and not _only(switches, parts.query)
        if wrong or parts.fragment or url.endswith(("?", "#")):
            raise _refused(named, _NO_QUERY, url)
        if parts.scheme == "http" and not is_loopback(bracketed(host)):
            raise EndpointRefused(
                f"{named} is {printable(url)}, and a key never goes over plain http",
                remedy=f"write https://{host}",
            )
        default_port = 443 if parts.scheme == "https" else 80
        path = parts.path if parts.path not in ("", "/") else default_path
        return cls(parts.scheme, host, port or default_port, path, parts.query)

    @property
    def origin(self) -> str:
        """``host:port``, as ``token_hosts`` names it."""
        return f"{bracketed(self.host)}:{self.port}"

    @property
    def url(self) -> str:
        """The whole address; a port that is the scheme's own is left out."""
        usual = {"https": 443, "http": 80}[self.scheme] == self.port
        where = bracketed(self.host) if usual else self.origin
        query = f"?{self.query}" if self.query else ""
        return f"{self.scheme}://{where}{self.path}{query}"

    def within(self, hosts: frozenset[str]) -> bool:
        """Whether it is one of the hosts, ``host`` (port 443) or ``host:port``."""
        allowed = set()
        for host in hosts:
            name, colon, port = host.rpartition(":")
            if not colon or not port.isdigit():
                name, port = host, "443"
            allowed.add((name.strip("[]").lower().removesuffix("."), port))
        return (self.host, str(self.port)) in allowed


def _host_of(parts: SplitResult) -> str | None:
    """The host in lower-case ASCII, without a final dot; None for what can be none."""
    given = parts.hostname or ""
    host = ascii_name(given)
    # A character that urlsplit folds into a letter of ASCII (U+212A) would be a guess.
    if host is None or (given.isascii() and not parts.netloc.isascii()):
        return None
    host = host.removesuffix(".")
    return host if not host or _HOST.fullmatch(host) else None


def bracketed(host: str) -> str:
    """The host as it stands in an address: IPv6 in brackets."""
    return f"[{host}]" if ":" in host else host


def _only(switches: tuple[str, ...], query: str) -> bool:
    """Whether every parameter of the query is one of the switches, true or false."""
    pairs = (parameter.partition("=") for parameter in query.split("&"))
    return all(name in switches and value in ("true", "false") for name, _, value in pairs)


def _refused(named: str, reason: str, url: str) -> EndpointRefused:
    # What stands before an @ or behind a ? may be a password or a key.
    lead, rest = _LEAD.split(re.split(r"[?#]", url)[0], maxsplit=1)[1:]
    if reason != _NO_QUERY:  # there it has been looked at already, and may stand in the path
        rest = rest.rpartition("@")[2]
    shown, meant = lead + rest, "https://HOST[:PORT][/PATH]"
    if reason == _NO_ADDRESS:  # and what stands behind a colon may belong to it
        shown = re.sub(r"([^/:]):[^/].*", r"\1", shown)
    if reason == _NO_QUERY:
        meant = printable(shown)
    host = rest.lower().partition("/")[0]
    if reason == _THREE_SLASHES and _HOST.fullmatch(re.sub(r":\d{1,5}$", "", host)):
        meant = f"https://{printable(rest)}"
    return EndpointRefused(f"{named} {reason}: {printable(shown)}", remedy=f"write it as {meant}")
