"""Floor 7: ``wxhelper install`` and ``wxhelper uninstall``."""

import argparse
import shlex
from collections.abc import Mapping, Sequence

from wxhelper import hosts, profiles
from wxhelper.cli.parser import Parser
from wxhelper.cli.streams import complain, say
from wxhelper.errors import (
    ConfigurationError,
    HostRefused,
    UsageError,
    WrongScheme,
    WxhelperError,
    printable,
)
from wxhelper.installers import docker, git, kubeconfig, kubectl, launcher
from wxhelper.installers.file import Outcome
from wxhelper.lookups import Lookups
from wxhelper.plugin.types import Settings, TokenSourceType
from wxhelper.profiles import Profile
from wxhelper.protocols import docker_credential

TOOLS = ("kubectl", "git", "docker")
_INSTALL = "install"
_WHAT = {
    _INSTALL: """\
Write wxhelper into a tool's configuration. Everything else in the file stays as it
is; `wxhelper uninstall` takes exactly this away again.""",
    "uninstall": """\
Take away what `wxhelper install` wrote into a tool's configuration, and nothing else.""",
}
_EXAMPLES = {
    _INSTALL: """
wxhelper install kubectl --profile dev              for the current context's user
wxhelper install kubectl --user gateway --dry-run   show what would change
wxhelper install git --host git.example.com
wxhelper install docker
""",
    "uninstall": """
wxhelper uninstall kubectl                          all entries of wxhelper
wxhelper uninstall git --profile dev --dry-run      show what would change
""",
}
_OPTIONS = {"user": ("kubectl",), "context": ("kubectl",), "host": ("git", "docker")}


