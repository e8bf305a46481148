"""Token source ``dph``, against the sandbox's Cloud Pak for Data."""

import base64
import json
import logging
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from wxhelper.plugin import (
    API,
    ConfigurationError,
    KeyRefused,
    KeyUnavailable,
    Secret,
    SourceContext,
    Token,
    TokenSourceType,
    Transport,
    WxhelperError,
)
from wxhelper.sandbox import Sandbox
from wxhelper.sandbox.sandbox import USERNAME
from wxhelper_dph import wxhelper_api, wxhelper_token_sources

NOW = 1_763_712_000.0
ORIGIN = "file:/home/me/key"
OURS = {"mode": "zenapikey", "username": "me@example.com"}


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(str(tmp_path), tls=False, clock=lambda: NOW) as running:
        yield running
        assert running.defects == ()
        assert "cloudpak-keys" not in {request.service for request in running.requests}


@pytest.fixture
def kind() -> TokenSourceType:
    (only,) = wxhelper_token_sources()
    return only


def fetched(kind: TokenSourceType, key: str, **settings: str) -> Token:
    given = {"mode": "bearer", **settings}
    source = kind.open(
        SourceContext(
            settings=given,
            secret=Secret(key, ORIGIN),
            transport=Transport(kind.token_hosts(given), environ={}, clock=lambda: NOW),
            clock=lambda: NOW,
            chance=lambda: 0.5,
            logger=logging.getLogger("test"),
        )
    )
    return source.fetch()


def told(kind: TokenSourceType, key: str, **settings: str) -> tuple[type, str, str]:
    with pytest.raises(WxhelperError) as caught:
        fetched(kind, key, **settings)
    return type(caught.value), caught.value.message, caught.value.remedy


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


# ------------------------------------------------------------------------------------- offer


def test_the_plugin_is_written_for_this_api() -> None:
    assert wxhelper_api == API


def test_the_entry_point_has_the_name_of_the_source(kind: TokenSourceType) -> None:
    points = entry_points(group="wxhelper", name=kind.name)
    assert {point.value for point in points} == {"wxhelper_dph"}
    assert kind.name == "dph"


def test_it_gives_tokens_that_expire_unless_it_is_told_otherwise(kind: TokenSourceType) -> None:
    assert {s.name: s.default for s in kind.settings} == {
        "url": None,
        "username": None,
        "mode": "bearer",
    }


# ------------------------------------------------------------------------------------- bearer


def test_the_request_on_the_wire(kind: TokenSourceType, box: Sandbox) -> None:
    token = fetched(kind, box.member.api_key, url=box.http_url, username=USERNAME)
    (request,) = box.requests
    assert (request.method, request.path, request.query) == (
        "POST",
        "/icp4d-api/v1/authorize",
        "",
    )
    assert request.headers["Content-Type"] == "application/json"
    assert "Authorization" not in request.headers
    assert json.loads(request.body) == {"username": USERNAME, "api_key": box.member.api_key}
    grant = box.issuer.grant(token.value)
    assert grant is not None
    assert grant.subject == USERNAME


@pytest.mark.parametrize("life", [360, 3600, 43_200], ids=["6 minutes", "an hour", "12 hours"])
def test_the_token_tells_how_long_it_lives(kind: TokenSourceType, box: Sandbox, life: int) -> None:
    box.lifetime = life
    token = fetched(kind, box.member.api_key, url=box.http_url, username=USERNAME)
    assert (token.scheme, token.expires_at) == ("Bearer", int(NOW + life))
    assert token.refresh_at == int(NOW + 0.8 * life)


@pytest.mark.parametrize(
    "path",
    ["", "/", "/zen", "/zen/", "/icp4d-api", "/icp4d-api/", "/icp4d-api/v1",
     "/icp4d-api/v1/authorize", "/icp4d-api/v1/authorize/"],
)  # fmt: skip
def test_the_url_is_what_people_have_at_hand(
    kind: TokenSourceType, box: Sandbox, path: str
) -> None:
    fetched(kind, box.member.api_key, url=box.http_url + path, username=USERNAME)
    assert [request.path for request in box.requests] == ["/icp4d-api/v1/authorize"]


def test_another_path_is_used_as_it_is(kind: TokenSourceType, box: Sandbox) -> None:
    told(kind, box.member.api_key, url=f"{box.http_url}/gateway", username=USERNAME)
    assert [request.path for request in box.requests] == ["/gateway"]


