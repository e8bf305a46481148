"""Floor 2: kubectl's ExecCredential, client.authentication.k8s.io v1 and v1beta1.

The answer is the strictest common denominator of the clients (client-go
``plugin/pkg/client/auth/exec/exec.go``, kubernetes-client/python, fabric8): one
compact JSON object, kind and apiVersion always there, whole seconds with ``Z``,
nothing else on either stream. The version must be the one that the client named,
or client-go refuses the answer; a client that names none gets the one of
``--api-version``, else v1.
"""

import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from wxhelper.protocols import Asked, Grant

GROUP = "client.authentication.k8s.io/"
VERSIONS = ("v1", "v1beta1")
VARIABLE = "KUBERNETES_EXEC_INFO"

# How client-go and kubernetes-client/python begin the variable. Anything else is
# read as JSON, behind the door.
_OPENINGS = (
    '{"kind":"ExecCredential","apiVersion":"' + GROUP,
    '{"apiVersion": "' + GROUP,
    '{"apiVersion":"' + GROUP,
)


def complete(asked: "Asked", environ: "Mapping[str, str]") -> bool:
    """Set ``api_version``; False when the variable needs a JSON parser."""
    info = environ.get(VARIABLE, "")
    if info:
        version = _quick_version(info)
        if version is None:
            return False
        asked.api_version = version
    elif asked.api_version is None:
        asked.api_version = VERSIONS[0]
    return True


def carries(scheme: str, asked: "Asked") -> bool:  # noqa: ARG001
    """Whether client-go can send it: Bearer tokens only."""
    return scheme == "Bearer"


def _quick_version(info: str) -> str | None:
    for opening in _OPENINGS:
        if info.startswith(opening):
            version, quote, _ = info[len(opening) :].partition('"')
            return version if quote and version in VERSIONS else None
    return None


def render(grant: "Grant", asked: "Asked") -> str:
    """One ExecCredential on one line.

    Args:
        grant: what the caller gets.
        asked: ``api_version`` is one of VERSIONS.
    """
    token = grant.token
    expiry = ""
    if token.good_until is not None:
        moment = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(token.good_until))
        expiry = f',"expirationTimestamp":"{moment}"'
    return (
        f'{{"kind":"ExecCredential","apiVersion":"{GROUP}{asked.api_version}",'
        f'"status":{{"token":"{token.value}"{expiry}}}}}\n'
    )
