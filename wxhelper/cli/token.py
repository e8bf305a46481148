"""Floor 7: ``wxhelper token`` and ``wxhelper header``."""

import argparse
from collections.abc import Mapping

from wxhelper.cli.answer import answer
from wxhelper.cli.parser import RAW, Parser, seconds
from wxhelper.protocols import Asked, plain

_WHAT = {
    "token": (
        "Print a token that is good for a while: from the cache, or a new one.",
        """
wxhelper token                          the default profile's token, and nothing else
wxhelper token --profile dev --output json
wxhelper token --min-ttl 900            for something that takes a quarter of an hour
""",
    ),
    "header": (
        "Print the token as a header, ready for curl and others.",
        """
wxhelper header | curl -H @- https://us-south.ml.cloud.ibm.com/...
                                        the token is in no process's arguments
wxhelper header --output json           {"Authorization": "Bearer ..."}
""",
    ),
}


def prepare(parser: Parser) -> None:
    """Declare the options."""
    parser.explain(*_WHAT[parser.verb])
    parser.add_profile()
    parser.add_argument(
        "--min-ttl",
        metavar="SECONDS",
        type=seconds,
        default=0,
        help="the life that the token must still have; more than it ever has gives a new one",
    )
    parser.add_argument(
        "--refresh", action="store_true", help="a new token, whatever is in the cache"
    )
    parser.add_output(RAW, what="the form of the answer")


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Do it."""
    asked = Asked(
        options.verb,
        profile=options.profile,
        min_ttl=options.min_ttl,
        refresh=options.refresh,
        output=options.output,
    )
    plain.complete(asked, environ)
    return answer(plain, asked, environ, tells=True)
