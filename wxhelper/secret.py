"""Floor 3: API keys in memory, and the references that lead to them.

    env:NAME                 a variable; one that begins with ``@`` names a file
    file:PATH                a file; ``~`` is expanded, a relative path starts at the
                             configuration file; IBM's ``apikey.json`` is understood
    keyring:NAME             the system's keyring: service ``wxhelper``, user NAME
    ibm-credentials:SERVICE  the credentials file of IBM's SDKs (``credentials``)
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

from wxhelper import command, credentials, keyrings
from wxhelper.errors import THIS_PROFILE, ConfigurationError, KeyUnavailable, printable
from wxhelper.fingerprint import fingerprint
from wxhelper.lookups import Lookups

KINDS = "env:NAME, file:PATH, keyring:NAME, ibm-credentials:SERVICE or command:PROGRAM ARGS"
COMMAND_DEADLINE = 10.0
_LIMIT = 65_536

_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLACEHOLDER = re.compile(
    r"(?i:your[_-]?api[_-]?key)|\$\{[^}]*\}|\$[A-Za-z_]\w*|\$\([^)]*\)|<[^<>]*>"
)
# What watsonx lists under "User API key" is called so, and shown instead of the key.
_NAME_OF_A_KEY = re.compile(r"(?i:cpd-apikey-)")
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

    @property
    def replacement(self) -> str:
        """What to do, or to type, for another key in this one's place."""
        kind, _, rest = self.origin.partition(":")
        if kind == "env":
            return f"export {rest}=ANOTHER_KEY, or store one: wxhelper login {THIS_PROFILE}"
        if kind in ("command", "ibm-credentials"):
            return f"put another key there, or store one: wxhelper login {THIS_PROFILE}"
        return f"replace it: wxhelper login {THIS_PROFILE}"

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
        reference: one of ``KINDS``.
        named: where the reference stands, for messages: ``profiles.dev.api_key``.
        config: the configuration file; relative paths start at its directory.
        lookups: reads variables and files.
        deadline: seconds that a command or a keyring may take.

    Raises:
        ConfigurationError: it is no reference, or the file can be written by others.
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
        return from_file(_expand(rest, folder, lookups), lookups)
    if colon and kind == "keyring" and rest:
        return _from_keyring(rest, lookups.environ, deadline)
    if colon and kind == "ibm-credentials" and rest:
        return _from_credentials(rest, lookups)
    if colon and kind == "command" and rest.strip():
        return _from_command(rest, named, folder, lookups.environ, deadline)
    raise ConfigurationError(
        f"{named} is not a reference to a key (if it is a key: {config} is not the place for it)",
        remedy=f"store it: wxhelper login {THIS_PROFILE}; or write {KINDS} instead",
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
            f"the variable {name} is {state}",
            remedy=f"export {name}=YOUR_API_KEY, or store one: wxhelper login {THIS_PROFILE}",
        )
    if value.startswith("@"):
        return _from_named_file(value[1:], origin, lookups)
    return given(value, origin)


def given(value: str, origin: str) -> Secret:
    """A key that somebody gave, if it is no obvious mistake.

    Raises:
        KeyUnavailable: it is one.
    """
    return Secret(_checked(value, origin), origin)


def _from_named_file(path: str, origin: str, lookups: Lookups) -> Secret:
    """The key in the file that a variable names, as ``ibmcloud login --apikey @FILE``."""
    path = _expand(path, "", lookups)
    if not os.path.isabs(path):
        # Unlike there, what is printed must not depend on the current directory.
        raise KeyUnavailable(
            f"{origin} names a file by a path that begins at the current directory",
            remedy="write the whole path: @/PATH or @~/PATH",
        )
    return from_file(path, lookups)


def _from_keyring(name: str, environ: Mapping[str, str], seconds: float) -> Secret:
    origin = f"keyring:{name}"
    answer = keyrings.get(name, environ, seconds)
    if answer.state == keyrings.DONE:
        return given(answer.value, origin)
    if answer.state == keyrings.NOTHING:
        raise KeyUnavailable(
            f"there is no {origin} (service wxhelper, user {printable(name, 80)})",
            remedy=f"store it: wxhelper login {THIS_PROFILE}",
        )
    raise KeyUnavailable(f"{origin} cannot be had: {answer.fault}", remedy=answer.remedy)


def _from_credentials(service: str, lookups: Lookups) -> Secret:
    found = credentials.find(service, lookups)
    return given(found.value, f"ibm-credentials:{service} ({found.path})")


def _expand(path: str, folder: str, lookups: Lookups) -> str:
    if path.startswith("~"):
        lookups.variable("HOME")
        path = os.path.expanduser(path)
    # Not normalised: behind a symbolic link, ".." is not what it looks like.
    return os.path.join(folder, path)


def from_file(path: str, lookups: Lookups) -> Secret:
    """The key in a file.

    Args:
        path: absolute.
        lookups: reads it.

    Raises:
        ConfigurationError: others could have written it.
        KeyUnavailable: there is none, or it cannot be read or is a mistake.
    """
    origin = f"file:{path}"
    found = lookups.read_trusted("key file", path, _LIMIT, unreadable=KeyUnavailable)
    if found is None:
        raise KeyUnavailable(
            f"there is no key file {path}",
            remedy=f"store one: wxhelper login {THIS_PROFILE}; or create it, paste the "
            f"key, end with Ctrl-D: {_creating(path)}",
        )
    return from_bytes(found.data, origin)


def from_bytes(data: bytes, origin: str) -> Secret:
    """The key in what a file or a stream holds, IBM's ``apikey.json`` included.

    Raises:
        KeyUnavailable: there is none in it, or a mistake.
    """
    return given(_text_of(data, origin), origin)


def _creating(path: str) -> str:
    folder = os.path.dirname(path)
    first = "" if os.path.isdir(folder) else f"mkdir -p {shlex.quote(folder)}; "
    return f"(umask 077; {first}cat > {shlex.quote(path)})"


def _text_of(data: bytes, origin: str) -> str:
    text = _decoded(data, origin)
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
    if _NAME_OF_A_KEY.match(value.strip()):
        raise KeyUnavailable(
            f"{origin} holds the name of a user API key, not a key",
            remedy="the key behind that name cannot be seen; create an API key in IBM Cloud, under "
            "Manage > Access (IAM) > API keys, and give that",
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
    ran = command.run(words, folder=folder, environ=command.scrubbed(environ), seconds=seconds)
    if ran.fault:
        where = f"correct the command in {named}" if ran.never_ran else ran.remedy
        raise KeyUnavailable(f"{origin} {ran.fault}", remedy=where)
    return given(_decoded(ran.output, origin), origin)
