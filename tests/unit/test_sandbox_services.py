"""IAM, the protected API and the API server, asked over a real connection."""

import re
import urllib.parse

import pytest

from sandbox_client import FORM, MODELS, Reply, ask, basic, bearer, claims
from wxhelper.sandbox import Fault, Sandbox
from wxhelper.sandbox.service import Identity

NOW = 1_700_000_000.25
GRANT = "urn:ibm:params:oauth:grant-type:apikey"
PODS = "/api/v1/namespaces/default/pods"


class Clock:
    """A clock that a test moves."""

    now = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def box(tmp_path, clock):
    with Sandbox(str(tmp_path), clock=clock, tls=False) as sandbox:
        yield sandbox
        assert sandbox.defects == ()


def ask_iam(box, *, headers=FORM, **fields) -> Reply:
    body = urllib.parse.urlencode(fields)
    return ask(box, "POST", "/identity/token", body=body, headers=headers)


def token(box, **fields) -> str:
    return ask_iam(box, grant_type=GRANT, apikey=box.api_key, **fields).document["access_token"]


# ------------------------------------------------------------------------------------- IAM


def test_the_key_looks_like_one_of_iam_and_is_another_one_each_time(tmp_path, box):
    with Sandbox(str(tmp_path), tls=False) as other:
        assert other.api_key != box.api_key
    assert re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_-]{43}", box.api_key)


@pytest.mark.parametrize("extra", [{}, {"response_type": "cloud_iam"}])
def test_a_users_key_becomes_a_token(box, extra):
    reply = ask_iam(box, grant_type=GRANT, apikey=box.api_key, **extra)
    document = reply.document
    access_token = document.pop("access_token")
    assert 1200 < len(access_token) < 2000
    assert isinstance(document.pop("ims_user_id"), int)
    assert document == {
        "refresh_token": "not_supported",
        "token_type": "Bearer",
        "expires_in": 3600,
        "expiration": 1_700_003_600,
        "scope": "ibm openid",
    }
    assert reply.status == 200
    assert reply.headers["Content-Type"] == "application/json"
    assert re.fullmatch("[0-9a-f]{32}", reply.headers["Transaction-Id"])


def test_a_token_holds_the_claims_of_iam(box):
    said = claims(token(box))
    assert set(said) == {
        "iam_id", "id", "realmid", "identifier", "given_name", "family_name", "name", "email",
        "sub", "authn", "account", "iss", "grant_type", "scope", "client_id", "acr", "amr",
        "jti", "iat", "exp",
    }  # fmt: skip
    assert (said["iat"], said["exp"]) == (1_700_000_000, 1_700_003_600)
    assert said["sub"] == said["email"] == "sandbox.user@example.com"
    assert said["iam_id"] == f"IBMid-{said['identifier']}"
    assert said["grant_type"] == GRANT


def test_a_service_id_has_no_ims_user_id(box):
    box.keys["k"] = Identity("ServiceId-1", "service-id")
    document = ask_iam(box, grant_type=GRANT, apikey="k").document
    assert "ims_user_id" not in document
    said = claims(document["access_token"])
    assert (said["sub"], said["sub_type"], said["realmid"]) == ("ServiceId-1", "ServiceId", "iam")


def test_the_lifetime_is_the_sandboxs_or_the_faults(box):
    box.lifetime = 900
    box.faults.add(Fault(match="iam", lifetime=-5))
    replies = [ask_iam(box, grant_type=GRANT, apikey=box.api_key).document for _ in range(2)]
    assert [r["expires_in"] for r in replies] == [-5, 900]
    assert [r["expiration"] for r in replies] == [1_699_999_995, 1_700_000_900]
    assert [claims(r["access_token"])["exp"] for r in replies] == [1_699_999_995, 1_700_000_900]


def test_an_unknown_key_is_refused_in_iams_words(box):
    reply = ask_iam(
        box, grant_type=GRANT, apikey="mistaken", headers={**FORM, "User-Agent": "tester/1"}
    )
    document = reply.document
    assert reply.status == 400
    assert document == {
        "errorCode": "BXNIM0415E",
        "errorMessage": "Provided API key could not be found.",
        "context": {
            "requestId": reply.headers["Transaction-Id"],
            "requestType": "incoming.Identity_Token",
            "userAgent": "tester/1",
            "url": "https://iam.cloud.ibm.com",
            "clientIp": "127.0.0.1",
            "instanceId": "sandbox-0",
            "threadId": "1",
            "host": "sandbox-0",
            "startTime": "14.11.2023 22:13:20:250 UTC",
            "endTime": "14.11.2023 22:13:20:250 UTC",
            "elapsedTime": "0",
            "locale": "en_US",
            "clusterName": "wxhelper-sandbox",
        },
    }
    assert b"mistaken" not in reply.body


