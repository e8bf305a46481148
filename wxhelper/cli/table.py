"""Floor 7: rows in aligned columns, in colour where a person reads them on a terminal."""

import os
import unicodedata
from collections.abc import Mapping, Sequence

GREEN, YELLOW, RED, DIM, BOLD = "32", "33", "31", "2", "1"
_GAP = "  "


def coloured(environ: Mapping[str, str], fd: int = 1) -> bool:
    """Whether to write in colour.

    Args:
        environ: the variables: NO_COLOR (https://no-color.org), and a TERM that is
            ``dumb``, say no.
        fd: where it is written.
    """
    if environ.get("NO_COLOR") or environ.get("TERM") == "dumb":
        return False
    try:
        return os.isatty(fd)
    except OSError:
        return False


def painted(text: str, colour: str) -> str:
    """The text in one of the colours of this module (ECMA-48, SGR)."""
    return f"\x1b[{colour}m{text}\x1b[0m"


def width(text: str) -> int:
    """The columns that a text takes on a terminal."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(bool(unicodedata.combining(c)) for c in text)


def aligned(cells: Sequence[str], widths: Sequence[int], colours: Sequence[str] = ()) -> str:
    """One row, without trailing blanks.

    Args:
        cells: what stands in the columns.
        widths: how wide each column is at least; the last cell is not padded.
        colours: the colour of each cell; "" and what is missing for none.
    """
    row = []
    for place, cell in enumerate(cells):
        colour = colours[place] if place < len(colours) else ""
        blanks = " " * (widths[place] - width(cell)) if place < len(cells) - 1 else ""
        row.append((painted(cell, colour) if colour and cell else cell) + blanks)
    return _GAP.join(row).rstrip()
