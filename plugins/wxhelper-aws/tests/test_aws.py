"""Token source ``aws``, against the sandbox's SaaS platform."""

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
    EndpointRefused,
    KeyRefused,
    Secret,
    SourceContext,
    Token,
    TokenSourceType,
    Transport,
    WxhelperError,
)
from wxhelper.sandbox import Sandbox
from wxhelper_aws import wxhelper_api, wxhelper_token_sources

NOW = 1_763_712_000.0
V1_URL = "https://iam.platform.saas.ibm.com/siusermgr/api/1.0/apikeys/token"
V2_URL = "https://account-iam.platform.saas.ibm.com/api/2.0/apikeys/token"


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(str(tmp_path), tls=False, clock=lambda: NOW) as running:
        yield running
        assert running.defects == ()


@pytest.fixture
def kind() -> TokenSourceType:
    (only,) = wxhelper_token_sources()
    return only


def fetched(kind: TokenSourceType, box: Sandbox, key: str = "", path: str = "") -> Token:
    given = {"url": box.http_url + path}
    source = kind.open(
        SourceContext(
            settings=given,
            secret=Secret(key or box.mcsp_key, "file:/home/me/key"),
            transport=Transport(kind.token_hosts(given), environ={}, clock=lambda: NOW),
            clock=lambda: NOW,
            chance=lambda: 0.5,
            logger=logging.getLogger("test"),
        )
    )
    return source.fetch()


def refused(kind: TokenSourceType, box: Sandbox, key: str, path: str = "") -> str:
    """The remedy."""
    with pytest.raises(WxhelperError) as caught:
        fetched(kind, box, key, path)
    assert type(caught.value) is KeyRefused
    assert caught.value.message == (
        "IBM watsonx on AWS refused the API key from file:/home/me/key: "
        "BXNIM0415E Provided API key could not be found"
    )
    return caught.value.remedy


# ------------------------------------------------------------------------------------- offer


def test_the_plugin_is_written_for_this_api() -> None:
    assert wxhelper_api == API


def test_the_entry_point_has_the_name_of_the_source(kind: TokenSourceType) -> None:
    points = entry_points(group="wxhelper", name=kind.name)
    assert {point.value for point in points} == {"wxhelper_aws"}
    assert kind.name == "aws"


def test_the_key_goes_to_the_region_of_the_profile(kind: TokenSourceType) -> None:
    assert kind.token_hosts({"region": "ap-south-1"}) == {"ap-south-1.aws.data.ibm.com:443"}


# ------------------------------------------------------------------------------- the request


@pytest.mark.parametrize("key", ["", "a&b=c %+\"'\\é"], ids=["usual", "odd"])
def test_the_request_on_the_wire(kind: TokenSourceType, box: Sandbox, key: str) -> None:
    try:
        fetched(kind, box, key)
    except KeyRefused:
        assert key
    (request,) = box.requests
    assert (request.method, request.query) == ("POST", "")
    assert request.path == "/api/rest/mcsp/apikeys/token"
    assert request.headers["Content-Type"] == "application/json"
    assert "Authorization" not in request.headers
    assert json.loads(request.body) == {"apikey": key or box.mcsp_key}


@pytest.mark.parametrize(
    "path",
    [
        "/api/2.0/apikeys/token",
        "/api/2.0/accounts/a-1/apikeys/token",
        "/api/2.0/subscriptions/s-1/apikeys/token?includeRoles=true",
        (
            "/api/2.0/services/s-1/apikeys/token?includeBuiltinActions=false&includeCustomActions="
            "false&includeRoles=true&prefixRolesWithDefinitionScope=false"
        ),
    ],
)
def test_another_address_of_the_platform(kind: TokenSourceType, box: Sandbox, path: str) -> None:
    token = fetched(kind, box, path=path)
    assert (token.scheme, token.expires_at) == ("Bearer", int(NOW + box.lifetime))
    (request,) = box.requests
    assert (request.path, request.query) == (path.partition("?")[0], path.partition("?")[2])