def test_a_key_that_was_taken_away_is_refused(box):
    del box.keys[box.api_key]
    reply = ask_iam(box, grant_type=GRANT, apikey=box.api_key)
    assert (reply.status, reply.document["errorCode"]) == (400, "BXNIM0415E")


@pytest.mark.parametrize(
    ("fields", "code", "names"),
    [
        ({}, "BXNIM0109E", "grant_type"),
        ({"apikey": "k"}, "BXNIM0109E", "grant_type"),
        ({"grant_type": GRANT}, "BXNIM0109E", "apikey"),
        ({"grant_type": GRANT, "apikey": ""}, "BXNIM0109E", "apikey"),
        ({"grant_type": "password", "apikey": "k"}, "BXNIM0106E", "grant_type"),
    ],
)
def test_a_form_that_lacks_something_is_refused(box, fields, code, names):
    box.keys["k"] = Identity("someone")
    reply = ask_iam(box, **fields)
    document = reply.document
    assert (reply.status, document["errorCode"]) == (400, code)
    assert f"'{names}'" in document.get("errorDetails", document["errorMessage"])


@pytest.mark.parametrize("media_type", ["application/json", "text/plain", ""])
def test_only_a_form_is_read(box, media_type):
    fields = {"grant_type": GRANT, "apikey": box.api_key}
    reply = ask_iam(box, headers={"Content-Type": media_type}, **fields)
    assert (reply.status, reply.document["errorCode"]) == (400, "BXNIM0109E")


def test_a_form_may_say_its_character_set(box):
    media_type = "Application/X-WWW-Form-URLEncoded; charset=utf-8"
    fields = {"grant_type": GRANT, "apikey": box.api_key}
    assert ask_iam(box, headers={"Content-Type": media_type}, **fields).status == 200


def test_a_key_must_be_encoded_as_forms_are(box):
    box.keys["a+b/=%"] = Identity("someone")
    raw = f"grant_type={GRANT}&apikey=a+b/=%"
    assert ask_iam(box, grant_type=GRANT, apikey="a+b/=%").status == 200
    assert ask(box, "POST", "/identity/token", body=raw, headers=FORM).status == 400


@pytest.mark.parametrize("body", [b"\xff\xfe=%ff&&&=", b"a=1&" * 100, b"\0" * 50])
def test_a_broken_form_is_refused_like_an_empty_one(box, body):
    reply = ask(box, "POST", "/identity/token", body=body, headers=FORM)
    assert (reply.status, reply.document["errorCode"]) == (400, "BXNIM0109E")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH"])
def test_another_method_is_not_allowed(box, method):
    reply = ask(box, method, "/identity/token")
    assert (reply.status, reply.headers["Allow"]) == (405, "POST")
    assert reply.document["errorCode"] == "BXNIM0060E"


def test_basic_credentials_are_taken_and_seen(box):
    fields = {"grant_type": GRANT, "apikey": box.api_key}
    document = ask_iam(box, headers={**FORM, **basic("bx:bx")}, **fields).document
    assert "id_token" not in document
    assert claims(document["access_token"])["client_id"] == "bx"
    assert box.requests[-1].headers["authorization"] == basic("bx:bx")["Authorization"]


def test_the_client_kube_gets_an_id_token_too(box):
    fields = {"grant_type": GRANT, "apikey": box.api_key}
    document = ask_iam(box, headers={**FORM, **basic("kube:kube")}, **fields).document
    assert document["scope"] == "ibm openid containers-kubernetes"
    assert document["id_token"] != document["access_token"]
    assert ask(box, "GET", "/version", headers=bearer(document["id_token"])).status == 200


@pytest.mark.parametrize("header", ["Basic", "Basic !!!", "Basic /w==", "Nonsense x", ""])
def test_credentials_of_no_known_form_do_not_matter(box, header):
    fields = {"grant_type": GRANT, "apikey": box.api_key}
    assert ask_iam(box, headers={**FORM, "Authorization": header}, **fields).status == 200


def test_token_requests_are_counted_whatever_was_answered(box):
    token(box)
    ask_iam(box)
    box.faults.add(Fault(match="iam", status=503))
    ask_iam(box)
    ask(box, "GET", "/identity/token")
    ask(box, "GET", MODELS)
    ask(box, "POST", "/elsewhere")
    assert box.token_requests() == 3


# ------------------------------------------------------------------------- the protected API


def test_models_are_listed_for_a_live_token(box):
    reply = ask(box, "GET", f"{MODELS}?version=2024-05-01", headers=bearer(token(box)))
    assert reply.status == 200
    assert [m["model_id"] for m in reply.document["resources"]] == [
        "ibm/granite-3-8b-instruct",
        "ibm/slate-125m-english-rtrvr-v2",
    ]
    assert box.requests[-1].query == "version=2024-05-01"


