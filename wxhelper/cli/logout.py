"""Floor 7: ``wxhelper logout``: remove what login stored, and the tokens made from it."""

import argparse
from collections.abc import Mapping

from wxhelper import profiles
from wxhelper.cli.invalidate import drop_tokens
from wxhelper.cli.parser import Parser, not_a_key, profile_name
from wxhelper.cli.streams import say
from wxhelper.editor import Editor
from wxhelper.errors import UsageError
from wxhelper.keystore import KEYRING, Keystore
from wxhelper.lookups import Lookups
from wxhelper.reference import shown_reference

_WHAT = """\
Remove the key that "wxhelper login" stored, the profile's tokens and its remembered
failure. A key that is kept elsewhere (a variable, a file of your own, a command) is
left there. The key itself stays good: to end it, delete it at IBM."""
_EXAMPLES = """
wxhelper logout dev
wxhelper logout dev --remove-profile
"""


def prepare(parser: Parser) -> None:
    """Declare the options."""
    parser.explain(_WHAT, _EXAMPLES)
    parser.add_argument("name", metavar="PROFILE", type=profile_name, nargs="?")
    parser.add_profile()
    parser.add_argument(
        "--remove-profile", action="store_true", help="remove it from the configuration, too"
    )


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Do it; what is gone already is no fault.

    Raises:
        UsageError: two profiles are named.
        UnknownProfile: nothing is known of the one that is named.
        ConfigurationError: there is no default profile, or something cannot be removed.
        TemporaryError: the cache cannot be changed.
    """
    config, lookups = profiles.config_file(environ), Lookups(environ)
    named = {options.name, options.profile} - {None}
    if len(named) > 1:
        raise UsageError("logout: two profiles are named", remedy="name one")
    name = next(iter(named), None)
    if name is None:
        name = profiles.choose(None, config=config, lookups=lookups).name
    not_a_key("logout", name)
    editor = Editor(config)
    key = _dropped_key(name, config, environ, lookups)
    drop_tokens(name, config, environ)
    unknown = named and name not in editor.names and name != profiles.FROM_ENVIRONMENT
    if unknown and not key and not options.remove_profile:
        # Whoever mistypes is not to believe that a key is gone.
        raise profiles.no_such_profile(name, editor.names, config, "wxhelper logout ")
    done = [key or f"the key of profile {name} is not stored"]
    gone = "its tokens are removed"
    if name not in editor.names:
        gone += f"; there is no profile {name} in {config}"
    elif options.remove_profile:
        editor.remove(name)
        editor.save()
        gone += f", and so is the profile: {config}"
    say("\n".join([*done, gone, ""]))
    return 0


def _dropped_key(name: str, config: str, environ: Mapping[str, str], lookups: Lookups) -> str:
    """Remove the key if it is ours; tells what became of it, "" where there is none."""
    store = Keystore(name, config, environ)
    references = _references(config, lookups)
    reference = references.pop(name, "")
    ours = store.kind_of(reference)
    if not ours:
        # A login that was cut short may have left a file that nothing leads to.
        left = store.drop(store.file_reference) if store.file_reference not in references else ""
        if reference:
            shown = shown_reference(reference) or "what its api_key says (not shown)"
            return f"the key of profile {name} is left where it is: {shown}"
        return left and f"{left} is removed"
    for other, its in references.items():
        if its == reference or Keystore(name, config, environ).kind_of(its) == ours:
            return f"the key of profile {name} is left: profile {other} uses it, too"
    removed = store.drop(reference)
    where = "the keyring" if ours == KEYRING else store.path
    return f"{removed} is removed" if removed else f"there is no key of profile {name} in {where}"


def _references(config: str, lookups: Lookups) -> dict[str, str]:
    found = profiles.read(config, lookups)
    tables = (
        {} if found is None else profiles.tables_of(profiles.parsed(found.data, config), config)
    )
    return {
        name: table["api_key"]
        for name, table in tables.items()
        if isinstance(table, dict) and isinstance(table.get("api_key"), str)
    }
