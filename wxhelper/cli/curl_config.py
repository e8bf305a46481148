"""Floor 7: ``wxhelper curl-config``."""

import argparse
from collections.abc import Mapping

from wxhelper.cli.answer import answer
from wxhelper.cli.parser import Parser
from wxhelper.errors import EndpointRefused, UsageError, WxhelperError
from wxhelper.protocols import Asked, curl_config

_WHAT = """\
Print the token as a line of curl's configuration, if the profile's hosts have the
one that the address leads to. The address itself is left to curl's own arguments."""
_EXAMPLES = """
wxhelper curl-config "$URL" | curl -K - "$URL"
curl -K <(wxhelper curl-config "$URL") --json @- "$URL"     in bash, with data from a pipe
"""


def prepare(parser: Parser) -> None:
    """Declare the options."""
    parser.explain(_WHAT, _EXAMPLES)
    parser.add_argument("url", metavar="URL", help="the address that curl is to call")
    parser.add_profile()


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Do it.

    Raises:
        WxhelperError: the address is none, or not one for the token.
    """
    asked = Asked(options.verb, profile=options.profile, arguments=(options.url,))
    if not curl_config.complete(asked, environ):
        raise _nowhere(options.url)
    return answer(curl_config, asked, environ, tells=False)


def _nowhere(url: str) -> WxhelperError:
    """Why such an address leads nowhere. It is not repeated: it may hold a password."""
    scheme, separator, _ = url.partition("://")
    if separator and scheme.lower() == "http":
        return EndpointRefused(
            "a token does not go over plain http, except to this machine itself",
            remedy="write https:// in the address",
        )
    return UsageError(
        "the address must be https://HOST, with or without :PORT and /PATH, in ASCII, "
        "without a user name or a backslash",
        remedy="for example: wxhelper curl-config https://us-south.ml.cloud.ibm.com/",
    )
