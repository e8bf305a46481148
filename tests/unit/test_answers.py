"""What becomes of an answer, for every source there is: one table, on a real connection."""

from collections.abc import Callable

import pytest

from answers import KEY, NOW, OPAQUE, ROWS, Asked, Outcome, Row, http, two_fields
from raw_server import Raw
from wxhelper import manager, source
from wxhelper.errors import WxhelperError
from wxhelper.lookups import Lookups
from wxhelper.plugin import Secret, Token

FIRST = "the-token-of-the-first-step"
ASSUME = b"grant-type%3Aassume"
SOURCES = {
    "ibmcloud": Asked(source="ibmcloud", service="IBM Cloud IAM", fields=("access_token",)),
    "ibmcloud, trusted profile": Asked(
        source="ibmcloud",
        settings={"trusted_profile": "Profile-1"},
        service="IBM Cloud IAM (trusted profile)",
        fields=("access_token",),
        refused="does not let the holder of the API key from env:A assume the trusted profile",
        mended="correct trusted_profile, or let the profile trust that identity, and then run: "
        "wxhelper invalidate {{profile}}",
        first=http(200, {"access_token": FIRST, "expires_in": 3600}),
    ),
    "ibmcloud-kubernetes": Asked(
        source="ibmcloud-kubernetes",
        service="IBM Cloud IAM",
        fields=("id_token",),
        own_life=True,
    ),
    "aws": Asked(source="aws", service="IBM watsonx on AWS", fields=("token", "access_token")),
    "govcloud": Asked(
        source="govcloud", service="IBM watsonx in GovCloud", fields=("token", "access_token")
    ),
    "dph": Asked(
        source="dph",
        settings={"mode": "bearer", "username": "me@example.com"},
        service="Cloud Pak for Data",
        fields=("token",),
    ),
}
every_source = pytest.mark.parametrize("asked", SOURCES.values(), ids=SOURCES)

Start = Callable[..., Raw]


def fetched(asked: Asked, server: Raw) -> Token:
    return source.fetch(
        manager.find(asked.source, Lookups({})),
        {"url": server.url, **asked.settings},
        Secret(KEY, "env:A"),
        source.Conditions(
            config="/nowhere/config.toml",
            deadline=20.0,
            environ={},
            clock=lambda: float(NOW),
        ),
    )


def became(asked: Asked, sent: bytes, start: Start) -> tuple[Outcome, str]:
    """What became of it, and the server's address."""

    def serve(connection) -> None:  # type: ignore[no-untyped-def]
        last = not asked.first or ASSUME in server.heard[-1]
        connection.sendall(sent if last else asked.first)

    server = start(serve)
    try:
        token = fetched(asked, server)
    except WxhelperError as fault:
        line = fault.line()
        assert not [text for text in (KEY, FIRST, OPAQUE, "\n") if text in line]
        public = next(k for k in type(fault).__mro__ if k.__module__ == "wxhelper.errors")
        return (public, fault.message, fault.remedy), server.url
    assert (token.scheme, token.minted_at) == ("Bearer", float(NOW))
    assert token.expires_at is not None
    return token.expires_at - NOW, server.url


def told(outcome: Outcome, asked: Asked, url: str, status: int) -> Outcome:
    """The outcome in the words of one source."""
    if isinstance(outcome, int | float):
        return outcome
    kind, *texts = outcome
    message, remedy = (
        text.replace("{mended}", asked.mended).format(
            service=asked.service,
            fields=" or ".join(asked.fields),
            both=" and ".join(asked.fields),
            refused=asked.refused,
            origin=url.partition("//")[2],
            status=status,
        )
        for text in texts
    )
    return kind, message, remedy


@pytest.mark.usefixtures("short_pauses")
@every_source
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_what_becomes_of_an_answer(row: Row, asked: Asked, raw: Start) -> None:
    sent = row.raw(asked)
    outcome, url = became(asked, sent, raw)
    expected = row.own if asked.own_life and row.own is not None else row.outcome
    assert outcome == told(expected, asked, url, int(sent[9:12]))


@every_source
def test_two_tokens_that_differ(asked: Asked, raw: Start) -> None:
    sent, expected = two_fields(asked)
    outcome, url = became(asked, sent, raw)
    assert outcome == told(expected, asked, url, 200)
