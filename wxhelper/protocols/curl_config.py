"""Floor 2: ``wxhelper curl-config URL``: one line for ``curl -K -``.

Of curl's options it sets the header alone (curl(1), ``--config``). Not ``url``, so
that the address stays where a person sees it; and not ``oauth2-bearer``, which
curl up to 8.18 takes along to another host when a netrc file knows that host
(CVE-2026-3783). A header by this name stays at home since curl 7.58
(CVE-2018-1000007).
"""

from wxhelper.hosts import place_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from wxhelper.protocols import Asked, Grant


def complete(asked: "Asked", environ: "Mapping[str, str]") -> bool:  # noqa: ARG001
    """Set ``places`` to where the one argument, an address, leads; False when it leads nowhere."""
    found = place_of(asked.arguments[0]) if len(asked.arguments) == 1 else None
    if found is None:
        return False
    asked.places = (found,)
    return True


def carries(scheme: str, asked: "Asked") -> bool:  # noqa: ARG001
    """True: a header can carry any token."""
    return True


def render(grant: "Grant", asked: "Asked") -> str:  # noqa: ARG001
    """The header, as a line of curl's configuration.

    Args:
        grant: what the caller gets.
        asked: not used.
    """
    token = grant.token
    return f'header = "Authorization: {token.scheme} {token.value}"\n'
