"""Token source ``dph``: an API key of IBM Data Product Hub or Cloud Pak for Data.

``mode = "bearer"`` trades it for an access token: ``POST {url}/icp4d-api/v1/authorize``
with ``username`` and ``api_key`` as JSON (Cloud Pak for Data's documents;
ibm-cloud-sdk-core's ``cp4d_token_manager.py``, which sends a null password beside
them; here is none). The answer says nothing of the token's life; the token itself, a
JWT, does: 6 minutes to 12 hours, as the administrator chose.

``mode = "zenapikey"`` asks nobody: the value is ``username:key`` in base64, for the
scheme ``ZenApiKey`` ("Generating API authorization tokens"). It is the key itself and
is never kept. The documents' ``echo | base64`` puts a line break into it; here is none.

A key in the form of such a value is taken apart, and brings its own user name.
The service can also make a new key, which ends the old one: that is never asked for.
"""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from wxhelper.plugin import (
    ConfigurationError,
    KeyExchange,
    KeyUnavailable,
    Secret,
    Setting,
    Settings,
    SourceContext,
    Token,
    TokenSource,
    TokenSourceType,
    form_of,
    hookimpl,
    no_key,
    unwrapped,
)

wxhelper_api = 1

_BEARER = KeyExchange(
    service="Cloud Pak for Data",
    url="/icp4d-api/v1/authorize",
    body="json",
    key_field="api_key",
    fields={"username": "{username}"},
    token_fields=("token",),
    # What the SDK wants, and what a browser shows.
    stems=("/icp4d-api", "/icp4d-api/v1", "/icp4d-api/v1/authorize", "/zen"),
    key_forms={"zenapikey": ""},
)
_SCHEME = "ZenApiKey"
_SHORTEST, _LONGEST = 6, 12_288  # bytes, of what can stand in a header


@dataclass(frozen=True)
class _ZenApiKey:
    """The source that asks nobody."""

    value: str = field(repr=False)
    made_at: float

    def fetch(self) -> Token:
        return Token(_SCHEME, self.value, minted_at=self.made_at, refresh_at=None, expires_at=None)


def _open(context: SourceContext) -> TokenSource:
    username, key = _pair(context)
    if context.settings["mode"] == "bearer":
        settings = {**context.settings, "username": username}
        secret = Secret(key, context.secret.origin)
        return _BEARER.open(replace(context, settings=settings, secret=secret))
    origin = context.secret.origin
    if why := no_key(key):
        raise KeyUnavailable(f"{origin} holds no API key: {why}", remedy="put the key itself there")
    pair = f"{username}:{key}".encode()
    if not _SHORTEST <= len(pair) <= _LONGEST:
        raise KeyUnavailable(
            f"{origin} holds {len(key)} characters, which cannot be an API key",
            remedy="put the key itself there",
        )
    return _ZenApiKey(base64.b64encode(pair).decode("ascii"), context.clock())


def _pair(context: SourceContext) -> tuple[str, str]:
    """The user name and the key.

    Raises:
        ConfigurationError: there is no user name, or one that cannot be.
    """
    username, key = context.settings.get("username"), context.secret.reveal()
    wrapped = key.strip().removeprefix(f"{_SCHEME} ")
    if form_of(wrapped) == "zenapikey":
        own, _, key = (unwrapped(wrapped) or "").partition(":")
        if username not in (None, own):
            raise ConfigurationError(
                f"{context.secret.origin} holds a ZenApiKey value of another user than username",
                remedy="remove username from the profile, or put this user's key there",
            )
        username = own
    if username is None:
        raise ConfigurationError(
            "the setting username is missing",
            remedy="write it into the profile, or export WXHELPER_USERNAME",
        )
    if ":" in username or not username.isprintable():
        raise ConfigurationError(
            "the setting username holds a colon or an unprintable character",
            remedy="write the name that you log in with",
        )
    return username, key


def _token_hosts(settings: Settings) -> frozenset[str]:
    return _BEARER.token_hosts(settings) if settings.get("mode") == "bearer" else frozenset()


def _audience(settings: Settings) -> frozenset[str]:
    # The one host that the user names: every installation has its own. To make a
    # ZenApiKey nobody need be asked, and so nobody named.
    if settings.get("mode") == "zenapikey" and "url" not in settings:
        return frozenset()
    return frozenset({_BEARER.endpoint(settings).origin})


def _scheme(settings: Settings) -> str:
    return _BEARER.scheme if settings.get("mode") == "bearer" else _SCHEME


@hookimpl
def wxhelper_token_sources() -> Iterator[TokenSourceType]:
    """Offer ``dph``."""
    yield TokenSourceType(
        name="dph",
        summary="IBM Data Product Hub and Cloud Pak for Data: access token or ZenApiKey",
        settings=(
            Setting(
                name="url",
                help="the address of the platform, or of the instance whose key it is",
            ),
            Setting(name="username", help="the user whose key it is"),
            Setting(
                name="mode",
                help="bearer for a token that expires, zenapikey for the key itself in base64",
                choices=("bearer", "zenapikey"),
                default="bearer",
            ),
        ),
        token_hosts=_token_hosts,
        audience=_audience,
        open=_open,
        scheme=_scheme,
        api_key_variables=(
            "DPH_APIKEY",
            "CPD_APIKEY",
            "CP4D_APIKEY",
            "ZEN_API_KEY",
            "WATSONX_ZENAPIKEY",
            "WATSONX_APIKEY",
            "WATSONX_API_KEY",
        ),
    )
