"""A request as it came in and an answer as a service means it.

Both carry secrets (keys in bodies, tokens in headers), so their ``repr`` shows
neither: a failing assertion prints it.
"""

import json
import urllib.parse
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import Any

FORM = "application/x-www-form-urlencoded"
NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class Headers(Mapping[str, str]):
    """Header fields; names compare without case (RFC 9110, 5.1).

    Args:
        fields: names and values in the order of the message; names may repeat.
    """

    __slots__ = ("_fields",)

    def __init__(self, fields: Iterable[tuple[str, str]] = ()) -> None:
        self._fields = tuple(fields)

    def all(self, name: str) -> list[str]:
        """Every value of a field, in order; empty when the field is absent."""
        wanted = name.casefold()
        return [value for key, value in self._fields if key.casefold() == wanted]

    def __getitem__(self, name: str) -> str:
        values = self.all(name)
        if not values:
            raise KeyError(name)
        return values[0]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and bool(self.all(name))

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(key.casefold() for key, _ in self._fields))

    def __len__(self) -> int:
        return len(dict.fromkeys(key.casefold() for key, _ in self._fields))

    def __repr__(self) -> str:
        return f"<Headers {' '.join(self)}>"


@dataclass(frozen=True)
class Request:
    """One request, whole.

    Attributes:
        time: when it had been read, Unix seconds by the sandbox's clock.
        method: as sent, for example ``POST``.
        path: the path alone, still percent-encoded.
        query: what follows the ``?``, or "".
        headers: the header fields.
        body: the content, b"" when there is none.
        service: the name of the service that the path belongs to, or "".
        tls: whether it came over TLS.
    """

    time: float
    method: str
    path: str
    query: str = field(repr=False)
    headers: Headers = field(repr=False)
    body: bytes = field(repr=False)
    service: str
    tls: bool

    @property
    def media_type(self) -> str:
        """The content's type without parameters, in lower case; "" when not given."""
        return self.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def form(self) -> dict[str, str]:
        """The fields of a form; empty for content of any other type."""
        return fields(self.body.decode("utf-8", "replace")) if self.media_type == FORM else {}

    def document(self) -> dict[str, Any] | None:
        """The content as a JSON object, whatever its type is said to be; None for all else."""
        try:
            document = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return document if isinstance(document, dict) else None

    def authorization(self) -> tuple[str, str]:
        """Scheme in lower case and credentials (RFC 9110, 11.6.2); "" for what is missing."""
        scheme, _, credentials = self.headers.get("Authorization", "").strip().partition(" ")
        return scheme.lower(), credentials.strip()


@dataclass(frozen=True)
class Answer:
    """What a service says. Date, Connection and Content-Length are added on the wire.

    Attributes:
        status: the HTTP status.
        body: the content.
        headers: the service's own header fields.
    """

    status: int = 200
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


def fields(text: str) -> dict[str, str]:
    """What a form or a query says, the first of each name; empty when it says too much."""
    try:
        pairs = urllib.parse.parse_qsl(text, keep_blank_values=True, max_num_fields=64)
    except ValueError:
        return {}
    return dict(reversed(pairs))


def json_answer(
    document: Any, *, status: int = 200, headers: Mapping[str, str] = NO_HEADERS
) -> Answer:
    """An answer with a JSON document as its content.

    Args:
        document: anything that ``json`` can write.
        status: the HTTP status.
        headers: further header fields.
    """
    body = json.dumps(document, separators=(",", ":")).encode()
    return Answer(status, body, {"Content-Type": "application/json", **headers})


def text_answer(status: int, *, headers: Mapping[str, str] = NO_HEADERS) -> Answer:
    """The bare phrase of a status, as gateways in front of a service answer."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = f"Status {status}"
    return Answer(status, f"{phrase}\n".encode(), {"Content-Type": "text/plain", **headers})
