"""The commands of IBM's documents, run with the real curl, beside the command's own answer.

Where the documents are mistaken, the mistake is shown, and what the command does instead.
"""

import json
import os
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tunnel import ibm
from wxhelper.sandbox import Sandbox
from wxhelper.sandbox.sandbox import USERNAME

if TYPE_CHECKING:
    from tests.conftest import Command, Outcome

pytestmark = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")

IAM = "https://iam.cloud.ibm.com/identity/token"
AWS = "https://us-east-1.aws.data.ibm.com/api/rest/mcsp/apikeys/token"
GOVCLOUD = "https://dai.ibmforusgov.com/api/rest/mcsp/apikeys/token"
CLOUDPAK = "https://cpd.example.com/icp4d-api/v1/authorize"
FORM = "Content-Type: application/x-www-form-urlencoded"
JSON = "Content-Type: application/json"
GRANT = "grant_type=urn:ibm:params:oauth:grant-type:apikey"
GENERATION = "https://us-south.ml.cloud.ibm.com/ml/v1/text/generation?version=2024-05-01"
PRODUCTS = "https://cpd.example.com/data_product_exchange/v1/data_products?limit=1"


class World:
    """A shell and the command on one machine, and IBM's addresses."""

    def __init__(self, box: Sandbox, wx: "Command", variables: Mapping[str, str]) -> None:
        self.box = box
        self._wx = wx
        self._variables = {**variables, "NO_PROXY": "", "WXHELPER_CONFIG": "/nonexistent/c.toml"}

    def shell(self, command: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """A line in a shell, with curl as it is installed."""
        return subprocess.run(
            ["bash", "-c", command],
            env={"PATH": os.environ["PATH"], **self._variables, **variables},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def wxhelper(self, verb: str, source: str, key: str, **settings: str) -> "Outcome":
        profile = {f"WXHELPER_{name.upper()}": value for name, value in settings.items()}
        return self._wx(
            verb, **self._variables, WXHELPER_SOURCE=source, WXHELPER_API_KEY=key, **profile
        )

    def subject(self, token: str) -> str:
        grant = self.box.issuer.grant(token)
        assert grant is not None
        return grant.subject


@pytest.fixture
def world(tmp_path: Path, wx: "Command") -> Iterator[World]:
    folder = tmp_path / "ibm"
    folder.mkdir(mode=0o700)
    with ibm(folder) as (box, variables):
        yield World(box, wx, {**variables, "CURL_CA_BUNDLE": variables["SSL_CERT_FILE"]})


def post(url: str, header: str, data: str) -> str:
    """A curl command; the data stands in it as it is given, with its quotes."""
    return f"curl -q -sS -X POST --url {url} --header {shlex.quote(header)} --data {data}"


def body(apikey: str) -> str:
    return f'\'{{ "apikey": "{apikey}" }}\''


# ---------------------------------------------------------------------- the same answers


@pytest.mark.parametrize(
    ("source", "settings", "key", "command", "field"),
    [
        ("ibmcloud", {}, "api_key", post(IAM, FORM, f'"{GRANT}&apikey=$APIKEY"'), "access_token"),
        ("aws", {"region": "us-east-1"}, "mcsp_key", post(AWS, JSON, body("'$APIKEY'")), "token"),
        ("govcloud", {}, "mcsp_key", post(GOVCLOUD, JSON, body("'$APIKEY'")), "token"),
    ],
)
def test_the_command_and_curl_are_given_the_same_kind_of_token(
    world: World, source: str, settings: dict[str, str], key: str, command: str, field: str
) -> None:
    secret = getattr(world.box, key)
    answer = json.loads(world.shell(command, APIKEY=secret).stdout)
    ours = world.wxhelper("token", source, secret, **settings)
    assert (ours.status, ours.err) == (0, "")
    assert world.subject(ours.out.strip()) == world.subject(answer[field])


def test_cloud_pak_for_data_gives_curl_and_the_command_the_same_kind_of_token(
    world: World,
) -> None:
    key = world.box.member.api_key
    data = f'\'{{"username": "{USERNAME}", "api_key": "\'$APIKEY\'"}}\''
    answer = json.loads(world.shell(post(CLOUDPAK, JSON, data), APIKEY=key).stdout)
    settings = {"url": "https://cpd.example.com", "username": USERNAME, "mode": "bearer"}
    ours = world.wxhelper("token", "dph", key, **settings)
    assert (ours.status, ours.err) == (0, "")
    assert world.subject(ours.out.strip()) == world.subject(answer["token"]) == USERNAME


def test_text_is_generated_with_the_commands_header(world: World) -> None:
    header = world.wxhelper("header", "ibmcloud", world.box.api_key)
    assert header.status == 0
    call = post(GENERATION, JSON, shlex.quote('{"input": "Hi"}'))
    line = f'printf %s "$HEADER" | {call} -H @-'
    answer = json.loads(world.shell(line, HEADER=header.out).stdout)
    assert answer["results"][0]["generated_text"] == "You asked: Hi"


# ------------------------------------------------------------- the documents' mistakes


@pytest.mark.parametrize(("source", "url"), [("aws", AWS), ("govcloud", GOVCLOUD)])
def test_a_variable_in_single_quotes_is_sent_as_it_stands_and_refused_here(
    world: World, source: str, url: str
) -> None:
    sent = world.shell(post(url, JSON, body("${APIKEY}")), APIKEY=world.box.mcsp_key)
    assert json.loads(sent.stdout)["errorCode"] == "BXNIM0415E"
    assert b"${APIKEY}" in world.box.requests[-1].body
    settings = {"region": "us-east-1"} if source == "aws" else {}
    ours = world.wxhelper("token", source, "${APIKEY}", **settings)
    assert (ours.status, ours.out) == (5, "")
    assert len(world.box.requests) == 1


def test_the_address_with_three_slashes_is_told_with_the_right_one(world: World) -> None:
    # curl overlooks the third slash; by RFC 3986 there is no host before it.
    slip = GOVCLOUD.replace("https://", "https:///")
    ours = world.wxhelper("token", "govcloud", world.box.mcsp_key, url=slip)
    assert (ours.status, ours.out) == (5, "")
    assert f"three slashes and so no host: {slip}; write it as {GOVCLOUD}" in ours.err
    assert len(world.box.requests) == 0


def test_the_saas_platforms_token_is_in_token_and_not_in_access_token(world: World) -> None:
    command = post(AWS, JSON, body("'$APIKEY'"))
    answer = json.loads(world.shell(command, APIKEY=world.box.mcsp_key).stdout)
    assert "access_token" not in answer


def test_a_key_with_reserved_letters_is_spoilt_by_curls_data_and_not_here(world: World) -> None:
    key = "a+b&c=d%41"
    world.box.keys[key] = world.box.keys[world.box.api_key]
    command = post(IAM, FORM, f'"{GRANT}&apikey=$APIKEY"')
    answer = json.loads(world.shell(command, APIKEY=key).stdout)
    assert answer["errorCode"] == "BXNIM0415E"
    assert world.wxhelper("token", "ibmcloud", key).status == 0


def test_echo_and_base64_make_a_header_that_is_refused_and_the_commands_is_not(
    world: World,
) -> None:
    key = world.box.member.api_key
    call = f"curl -q -sS -o {os.devnull} -w '%{{http_code}}' {PRODUCTS} -H"
    echoed = f'{call} "Authorization: ZenApiKey $(echo "$WHO:$APIKEY" | base64 -w 0)"'
    assert world.shell(echoed, WHO=USERNAME, APIKEY=key).stdout == "401"
    settings = {"url": "https://cpd.example.com", "username": USERNAME, "mode": "zenapikey"}
    ours = world.wxhelper("header", "dph", key, **settings)
    assert (ours.status, ours.err) == (0, "")
    assert world.shell(f'{call} "$HEADER"', HEADER=ours.out.rstrip("\n")).stdout == "200"
    printed = world.shell('printf %s "$WHO:$APIKEY" | base64 -w 0', WHO=USERNAME, APIKEY=key)
    assert ours.out == f"Authorization: ZenApiKey {printed.stdout}\n"


# ---------------------------------------------------------- what is never to be called

USES = [
    *(f"{verb} --profile {name}" for verb in ("token", "header") for name in ("dph", "dph-zen")),
    "token --profile dph --refresh",
    "token --profile dph --min-ttl 86400",
    "token --profile dph --output json",
    "exec-credential --profile dph",
    "exec-credential --profile dph-zen",
    "invalidate --profile dph",
    "token --profile dph",
    "sources",
]


def test_no_command_makes_a_new_key_of_data_product_hub(wx: "Command", sandbox: Sandbox) -> None:
    key = sandbox.member.api_key
    for use in USES:
        wx(*use.split())
    assert {request.path for request in sandbox.requests} == {"/icp4d-api/v1/authorize"}
    assert sandbox.member.api_key == key
