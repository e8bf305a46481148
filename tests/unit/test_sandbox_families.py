"""The SaaS platform, Cloud Pak for Data, trusted profiles: every family with keys of its own."""

import re
import urllib.parse

import pytest

from sandbox_client import FORM, MODELS, ask, ask_json, basic, bearer, claims, zen
from wxhelper.sandbox import Sandbox
from wxhelper.sandbox.sandbox import USERNAME

NOW = 1_700_000_000.25
FIRST = "/siusermgr/api/1.0/apikeys/token"
SECOND = "/api/2.0/apikeys/token"
DATA_PLATFORM = "/api/rest/mcsp/apikeys/token"
SCOPED = ("accounts", "subscriptions", "services", "products", "externalservices")
AUTHORIZE = "/icp4d-api/v1/authorize"
NEW_KEY = ("/usermgmt/v1/user/apiKey", "/api/v1/usermgmt/v1/user/apiKey")
APIKEY = "urn:ibm:params:oauth:grant-type:apikey"
ASSUME = "urn:ibm:params:oauth:grant-type:assume"
NOT_FOUND = {"errorCode": "BXNIM0415E", "errorMessage": "Provided API key could not be found."}


@pytest.fixture
def box(tmp_path):
    with Sandbox(str(tmp_path), clock=lambda: NOW, tls=False) as sandbox:
        yield sandbox
        assert sandbox.defects == ()


def iam(box, **form):
    return ask(box, "POST", "/identity/token", body=urllib.parse.urlencode(form), headers=FORM)


def authorize(box, **document):
    return ask_json(box, AUTHORIZE, document)


# ------------------------------------------------------------------------- the SaaS platform


@pytest.mark.parametrize(
    "path",
    [SECOND, DATA_PLATFORM, *(f"/api/2.0/{kind}/an%2Fid/apikeys/token?x=1" for kind in SCOPED)],
)
def test_a_key_of_the_second_generation_becomes_a_token(box, path):
    reply = ask_json(box, path, {"apikey": box.mcsp_key})
    document = reply.document
    token = document.pop("token")
    assert reply.status == 200
    assert document == {"token_type": "jwt", "expires_in": 3600, "expiration": 1_700_003_600}
    assert ask(box, "GET", MODELS, headers=bearer(token)).status == 200
    kind = path.split("/")[3]
    assert claims(token)["aud"] == ({kind: "an/id"} if kind in SCOPED else {})


def test_the_first_version_takes_the_first_generation_and_no_word_on_the_content(box):
    body = f'{{"apikey": "{box.mcsp_v1_key}"}}'
    document = ask(box, "POST", FIRST, body=body).document
    assert box.issuer.grant(document.pop("token")) is not None
    assert document == {"token_type": "jwt", "expires_in": 3600}


@pytest.mark.parametrize("more", [{}, {"grant_type": APIKEY}])
def test_a_form_is_taken_as_well(box, more):
    body = urllib.parse.urlencode({"apikey": box.mcsp_key, **more})
    assert ask(box, "POST", DATA_PLATFORM, body=body, headers=FORM).status == 200


@pytest.mark.parametrize(
    "path", [FIRST, SECOND, DATA_PLATFORM, "/api/2.0/services/x/apikeys/token"]
)
@pytest.mark.parametrize("wrong", ["nonsense", "iam", "member", "generation"])
def test_a_key_of_another_family_or_generation_is_not_found(box, path, wrong):
    other = box.mcsp_key if path == FIRST else box.mcsp_v1_key
    key = {"iam": box.api_key, "member": box.member.api_key, "generation": other}.get(wrong, wrong)
    reply = ask_json(box, path, {"apikey": key})
    assert (reply.status, reply.document) == (400, NOT_FOUND)


@pytest.mark.parametrize(
    "body", ["", "{}", "[]", "x", '{"apikey": null}', '{"apikey": 7}', '{"apikey": ""}', "[" * 9999]
)
def test_without_a_key_the_saas_platform_says_so(box, body):
    headers = {"Content-Type": "application/json"}
    reply = ask(box, "POST", DATA_PLATFORM, body=body, headers=headers)
    assert (reply.status, reply.document) == (400, {"message": "API Key Missing"})


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", SECOND, 405),
        ("PUT", DATA_PLATFORM, 405),
        ("POST", "/api/2.0/jwks", 404),
        ("POST", "/api/2.0/nations/x/apikeys/token", 404),
        ("POST", "/api/2.0/accounts/a/b/apikeys/token", 404),
        ("POST", "/api/2.0/accounts//apikeys/token", 404),
    ],
)
def test_the_saas_platform_has_no_other_paths_and_methods(box, method, path, status):
    assert ask(box, method, path, body="{}").status == status


