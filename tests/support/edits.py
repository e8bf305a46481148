"""A profile that tests add to a configuration, and the errors that editing ends in."""

from collections.abc import Callable
from pathlib import Path

import pytest

from wxhelper.editor import Editor
from wxhelper.errors import ConfigurationError

NEW = {"source": "ibmcloud", "api_key": "env:C", "hosts": ["a.example.com", "*.b"]}
ADDED = """
[profiles.new]
source = "ibmcloud"
api_key = "env:C"
hosts = ["a.example.com", "*.b"]
"""


def refused(step: Callable[[], object], kind: type = ConfigurationError) -> tuple[str, str]:
    """The message and the remedy of the error that a step ends in."""
    with pytest.raises(kind) as caught:
        step()
    assert isinstance(caught.value, ConfigurationError)
    return caught.value.message, caught.value.remedy


def added(config: Path, name: str = "new") -> None:
    """Adds a profile to the file."""
    editor = Editor(str(config))
    editor.add(name, NEW)
    editor.save()
