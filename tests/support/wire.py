"""Requests as a sandbox has seen them, in words that can be compared."""

import json
import re
import urllib.parse
from collections.abc import Mapping

from wxhelper.sandbox import Sandbox
from wxhelper.sandbox.messages import FORM, Request

ABSENT = "-"
_NOT_COMPARED = ("host", "content-type", "content-length", "connection", "accept-encoding")

Difference = dict[str, tuple[str, str]]


def said(request: Request, secrets: Mapping[str, str]) -> dict[str, str]:
    """A request, one line for each thing that it says; secrets by their names."""
    lines = {
        "method": request.method,
        "host": request.headers["Host"],
        "path": request.path,
        "content type": request.media_type,
    }
    for name, value in request.headers.items():
        if name not in _NOT_COMPARED:
            lines[f"header {name}"] = value
    lines["header user-agent"] = request.headers.get("User-Agent", ABSENT).partition("/")[0]
    query = urllib.parse.parse_qs(request.query, keep_blank_values=True)
    lines |= {f"query {name}": " and ".join(values) for name, values in query.items()}
    if request.media_type == FORM:
        parsed = urllib.parse.parse_qs(request.body.decode(), keep_blank_values=True)
        lines |= {f"body {name}": " and ".join(values) for name, values in parsed.items()}
    else:
        document = json.loads(request.body)
        lines |= {
            f"body {name}": value if isinstance(value, str) else json.dumps(value)
            for name, value in document.items()
        }
    return {name: _named(value, secrets) for name, value in lines.items()}


def _named(value: str, secrets: Mapping[str, str]) -> str:
    for secret, name in secrets.items():
        if value == secret:
            return name
    return "THE TOKEN" if re.fullmatch(r"eyJ[\w.-]{100,}", value) else value


def difference(theirs: Mapping[str, str], ours: Mapping[str, str]) -> Difference:
    """What one says and the other does not, or says otherwise."""
    names = sorted({*theirs, *ours})
    both = {name: (theirs.get(name, ABSENT), ours.get(name, ABSENT)) for name in names}
    return {name: pair for name, pair in both.items() if pair[0] != pair[1]}


def token_requests(box: Sandbox) -> list[Request]:
    """What has come in for a token, which is then forgotten."""
    asked = [request for request in box.requests if request.method == "POST"]
    box.requests.clear()
    return asked
