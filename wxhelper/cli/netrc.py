"""Floor 7: ``wxhelper netrc``."""

import argparse
from collections.abc import Mapping

from wxhelper.cli.answer import answer
from wxhelper.cli.parser import Parser
from wxhelper.errors import UsageError
from wxhelper.protocols import Asked, netrc

_WHAT = """\
Print the token as the password of one or more hosts, as a netrc file has it, if all
of them are among the profile's hosts. No file is touched."""
_EXAMPLES = """
wxhelper netrc us.icr.io de.icr.io
curl --netrc-file <(wxhelper netrc us.icr.io) "https://us.icr.io/oauth/token?service=registry"
"""


def prepare(parser: Parser) -> None:
    """Declare the options."""
    parser.explain(_WHAT, _EXAMPLES)
    parser.add_argument("hosts", metavar="HOST", nargs="+", help="a host's name alone")
    parser.add_profile()


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Do it.

    Raises:
        WxhelperError: a host is none, or not one for the token; or the token does
            not fit.
    """
    asked = Asked(options.verb, profile=options.profile, arguments=tuple(options.hosts))
    if not netrc.complete(asked, environ):
        raise UsageError(
            "a netrc file knows hosts by their names alone, without scheme, port and path",
            remedy="for example: wxhelper netrc us.icr.io",
        )
    return answer(netrc, asked, environ, tells=False)
