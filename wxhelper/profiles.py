"""Floor 3, step 3: ``config.toml`` and the profile that is meant.

    default_profile = "dev"

    [profiles.dev]
    source  = "ibmcloud"
    api_key = "env:IBMCLOUD_API_KEY"
    hosts   = ["us-south.ml.cloud.ibm.com"]     # instead of the source's audience
    login   = "iambearer"                       # the user, where a token is a password

Everything else in a profile is a setting of its source, which judges it later.
Only the profile that is meant is looked into: a slip in another one stops nobody.
Without a configuration the variables are a profile, named ``env``.
"""

import codecs
import difflib
import os
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import platformdirs

from wxhelper import paths
from wxhelper.audience import hosts_of, login_of
from wxhelper.errors import ConfigurationError, UnknownProfile, printable
from wxhelper.lookups import File, Lookups
from wxhelper.protocols import LOGIN
from wxhelper.reference import UNTRIED

NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
FROM_ENVIRONMENT = "env"
DEFAULT_SOURCE = "ibmcloud"
KEYS = ("source", "api_key", "hosts", "login")
SIZE_LIMIT = 131_072
_LONGEST_SHOWN = 30
_TOP = ("default_profile", "profiles")


@dataclass(frozen=True)
class Profile:
    """A named way to a token.

    Attributes:
        name: the profile's name.
        source: the kind of source.
        api_key: the reference to the key; None when the source's variables are
            to be tried.
        hosts: who may be given the token, instead of the source's audience; None
            leaves it to the source.
        settings: the source's settings as written.
        config: the configuration file, there or not.
        default: whether it is chosen when none is named.
        from_environment: whether the variables made it.
        login: the user's name, where the token is sent as a password.
    """

    name: str
    source: str
    api_key: str | None
    hosts: tuple[str, ...] | None
    settings: Mapping[str, object]
    config: str
    default: bool
    from_environment: bool = False
    login: str = LOGIN

    @property
    def volatile(self) -> bool:
        """Whether the key can change without anything on record changing."""
        return self.api_key is not None and self.api_key.startswith(UNTRIED)


@dataclass(frozen=True)
class Listing:
    """All that a configuration has.

    Attributes:
        profiles: by name, in the order of the file: the profile, or why it cannot
            be used.
        default: the one chosen when none is named; None when there is no such one.
        fault: what is wrong with ``default_profile``, or None.
    """

    profiles: Mapping[str, Profile | ConfigurationError]
    default: str | None
    fault: ConfigurationError | None


def config_file(environ: Mapping[str, str]) -> str:
    """The configuration file, there or not.

    Raises:
        ConfigurationError: it cannot be told which.
    """
    known = paths.config_file(environ)
    if known is not None:
        return known
    if environ.get("WXHELPER_CONFIG"):
        raise ConfigurationError(
            "WXHELPER_CONFIG is a relative path, and the current directory is gone",
            remedy="give it as an absolute path",
        )
    try:
        folder = platformdirs.user_config_dir("wxhelper", appauthor=False)
    except RuntimeError:
        # A user without a home, as pods have them: the variables alone must do.
        folder = "/.config/wxhelper"
    return os.path.join(folder, "config.toml")


def choose(named: str | None, *, config: str, lookups: Lookups) -> Profile:
    """The profile that is meant.

    Args:
        named: by ``--profile``; None leaves it to ``WXHELPER_PROFILE``, then to
            ``default_profile``, then to the only one there is.
        config: the configuration file.
        lookups: reads the file and the variables.

    Raises:
        UnknownProfile: there is no such profile, or none to choose.
        ConfigurationError: the file cannot be used.
    """
    content = _read(config, lookups)
    # Not a lookup: the door compares the name itself.
    named = named if named is not None else lookups.environ.get("WXHELPER_PROFILE") or None
    if named is not None and not NAME.fullmatch(named):
        raise UnknownProfile(
            "a profile's name has 1 to 64 letters, digits, dots, underscores or hyphens",
            remedy="see --profile and WXHELPER_PROFILE",
        )
    tables = tables_of(content, config)
    if not tables:
        if "default_profile" in content:
            _default(content, tables, config)  # tells that it cannot be one
        return _from_environment(named, config, lookups)
    try:
        default = _default(content, tables, config)
    except ConfigurationError:
        if named is None:
            raise
        default = None
    name = named or default
    if name is None:
        raise UnknownProfile(
            f"{config} has several profiles and no default_profile: {_listed(tables)}",
            remedy=f'add default_profile = "{min(tables)}" to it, or give --profile NAME',
        )
    if name not in tables:
        raise no_such_profile(name, tables, config, "--profile ")
    return read_profile(name, tables[name], config, is_default=name == default)