def test_a_token_that_is_not_good_is_refused_in_watsonx_words(box, clock):
    expired = token(box)
    clock.now += 3600
    revoked, zen = token(box), box.issuer.issue("x", now=NOW, lifetime=9999, scheme="ZenApiKey")
    box.issuer.revoke(revoked)
    cases = {
        "expired": (bearer(expired), "authentication_token_expired"),
        "revoked": (bearer(revoked), "authentication_token_not_valid"),
        "unknown": (bearer("nonsense"), "authentication_token_not_valid"),
        "none": ({}, "authentication_token_not_valid"),
        "no token": ({"Authorization": "Bearer"}, "authentication_token_not_valid"),
        "basic": (basic("a:b"), "authentication_token_not_valid"),
        "another scheme": (bearer(zen), "authentication_token_not_valid"),
    }
    for name, (headers, code) in cases.items():
        reply = ask(box, "GET", MODELS, headers=headers)
        document = reply.document
        assert (reply.status, document["errors"][0]["code"]) == (401, code), name
        assert reply.headers["WWW-Authenticate"] == "Bearer"
        assert set(document) == {"errors", "trace", "status_code"}
        assert set(document["errors"][0]) == {"code", "message", "more_info"}


def test_models_are_for_reading_alone(box):
    headers = bearer(token(box))
    assert ask(box, "POST", MODELS, headers=headers).status == 405
    head = ask(box, "HEAD", MODELS, headers=headers)
    assert (head.status, head.body) == (200, b"")
    assert int(head.headers["Content-Length"]) > 100


# ---------------------------------------------------------------------------- the API server


def test_an_api_server_refuses_without_saying_why(box):
    for headers in ({}, bearer("nonsense"), basic("a:b")):
        reply = ask(box, "GET", "/api", headers=headers)
        assert reply.status == 401
        assert reply.document == {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": "Unauthorized",
            "reason": "Unauthorized",
            "code": 401,
        }


@pytest.mark.parametrize(
    ("path", "accept", "kind"),
    [
        ("/api", "application/json", "APIVersions"),
        ("/apis", "application/json", "APIGroupList"),
        ("/api/v1", "application/json", "APIResourceList"),
        (PODS, "application/json", "PodList"),
        (PODS, "application/json;as=Table;v=v1;g=meta.k8s.io,application/json", "Table"),
        (f"{PODS}/watsonx-gateway-0", "application/json", "Pod"),
    ],
)
def test_an_api_server_shows_its_documents(box, path, accept, kind):
    reply = ask(box, "GET", path, headers={**bearer(token(box)), "Accept": accept})
    assert (reply.status, reply.document["kind"]) == (200, kind)


@pytest.mark.parametrize(
    ("method", "path", "code", "reason"),
    [
        ("GET", f"{PODS}/nope", 404, "NotFound"),
        ("GET", "/api/v1/nodes", 404, "NotFound"),
        ("GET", "/apis/apps/v1", 404, "NotFound"),
        ("DELETE", f"{PODS}/watsonx-gateway-0", 405, "MethodNotAllowed"),
    ],
)
def test_an_api_server_says_what_it_does_not_have(box, method, path, code, reason):
    reply = ask(box, method, path, headers=bearer(token(box)))
    document = reply.document
    assert (reply.status, document["code"], document["reason"]) == (code, code, reason)


@pytest.mark.parametrize(
    ("path", "service"),
    [
        ("/identity/token", "iam"),
        ("/identity/%74oken", "iam"),
        ("/identity/token/", ""),
        ("/identity", ""),
        (MODELS, "api"),
        ("/version", "kubernetes"),
        ("/api/v1/x/y", "kubernetes"),
        ("/api/2.0/apikeys/token", "mcsp"),
        ("/api/2.0/accounts/a%2Fb/apikeys/token", "mcsp"),
        ("/api/rest/mcsp/apikeys/token", "mcsp"),
        ("/api/rest/mcsp", ""),
        ("/siusermgr/api/1.0/apikeys/token", "mcsp"),
        ("/icp4d-api/v1/authorize", "cloudpak"),
        ("/usermgmt/v1/user/apiKey", "cloudpak-keys"),
        ("/api/v1/usermgmt/v1/user/apiKey", "cloudpak-keys"),
        ("/data_product_exchange/v1/data_products", "dph"),
        ("/ml/gateway/v1/chat/completions", "api"),
        ("/", ""),
        ("", ""),
    ],
)
def test_a_path_belongs_to_one_service_or_to_none(box, path, service):
    assert box.service_for(path) == service


def test_a_path_of_nobody_is_not_found(box):
    assert ask(box, "GET", "/nowhere").status == 404
    assert box.requests[-1].service == ""
