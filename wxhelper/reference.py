"""Floor 2: what a profile says about its key, as it may be shown.

A reference says where a key is. It is configuration and no secret; but what stands
in its place by mistake may be the key, and a command's arguments are nobody's
business. ``secret`` follows references; this file only looks at them.
"""

import re
import shlex

from wxhelper.errors import printable, unkeyed

KINDS = ("env", "file", "keyring", "ibm-credentials", "command")
UNTRIED = ("keyring:", "command:")
"""Those that ask another program, which may prompt, fail or take its time."""
_LIMIT = 200
_SECRET = re.compile(r"(?i)key|token|secret|passw")


def shown_reference(reference: str) -> str | None:
    """A reference as it may be shown, or None for what is no reference.

    Args:
        reference: as it was written; of a command only the program is shown.
    """
    kind, colon, rest = reference.partition(":")
    if kind not in KINDS or not colon or not rest.strip():
        return None
    if kind == "command":
        try:
            rest = shlex.split(rest)[0]
        except (ValueError, IndexError):
            rest = "..."
    return unkeyed(printable(f"{kind}:{rest}", _LIMIT))


def is_secretive(name: str, value: str) -> bool:
    """Whether a setting looks like a key that was written in the wrong place."""
    return (
        bool(_SECRET.search(name)) or unkeyed(value) != value or ("://" in value and "@" in value)
    )


def shown_setting(name: str, value: object) -> str:
    """A setting's value as it may be shown: no source has one for a key, but people do."""
    text = str(value)
    return "(not shown)" if is_secretive(name, text) else printable(text, _LIMIT)
