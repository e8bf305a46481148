"""The README's recipes, run as they stand there.

A recipe is the fenced block below ``<!-- recipe: NAME -->``. What a reader would put
in is a variable in it, so that the text is run unchanged.
"""

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from processes import Ended

README = Path(__file__).resolve().parents[2] / "README.md"

_RECIPE = re.compile(
    r"^<!-- recipe: (?P<name>[a-z0-9-]+) -->\n```(?P<language>\w+)\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_ADDRESS = re.compile(r'"https://[^"]*"')
_MARK = re.compile(r"<!-- recipe:")
_PROGRAMS = {"sh": ["bash", "-e", "-o", "pipefail", "-c"], "python": [sys.executable, "-c"]}


def recipes(document: Path = README) -> dict[str, tuple[str, str]]:
    """Every recipe of a document by its name: the language and the text."""
    content = document.read_text()
    found = {r["name"]: (r["language"], r["text"]) for r in _RECIPE.finditer(content)}
    assert len(found) == len(_MARK.findall(content)), "a mark without a block, or a name twice"
    return found


def recipe(name: str) -> str:
    """The text of one recipe."""
    return recipes()[name][1]


def follow(name: str, environ: Mapping[str, str], *, cwd: Path) -> Ended:
    """Runs a recipe to its end, with nothing to read: its status, output and errors.

    A program of Python's names an address of IBM's where a recipe for the shell has
    the variable URL; that, where it is set, takes its place.
    """
    language, text = recipes()[name]
    if language == "python" and "URL" in environ:
        text = _ADDRESS.sub(json.dumps(environ["URL"]), text)
    done = subprocess.run(
        [*_PROGRAMS[language], text],
        cwd=cwd,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr
