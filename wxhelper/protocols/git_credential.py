r"""Floor 2: git's credential helper protocol (gitcredentials(7), git-credential(1)).

A request is ``key=value`` lines; it is read as bytes and divided at ``\n`` alone,
because git refuses only line feeds and carriage returns in what it passes on: any
other reading of "a line" lets ``https://user%0bhost=good.example@evil.example/``
name another host than the one that git talks to (CVE-2020-5260, CVE-2024-50338,
CVE-2024-52006, CVE-2024-53263 were such readings). Whatever is odd is not answered.

git before 2.46 knows a user and a password. A later one says ``capability[]`` and
takes any scheme, and with ``state`` and ``continue`` asks a second time when what
it was given is refused with 401: a token from the cache is handed out with such an
offer, so that the same clone goes on with a new one. ``ephemeral`` keeps other
helpers from storing it.
"""

from wxhelper.hosts import place

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from wxhelper.protocols import Asked, Grant

END = b"\n\n"

_LONGEST_LINE = 65_535  # with its line feed, as gitcredentials(7) has it
_MOST = 262_144
_CAPABILITIES = ("authtype", "state")
_CACHED, _FRESH = "wxhelper:cached:", "wxhelper:fresh"
_CONTROL = bytes(range(32)) + b"\x7f"


def complete(asked: "Asked", environ: "Mapping[str, str]") -> bool:  # noqa: ARG001
    """Read the request: whose it is, and what git can carry.

    What is not answered, or without a token, has its ``reply``. ``newer_than`` is set
    when git comes back with a token that was refused.
    """
    if len(asked.arguments) != 1:
        return False
    operation = asked.arguments[0]
    if operation not in ("get", "erase") or not _read(asked):
        asked.reply = ""
        if operation == "capability":
            listed = "".join(f"capability {name}\n" for name in _CAPABILITIES)
            asked.reply = f"version 0\n{listed}"
    return operation == "get" and not asked.newer_than


def _read(asked: "Asked") -> bool:
    """Fill in what the request says; False when it is not to be answered."""
    parts = parse(asked.stdin)
    if parts is None:
        return False
    single, lists = parts
    asking = place(single.get("host", ""), single.get("protocol", ""))
    # git itself never sends an address in one piece: who does wants it to be read twice.
    if asking is None or "url" in single:
        return False
    asked.places = (asking,)
    asked.refusal = ""
    asked.request = {key: single[key] for key in ("password", "credential") if key in single}
    capable = lists.get("capability[]", [])
    asked.request.update((f"may {name}", "yes") for name in _CAPABILITIES if name in capable)
    for state in lists.get("state[]", []):
        if state.startswith(_CACHED):
            asked.newer_than = max(asked.newer_than, _moment(state.removeprefix(_CACHED)))
    return True


def parse(data: bytes) -> "tuple[dict[str, str], dict[str, list[str]]] | None":
    """The keys of a request with one value, and those with several, ``key[]``.

    Returns:
        None when it is not exactly what git writes: too long, not ended, a line that
        is no ``key=value``, a control character, a key with two values.
    """
    lines = data.partition(END)[0].removesuffix(b"\n").split(b"\n")
    if len(data) > _MOST or data[-1:] != b"\n" or max(map(len, lines)) >= _LONGEST_LINE:
        return None
    single: dict[str, str] = {}
    lists: dict[str, list[str]] = {}
    for line in lines:
        name, equals, given = line.partition(b"=")
        if not name or not equals or len(line.translate(None, _CONTROL)) < len(line):
            return None
        key, value = (part.decode("utf-8", "surrogateescape") for part in (name, given))
        if key.endswith("[]"):
            if value:
                lists.setdefault(key, []).append(value)
            else:  # it takes back what was said
                lists.pop(key, None)
        elif key in single:
            return None
        else:
            single[key] = value
    return single, lists


def _moment(text: str) -> float:
    """The time in a state of ours; 0.0 when there is none."""
    seconds, _, thousandths = text.partition(".")
    digits = seconds + thousandths
    return float(text) if digits.isascii() and digits.isdigit() and len(digits) < 20 else 0.0


def carries(scheme: str, asked: "Asked") -> bool:
    """Any scheme by a git that says so; as a password, a Bearer token alone."""
    return scheme == "Bearer" or "may authtype" in asked.request


def render(grant: "Grant", asked: "Asked") -> str:
    """What git is given.

    Args:
        grant: what the caller gets.
        asked: completed, for a ``get``.
    """
    token = grant.token
    expiry = "" if token.good_until is None else f"password_expiry_utc={token.good_until}\n"
    if "may authtype" not in asked.request:
        return f"username={grant.login}\npassword={token.value}\n{expiry}"
    answer = f"authtype={token.scheme}\ncredential={token.value}\nephemeral=1\n{expiry}"
    if "may state" not in asked.request:
        return f"capability[]=authtype\n{answer}"
    if grant.cached:
        state = f"state[]={_CACHED}{token.minted_at:.3f}\ncontinue=1\n"
    else:
        state = f"state[]={_FRESH}\n"
    return f"capability[]=authtype\ncapability[]=state\n{answer}{state}"