def test_the_keys_look_like_those_of_their_family(box):
    assert re.fullmatch("[A-Za-z0-9+/=]{60,}", box.mcsp_key)
    assert box.mcsp_key.startswith("azI6")  # k2: in base64
    assert box.mcsp_v1_key.startswith("azE6")
    assert re.fullmatch("[0-9a-f]{40}", box.member.api_key)


@pytest.mark.parametrize("family", ["mcsp", "member"])
def test_iam_takes_no_key_of_another_family(box, family):
    key = box.mcsp_key if family == "mcsp" else box.member.api_key
    reply = iam(box, grant_type=APIKEY, apikey=key)
    assert (reply.status, reply.document["errorCode"]) == (400, "BXNIM0415E")


# -------------------------------------------------------------------- Cloud Pak for Data


@pytest.mark.parametrize("secret", ["api_key", "password"])
def test_a_name_with_a_key_or_a_password_becomes_a_token(box, secret):
    reply = authorize(box, username=USERNAME, **{secret: getattr(box.member, secret)})
    document = reply.document
    said = claims(document.pop("token"))
    assert (reply.status, document) == (200, {"_messageCode_": "200", "message": "Success"})
    assert (said["username"], said["exp"] - said["iat"]) == (USERNAME, 3600)


@pytest.mark.parametrize(
    "given",
    [
        {},
        {"username": USERNAME},
        {"username": USERNAME, "api_key": None, "password": None},
        {"username": USERNAME, "api_key": "nonsense"},
        {"username": "another", "api_key": "THE KEY"},
        {"username": [USERNAME], "api_key": "THE KEY"},
        {"username": USERNAME, "apikey": "THE KEY"},
    ],
)
def test_whoever_is_not_known_is_refused(box, given):
    key = box.member.api_key
    reply = authorize(box, **{n: key if v == "THE KEY" else v for n, v in given.items()})
    assert (reply.status, reply.document["_statusCode_"]) == (401, 401)


@pytest.mark.parametrize("body", ["", "[]", "username=a"])
def test_what_is_no_json_object_is_no_request(box, body):
    assert ask(box, "POST", AUTHORIZE, body=body).status == 400
    assert ask(box, "GET", AUTHORIZE, body=body).status == 405


def test_services_take_a_name_and_a_key_in_base64(box):
    good = zen(f"{USERNAME}:{box.member.api_key}")
    newline = zen(f"{USERNAME}:{box.member.api_key}\n")
    for path in (MODELS, "/data_product_exchange/v1/data_products", "/version"):
        asked = [
            ask(box, "GET", path, headers=headers).status
            for headers in (
                good,
                newline,
                zen(f"another:{box.member.api_key}"),
                zen(f"{USERNAME}:nonsense"),
                zen(box.member.api_key),
                {"Authorization": "ZenApiKey !"},
                basic(f"{USERNAME}:{box.member.api_key}"),
            )
        ]
        assert asked == [200, 401, 401, 401, 401, 401, 401], path


@pytest.mark.parametrize("path", NEW_KEY)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_to_ask_for_a_new_key_kills_the_old_one(box, method, path):
    old = box.member.api_key
    by_key, refused = zen(f"{USERNAME}:{old}"), bearer("nonsense")
    token = authorize(box, username=USERNAME, api_key=old).document["token"]
    assert ask(box, method, path, headers=refused).status == 401
    new = ask(box, method, path, headers=bearer(token)).document["apiKey"]
    assert new == box.member.api_key != old
    assert ask(box, method, path, headers=by_key).status == 401
    assert authorize(box, username=USERNAME, api_key=old).status == 401
    assert ask(box, method, path, headers=zen(f"{USERNAME}:{new}")).status == 200
    assert sum(r.service == "cloudpak-keys" for r in box.requests) == 4
    assert box.token_requests() == 2


def test_a_token_of_another_family_makes_no_new_key(box):
    token = ask_json(box, SECOND, {"apikey": box.mcsp_key}).document["token"]
    assert ask(box, "POST", NEW_KEY[0], headers=bearer(token)).status == 403


# ------------------------------------------------------------------------ trusted profiles


def ways(profile):
    return [
        {"profile_id": profile.identifier},
        {"profile_crn": profile.crn},
        {"profile_name": profile.name, "account": profile.account},
    ]


