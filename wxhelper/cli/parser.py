"""Floor 7: options read strictly, and faults told in one line.

What was typed is never repeated: people paste keys where they do not belong.
"""

import argparse
import os
import re
from collections.abc import Callable, Sequence
from typing import NoReturn

from wxhelper.cli.streams import say
from wxhelper.errors import UsageError, unkeyed
from wxhelper.profiles import NAME
from wxhelper.protocols import JSON, RAW

TEXT = "text"
_OPTION = re.compile(r"--[a-z-]{1,20}")


class Parser(argparse.ArgumentParser):
    """The options of one verb.

    Args:
        verb: as it is typed after ``wxhelper``.

    Attributes:
        takes_settings: whether options that are not declared become
            ``options.settings``, each with one value, for the verb to judge.
    """

    def __init__(self, verb: str) -> None:
        super().__init__(
            prog=f"wxhelper {verb}",
            allow_abbrev=False,
            formatter_class=_Formatter,
        )
        self.verb = verb
        self.takes_settings = False

    def _print_message(self, message: str, file: object = None) -> None:  # noqa: ARG002
        """Called by argparse for ``--help``, its only text that is not an error."""
        say(message)

    def explain(self, what: str, examples: str) -> None:
        """The text of ``--help`` before and after the options."""
        self.description = what
        lines = (f"  {line}".rstrip() for line in examples.strip("\n").split("\n"))
        self.epilog = "\n".join(["examples:", *lines])

    def read(self, arguments: Sequence[str]) -> argparse.Namespace:
        """The options.

        Raises:
            UsageError: they cannot be understood.
        """
        options, unknown = self.parse_known_args(arguments)
        if unknown:
            named = [o for o in (w.partition("=")[0] for w in unknown) if _OPTION.fullmatch(o)]
            if named:
                self.error(f"unknown option {named[0]}")
            self.error("unknown option" if unknown[0].startswith("-") else "an argument too many")
        options.verb = self.verb
        return options

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str], namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """Called by ``read``, and by argparse for an action's own options."""
        if not self.takes_settings:
            return super().parse_known_args(args, namespace)
        args, settings = self._apart(args)
        options, unknown = super().parse_known_args(args, namespace)
        options.settings = settings
        return options, unknown

    def _apart(self, arguments: Sequence[str]) -> tuple[list[str], dict[str, str]]:
        """The arguments without the options that are not declared, and those."""
        declared, settings = [], {}
        rest = iter(arguments)
        for argument in rest:
            option, equals, value = argument.partition("=")
            if option in self._option_string_actions:
                declared.append(argument)
                if self._option_string_actions[option].nargs != 0 and not equals:
                    declared += [value for value in [next(rest, None)] if value is not None]
            elif _OPTION.fullmatch(option):
                value = value if equals else next(rest, "")
                if not equals and (not value or value.startswith("--")):
                    self.error(f"the option {option} needs a value")
                if option in settings:
                    self.error(f"the option {option} is given twice")
                settings[option] = value
            else:
                declared.append(argument)
        return declared, settings

    def error(self, message: str) -> NoReturn:
        """Called by argparse; its message may quote what was typed."""
        message, wrong, _ = message.partition(": invalid choice")
        message += ": there is no such one" * bool(wrong)
        said = re.sub(r""" ?(['"]).*\1""", "", message).removeprefix("argument ")
        raise UsageError(f"{self.verb}: {said}", remedy=f"see: {self.prog} --help")

    def add_actions(self) -> Callable[[str, str, str, str], "Parser"]:
        """Let the verb be followed by one of several words, which is ``options.action``.

        Returns:
            What adds a word: called with it, one line about it, its ``--help`` and
            its examples, it returns the parser of the word's own options.
        """
        group = self.add_subparsers(
            dest="action",
            required=True,
            title="actions",
            metavar="ACTION",
            parser_class=_Action,
        )

        def add(word: str, summary: str, what: str, examples: str) -> Parser:
            parser = group.add_parser(word, help=summary)
            parser.explain(what, examples)
            return parser

        return add

    def add_profile(self) -> None:
        """``--profile``, for every verb that is about one."""
        self.add_argument(
            "--profile",
            metavar="NAME",
            type=profile_name,
            help="the profile; else WXHELPER_PROFILE, else the configuration's default",
        )

    def add_output(self, plain: str, *, what: str) -> None:
        """``--output``, with JSON as the other choice."""

        def form(text: str) -> str:
            if text not in (plain, JSON):
                raise argparse.ArgumentTypeError(f"must be {plain} or {JSON}")
            return text

        self.add_argument(
            "--output", metavar=f"{plain}|{JSON}", type=form, default=plain, help=what
        )


class _Action(Parser):
    """The options of one of a verb's actions; made by argparse."""

    def __init__(self, prog: str, **_: object) -> None:
        super().__init__(prog.removeprefix("wxhelper "))


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Of one width everywhere, so that examples stand as they were written."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=26, width=90)


def seconds(text: str) -> int:
    """A number of whole seconds, for an option."""
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise argparse.ArgumentTypeError("must be a number of seconds")
    return int(text)


def profile_name(text: str) -> str:
    """A profile's name, for an option or argument."""
    if not NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(
            "must have 1 to 64 letters, digits, dots, underscores or hyphens"
        )
    return text


def whole_path(text: str) -> str:
    """A path as it is meant where it is typed, for an option whose value is kept."""
    return os.path.abspath(os.path.expanduser(text))


def not_a_key(verb: str, name: str) -> None:
    """Stop at a name that looks like a key: it would be stored and shown as a name.

    Raises:
        UsageError: it does.
    """
    if unkeyed(name) != name:
        raise UsageError(
            f"{verb}: what is given for a profile's name looks like a key",
            remedy="if it is one, it is in the shell's history now: replace it, and give the new "
            "one at the prompt or with --api-key-stdin",
        )


__all__ = ["JSON", "RAW", "TEXT", "Parser", "not_a_key", "profile_name", "seconds", "whole_path"]


def as_option(setting: str) -> str:
    """The option that a setting is given by."""
    return "--" + setting.replace("_", "-")
