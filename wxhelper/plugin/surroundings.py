"""Floor 4: what decides, besides the profile, how a service is reached: proxies, certificates."""

import errno
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from wxhelper.errors import ConfigurationError, printable
from wxhelper.hosts import is_loopback
from wxhelper.plugin.endpoint import Endpoint, bracketed

_CA_VARIABLES = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
_CA_DIRECTORY = "SSL_CERT_DIR"
_PROXY_VARIABLES = ("https_proxy", "all_proxy", "no_proxy")
NETWORK_VARIABLES = (
    *_CA_VARIABLES,
    _CA_DIRECTORY,
    *_PROXY_VARIABLES,
    *(name.upper() for name in _PROXY_VARIABLES),
)
"""The variables that are looked at."""


@dataclass(frozen=True)
class Proxy:
    """The proxy on the way to an endpoint, or why there is none.

    Attributes:
        variable: what named it; "" when there is none.
        address: as it was written, its password included; "" when there is none.
        reason: why there is none, to follow "no proxy: "; "" when there is one.
    """

    variable: str
    address: str = field(repr=False)
    reason: str

    @property
    def shown(self) -> str:
        """Its host and port, or "" when they cannot be told; never its user or password."""
        # Nothing before the last @ is shown: it is a name and a password.
        place = self.address.rpartition("@")[2].rpartition("//")[2]
        found = re.match(r"([A-Za-z0-9._-]+|\[[0-9a-fA-F:.]+\])(:\d{1,5}(?=/|$))?", place)
        return found[0] if found else ""


def proxy_for(endpoint: Endpoint, environ: Mapping[str, str]) -> Proxy:
    """The proxy of the variables; none for this very machine."""
    import requests.utils

    names = [f"{endpoint.scheme}_proxy", "all_proxy"]
    given = [n for name in names for n in (name, name.upper()) if environ.get(n)]
    if not given:
        return Proxy("", "", "no variable names one")
    if is_loopback(bracketed(endpoint.host)):
        return Proxy("", "", f"{endpoint.host} is this machine, whatever {given[0]} says")
    exempt = next((n for n in ("no_proxy", "NO_PROXY") if environ.get(n)), "")
    if requests.utils.should_bypass_proxies(endpoint.url, no_proxy=environ.get(exempt, "")):
        return Proxy("", "", f"{exempt or 'the system'} exempts {endpoint.host} from {given[0]}")
    return Proxy(given[0], environ[given[0]], "")


def certificates(ca_file: str | None, environ: Mapping[str, str]) -> tuple[str, str | bool]:
    """What is trusted: the profile's file, a variable's, or what requests brings.

    Args:
        ca_file: the profile's, absolute.
        environ: the variables.

    Returns:
        Who names it, "" for nobody; and what requests takes as ``verify``.

    Raises:
        ConfigurationError: what is named cannot be used.
    """
    named = [("ca_file", ca_file)] if ca_file else []
    named += [(name, environ[name]) for name in _CA_VARIABLES if environ.get(name)]
    if (directory := environ.get(_CA_DIRECTORY)) and os.path.isdir(directory):
        named.append((_CA_DIRECTORY, directory))  # it may be a list, which requests cannot take
    if not named:
        return "", True
    import ssl  # noqa: PLC0415 - dear, and seldom needed here

    name, path = named[0]
    path = path or ""
    try:
        if os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path):
            raise OSError(errno.EINVAL, "it is not a regular file")
        if not os.path.isdir(path):
            ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(path)
    except ssl.SSLError:
        reason = "holds no certificate (PEM)"
    except (OSError, ValueError) as fault:
        reason = f"cannot be read: {getattr(fault, 'strerror', None) or 'it is no path'}"
    else:
        return name, path
    raise ConfigurationError(
        f"{name} names {printable(path)}, which {reason}", remedy=f"correct or remove {name}"
    )
