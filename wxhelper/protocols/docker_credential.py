"""Floor 2: docker's credential helpers, which podman, skopeo, buildah and helm run, too.

The action is an argument, the registry comes on standard input, and everything goes
to standard output, errors included, which then end with status 1
(`docker/docker-credential-helpers:credentials/credentials.go`, `error.go`). Nothing
is stored here: ``store`` and ``erase`` succeed and change nothing, because docker
login and logout fail where they do not, and ``list`` is empty, because docker asks
for every registry on a list before a build.
"""

from wxhelper import __version__
from wxhelper.hosts import Place, place, place_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from wxhelper.protocols import Asked, Grant

NAME = "docker-credential-wxhelper"
ACTIONS = ("store", "get", "erase", "list", "version")
NOT_FOUND = "credentials not found in native keychain"
NO_SERVER = "no credentials server URL"
END = b"\0"
"""Stands in no request, so that all of it is read: docker just closes its end."""

# The registry of entitled software takes entitlement keys, whatever a profile's hosts say.
_NEVER = ("cp.icr.io", "cp.stg.icr.io")
_REPLIES = {
    "store": "",
    "erase": "",
    "list": "{}\n",
    "version": f"{NAME} (wxhelper-core) {__version__}\n",
}


def complete(asked: "Asked", environ: "Mapping[str, str]") -> bool:  # noqa: ARG001
    """Set ``places`` to the registry that docker wrote; or ``reply``, which takes no token.

    Returns:
        False for an unknown action, and for what is no registry.
    """
    action = asked.arguments[0] if len(asked.arguments) == 1 else ""
    if action in _REPLIES:
        asked.reply = _REPLIES[action]
        return True
    server = server_of(asked.stdin)
    found = place_of_server(server)
    if action != "get" or found is None:
        return False
    asked.request = {"ServerURL": server}
    asked.places = (found,)
    return True


def server_of(stdin: bytes) -> str:
    """What docker wrote, without the white space around it."""
    return stdin.decode("utf-8", "replace").strip(" \t\r\n")


def place_of_server(server: str) -> Place | None:
    """Where a registry is, or None for what is nowhere, and for one that takes other keys.

    Args:
        server: ``HOST``, ``HOST:PORT`` or an address, with or without a path.
    """
    # Printable, and nothing that JSON would have to escape: it is repeated in the answer.
    if not (server.isascii() and server.isprintable()) or '"' in server or "\\" in server:
        return None
    found = place_of(server) if "://" in server else place(server.partition("/")[0])
    return None if found is None or found[0] in _NEVER else found


def carries(scheme: str, asked: "Asked") -> bool:  # noqa: ARG001
    """Whether it is good for a password: a Bearer token is, by convention; a key is not."""
    return scheme == "Bearer"


def render(grant: "Grant", asked: "Asked") -> str:
    """The credentials, on one line of JSON.

    Args:
        grant: what the caller gets.
        asked: ``request`` has the registry as docker named it.
    """
    return (
        f'{{"ServerURL":"{asked.request["ServerURL"]}","Username":"{grant.login}",'
        f'"Secret":"{grant.token.value}"}}\n'
    )
