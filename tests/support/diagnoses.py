"""What ``wxhelper doctor`` says, with whatever differs from run to run replaced by a name."""

import json
import re
import sysconfig
from collections.abc import Iterable, Mapping
from pathlib import Path

from mistakes import World

Row = tuple[str, str, str]
"""Outcome, text and remedy; the check is the key that it stands under."""
Rows = Mapping[str, list[Row]]

_MOVING = (
    (r"wxhelper-core [\w.]+, python [\w.+]+, platform \w+ \w+", "VERSIONS"),
    (r"(?<=wxhelper-ibmcloud )\d[\w.]*", "VERSION"),
    (r"(?<=127\.0\.0\.1:)\d{4,5}", "PORT"),
    (r"(?<=sandbox authority )[0-9a-f]{8}", "NUMBER"),
    (r"(?<=good until )\d{4}-\d\d-\d\d", "DATE"),
    (r"(?<=for another )\d+ (s|min)( \d+ s)?", "TIME"),
    (r"none of [A-Z0-9_, ]+ is set", "none of VARIABLES is set"),
    (r"(?<=in it lives for )\d+ min( \d+ s)?", "TIME"),
)


def with_names(text: str, world: World) -> str:
    """The text with names in place of paths, ports, versions and times."""
    places = {
        world.config: "CONFIG",
        world.key_file: "KEY_FILE",
        world.cache: "CACHE",
        world.environ.get("HOME", "/nowhere"): "HOME",
        world.config.parent: "FOLDER",
        Path(sysconfig.get_path("scripts")): "SCRIPTS",
    }
    for place, name in places.items():
        text = text.replace(str(place), name)
    for pattern, name in _MOVING:
        text = re.sub(pattern, name, text)
    return text


def as_text(rows: Rows, summary: str) -> str:
    """The whole output that the rows make."""
    lines = []
    for check, results in rows.items():
        for outcome, text, remedy in results:
            same_line = f" -> {remedy}" if outcome == "unknown" else ""
            lines.append(f"{outcome:<7}  {check:<13}  {text}{same_line}")
            lines += [f"{'':<24}-> {remedy}"] * (outcome in ("warn", "fail"))
    return "\n".join([*lines, "", summary, ""])


def as_json(rows: Rows) -> list[dict[str, str]]:
    """The same, as programs get it."""
    return [
        {"check": check, "outcome": outcome, "text": text, "remedy": remedy}
        for check, results in rows.items()
        for outcome, text, remedy in results
    ]


def checks(out: str, world: World) -> object:
    """The checks of a JSON document, moving parts replaced."""
    return json.loads(with_names(json.dumps(json.loads(out)["checks"]), world))


def untried(names: Iterable[str], because: str) -> dict[str, list[Row]]:
    """The rows of checks that could not be tried."""
    return {name: [("unknown", "not tried", f"first see to: {because}")] for name in names}
