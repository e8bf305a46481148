"""Keys in the wrong place, and pieces of keys in foreign text: never shown."""

import pytest

from wxhelper import cli
from wxhelper.errors import WxhelperError
from wxhelper.secret import Secret

KEY = "Xq3-paStEdbYmiStaKe_0123456789abcdefghijkLMN"


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        (f"the variable {KEY} is not set", "the variable [not shown] is not set"),
        (f"there is no key file /home/me/{KEY}", "there is no key file /home/me/[not shown]"),
        (f"unknown key profiles.d.{KEY}", "unknown key profiles.d.[not shown]"),
        (f"{KEY}{KEY}", "[not shown]"),
        ("MY_COMPANY_WATSONX_PROJECT_17_API_KEY_VARIABLE", ...),
        ("/home/me/projects/a-rather-long-directory-name-of-2026-11/key", ...),
        ("28ab6850-2582-4fea-aa02-3e8961aa7fc9-and-then-some", ...),
        ("Only35LettersOfBothCasesAndDigits12", ...),
    ],
    ids=["variable", "path", "setting", "twice", "long variable", "directory", "uuid", "short"],
)
def test_a_word_that_looks_like_a_key_is_not_shown(message: str, shown: object) -> None:
    expected = message if shown is ... else shown
    assert WxhelperError(message).line() == f"wxhelper: {expected}"


@pytest.mark.parametrize(
    "arguments",
    [
        [KEY],
        ["token", KEY],
        ["token", f"--{KEY}"],
        ["token", f"--api-key={KEY}"],
        ["token", "--api-key", KEY],
        ["token", f"--refresh={KEY}"],
        ["token", f"--refresh=it's{KEY}"],
        ["token", f'--refresh=a"b{KEY}'],
        ["token", "--output", KEY],
        ["token", "--min-ttl", KEY],
        ["token", "--profile", KEY + "=="],
        ["exec-credential", "--api-version", KEY],
    ],
    ids=lambda arguments: " ".join(arguments).replace(KEY, "KEY"),
)
def test_a_key_on_the_command_line_is_not_repeated(
    arguments: list[str], capfd: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(arguments) == 2
    printed = capfd.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("wxhelper: ")
    assert printed.err.count("\n") == 1
    assert KEY not in printed.err


@pytest.mark.parametrize(
    "said",
    [
        KEY[:13],
        KEY[5:30],
        f"{KEY[:22]} {KEY[22:]}",
        f"{KEY[:22]}\u200b{KEY[22:]}",
        "".join(f"%{ord(c):02x}" for c in KEY),
    ],
    ids=["beginning", "middle", "broken", "invisibly broken", "every letter encoded"],
)
def test_a_piece_of_the_key_hides_the_text_around_it(said: str) -> None:
    assert Secret(KEY, "env:A").redact(f"no such key: {said}") == "[redacted]"


def test_text_without_any_of_the_key_is_shown() -> None:
    text = "Provided API key could not be found."
    assert Secret(KEY, "env:A").redact(text) == text
