"""Rows in columns, on terminals and elsewhere."""

import os
import pty

import pytest

from wxhelper.cli.table import BOLD, RED, aligned, coloured, width


@pytest.mark.parametrize(
    ("text", "columns"), [("", 0), ("dev", 3), ("é", 1), ("e\u0301", 1), ("日本", 4)]
)
def test_how_wide_a_text_is_on_a_terminal(text: str, columns: int) -> None:
    assert width(text) == columns


def test_columns_are_aligned_and_nothing_trails() -> None:
    rows = [("a", "日本", "last"), ("long", "b", ""), ("", "", "x")]
    widths = [max(width(row[place]) for row in rows) for place in range(3)]
    assert [aligned(row, widths) for row in rows] == [
        "a     日本  last",
        "long  b",
        "            x",
    ]


def test_colour_takes_no_room() -> None:
    assert aligned(("a", "", "b"), (3, 2, 1), (BOLD, RED, RED)) == (
        "\x1b[1ma\x1b[0m        \x1b[31mb\x1b[0m"
    )
    assert aligned(("a", "b"), (3, 1), ("", RED)) == "a    \x1b[31mb\x1b[0m"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, True),
        ({"TERM": "xterm"}, True),
        ({"NO_COLOR": ""}, True),
        ({"NO_COLOR": "0"}, False),
        ({"TERM": "dumb"}, False),
    ],
)
def test_a_terminal_has_colour_unless_it_must_not(environ: dict[str, str], expected: bool) -> None:
    ours, theirs = pty.openpty()
    try:
        assert coloured(environ, theirs) is expected
    finally:
        os.close(ours)
        os.close(theirs)


def test_what_is_no_terminal_has_none() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    assert not coloured({"TERM": "xterm"}, writing)
    os.close(writing)
    assert not coloured({"TERM": "xterm"}, writing)
