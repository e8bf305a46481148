"""Token sources ``ibmcloud`` and ``ibmcloud-kubernetes``: an IBM Cloud API key becomes a token.

The exchange is ``POST {iam}/identity/token``, form-encoded, with the ``apikey``
grant (IBM Cloud API docs, IAM Identity Services; ibm-cloud-sdk-core's
``iam_request_based_token_manager.py``). Three things differ from what IBM's
documents and SDKs show, on purpose: the key is url-encoded, so that ``+ & = %`` in
it survive; no client ``bx:bx`` is named, because that makes the token part of a
session that can end early; and a lifetime is never assumed, because an account
may set any from 15 minutes to an hour.

A service ID's API key goes the same way, and gives what IBM's documents call a
service-level token.

With ``trusted_profile`` a second request trades the token for one of that profile, by
the ``assume`` grant (``iam_assume_token_manager.py``). The token goes in the body, too:
an address ends up in logs.

``ibmcloud-kubernetes`` asks the same service as the client ``kube``, and takes the
``id_token`` of the answer: what the API servers of IBM Cloud Kubernetes Service
verify (ManageIQ/manageiq-providers-ibm_cloud does it in this one request). It is the
same for every cluster of the account.
"""

from collections.abc import Iterator
from dataclasses import replace

from wxhelper.plugin import (
    ConfigurationError,
    KeyExchange,
    Setting,
    Settings,
    TokenSourceType,
    hookimpl,
)

wxhelper_api = 1

_URL = "https://iam.cloud.ibm.com/identity/token"
_GRANT = "urn:ibm:params:oauth:grant-type:"
_ASSUME = KeyExchange(
    service="IBM Cloud IAM (trusted profile)",
    url=_URL,
    body="form",
    key_field="access_token",
    fields={"grant_type": f"{_GRANT}assume"},
    refused="does not let the holder of the API key from {origin} assume the trusted profile",
    remedy="correct trusted_profile, or let the profile trust that identity, and then run: "
    "wxhelper invalidate {profile}",
)


def _assuming(settings: Settings) -> KeyExchange | None:
    """The second step, when the profile has a trusted profile."""
    profile = settings.get("trusted_profile")
    if profile is None:
        return None
    if profile.startswith("crn:"):
        named = {"profile_crn": "{trusted_profile}"}
    elif profile.startswith("Profile-"):
        named = {"profile_id": "{trusted_profile}"}
    elif "account" in settings:
        named = {"profile_name": "{trusted_profile}", "account": "{account}"}
    else:
        raise ConfigurationError(
            "trusted_profile is a name, and the setting account is missing",
            remedy="write account = the account's ID, or trusted_profile = the profile's ID or CRN",
        )
    return replace(_ASSUME, fields={**_ASSUME.fields, **named})


_IAM = KeyExchange(
    service="IBM Cloud IAM",
    url=_URL,
    body="form",
    fields={"grant_type": f"{_GRANT}apikey", "response_type": "cloud_iam"},
    key_forms={"ibmcloud": ""},
    then=_assuming,
)
_KUBERNETES = KeyExchange(
    service="IBM Cloud IAM",
    url=_URL,
    body="form",
    fields={"grant_type": f"{_GRANT}apikey"},
    headers={"Authorization": "Basic a3ViZTprdWJl"},  # kube:kube, a client and no secret
    token_fields=("id_token",),
    own_life=True,  # the answer's expires_in is the access token's
    key_forms={"ibmcloud": ""},
)


def _token_hosts(settings: Settings) -> frozenset[str]:
    _assuming(settings)  # settings that cannot lead to a token are told before a key is asked for
    return _IAM.token_hosts(settings)


_KEY_VARIABLES = (
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
)

_REGIONS = ("us-south", "eu-de", "eu-gb", "jp-tok", "au-syd", "ca-tor")
_PLATFORM = {
    "us-south": "api.dataplatform.cloud.ibm.com",
    **{region: f"api.{region}.dataplatform.cloud.ibm.com" for region in _REGIONS[1:4]},
    **{region: f"api.{region}.dai.cloud.ibm.com" for region in _REGIONS[4:]},
}
_AUDIENCE = frozenset(
    host
    for public in (
        *(f"{region}.ml.cloud.ibm.com" for region in _REGIONS),
        *_PLATFORM.values(),
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


def _no_audience(settings: Settings) -> frozenset[str]:  # noqa: ARG001
    # A cluster's API server has a name of its own below a domain that all customers share.
    # kubectl needs no list; who wants the token for other clients says so with `hosts`.
    return frozenset()


@hookimpl
def wxhelper_token_sources() -> Iterator[TokenSourceType]:
    """Offer ``ibmcloud`` and ``ibmcloud-kubernetes``."""
    yield TokenSourceType(
        name="ibmcloud",
        summary="IBM Cloud IAM access token, from a user's or a service ID's API key",
        settings=(
            Setting(
                name="trusted_profile",
                help="the ID, CRN or name of a trusted profile whose token is wanted instead",
                asked=False,
            ),
            Setting(
                name="account",
                help="the ID of its account, beside a trusted profile's name",
                asked=False,
            ),
        ),
        token_hosts=_token_hosts,
        audience=_audience,
        open=_IAM.open,
        registries=_registries,
        api_key_variables=_KEY_VARIABLES,
        services={
            "watsonx.ai": {region: f"https://{region}.ml.cloud.ibm.com" for region in _REGIONS},
            "projects, spaces and data": {r: f"https://{host}" for r, host in _PLATFORM.items()},
            "watsonx.governance": {"": "https://api.aiopenscale.cloud.ibm.com"},
        },
    )
    yield TokenSourceType(
        name="ibmcloud-kubernetes",
        summary="IBM Cloud IAM ID token, for kubectl and IBM Cloud Kubernetes Service",
        token_hosts=_KUBERNETES.token_hosts,
        audience=_no_audience,
        open=_KUBERNETES.open,
        api_key_variables=_KEY_VARIABLES,
    )
