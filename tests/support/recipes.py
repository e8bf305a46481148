"""The README's programs, taken from it word by word."""

import re
from pathlib import Path

_README = Path(__file__).parents[2] / "README.md"


def recipes() -> list[str]:
    """The names of all of them, in order."""
    return re.findall(r"^<!-- recipe: (.*) -->$", _README.read_text(), re.MULTILINE)


def recipe(name: str) -> str:
    """The fenced block below the comment ``<!-- recipe: NAME -->``."""
    pattern = rf"^<!-- recipe: {re.escape(name)} -->\n```python\n(.*?)^```$"
    (text,) = re.findall(pattern, _README.read_text(), re.DOTALL | re.MULTILINE)
    assert isinstance(text, str)
    return text
