"""Token source ``ibmcloud``, against the sandbox's IAM."""

import base64
import json
import logging
import urllib.parse
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from wxhelper.plugin import (
    API,
    KeyRefused,
    Secret,
    ServiceFailed,
    SourceContext,
    Throttled,
    Token,
    TokenSourceType,
    Transport,
    WxhelperError,
)
from wxhelper.sandbox import Fault, Sandbox
from wxhelper.sandbox.service import Identity
from wxhelper_ibmcloud import wxhelper_api, wxhelper_token_sources

NOW = 1_763_712_000.0
ODD_KEY = "k+e&y = %ü;/?#[]@:'\"end"
REMEDY = (
    "replace it: wxhelper login {profile}; "
    "if the key was mended instead, run: wxhelper invalidate {profile}"
)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(str(tmp_path), tls=False, clock=lambda: NOW) as running:
        yield running
        assert running.defects == ()


@pytest.fixture
def kind() -> TokenSourceType:
    return next(kind for kind in wxhelper_token_sources() if kind.name == "ibmcloud")


def fetched(kind: TokenSourceType, box: Sandbox, key: str = "", **settings: str) -> Token:
    given = {"url": box.http_url, **settings}
    source = kind.open(
        SourceContext(
            settings=given,
            secret=Secret(key or box.api_key, "file:/home/me/key"),
            transport=Transport(kind.token_hosts(given), environ={}, clock=lambda: NOW),
            clock=lambda: NOW,
            chance=lambda: 0.5,
            logger=logging.getLogger("test"),
        )
    )
    return source.fetch()


def told(kind: TokenSourceType, box: Sandbox, key: str = "") -> tuple[type, str, str]:
    with pytest.raises(WxhelperError) as caught:
        fetched(kind, box, key)
    return type(caught.value), caught.value.message, caught.value.remedy


# ------------------------------------------------------------------------------------- offer


def test_the_plugin_is_written_for_this_api() -> None:
    assert wxhelper_api == API


def test_the_entry_point_has_the_name_of_the_source(kind: TokenSourceType) -> None:
    points = entry_points(group="wxhelper", name=kind.name)
    assert {point.value for point in points} == {"wxhelper_ibmcloud"}
    assert kind.name == "ibmcloud"


def test_the_key_is_looked_for_where_people_keep_it(kind: TokenSourceType) -> None:
    assert kind.api_key_variables == (
        "IBMCLOUD_API_KEY",
        "IBM_CLOUD_API_KEY",
        "IC_API_KEY",
        "WATSONX_APIKEY",
        "WATSONX_API_KEY",
        "BM_API_KEY",
        "BLUEMIX_API_KEY",
        "WX_API_KEY",
        "WATSONX_AI_APIKEY",
        "WXAI_API_KEY",
        "WXG_API_KEY",
        "IBM_API_KEY_ID",
    )


def test_it_needs_no_setting(kind: TokenSourceType) -> None:
    assert [setting for setting in kind.settings if setting.required] == []
    assert kind.token_hosts({}) == {"iam.cloud.ibm.com:443"}


# ------------------------------------------------------------------------------- the request


def test_the_request_on_the_wire(kind: TokenSourceType, box: Sandbox) -> None:
    fetched(kind, box)
    (request,) = box.requests
    assert (request.method, request.path, request.query) == ("POST", "/identity/token", "")
    assert request.headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert request.headers["Accept"] == "application/json"
    assert "Authorization" not in request.headers
    assert urllib.parse.parse_qs(request.body.decode("ascii"), strict_parsing=True) == {
        "grant_type": ["urn:ibm:params:oauth:grant-type:apikey"],
        "response_type": ["cloud_iam"],
        "apikey": [box.api_key],
    }


@pytest.mark.parametrize(
    "key", [ODD_KEY, "a+b", "a&b=c", "100%", "%2B", "ü", " key ", "a\nb", "日本"]
)
def test_every_character_of_the_key_arrives(kind: TokenSourceType, box: Sandbox, key: str) -> None:
    box.keys[key] = Identity("me@example.com")
    assert fetched(kind, box, key).scheme == "Bearer"
    form = dict(urllib.parse.parse_qsl(box.requests[0].body.decode("ascii")))
    assert form["apikey"] == key