def test_a_key_that_is_refused(kind: TokenSourceType, box: Sandbox) -> None:
    kind_of_error, message, remedy = told(kind, "wrong", url=box.http_url, username=USERNAME)
    assert (kind_of_error, message) == (
        KeyRefused,
        (
            f"Cloud Pak for Data refused the API key from {ORIGIN}: "
            "User unauthorized to invoke this endpoint"
        ),
    )
    assert remedy.startswith("replace it: wxhelper login {profile}; ")


def test_a_key_of_another_source_is_told(kind: TokenSourceType, box: Sandbox) -> None:
    settings = {"url": box.http_url, "username": USERNAME}
    assert told(kind, box.mcsp_key, **settings)[2] == (
        "it looks like a key of the IBM SaaS platform: use source aws or govcloud"
    )


@pytest.mark.parametrize("mode", ["bearer", "zenapikey"])
def test_without_a_user_name_nothing_is_sent(
    kind: TokenSourceType, box: Sandbox, mode: str
) -> None:
    assert told(kind, "a-key-of-somebody", url=box.http_url, mode=mode) == (
        ConfigurationError,
        "the setting username is missing",
        "write it into the profile, or export WXHELPER_USERNAME",
    )
    assert len(box.requests) == 0


def test_without_a_url_there_is_nobody_to_ask(kind: TokenSourceType) -> None:
    with pytest.raises(ConfigurationError, match="the setting url is missing"):
        kind.token_hosts({"mode": "bearer", "username": "me"})


# ---------------------------------------------------------------------------------- zenapikey


@pytest.mark.parametrize(
    ("username", "key"),
    [
        ("me", "k3y"),
        ("me@example.com", "k" * 40),
        ("müller", "k3y-é"),
        ("me", "k3y:with:colons"),
        ("a name", " k3y "),
        ("me", "k" * 200),
        ("me", "?>?>~~ü/+"),
    ],
    ids=["short", "usual", "unicode", "colons", "spaces", "long", "both odd letters"],
)
def test_the_value_is_name_and_key_in_base64(
    kind: TokenSourceType, username: str, key: str
) -> None:
    token = fetched(kind, key, mode="zenapikey", username=username)
    assert base64.b64decode(token.value, validate=True).decode() == f"{username}:{key}"
    assert token.value == encoded(f"{username}:{key}")
    assert (token.scheme, token.refresh_at, token.expires_at) == ("ZenApiKey", None, None)


def test_the_value_opens_what_it_should(kind: TokenSourceType, box: Sandbox) -> None:
    token = fetched(kind, box.member.api_key, mode="zenapikey", username=USERNAME)
    assert token.value == encoded(f"{USERNAME}:{box.member.api_key}")
    assert len(box.requests) == 0


def test_nobody_may_be_sent_anything(kind: TokenSourceType) -> None:
    assert kind.token_hosts({**OURS, "url": "https://cpd.example.com"}) == frozenset()


@pytest.mark.parametrize("username", ["a:b", ":", "a\nb", "a\x00b", "\udcff"])
def test_a_name_that_cannot_be(kind: TokenSourceType, username: str) -> None:
    assert told(kind, "a-key", mode="zenapikey", username=username) == (
        ConfigurationError,
        "the setting username holds a colon or an unprintable character",
        "write the name that you log in with",
    )


@pytest.mark.parametrize(
    ("key", "why"),
    [
        ("crn:v1:bluemix:public:x::a/1:::", "it looks like a CRN, which names a resource"),
        ("eyJhbGciOiJSUzI1NiJ9.e30.c2ln",
         "it looks like a token, and a key is what tokens are made from"),
        ("cpd-apikey-me@example.com-2026-01-01", "it looks like the name of a key"),
    ],
)  # fmt: skip
def test_what_can_be_no_key_is_told_since_nobody_else_will(
    kind: TokenSourceType, key: str, why: str
) -> None:
    assert told(kind, key, **OURS) == (
        KeyUnavailable,
        f"{ORIGIN} holds no API key: {why}",
        "put the key itself there",
    )


@pytest.mark.parametrize(("username", "key"), [("a", "bcd"), ("me", "k" * 12_288)])
def test_a_key_of_no_possible_length(kind: TokenSourceType, username: str, key: str) -> None:
    assert told(kind, key, mode="zenapikey", username=username) == (
        KeyUnavailable,
        f"{ORIGIN} holds {len(key)} characters, which cannot be an API key",
        "put the key itself there",
    )


