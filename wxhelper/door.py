"""Floor 8, step 1: the entry of every command; answers a hit, else opens the long way.

A hit costs what starting the interpreter costs, so this file knows the few
questions that a program asks a thousand times a day, reads the record, and
prints. It decides nothing new: whatever is not exactly a hit (an unknown option,
no record, a token that is due, anything odd) goes to ``wxhelper.cli``, where
every message and every error lives. It is the one file that imports lazily.

    wxhelper token|header        [--profile P] [--min-ttl S] [--output raw|json]
    wxhelper exec-credential     [--profile P] [--api-version V]
    wxhelper curl-config URL     [--profile P]
    wxhelper netrc HOST...       [--profile P]
    git-credential-wxhelper      [--profile P] get|store|erase|capability
    docker-credential-wxhelper   get|store|erase|list|version

What a program writes to standard input is read once, here, and handed on.
"""

import os
import sys

from wxhelper import paths, record
from wxhelper.hosts import matches
from wxhelper.protocols import JSON, RAW, Asked, Grant, deliver, read_request
from wxhelper.tokens import FRESH

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from types import ModuleType

_PLAIN_OPTIONS = ("--profile", "--min-ttl", "--output")
_OPTIONS = {
    "token": _PLAIN_OPTIONS,
    "header": _PLAIN_OPTIONS,
    "exec-credential": ("--profile", "--api-version"),
    "curl-config": ("--profile",),
    "netrc": ("--profile",),
    "git-credential": ("--profile",),
    "docker-credential": (),
}
# The verbs that take arguments besides their options.
_TAKE_ARGUMENTS = ("curl-config", "netrc", "git-credential", "docker-credential")
# Those that are told on standard input what is asked.
_TOLD = ("git-credential", "docker-credential")
# For anything else nothing is read, or a person at a terminal would be waited for.
_REQUESTS = (("get",), ("store",), ("erase",))
_NAME = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-")


def main(argv: "Sequence[str] | None" = None) -> int:
    """The ``wxhelper`` command.

    Args:
        argv: the arguments without the program's name. By default the process's own,
            and then a hit ends the process here.

    Returns:
        The exit status: 0 done, 1 a defect of ours, 2 usage, 3 temporary or not
        understood, 4 the key was refused, 5 configuration.
    """
    return _enter(list(sys.argv[1:] if argv is None else argv), alone=argv is None)


def git() -> int:
    """The ``git-credential-wxhelper`` command; returns as ``main`` does."""
    return _enter(["git-credential", *sys.argv[1:]], alone=True)


def docker() -> int:
    """The ``docker-credential-wxhelper`` command; returns as ``main`` does."""
    return _enter(["docker-credential", *sys.argv[1:]], alone=True)


def _enter(arguments: "list[str]", *, alone: bool) -> int:
    try:
        return _main(arguments, alone=alone)
    except KeyboardInterrupt:
        return 130


def _main(arguments: "list[str]", *, alone: bool) -> int:
    stdin = None
    # A closed standard stream would give its number to the next file opened.
    if os.name == "posix" and None not in (sys.stdin, sys.stdout, sys.stderr):
        try:
            asked = _asked(arguments)
            if asked is not None and asked.verb in _TOLD:
                told = asked.arguments in _REQUESTS
                stdin = asked.stdin = read_request(_protocol(asked.verb).END) if told else b""
            answer = None if asked is None else _hit(asked, os.environ)
        except Exception:  # noqa: BLE001 - whatever it is, the long way can tell it
            answer = None
        if answer is not None:
            try:
                deliver(answer)
            except OSError as fault:
                from wxhelper.cli import undelivered

                return undelivered(fault)
            if alone:
                # The whole answer is out and nothing is open: taking the interpreter
                # apart in good order would cost more than the hit itself.
                os._exit(0)
            return 0
    from wxhelper.cli import main as long_way

    return long_way(arguments, stdin=stdin)


def _hit(asked: Asked, environ: "Mapping[str, str]") -> str | None:
    protocol = _protocol(asked.verb)
    affordable = protocol.complete(asked, environ)
    if asked.reply is not None:
        return asked.reply
    config = paths.config_file(environ)
    directory = paths.cache_dir(environ)
    if not affordable or config is None or directory is None:
        return None
    found = _record(asked, environ, directory, config)
    if found is None:
        return None
    if not all(matches(found.hosts, place) for place in asked.places):
        return asked.refusal
    if not protocol.carries(found.token.scheme, asked):
        return None
    grant = Grant(found.token, found.profile, found.source, cached=True, login=found.login)
    answer: str = protocol.render(grant, asked)
    return answer


def _protocol(verb: str) -> "ModuleType":
    if verb == "exec-credential":
        from wxhelper.protocols import exec_credential

        return exec_credential
    if verb == "git-credential":
        from wxhelper.protocols import git_credential

        return git_credential
    if verb == "docker-credential":
        from wxhelper.protocols import docker_credential

        return docker_credential
    if verb == "curl-config":
        from wxhelper.protocols import curl_config

        return curl_config
    if verb == "netrc":
        from wxhelper.protocols import netrc

        return netrc
    from wxhelper.protocols import plain

    return plain


def _asked(arguments: "list[str]") -> Asked | None:
    if not arguments or arguments[0] not in _OPTIONS:
        return None
    verb, given, others = arguments[0], {}, []
    rest = iter(arguments[1:])
    for argument in rest:
        option, equals, value = argument.partition("=")
        if verb in _TAKE_ARGUMENTS and not argument.startswith("-"):
            others.append(argument)
            continue
        if option not in _OPTIONS[verb] or option in given:
            return None
        given[option] = value if equals else next(rest, "")
        if not equals and given[option].startswith("-"):
            return None
    min_ttl = given.get("--min-ttl", "0")
    output = given.get("--output", RAW)
    version = given.get("--api-version")
    if not (min_ttl.isascii() and min_ttl.isdigit()) or len(min_ttl) > 9:
        return None
    if output not in (RAW, JSON):
        return None
    if version not in (None, "v1", "v1beta1"):
        return None
    return Asked(
        verb,
        profile=given.get("--profile"),
        min_ttl=int(min_ttl),
        output=output,
        api_version=version,
        arguments=tuple(others),
    )


def _record(
    asked: Asked, environ: "Mapping[str, str]", directory: str, config: str
) -> record.Record | None:
    named = asked.profile if asked.profile is not None else environ.get("WXHELPER_PROFILE") or None
    name = named
    if name is None:
        pointer = paths.file_name(paths.POINTER, "", environ, config)
        name = (record.read_private(directory, pointer) or b"").decode("ascii", "replace").strip()
    if not 0 < len(name) <= 64 or not _NAME.issuperset(name):
        return None
    found = record.load(directory, paths.file_name(paths.RECORD, name, environ, config))
    moment = record.Moment.now()
    if (
        found is None
        or found.profile != name
        or (named is None and not found.default)
        or found.token.state(moment.wall) != FRESH
        or (found.token.expires_at or 0) - moment.wall < asked.min_ttl
        or not record.clock_held(found, moment)
        or not found.basis.unchanged(environ, config, _fingerprint)
    ):
        return None
    generation = paths.file_name(paths.GENERATION, name, environ, config)
    return found if record.generation(directory, generation) == found.generation else None


def _fingerprint(salt: str, value: str) -> str:
    from wxhelper.fingerprint import fingerprint

    return fingerprint(salt, value)
