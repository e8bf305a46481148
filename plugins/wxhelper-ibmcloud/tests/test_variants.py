"""IBM Cloud's own variants: trusted profiles, and ID tokens for its Kubernetes service."""

import json
import logging
import urllib.parse
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from wxhelper.plugin import (
    ConfigurationError,
    KeyRefused,
    Secret,
    ServiceFailed,
    SourceContext,
    Throttled,
    Token,
    TokenSourceType,
    Transport,
    Unreachable,
    WxhelperError,
)
from wxhelper.sandbox import Fault, Sandbox
from wxhelper_ibmcloud import wxhelper_token_sources

NOW = 1_763_712_000.0
ORIGIN = "file:/home/me/key"
GRANT = "urn:ibm:params:oauth:grant-type:"
STEP = "IBM Cloud IAM (trusted profile)"

Name = Callable[[Sandbox], dict[str, str]]


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Sandbox]:
    with Sandbox(str(tmp_path), tls=False, clock=lambda: NOW) as running:
        yield running
        assert running.defects == ()


def kind_of(name: str) -> TokenSourceType:
    return next(kind for kind in wxhelper_token_sources() if kind.name == name)


def fetched(box: Sandbox, name: str = "ibmcloud", *, deadline: float = 20, **set_: str) -> Token:
    kind, given = kind_of(name), {"url": box.http_url, **set_}
    hosts = kind.token_hosts(given)
    source = kind.open(
        SourceContext(
            settings=given,
            secret=Secret(box.api_key, ORIGIN),
            transport=Transport(hosts, environ={}, clock=lambda: NOW, deadline=deadline),
            clock=lambda: NOW,
            chance=lambda: 0.5,
            logger=logging.getLogger("test"),
        )
    )
    return source.fetch()


def forms(box: Sandbox) -> list[dict[str, str]]:
    return [dict(urllib.parse.parse_qsl(r.body.decode("ascii"))) for r in box.requests]


# --------------------------------------------------------------------------- trusted profiles

NAMES: dict[str, Name] = {
    "profile_id": lambda box: {"trusted_profile": box.trusted_profile.identifier},
    "profile_crn": lambda box: {"trusted_profile": box.trusted_profile.crn},
    "profile_name": lambda box: {
        "trusted_profile": box.trusted_profile.name,
        "account": box.trusted_profile.account,
    },
}


@pytest.mark.parametrize(("field", "name"), NAMES.items(), ids=NAMES)
def test_a_trusted_profile_takes_two_requests(field: str, name: Name, box: Sandbox) -> None:
    token = fetched(box, **name(box))
    first, second = forms(box)
    assert first == {
        "grant_type": f"{GRANT}apikey",
        "response_type": "cloud_iam",
        "apikey": box.api_key,
    }
    between = box.issuer.grant(second.pop("access_token"))
    assert between is not None
    assert between.subject != box.trusted_profile.identifier
    given = name(box)
    named = {field: given["trusted_profile"]}
    if field == "profile_name":
        named["account"] = given["account"]
    assert second == {"grant_type": f"{GRANT}assume", **named}
    grant = box.issuer.grant(token.value)
    assert grant is not None
    assert grant.subject == box.trusted_profile.identifier


def test_no_token_is_in_an_address_or_a_header(box: Sandbox) -> None:
    fetched(box, trusted_profile=box.trusted_profile.identifier)
    for request in box.requests:
        assert (request.method, request.path, request.query) == ("POST", "/identity/token", "")
        assert "Authorization" not in request.headers


def test_the_life_is_that_of_the_second_token(box: Sandbox) -> None:
    box.faults.add(Fault(match="iam", lifetime=3600), Fault(match="iam", lifetime=900))
    token = fetched(box, trusted_profile=box.trusted_profile.identifier)
    assert (token.scheme, token.expires_at) == ("Bearer", int(NOW + 900))


def test_a_name_without_an_account_is_told_before_anything_is_sent(box: Sandbox) -> None:
    with pytest.raises(ConfigurationError) as caught:
        fetched(box, trusted_profile="deployer")
    assert (caught.value.message, caught.value.remedy) == (
        "trusted_profile is a name, and the setting account is missing",
        "write account = the account's ID, or trusted_profile = the profile's ID or CRN",
    )
    assert len(box.requests) == 0


