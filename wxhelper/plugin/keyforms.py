"""Floor 4: what a key looks like, for a hint when it was refused.

IBM's services make keys of several forms, and people hold other things that they
take for keys. None of it is relied on: a service decides about its keys, and a
form is told only after it has refused one. The forms:

    mcsp-1, mcsp-2   base64 of ``k1:...`` and ``k2:...``: the IBM SaaS platform's keys
                     (ibm-watsonx-orchestrate's ``detect_mcsp_key_type``)
    zenapikey        base64 of ``username:key``: a ZenApiKey header's value
    ibmcloud         44 letters, digits, ``-`` and ``_``: an IBM Cloud IAM key
    token            a JWT, or with the word Bearer
    crn              an IBM Cloud resource name
    name, id         what a list of keys shows in place of the keys themselves
"""

import base64
import re
from collections.abc import Mapping
from typing import Final

MCSP_1: Final = "mcsp-1"
MCSP_2: Final = "mcsp-2"
ZENAPIKEY: Final = "zenapikey"
IBM_CLOUD: Final = "ibmcloud"

_LOOKS = {
    "crn": re.compile(r"crn:[\w.-]*:.+"),
    "token": re.compile(r"(?i:bearer)\s+\S+|eyJ[\w-]+\.[\w-]+\.[\w-]*"),
    "name": re.compile(r"cpd-apikey-.+"),
    "id": re.compile(r"ApiKey-[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}"),
    IBM_CLOUD: re.compile(r"[A-Za-z0-9_-]{44}"),
}
_NO_KEY = {
    "crn": "it looks like a CRN, which names a resource",
    "token": "it looks like a token, and a key is what tokens are made from",
    "name": "it looks like the name of a key",
    "id": "it looks like the ID of a key",
}
_OF_ANOTHER_SOURCE = {
    MCSP_1: "it looks like a key of the IBM SaaS platform: use source aws or govcloud",
    MCSP_2: "it looks like a key of the IBM SaaS platform: use source aws or govcloud",
    ZENAPIKEY: "it looks like a ZenApiKey value, username:key in base64: use source dph",
    IBM_CLOUD: "it looks like a key of IBM Cloud: use source ibmcloud",
}
# Where keys of the other version go.
_WRONG_PATHS = {MCSP_1: ("/api/2.0/", "/api/rest/mcsp/"), MCSP_2: ("/siusermgr/api/1.0/",)}


def unwrapped(text: str) -> str | None:
    """What is written in base64, when that is text in one line; else None.

    Line breaks in the base64 and one at the end of what is in it do not matter:
    ``echo user:key | base64`` makes both.
    """
    joined = "".join(text.split()).replace("-", "+").replace("_", "/").rstrip("=")
    try:
        plain = base64.b64decode(joined + "=" * (-len(joined) % 4), validate=True).decode("utf-8")
    except ValueError:  # of the alphabet, the length or the encoding
        return None
    plain = plain.removesuffix("\n").removesuffix("\r")
    return plain if plain.isprintable() else None


def form_of(key: str) -> str | None:
    """The key's form, by its name; None for all others."""
    text = key.strip()
    plain = unwrapped(text) or ""
    if plain.startswith("k1:"):
        return MCSP_1
    if plain.startswith("k2:"):
        return MCSP_2
    if re.fullmatch(r"[^:]+:.+", plain):
        return ZENAPIKEY
    return next((name for name, looks in _LOOKS.items() if looks.fullmatch(text)), None)


def no_key(key: str) -> str:
    """Why it can be no service's key, to be said after "the key"; or ""."""
    return _NO_KEY.get(form_of(key) or "", "")


def hint(key: str, right: Mapping[str, str], path: str) -> str:
    """What a refused key may be, and what to do with it; or "".

    Args:
        key: what was refused; no piece of it is in the hint.
        right: the forms that are right for the service, each with the address for
            such keys, or "" where there is no other.
        path: where it was sent.
    """
    form = form_of(key) or ""
    if form in _NO_KEY:
        return f"{_NO_KEY[form]}: put the key itself there"
    if form not in right:
        return _OF_ANOTHER_SOURCE.get(form, "")
    if right[form] and path.startswith(_WRONG_PATHS.get(form, ())):
        version = form.rpartition("-")[2]
        return f'it looks like a key of version {version}: write url = "{right[form]}"'
    return ""
