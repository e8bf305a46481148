"""Floor 7: options read strictly, and faults told in one line.

What was typed is never repeated: people paste keys where they do not belong.
"""

import argparse
import re
from collections.abc import Sequence
from typing import NoReturn

from wxhelper.cli.streams import say
from wxhelper.errors import UsageError
from wxhelper.profiles import NAME
from wxhelper.protocols import JSON, RAW

TEXT = "text"
_OPTION = re.compile(r"--[a-z-]{1,20}")


class Parser(argparse.ArgumentParser):
    """The options of one verb.

    Args:
        verb: as it is typed after ``wxhelper``.
    """

    def __init__(self, verb: str) -> None:
        super().__init__(
            prog=f"wxhelper {verb}",
            allow_abbrev=False,
            formatter_class=_Formatter,
        )
        self.verb = verb

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

    def error(self, message: str) -> NoReturn:
        """Called by argparse; its message may quote what was typed."""
        said = re.sub(r""" ?(['"]).*\1""", "", message).removeprefix("argument ")
        raise UsageError(f"{self.verb}: {said}", remedy=f"see: {self.prog} --help")

    def add_profile(self) -> None:
        """``--profile``, for every verb that is about one."""
        self.add_argument(
            "--profile",
            metavar="NAME",
            type=_profile,
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


class _Formatter(argparse.RawDescriptionHelpFormatter):
    """Of one width everywhere, so that examples stand as they were written."""

    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=26, width=90)


def seconds(text: str) -> int:
    """A number of whole seconds, for an option."""
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise argparse.ArgumentTypeError("must be a number of seconds")
    return int(text)


def _profile(text: str) -> str:
    if not NAME.fullmatch(text):
        raise argparse.ArgumentTypeError(
            "must have 1 to 64 letters, digits, dots, underscores or hyphens"
        )
    return text


__all__ = ["JSON", "RAW", "TEXT", "Parser", "seconds"]