def test_a_profile_that_may_not_be_assumed(box: Sandbox) -> None:
    with pytest.raises(KeyRefused) as caught:
        fetched(box, trusted_profile="Profile-of-somebody")
    assert (caught.value.message, caught.value.remedy) == (
        (
            f"{STEP} does not let the holder of the API key from {ORIGIN} assume the trusted "
            "profile: BXNIM0513E You are not authorized to use the requested profile"
        ),
        (
            "correct trusted_profile, or let the profile trust that identity, and then run: "
            "wxhelper invalidate {profile}"
        ),
    )


@pytest.mark.parametrize(
    ("fault", "kind_of_error", "message"),
    [
        (
            Fault(match="iam", status=500, body=b'{"errorMessage": "Later."}'),
            ServiceFailed,
            f"{STEP} failed with HTTP 500: Later",
        ),
        (
            Fault(match="iam", status=429),
            Throttled,
            f"{STEP} asks to be left alone for a while (HTTP 429)",
        ),
    ],
)
def test_an_error_names_its_step(
    fault: Fault, kind_of_error: type[WxhelperError], message: str, box: Sandbox
) -> None:
    well = Fault(match="iam", status=200, body=json.dumps(_answer()).encode())
    box.faults.add(well, fault)
    with pytest.raises(kind_of_error) as caught:
        fetched(box, trusted_profile=box.trusted_profile.identifier)
    assert caught.value.message == message


def test_the_first_steps_token_is_not_told_when_it_comes_back(box: Sandbox) -> None:
    said = json.dumps({"errorMessage": f"{_answer()['access_token']} and {box.api_key}"})
    box.faults.add(
        Fault(match="iam", status=200, body=json.dumps(_answer()).encode()),
        Fault(match="iam", status=400, body=said.encode()),
    )
    with pytest.raises(KeyRefused) as caught:
        fetched(box, trusted_profile=box.trusted_profile.identifier)
    assert caught.value.message.endswith("the trusted profile: [redacted] and [redacted]")


def test_a_key_that_is_refused_is_told_as_without_a_profile(box: Sandbox) -> None:
    box.keys.clear()
    with pytest.raises(KeyRefused, match=r"^IBM Cloud IAM refused the API key from ") as caught:
        fetched(box, trusted_profile=box.trusted_profile.identifier)
    assert "assume" not in caught.value.message
    assert len(box.requests) == 1


def test_both_requests_have_one_deadline(box: Sandbox) -> None:
    box.faults.add(Fault(match="iam", latency=0.7, times=None))
    with pytest.raises(Unreachable, match="did not answer within 1 seconds"):
        fetched(box, deadline=1.0, trusted_profile=box.trusted_profile.identifier)
    assert len(box.requests) == 2


def _answer() -> dict[str, object]:
    return {"access_token": "first-token", "expires_in": 3600}


# -------------------------------------------------------------------------------- Kubernetes


def test_the_entry_point_has_the_name_of_the_source() -> None:
    (point,) = entry_points(group="wxhelper", name="ibmcloud-kubernetes")
    assert point.value == "wxhelper_ibmcloud"


def test_an_id_token_takes_one_request_as_the_client_kube(box: Sandbox) -> None:
    token = fetched(box, "ibmcloud-kubernetes")
    (request,) = box.requests
    assert (request.method, request.path, request.query) == ("POST", "/identity/token", "")
    assert request.headers["Authorization"] == "Basic a3ViZTprdWJl"
    assert forms(box) == [{"grant_type": f"{GRANT}apikey", "apikey": box.api_key}]
    assert box.issuer.grant(token.value) is not None
    assert (token.scheme, token.expires_at) == ("Bearer", int(NOW + box.lifetime))


def test_the_answers_access_token_is_not_taken(box: Sandbox) -> None:
    answer = {"access_token": "the-access-token", "expires_in": 3600}
    box.faults.add(Fault(match="iam", body=json.dumps(answer).encode()))
    with pytest.raises(WxhelperError, match="the answer of IBM Cloud IAM holds no id_token"):
        fetched(box, "ibmcloud-kubernetes")


def test_the_answers_lifetime_is_that_of_the_access_token(box: Sandbox) -> None:
    own = box.issuer.issue("somebody", now=NOW, lifetime=1200)
    answer = {"access_token": "the-access-token", "id_token": own, "expires_in": 3600}
    box.faults.add(Fault(match="iam", body=json.dumps(answer).encode()))
    assert fetched(box, "ibmcloud-kubernetes").expires_at == int(NOW + 1200)


def test_no_host_is_given_an_id_token_unless_a_profile_names_it() -> None:
    assert kind_of("ibmcloud-kubernetes").audience({}) == frozenset()
