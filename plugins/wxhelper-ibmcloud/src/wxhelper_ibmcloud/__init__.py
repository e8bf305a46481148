"""Token source ``ibmcloud``: an IBM Cloud API key becomes an IAM access token.

The exchange is ``POST {iam}/identity/token``, form-encoded, with the ``apikey``
grant (IBM Cloud API docs, IAM Identity Services; ibm-cloud-sdk-core's
``iam_request_based_token_manager.py``). Three things differ from what IBM's
documents and SDKs show, on purpose: the key is url-encoded, so that ``+ & = %`` in
it survive; no client ``bx:bx`` is named, because that makes the token part of a
session that can end early; and a lifetime is never assumed, because an account
may set any from 15 minutes to an hour.

A service ID's API key goes the same way, and gives what IBM's documents call a
service-level token.
"""

from collections.abc import Iterator

from wxhelper.plugin import KeyExchange, Settings, TokenSourceType, hookimpl

wxhelper_api = 1

_IAM = KeyExchange(
    service="IBM Cloud IAM",
    url="https://iam.cloud.ibm.com/identity/token",
    body="form",
    fields={
        "grant_type": "urn:ibm:params:oauth:grant-type:apikey",
        "response_type": "cloud_iam",
    },
)

_REGIONS = ("us-south", "eu-de", "eu-gb", "jp-tok", "au-syd", "ca-tor")
_AUDIENCE = frozenset(
    host
    for public in (
        *(f"{region}.ml.cloud.ibm.com" for region in _REGIONS),
        "api.dataplatform.cloud.ibm.com",
        *(f"api.{region}.dataplatform.cloud.ibm.com" for region in ("eu-de", "eu-gb", "jp-tok")),
        *(f"api.{region}.dai.cloud.ibm.com" for region in ("au-syd", "ca-tor")),
        "api.aiopenscale.cloud.ibm.com",
        "*.watson-orchestrate.cloud.ibm.com",
    )
    for host in (public, *(() if public.startswith("*") else (f"private.{public}",)))
)
# IBM Cloud Container Registry (ibm-cloud-docs/Registry:registry_access.md), where the token
# is the password of the user "iambearer". cp.icr.io, the registry of entitled software, takes
# other keys and is not among them.
_REGISTRIES = frozenset(
    host
    for place in ("us", "uk", "de", "au", "jp", "jp2", "ca", "ca2", "br", "es", "in", "in2")
    for host in (f"{place}.icr.io", f"private.{place}.icr.io", f"private-{place}.icr.io")
) | {"icr.io", "private.icr.io"}


def _audience(settings: Settings) -> frozenset[str]:  # noqa: ARG001
    # Never a blanket *.cloud.ibm.com: customers' own workloads live below it.
    return _AUDIENCE | _REGISTRIES


def _registries(settings: Settings) -> frozenset[str]:  # noqa: ARG001
    return _REGISTRIES


@hookimpl
def wxhelper_token_sources() -> Iterator[TokenSourceType]:
    """Offer ``ibmcloud``."""
    yield TokenSourceType(
        name="ibmcloud",
        summary="IBM Cloud IAM access token, from a user's or a service ID's API key",
        token_hosts=_IAM.token_hosts,
        audience=_audience,
        open=_IAM.open,
        registries=_registries,
        api_key_variables=(
            "IBMCLOUD_API_KEY",
            "IBM_CLOUD_API_KEY",
            "IC_API_KEY",
            "WATSONX_APIKEY",
            "WATSONX_API_KEY",
            "BM_API_KEY",
            "BLUEMIX_API_KEY",
            "WX_API_KEY",
            "WATSONX_AI_APIKEY",
            "WXAI_API_KEY",
            "WXG_API_KEY",
            "IBM_API_KEY_ID",
        ),
    )
