"""What goes over the wire, beside what IBM's own SDKs send to the same addresses.

Each SDK and the command are given the same key and nothing else; both find IBM's
addresses by themselves, and the way there ends at a sandbox. The difference of what
came in is computed, whole, and is the one that is listed here. Not compared are what
any two HTTP clients differ in: the length of the content, and its compression.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tunnel import ibm
from wire import ABSENT, Difference, difference, said, token_requests
from wxhelper.sandbox import Sandbox
from wxhelper.sandbox.sandbox import USERNAME

if TYPE_CHECKING:
    from tests.conftest import Command

pytestmark = pytest.mark.filterwarnings(
    "ignore:.verify=<str>. is deprecated:DeprecationWarning:httpx",  # ibm-watsonx-ai does it
)

ODD_KEY = "a+b/c=d&e%41 f"  # what a form must not spoil

# ------------------------------------------------------------------ what IBM's SDKs are told


def core(name: str, **said: Any) -> Callable[[], str]:
    """An authenticator of ibm-cloud-sdk-core."""

    def get() -> str:
        from ibm_cloud_sdk_core import authenticators

        token = getattr(authenticators, name)(**said).token_manager.get_token()
        assert isinstance(token, str)
        return token

    return get


def watsonx(**said: Any) -> Callable[[], str]:
    """A client of ibm-watsonx-ai, which asks for its token when it is made."""

    def get() -> str:
        watsonx_ai = pytest.importorskip("ibm_watsonx_ai", reason="it is not for this Python")
        token = watsonx_ai.APIClient(watsonx_ai.Credentials(**said)).token
        assert isinstance(token, str)
        return token

    return get


@dataclass(frozen=True)
class Case:
    """An SDK and a source that are to say the same.

    Attributes:
        key: which of the sandbox's keys both are given.
        sdk: makes the SDK's request, from the sandbox and the key.
        ours: the variables that make the command's profile; ``{...}`` is the sandbox's.
        differences: for each request, what the SDK says and what the command says instead.
    """

    key: str
    sdk: Callable[[Sandbox, str], Callable[[], str]]
    ours: Mapping[str, str]
    differences: list[Difference] = field(default_factory=list)


# ------------------------------------------------------------------------ the differences

WHO = {"header user-agent": ("ibm-python-sdk-core", "wxhelper")}
HTTPX = {
    "header user-agent": ("python-httpx", "wxhelper"),
    "header accept": ("*/*", "application/json"),
}
IAM_BY_WATSONX = {
    **HTTPX,
    # A client named bx makes the token part of a session, which can end before the token does.
    "header authorization": ("Basic Yng6Yng=", ABSENT),
    # Its documents leave it out, its SDK cores say it; it is what is meant either way.
    "body response_type": (ABSENT, "cloud_iam"),
}
CASES = {
    "IAM, SDK core": Case(
        "iam",
        lambda box, key: core("IAMAuthenticator", apikey=key),
        {"SOURCE": "ibmcloud"},
        [WHO],
    ),
    "IAM, SDK core, an odd key": Case(
        "odd",
        lambda box, key: core("IAMAuthenticator", apikey=key),
        {"SOURCE": "ibmcloud"},
        [WHO],
    ),
    "IAM, watsonx.ai": Case(
        "iam",
        lambda box, key: watsonx(url="https://us-south.ml.cloud.ibm.com", api_key=key),
        {"SOURCE": "ibmcloud"},
        [IAM_BY_WATSONX],
    ),
    "a trusted profile by its id, SDK core": Case(
        "iam",
        lambda box, key: core(
            "IAMAssumeAuthenticator", apikey=key, iam_profile_id=box.trusted_profile.identifier
        ),
        {"SOURCE": "ibmcloud", "TRUSTED_PROFILE": "{profile.identifier}"},
        [WHO, WHO],
    ),
    "a trusted profile by its CRN, SDK core": Case(
        "iam",
        lambda box, key: core(
            "IAMAssumeAuthenticator", apikey=key, iam_profile_crn=box.trusted_profile.crn
        ),
        {"SOURCE": "ibmcloud", "TRUSTED_PROFILE": "{profile.crn}"},
        [WHO, WHO],
    ),
    "a trusted profile by its name, SDK core": Case(
        "iam",
        lambda box, key: core(
            "IAMAssumeAuthenticator",
            apikey=key,
            iam_profile_name=box.trusted_profile.name,
            iam_account_id=box.trusted_profile.account,
        ),
        {
            "SOURCE": "ibmcloud",
            "TRUSTED_PROFILE": "{profile.name}",
            "ACCOUNT": "{profile.account}",
        },
        [WHO, WHO],
    ),
    "a trusted profile, watsonx.ai": Case(
        "iam",
        lambda box, key: watsonx(
            url="https://us-south.ml.cloud.ibm.com",
            api_key=key,
            trusted_profile_id=box.trusted_profile.identifier,
        ),
        {"SOURCE": "ibmcloud", "TRUSTED_PROFILE": "{profile.identifier}"},
        [
            IAM_BY_WATSONX,
            {
                **HTTPX,
                # Addresses are written into logs; a token is not for them.
                "query access_token": ("THE TOKEN", ABSENT),
                "query grant_type": ("urn:ibm:params:oauth:grant-type:assume", ABSENT),
                "query profile_id": ("THE PROFILE", ABSENT),
                "body access_token": (ABSENT, "THE TOKEN"),
                "body grant_type": (ABSENT, "urn:ibm:params:oauth:grant-type:assume"),
                "body profile_id": (ABSENT, "THE PROFILE"),
            },
        ],
    ),
    "MCSP, first version, SDK core": Case(
        "mcsp_v1",
        lambda box, key: core(
            "MCSPAuthenticator", apikey=key, url="https://iam.platform.saas.ibm.com"
        ),
        {
            "SOURCE": "aws",
            "URL": "https://iam.platform.saas.ibm.com/siusermgr/api/1.0/apikeys/token",
        },
        [WHO],
    ),
    "MCSP, second version, SDK core": Case(
        "mcsp",
        lambda box, key: core(
            "MCSPV2Authenticator",
            apikey=key,
            url="https://account-iam.platform.saas.ibm.com",
            scope_collection_type="accounts",
            scope_id="20250101-0000-0000-0000-000000000000",
        ),
        {
            "SOURCE": "aws",
            "URL": "https://account-iam.platform.saas.ibm.com/api/2.0/accounts/"
            "20250101-0000-0000-0000-000000000000/apikeys/token",
        },
        [
            {
                **WHO,
                # The defaults. They can stand in the profile's url; see the next case.
                "query includeBuiltinActions": ("false", ABSENT),
                "query includeCustomActions": ("false", ABSENT),
                "query includeRoles": ("true", ABSENT),
                "query prefixRolesWithDefinitionScope": ("false", ABSENT),
            }
        ],
    ),
    "MCSP, second version, the defaults said aloud": Case(
        "mcsp",
        lambda box, key: core(
            "MCSPV2Authenticator",
            apikey=key,
            url="https://account-iam.platform.saas.ibm.com",
            scope_collection_type="services",
            scope_id="my-service",
        ),
        {
            "SOURCE": "aws",
            "URL": "https://account-iam.platform.saas.ibm.com/api/2.0/services/my-service/apikeys/"
            "token?includeBuiltinActions=false&includeCustomActions=false&includeRoles=true"
            "&prefixRolesWithDefinitionScope=false",
        },
        [WHO],
    ),
    "MCSP, watsonx.ai": Case(
        "mcsp",
        lambda box, key: watsonx(url="https://us-east-1.aws.wxai.ibm.com", api_key=key),
        {
            "SOURCE": "aws",
            "URL": "https://account-iam.platform.saas.ibm.com/api/2.0/apikeys/token",
        },
        [HTTPX],
    ),
    "AWS, watsonx.ai": Case(
        "mcsp",
        lambda box, key: watsonx(url="https://us-east-1.aws.wxai.ibm.com", api_key=key),
        {"SOURCE": "aws", "REGION": "us-east-1"},
        [
            {
                **HTTPX,
                # IBM's documents name the former for what is below the latter.
                "host": ("account-iam.platform.saas.ibm.com", "us-east-1.aws.data.ibm.com"),
                "path": ("/api/2.0/apikeys/token", "/api/rest/mcsp/apikeys/token"),
            }
        ],
    ),
    "GovCloud, watsonx.ai": Case(
        "mcsp",
        lambda box, key: watsonx(url="https://wxai.ibmforusgov.com", api_key=key),
        {"SOURCE": "govcloud"},
        [HTTPX],
    ),
    "Cloud Pak for Data, SDK core": Case(
        "member",
        lambda box, key: core(
            "CloudPakForDataAuthenticator",
            username=USERNAME,
            apikey=key,
            url="https://cpd.example.com/icp4d-api",
        ),
        {
            "SOURCE": "dph",
            "URL": "https://cpd.example.com",
            "USERNAME": USERNAME,
            "MODE": "bearer",
        },
        [
            {
                **WHO,
                "header accept": ("*/*", "application/json"),
                "body password": ("null", ABSENT),
                "body account_id": ("null", ABSENT),
            }
        ],
    ),
    "Cloud Pak for Data, watsonx.ai": Case(
        "member",
        lambda box, key: watsonx(
            url="https://cpd.example.com", version="5.3", username=USERNAME, api_key=key
        ),
        {
            "SOURCE": "dph",
            "URL": "https://cpd.example.com",
            "USERNAME": USERNAME,
            "MODE": "bearer",
        },
        [HTTPX],
    ),
}

# ------------------------------------------------------------------------- the comparison


@pytest.fixture
def way(tmp_path: Path) -> Iterator[tuple[Sandbox, Mapping[str, str]]]:
    folder = tmp_path / "ibm"
    folder.mkdir(mode=0o700)
    with ibm(folder) as found:
        yield found


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_command_says_what_the_sdk_says_but_for_what_is_listed(
    case: Case,
    way: tuple[Sandbox, Mapping[str, str]],
    wx: "Command",
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    box, variables = way
    box.keys[ODD_KEY] = box.keys[box.api_key]
    key = {
        "iam": box.api_key,
        "odd": ODD_KEY,
        "mcsp": box.mcsp_key,
        "mcsp_v1": box.mcsp_v1_key,
        "member": box.member.api_key,
    }[case.key]
    secrets = {key: "THE KEY", box.trusted_profile.identifier: "THE PROFILE"}
    for name, value in {**variables, "WATSONX_ACCEPT_GOV_ENV": "True"}.items():
        monkeypatch.setenv(name, value)
    theirs = box.issuer.grant(case.sdk(box, key)())
    their_requests = [said(request, secrets) for request in token_requests(box)]

    profile = {
        f"WXHELPER_{name}": value.format(profile=box.trusted_profile)
        for name, value in case.ours.items()
    }
    nowhere = str(tmp_path / "nowhere.toml")
    done = wx(
        "token", WXHELPER_CONFIG=nowhere, WXHELPER_API_KEY=key, NO_PROXY="", **variables, **profile
    )
    assert (done.status, done.err) == (0, "")
    ours = box.issuer.grant(done.out.strip())
    our_requests = [said(request, secrets) for request in token_requests(box)]

    assert ours is not None
    assert theirs is not None
    assert (ours.subject, ours.scheme) == (theirs.subject, theirs.scheme)
    assert len(our_requests) == len(their_requests)
    found = [difference(t, o) for t, o in zip(their_requests, our_requests, strict=True)]
    assert found == case.differences
    assert "THE KEY" in our_requests[0].values()


@pytest.mark.parametrize("key", [ODD_KEY, "a+b"])
def test_a_key_that_watsonx_ai_spoils_arrives(
    key: str, way: tuple[Sandbox, Mapping[str, str]], wx: "Command", tmp_path: Path
) -> None:
    box, variables = way
    box.keys[key] = box.keys[box.api_key]
    with pytest.MonkeyPatch.context() as patch:
        for name, value in variables.items():
            patch.setenv(name, value)
        with pytest.raises(Exception, match="BXNIM0415E"):
            watsonx(url="https://us-south.ml.cloud.ibm.com", api_key=key)()
    nowhere = str(tmp_path / "nowhere.toml")
    assert wx("token", WXHELPER_CONFIG=nowhere, WXHELPER_API_KEY=key, **variables).status == 0
