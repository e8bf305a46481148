"""What a profile of each source can get wrong: one line, and what to do."""

from typing import TYPE_CHECKING

import pytest

from mistakes import (
    OURS,
    PASTED,
    Prepare,
    Row,
    by_name,
    key,
    profile,
    run,
    told_in_one_line,
)

if TYPE_CHECKING:
    from mistakes import World

AWS = "it is the AWS region of the account, for example us-east-1 or ap-south-1"
GOV = "https:///dai.ibmforusgov.com/api/rest/mcsp/apikeys/token"
ZEN = {"source": "dph", "mode": "zenapikey", "username": "me"}


def bare(**settings: str | None) -> Prepare:
    """A profile without a url."""
    return profile(url=None, **settings)


WRONG: list[Row] = [
    (
        "aws without a region",
        "token",
        bare(source="aws"),
        f"{OURS}profiles.sandbox.region is missing; {AWS}",
    ),
    (
        "aws with a region that is none",
        "token",
        bare(source="aws", region="us_east_1"),
        f"{OURS}profiles.sandbox.region cannot be us_east_1; {AWS}",
    ),
    (
        "aws with a host for a region",
        "token",
        bare(source="aws", region="us-east-1.evil.example/x-1"),
        f"{OURS}profiles.sandbox.region cannot be us-east-1.evil.example/x-1; {AWS}",
    ),
    (
        "aws with an empty region",
        "token",
        bare(source="aws", region=""),
        f"{OURS}profiles.sandbox.region is empty; {AWS}",
    ),
    (
        "aws with a key in the query",
        "token",
        profile(source="aws", url=f"https://x.example/api?apikey={PASTED}"),
        (
            f"{OURS}url must not have a query or a fragment: https://x.example/api; "
            "write it as https://x.example/api"
        ),
    ),
    (
        "govcloud as in the documents",
        "token",
        profile(source="govcloud", url=GOV),
        (
            f"{OURS}url has three slashes and so no host: {GOV}; "
            "write it as https://dai.ibmforusgov.com/api/rest/mcsp/apikeys/token"
        ),
    ),
    (
        "govcloud with a region",
        "token",
        profile(source="govcloud", region="us-east-1"),
        OURS + "{config}: unknown key profiles.sandbox.region; "
        "known here: source, api_key, hosts, login, url, ca_file",
    ),
    (
        "dph without a url",
        "token",
        bare(source="dph", username="me"),
        f"{OURS}the setting url is missing; write it into the profile, or export WXHELPER_URL",
    ),
    (
        "dph without a user",
        "token",
        profile(source="dph"),
        (
            f"{OURS}the setting username is missing; write it into the profile, or export "
            "WXHELPER_USERNAME"
        ),
    ),
    (
        "dph with another mode",
        "token",
        profile(source="dph", username="me", mode="basic"),
        f"{OURS}profiles.sandbox.mode cannot be basic; choose one of bearer, zenapikey",
    ),
    (
        "a ZenApiKey for a name with a colon",
        "header",
        bare(source="dph", mode="zenapikey", username="me:you"),
        (
            f"{OURS}the setting username holds a colon or an unprintable character; write the name "
            "that you log in with"
        ),
    ),
    (
        "a ZenApiKey for kubectl",
        "exec-credential",
        bare(**ZEN),
        (
            f"{OURS}exec-credential can only carry Bearer tokens, and source dph gives ZenApiKey; "
            "name another profile: wxhelper exec-credential --profile NAME"
        ),
    ),
    (
        "a trusted profile by its name alone",
        "token",
        profile(trusted_profile="deployer"),
        (
            f"{OURS}trusted_profile is a name, and the setting account is missing; write account = "
            "the account's ID, or trusted_profile = the profile's ID or CRN"
        ),
    ),
]


@by_name(WRONG)
def test_a_profile_that_cannot_work_asks_nobody(
    command: str, prepare: Prepare, line: str, world: "World"
) -> None:
    prepare(world)
    told_in_one_line(world, run(world, command), 5, line)
    assert len(world.sandbox.requests) == 0


def test_a_token_in_place_of_a_key_is_told(world: "World") -> None:
    bare(**ZEN)(world)
    key("eyJhbGciOiJSUzI1NiJ9.e30.c2ln")(world)
    told_in_one_line(
        world,
        run(world, "token"),
        5,
        OURS + "file:{key_file} holds no API key: it looks like a token, and a key is what tokens "
        "are made from; put the key itself there",
    )


REFUSED: list[Row] = [
    (
        "a key of the SaaS platform for IBM Cloud",
        "token",
        lambda world: (profile()(world), key(world.sandbox.mcsp_key)(world)),
        OURS + "IBM Cloud IAM refused the API key from file:{key_file}: BXNIM0415E Provided API "
        "key could not be found; it looks like a key of the IBM SaaS platform: use source aws or "
        "govcloud",
    ),
    (
        "a key of IBM Cloud for AWS",
        "token",
        lambda world: (profile(source="aws")(world), key(PASTED)(world)),
        OURS + "IBM watsonx on AWS refused the API key from file:{key_file}: BXNIM0415E Provided "
        "API key could not be found; it looks like a key of IBM Cloud: use source ibmcloud",
    ),
    (
        "a key of version 1 for GovCloud",
        "token",
        lambda world: (
            profile(source="govcloud")(world),
            key(world.sandbox.mcsp_v1_key)(world),
        ),
        OURS + "IBM watsonx in GovCloud refused the API key from file:{key_file}: BXNIM0415E "
        "Provided API key could not be found; replace it: wxhelper login --profile sandbox; "
        "if the key was mended instead, run: wxhelper invalidate --profile sandbox",
    ),
]


@by_name(REFUSED)
def test_a_key_of_another_source_is_told_when_it_is_refused(
    command: str, prepare: Prepare, line: str, world: "World"
) -> None:
    prepare(world)
    for _ in range(2):  # the second time it is remembered
        told_in_one_line(world, run(world, command), 4, line)
    assert world.sandbox.token_requests() == 1


@pytest.mark.parametrize(
    ("variables", "out"),
    [
        (
            {"WXHELPER_MODE": "zenapikey", "WXHELPER_USERNAME": "me", "DPH_APIKEY": "k3y-k3y"},
            "Authorization: ZenApiKey bWU6azN5LWszeQ==\n",
        ),
        (
            {"WXHELPER_MODE": "zenapikey", "WATSONX_ZENAPIKEY": "bWU6azN5LWszeQ=="},
            "Authorization: ZenApiKey bWU6azN5LWszeQ==\n",
        ),
    ],
    ids=["key and name", "encoded"],
)
def test_variables_alone_are_enough(variables: dict[str, str], out: str, world: "World") -> None:
    world.unconfigured(WXHELPER_SOURCE="dph", **variables)
    assert run(world, "header") == (0, out, "")