# -------------------------------------------------------------- a value that is encoded already

PAIR = "somebody@example.com:" + "k" * 40
WRAPPED = {
    "as it is": encoded(PAIR),
    "by echo and base64": encoded(f"{PAIR}\n"),
    "wrapped": base64.encodebytes(PAIR.encode()).decode(),
    "without padding": encoded(PAIR).rstrip("="),
    "with its scheme": f"ZenApiKey {encoded(PAIR)}",
}


@pytest.mark.parametrize("value", WRAPPED.values(), ids=WRAPPED)
@pytest.mark.parametrize("named", [{}, {"username": "somebody@example.com"}], ids=["", "named"])
def test_an_encoded_value_brings_its_name(
    kind: TokenSourceType, value: str, named: dict[str, str]
) -> None:
    assert fetched(kind, value, mode="zenapikey", **named).value == encoded(PAIR)


def test_an_encoded_value_is_not_encoded_twice(kind: TokenSourceType) -> None:
    value = encoded("a name: with a colon")
    assert fetched(kind, value, mode="zenapikey", username="a name").value == value


def test_no_representation_shows_the_value(kind: TokenSourceType) -> None:
    given = {"mode": "zenapikey", "username": "me@example.com"}
    source = kind.open(
        SourceContext(
            settings=given,
            secret=Secret("k" * 40, ORIGIN),
            transport=Transport(kind.token_hosts(given), environ={}),
            clock=lambda: NOW,
            chance=lambda: 0.5,
            logger=logging.getLogger("test"),
        )
    )
    value = source.fetch().value
    assert value not in repr(source) + str(source) + repr(source.fetch())


def test_an_encoded_value_serves_the_other_mode(kind: TokenSourceType, box: Sandbox) -> None:
    fetched(kind, encoded(f"{USERNAME}:{box.member.api_key}"), url=box.http_url)
    (request,) = box.requests
    assert json.loads(request.body) == {"username": USERNAME, "api_key": box.member.api_key}


def test_an_encoded_value_of_somebody_else(kind: TokenSourceType) -> None:
    assert told(kind, encoded(PAIR), **OURS) == (
        ConfigurationError,
        f"{ORIGIN} holds a ZenApiKey value of another user than username",
        "remove username from the profile, or put this user's key there",
    )


# -------------------------------------------------------------------------------- the audience


@pytest.mark.parametrize("mode", ["bearer", "zenapikey"])
@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://cpd.example.com", "cpd.example.com:443"),
        ("https://CPD.example.com/icp4d-api", "cpd.example.com:443"),
        ("https://cpd.example.com:31843/zen/", "cpd.example.com:31843"),
    ],
)
def test_the_audience_is_the_one_host_that_is_configured(
    kind: TokenSourceType, mode: str, url: str, host: str
) -> None:
    assert kind.audience({"mode": mode, "url": url}) == {host}


def test_there_is_no_audience_for_everybody(kind: TokenSourceType) -> None:
    with pytest.raises(ConfigurationError, match="the setting url is missing"):
        kind.audience({**OURS, "mode": "bearer"})


def test_a_value_that_nobody_makes_needs_no_address_and_is_for_nobody(
    kind: TokenSourceType,
) -> None:
    assert kind.audience({"mode": "zenapikey"}) == frozenset()


# --------------------------------------------------------------------------------------- TLS


def test_a_certificate_authority_of_ones_own(kind: TokenSourceType, tmp_path: Path) -> None:
    with Sandbox(str(tmp_path)) as box:
        if box.https_url is None:
            pytest.skip(box.tls_skipped)
        settings = {"mode": "bearer", "url": box.https_url, "username": USERNAME}
        for ca_file in (None, box.ca_file):
            transport = Transport(kind.token_hosts(settings), ca_file=ca_file, environ={})
            context = SourceContext(
                settings=settings,
                secret=Secret(box.member.api_key, ORIGIN),
                transport=transport,
                clock=lambda: NOW,
                chance=lambda: 0.5,
                logger=logging.getLogger("test"),
            )
            if ca_file is None:
                with pytest.raises(WxhelperError, match=r"the certificate of .+ was not accepted"):
                    kind.open(context).fetch()
            else:
                assert kind.open(context).fetch().scheme == "Bearer"
