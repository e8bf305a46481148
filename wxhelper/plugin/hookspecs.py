"""Floor 4: the one hook.

A hook offers kinds of source; it never takes or returns a key or a token. pluggy
lets every installed plugin wrap a hook's call and read what passes, and a plugin
that is installed later changes who answers first. So the token comes from
``source.fetch()``, a plain method of what the profile names.
"""

from collections.abc import Iterable

import pluggy

from wxhelper.plugin.types import TokenSourceType

API = 1
"""The version of this contract; a plugin module says ``wxhelper_api = 1``."""

PROJECT = "wxhelper"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def wxhelper_token_sources() -> Iterable[TokenSourceType]:
    """Offer kinds of token source.

    Called when a profile names a source of the plugin's, and for lists. It says
    what there is and does nothing: no file, no variable, no network.

    Example:
        @hookimpl
        def wxhelper_token_sources():
            yield TokenSourceType(
                name="mine",
                summary="Tokens of my service",
                token_hosts=lambda settings: frozenset({"tokens.example.com"}),
                audience=lambda settings: frozenset({"api.example.com"}),
                open=MySource,
            )
    """
    return ()
