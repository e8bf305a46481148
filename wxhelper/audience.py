"""Floor 3: what a profile says of who may be given its token, and under which name.

hosts = ["api.example.com", "*.example.org"]    instead of the source's audience
login = "iambearer"                             the user, where a token is a password
"""

import re

from wxhelper import hosts
from wxhelper.errors import ConfigurationError
from wxhelper.protocols import LOGIN

# No space, quote, colon or control character: it goes into netrc and into Basic credentials.
_LOGIN = re.compile(r"[A-Za-z0-9._%+@/=~-]{1,128}")
_HOSTS_LENGTH = 16_384


def hosts_of(listed: object, named: str) -> tuple[str, ...] | None:
    """A profile's ``hosts``, each as ``hosts.entry`` gives it.

    Args:
        listed: as it stands in the file; None leaves it to the source.
        named: where it stands, for messages.

    Raises:
        ConfigurationError: it is no list of hosts.
    """
    if listed is None:
        return None
    found = [_entry(host) for host in listed] if isinstance(listed, list) else []
    entries = tuple(host for host in found if host is not None)
    if not entries or len(entries) < len(found):
        raise ConfigurationError(
            f"{named} must be a list of HOST, HOST:PORT or *.HOST",
            remedy='write hosts = ["api.example.com"]',
        )
    if sum(map(len, entries)) > _HOSTS_LENGTH:
        raise ConfigurationError(
            f"{named} is longer than {_HOSTS_LENGTH:,} characters",
            remedy="write *.HOST for the hosts of one domain",
        )
    return entries


def _entry(host: object) -> str | None:
    """An entry in the one form; international names as A-labels (RFC 5890)."""
    if not isinstance(host, str):
        return None
    if host.isascii():
        return hosts.entry(host)
    star = "*." if host.startswith("*.") else ""
    name, colon, port = host.removeprefix(star).partition(":")
    known = hosts.ascii_name(name)
    return None if known is None else hosts.entry(f"{star}{known}{colon}{port}")


def login_of(given: object, named: str) -> str:
    """A profile's ``login``.

    Args:
        given: as it stands in the file; None for the usual one.
        named: where it stands, for messages.

    Raises:
        ConfigurationError: it cannot be a user's name everywhere.
    """
    if given is None:
        return LOGIN
    if not isinstance(given, str) or not _LOGIN.fullmatch(given):
        raise ConfigurationError(
            f"{named} must have 1 to 128 letters, digits or ._%+@/=~-",
            remedy=f'write login = "{LOGIN}"',
        )
    return given
