"""The container registry, asked as a registry client asks."""

import base64
import http.client
import json
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

import pytest

from sandbox_client import address
from wxhelper.sandbox import Sandbox

MANIFEST = "/v2/sandbox/granite/manifests/1.0"


class Reply(NamedTuple):
    status: int
    headers: Any
    document: Any


def ask(box: Sandbox, path: str, authorization: str = "", method: str = "GET") -> Reply:
    host, port = address(box.http_url)
    connection = http.client.HTTPConnection(host, port, timeout=20)
    headers: Mapping[str, str] = {"Authorization": authorization} if authorization else {}
    try:
        connection.request(method, path, headers=headers)
        answer = connection.getresponse()
        return Reply(answer.status, answer.headers, json.loads(answer.read() or b"null"))
    finally:
        connection.close()


def basic(user: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def iam_token(box: Sandbox, lifetime: float = 3600) -> str:
    return box.issuer.issue("somebody", now=time.time(), lifetime=lifetime)


def registry_token(box: Sandbox) -> str:
    return str(ask(box, "/oauth/token", basic("iambearer", iam_token(box))).document["token"])


@pytest.mark.parametrize(
    ("path", "scope"),
    [("/v2/", ""), (MANIFEST, ',scope="repository:sandbox/granite:pull"')],
)
def test_who_shows_no_token_is_told_where_to_get_one(box: Sandbox, path: str, scope: str) -> None:
    reply = ask(box, path)
    assert reply.status == 401
    assert reply.headers["WWW-Authenticate"] == (
        f'Bearer realm="{box.http_url}/oauth/token",service="registry"{scope}'
    )


def test_a_live_iam_token_buys_a_registry_token_that_opens_the_image(box: Sandbox) -> None:
    token = registry_token(box)
    assert ask(box, "/v2/", f"Bearer {token}").status == 200
    reply = ask(box, MANIFEST, f"Bearer {token}")
    assert (reply.status, reply.document["schemaVersion"]) == (200, 2)
    digest = reply.document["config"]["digest"]
    assert reply.headers["Docker-Content-Digest"].startswith("sha256:")
    config = ask(box, f"/v2/sandbox/granite/blobs/{digest}", f"Bearer {token}")
    assert config.document["architecture"] == "amd64"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda box: basic("iamapikey", iam_token(box)),
        lambda box: basic("iambearer", "not-a-token"),
        lambda box: basic("iambearer", iam_token(box, lifetime=-1)),
        lambda box: f"Bearer {iam_token(box)}",
        lambda box: "Basic ä",
        lambda box: "",
    ],
    ids=["another user", "no token", "expired", "not as a password", "no base64", "nothing"],
)
def test_anything_else_buys_nothing(box: Sandbox, spoil: Any) -> None:
    assert ask(box, "/oauth/token", spoil(box).encode("utf-8").decode("latin-1")).status == 401


def test_an_iam_token_by_itself_opens_nothing(box: Sandbox) -> None:
    token = iam_token(box)
    assert ask(box, MANIFEST, f"Bearer {token}").status == 401
    assert ask(box, MANIFEST, basic("iambearer", token)).status == 401


def test_what_is_not_there_is_not_found(box: Sandbox) -> None:
    token = registry_token(box)
    assert ask(box, "/v2/other/image/manifests/1.0", f"Bearer {token}").status == 404


def test_nothing_can_be_pushed(box: Sandbox) -> None:
    assert ask(box, MANIFEST, f"Bearer {registry_token(box)}", method="PUT").status == 405