@pytest.mark.parametrize("way", range(3))
@pytest.mark.parametrize("where", ["form", "query"])
def test_a_users_token_becomes_a_trusted_profiles(box, way, where):
    own = iam(box, grant_type=APIKEY, apikey=box.api_key).document["access_token"]
    asked = {"grant_type": ASSUME, "access_token": own, **ways(box.trusted_profile)[way]}
    if where == "form":
        reply = iam(box, **asked)
    else:
        target = "/identity/token?" + urllib.parse.urlencode(asked)
        reply = ask(box, "POST", target, headers=FORM)
    document = reply.document
    said = claims(document.pop("access_token"))
    assert (said["sub_type"], said["sub"]) == ("Profile", box.trusted_profile.identifier)
    assert document == {
        "refresh_token": "not_supported",
        "token_type": "Bearer",
        "expires_in": 3600,
        "expiration": 1_700_003_600,
        "scope": "ibm openid",
    }


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"profile_id": "Profile-unknown"}, 403, "BXNIM0513E"),
        ({"profile_id": "", "profile_crn": "crn:x"}, 403, "BXNIM0513E"),
        ({"profile_id": "", "profile_name": "sandbox-profile", "account": "x"}, 403, "BXNIM0513E"),
        ({"profile_id": "", "profile_name": "sandbox-profile"}, 400, "BXNIM0109E"),
        ({"profile_id": ""}, 400, "BXNIM0109E"),
        ({"access_token": "nonsense"}, 400, "BXNIM0407E"),
        ({"access_token": ""}, 400, "BXNIM0109E"),
    ],
)
def test_an_unknown_profile_or_token_is_refused(box, change, status, code):
    own = iam(box, grant_type=APIKEY, apikey=box.api_key).document["access_token"]
    asked = {
        "grant_type": ASSUME,
        "access_token": own,
        "profile_id": box.trusted_profile.identifier,
    }
    reply = iam(box, **{**asked, **change})
    assert (reply.status, reply.document["errorCode"]) == (status, code)


# ------------------------------------------------------------------- what the tokens open


def test_data_products_are_listed_up_to_a_limit(box):
    headers = bearer(box.issuer.issue("someone", now=NOW, lifetime=60))
    path = "/data_product_exchange/v1/data_products"
    for query, count in (("", 2), ("?limit=1", 1), ("?limit=x", 2), ("?limit=0", 0)):
        document = ask(box, "GET", path + query, headers=headers).document
        assert (len(document["data_products"]), document["total_results"]) == (count, 2)
    assert ask(box, "POST", path, headers=headers).status == 405


@pytest.mark.parametrize(
    ("path", "asked", "found"),
    [
        ("/ml/v1/text/generation", {"input": "Hi"}, ["results", 0, "generated_text"]),
        (
            "/ml/v1/text/chat",
            {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]},
            ["choices", 0, "message", "content"],
        ),
        (
            "/ml/gateway/v1/chat/completions",
            {"model": "x", "messages": [{"role": "user", "content": "Hi"}]},
            ["choices", 0, "message", "content"],
        ),
    ],
)
def test_models_write_what_they_were_asked(box, path, asked, found):
    headers = bearer(box.issuer.issue("someone", now=NOW, lifetime=60))
    said = ask_json(box, path, asked, **headers).document
    for step in found:
        said = said[step]
    assert said == "You asked: Hi"
    assert ask(box, "POST", path, body="x", headers=headers).status == 400
    assert ask(box, "GET", path, headers=headers).status == 405
    assert ask_json(box, path, asked).status == 401


@pytest.mark.parametrize("messages", [None, [], "x", [1], [{}], [{"content": []}]])
def test_a_conversation_without_words_is_answered_too(box, messages):
    headers = bearer(box.issuer.issue("someone", now=NOW, lifetime=60))
    reply = ask_json(box, "/ml/v1/text/chat", {"messages": messages}, **headers)
    assert reply.document["choices"][0]["message"]["content"] == "You asked: "


def test_the_gateway_lists_models_as_openai_does(box):
    headers = bearer(box.issuer.issue("someone", now=NOW, lifetime=60))
    listed = ask(box, "GET", "/ml/gateway/v1/models", headers=headers).document
    assert [(m["object"], m["id"]) for m in listed["data"]][:1] == [
        ("model", "ibm/granite-3-8b-instruct")
    ]


# ----------------------------------------------------------------------------- hostile bodies

HOSTILE = {
    "nothing": b"",
    "not UTF-8": b"\xff\xfe\x00",
    "deep": b"[" * 100_000,
    "deep objects": b'{"a":' * 100_000,
    "a long number": b'{"apikey": ' + b"9" * 5000 + b"}",
    "half a surrogate": b'{"apikey": "\\ud800", "username": "\\ud800", "input": "\\ud800"}',
    "other types": b'{"apikey": {}, "username": {}, "messages": [[]], "model": [], "input": {}}',
    "no object": b'"x"',
    "a thousand fields": b"apikey=x&" * 1000,
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("media_type", ["application/json", "application/x-www-form-urlencoded"])
def test_no_body_is_too_much_for_a_service(box, body, media_type):
    shown = bearer(box.issuer.issue("someone", now=NOW, lifetime=60))
    headers = {"Content-Type": media_type, **shown}
    for path in (
        FIRST,
        SECOND,
        DATA_PLATFORM,
        "/api/2.0/accounts/%00%ff%2F/apikeys/token",
        AUTHORIZE,
        "/ml/v1/text/generation",
        "/ml/v1/text/chat",
        "/ml/gateway/v1/chat/completions",
    ):
        assert ask(box, "POST", path, body=body, headers=headers).status < 500
