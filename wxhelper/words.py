"""Floor 2: durations and lists as people say them."""

from collections.abc import Sequence

_UNITS = ((86_400, "d"), (3600, "h"), (60, "min"), (1, "s"))


def span(seconds: float) -> str:
    """A duration in its two largest units: ``59 min 12 s``, ``2 d 3 h``.

    Args:
        seconds: any number; its sign does not count.
    """
    left, said = int(abs(seconds)), []
    for size, unit in _UNITS:
        if left >= size:
            said.append(f"{left // size} {unit}")
        elif said:  # the unit below the first is none
            break
        left %= size
        if len(said) == 2:
            break
    return " ".join(said) or "0 s"


def some(items: Sequence[str], at_most: int = 3) -> str:
    """The first of the items, and how many more there are."""
    shown = ", ".join(items[:at_most])
    return shown + (f" and {len(items) - at_most} more" if len(items) > at_most else "")
