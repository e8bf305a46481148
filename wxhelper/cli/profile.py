"""Floor 7: ``wxhelper profile``: the configuration, without opening it in an editor."""

import argparse
import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

from wxhelper import profiles
from wxhelper.audience import hosts_of, login_of
from wxhelper.cache import Cache
from wxhelper.cli.parser import JSON, TEXT, Parser, as_option, profile_name, whole_path
from wxhelper.cli.streams import answer_only, complain, say
from wxhelper.cli.table import BOLD, RED, aligned, coloured, width
from wxhelper.document import Value
from wxhelper.editor import Editor
from wxhelper.errors import (
    ConfigurationError,
    KeyUnavailable,
    PluginError,
    UnknownProfile,
    UsageError,
    printable,
    unkeyed,
)
from wxhelper.lookups import Lookups
from wxhelper.plugin.types import COMMON
from wxhelper.profiles import KEYS, Listing, Profile
from wxhelper.reference import UNTRIED, is_secretive, shown_reference, shown_setting
from wxhelper.secret import resolve

if TYPE_CHECKING:
    from wxhelper.plugin.types import TokenSourceType

_WHAT = """\
Edit the configuration's profiles. Comments, order and spacing of the file stay as
they are; so do its mode and a symbolic link. "wxhelper profile add --help" and the
like tell more."""
_EXAMPLES = """
wxhelper profile add dev --source ibmcloud --api-key-ref file:~/keys/dev
wxhelper profile list
wxhelper profile show dev
wxhelper profile default dev
wxhelper profile remove dev
"""
_ADD = """\
Add a profile. The key itself is never written into the configuration: say where it
is, or let "wxhelper login NAME" ask for it, store it and write the profile. Every
setting of the source is an option, too: "wxhelper sources" lists them."""
_ADD_EXAMPLES = """
wxhelper profile add dev --source ibmcloud --api-key-ref file:~/keys/dev
wxhelper profile add ci --source ibmcloud --api-key-ref env:IBMCLOUD_API_KEY --default
wxhelper profile add in --source aws --region ap-south-1 --api-key-ref command:'pass in'
wxhelper profile add gw --source ibmcloud --api-key-ref keyring:gw --hosts gw.example.com
"""
_SOURCE = re.compile(r"[a-z][a-z0-9-]{0,30}")


def prepare(parser: Parser) -> None:
    """Declare the options."""
    parser.explain(_WHAT, _EXAMPLES)
    actions = parser.add_actions()
    add = actions("add", "add a profile", _ADD, _ADD_EXAMPLES)
    _prepare_add(add)
    listing = actions("list", "list the profiles", "List the profiles.", "wxhelper profile list")
    listing.add_output(TEXT, what="the form of the list")
    show = actions("show", "show one", "Show what a profile says.", "wxhelper profile show dev")
    show.add_argument("name", metavar="NAME", type=profile_name)
    show.add_output(TEXT, what="the form of the answer")
    remove = actions(
        "remove",
        "remove one, and its tokens",
        "Remove a profile, and its tokens from the cache. Its key is left where it is.",
        "wxhelper profile remove dev",
    )
    remove.add_argument("name", metavar="NAME", type=profile_name)
    default = actions(
        "default",
        "tell or choose the default one",
        "Tell which profile is used when none is named, or choose it.",
        "wxhelper profile default\nwxhelper profile default dev",
    )
    default.add_argument("name", metavar="NAME", type=profile_name, nargs="?")


