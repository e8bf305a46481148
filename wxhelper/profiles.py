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

from wxhelper import hosts, paths
from wxhelper.errors import ConfigurationError, UnknownProfile, printable
from wxhelper.lookups import Lookups
from wxhelper.protocols import LOGIN

NAME = re.compile(r"[A-Za-z0-9._-]{1,64}")
FROM_ENVIRONMENT = "env"
DEFAULT_SOURCE = "ibmcloud"
KEYS = ("source", "api_key", "hosts", "login")
_SIZE_LIMIT = 131_072
_LONGEST_SHOWN = 30
# No space, quote, colon or control character: it goes into netrc and into Basic credentials.
_LOGIN = re.compile(r"[A-Za-z0-9._%+@/=~-]{1,128}")
_HOSTS_LENGTH = 16_384
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
        return self.api_key is not None and self.api_key.startswith("command:")


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
    tables = _tables(content, config)
    if not tables:
        if "default_profile" in content:
            raise UnknownProfile(
                f"{config} has a default_profile and no profiles",
                remedy="add one, beginning with [profiles.NAME]",
            )
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
        raise UnknownProfile(
            f"there is no profile {_shown(name)} in {config}, only {_listed(tables)}",
            remedy=f"did you mean --profile {nearest(name, tables) or min(tables)}?",
        )
    return _profile(name, tables[name], config, is_default=name == default)


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant."""
    folded = {name.lower(): name for name in known}
    found = difflib.get_close_matches(word.lower(), list(folded), n=1)
    return folded[found[0]] if found else None


def _shown(name: str) -> str:
    """A name that is none; one as long as a key may be a key in the wrong place."""
    return name if len(name) <= _LONGEST_SHOWN else "of that name"


def _listed(tables: Iterable[str]) -> str:
    names = sorted(tables)
    return ", ".join(names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")


def _read(config: str, lookups: Lookups) -> dict[str, object]:
    found = lookups.read_trusted("configuration", config, _SIZE_LIMIT)
    if found is None:
        return {}
    data = found.data.removeprefix(codecs.BOM_UTF8)
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


def _tables(content: Mapping[str, object], config: str) -> dict[str, object]:
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
            raise ConfigurationError(
                f"{config}: {printable(name, 80)} cannot be a profile's name",
                remedy="use 1 to 64 letters, digits, dots, underscores or hyphens",
            )
    return tables


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


def _profile(name: str, table: object, config: str, *, is_default: bool) -> Profile:
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
        _hosts(table.get("hosts"), f"{config}: {where}.hosts"),
        {key: value for key, value in table.items() if key not in KEYS},
        config,
        is_default,
        login=_login(table.get("login"), f"{config}: {where}.login"),
    )


def _hosts(listed: object, named: str) -> tuple[str, ...] | None:
    if listed is None:
        return None
    found = [_entry(host) for host in listed] if isinstance(listed, list) else []
    entries = tuple(host for host in found if host is not None)
    if not entries or len(entries) < len(found):
        raise ConfigurationError(
            f"{named} must be a list of HOST, HOST:PORT or *.HOST",
            remedy='write hosts = ["api.example.com"]',
        )
    if sum(map(len, entries)) > _HOSTS_LENGTH:
        raise ConfigurationError(
            f"{named} is longer than {_HOSTS_LENGTH:,} characters",
            remedy="write *.HOST for the hosts of one domain",
        )
    return entries


def _entry(host: object) -> str | None:
    """An entry in the one form; international names as A-labels (RFC 5890)."""
    if not isinstance(host, str):
        return None
    if host.isascii():
        return hosts.entry(host)
    star = "*." if host.startswith("*.") else ""
    name, colon, port = host.removeprefix(star).lower().partition(":")
    try:
        ascii_name = name.encode("idna").decode("ascii")
        # Where the old and the new rules for such names differ (one makes "ss" of a
        # sharp s), they lead to two owners: no guess is made.
        if name.isascii() or ascii_name.encode("ascii").decode("idna") != name:
            return None
    except UnicodeError:
        return None
    return hosts.entry(f"{star}{ascii_name}{colon}{port}")


def _login(given: object, named: str) -> str:
    if given is None:
        return LOGIN
    if not isinstance(given, str) or not _LOGIN.fullmatch(given):
        raise ConfigurationError(
            f"{named} must have 1 to 128 letters, digits or ._%+@/=~-",
            remedy=f'write login = "{LOGIN}"',
        )
    return given


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
