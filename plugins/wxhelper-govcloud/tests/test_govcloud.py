"""Token source ``govcloud``, against the sandbox's SaaS platform."""

import json
import logging
from collections.abc import Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from wxhelper.plugin import (
    API,
    EndpointRefused,
    KeyRefused,
    Secret,
    SourceContext,
    Token,
    TokenSourceType,
    Transport,
)
from wxhelper.sandbox import Sandbox
from wxhelper_govcloud import wxhelper_api, wxhelper_token_sources

NOW = 1_763_712_000.0


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(str(tmp_path), tls=False, clock=lambda: NOW) as running:
        yield running
        assert running.defects == ()


@pytest.fixture
def kind() -> TokenSourceType:
    (only,) = wxhelper_token_sources()
    return only


def fetched(kind: TokenSourceType, box: Sandbox, key: str = "") -> Token:
    given = {"url": box.http_url}
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


def test_the_plugin_is_written_for_this_api() -> None:
    assert wxhelper_api == API


def test_the_entry_point_has_the_name_of_the_source(kind: TokenSourceType) -> None:
    points = entry_points(group="wxhelper", name=kind.name)
    assert {point.value for point in points} == {"wxhelper_govcloud"}
    assert kind.name == "govcloud"


def test_it_needs_no_setting(kind: TokenSourceType) -> None:
    assert kind.settings == ()
    assert kind.token_hosts({}) == {"dai.ibmforusgov.com:443"}


def test_the_request_on_the_wire(kind: TokenSourceType, box: Sandbox) -> None:
    token = fetched(kind, box)
    (request,) = box.requests
    assert (request.method, request.query) == ("POST", "")
    assert request.path == "/api/rest/mcsp/apikeys/token"
    assert request.headers["Content-Type"] == "application/json"
    assert "Authorization" not in request.headers
    assert json.loads(request.body) == {"apikey": box.mcsp_key}
    assert (token.scheme, token.expires_at) == ("Bearer", int(NOW + box.lifetime))


def test_a_key_that_is_refused(kind: TokenSourceType, box: Sandbox) -> None:
    with pytest.raises(KeyRefused) as caught:
        fetched(kind, box, "no-such-key")
    assert caught.value.message == (
        "IBM watsonx in GovCloud refused the API key from file:/home/me/key: "
        "BXNIM0415E Provided API key could not be found"
    )


def test_the_slash_too_many_of_the_documents(kind: TokenSourceType) -> None:
    slip = "https:///dai.ibmforusgov.com/api/rest/mcsp/apikeys/token"
    with pytest.raises(EndpointRefused) as caught:
        kind.token_hosts({"url": slip})
    assert (caught.value.message, caught.value.remedy) == (
        f"url has three slashes and so no host: {slip}",
        "write it as https://dai.ibmforusgov.com/api/rest/mcsp/apikeys/token",
    )
    meant = caught.value.remedy.removeprefix("write it as ")
    assert kind.token_hosts({"url": meant}) == kind.token_hosts({})


def test_the_audience_is_named_host_by_host(kind: TokenSourceType) -> None:
    assert kind.audience({}) == kind.audience({"url": "https://gateway.example.com"})
    assert kind.audience({}) == {
        "wxai.ibmforusgov.com",
        "api.dai.ibmforusgov.com",
        "private.internal.wxai.ibmforusgov.com",
        "internal.api.dai.ibmforusgov.com",
    }


def test_the_base_urls_belong_to_the_audience(kind: TokenSourceType) -> None:
    hosts = {
        url.removeprefix("https://") for urls in kind.services.values() for url in urls.values()
    }
    assert hosts < kind.audience({})
