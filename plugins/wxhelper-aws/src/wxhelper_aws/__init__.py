"""Token source ``aws``: an API key of IBM watsonx on AWS becomes an access token.

The exchange is ``POST https://{region}.aws.data.ibm.com/api/rest/mcsp/apikeys/token``
with the key as JSON (IBM's documents, "Generating an API key and bearer token"). The
IBM SaaS platform (MCSP) behind it has more addresses of the same kind, which a
profile's ``url`` may name: ``/api/2.0/apikeys/token``, the same for one account,
subscription or service (ibm-cloud-sdk-core's ``mcspv2_token_manager.py``), and
``/siusermgr/api/1.0/apikeys/token`` for keys of version 1 (``mcsp_token_manager.py``).

The documents read the token in ``access_token``, all of IBM's SDKs in ``token``: both
are understood, and two that differ are not.
"""

import re
from collections.abc import Iterator

from wxhelper.plugin import KeyExchange, Setting, Settings, TokenSourceType, hookimpl

wxhelper_api = 1

_MCSP = KeyExchange(
    service="IBM watsonx on AWS",
    url="https://{region}.aws.data.ibm.com/api/rest/mcsp/apikeys/token",
    body="json",
    token_fields=("token", "access_token"),
    paths={
        "account-iam.platform.saas.ibm.com": "/api/2.0/apikeys/token",
        "account-iam.platform.test.saas.ibm.com": "/api/2.0/apikeys/token",
        "iam.platform.saas.ibm.com": "/siusermgr/api/1.0/apikeys/token",
        "iam.platform.test.saas.ibm.com": "/siusermgr/api/1.0/apikeys/token",
    },
    # What the SDKs add to the address for one account; without them the service's defaults hold.
    switches=(
        "includeBuiltinActions",
        "includeCustomActions",
        "includeRoles",
        "prefixRolesWithDefinitionScope",
    ),
    key_forms={
        "mcsp-1": "https://iam.platform.saas.ibm.com/siusermgr/api/1.0/apikeys/token",
        "mcsp-2": "https://account-iam.platform.saas.ibm.com/api/2.0/apikeys/token",
    },
)

_REGION = r"[a-z]{2}(-[a-z]+)+-\d"
_WATSONX = ("us-east-1", "ap-south-1")
_ORCHESTRATE = {
    "us-east-1": "api.dl.watson-orchestrate.ibm.com",
    "ap-south-1": "api.ap-south-1.dl.watson-orchestrate.ibm.com",
    "eu-central-1": "api.eu-central-1.dl.watson-orchestrate.ibm.com",
}


def _audience(settings: Settings) -> frozenset[str]:
    # A key of the platform is good in every region: without one, those that are known.
    regions = _regions(settings)
    watsonx = (
        host.format(region)
        for region in regions
        for host in (
            "{}.aws.wxai.ibm.com",
            "private.{}.aws.wxai.ibm.com",
            "{}.aws.data.ibm.com",
            "api.{}.aws.data.ibm.com",
        )
    )
    known = _ORCHESTRATE if regions == _WATSONX else regions
    return frozenset(watsonx) | {_ORCHESTRATE[r] for r in known if r in _ORCHESTRATE}


def _regions(settings: Settings) -> tuple[str, ...]:
    if "region" in settings:
        return (settings["region"],)
    named = re.search(rf"//({_REGION})\.aws\.data\.ibm\.com(?=[:/]|$)", settings.get("url", ""))
    return (named[1],) if named else _WATSONX


@hookimpl
def wxhelper_token_sources() -> Iterator[TokenSourceType]:
    """Offer ``aws``."""
    yield TokenSourceType(
        name="aws",
        summary="IBM watsonx on AWS: access token, from an API key (Personal Access Key)",
        settings=(
            Setting(
                name="region",
                help="the AWS region of the account, for example us-east-1 or ap-south-1",
                required=True,
                unless="url",
                pattern=_REGION,
            ),
        ),
        token_hosts=_MCSP.token_hosts,
        audience=_audience,
        open=_MCSP.open,
        api_key_variables=("WATSONX_APIKEY", "WATSONX_API_KEY", "WXO_API_KEY", "WO_API_KEY"),
        services={
            "watsonx.ai": {r: f"https://{r}.aws.wxai.ibm.com" for r in _WATSONX},
            "projects, spaces and data": {r: f"https://api.{r}.aws.data.ibm.com" for r in _WATSONX},
            "watsonx Orchestrate": {r: f"https://{host}" for r, host in _ORCHESTRATE.items()},
        },
    )
