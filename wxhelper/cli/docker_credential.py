"""Floor 7: ``docker-credential-wxhelper``, for docker and its relatives."""

import argparse
from collections.abc import Mapping

from wxhelper.cli.answer import answer
from wxhelper.cli.parser import Parser
from wxhelper.cli.streams import complain, say, stdin_of
from wxhelper.errors import HostRefused, WrongScheme, WxhelperError
from wxhelper.protocols import Asked, docker_credential
from wxhelper.protocols.docker_credential import ACTIONS, END, NAME, NO_SERVER, NOT_FOUND

_WHAT = f"""\
Answer docker. It runs this as {NAME} when ~/.docker/config.json says so:
  {{"credHelpers": {{"us.icr.io": "wxhelper"}}}}
docker cannot name a profile: WXHELPER_PROFILE does, else the configuration's default."""
_EXAMPLES = """
wxhelper docker-credential get          then type a registry, and Ctrl-D
wxhelper docker-credential version
"""
_USAGE = f"Usage: {NAME} <{'|'.join(ACTIONS)}>"
_LONGEST_SHOWN = 20


def prepare(parser: Parser) -> None:
    """Declare the options."""
    parser.explain(_WHAT, _EXAMPLES)
    parser.add_argument("action", nargs="*", metavar="ACTION", help="|".join(ACTIONS))
    parser.add_argument("-v", "--version", action="store_true", help="as the action version")


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Do it. All that goes wrong is told on standard output, with status 1, as docker expects."""
    action = ("version",) if options.version else tuple(options.action)
    asked = Asked(options.verb, arguments=action)
    if len(action) != 1:
        return _fails(_USAGE)
    if action[0] not in ACTIONS:
        # A key that was pasted here has another look, and is not repeated.
        plain = action[0].isalpha() and len(action[0]) <= _LONGEST_SHOWN
        return _fails(f"{NAME}: unknown action" + f": {action[0]}" * plain)
    asked.stdin = b"" if options.version else stdin_of(options, END)
    understood = docker_credential.complete(asked, environ)
    if asked.reply is not None:
        say(asked.reply)
        return 0
    if not understood:
        return _fails(NOT_FOUND if docker_credential.server_of(asked.stdin) else NO_SERVER)
    try:
        return answer(docker_credential, asked, environ, tells=False)
    except HostRefused:
        return _fails(NOT_FOUND)
    except WxhelperError as fault:
        if isinstance(fault, WrongScheme):
            fault.remedy = "name another profile: export WXHELPER_PROFILE=NAME"
        # skopeo and podman show what is on standard output, docker what is on standard error.
        complain(fault.line())
        return _fails(fault.line())


def _fails(line: str) -> int:
    say(line + "\n")
    return 1
