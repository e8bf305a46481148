"""Floor 7: ``wxhelper login``: ask for a key, try it, store it, write the profile."""

import argparse
import os
import re
from collections.abc import Mapping
from functools import partial

from wxhelper import manager, profiles, source
from wxhelper.cache import Cache
from wxhelper.cli.answer import end_in_order, keep_quiet
from wxhelper.cli.parser import Parser, as_option, not_a_key, profile_name, whole_path
from wxhelper.cli.prompt import ATTEMPTS, Terminal, ask_until, terminal
from wxhelper.cli.streams import answer_only, complain, say, whole_input
from wxhelper.editor import Editor
from wxhelper.errors import (
    THIS_PROFILE,
    ConfigurationError,
    KeyRefused,
    KeyUnavailable,
    PluginMissing,
    TemporaryError,
    UsageError,
    WxhelperError,
)
from wxhelper.keyrings import LONGEST_KEY
from wxhelper.keystore import FILE, KEYRING, Keystore, Stored
from wxhelper.lookups import Lookups
from wxhelper.plugin.types import Setting, TokenSourceType
from wxhelper.record import Moment
from wxhelper.secret import Secret, from_bytes, from_file, given
from wxhelper.tokens import Token

_WHAT = """\
Ask for a key, try it by making a token, store it, and write the profile. The key goes
to the system's keyring where one works, else to a private file beside the configuration.
A profile that exists keeps what it says, and gets the new key. Every setting of the
source is an option, too ("wxhelper sources" lists them); with the key given by an
option nothing is asked."""
_EXAMPLES = """
wxhelper login
wxhelper login dev --source ibmcloud --default
wxhelper login in --source aws --region ap-south-1 --api-key @~/Downloads/apikey.json
vault read -field=key ibm/ci | wxhelper login ci --api-key-stdin
"""
_DEADLINE = 10.0
# What is said of a profile that is not written yet, and what the options have for it.
_IN_OPTIONS = {
    re.compile(r"write it into the profile, or export WXHELPER_(\w+)"): "give it with {option}",
    re.compile(r'write url = "([^"]*)"'): "use --url {0}",
    re.compile(r"use source (?=[a-z])"): "use --source ",
    re.compile(r"check url in the profile"): "check --url",
    re.compile(rf"wxhelper invalidate {re.escape(THIS_PROFILE)}"): "wxhelper login {name}",
}


