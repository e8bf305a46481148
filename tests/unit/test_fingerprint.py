"""Floor 2: values that can be compared without being kept."""

import hashlib
import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wxhelper.fingerprint import fingerprint


@pytest.mark.parametrize(
    ("salt", "values", "digits"),
    [
        ("00", ("",), "c56ff8794623e0021a9defbce8a7031e76e3f230b11c01d07cedd1b65d036da8"),
        ("0f3a", ("a key",), "493c148d6b1726930638437c08475faf6742d794c723d51091453fe352f6f981"),
        (
            "0f3a",
            ("ibmcloud", "url=https://x", "a key"),
            "a97f921c1ebaec60fedd24cf739b676f58c04bebbbdf672e93683cdd05fa9684",
        ),
        ("0f3a", ("clé ü",), "55818c799d71ddca78694fd3a6aea4fd6ae8073c8c2c30e5cb61e2aa081a82d0"),
    ],
)
def test_fingerprints_stay_the_same_from_one_version_to_the_next(
    salt: str, values: tuple[str, ...], digits: str
) -> None:
    assert fingerprint(salt, *values) == digits


def test_it_is_blake2b_keyed_with_the_salt_over_values_framed_by_their_length() -> None:
    plain = hashlib.blake2b(b"3:abc5:d\xc3\xa9fg", key=b"salt", digest_size=32)
    assert fingerprint("salt", "abc", "défg") == plain.hexdigest()


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("ab", "c"), ("a", "bc")),
        (("ab",), ("a", "b")),
        (("", "a"), ("a", "")),
        (("a",), ("a", "")),
        (("",), ("", "")),
        (("1:a",), ("a",)),
        (("a1:b",), ("a", "b")),
        (("a",), ("A",)),
        (("a",), ("a\n",)),
    ],
)
def test_no_character_can_move_from_one_value_to_the_next(
    one: tuple[str, ...], other: tuple[str, ...]
) -> None:
    assert fingerprint("salt", *one) != fingerprint("salt", *other)


@settings(deadline=None)
@given(
    st.lists(st.text(st.characters(codec="utf-8"))), st.lists(st.text(st.characters(codec="utf-8")))
)
def test_two_lists_have_one_fingerprint_exactly_when_they_are_equal(
    one: list[str], other: list[str]
) -> None:
    assert (fingerprint("5a17", *one) == fingerprint("5a17", *other)) is (one == other)


def test_another_salt_makes_another_fingerprint() -> None:
    assert fingerprint("a", "key") != fingerprint("b", "key")


def test_a_salt_of_64_characters_is_taken() -> None:
    assert len(fingerprint("f" * 64, "key")) == 64


def test_a_value_that_was_no_text_has_one_too() -> None:
    assert fingerprint("a", "\udcff") != fingerprint("a", "\udcfe")


def test_an_interpreter_without_the_c_module_takes_the_one_of_hashlib() -> None:
    program = (
        "import hashlib, sys; sys.modules['_blake2'] = None\n"
        "from wxhelper.fingerprint import blake2b, fingerprint\n"
        "assert blake2b is hashlib.blake2b\n"
        "print(fingerprint('0f3a', 'a key'))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout.strip(), done.stderr) == (fingerprint("0f3a", "a key"), "")
