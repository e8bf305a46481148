"""Floor 7: ``wxhelper status``."""

import argparse
import json
import math
from collections.abc import Iterator, Mapping, Sequence

from wxhelper.cli.parser import JSON, TEXT, Parser
from wxhelper.cli.streams import answer_only, say
from wxhelper.cli.table import BOLD, GREEN, RED, YELLOW, aligned, coloured, painted, width
from wxhelper.record import Moment
from wxhelper.standing import (
    DUE,
    MISSING,
    NEVER,
    NONE,
    UNUSABLE,
    Overview,
    Remark,
    Setback,
    Standing,
    overview,
)
from wxhelper.tokens import FRESH

_WHAT = """\
Show how each profile stands, by what can be seen from here: no server, keyring or
key manager is asked, so a key is "present" and never "good". "wxhelper doctor" tries
whether all of it works.

The exit status is 0 also when there is something to be warned of, and 5 when the
configuration cannot be read or has no such profile. JSON has times in Unix seconds,
and seconds left (negative: ago) in the fields that end in _in."""
_EXAMPLES = """
wxhelper status
wxhelper status --profile dev
wxhelper status --output json | jq '.profiles[] | select(.warnings != [])'
"""
_HEADINGS = (" ", "PROFILE", "SOURCE", "TOKEN", "EXPIRES IN", "RENEWS IN", "KEY", "FROM")
_WORDS = {FRESH: "cached", DUE: "cached, due", NONE: "not cached"}
_COLOURS = {"cached": GREEN, "cached, due": GREEN, MISSING: RED, UNUSABLE: RED}


def prepare(parser: Parser) -> None:
    """Declare the options."""
    parser.explain(_WHAT, _EXAMPLES)
    parser.add_profile()
    parser.add_output(TEXT, what="the form of the answer")


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Do it.

    Raises:
        ConfigurationError: the configuration cannot be used, or has no such profile.
    """
    now = Moment.now()
    with answer_only():  # plugins are imported, and may print
        seen = overview(environ, now, options.profile)
    if options.output == JSON:
        say(json.dumps(as_json(seen, now.wall), indent=2) + "\n")
    else:
        say(as_text(seen, now.wall, colour=coloured(environ)))
    return 0


def as_json(seen: Overview, now: float) -> dict[str, object]:
    """The facts as they are written for programs; the shape is kept from now on."""
    return {
        "config": seen.config,
        "configured": seen.configured,
        "cache": {"directory": seen.cache, "obstacle": seen.obstacle or None},
        "chosen": seen.chosen,
        "profiles": [_profile(one, now) for one in seen.profiles],
        "warnings": _remarks(seen.remarks),
    }


def _profile(one: Standing, now: float) -> dict[str, object]:
    token = one.token
    return {
        "name": one.name,
        "chosen": one.chosen,
        "source": one.source,
        "plugin": one.plugin,
        "key": {
            "state": one.key.state,
            "from": one.key.origin,
            "ignored": list(one.key.ignored),
        },
        "token": {
            "state": token.state,
            "reason": token.reason or None,
            "scheme": token.scheme,
            "expires_at": token.expires_at,
            "expires_in": _left(token.expires_at, now),
            "refresh_at": token.refresh_at,
            "refresh_in": _left(token.refresh_at, now),
        },
        "failure": None if one.failure is None else _setback(one.failure, now),
        "warnings": _remarks(one.remarks),
    }


def _setback(failure: Setback, now: float) -> dict[str, object]:
    return {
        "text": failure.what.text,
        "remedy": failure.what.remedy,
        "at": math.floor(failure.at),
        "remembered": failure.remembered,
        "until": math.floor(failure.until),
        "until_in": _left(failure.until, now),
    }


def _left(at: float | None, now: float) -> int | None:
    return None if at is None else math.floor(at - now)


def _remarks(remarks: Sequence[Remark]) -> list[dict[str, str]]:
    return [{"text": remark.text, "remedy": remark.remedy} for remark in remarks]


def as_text(seen: Overview, now: float, *, colour: bool) -> str:
    """The facts as a person reads them.

    Args:
        seen: the facts.
        now: Unix seconds.
        colour: whether to write in colour.
    """
    rows = [_HEADINGS, *(_row(one, now) for one in seen.profiles)]
    widths = [max(width(row[place]) for row in rows) for place in range(len(_HEADINGS))]
    lines = []
    for row in rows:
        tints = [BOLD if row is _HEADINGS else _COLOURS.get(cell, "") for cell in row]
        lines.append(aligned(row, widths, tints if colour else ()))
    notes = [f"{one.name}: {note}" for one in seen.profiles for note in _notes(one, now)]
    notes += _ignored(seen.profiles)
    notes += [_warning(remark) for remark in seen.remarks]
    if seen.obstacle:
        notes.append(f"warning: no token can be kept: {seen.obstacle}")
    if notes:
        lines += ["", *(_tinted(note) if colour else note for note in notes)]
    where = [("configuration", seen.config), ("cache", seen.cache or "none")]
    lines += ["", *(aligned(pair, (13,)) for pair in where)]
    return "\n".join([*lines, ""])


def _row(one: Standing, now: float) -> tuple[str, ...]:
    token = one.token
    dead = token.state not in (FRESH, DUE)
    return (
        "*" if one.chosen else "",
        one.name,
        one.source or "-",
        _WORDS.get(token.state, token.state),
        "-" if dead else lasting((token.expires_at or 0) - now),
        "-" if dead else lasting((token.refresh_at or 0) - now),
        one.key.state,
        one.key.origin or "-",
    )


def _tinted(note: str) -> str:
    word = next((word for word in ("warning:", "last failure") if word in note), "")
    return note.replace(word, painted(word, YELLOW), 1) if word else note


def _notes(one: Standing, now: float) -> Iterator[str]:
    if one.failure is not None:
        yield _failure(one.failure, now)
    if one.token.state == NEVER:
        yield f"the token is never kept: {one.token.reason}"
    elif one.token.reason:
        yield f"the token in the cache is not used as it is: {one.token.reason}"
    for remark in one.remarks:
        yield _warning(remark)


def _ignored(profiles: Sequence[Standing]) -> list[str]:
    """Which variables count for nothing, told once for all profiles that agree."""
    agreed: dict[tuple[str | None, tuple[str, ...]], list[str]] = {}
    for one in profiles:
        if one.key.ignored:
            agreed.setdefault((one.key.origin, one.key.ignored), []).append(one.name)
    return [
        f"{', '.join(names)}: {origin or 'what the profile says'} counts; "
        f"ignored: {', '.join(ignored)}"
        for (origin, ignored), names in agreed.items()
    ]


def _failure(failure: Setback, now: float) -> str:
    state = (
        f"remembered for {lasting(failure.until - now)} more"
        if failure.remembered
        else "not remembered any more"
    )
    return f"last failure, {lasting(now - failure.at)} ago, {state}: {_told(failure.what)}"


def _warning(remark: Remark) -> str:
    return f"warning: {_told(remark)}"


def _told(remark: Remark) -> str:
    return remark.text + (f"\n  -> {remark.remedy}" if remark.remedy else "")


def lasting(seconds: float) -> str:
    """A length of time as one would say it: whole units, never more than there are."""
    whole = max(0, math.floor(seconds))
    if whole < 100:
        return f"{whole} s"
    minutes = whole // 60
    if minutes < 100:
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min"
