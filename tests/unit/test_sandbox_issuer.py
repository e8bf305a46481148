import base64
import json
import re

import pytest

from wxhelper.sandbox.issuer import Grant, Issuer, Verdict

NOW = 1_700_000_000.0


def decoded(part: str):
    return json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))


@pytest.mark.parametrize(
    ("later", "verdict"),
    [(0.0, Verdict.LIVE), (59.9, Verdict.LIVE), (60.0, Verdict.EXPIRED), (1e6, Verdict.EXPIRED)],
)
def test_a_token_is_live_until_its_lifetime_is_over(later, verdict):
    issuer = Issuer()
    token = issuer.issue("someone", now=NOW, lifetime=60)
    assert issuer.verdict(token, NOW + later) is verdict


def test_a_lifetime_that_is_not_positive_gives_an_expired_token():
    issuer = Issuer()
    assert issuer.verdict(issuer.issue("x", now=NOW, lifetime=0), NOW) is Verdict.EXPIRED


def test_only_tokens_of_this_issuer_are_known():
    issuer, other = Issuer(), Issuer()
    stranger = other.issue("someone", now=NOW, lifetime=60)
    assert issuer.verdict(stranger, NOW) is Verdict.UNKNOWN
    assert issuer.grant(stranger) is None
    issuer.revoke(stranger)
    assert issuer.verdict(stranger, NOW) is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("scheme", "verdict"),
    [("bearer", Verdict.UNKNOWN), ("zenapikey", Verdict.LIVE), ("ZenApiKey", Verdict.LIVE)],
)
def test_a_token_is_good_with_its_own_scheme_alone(scheme, verdict):
    issuer = Issuer()
    token = issuer.issue("someone", now=NOW, lifetime=60, scheme="ZenApiKey")
    assert issuer.verdict(token, NOW, scheme=scheme) is verdict


def test_revoking_one_token_leaves_the_others():
    issuer = Issuer()
    first, second = (issuer.issue("someone", now=NOW, lifetime=60) for _ in range(2))
    issuer.revoke(first)
    assert issuer.verdict(first, NOW) is Verdict.REVOKED
    assert issuer.verdict(second, NOW) is Verdict.LIVE


def test_revoking_all_leaves_later_tokens():
    issuer = Issuer()
    before = issuer.issue("someone", now=NOW, lifetime=60)
    issuer.revoke_all()
    after = issuer.issue("someone", now=NOW, lifetime=60)
    assert issuer.verdict(before, NOW) is Verdict.REVOKED
    assert issuer.verdict(after, NOW) is Verdict.LIVE


def test_a_token_has_the_form_of_a_jwt():
    issuer = Issuer()
    token = issuer.issue("someone", now=NOW + 0.9, lifetime=60, claims={"scope": "a b", "exp": 1})
    assert re.fullmatch(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{342}", token)
    header, payload, _ = token.split(".")
    assert decoded(header)["alg"] == "RS256"
    assert decoded(payload) == {
        "sub": "someone",
        "scope": "a b",
        "iat": 1_700_000_000,
        "exp": 1_700_000_060,
    }
    assert issuer.grant(token) == Grant("someone", "Bearer", NOW + 0.9, NOW + 60.9)


def test_no_two_tokens_are_the_same():
    issuer = Issuer()
    assert len({issuer.issue("someone", now=NOW, lifetime=60) for _ in range(100)}) == 100
