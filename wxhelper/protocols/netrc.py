"""Floor 2: ``wxhelper netrc HOST...``: entries for ``curl --netrc-file`` and its like.

An entry is a host, a user and a password, in the subset that curl, wget and
Python's ``netrc`` read alike (curl ``lib/netrc.c``, CPython ``Lib/netrc.py``): one
word after the other, nothing to quote, never ``default``. Clients send it as Basic
credentials (RFC 7617), so the token can only be a password.

The password has a line of its own. curl up to 7.88 reads lines of 4,095 bytes and
makes an empty password of the rest, without a word; 8.x takes no word beyond 4,096.
"""

from wxhelper.errors import ConfigurationError
from wxhelper.hosts import place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from wxhelper.protocols import Asked, Grant

LONGEST = 4_000


def complete(asked: "Asked", environ: "Mapping[str, str]") -> bool:  # noqa: ARG001
    """Set ``places`` to the arguments, which are hosts; False when one is none."""
    found = [name_of(argument) for argument in asked.arguments]
    asked.places = tuple((name, None) for name in found if name is not None)
    return 0 < len(asked.places) == len(found)


def name_of(argument: str) -> str | None:
    """A host in the one form; None for everything else, a host with its port included.

    ``default`` is none: in a netrc file the word means any host.
    """
    found = place(argument)
    if found is None or found[0] != argument.lower() or found[0] == "default":
        return None
    return found[0]


def carries(scheme: str, asked: "Asked") -> bool:  # noqa: ARG001
    """Whether it is good for a password: a Bearer token is, by convention; a key is not."""
    return scheme == "Bearer"


def render(grant: "Grant", asked: "Asked") -> str:
    """One entry for each host.

    Args:
        grant: what the caller gets.
        asked: ``places`` are the hosts.

    Raises:
        ConfigurationError: the token is longer than curl reads.
    """
    password = grant.token.value
    if len(password) > LONGEST:
        raise ConfigurationError(
            f"the token has {len(password):,} characters, and curl reads only the first "
            f"{LONGEST:,} or so from a netrc file",
            remedy="use: wxhelper curl-config URL | curl -K - URL",
        )
    names = dict.fromkeys(host.strip("[]") for host, _ in asked.places)
    return "".join(f"machine {name}\nlogin {grant.login}\npassword\n{password}\n" for name in names)
