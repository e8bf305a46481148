"""What of a profile may be shown."""

import pytest

from mistakes import PASTED
from wxhelper.reference import KINDS, shown_reference, shown_setting


@pytest.mark.parametrize(
    ("reference", "shown"),
    [
        ("env:A", "env:A"),
        ("file:~/a key", "file:~/a key"),
        ("keyring:dev", "keyring:dev"),
        ("ibm-credentials:watsonx", "ibm-credentials:watsonx"),
        ("command:op read 'a secret'", "command:op"),
        ("command:'op", "command:..."),
        (f"env:{PASTED}", "env:[not shown]"),
        (f"command:{PASTED} x", "command:[not shown]"),
        ("file:a\x1b[31m\nb", "file:a [31m b"),
        (PASTED, None),
        (f"apikey:{PASTED}", None),
        ("", None),
        ("env", None),
        ("env:", None),
        ("command: ", None),
        ("ENV:A", None),
    ],
)
def test_a_reference_is_shown_and_what_is_none_is_not(reference: str, shown: str | None) -> None:
    assert shown_reference(reference) == shown


def test_every_kind_of_reference_is_known_here() -> None:
    assert all(shown_reference(f"{kind}:x") == f"{kind}:x" for kind in KINDS)


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("region", "eu-central-1", "eu-central-1"),
        ("url", "https://iam.cloud.ibm.com", "https://iam.cloud.ibm.com"),
        ("username", "a@example.com", "a@example.com"),
        ("number", 7, "7"),
        ("url", "https://me:secret@example.com", "(not shown)"),
        ("apikey", "x", "(not shown)"),
        ("PassWord", "x", "(not shown)"),
        ("username", PASTED, "(not shown)"),
        ("region", "a\nb\u202e", "a b"),
    ],
)
def test_a_setting_is_shown_unless_it_looks_like_a_key(
    name: str, value: object, shown: str
) -> None:
    assert shown_setting(name, value) == shown
