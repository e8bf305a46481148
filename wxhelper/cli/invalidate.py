"""Floor 7: ``wxhelper invalidate``."""

import argparse
from collections.abc import Mapping

from wxhelper import profiles
from wxhelper.cache import Cache
from wxhelper.cli.parser import Parser
from wxhelper.errors import TemporaryError
from wxhelper.lookups import Lookups

_WHAT = """\
Drop the profile's token and its remembered failure. The next call asks the
service again; a request that is under way just now counts for nothing."""
_EXAMPLES = """
wxhelper invalidate                     after a server no longer accepts the token
wxhelper invalidate --profile dev       after a key was unlocked at IBM
"""


def prepare(parser: Parser) -> None:
    """Declare the options."""
    parser.explain(_WHAT, _EXAMPLES)
    parser.add_profile()


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Do it.

    Raises:
        ConfigurationError: there is no such profile.
        TemporaryError: the cache cannot be changed.
    """
    config = profiles.config_file(environ)
    profile = profiles.choose(options.profile, config=config, lookups=Lookups(environ))
    drop_tokens(profile.name, config, environ)
    return 0


def drop_tokens(name: str, config: str, environ: Mapping[str, str]) -> None:
    """Drop what is kept and remembered of a profile.

    Raises:
        TemporaryError: the cache cannot be changed.
    """
    cache = Cache(environ, config)
    try:
        cache.invalidate(name)
    except OSError as fault:
        raise TemporaryError(
            f"the cache {cache.directory} cannot be changed: {fault.strerror or fault}",
            remedy="look at its owner and mode, or set WXHELPER_CACHE_DIR",
        ) from None
