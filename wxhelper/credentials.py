"""Floor 3: the credentials file that IBM's SDKs read.

    # what follows the service's name is the property
    MY_SERVICE_AUTH_TYPE=iam
    MY_SERVICE_APIKEY=...

One line is one property, as ``read_external_sources`` of ibm-cloud-sdk-core
(``utils.py``) has it: split at the first ``=``, the last one of a name wins, the
service's name in capitals with ``_`` for spaces and hyphens. Comments, ``export`` and
quotes around a value are taken as the dotenv readers of IBM's other SDKs take them.
Of their places only the variable and the home directory count: a file that happens
to lie in the current directory is nobody's wish.
"""

import os
import re
import shlex
from dataclasses import dataclass, field

from wxhelper.errors import ConfigurationError, KeyUnavailable, printable
from wxhelper.lookups import Lookups

_VARIABLE = "IBM_CREDENTIALS_FILE"
_USUAL = "ibm-credentials.env"
_PROPERTY = "APIKEY"
_LIMIT = 65_536
_SERVICE = re.compile(r"[A-Za-z0-9_ -]{1,80}")
_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z0-9_.-]+)\s*=\s*(.*?)\s*")


@dataclass(frozen=True)
class Found:
    """A key in a credentials file.

    Attributes:
        value: the key.
        path: the file.
    """

    value: str = field(repr=False)
    path: str


def find(service: str, lookups: Lookups) -> Found:
    """The API key of a service.

    Args:
        service: its name, as the SDKs take it.
        lookups: reads the variable and the file.

    Raises:
        ConfigurationError: it can be no service's name, or others could have written
            the file.
        KeyUnavailable: there is no such file, or no such key in it.
    """
    if not _SERVICE.fullmatch(service):
        raise ConfigurationError(
            "what follows ibm-credentials: is not the name of a service",
            remedy="write letters, digits, hyphens and underscores only",
        )
    path = _path(lookups)
    found = lookups.read_trusted("credentials file", path, _LIMIT, unreadable=KeyUnavailable)
    if found is None:
        raise KeyUnavailable(
            f"there is no credentials file {path}",
            remedy=f"download it from IBM Cloud, or let {_VARIABLE} name another",
        )
    try:
        text = found.data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise KeyUnavailable(
            f"the credentials file {path} is not text", remedy="write it in UTF-8"
        ) from None
    prefix = service.strip().replace(" ", "_").replace("-", "_").upper()
    value = _properties(text).get(f"{prefix}_{_PROPERTY}")
    if not value:
        raise KeyUnavailable(
            f"the credentials file {path} has no {printable(prefix, 80)}_{_PROPERTY}",
            remedy=f"look at the names in it: cut -d= -f1 {shlex.quote(path)}",
        )
    return Found(value, path)


def _path(lookups: Lookups) -> str:
    named = lookups.variable(_VARIABLE)
    if named is None:
        lookups.variable("HOME")
        named = os.path.join("~", _USUAL)
    path = os.path.expanduser(named)
    if not os.path.isabs(path):
        raise KeyUnavailable(
            f"{_VARIABLE} is a path that begins at the current directory",
            remedy="write the whole path",
        )
    return path


def _properties(text: str) -> dict[str, str]:
    found = {}
    for line in text.split("\n"):
        if match := _LINE.fullmatch(line):
            name, value = match.groups()
            quoted = len(value) > 1 and value[0] == value[-1] and value[0] in "\"'"
            found[name.upper()] = value[1:-1] if quoted else value
    return found
