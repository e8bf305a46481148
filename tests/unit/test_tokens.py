"""Floor 1: a token, its alphabet and its times."""

import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wxhelper.tokens import EXPIRED, FRESH, STALE, Token, is_b64token

MINTED = 1_763_712_000.0
ALPHABET = string.ascii_letters + string.digits + "-._~+/"


def a_token(life: float, *, minted_at: float = MINTED, chance: float = 0.5) -> Token:
    return Token.minted("Bearer", "abcdefgh", minted_at=minted_at, life=life, chance=chance)


@pytest.mark.parametrize(
    ("value", "accepted"),
    [
        ("a" * 7, False),
        ("a" * 8, True),
        ("a" * 16_384, True),
        ("a" * 16_385, False),
        (ALPHABET, True),
        ("abcdefg=", True),
        ("abcdef==", True),
        ("a" + "=" * 7, True),
        ("=" * 8, False),
        ("abc=defg", False),
        ("=abcdefg", False),
        ("", False),
        ("abcdefgh\n", False),
        ("\nabcdefgh", False),
        ("abcdefgh\r", False),
        ("abcd\r\nX-Evil: 1", False),
        ("abcd efgh", False),
        (" abcdefgh", False),
        ('abcd"efgh', False),
        ("abcd'efgh", False),
        ("abcd\\efgh", False),
        ("abcd,efgh", False),
        ("abcd;efgh", False),
        ("abcd:efgh", False),
        ("abcd%20efgh", False),
        ("abcd\x00efgh", False),
        ("abcd\x7fefgh", False),
        ("äbcdefgh", False),
        ("abcdefg\uff11", False),
        ("abcdefg\u0661", False),
        ("abcdefgh\u2028", False),
        ("abcdefg\ud800", False),
        ("Bearer abcdefgh", False),
        ("${ACCESS_TOKEN}", False),
    ],
)
def test_a_token_is_an_rfc_6750_b64token_of_8_to_16384_characters(
    value: str, accepted: bool
) -> None:
    assert is_b64token(value) is accepted


@settings(deadline=None)
@given(st.text(alphabet=ALPHABET, min_size=8, max_size=60), st.text(alphabet="=", max_size=3))
def test_everything_of_the_alphabet_is_accepted(body: str, padding: str) -> None:
    assert is_b64token(body + padding)


@settings(deadline=None)
@given(st.text(min_size=8, max_size=20))
def test_nothing_else_is_accepted(value: str) -> None:
    body = value.rstrip("=")
    assert is_b64token(value) is (body != "" and set(body) <= set(ALPHABET))


@pytest.mark.parametrize(
    ("life", "refresh", "expires", "margin", "good_until"),
    [
        (3600, 2880, 3600, 60.0, 3540),
        (900, 720, 900, 60.0, 840),
        (600, 480, 600, 60.0, 540),
        (360, 288, 360, 36.0, 324),
        (60, 48, 60, 6.0, 54),
        (5, 4, 5, 0.5, 4),
        (1, 0, 1, 0.1, 0),
    ],
)
def test_times_follow_from_the_life(
    life: int, refresh: int, expires: int, margin: float, good_until: int
) -> None:
    token = a_token(life)
    times = (token.refresh_at, token.expires_at, token.margin, token.good_until)
    assert times == (MINTED + refresh, MINTED + expires, margin, MINTED + good_until)


@pytest.mark.parametrize("life", [3600, 900, 360, 60, 5])
def test_states_follow_each_other(life: int) -> None:
    token = a_token(life)
    margin = min(60.0, life / 10)
    refresh, end = MINTED + int(life * 0.8), MINTED + life - margin
    seen = [
        token.state(moment)
        for moment in (MINTED, refresh - 0.01, refresh, end - 0.01, end, MINTED + life, 2**40)
    ]
    assert seen == [FRESH, FRESH, STALE, STALE, EXPIRED, EXPIRED, EXPIRED]


@settings(deadline=None)
@given(
    st.floats(min_value=0.001, max_value=86_400),
    st.floats(min_value=0, max_value=1),
    st.floats(min_value=0, max_value=2e9),
)
def test_the_renewal_point_is_between_75_and_85_percent_of_the_life(
    life: float, chance: float, minted_at: float
) -> None:
    token = a_token(life, minted_at=minted_at, chance=chance)
    assert token.refresh_at is not None
    assert token.expires_at is not None
    since = round(minted_at, 3)
    assert since + 0.75 * life - 1.001 <= token.refresh_at <= since + 0.85 * life + 0.001
    assert token.refresh_at <= token.expires_at <= since + life + 0.001


@pytest.mark.parametrize(("chance", "refresh"), [(0.0, 2700), (0.5, 2880), (1.0, 3060)])
def test_chance_spreads_the_renewal_point(chance: float, refresh: int) -> None:
    assert a_token(3600, chance=chance).refresh_at == MINTED + refresh


def test_the_moment_of_minting_is_kept_to_the_millisecond() -> None:
    assert a_token(3600, minted_at=MINTED + 0.123456).minted_at == MINTED + 0.123


def test_a_long_lived_value_never_expires() -> None:
    token = Token("ZenApiKey", "abcdefgh", minted_at=MINTED, refresh_at=None, expires_at=None)
    assert (token.margin, token.good_until, token.state(2**60)) == (0.0, None, FRESH)


def test_the_repr_does_not_show_the_token() -> None:
    assert repr(a_token(3600)) == "Token(Bearer, expires_at=1763715600)"
