"""Floor 3: API keys in memory, and the references that lead to them.

    env:NAME                 a variable
    file:PATH                a file; ``~`` is expanded, a relative path starts at the
                             configuration file; IBM's ``apikey.json`` is understood
    command:PROGRAM ARGS     what a program prints; split like a shell's words, but
                             run without a shell

A configuration never holds a key itself. What the user wrote is checked for what
can only be a mistake (nothing, a placeholder, pasted JSON); a key's inner
characters are never judged.
"""

import base64
import json
import os
import re
import shlex
from collections.abc import Mapping
from typing import NoReturn
from urllib.parse import quote, quote_plus, unquote

from wxhelper import command
from wxhelper.errors import ConfigurationError, KeyUnavailable, printable
from wxhelper.fingerprint import fingerprint
from wxhelper.lookups import File, Lookups

KINDS = "env:NAME, file:PATH or command:PROGRAM ARGS"
COMMAND_DEADLINE = 10.0
_LIMIT = 65_536

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLACEHOLDER = re.compile(
    r"(?i:your[_-]?api[_-]?key)|\$\{[^}]*\}|\$[A-Za-z_]\w*|\$\([^)]*\)|<[^<>]*>"
)
# A key manager needs its own variables, but no key that is ours to guard.
_OURS = re.compile(
    r"WXHELPER_.*|(IBM|IBM_?CLOUD|IC|BM|BLUEMIX|WATSONX|WX|WXAI|WXG|WO|WXO|ZEN|DPH|CP4D|CPD)_"
    r".*(KEY|TOKEN|PASSWORD).*"
)
_LONG_WORD = re.compile(r"[A-Za-z0-9._~+/=-]{40,}")
_PIECE = 12


class Secret:
    """An API key in memory. No representation of it shows the value.

    Args:
        value: the key.
        origin: where it came from, for messages: the reference, without the
            arguments of a command (they may hold what is nobody's business).
    """

    __slots__ = ("_value", "origin")

    def __init__(self, value: str, origin: str) -> None:
        self._value = value
        self.origin = origin

    def reveal(self) -> str:
        """The key itself: for the request body, and for nothing else."""
        return self._value

    def fingerprint(self, salt: str, *with_: str) -> str:
        """The key's fingerprint together with other values."""
        return fingerprint(salt, *with_, self._value)

    def redact(self, text: str) -> str:
        """The text of a server or program without the key, in any usual spelling.

        Words as long as keys and tokens are masked as well, whatever they are.
        """
        raw = self._value.encode("utf-8", "surrogateescape")
        spellings = {
            self._value,
            quote(raw),
            quote(raw, safe=""),
            quote_plus(raw),
            json.dumps(self._value)[1:-1],
            json.dumps(self._value, ensure_ascii=False)[1:-1],
            base64.b64encode(raw).decode().rstrip("="),
            base64.urlsafe_b64encode(raw).decode().rstrip("="),
            raw.hex(),
            raw.hex().upper(),
        }
        for spelling in sorted(spellings, key=len, reverse=True):
            text = text.replace(spelling, "[redacted]")
        text = _LONG_WORD.sub("[redacted]", text)
        if self._holds_a_piece(text) or self._holds_a_piece(unquote(text)):
            return "[redacted]"
        return text

    def _holds_a_piece(self, text: str) -> bool:
        """Whether a dozen characters of the key stand in it in a row, spaces aside."""
        joined = "".join(c for c in text if c.isprintable() and not c.isspace())
        pieces = range(len(self._value) - _PIECE + 1)
        return any(self._value[i : i + _PIECE] in joined for i in pieces)

    def __repr__(self) -> str:
        return f"Secret({self.origin})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a key is not to be copied out of the process")


def resolve(
    reference: str,
    *,
    named: str,
    config: str,
    lookups: Lookups,
    deadline: float = COMMAND_DEADLINE,
) -> Secret:
    """The key that a reference leads to.

    Args:
        reference: ``env:``, ``file:`` or ``command:``.
        named: where the reference stands, for messages: ``profiles.dev.api_key``.
        config: the configuration file; relative paths start at its directory.
        lookups: reads variables and files.
        deadline: seconds that a command may take.

    Raises:
        ConfigurationError: it is no reference, or the key file can be written by
            others.
        KeyUnavailable: it leads to nothing, or to what can only be a mistake.
    """
    kind, colon, rest = reference.partition(":")
    folder = os.path.dirname(config)
    if colon and kind == "env" and rest:
        if not _VARIABLE.fullmatch(rest):
            raise ConfigurationError(
                f"{named} does not name a variable",
                remedy="write env:NAME, the name alone, without $",
            )
        return from_variable(rest, lookups)
    if colon and kind == "file" and rest:
        return _from_file(_expand(rest, folder, lookups), lookups)
    if colon and kind == "command" and rest.strip():
        return _from_command(rest, named, folder, lookups.environ, deadline)
    raise ConfigurationError(
        f"{named} is not a reference to a key (if it is a key: {config} is not the place for it)",
        remedy=f"put the key into a private file or a variable and write {KINDS} instead",
    )


