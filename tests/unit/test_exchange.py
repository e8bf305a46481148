"""Floor 4: "POST a key, read a token out of JSON"."""

import base64
import email.utils
import json
import logging
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wxhelper.errors import (
    AnswerNotUnderstood,
    ConfigurationError,
    EndpointRefused,
    WxhelperError,
)
from wxhelper.plugin import Answer, Endpoint, KeyExchange, Secret, SourceContext, Token

KEY = "k3y+/that=opens&nothing"
SENT = 1_763_712_000.25
DATE = "Fri, 21 Nov 2025 08:00:01 GMT"
VALUE = "opaque-token.value"
CHECK = "check url in the profile: is it the token service?"
NO_JSON = "Service answered HTTP {status} with something that is no JSON object"
NO_LIFE = "the answer of Service does not say how long the token lives"
BAD = "the answer of Service holds something in access_token that cannot be a token"
ONE = KeyExchange(service="Service", url="https://tokens.example.com/own/path", body="form")
TWO = KeyExchange(
    service="Service",
    url="https://tokens.example.com/t",
    body="json",
    token_fields=("token", "access_token"),
)


class Postman:
    """A transport that notes what is posted and gives one answer."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.posted: list[tuple[str, dict[str, object]]] = []

    def post(self, endpoint: Endpoint, **what: object) -> Answer:
        self.posted.append((endpoint.url, what))
        return self.answer


def answer(body: object, status: int = 200, **headers: str) -> Answer:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"date": DATE, **named}, data, SENT)


def fetched(
    given_: Answer, declared: KeyExchange = ONE, settings_: Mapping[str, str] | None = None
) -> Token:
    return source_for(Postman(given_), declared, settings_ or {}).fetch()


def source_for(postman: Postman, declared: KeyExchange, given_: Mapping[str, str]):  # type: ignore[no-untyped-def]
    return declared.open(
        SourceContext(
            settings=given_,
            secret=Secret(KEY, "env:A"),
            transport=postman,  # type: ignore[arg-type]
            clock=lambda: SENT,
            chance=lambda: 0.5,
            logger=logging.getLogger("test"),
        )
    )


def told(given_: Answer, declared: KeyExchange = ONE) -> tuple[type, str, str]:
    with pytest.raises(WxhelperError) as caught:
        fetched(given_, declared)
    return type(caught.value), caught.value.message, caught.value.remedy


def jwt(**claims: object) -> str:
    parts = ({"alg": "RS256"}, claims)
    coded = [base64.urlsafe_b64encode(json.dumps(p).encode()).rstrip(b"=").decode() for p in parts]
    return ".".join([*coded, "c2lnbmF0dXJl"])


def good(**changes: object) -> dict[str, object]:
    fields = {"access_token": VALUE, "expires_in": 3600, **changes}
    return {name: value for name, value in fields.items() if value is not ...}


# ------------------------------------------------------------------------------ the request


def test_a_form_carries_the_key_and_what_is_declared() -> None:
    declared = KeyExchange(
        service="S", url="https://x.example/t", body="form", fields={"grant_type": "urn:x"}
    )
    postman = Postman(answer(good()))
    source_for(postman, declared, {}).fetch()
    assert postman.posted == [
        (
            "https://x.example/t",
            {"form": {"grant_type": "urn:x", "apikey": KEY}, "json": None, "headers": {}},
        )
    ]


def test_json_carries_the_key_in_its_field() -> None:
    declared = KeyExchange(service="S", url="https://x.example/t", body="json", key_field="api_key")
    postman = Postman(answer(good()))
    source_for(postman, declared, {}).fetch()
    assert postman.posted == [
        ("https://x.example/t", {"form": None, "json": {"api_key": KEY}, "headers": {}})
    ]


def test_fields_may_hold_settings_and_headers_are_sent_as_declared() -> None:
    declared = KeyExchange(
        service="S",
        url="https://x.example/t",
        body="json",
        fields={"username": "{username}"},
        headers={"Authorization": "Basic Og=="},
    )
    postman = Postman(answer(good()))
    source_for(postman, declared, {"username": "me@example.com"}).fetch()
    ((_, sent),) = postman.posted
    assert sent["json"] == {"username": "me@example.com", "apikey": KEY}
    assert sent["headers"] == {"Authorization": "Basic Og=="}


def test_one_fetch_is_one_request_and_the_next_one_is_another() -> None:
    postman = Postman(answer(good()))
    source = source_for(postman, ONE, {})
    source.fetch()
    source.fetch()
    assert len(postman.posted) == 2


@pytest.mark.parametrize(
    ("given_", "url", "hosts"),
    [
        ({}, "https://tokens.example.com/own/path", {"tokens.example.com:443"}),
        ({"url": "https://other.example"}, "https://other.example/own/path", {"other.example:443"}),
        ({"url": "https://other.example:8443/"}, "https://other.example:8443/own/path",
         {"other.example:8443"}),
        ({"url": "https://other.example/a/b"}, "https://other.example/a/b", {"other.example:443"}),
        ({"url": "http://127.0.0.1:80"}, "http://127.0.0.1/own/path", {"127.0.0.1:80"}),
    ],
    ids=["its own", "host", "port", "path", "loopback"],
)  # fmt: skip
def test_the_key_goes_to_the_url_of_the_profile_else_to_the_services_own(
    given_: dict[str, str], url: str, hosts: set[str]
) -> None:
    assert ONE.endpoint(given_).url == url
    assert ONE.token_hosts(given_) == hosts


REGIONAL = KeyExchange(service="S", url="https://{region}.example.com/t", body="json")


def test_settings_stand_in_the_services_address() -> None:
    assert REGIONAL.endpoint({"region": "eu-de"}).url == "https://eu-de.example.com/t"


def test_a_url_makes_the_settings_of_the_services_address_unnecessary() -> None:
    assert REGIONAL.endpoint({"url": "https://x.example"}).url == "https://x.example/t"


@pytest.mark.parametrize(
    "region", ["", "evil.example/", "evil.example#", "a.b", "a@b", "a:1", "a b", "x" * 64, "é"]
)
def test_a_setting_cannot_bring_a_host_of_its_own(region: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        REGIONAL.endpoint({"region": region})
    assert caught.value.message.startswith("the setting region cannot be")
    assert caught.value.remedy == "write letters, digits and hyphens only"


PATH_ALONE = KeyExchange(service="S", url="/v1/{kind}/token", body="json")


@pytest.mark.parametrize("missing", ["url", "kind"])
def test_a_service_without_an_address_of_its_own_needs_its_settings(missing: str) -> None:
    settings_ = {"url": "https://x.example", "kind": "own"}
    assert PATH_ALONE.endpoint(settings_).url == "https://x.example/v1/own/token"
    del settings_[missing]
    with pytest.raises(ConfigurationError) as caught:
        PATH_ALONE.endpoint(settings_)
    assert (caught.value.message, caught.value.remedy) == (
        f"the setting {missing} is missing",
        f"write it into the profile, or export WXHELPER_{missing.upper()}",
    )


def test_a_url_that_a_key_must_not_go_to_is_refused() -> None:
    with pytest.raises(EndpointRefused, match="never goes over plain http"):
        ONE.endpoint({"url": "http://tokens.example.com"})


# -------------------------------------------------------------------------------- the token


@pytest.mark.parametrize(
    ("body", "headers", "life"),
    [
        (good(), {}, 3600),
        (good(expires_in=900), {}, 900),
        (good(expires_in=1), {}, 1),
        (good(expires_in=3600.9), {}, 3601),
        (good(expires_in="3600"), {}, 3600),
        (good(expires_in=86_401), {}, 86_400),
        (good(expires_in=10**400), {}, 86_400),
        (good(expires_in=10**30), {}, 86_400),
        (good(expires_in="9" * 5000), {}, 86_400),
        (b'{"access_token":"opaque-token.value","expires_in":1e999}', {}, 86_400),
        (good(expires_in=900, expiration=1), {}, 900),
        (good(expires_in=..., expiration=1_763_712_901), {}, 900),
        (good(expires_in=None, expiration="1763712901"), {}, 900),
        (good(expires_in=..., access_token=jwt(iat=5, exp=905)), {}, 900),
        (good(expires_in=..., expiration=7, access_token=jwt(iat=5, exp=905)), {"date": ""}, 900),
        (good(expires_in=..., expiration=7, access_token=jwt(iat=5, exp=905)), {"date": "x"}, 900),
        (good(expires_in=..., access_token=jwt(iat=5.5, exp=905.5)), {}, 900),
        (good(token_type="bearer", scope="ibm openid", refresh_token="not_supported"), {}, 3600),
    ],
    ids=["expires_in", "15 minutes", "a second", "fraction", "string", "above a day", "giant",
         "absurd", "long string", "infinite", "expires_in wins", "expiration", "expiration string",
         "jwt", "jwt without a date", "jwt with a bad date", "jwt with fractions", "other fields"],
)  # fmt: skip
def test_the_life_of_a_token_counts_from_the_sending(
    body: object, headers: dict[str, str], life: int
) -> None:
    token = fetched(answer(body, **headers))
    assert (token.scheme, token.minted_at) == ("Bearer", SENT)
    assert token.expires_at == int(SENT + life)
    assert token.refresh_at is not None
    assert abs(token.refresh_at - (SENT + 0.8 * life)) <= 1.5


def test_the_local_clock_has_no_part_in_the_life() -> None:
    body = good(expires_in=..., expiration=1000)
    token = fetched(answer(body, date=email.utils.formatdate(100, usegmt=True)))
    assert token.expires_at == int(SENT + 900)


@pytest.mark.parametrize("status", [200, 201, 202, 299])
def test_any_success_may_bring_a_token(status: int) -> None:
    assert fetched(answer(good(), status)).value == VALUE


def test_the_scheme_is_the_declared_one() -> None:
    declared = KeyExchange(service="S", url="https://x.example", body="json", scheme="ZenApiKey")
    assert fetched(answer(good()), declared).scheme == "ZenApiKey"


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ({"token": "of-token-field", "expires_in": 60}, "of-token-field"),
        ({"access_token": "of-access-field", "expires_in": 60}, "of-access-field"),
        ({"token": "same-one", "access_token": "same-one", "expires_in": 60}, "same-one"),
        ({"token": None, "access_token": "of-access-field", "expires_in": 60}, "of-access-field"),
        ({"token": "", "access_token": "of-access-field", "expires_in": 60}, "of-access-field"),
    ],
    ids=["first", "second", "both", "null", "empty"],
)  # fmt: skip
def test_the_token_is_in_the_first_field_that_is_there(body: dict[str, object], value: str) -> None:
    assert fetched(answer(body), TWO).value == value


def test_two_tokens_that_differ_are_not_understood() -> None:
    body = {"token": "the-first-one", "access_token": "the-second-one", "expires_in": 60}
    assert told(answer(body), TWO) == (
        AnswerNotUnderstood,
        "the answer of Service holds different tokens in token and access_token",
        CHECK,
    )


NOT_UNDERSTOOD = [
    (b"", NO_JSON),
    (b"<html><body>Log in</body></html>", NO_JSON),
    (b'{"access_token":"opaque-tok', NO_JSON),
    (b"null", NO_JSON),
    (b"[]", NO_JSON),
    (b'"opaque-token.value"', NO_JSON),
    (b"3600", NO_JSON),
    (b"\xff\xfe\x00", NO_JSON),
    (b"[" * 100_000, NO_JSON),
    (b'{"a":' * 50_000, NO_JSON),
    (b'{"access_token":"opaque-token.value","expires_in":NaN}', NO_JSON),
    (b'{"access_token":"opaque-token.value","expires_in":-Infinity}', NO_JSON),
    (b'{"access_token":"opaque-token.value","expires_in":' + b"9" * 5000 + b"}", NO_JSON),
    ({}, "the answer of Service holds no access_token"),
    (good(access_token=None), "the answer of Service holds no access_token"),
    (good(access_token=""), "the answer of Service holds no access_token"),
    (good(access_token=..., token=VALUE), "the answer of Service holds no access_token"),
    (good(access_token=5), BAD),
    (good(access_token=True), BAD),
    (good(access_token=[VALUE]), BAD),
    (good(access_token={"value": VALUE}), BAD),
    (good(access_token="short"), BAD),
    (good(access_token=VALUE + "\n"), BAD),
    (good(access_token=VALUE + "\r\nX-Evil: 1"), BAD),
    (good(access_token=VALUE + '"'), BAD),
    (good(access_token=VALUE + "\x1b[2J"), BAD),
    (good(access_token=VALUE + "\x00"), BAD),
    (good(access_token=f"Bearer {VALUE}"), BAD),
    (good(access_token=VALUE + "ü"), BAD),
    (good(access_token="x" * 16_385), BAD),
    (good(access_token="x" * 1_000_000), BAD),
    (good(expires_in=...), NO_LIFE),
    (good(expires_in=None), NO_LIFE),
    (good(expires_in=0), NO_LIFE),
    (good(expires_in=-1), NO_LIFE),
    (good(expires_in=-0.0), NO_LIFE),
    (good(expires_in="0"), NO_LIFE),
    (good(expires_in="-60"), NO_LIFE),
    (good(expires_in="an hour"), NO_LIFE),
    (good(expires_in="3600.5"), NO_LIFE),
    (good(expires_in=""), NO_LIFE),
    (good(expires_in=True), NO_LIFE),
    (good(expires_in=[3600]), NO_LIFE),
    (good(expires_in=0, access_token=jwt(iat=5, exp=905)), NO_LIFE),
    (b'{"access_token":"opaque-token.value","expires_in":-1e999}', NO_LIFE),
    (good(expires_in=..., expiration=1_763_712_001), NO_LIFE),
    (good(expires_in=..., expiration=0), NO_LIFE),
    (good(expires_in=..., expiration="soon"), NO_LIFE),
    (good(expires_in=..., access_token=jwt(exp=905)), NO_LIFE),
    (good(expires_in=..., access_token=jwt(iat=905)), NO_LIFE),
    (good(expires_in=..., access_token=jwt(iat=905, exp=905)), NO_LIFE),
    (good(expires_in=..., access_token=jwt(iat=905, exp=5)), NO_LIFE),
    (good(expires_in=..., access_token=jwt(iat="a", exp="b")), NO_LIFE),
    (good(expires_in=..., access_token=jwt(iat=float("inf"), exp=float("inf"))), NO_LIFE),
    (good(expires_in=..., access_token=jwt(iat=5, exp=float("nan"))), NO_LIFE),
    (good(expires_in=..., access_token="part-one.!!!!.part"), BAD),
    (good(expires_in=..., access_token="part-one.bm8.part"), NO_LIFE),
    (good(expires_in=..., access_token="part-one.A.part-two"), NO_LIFE),
    (good(expires_in=..., access_token="part-one.W10.part"), NO_LIFE),
]


@pytest.mark.parametrize(
    ("body", "message"),
    NOT_UNDERSTOOD,
    ids=[f"{n} {str(row[0])[:50]}" for n, row in enumerate(NOT_UNDERSTOOD)],
)
def test_an_answer_that_is_no_token_is_not_understood(body: object, message: str) -> None:
    assert told(answer(body)) == (AnswerNotUnderstood, message.format(status=200), CHECK)


def test_no_content_is_not_understood() -> None:
    assert told(answer(b"", 204)) == (AnswerNotUnderstood, NO_JSON.format(status=204), CHECK)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)
names = st.sampled_from(["access_token", "expires_in", "expiration", "token", "errorCode"])


@settings(deadline=None)
@given(st.dictionaries(names, json_values | st.just(VALUE)), st.sampled_from([200, 400, 500]))
def test_no_answer_does_anything_else_than_be_a_token_or_an_error(
    body: dict[str, object], status: int
) -> None:
    try:
        token = fetched(answer(body, status))
    except WxhelperError as fault:
        assert (fault.message.isprintable(), KEY in fault.message) == (True, False)  # noqa: PT017
    else:
        assert token.value == VALUE
        assert token.expires_at is not None
        assert token.expires_at <= SENT + 86_400


def test_an_answer_does_not_show_its_body() -> None:
    assert VALUE not in repr(answer(good()))