def prepare(parser: Parser) -> None:
    """Declare the options."""
    parser.explain(_WHAT, _EXAMPLES)
    parser.takes_settings = True
    parser.add_argument("name", metavar="PROFILE", type=profile_name, nargs="?")
    parser.add_profile()
    parser.add_argument("--source", metavar="SOURCE", help="the kind of source: wxhelper sources")
    parser.add_argument("--url", help="the token service's address")
    parser.add_argument("--ca-file", metavar="FILE", help="certificates (PEM) to trust for it")
    parser.add_argument("--api-key", metavar="@FILE", help="read the key from a file")
    parser.add_argument(
        "--api-key-stdin", action="store_true", help="read the key from standard input"
    )
    parser.add_argument(
        "--store",
        metavar=f"{KEYRING}|{FILE}",
        choices=(KEYRING, FILE),
        help="where the key goes; else the keyring if one works",
    )
    parser.add_argument("--default", action="store_true", help="make it the default profile")


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Do it.

    Raises:
        UsageError: something is missing, and there is nobody to ask.
        ConfigurationError: it could not be used, or not be stored.
        KeyRefused, TemporaryError: the key could not be tried; nothing is stored.
    """
    keep_quiet()
    end_in_order()
    asks = not (options.api_key_stdin or options.api_key is not None)
    _judge(options)
    with answer_only():
        person = terminal() if asks else None
        try:
            done = _Login(options, environ, person).run()
        finally:
            if person is not None:
                person.close()
    say(done)
    return 0


def _judge(options: argparse.Namespace) -> None:
    if options.api_key is not None and not options.api_key.startswith("@"):
        raise UsageError(
            "login: --api-key takes @FILE, and never the key itself",
            remedy="what was typed is in the shell's history now: if it is a key, replace it, and "
            "give the new one at the prompt or with --api-key-stdin",
        )
    if options.api_key is not None and options.api_key_stdin:
        raise UsageError("login: --api-key and --api-key-stdin are two keys", remedy="give one")


def _crossed(name: str) -> TemporaryError:
    fault = f"profile {name} was changed by another process meanwhile"
    return TemporaryError(fault, remedy=f"log in again: wxhelper login {name}")


class _Login:
    """One login.

    Args:
        options: as typed.
        environ: the variables.
        person: who can be asked; None for nobody.
    """

    def __init__(
        self, options: argparse.Namespace, environ: Mapping[str, str], person: Terminal | None
    ) -> None:
        self._options = options
        self._environ = environ
        self._person = person
        self._lookups = Lookups(environ)
        self._config = profiles.config_file(environ)
        self._editor = Editor(self._config)
        self._name = self._chosen_name()
        self._said = self._already_said()

    def run(self) -> str:
        """All of it.

        Returns:
            What was done, for a person.
        """
        kind = self._kind()
        settings = self._settings(kind)
        profile = profiles.Profile(
            self._name, kind.name, None, None, settings, self._config, default=False
        )
        checked = source.settings_of(kind, profile, self._lookups)
        try:  # before anybody types a key that cannot go anywhere
            source.survived(kind.name, lambda: kind.token_hosts(checked))
        except ConfigurationError as fault:
            fault.remedy = self._in_options(fault.remedy)
            raise
        secret = self._secret()
        try:
            conditions = source.Conditions(
                config=self._config,
                deadline=_DEADLINE,
                environ=self._environ,
                clock=lambda: Moment.now().wall,
            )
            token = source.fetch(kind, checked, secret, conditions)
        except WxhelperError as fault:
            fault.message += " (nothing was stored)"
            fault.remedy = self._in_options(fault.remedy)
            if isinstance(fault, KeyRefused) and fault.remedy.startswith(secret.replacement):
                again = f"wxhelper login {self._name}"
                fault.remedy = f"copy the key once more, or take another: {again}"
            raise
        return self._summary(kind, self._store(kind, settings, secret), token)

    def _in_options(self, remedy: str) -> str:
        """A remedy in the words of this command."""
        for pattern, told in _IN_OPTIONS.items():
            if match := pattern.search(remedy):
                option = as_option(match[1].lower()) if pattern.groups else ""
                said = told.format(*match.groups(), option=option, name=self._name)
                remedy = remedy[: match.start()] + said + remedy[match.end() :]
        return remedy

    def _chosen_name(self) -> str:
        given_names = {self._options.name, self._options.profile} - {None}
        if len(given_names) > 1:
            raise UsageError("login: two profiles are named", remedy="name one")
        name = next(iter(given_names), None) or self._environ.get("WXHELPER_PROFILE")
        if not name:
            person = self._asked("PROFILE is missing", "wxhelper login PROFILE ...")
            names = self._editor.names
            usual = self._editor.default or (names[0] if len(names) == 1 else "default")
            name = person.ask("Profile", usual=usual)
        if not profiles.NAME.fullmatch(name):
            # Not repeated: it may be the key, typed at the wrong question.
            raise UsageError(
                "login: a profile's name has 1 to 64 letters, digits, dots, underscores or hyphens",
                remedy="name one: wxhelper login PROFILE",
            )
        not_a_key("login", name)
        return name

    def _asked(self, missing: str, remedy: str) -> Terminal:
        """The person, to be asked for what is missing."""
        if self._person is None:
            raise UsageError(f"login: {missing}", remedy=f"type: {remedy}")
        return self._person

    def _already_said(self) -> dict[str, object]:
        """What the configuration says of the profile, even where that cannot be used."""
        found = profiles.read(self._config, self._lookups)
        if found is None:
            return {}
        content = profiles.parsed(found.data, self._config)
        table = profiles.tables_of(content, self._config).get(self._name)
        return table if isinstance(table, dict) else {}

    def _kind(self) -> TokenSourceType:
        name = self._options.source or self._said.get("source")
        if not isinstance(name, str):
            names = manager.names(self._lookups)
            if not names:
                raise PluginMissing(
                    "no source is installed",
                    remedy="for IBM Cloud, install the distribution wxhelper-ibmcloud",
                )
            name = names[0]
            if len(names) > 1:
                listed = ", ".join(names)
                usual = profiles.DEFAULT_SOURCE if profiles.DEFAULT_SOURCE in names else name
                person = self._asked("--source is missing", f"--source with one of {listed}")
                question = f"Source, one of {listed}"
                unfit = _no_answer("source", f"it is one of {listed}")
                name = ask_until(person, question, names.__contains__, unfit, usual=usual)
        return manager.find(name, self._lookups)

    def _settings(self, kind: TokenSourceType) -> dict[str, object]:
        known = {setting.name: setting for setting in kind.all_settings}
        settings = {
            key: value
            for key, value in self._said.items()
            if key not in profiles.KEYS and (key in known or self._said.get("source") == kind.name)
        }
        for option, value in self._options.settings.items():
            key = option.removeprefix("--").replace("-", "_")
            if key not in known:
                taken = ", ".join(as_option(name) for name in known)
                raise UsageError(
                    f"login: unknown option {option}",
                    remedy=f"source {kind.name} takes {taken}; see: wxhelper login --help",
                )
            settings[key] = value
        for key in ("url", "ca_file"):
            if (typed := getattr(self._options, key)) is not None:
                settings[key] = whole_path(typed) if key == "ca_file" else typed
        for setting in known.values():
            if setting.name in settings or setting.unless in settings:
                continue
            if value := self._missing(setting, kind):
                settings[setting.name] = value
        return {key: value for key, value in settings.items() if value != ""}

    def _missing(self, setting: Setting, kind: TokenSourceType) -> str:
        """What the person says to a setting that nothing is said about; "" to leave it so."""
        must = setting.required and setting.default is None
        may = setting.asked and self._person and not self._said
        if setting not in kind.settings or not (must or may):
            return ""
        option = as_option(setting.name)
        person = self._asked(f"{option} is missing", f"{option} VALUE, which is {setting.help}")
        question = f"{setting.name}, {setting.help}"
        question += f" ({', '.join(setting.choices)})" if setting.choices else ""
        question += "" if must or setting.default else " (empty: none)"
        fits = partial(_fits, setting, must=must)
        unfit = _no_answer(setting.name, f"it is {setting.help}")
        value = ask_until(person, question, fits, unfit, usual=setting.default or "")
        return "" if value == setting.default else value

    def _secret(self) -> Secret:
        if self._options.api_key_stdin and not os.isatty(0):
            return _short(from_bytes(whole_input(8 * LONGEST_KEY), "standard input"))
        if self._options.api_key is not None:
            return _short(self._in_file(self._options.api_key))
        person = self._person or terminal()
        if person is None:
            raise UsageError(
                "login: there is no terminal to ask for the key at",
                remedy="give it with --api-key-stdin or --api-key @FILE",
            )
        told, attempts = "", ATTEMPTS
        while True:
            typed = person.ask_hidden(
                f"{told}API key (not shown; @FILE takes it from a file)"
            ).strip()
            try:
                return _short(
                    self._in_file(typed) if typed.startswith("@") else given(typed, "the prompt")
                )
            except ConfigurationError as fault:
                attempts -= 1
                if not attempts:
                    raise
                told = f"{fault.line()}\n"

    def _in_file(self, text: str) -> Secret:
        path = whole_path(text[1:])
        if not os.path.exists(path):
            raise KeyUnavailable(f"there is no file {path}", remedy="correct the path after the @")
        return from_file(path, self._lookups)

    def _store(
        self, kind: TokenSourceType, settings: Mapping[str, object], secret: Secret
    ) -> Stored:
        before = self._said.get("api_key")
        before = before if isinstance(before, str) else ""
        store = Keystore(self._name, self._config, self._environ)
        try:
            with store.undone_on_failure(before, self._is_as_it_was):
                stored = store.keep(secret.reveal(), self._options.store)
                self._write_profile(kind, settings, stored)
        except ConfigurationError as fault:
            if not self._is_as_it_was():
                raise _crossed(self._name) from None
            fault.profile = self._name
            raise
        cache = Cache(self._environ, self._config)
        try:
            cache.invalidate(self._name)
        except OSError as fault:
            complain(
                f"wxhelper: the old token could not be removed from {cache.directory}: "
                f"{fault.strerror or fault}"
            )
        if store.kind_of(before) not in (None, store.kind_of(stored.reference)):
            try:
                store.drop(before)
            except ConfigurationError as fault:
                complain(f"wxhelper: the old key was left behind: {fault.message}")
        return stored

    def _is_as_it_was(self) -> bool:
        """Whether the profile says what it said when this login began."""
        return self._already_said() == self._said

    def _write_profile(
        self, kind: TokenSourceType, settings: Mapping[str, object], stored: Stored
    ) -> None:
        if not self._is_as_it_was():
            raise _crossed(self._name)
        values = {"source": kind.name, "api_key": stored.reference}
        values |= {
            key: value
            for key, value in settings.items()
            if isinstance(value, str) and self._said.get(key) != value
        }
        alone = not self._editor.names and self._editor.default is None
        if self._name in self._editor.names:
            gone = [key for key in self._said if key not in (*profiles.KEYS, *settings)]
            self._editor.change(self._name, {**dict.fromkeys(gone), **values})
        else:
            self._editor.add(self._name, values)
        if self._options.default or alone:
            self._editor.make_default(self._name)
        self._editor.save()

    def _summary(self, kind: TokenSourceType, stored: Stored, token: Token) -> str:
        default = self._editor.default == self._name or self._editor.names == [self._name]
        why = f" ({stored.fault})" if stored.fault else ""
        option = "" if default else f" --profile {self._name}"
        tried, use = "the key works, and is in", f"wxhelper token{option}"
        if token.expires_at is None:  # made of the key itself
            tried = "the key was not tried, for no service is asked in this mode; it is in"
            use = f"wxhelper curl-config{option} URL | curl -K - URL"
        return (
            f"{tried} {stored.place}{why}\n"
            f"profile {self._name}, source {kind.name}{', the default one' * default}: "
            f"{self._config}\n"
            f"try it: {use}\n"
        )


def _fits(setting: Setting, value: str, *, must: bool) -> bool:
    if not value:
        return not must
    allowed = not setting.choices or value in setting.choices
    return allowed and re.fullmatch(setting.pattern or ".*", value) is not None


def _no_answer(what: str, remedy: str) -> UsageError:
    # What was typed instead is not repeated: it may be the key.
    fault = f"login: {what} got no answer that it can have; nothing was stored"
    return UsageError(fault, remedy=remedy)


def _short(secret: Secret) -> Secret:
    if len(secret.reveal().encode()) > LONGEST_KEY:
        raise KeyUnavailable(
            f"what {secret.origin} holds is too long for a key", remedy="give the key alone"
        )
    return secret
