"""Floor 4: addresses that stand for others, lives that a token tells, and second steps."""

import base64
import json
import logging
from collections.abc import Mapping
from dataclasses import replace

import pytest

from answers import NOW, OPAQUE, jwt
from wxhelper.errors import ConfigurationError, KeyRefused, WxhelperError
from wxhelper.plugin import Answer, Endpoint, KeyExchange, Secret, Settings, SourceContext, Token

KEY = "k3y+/that=opens&nothing"
OWN = "https://tokens.example.com/own/v1/path"
STEMMED = KeyExchange(
    service="S",
    url=OWN,
    body="json",
    stems=("/own", "/own/v1"),
    paths={"second.example": "/second/path"},
    switches=("deep",),
)


@pytest.mark.parametrize(
    ("url", "goes_to"),
    [
        ("https://x.example", "https://x.example/own/v1/path"),
        ("https://x.example/own", "https://x.example/own/v1/path"),
        ("https://x.example/own/", "https://x.example/own/v1/path"),
        ("https://x.example/own/v1", "https://x.example/own/v1/path"),
        ("https://x.example/own/v1/path", "https://x.example/own/v1/path"),
        ("https://x.example/own/v1/path/", "https://x.example/own/v1/path/"),
        ("https://x.example/own/v2", "https://x.example/own/v2"),
        ("https://x.example/ow", "https://x.example/ow"),
        ("https://x.example/own?deep=true", "https://x.example/own/v1/path?deep=true"),
        ("https://second.example", "https://second.example/second/path"),
        ("https://SECOND.example:8443/", "https://second.example:8443/second/path"),
        ("https://second.example/a", "https://second.example/a"),
        ("https://not-second.example", "https://not-second.example/own/v1/path"),
    ],
)
def test_where_the_key_goes_for_what_a_user_wrote(url: str, goes_to: str) -> None:
    assert STEMMED.endpoint({"url": url}).url == goes_to


class Postman:
    """A transport that notes what is posted and gives its answers one by one."""

    def __init__(self, *answers: tuple[int, object]) -> None:
        self.answers = list(answers)
        self.posted: list[Mapping[str, str]] = []

    def post(self, endpoint: Endpoint, **what: Mapping[str, str]) -> Answer:
        self.posted.append(what["form"] or what["json"])
        status, body = self.answers.pop(0)
        return Answer(status, {}, json.dumps(body).encode(), NOW)


def fetched(declared: KeyExchange, postman: Postman, key: str = KEY, **settings: str) -> Token:
    context = SourceContext(
        settings=settings,
        secret=Secret(key, "env:A"),
        transport=postman,  # type: ignore[arg-type]
        clock=lambda: NOW,
        chance=lambda: 0.5,
        logger=logging.getLogger("test"),
    )
    return declared.open(context).fetch()


@pytest.mark.parametrize("said", [{}, {"expires_in": 9}, {"expires_in": 0}, {"expiration": NOW}])
def test_a_life_of_its_own_is_the_only_one_that_counts(said: dict[str, object]) -> None:
    declared = KeyExchange(service="S", url=OWN, body="json", own_life=True)
    answer = {"access_token": jwt(iat=NOW - 5, exp=NOW + 895), **said}
    assert fetched(declared, Postman((200, answer))).expires_at == NOW + 900


def test_a_token_that_should_tell_and_does_not_is_not_understood() -> None:
    declared = KeyExchange(service="S", url=OWN, body="json", own_life=True)
    with pytest.raises(WxhelperError, match="the answer of S does not say how long the token"):
        fetched(declared, Postman((200, {"access_token": OPAQUE, "expires_in": 900})))


SECOND = KeyExchange(
    service="Second",
    url=OWN,
    body="json",
    key_field="of_first",
    fields={"as": "{role}"},
    refused="does not know {origin}",
    remedy="ask somebody",
)


def second_if_asked(settings: Settings) -> KeyExchange | None:
    return SECOND if "role" in settings else None


FIRST = KeyExchange(service="First", url=OWN, body="form", then=second_if_asked)
GOOD = (200, {"access_token": "token-no-1", "expires_in": 3600})
BETTER = (200, {"access_token": "token-no-2", "expires_in": 900})


def test_a_second_step_trades_the_first_token_for_another() -> None:
    postman = Postman(GOOD, BETTER)
    token = fetched(FIRST, postman, role="reader")
    assert (token.value, token.expires_at) == ("token-no-2", NOW + 900)
    assert postman.posted == [{"apikey": KEY}, {"as": "reader", "of_first": "token-no-1"}]


def test_the_settings_say_whether_there_is_one() -> None:
    postman = Postman(GOOD)
    assert fetched(FIRST, postman).value == "token-no-1"
    assert postman.posted == [{"apikey": KEY}]


def test_a_fault_in_choosing_the_steps_is_told_before_the_key_goes_anywhere() -> None:
    def impossible(settings: Settings) -> KeyExchange | None:
        raise ConfigurationError("no such role")

    declared = KeyExchange(service="First", url=OWN, body="form", then=impossible)
    with pytest.raises(ConfigurationError, match="no such role"):
        fetched(declared, Postman())


def test_a_refusal_of_the_second_step_is_told_in_its_words() -> None:
    with pytest.raises(KeyRefused) as caught:
        fetched(FIRST, Postman(GOOD, (403, {"message": f"no {KEY} no token-no-1"})), role="r")
    assert (caught.value.message, caught.value.remedy) == (
        "Second does not know env:A: no [redacted] no [redacted]",
        "ask somebody",
    )


@pytest.mark.parametrize(
    ("status", "hinted"), [(400, True), (401, True), (404, True), (500, False)]
)
def test_a_hint_stands_in_place_of_the_remedy_where_the_key_may_be_the_reason(
    status: int, hinted: bool
) -> None:
    looks = base64.b64encode(b"k2:somebody").decode()
    with pytest.raises(WxhelperError) as caught:
        fetched(replace(FIRST, key_forms={"ibmcloud": ""}), Postman((status, {})), key=looks)
    assert (caught.value.remedy == _HINT) is hinted


def test_a_source_that_names_no_forms_of_keys_is_given_no_hint() -> None:
    looks = base64.b64encode(b"k2:somebody").decode()
    with pytest.raises(KeyRefused) as caught:
        fetched(FIRST, Postman((401, {})), key=looks)
    assert "looks like" not in caught.value.remedy


_HINT = "it looks like a key of the IBM SaaS platform: use source aws or govcloud"