def _prepare_add(add: Parser) -> None:
    add.takes_settings = True
    add.add_argument("name", metavar="NAME", type=profile_name, help="the profile's name")
    add.add_argument("--source", metavar="SOURCE", help="the kind of source: wxhelper sources")
    add.add_argument(
        "--api-key-ref",
        metavar="REF",
        help="where the key is: env:NAME, file:PATH, keyring:NAME, ibm-credentials:SERVICE, "
        "command:PROGRAM ARGS",
    )
    add.add_argument("--url", help="the token service's address")
    add.add_argument(
        "--ca-file", metavar="FILE", type=whole_path, help="certificates (PEM) to trust for it"
    )
    add.add_argument(
        "--hosts",
        metavar="HOST",
        action="append",
        help="who may be given the token, instead of the source's audience; once for each",
    )
    add.add_argument("--login", metavar="NAME", help="the user, where the token is a password")
    add.add_argument("--default", action="store_true", help="make it the default profile")
    add.add_argument("--replace", action="store_true", help="in place of one of the same name")


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Do it.

    Raises:
        UsageError: an option is missing or says what another one is for.
        ConfigurationError: the configuration cannot be used, or not be changed so.
    """
    actions: dict[str, Callable[[argparse.Namespace, Mapping[str, str], str], None]] = {
        "add": _add,
        "list": _list,
        "show": _show,
        "remove": _remove,
        "default": _default,
    }
    actions[options.action](options, environ, profiles.config_file(environ))
    return 0


def _add(options: argparse.Namespace, environ: Mapping[str, str], config: str) -> None:
    values = _values(options)
    editor = Editor(config)
    name, alone = options.name, not editor.names and editor.default is None
    if options.replace and name in editor.names:
        gone = dict.fromkeys(editor.keys(name))
        editor.change(name, {**gone, **values})
        done = "replaced"
    else:
        editor.add(name, values)
        done = "added"
    _judge(name, values, environ, config)
    if options.default or alone:
        editor.make_default(name)
    editor.save()
    say(f"profile {name} is {done}{', the default one' * (editor.default == name)}: {config}\n")
    if editor.default is None and len(editor.names) == 2:  # until now the other one was it
        first = next(other for other in editor.names if other != name)
        complain(
            "wxhelper: of two profiles none is the default one; "
            f"choose it: wxhelper profile default {first}"
        )


def _values(options: argparse.Namespace) -> dict[str, Value]:
    if not _SOURCE.fullmatch(options.source or ""):
        # Not repeated: it may be a key that was pasted here.
        fault = "is missing" if options.source is None else "is not the name of a source"
        raise UsageError(
            f"profile add: --source {fault}",
            remedy="for example --source ibmcloud; all of them: wxhelper sources",
        )
    if "--api-key" in options.settings:
        raise UsageError(
            "profile add: no option takes the key itself",
            remedy="what was typed is in the shell's history now: if it is a key, replace it, and "
            f"store the new one with: wxhelper login {options.name}",
        )
    if options.api_key_ref is None:
        raise UsageError(
            "profile add: --api-key-ref is missing",
            remedy=f"for a key that is stored nowhere yet: wxhelper login {options.name}",
        )
    if shown_reference(options.api_key_ref) is None:
        # Not repeated: it may be the key.
        raise UsageError(
            "profile add: --api-key-ref takes where the key is, not the key",
            remedy=f"to store a key, type wxhelper login {options.name}; "
            "else give env:NAME, file:PATH, keyring:NAME or command:PROGRAM ARGS",
        )
    values: dict[str, Value] = {"source": options.source, "api_key": options.api_key_ref}
    if options.hosts:
        values["hosts"] = options.hosts
    for key in ("login", "url", "ca_file"):
        if (given := getattr(options, key)) is not None:
            values[key] = given
    try:
        hosts_of(options.hosts, "profile add: --hosts")
        login_of(options.login, "profile add: --login")
    except ConfigurationError as fault:
        raise UsageError(fault.message, remedy="see: wxhelper profile add --help") from None
    return values | {o[2:].replace("-", "_"): value for o, value in options.settings.items()}


def _judge(name: str, values: Mapping[str, Value], environ: Mapping[str, str], config: str) -> None:
    """Tell now what would be told when the profile is used.

    Raises:
        ConfigurationError: it could never be used.
    """
    table = {k: v if isinstance(v, str) else list(v) for k, v in values.items()}
    profile = profiles.read_profile(name, table, config, is_default=False)
    lookups = Lookups(environ)
    with answer_only():
        from wxhelper import manager, source

        try:
            kind = manager.find(profile.source, lookups)
            _judge_options(name, profile.settings, kind)
            settings = source.settings_of(kind, profile, lookups)
            source.survived(kind.name, lambda: kind.token_hosts(settings))
        except PluginError as fault:
            for key, value in table.items():
                if key not in KEYS and is_secretive(key, str(value)):
                    raise _misplaced(key, name) from None
            complain(f"{fault.line()} (the settings were not checked)")
    assert profile.api_key is not None  # noqa: S101 - it was given
    if not profile.api_key.startswith(UNTRIED):
        try:
            resolve(
                profile.api_key, named=f"profiles.{name}.api_key", config=config, lookups=lookups
            )
        except KeyUnavailable as fault:
            fault.profile = name
            complain(fault.line())


def _misplaced(setting: str, name: str) -> UsageError:
    return UsageError(
        f"profile add: {unkeyed(setting)} looks like a key, and the configuration is no place "
        "for one",
        remedy=f"to store a key, type wxhelper login {name}",
    )


def _judge_options(name: str, given: Mapping[str, object], kind: "TokenSourceType") -> None:
    known = [setting.name for setting in (*COMMON, *kind.settings)]
    for setting, value in given.items():
        if setting not in known:
            if is_secretive(setting, str(value)):
                raise _misplaced(setting, name)
            options = [as_option(each) for each in ("source", "hosts", "login", *known)]
            meant = profiles.nearest(as_option(setting), options)
            raise UsageError(
                f"profile add: unknown option {unkeyed(as_option(setting))}",
                remedy=f"did you mean {meant}?"
                if meant
                else f"source {kind.name} takes {', '.join(options)}",
            )


def _list(options: argparse.Namespace, environ: Mapping[str, str], config: str) -> None:
    listing = profiles.every(config, lookups=Lookups(environ))
    found = {name: one for name, one in listing.profiles.items() if not _made_up(one)}
    if options.output == JSON:
        rows = [_as_json(name, one, listing) for name, one in found.items()]
        say(json.dumps(rows, indent=2) + "\n")
    elif found:
        say(_as_table(found, listing.default, colour=coloured(environ)))
    else:
        say(f"no profiles in {config}; to begin: wxhelper login\n")
    if listing.fault is not None:
        complain(listing.fault.line())


def _made_up(one: Profile | ConfigurationError) -> bool:
    return isinstance(one, Profile) and one.from_environment


def _as_table(
    found: Mapping[str, Profile | ConfigurationError], default: str | None, *, colour: bool
) -> str:
    rows: list[Sequence[str]] = [(" ", "PROFILE", "SOURCE", "KEY")]
    for name, one in found.items():
        mark = "*" if name == default else ""
        if isinstance(one, Profile):
            rows.append((mark, name, _plain(one.source), _reference(one)))
        else:
            rows.append((mark, name, "", f"cannot be used: {_plain(one.message)}"))
    widths = [max(width(row[place]) for row in rows) for place in range(4)]
    lines = []
    for row in rows:
        tints = [BOLD] * 4 if row is rows[0] else ["", "", "", "" if row[2] else RED]
        lines.append(aligned(row, widths, tints if colour else ()))
    return "\n".join([*lines, ""])


def _plain(text: str) -> str:
    return printable(unkeyed(text), 300)


def _reference(profile: Profile) -> str:
    shown = shown_reference(profile.api_key or "")
    return "(not a reference; not shown)" if shown is None else shown


def _as_json(name: str, one: Profile | ConfigurationError, listing: Listing) -> dict[str, object]:
    row: dict[str, object] = {"name": name, "default": name == listing.default}
    if not isinstance(one, Profile):
        return row | {"error": _plain(one.message)}
    return row | {
        "source": _plain(one.source),
        "api_key": shown_reference(one.api_key or ""),
        "hosts": None if one.hosts is None else list(one.hosts),
        "settings": {_plain(key): shown_setting(key, value) for key, value in one.settings.items()},
    }


def _show(options: argparse.Namespace, environ: Mapping[str, str], config: str) -> None:
    listing = profiles.every(config, lookups=Lookups(environ))
    one = listing.profiles.get(options.name)
    if one is None or _made_up(one):
        known = [name for name, other in listing.profiles.items() if not _made_up(other)]
        raise profiles.no_such_profile(options.name, known, config)
    if not isinstance(one, Profile):
        raise one
    if options.output == JSON:
        say(json.dumps(_as_json(options.name, one, listing), indent=2) + "\n")
        return
    rows = [
        ("profile", f"{one.name}{'  (the default one)' * one.default}"),
        ("source", _plain(one.source)),
        ("api_key", _reference(one)),
        *([("hosts", " ".join(one.hosts))] if one.hosts is not None else []),
        *((_plain(key), shown_setting(key, value)) for key, value in one.settings.items()),
        ("from", config),
    ]
    widths = [max(width(key) for key, _ in rows)]
    say("".join(aligned(row, widths) + "\n" for row in rows))


def _remove(options: argparse.Namespace, environ: Mapping[str, str], config: str) -> None:
    editor = Editor(config)
    name, default = options.name, editor.default
    listing = profiles.every(config, lookups=Lookups(environ)).profiles
    editor.remove(name)
    editor.save()
    say(f"profile {name} is removed: {config}\n")
    gone = listing.get(name)
    if isinstance(gone, Profile) and (shown := shown_reference(gone.api_key or "")):
        say(f"its key is left where it is: {shown}\n")
    cache = Cache(environ, config)
    try:
        cache.invalidate(name)
    except OSError as fault:
        complain(
            f"wxhelper: its token could not be removed from {cache.directory}: "
            f"{fault.strerror or fault}"
        )
    if default == name and len(editor.names) > 1:
        complain(
            "wxhelper: it was the default one; "
            f"choose another: wxhelper profile default {editor.names[0]}"
        )


def _default(options: argparse.Namespace, environ: Mapping[str, str], config: str) -> None:
    if options.name is not None:
        editor = Editor(config)
        editor.make_default(options.name)
        editor.save()
    else:
        listing = profiles.every(config, lookups=Lookups(environ))
        if listing.fault is not None:
            raise listing.fault
        if listing.default is None:
            raise UnknownProfile(
                f"{config} has no default_profile",
                remedy=f"choose it: wxhelper profile default {min(listing.profiles)}",
            )
        say(f"{listing.default}\n")
    named = environ.get("WXHELPER_PROFILE")
    if named and named != options.name:
        complain(f"wxhelper: here WXHELPER_PROFILE wins, and names {_plain(named)}")
