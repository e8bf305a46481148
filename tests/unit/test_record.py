"""Floor 2: one cached token as text, and whether it may still be served."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from records import TEXT
from wxhelper import record
from wxhelper.record import ABSENT, Basis, Moment, Record, clock_held
from wxhelper.tokens import Token, is_b64token

SALT = "0f3a"
MINTED = 1_763_712_000.131


def a_record(**changes: object) -> Record:
    parts: dict[str, object] = {
        "profile": "dev",
        "default": True,
        "source": "ibmcloud",
        "login": "iambearer",
        "hosts": ("*.b.example.com", "a.example.com:8443"),
        "generation": ABSENT,
        "moment": Moment(1763712000.125, 5120.5, "6f1c-b007"),
        "basis": Basis(
            SALT,
            "9b1c",
            [("/home/me/config.toml", "312 1763 1764 77"), ("/home/me/a key", ABSENT)],
            [("IBMCLOUD_API_KEY", "77ab"), ("WXHELPER_URL", ABSENT)],
        ),
        "token": Token(
            "Bearer",
            "eyJhbGciOi.J9.c2ln-_~+/==",
            minted_at=MINTED,
            refresh_at=1763714870,
            expires_at=1763715600,
        ),
    }
    return Record(**{**parts, **changes})  # type: ignore[arg-type]


def flat(found: Record | None) -> object:
    """Everything that a record says, to compare."""
    if found is None:
        return None
    moment, basis, token = found.moment, found.basis, found.token
    return (
        (found.profile, found.default, found.source, found.generation),
        (moment.wall, moment.boot, moment.boot_id),
        (basis.salt, basis.identity, basis.files, basis.variables),
        (token.scheme, token.value, token.minted_at, token.refresh_at, token.expires_at),
    )


# ------------------------------------------------------------------------------------- text


def test_a_record_is_written_as_the_text_that_its_file_describes() -> None:
    assert record.write(a_record()) == TEXT


def test_the_text_is_read_back_whole() -> None:
    assert flat(record.parse(TEXT)) == flat(a_record())


def test_the_lines_are_the_ones_that_the_docstring_shows() -> None:
    example = (record.__doc__ or "").partition("A record's text:\n\n")[2]
    shown = [line.split()[0] for line in example.splitlines() if line.strip()]
    assert shown == list(dict.fromkeys(line.split()[0] for line in TEXT.splitlines()))


words = st.text(st.characters(codec="utf-8", exclude_characters="\n "), min_size=1)
paths_ = st.text(st.characters(codec="utf-8", exclude_characters="\n")).map(lambda t: "/" + t)
b64tokens = st.from_regex(r"\A[A-Za-z0-9._~+/-]{8,200}={0,2}\Z")
times = st.integers(min_value=0, max_value=2**40 - 1)
millis = times.map(lambda ms: ms / 1000)


@settings(deadline=None)
@given(
    st.tuples(words, words, words, b64tokens, st.booleans()),
    st.tuples(millis, millis, millis, times, times),
    st.lists(st.tuples(paths_, st.one_of(st.just(ABSENT), st.just("1 2 3 4")))),
    st.lists(st.tuples(words, words)),
)
def test_every_record_is_read_back_as_it_was_written(
    said: tuple[str, str, str, str, bool],
    clocks: tuple[float, float, float, int, int],
    files: list[tuple[str, str]],
    variables: list[tuple[str, str]],
) -> None:
    profile, source, generation, value, default = said
    wall, boot, minted_at, refresh_at, expires_at = clocks
    made = a_record(
        profile=profile,
        source=source,
        generation=generation,
        default=default,
        moment=Moment(wall, boot, "b007"),
        basis=Basis(SALT, "1d", files, variables),
        token=Token(
            "Bearer", value, minted_at=minted_at, refresh_at=refresh_at, expires_at=expires_at
        ),
    )
    assert flat(record.parse(record.write(made))) == flat(made)


def test_a_record_that_was_cut_anywhere_is_none() -> None:
    assert [at for at in range(len(TEXT)) if record.parse(TEXT[:at]) is not None] == []


@pytest.mark.parametrize("other", ["\x00", "\n", " ", "é", "=", "-", "9"])
def test_no_damage_to_one_character_raises_or_lets_through_what_is_no_token(other: str) -> None:
    for at in range(len(TEXT)):
        found = record.parse(TEXT[:at] + other + TEXT[at + 1 :])
        if found is not None:
            assert is_b64token(found.token.value)
            assert found.token.scheme.isalnum()
            assert isinstance(found.token.state(MINTED), str)
            clock_held(found, Moment(MINTED, 5120.6, "6f1c-b007"))


@settings(deadline=None)
@given(st.text())
def test_no_text_at_all_raises(text: str) -> None:
    assert record.parse(text) is None
    assert record.parse(f"wxhelper record 2\n{text}\nend\n") is None


def without(line: str) -> str:
    return "".join(kept for kept in TEXT.splitlines(keepends=True) if not kept.startswith(line))


@pytest.mark.parametrize(
    "line",
    ["profile", "default", "source", "login", "hosts", "generation", "clock", "minted",
     "refresh", "expires", "salt", "identity", "token", "end", "wxhelper"],
)  # fmt: skip
def test_a_record_without_one_of_its_lines_is_none(line: str) -> None:
    assert record.parse(without(line)) is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("wxhelper record 2", "wxhelper record 1"),
        ("wxhelper record 2", "wxhelper failure 1"),
        ("wxhelper record 2", " wxhelper record 2"),
        ("wxhelper record 2\n", "wxhelper record 2\r\n"),
        ("wxhelper record 2", "\ufeffwxhelper record 2"),
        ("end\n", "end"),
        ("end\n", "end\nend"),
        ("end\n", "end\n\n"),
        ("expires 1763715600", "expires"),
        ("expires 1763715600", "expires soon"),
        ("expires 1763715600", "expires 1763715600.5"),
        ("expires 1763715600", "expires inf"),
        ("expires 1763715600", "expires -1"),
        ("expires 1763715600", "expires 1099511627776"),
        ("refresh 1763714870", "refresh " + "9" * 5000),
        ("minted 1763712000.131", "minted nan"),
        ("minted 1763712000.131", "minted -1"),
        ("minted 1763712000.131", "minted 1e999"),
        ("5120.500", "inf"),
        ("5120.500", "-0.001"),
        ("clock 1763712000.125", "clock nan"),
        ("refresh 1763714870", "refresh nan"),
        ("clock 1763712000.125 5120.500 6f1c-b007", "clock 1763712000.125"),
        ("clock 1763712000.125 5120.500 6f1c-b007", "clock a b c"),
        ("clock 1763712000.125 5120.500 6f1c-b007", "clock 1 2 3 4"),
        ("salt 0f3a", "salt"),
        ("salt 0f3a", "salt " + "f" * 65),
        ("salt 0f3a", "salt ü"),
        ("salt 0f3a", "salt 0f 3a"),
        ("token Bearer eyJ", "token eyJ"),
        ("token Bearer eyJ", "token  eyJ"),
        ("token Bearer eyJ", "token Bea-rer eyJ"),
        ("token Bearer eyJ", "token Bearer  eyJ"),
        ("token Bearer eyJ", "token Bearer e\x00J"),
        ("token Bearer eyJ", 'token Bearer e"J'),
        ("token Bearer eyJ", "token Bearer e\rJ"),
        ("token Bearer eyJ", "token Bearer e\x1bJ"),
        ("==\n", "==\r\n"),
    ],
)
def test_a_record_that_says_something_else_is_none(old: str, new: str) -> None:
    damaged = TEXT.replace(old, new, 1)
    assert damaged != TEXT
    assert record.parse(damaged) is None


@pytest.mark.parametrize("planted", ["dev\ndefault yes", "dev\n"])
def test_a_line_break_cannot_be_written(planted: str) -> None:
    with pytest.raises(ValueError, match=r"^a line break cannot be recorded$"):
        record.write(a_record(profile=planted))


def test_a_line_break_in_a_token_cannot_be_written() -> None:
    token = Token("Bearer", "abc\nend\n", minted_at=1.0, refresh_at=2, expires_at=3)
    with pytest.raises(ValueError, match=r"^a line break cannot be recorded$"):
        record.write(a_record(token=token))


def test_a_line_break_in_a_path_cannot_be_written() -> None:
    with pytest.raises(ValueError, match=r"^a line break cannot be recorded$"):
        record.write(a_record(basis=Basis(SALT, "9b", [("/a\nb", ABSENT)], [])))


def test_a_long_lived_value_is_never_written() -> None:
    token = Token("ZenApiKey", "abcdefgh", minted_at=1.0, refresh_at=None, expires_at=None)
    with pytest.raises(ValueError, match=r"^a long-lived token is not kept$"):
        record.write(a_record(token=token))


def test_the_repr_does_not_show_the_token() -> None:
    assert repr(a_record()) == "Record(dev, Token(Bearer, expires_at=1763715600))"


# ------------------------------------------------------------------------------------ clocks


def held(*, made: tuple[float, float, str], now: tuple[float, float, str], life: int) -> bool:
    token = Token.minted("Bearer", "abcdefgh", minted_at=made[0], life=life, chance=0.5)
    return clock_held(a_record(moment=Moment(*made), token=token), Moment(*now))


@pytest.mark.parametrize(
    ("wall", "boot", "boot_id", "life", "expected"),
    [
        (0, 0, "B", 3600, True),
        (1800, 1800, "B", 3600, True),
        (1800, 1740, "B", 3600, True),
        (1800, 1739, "B", 3600, False),
        (1800, 1860, "B", 3600, True),
        (1800, 1861, "B", 3600, False),
        (0, 3500, "B", 3600, False),
        (-3600, 10, "B", 3600, False),
        (3600, 10, "B", 3600, False),
        (86_400, 86_400, "B", 3600, True),
        (30, 25, "B", 60, True),
        (30, 23, "B", 60, False),
        (10, -5000, "C", 3600, True),
        (-60, -5000, "C", 3600, True),
        (-61, -5000, "C", 3600, False),
        (10_000, -5000, "C", 3600, True),
        (-61, 61, "-", 3600, False),
        (61, 0, "-", 3600, True),
    ],
    ids=[
        "at once", "half an hour", "set forward, within the margin", "set forward",
        "set back, within the margin", "set back", "set back to the same second",
        "set back an hour", "set forward an hour", "a day of suspend counts on both",
        "short life, within a tenth", "short life, above a tenth", "other boot",
        "other boot, margin", "other boot, set back", "other boot, long after",
        "no boot clock now, back", "no boot clock now, forward",
    ],
)  # fmt: skip
def test_a_clock_that_was_set_is_noticed(
    wall: float, boot: float, boot_id: str, life: int, expected: bool
) -> None:
    made = (MINTED, 5120.5, "B")
    now = (MINTED + wall, 5120.5 + boot, boot_id)
    assert held(made=made, now=now, life=life) is expected


@pytest.mark.parametrize(("wall", "expected"), [(1, True), (-60, True), (-61, False)])
def test_without_any_boot_clock_a_clock_set_back_is_noticed(wall: float, expected: bool) -> None:
    made, now = (MINTED, 0.0, ABSENT), (MINTED + wall, 0.0, ABSENT)
    assert held(made=made, now=now, life=3600) is expected


def test_the_boot_clock_of_this_machine_goes_with_the_wall_clock() -> None:
    first, second = Moment.now(), Moment.now()
    assert first.wall <= second.wall
    assert first.boot <= second.boot
    assert first.boot_id == second.boot_id
    assert " " not in first.boot_id
