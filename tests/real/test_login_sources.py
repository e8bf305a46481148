"""``wxhelper login`` for every source: what it asks for, and what it says of a wrong key."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from logins import UNSAFE, Place, seen
from terminals import Screen
from wxhelper.sandbox import Sandbox
from wxhelper.sandbox.sandbox import USERNAME

if TYPE_CHECKING:
    from tests.conftest import Outcome

HIDDEN = "API key (not shown; @FILE takes it from a file): "
MODE = (
    "mode, bearer for a token that expires, zenapikey for the key itself in base64 "
    "(bearer, zenapikey) [bearer]: "
)
REGION = "region, the AWS region of the account, for example us-east-1 or ap-south-1: "
SAAS = "it looks like a key of the IBM SaaS platform: use --source aws or govcloud"


@pytest.fixture
def place(place: Place) -> Place:
    """The same, with the sources of IBM's documents."""
    place.wx.environ["WXHELPER_PLUGINS"] = "aws,dph,govcloud,ibmcloud"
    return place


def login(place: Place, source: str, key: str, *settings: str) -> "Outcome":
    return place.wx("login", "dev", "--source", source, *settings, "--api-key-stdin", stdin=key)


@pytest.mark.parametrize(
    ("mode", "said", "use"),
    [
        ("bearer", "the key works, and is in", "wxhelper token"),
        (
            "zenapikey",
            "the key was not tried, for no service is asked in this mode; it is in",
            "wxhelper curl-config URL | curl -K - URL",
        ),
    ],
)
def test_dph_asks_for_what_it_needs(
    mode: str, said: str, use: str, place: Place, sandbox: Sandbox, program: str
) -> None:
    screen = Screen([program, "login", "dev", "--source", "dph"], place.wx.environ)
    try:
        where = "url, the address of the platform, or of the instance whose key it is"
        screen.answer(f"{where} (empty: none): ", sandbox.http_url)
        screen.answer("username, the user whose key it is (empty: none): ", USERNAME)
        screen.answer(MODE, "basic")
        screen.answer(MODE, mode)
        screen.answer(HIDDEN, sandbox.member.api_key)
        done = screen.finish()
    finally:
        screen.close()
    assert done == (
        0,
        (
            f"{said} the private file {place.folder}/keys/dev{UNSAFE}\n"
            f"profile dev, source dph, the default one: {place.config}\n"
            f"try it: {use}\n"
        ),
        "",
    )
    assert len(sandbox.requests) == (mode == "bearer")
    assert place.wx("header").status == 0


def test_without_an_address_no_key_is_asked_for(place: Place, program: str) -> None:
    typed = ["login", "dev", "--source", "dph", "--mode", "bearer", "--username", USERNAME]
    screen = Screen([program, *typed], place.wx.environ)
    try:
        screen.answer("(empty: none): ", "")
        assert screen.finish() == (
            5,
            "",
            "wxhelper: the setting url is missing; give it with --url\n",
        )
    finally:
        screen.close()
    assert HIDDEN not in screen.shown


def test_aws_asks_for_a_region_until_it_can_be_one(
    place: Place, sandbox: Sandbox, program: str
) -> None:
    screen = Screen([program, "login", "dev", "--source", "aws"], place.wx.environ)
    try:
        screen.answer(REGION, "the moon")
        screen.answer(REGION, "")
        screen.answer(REGION, "us-east-1")
        screen.answer(HIDDEN, "\x03")
        assert screen.finish() == (130, "", "")
    finally:
        screen.close()
    assert len(sandbox.requests) == 0


@pytest.mark.parametrize("source", ["aws", "govcloud"])
def test_with_an_address_no_region_is_needed(source: str, place: Place, sandbox: Sandbox) -> None:
    done = login(place, source, sandbox.mcsp_key, "--url", sandbox.http_url)
    assert (done.status, done.err) == (0, "")
    assert "region" not in place.config.read_text()
    assert place.wx("token").status == 0


REFUSED = "refused the API key from standard input:"
UNKNOWN = f"{REFUSED} BXNIM0415E Provided API key could not be found (nothing was stored);"
Given = Callable[[Sandbox], tuple[str, ...]]
WRONG: dict[str, tuple[Given, int, str]] = {
    "dph with a key of the SaaS platform": (
        lambda s: ("dph", s.mcsp_key, "--url", s.http_url, "--username", USERNAME),
        4,
        (
            f"Cloud Pak for Data {REFUSED} User unauthorized to invoke this endpoint "
            f"(nothing was stored); {SAAS}"
        ),
    ),
    "ibmcloud with a key of the SaaS platform": (
        lambda s: ("ibmcloud", s.mcsp_key, "--url", s.http_url),
        4,
        f"IBM Cloud IAM {UNKNOWN} {SAAS}",
    ),
    "aws with a key of IBM Cloud": (
        lambda s: ("aws", s.api_key, "--url", s.http_url),
        4,
        f"IBM watsonx on AWS {UNKNOWN} it looks like a key of IBM Cloud: use --source ibmcloud",
    ),
    "aws with a key of the first version": (
        lambda s: ("aws", s.mcsp_v1_key, "--url", s.http_url),
        4,
        (
            f"IBM watsonx on AWS {UNKNOWN} it looks like a key of version 1: use --url "
            "https://iam.platform.saas.ibm.com/siusermgr/api/1.0/apikeys/token"
        ),
    ),
    "ibmcloud with a token": (
        lambda s: ("ibmcloud", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.abc", "--url", s.http_url),
        4,
        (
            f"IBM Cloud IAM {UNKNOWN} it looks like a token, and a key is what tokens are made "
            "from: put the key itself there"
        ),
    ),
    "govcloud with the address of the documents": (
        lambda s: ("govcloud", s.mcsp_key, "--url", "https:///dai.ibmforusgov.com"),
        5,
        (
            "url has three slashes and so no host: https:///dai.ibmforusgov.com; write it as "
            "https://dai.ibmforusgov.com"
        ),
    ),
    "dph without an address": (
        lambda s: ("dph", s.member.api_key, "--username", USERNAME),
        5,
        "the setting url is missing; give it with --url",
    ),
    "dph without a user": (
        lambda s: ("dph", s.member.api_key, "--url", s.http_url),
        5,
        "the setting username is missing (nothing was stored); give it with --username",
    ),
    "a trusted profile that does not trust": (
        lambda s: ("ibmcloud", s.api_key, "--url", s.http_url, "--trusted-profile", "Profile-0-0"),
        4,
        (
            "IBM Cloud IAM (trusted profile) does not let the holder of the API key from standard "
            "input assume the trusted profile: BXNIM0513E You are not authorized to use the "
            "requested profile (nothing was stored); correct trusted_profile, or let the profile "
            "trust that identity, and then run: wxhelper login dev"
        ),
    ),
    "an address that is no token service": (
        lambda s: ("ibmcloud", s.api_key, "--url", f"{s.http_url}/elsewhere"),
        3,
        (
            "IBM Cloud IAM answered HTTP 404 (nothing was stored); check --url: is it the token "
            "service?"
        ),
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_goes_wrong_is_told_in_the_options_of_login(
    case: str, place: Place, sandbox: Sandbox
) -> None:
    given, status, line = WRONG[case]
    source, key, *settings = given(sandbox)
    assert seen(login(place, source, key, *settings)) == (status, "", f"wxhelper: {line}\n")
    assert not place.folder.exists()