@pytest.mark.parametrize("path", ["", "/", "/identity/token"])
def test_the_url_may_have_its_path_or_not(kind: TokenSourceType, box: Sandbox, path: str) -> None:
    fetched(kind, box, url=f"{box.http_url}{path}")
    assert [request.path for request in box.requests] == ["/identity/token"]


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://private.iam.cloud.ibm.com", "private.iam.cloud.ibm.com:443"),
        ("https://iam.test.cloud.ibm.com/identity/token", "iam.test.cloud.ibm.com:443"),
        ("https://gateway.example.com:8443/iam", "gateway.example.com:8443"),
    ],
)
def test_the_key_goes_to_the_host_of_the_url_alone(
    kind: TokenSourceType, url: str, host: str
) -> None:
    assert kind.token_hosts({"url": url}) == {host}


# --------------------------------------------------------------------------------- the token


@pytest.mark.parametrize(
    "identity",
    [Identity("me@example.com"), Identity("ServiceId-1234", "service-id")],
    ids=["user", "service ID"],
)
@pytest.mark.parametrize("life", [3600, 900])
def test_a_key_becomes_a_token(
    kind: TokenSourceType, box: Sandbox, identity: Identity, life: int
) -> None:
    box.keys["another-key"] = identity
    box.lifetime = life
    token = fetched(kind, box, "another-key")
    grant = box.issuer.grant(token.value)
    assert grant is not None
    assert grant.subject == identity.subject
    assert (token.scheme, token.minted_at, token.expires_at) == ("Bearer", NOW, int(NOW + life))
    assert token.refresh_at == int(NOW + 0.8 * life)


# -------------------------------------------------------------------------------- the errors


def test_a_key_that_iam_does_not_know(kind: TokenSourceType, box: Sandbox) -> None:
    assert told(kind, box, "no-such-key") == (
        KeyRefused,
        (
            "IBM Cloud IAM refused the API key from file:/home/me/key: "
            "BXNIM0415E Provided API key could not be found"
        ),
        REMEDY,
    )
    assert len(box.requests) == 1


@pytest.mark.parametrize(
    ("status", "body", "kind_of_error", "message"),
    [
        (
            400,
            {"errorCode": "BXNIM0462E", "errorMessage": "The API key is disabled."},
            KeyRefused,
            (
                "IBM Cloud IAM refused the API key from file:/home/me/key: "
                "BXNIM0462E The API key is disabled"
            ),
        ),
        (
            400,
            {
                "errorCode": "BXNIM0109E",
                "errorMessage": "Property missing or empty.",
                "errorDetails": "Property 'apikey' either missing or empty.",
                "context": {"requestId": "r", "clientIp": "192.0.2.7", "host": "node-7"},
            },
            KeyRefused,
            (
                "IBM Cloud IAM refused the API key from file:/home/me/key: "
                "BXNIM0109E Property missing or empty"
            ),
        ),
        (
            403,
            {"errorCode": "BXNIM0513E", "errorMessage": "You are not authorized."},
            KeyRefused,
            (
                "IBM Cloud IAM refused the API key from file:/home/me/key: "
                "BXNIM0513E You are not authorized"
            ),
        ),
        (
            429,
            {"errorCode": "BXNIM0099E", "errorMessage": "Slow down."},
            Throttled,
            "IBM Cloud IAM asks to be left alone for a while (HTTP 429)",
        ),
        (
            500,
            {"errorCode": "BXNIM0001E", "errorMessage": "Internal."},
            ServiceFailed,
            "IBM Cloud IAM failed with HTTP 500: BXNIM0001E Internal",
        ),
    ],
)
def test_what_iam_says_is_told_and_where_it_runs_is_not(
    kind: TokenSourceType,
    box: Sandbox,
    status: int,
    body: dict[str, object],
    kind_of_error: type,
    message: str,
) -> None:
    box.faults.add(Fault(match="iam", status=status, body=json.dumps(body).encode()))
    assert told(kind, box)[:2] == (kind_of_error, message)


