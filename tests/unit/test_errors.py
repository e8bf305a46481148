"""Floor 0: what can go wrong, and how a person is told."""

import inspect
import re
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wxhelper import errors
from wxhelper.errors import THIS_PROFILE, KeyRefused, Throttled, WxhelperError, printable

_ROW = re.compile(r"^ {4}(?P<branch>[│├└─ ]*)(?P<name>[A-Z]\w+)(?: +(?P<status>\d)\b)?")


def drawn() -> dict[str, tuple[str | None, int]]:
    """The tree of the module's docstring: name to parent and exit status."""
    tree: dict[str, tuple[str | None, int]] = {}
    above: list[tuple[int, str]] = []
    for line in inspect.cleandoc(errors.__doc__ or "").splitlines():
        if not (found := _ROW.match(line)):
            continue
        depth = len(found["branch"])
        above = [(d, name) for d, name in above if d < depth]
        parent = above[-1][1] if above else None
        inherited = tree[parent][1] if parent else None
        status = int(found["status"]) if found["status"] else inherited
        assert status is not None
        tree[found["name"]] = (parent, status)
        above.append((depth, found["name"]))
    return tree


def defined() -> dict[str, tuple[str | None, int]]:
    """The classes of the module: name to base class and exit status."""
    classes = [
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, WxhelperError)
    ]
    return {
        kind.__name__: (
            None if kind is WxhelperError else kind.__bases__[0].__name__,
            kind.exit_status,
        )
        for kind in classes
    }


def test_the_tree_in_the_docstring_is_the_tree_of_the_classes() -> None:
    assert len(drawn()) > 15
    assert drawn() == defined()


@pytest.mark.parametrize("name", sorted(defined()))
def test_every_error_can_be_made_from_message_and_remedy_and_says_both(name: str) -> None:
    fault = getattr(errors, name)("it broke", remedy="mend it")
    assert (str(fault), fault.message, fault.remedy) == ("it broke", "it broke", "mend it")
    assert fault.line() == "wxhelper: it broke; mend it"


@pytest.mark.parametrize("name", sorted(defined()))
def test_every_error_says_in_its_docstring_what_it_means(name: str) -> None:
    assert inspect.getdoc(getattr(errors, name)).endswith(".")


@pytest.mark.parametrize(
    ("profile", "remedy", "line"),
    [
        ("", "", "wxhelper: no"),
        ("dev", "", "wxhelper: profile dev: no"),
        ("", "go", "wxhelper: no; go"),
        ("dev", "go", "wxhelper: profile dev: no; go"),
        ("dev", f"run {THIS_PROFILE} now", "wxhelper: profile dev: no; run --profile dev now"),
        ("", f"run {THIS_PROFILE} now", "wxhelper: no; run now"),
        ("", f"run {THIS_PROFILE}", "wxhelper: no; run"),
    ],
)
def test_the_line_names_profile_cause_and_remedy(profile: str, remedy: str, line: str) -> None:
    fault = WxhelperError("no", remedy=remedy)
    fault.profile = profile
    assert fault.line() == line


def test_the_line_is_one_line_whatever_the_message_holds() -> None:
    fault = KeyRefused("a\nb\r\nc\x1b[31md\u2028e\u202ef\x85g", remedy="h\ti\x00")
    assert fault.line() == "wxhelper: a b c [31md e f g; h i"


def test_the_line_is_cut_at_a_thousand_characters() -> None:
    line = WxhelperError("x" * 5000).line()
    assert line == "wxhelper: " + "x" * 997 + "..."


@pytest.mark.parametrize("wait", [None, 0.0, 7.5])
def test_throttled_knows_when_to_come_back(wait: float | None) -> None:
    assert Throttled("later", retry_after=wait).retry_after == wait


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain words", "plain words"),
        ("Prüfung 日本 ok", "Prüfung 日本 ok"),
        ("", ""),
        (" \t\n ", ""),
        ("a   b", "a b"),
        ("a\nb", "a b"),
        ("a\r\nb", "a b"),
        ("\x1b]0;title\x07x", "]0;title x"),
        ("\x1b[2Jx", "[2Jx"),
        ("\x9b31mx", "31mx"),
        ("a\x7fb", "a b"),
        ("a\x85b", "a b"),
        ("a\u2028b\u2029c", "a b c"),
        ("a\u202eb\u2066c\u200fd", "a b c d"),
        ("a\u200bb\ufeffc", "a b c"),
        ("a\xa0b\u3000c", "a b c"),
        ("a\ud800b", "a b"),
        ("a\ue000b", "a b"),
        ("a\U000e0041b", "a b"),
    ],
    ids=[
        "plain", "letters of all scripts", "empty", "blank", "spaces", "newline", "crlf",
        "osc escape", "csi escape", "c1 csi", "delete", "c1 next line", "line separators",
        "bidi", "zero width", "other spaces", "surrogate", "private use", "tags",
    ],
)  # fmt: skip
def test_foreign_text_becomes_one_harmless_line(text: str, shown: str) -> None:
    assert printable(text) == shown


@pytest.mark.parametrize(
    ("text", "limit", "shown"),
    [
        ("x" * 10, 10, "x" * 10),
        ("x" * 11, 10, "x" * 7 + "..."),
        ("x" * 201, 200, "x" * 197 + "..."),
        ("x" * 10_000_000, 20, "x" * 17 + "..."),
    ],
)
def test_foreign_text_is_cut(text: str, limit: int, shown: str) -> None:
    assert printable(text, limit) == shown


@settings(deadline=None)
@given(st.text(), st.integers(min_value=3, max_value=300))
def test_no_text_gets_past_unharmed(text: str, limit: int) -> None:
    shown = printable(text, limit)
    assert len(shown) <= limit
    assert shown.isprintable()
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp", "Cs") for c in shown)
    assert shown == " ".join(shown.split())


@settings(deadline=None)
@given(st.text())
def test_text_that_is_harmless_stays_so(text: str) -> None:
    once = printable(text)
    assert printable(once) == once