def from_variable(name: str, lookups: Lookups) -> Secret:
    """The key in a variable.

    Raises:
        KeyUnavailable: it is unset, empty or a mistake.
    """
    origin = f"env:{name}"
    value = lookups.variable(name)
    if value is None:
        state = "empty" if name in lookups.environ else "not set"
        raise KeyUnavailable(
            f"the variable {name} is {state}", remedy=f"export {name}=YOUR_API_KEY"
        )
    return Secret(_checked(value, origin), origin)


def _expand(path: str, folder: str, lookups: Lookups) -> str:
    if path.startswith("~"):
        lookups.variable("HOME")
        path = os.path.expanduser(path)
    # Not normalised: behind a symbolic link, ".." is not what it looks like.
    return os.path.join(folder, path)


def _from_file(path: str, lookups: Lookups) -> Secret:
    origin = f"file:{path}"
    found = lookups.read_trusted("key file", path, _LIMIT, unreadable=KeyUnavailable)
    if found is None:
        raise KeyUnavailable(
            f"there is no key file {path}",
            remedy=f"create it, paste the key, end with Ctrl-D: {_creating(path)}",
        )
    return Secret(_checked(_text_of(found, origin), origin), origin)


def _creating(path: str) -> str:
    folder = os.path.dirname(path)
    first = "" if os.path.isdir(folder) else f"mkdir -p {shlex.quote(folder)}; "
    return f"(umask 077; {first}cat > {shlex.quote(path)})"


def _text_of(found: File, origin: str) -> str:
    text = _decoded(found.data, origin)
    if not text.lstrip().startswith("{"):
        return text
    try:
        content = json.loads(text)
    except (ValueError, RecursionError):
        return text
    # `ibmcloud iam api-key-create` writes "apikey", Terraform's provider "Apikey".
    keys = [v for k, v in content.items() if k.lower() == "apikey"]
    if len(keys) != 1 or not isinstance(keys[0], str):
        raise KeyUnavailable(
            f"{origin} is JSON without an apikey field",
            remedy="give the file that was downloaded with the key, or the key alone",
        )
    return keys[0]


def _decoded(data: bytes, origin: str) -> str:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise KeyUnavailable(f"{origin} is not text", remedy="give the key alone") from None
    return text.removeprefix("\ufeff").removesuffix("\n").removesuffix("\r")


def _checked(value: str, origin: str) -> str:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        raise KeyUnavailable(f"{origin} is not text", remedy="give the key alone") from None
    if not value.strip():
        raise KeyUnavailable(f"{origin} is empty", remedy="put the API key there")
    if _PLACEHOLDER.fullmatch(value.strip()):
        raise KeyUnavailable(
            f"{origin} holds a placeholder, not a key",
            remedy="put the API key itself there (a shell expands nothing in single quotes)",
        )
    if value.strip()[0] in '{"' or value.strip()[-1] in '}"':
        raise KeyUnavailable(
            f"{origin} holds a piece of JSON, not a key",
            remedy="give the value of its apikey field alone, or the whole file with file:PATH",
        )
    return value


def _from_command(
    line: str, named: str, folder: str, environ: Mapping[str, str], seconds: float
) -> Secret:
    try:
        words = shlex.split(line)
    except ValueError as fault:
        raise ConfigurationError(
            f"the command in {named} cannot be split into words: {printable(str(fault))}",
            remedy="quote it as a shell would need it",
        ) from None
    origin = f"command:{words[0] if words else ''}"
    scrubbed = {name: v for name, v in environ.items() if not _OURS.fullmatch(name)}
    ran = command.run(words, folder=folder, environ=scrubbed, seconds=seconds)
    if ran.fault:
        where = f"correct the command in {named}" if ran.never_ran else ran.remedy
        raise KeyUnavailable(f"{origin} {ran.fault}", remedy=where)
    return Secret(_checked(_decoded(ran.output, origin), origin), origin)