@pytest.mark.parametrize(
    ("key", "remedy"),
    [
        (
            base64.b64encode(b"k2:somebody").decode(),
            "it looks like a key of the IBM SaaS platform: use source aws or govcloud",
        ),
        (
            base64.b64encode(b"me:" + b"k" * 40).decode(),
            "it looks like a ZenApiKey value, username:key in base64: use source dph",
        ),
        (
            "cpd-apikey-me@example.com-2026-01-01T00:00:00Z",
            "it looks like the name of a key: put the key itself there",
        ),
        (
            "ApiKey-28ab6850-2582-4fea-aa02-3e8961aa7fc9",
            "it looks like the ID of a key: put the key itself there",
        ),
        ("x" * 44, REMEDY),
        ("no-such-key", REMEDY),
    ],
)
def test_a_key_that_looks_like_something_else_is_told_when_it_is_refused(
    kind: TokenSourceType, box: Sandbox, key: str, remedy: str
) -> None:
    assert told(kind, box, key)[2] == remedy
    assert len(box.requests) == 1


def test_a_key_that_comes_back_is_not_told(kind: TokenSourceType, box: Sandbox) -> None:
    said = json.dumps({"errorCode": "E", "errorMessage": f"bad key {ODD_KEY}"})
    box.faults.add(Fault(match="iam", status=400, body=said.encode()))
    message = told(kind, box, ODD_KEY)[1]
    assert message.endswith(": E bad key [redacted]")


# ------------------------------------------------------------------------------- the audience


def test_the_audience_is_what_ibm_runs_for_watsonx(kind: TokenSourceType) -> None:
    audience = kind.audience({})
    assert {
        "us-south.ml.cloud.ibm.com",
        "private.us-south.ml.cloud.ibm.com",
        "eu-de.ml.cloud.ibm.com",
        "api.dataplatform.cloud.ibm.com",
        "api.aiopenscale.cloud.ibm.com",
    } <= audience
    watsonx = audience - kind.registries({})
    assert all(host == host.lower() and host.endswith(".cloud.ibm.com") for host in watsonx)
    assert not [host for host in audience if ":" in host or "/" in host]


def test_nobody_else_can_run_a_host_of_the_audience(kind: TokenSourceType) -> None:
    for host in kind.audience({}) - kind.registries({}):
        fixed = host.removeprefix("*.")
        assert "*" not in fixed
        assert "codeengine" not in host
        assert "appdomain" not in host
        assert fixed.count(".") >= 3, f"{host} is a blanket domain"


def test_the_registries_are_ibms_own_and_not_that_of_entitled_software(
    kind: TokenSourceType,
) -> None:
    registries = kind.registries({})
    assert registries <= kind.audience({})
    assert {"icr.io", "us.icr.io", "private.us.icr.io", "private-us.icr.io"} <= registries
    assert all(host == "icr.io" or host.endswith(".icr.io") for host in registries)
    assert not [host for host in registries if "*" in host or host.startswith("cp.")]


def test_the_token_service_is_no_audience(kind: TokenSourceType) -> None:
    assert not [host for host in kind.audience({}) if "iam" in host]


def test_the_base_urls_belong_to_the_audience(kind: TokenSourceType) -> None:
    urls = [url for of_one in kind.services.values() for url in of_one.values()]
    assert {url.removeprefix("https://") for url in urls} < kind.audience({})
    assert kind.services["watsonx.ai"]["eu-de"] == "https://eu-de.ml.cloud.ibm.com"


def test_a_url_changes_nothing_about_the_audience(kind: TokenSourceType) -> None:
    assert kind.audience({"url": "https://gateway.example.com"}) == kind.audience({})


def test_asking_what_there_is_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("connected"))
    monkeypatch.setattr("builtins.open", lambda *_, **__: pytest.fail("opened"))
    first, second = (list(wxhelper_token_sources()) for _ in range(2))
    assert first == second
