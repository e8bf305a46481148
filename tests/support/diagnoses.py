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

HOSTS = (
    "65 hosts by source ibmcloud: *.watson-orchestrate.cloud.ibm.com, "
    "api.aiopenscale.cloud.ibm.com, api.au-syd.dai.cloud.ibm.com and 62 more"
)
LAUNCHERS = ("docker-credential-wxhelper", "git-credential-wxhelper", "wxhelper")
CACHE = "CACHE is private and can be written; "
PROFILE: Row = ("ok", "CONFIG, profile sandbox, the default", "")
KEY: Row = ("ok", "found in file:KEY_FILE", "")
HEALTHY: Rows = {
    "installation": [("ok", "VERSIONS", "")],
    "startup": [("ok", "nothing that is unknown runs before wxhelper does", "")],
    "launchers": [("ok", f"{name} is SCRIPTS/{name}", "") for name in LAUNCHERS],
    "configuration": [PROFILE],
    "plugins": [("ok", "source ibmcloud is offered by wxhelper-ibmcloud VERSION", "")],
    "key": [KEY],
    "audience": [("ok", HOSTS, "")],
    "cache": [("ok", CACHE + "no token is in it yet", "")],
    "memory": [("ok", "no failure is remembered", "")],
    "proxy": [("ok", "none: no variable names one", "")],
    "name": [("ok", "127.0.0.1 has an address", "")],
    "connection": [("ok", "127.0.0.1:PORT takes connections", "")],
    "tls": [("ok", "none: plain http, which never leaves this machine", "")],
    "clock": [("ok", "within a minute of the server's", "")],
    "token": [("ok", "a new one was issued: Bearer, lives 1 h", "")],
    "source": [("ok", "source ibmcloud has no checks of its own", "")],
    "integrations": [("ok", "none is installed", "")],
}
"""What is said of a set-up where all is well, over plain http and not used yet."""

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
    return f"{as_lines(as_json(rows))}\n\n{summary}\n"


def as_lines(checks: Iterable[Mapping[str, str]]) -> str:
    """What programs get, as people see it."""
    lines = []
    for row in checks:
        outcome, remedy = row["outcome"], row["remedy"]
        same_line = f" -> {remedy}" if outcome == "unknown" else ""
        lines.append(f"{outcome:<7}  {row['check']:<13}  {row['text']}{same_line}")
        lines += [f"{'':<24}-> {remedy}"] * (outcome in ("warn", "fail"))
    return "\n".join(lines)


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
