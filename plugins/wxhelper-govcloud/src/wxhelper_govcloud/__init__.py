"""Token source ``govcloud``: an API key of IBM watsonx in AWS GovCloud becomes an access token.

The exchange is ``POST https://dai.ibmforusgov.com/api/rest/mcsp/apikeys/token`` with
the key as JSON (IBM's documents, "Generating an API key and bearer token", where the
address has a slash too many). It is the exchange of source ``aws`` at another
address, for keys and services of its own: nothing of one is good for the other.
"""

from collections.abc import Iterator

from wxhelper.plugin import KeyExchange, Settings, TokenSourceType, hookimpl

wxhelper_api = 1

_MCSP = KeyExchange(
    service="IBM watsonx in GovCloud",
    url="https://dai.ibmforusgov.com/api/rest/mcsp/apikeys/token",
    body="json",
    token_fields=("token", "access_token"),
    key_forms={"mcsp-1": "", "mcsp-2": ""},
)
# Each by its whole name: that of a stranger may end in the same letters.
_AUDIENCE = frozenset(
    {
        "wxai.ibmforusgov.com",
        "api.dai.ibmforusgov.com",
        "private.internal.wxai.ibmforusgov.com",
        "internal.api.dai.ibmforusgov.com",
    }
)


def _audience(settings: Settings) -> frozenset[str]:  # noqa: ARG001
    return _AUDIENCE


@hookimpl
def wxhelper_token_sources() -> Iterator[TokenSourceType]:
    """Offer ``govcloud``."""
    yield TokenSourceType(
        name="govcloud",
        summary="IBM watsonx in AWS GovCloud: access token, from an API key",
        token_hosts=_MCSP.token_hosts,
        audience=_audience,
        open=_MCSP.open,
        api_key_variables=("WATSONX_APIKEY", "WATSONX_API_KEY"),
        services={
            "watsonx.ai": {"": "https://wxai.ibmforusgov.com"},
            "projects, spaces and data": {"": "https://api.dai.ibmforusgov.com"},
        },
    )