def every(config: str, *, lookups: Lookups) -> Listing:
    """All profiles; one that cannot be used is told and hides no other.

    Args:
        config: the configuration file.
        lookups: reads the file and the variables.

    Raises:
        ConfigurationError: the file itself cannot be used.
    """
    content = _read(config, lookups)
    tables = tables_of(content, config)
    if not tables and "default_profile" not in content:
        alone = _from_environment(None, config, lookups)
        return Listing({alone.name: alone}, alone.name, None)
    default, fault = None, None
    try:
        default = _default(content, tables, config)
    except ConfigurationError as error:
        fault = error
    found: dict[str, Profile | ConfigurationError] = {}
    for name, table in tables.items():
        try:
            found[name] = read_profile(name, table, config, is_default=name == default)
        except ConfigurationError as error:
            found[name] = error
    return Listing(found, default, fault)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant: much like this one, or the only one it begins."""
    folded = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word.lower(), list(folded), n=1)
    begun = [name for name in folded if len(word) > 1 and name.startswith(word.lower())]
    if not found and len(begun) == 1:
        found = begun
    return folded[found[0]] if found else None


def _shown(name: str) -> str:
    """A name that is none; one as long as a key may be a key in the wrong place."""
    return name if len(name) <= _LONGEST_SHOWN else "of that name"


def _listed(tables: Iterable[str]) -> str:
    names = sorted(tables)
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def read(config: str, lookups: Lookups) -> File | None:
    """The configuration file as it is, or None when there is none.

    Raises:
        ConfigurationError: it cannot be read, or others could have written it.
    """
    return lookups.read_trusted("configuration", config, SIZE_LIMIT)


def _read(config: str, lookups: Lookups) -> dict[str, object]:
    found = read(config, lookups)
    return {} if found is None else parsed(found.data, config)


def parsed(data: bytes, config: str) -> dict[str, object]:
    """The content of a configuration file.

    Args:
        data: its bytes.
        config: where they come from, for messages.

    Raises:
        ConfigurationError: it is no TOML; with the line.
    """
    data = data.removeprefix(codecs.BOM_UTF8)
    try:
        return tomllib.loads(data.decode("utf-8"))
    except UnicodeDecodeError as fault:
        line = data.count(b"\n", 0, fault.start) + 1
        reason = "it is not UTF-8 text"
    except tomllib.TOMLDecodeError as fault:
        # The parser's words may show a character of the text, never a value.
        said, _, place = str(fault).partition(" (at ")
        number = re.match(r"line (\d+)", place)
        line = int(number[1]) if number else data.count(b"\n") + 1
        reason = printable(said[:1].lower() + said[1:])
    except ValueError:  # Python reads no number of more than 4,300 digits
        giant = re.search(rb"\d{4300}", data)
        line = data.count(b"\n", 0, giant.start() if giant else 0) + 1
        reason = "a number is too long"
    except RecursionError:
        line, reason = 1, "it is nested too deeply"
    raise ConfigurationError(
        f"{config}, line {line}: {reason}", remedy="correct that line; values are written in quotes"
    )


def tables_of(content: Mapping[str, object], config: str) -> dict[str, object]:
    """The profiles of a configuration as they are written, by name.

    Raises:
        ConfigurationError: something else stands beside them, they are no table, or
            one has a name that cannot be typed.
    """
    for key in content:
        if key not in _TOP:
            raise unknown_key(key, _TOP, config)
    tables = content.get("profiles", {})
    if not isinstance(tables, dict):
        raise ConfigurationError(
            f"{config}: profiles must be a table", remedy="begin a profile with [profiles.NAME]"
        )
    for name in tables:
        if not NAME.fullmatch(name):
            raise bad_name(name, config)
    return tables


def bad_name(name: str, config: str) -> ConfigurationError:
    """The error for a profile's name that cannot be one."""
    return ConfigurationError(
        f"{config}: {printable(name, 80)} cannot be a profile's name",
        remedy="use 1 to 64 letters, digits, dots, underscores or hyphens",
    )