def test_a_key_of_version_1(kind: TokenSourceType, box: Sandbox) -> None:
    token = fetched(kind, box, box.mcsp_v1_key, "/siusermgr/api/1.0/apikeys/token")
    assert token.expires_at == int(NOW + box.lifetime)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://account-iam.platform.saas.ibm.com", V2_URL),
        ("https://account-iam.platform.saas.ibm.com/", V2_URL),
        ("https://iam.platform.saas.ibm.com", V1_URL),
        (V1_URL, V1_URL),
        (V2_URL, V2_URL),
    ],
)
def test_a_host_of_the_platform_has_its_own_path(
    kind: TokenSourceType, url: str, origin: str
) -> None:
    asked: list[str] = []

    class Post:
        def post(self, endpoint: object, **_: object) -> object:
            asked.append(endpoint.url)  # type: ignore[attr-defined]
            raise KeyRefused("enough")

    context = SourceContext(
        settings={"url": url},
        secret=Secret("k", "env:A"),
        transport=Post(),  # type: ignore[arg-type]
        clock=lambda: NOW,
        chance=lambda: 0.5,
        logger=logging.getLogger("test"),
    )
    with pytest.raises(KeyRefused, match="enough"):
        kind.open(context).fetch()
    assert asked == [origin]


def test_a_query_that_is_no_switch_is_refused(kind: TokenSourceType) -> None:
    with pytest.raises(EndpointRefused, match="must not have a query"):
        kind.token_hosts({"url": f"{V2_URL}?apikey=secret"})


@pytest.mark.parametrize("region", ["", "us_east", "evil.example/"])
def test_a_region_cannot_bring_a_host_of_its_own(kind: TokenSourceType, region: str) -> None:
    with pytest.raises(ConfigurationError):
        kind.token_hosts({"region": region})


# ------------------------------------------------------------------------------ keys of others


def test_a_key_of_version_1_at_an_address_of_version_2(kind: TokenSourceType, box: Sandbox) -> None:
    assert refused(kind, box, box.mcsp_v1_key) == (
        f'it looks like a key of version 1: write url = "{V1_URL}"'
    )


def test_a_key_of_version_2_at_an_address_of_version_1(kind: TokenSourceType, box: Sandbox) -> None:
    assert refused(kind, box, box.mcsp_key, "/siusermgr/api/1.0/apikeys/token") == (
        f'it looks like a key of version 2: write url = "{V2_URL}"'
    )


def test_a_key_of_another_source(kind: TokenSourceType, box: Sandbox) -> None:
    assert refused(kind, box, "Ab_-" * 11) == (
        "it looks like a key of IBM Cloud: use source ibmcloud"
    )
    assert refused(kind, box, base64.b64encode(b"me:" + b"k" * 20).decode()) == (
        "it looks like a ZenApiKey value, username:key in base64: use source dph"
    )


@pytest.mark.parametrize("key", ["no-such-key", base64.b64encode(b"k2:nobody").decode()])
def test_a_key_that_is_only_wrong(kind: TokenSourceType, box: Sandbox, key: str) -> None:
    assert refused(kind, box, key).startswith("replace it: wxhelper login {profile}; ")


# ------------------------------------------------------------------------------- the audience


@pytest.mark.parametrize(
    "settings",
    [
        {"region": "us-east-1"},
        {"url": "https://us-east-1.aws.data.ibm.com"},
        {"url": "https://us-east-1.aws.data.ibm.com/api/rest/mcsp/apikeys/token"},
        {"url": "https://gateway.example.com", "region": "us-east-1"},
    ],
)
def test_the_audience_is_that_of_the_region(
    kind: TokenSourceType, settings: dict[str, str]
) -> None:
    assert kind.audience(settings) == {
        "us-east-1.aws.wxai.ibm.com",
        "private.us-east-1.aws.wxai.ibm.com",
        "us-east-1.aws.data.ibm.com",
        "api.us-east-1.aws.data.ibm.com",
        "api.dl.watson-orchestrate.ibm.com",
    }


def test_a_region_that_is_new_has_its_hosts(kind: TokenSourceType) -> None:
    assert "xx-north-9.aws.wxai.ibm.com" in kind.audience({"region": "xx-north-9"})


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"url": "https://account-iam.platform.saas.ibm.com"},
        {"url": "https://us-east-1.aws.data.ibm.com.evil.example"},
    ],
)
def test_without_a_region_it_is_that_of_all_that_are_known(
    kind: TokenSourceType, settings: dict[str, str]
) -> None:
    audience = kind.audience(settings)
    assert {"us-east-1.aws.wxai.ibm.com", "ap-south-1.aws.wxai.ibm.com"} < audience
    assert "api.eu-central-1.dl.watson-orchestrate.ibm.com" in audience
    assert len(audience) == 11
    assert not [host for host in audience if "*" in host or not host.endswith(".ibm.com")]


def test_the_base_urls_belong_to_the_audience(kind: TokenSourceType) -> None:
    hosts = {
        url.removeprefix("https://") for urls in kind.services.values() for url in urls.values()
    }
    assert hosts < kind.audience({})
