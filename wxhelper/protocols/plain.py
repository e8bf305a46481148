"""Floor 2: ``wxhelper token`` and ``wxhelper header``, for every program that runs a command.

The header is RFC 9110's ``Authorization: SCHEME VALUE``, one line, as
``curl -H @-`` and ``httpie`` read it. As JSON it is an object of headers, which is
what programs that ask for several headers at once expect.
"""

from wxhelper.protocols import JSON

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from wxhelper.protocols import Asked, Grant


def complete(asked: "Asked", environ: "Mapping[str, str]") -> bool:  # noqa: ARG001
    """True: the arguments say it all."""
    return True


def carries(scheme: str, asked: "Asked") -> bool:  # noqa: ARG001
    """True: a command's output can carry any token."""
    return True


def render(grant: "Grant", asked: "Asked") -> str:
    """One line for a program to read.

    Args:
        grant: what the caller gets.
        asked: the verb chooses between token and header, ``output`` the form.
    """
    token = grant.token
    if asked.verb == "header":
        if asked.output == JSON:
            return f'{{"Authorization":"{token.scheme} {token.value}"}}\n'
        return f"Authorization: {token.scheme} {token.value}\n"
    if asked.output != JSON:
        return f"{token.value}\n"
    expires = "null" if token.expires_at is None else token.expires_at
    refresh = "null" if token.refresh_at is None else token.refresh_at
    return (
        f'{{"token":"{token.value}","scheme":"{token.scheme}","expires_at":{expires},'
        f'"refresh_at":{refresh},"profile":"{grant.profile}","source":"{grant.source}",'
        f'"cached":{"true" if grant.cached else "false"}}}\n'
    )
