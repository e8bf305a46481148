"""Floor 7: ``git-credential-wxhelper``, for git."""

import argparse
import contextlib
import hmac
from collections.abc import Callable, Mapping

from wxhelper import profiles
from wxhelper.cache import Cache
from wxhelper.cli.answer import answer
from wxhelper.cli.parser import Parser
from wxhelper.cli.streams import say, stdin_of
from wxhelper.errors import HostRefused, WrongScheme, WxhelperError
from wxhelper.hosts import matches
from wxhelper.lookups import Lookups
from wxhelper.protocols import Asked, git_credential
from wxhelper.record import Record

Refused = Callable[[Record, Asked], bool]

_WHAT = """\
Answer git, which writes what it asks for to standard input (gitcredentials(7)).
Only the profile's hosts are given the token; about others nothing is said."""
_EXAMPLES = """
git config --global credential.https://git.example.com.helper wxhelper
git config --global credential.https://git.example.com.helper "wxhelper --profile dev"
                                        with hosts = ["git.example.com"] in the profile
"""


def prepare(parser: Parser) -> None:
    """Declare the options."""
    parser.explain(_WHAT, _EXAMPLES)
    parser.add_profile()
    parser.add_argument(
        "operation",
        metavar="get|store|erase|capability",
        help="added by git; store is not needed, and what is unknown is left alone",
    )


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Do it.

    Raises:
        WxhelperError: there is no token for a host that may be given one.
    """
    asked = Asked(
        options.verb,
        profile=options.profile,
        arguments=(options.operation,),
        stdin=stdin_of(options, git_credential.END),
    )
    git_credential.complete(asked, environ)
    if asked.reply is not None:
        say(asked.reply)
        return 0
    if options.operation == "erase":
        with contextlib.suppress(WxhelperError, OSError):
            _reject(asked, environ, _is_erased)
        return 0
    return _get(asked, environ)


def _get(asked: Asked, environ: Mapping[str, str]) -> int:
    if asked.newer_than:
        # Nobody else is to run into the same refusal.
        with contextlib.suppress(WxhelperError, OSError):
            _reject(asked, environ, _is_as_old)
    try:
        return answer(git_credential, asked, environ, tells=False)
    except HostRefused:
        say(asked.refusal or "")
        return 0
    except WxhelperError as fault:
        if isinstance(fault, WrongScheme):
            fault.remedy = "git 2.46 and later carry any"
        if fault.admitted:
            # No other helper has it, and no person knows a token by heart.
            say("quit=1\n")
        raise


def _reject(asked: Asked, environ: Mapping[str, str], refused: Refused) -> None:
    config = profiles.config_file(environ)
    profile = profiles.choose(asked.profile, config=config, lookups=Lookups(environ))
    Cache(environ, config).reject(
        profile.name,
        lambda found: matches(found.hosts, asked.places[0]) and refused(found, asked),
    )


def _is_as_old(found: Record, asked: Asked) -> bool:
    return found.token.minted_at <= asked.newer_than


def _is_erased(found: Record, asked: Asked) -> bool:
    secrets = [s for key in ("password", "credential") if (s := asked.request.get(key))]
    kept = found.token.value.encode()
    return not secrets or any(
        hmac.compare_digest(s.encode("utf-8", "surrogateescape"), kept) for s in secrets
    )