def no_such_profile(
    name: str, tables: Iterable[str], config: str, option: str = ""
) -> UnknownProfile:
    """The error for a name that no profile has.

    Args:
        name: as it was given.
        tables: the names that there are.
        config: the configuration file.
        option: what is typed in front of a name.
    """
    known = sorted(tables)
    if not known:
        return UnknownProfile(
            f"there is no profile {_shown(name)} in {config}, nor any other",
            remedy="add one: wxhelper profile add NAME --help",
        )
    meant = nearest(name, known)
    return UnknownProfile(
        f"there is no profile {_shown(name)} in {config}, only {_listed(known)}",
        # One that is merely there would be another account's token.
        remedy=f"did you mean {option}{meant}?" if meant else "name one of them",
    )


def unknown_key(
    key: str, known: Iterable[str], config: str, within: str = ""
) -> ConfigurationError:
    """The error for a key that nothing understands.

    Args:
        key: as written.
        known: what would be understood there.
        config: the configuration file.
        within: the table that it stands in.
    """
    path = f"{within}.{key}" if within else key
    meant = nearest(key, known)
    return ConfigurationError(
        f"{config}: unknown key {printable(path, 120)}",
        remedy=f"did you mean {meant}?" if meant else f"known here: {', '.join(known)}",
    )


def _default(
    content: Mapping[str, object], tables: Mapping[str, object], config: str
) -> str | None:
    default = content.get("default_profile")
    if default is None:
        return next(iter(tables)) if len(tables) == 1 else None
    if not tables:
        raise UnknownProfile(
            f"{config} has a default_profile and no profiles",
            remedy="add one, beginning with [profiles.NAME]",
        )
    if not isinstance(default, str):
        raise ConfigurationError(
            f"{config}: default_profile must be a string",
            remedy=f'write default_profile = "{min(tables)}"',
        )
    if default not in tables:
        raise UnknownProfile(
            f"{config}: default_profile names {printable(default, 80)}, and there is only "
            f"{_listed(tables)}",
            remedy=f'write default_profile = "{nearest(default, tables) or min(tables)}"',
        )
    return default


def read_profile(name: str, table: object, config: str, *, is_default: bool) -> Profile:
    """A profile from its table.

    Raises:
        ConfigurationError: ``source``, ``api_key`` or ``hosts`` is not as it must be.
    """
    where = f"profiles.{name}"
    if not isinstance(table, dict):
        raise ConfigurationError(
            f"{config}: {where} must be a table", remedy=f"begin it with [{where}]"
        )
    given: dict[str, str] = {}
    for key, example in (("source", DEFAULT_SOURCE), ("api_key", "env:IBMCLOUD_API_KEY")):
        value = table.get(key)
        if value is None and (slip := nearest(key, [k for k in table if k not in KEYS])):
            raise unknown_key(slip, KEYS, config, where)
        if not isinstance(value, str):
            fault = "is missing" if value is None else "must be a string"
            raise ConfigurationError(
                f"{config}: {where}.{key} {fault}", remedy=f'write {key} = "{example}"'
            )
        given[key] = value
    return Profile(
        name,
        given["source"],
        given["api_key"],
        hosts_of(table.get("hosts"), f"{config}: {where}.hosts"),
        {key: value for key, value in table.items() if key not in KEYS},
        config,
        is_default,
        login=login_of(table.get("login"), f"{config}: {where}.login"),
    )


def _from_environment(named: str | None, config: str, lookups: Lookups) -> Profile:
    if named is not None and named != FROM_ENVIRONMENT:
        raise UnknownProfile(
            f"there is no profile {_shown(named)}: {config} "
            + ("has no profiles" if os.path.exists(config) else "does not exist"),
            remedy=f"write [profiles.{named if len(named) <= _LONGEST_SHOWN else 'NAME'}] into it; "
            "an example is in: wxhelper --help",
        )
    source = lookups.variable("WXHELPER_SOURCE") or DEFAULT_SOURCE
    return Profile(
        FROM_ENVIRONMENT, source, None, None, {}, config, default=True, from_environment=True
    )
