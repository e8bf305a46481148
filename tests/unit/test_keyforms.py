"""Floor 4: what a key looks like."""

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wxhelper.plugin.keyforms import form_of, hint, no_key, unwrapped

UUID = "28ab6850-2582-4fea-aa02-3e8961aa7fc9"
TOKEN = "it looks like a token, and a key is what tokens are made from"
VERSION = 'it looks like a key of version {}: write url = "https://{}.example"'
MCSP = "it looks like a key of the IBM SaaS platform: use source aws or govcloud"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


FORMS = {
    "mcsp-1": [encoded("k1:something"), encoded("k1:").rstrip("="), f" {encoded('k1:x')}\n"],
    "mcsp-2": [encoded("k2:something"), encoded("k2:usr_1:ü")],
    "zenapikey": [
        encoded("me:k3y"),
        encoded("me:k3y\n"),
        encoded("a name:k3y"),
        encoded("me@example.com:a:b"),
        encoded("müller:~~~???"),
        base64.urlsafe_b64encode(b"me:~~~???").decode(),
    ],
    "ibmcloud": ["Ab_-" * 11, "x" * 44],
    "token": ["eyJhbGciOiJSUzI1NiJ9.e30.c2ln", "Bearer abc", "bearer  abc"],
    "crn": ["crn:v1:bluemix:public:iam-identity::a/1::apikey:ApiKey-1", "crn:x:y"],
    "name": ["cpd-apikey-me@example.com-2026-01-01T00:00:00Z"],
    "id": [f"ApiKey-{UUID}"],
    None: [
        "",
        "k3y",
        "k1:something",
        "me:k3y",
        "x" * 43,
        "x" * 45,
        UUID,
        encoded(":key"),
        encoded("me:"),
        encoded("nothing in particular"),
        encoded("two\nlines:x"),
        base64.b64encode(b"me:\xff\xfe").decode(),
        "ApiKey-of-mine",
        "Bearer",
        "日本:日本",
    ],
}


@pytest.mark.parametrize(
    ("form", "key"), [(form, key) for form, keys in FORMS.items() for key in keys]
)
def test_the_form_of_a_key(form: str | None, key: str) -> None:
    assert form_of(key) == form


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("bWU6azN5", "me:k3y"),
        ("bWU6\nazN5\n", "me:k3y"),
        ("bWU6azN5Cg==", "me:k3y"),
        ("bWU6azN5Cg", "me:k3y"),
        ("bWU6azN5DQo=", "me:k3y"),
        ("bWU6azN5_", None),
        ("bWU6azN5!", None),
        ("bQ", "m"),
        ("", ""),
        ("AAAA", None),
        ("/////w==", None),
    ],
)
def test_what_is_written_in_base64(text: str, plain: str | None) -> None:
    assert unwrapped(text) == plain


RIGHT = {"mcsp-1": "https://one.example", "mcsp-2": "https://two.example"}
V1, V2, OTHER = "/siusermgr/api/1.0/apikeys/token", "/api/2.0/apikeys/token", "/gateway"


@pytest.mark.parametrize(
    ("key", "right", "path", "said"),
    [
        (encoded("k1:x"), {}, OTHER, MCSP),
        (encoded("k2:x"), {"ibmcloud": ""}, OTHER, MCSP),
        (encoded("k1:x"), RIGHT, V1, ""),
        (encoded("k2:x"), RIGHT, V2, ""),
        (encoded("k2:x"), RIGHT, "/api/rest/mcsp/apikeys/token", ""),
        (encoded("k1:x"), RIGHT, OTHER, ""),
        (encoded("k1:x"), RIGHT, V2, VERSION.format(1, "one")),
        (encoded("k1:x"), RIGHT, "/api/rest/mcsp/apikeys/token", VERSION.format(1, "one")),
        (encoded("k1:x"), RIGHT, "/api/2.0/accounts/a/apikeys/token", VERSION.format(1, "one")),
        (encoded("k2:x"), RIGHT, V1, VERSION.format(2, "two")),
        (encoded("k1:x"), {"mcsp-1": "", "mcsp-2": ""}, V2, ""),
        (encoded("me:k3y"), {"zenapikey": ""}, OTHER, ""),
        ("x" * 44, {}, OTHER, "it looks like a key of IBM Cloud: use source ibmcloud"),
        ("x" * 44, {"ibmcloud": ""}, OTHER, ""),
        ("k3y", {}, OTHER, ""),
        ("Bearer x", {}, OTHER, f"{TOKEN}: put the key itself there"),
    ],
)
def test_a_hint_names_the_source_or_what_it_is(
    key: str, right: dict[str, str], path: str, said: str
) -> None:
    assert hint(key, right, path) == said


@settings(deadline=None)
@given(st.text() | st.binary().map(lambda data: base64.b64encode(data).decode()))
def test_no_hint_holds_a_piece_of_the_key(key: str) -> None:
    said = hint(key, {}, "/") + no_key(key)
    assert len(key) < 8 or key not in said
    assert form_of(key) in FORMS