def prepare(parser: Parser) -> None:
    """Declare the options."""
    parser.explain(_WHAT[parser.verb], _EXAMPLES[parser.verb])
    parser.add_argument("tool", metavar="|".join(TOOLS), type=_tool, help="the tool")
    parser.add_profile()
    parser.add_argument(
        "--dry-run", action="store_true", help="show a diff of what would change; write nothing"
    )
    parser.add_argument("--user", metavar="NAME", help="kubectl: this user of the kubeconfig")
    if parser.verb == _INSTALL:
        parser.add_argument("--context", metavar="NAME", help="kubectl: the user of this context")
        parser.add_argument(
            "--host",
            metavar="HOST",
            action="append",
            help="git, docker: this one of the hosts that the token is for; repeat for more",
        )


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Do it.

    Raises:
        ConfigurationError: it cannot be written, or would not work.
        TemporaryError: another program is changing the file.
        UsageError: an option of another tool.
    """
    tool: str = options.tool
    for option, tools in _OPTIONS.items():
        if getattr(options, option, None) is not None and tool not in tools:
            raise UsageError(
                f"--{option} is not for {tool}", remedy=f"see: wxhelper {options.verb} --help"
            )
    if tool == "kubectl" and not kubeconfig.AVAILABLE:
        return _by_hand(options, environ)
    if options.verb == _INSTALL:
        outcome = _Installation(options, environ).outcome()
    else:
        outcome = _uninstalled(options, environ)
    if options.dry_run:
        say("".join(edit.diff() for edit in outcome.edits) or f"{tool}: nothing would change\n")
    else:
        say("".join(f"{printable(line, 4000)}\n" for line in outcome.lines))
    for note in outcome.notes:
        complain(f"wxhelper: note: {printable(note, 1000)}")
    return 0


class _Installation:
    """One ``install``.

    Args:
        options: as typed.
        environ: the variables.
    """

    def __init__(self, options: argparse.Namespace, environ: Mapping[str, str]) -> None:
        from wxhelper import manager, source

        self._options = options
        self._environ = environ
        lookups = Lookups(environ)
        config = profiles.config_file(environ)
        self._profile: Profile = profiles.choose(options.profile, config=config, lookups=lookups)
        try:
            self._kind: TokenSourceType = manager.find(self._profile.source, lookups)
            self._settings: Settings = source.settings_of(self._kind, self._profile, lookups)
            self._audience = source.audience_of(self._kind, self._profile, self._settings)
        except WxhelperError as fault:
            fault.profile = self._profile.name
            raise

    def outcome(self) -> Outcome:
        """Does it."""
        tools = {"kubectl": self._kubectl, "git": self._git, "docker": self._docker}
        try:
            return tools[self._options.tool]()
        except HostRefused as fault:
            fault.profile = self._profile.name
            raise

    def _refuse_unless_bearer(self) -> None:
        scheme = self._kind.scheme(self._settings)
        if scheme != "Bearer":
            fault = WrongScheme(
                f"{self._options.tool} can only carry Bearer tokens, and source {self._kind.name} "
                f"gives {scheme} with these settings",
                remedy="name another profile: wxhelper install "
                f"{self._options.tool} --profile NAME",
            )
            fault.profile = self._profile.name
            raise fault

    def _kubectl(self) -> Outcome:
        self._refuse_unless_bearer()
        return kubectl.install(
            self._environ,
            profile=self._profile.name,
            audience=self._audience,
            command=launcher.find(self._environ),
            place=kubectl.Place(self._options.user, self._options.context),
            dry_run=self._options.dry_run,
        )

    def _git(self) -> Outcome:
        entries = self._named() or self._profile.hosts
        if not entries:
            raise HostRefused(
                "no service of IBM is known to take git with this token, so that git is not to "
                "offer it to all of them",
                remedy=f"{self._widened('git.example.com')}; or name one of the hosts that it has: "
                "--host HOST",
            )
        return git.install(
            self._environ,
            profile=self._profile.name,
            entries=entries,
            command=launcher.find(self._environ, git.PROGRAM),
            dry_run=self._options.dry_run,
        )

    def _docker(self) -> Outcome:
        self._refuse_unless_bearer()
        registries = self._named()
        for registry in registries:
            if registry.startswith("*.") or docker_credential.place_of_server(registry) is None:
                raise HostRefused(
                    f"docker's helper never answers for {printable(registry, 100)}",
                    remedy="name one registry that takes the token",
                )
        if not registries:
            known = filter(None, map(hosts.entry, self._kind.registries(self._settings)))
            registries = sorted(r for r in known if _within(self._audience, r))
        if not registries:
            raise HostRefused(
                f"none of the profile's hosts is a registry that source {self._profile.source} "
                "knows of",
                remedy="give --host REGISTRY for one of them that is a registry all the same",
            )
        self._refuse_unless_default()
        return docker.install(self._environ, registries=registries, dry_run=self._options.dry_run)

    def _named(self) -> list[str]:
        """The hosts of ``--host``, each of which the token is for."""
        named = []
        for given in self._options.host or ():
            entry = hosts.entry(given)
            if entry is None:
                raise UsageError(
                    "--host must be HOST, HOST:PORT or *.HOST",
                    remedy=f"see: wxhelper {self._options.verb} --help",
                )
            if not _within(self._audience, entry):
                raise HostRefused(
                    f"the token is not for {printable(entry, 100)}",
                    remedy=f"if it should be, {self._widened(printable(entry, 100))}",
                )
            named.append(entry)
        return list(dict.fromkeys(named))

    def _widened(self, host: str) -> str:
        """What to write so that a host is given the token."""
        where = "to the profile"
        if self._profile.from_environment:
            where = f"to a profile in {self._profile.config}: there is none yet"
        return f'add hosts = ["{host}"] {where}'

    def _refuse_unless_default(self) -> None:
        """Docker cannot name a profile.

        Raises:
            ConfigurationError: without one it would be another.
        """
        profile = self._profile
        chosen = self._environ.get("WXHELPER_PROFILE")
        if profile.from_environment or (chosen == profile.name if chosen else profile.default):
            return
        quoted = shlex.quote(profile.name)
        remedy = f"export WXHELPER_PROFILE={quoted}"
        raise ConfigurationError(
            f"docker names no profile to its helper, which would not be that of {profile.name}",
            # The variable is stronger than the default.
            remedy=remedy if chosen else f"wxhelper profile default {quoted}, or: {remedy}",
        )


def _uninstalled(options: argparse.Namespace, environ: Mapping[str, str]) -> Outcome:
    if options.tool == "kubectl":
        return kubectl.uninstall(
            environ, profile=options.profile, user=options.user, dry_run=options.dry_run
        )
    if options.tool == "git":
        return git.uninstall(environ, profile=options.profile, dry_run=options.dry_run)
    return docker.uninstall(environ, dry_run=options.dry_run)


def _by_hand(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Without PyYAML: what to paste, or what to remove.

    Raises:
        ConfigurationError: always, since nothing was changed.
    """
    missing = "PyYAML is not installed, and no kubeconfig is edited without it"
    if options.verb != _INSTALL:
        raise ConfigurationError(
            missing,
            remedy="install wxhelper-core[kubectl], or remove the exec entries of wxhelper by hand",
        )
    chosen = profiles.choose(
        options.profile, config=profiles.config_file(environ), lookups=Lookups(environ)
    )
    say(kubectl.pasted(launcher.find(environ), chosen.name))
    raise ConfigurationError(
        missing,
        remedy="install wxhelper-core[kubectl], or paste this under the user of your cluster",
    )


def _within(allowed: Sequence[str], entry: str) -> bool:
    """Whether everything that an entry lets in is allowed already."""
    if entry in allowed:
        return True
    place = hosts.place(entry.removeprefix("*."))
    if place is None:
        return False
    if entry.startswith("*."):
        stars = [each for each in allowed if each.startswith("*.")]
        return hosts.matches(stars, (f"any.{place[0]}", place[1]))
    return hosts.matches(allowed, place)


def _tool(text: str) -> str:
    if text not in TOOLS:
        raise argparse.ArgumentTypeError(f"must be one of {', '.join(TOOLS)}")
    return text
