"""Floor 4: what an answer without a token means, and what is told of it."""

import base64
import json
import logging

import pytest

from wxhelper.errors import (
    AnswerNotUnderstood,
    KeyRefused,
    ServiceFailed,
    Throttled,
    WxhelperError,
)
from wxhelper.plugin import Answer, Endpoint, KeyExchange, Secret, SourceContext, Token
from wxhelper.plugin.replies import refusal, retry_after

KEY = "k3y+/that=opens&nothing"
SENT = 1_763_712_000.25
DATE = "Fri, 21 Nov 2025 08:00:01 GMT"
CHECK = "check url in the profile: is it the token service?"
ONE = KeyExchange(service="Service", url="https://tokens.example.com/own/path", body="form")


def answer(body: object, status: int = 200, **headers: str) -> Answer:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"date": DATE, **named}, data, SENT)


class Postman:
    """A transport that gives one answer."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer

    def post(self, endpoint: Endpoint, **what: object) -> Answer:
        return self.answer


def fetched(given: Answer) -> Token:
    context = SourceContext(
        settings={},
        secret=Secret(KEY, "env:A"),
        transport=Postman(given),  # type: ignore[arg-type]
        clock=lambda: SENT,
        chance=lambda: 0.5,
        logger=logging.getLogger("test"),
    )
    return ONE.open(context).fetch()


def told(given: Answer) -> tuple[type, str, str]:
    with pytest.raises(WxhelperError) as caught:
        fetched(given)
    return type(caught.value), caught.value.message, caught.value.remedy


REMEDY = (
    "export A=ANOTHER_KEY, or store one: wxhelper login {profile}; "
    "if the key was mended instead, run: wxhelper invalidate {profile}"
)
IBM = {
    "errorCode": "BXNIM0415E",
    "errorMessage": "Provided API key could not be found.",
    "context": {"clientIp": "192.0.2.7", "host": "node-7"},
}


@pytest.mark.parametrize(
    ("status", "kind", "message", "remedy"),
    [
        (400, AnswerNotUnderstood, "Service answered HTTP 400", CHECK),
        (401, KeyRefused, "Service refused the API key from env:A (HTTP 401)", REMEDY),
        (403, AnswerNotUnderstood, "Service answered HTTP 403", CHECK),
        (404, AnswerNotUnderstood, "Service answered HTTP 404", CHECK),
        (405, AnswerNotUnderstood, "Service answered HTTP 405", CHECK),
        (407, AnswerNotUnderstood, "Service answered HTTP 407", CHECK),
        (408, ServiceFailed, "Service failed with HTTP 408", "try again in a minute"),
        (415, AnswerNotUnderstood, "Service answered HTTP 415", CHECK),
        (429, Throttled, "Service asks to be left alone for a while (HTTP 429)",
         "wait; until then it is not asked again"),
        (500, ServiceFailed, "Service failed with HTTP 500", "try again in a minute"),
        (502, ServiceFailed, "Service failed with HTTP 502", "try again in a minute"),
        (503, ServiceFailed, "Service failed with HTTP 503", "try again in a minute"),
        (504, ServiceFailed, "Service failed with HTTP 504", "try again in a minute"),
        (599, ServiceFailed, "Service failed with HTTP 599", "try again in a minute"),
    ],
)  # fmt: skip
def test_the_status_decides_what_an_answer_means(
    status: int, kind: type, message: str, remedy: str
) -> None:
    assert told(answer(b"<html>", status)) == (kind, message, remedy)


@pytest.mark.parametrize("status", [400, 403])
def test_a_refusal_that_is_json_is_the_services_own(status: int) -> None:
    assert told(answer(b"{}", status)) == (
        KeyRefused,
        f"Service refused the API key from env:A (HTTP {status})",
        REMEDY,
    )


def test_503_with_retry_after_asks_to_be_left_alone() -> None:
    assert told(answer(b"", 503, retry_after="7"))[0] is Throttled


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (IBM, ": BXNIM0415E Provided API key could not be found"),
        ({"errorMessage": "No."}, ": No"),
        ({"code": "E1", "message": "No"}, ": E1 No"),
        ({"error": "invalid_grant", "error_description": "bad key"}, ": bad key"),
        ({"error": "invalid_grant"}, ": invalid_grant"),
        ({"errors": [{"code": "E2", "message": "Not this"}], "trace": "t"}, ": E2 Not this"),
        ({"errors": []}, " (HTTP 400)"),
        ({"errors": ["x"], "message": "No"}, ": No"),
        ({"code": 400, "message": "No"}, ": No"),
        ({"message": ["No"]}, " (HTTP 400)"),
        ({"message": ""}, " (HTTP 400)"),
        ({"context": {"clientIp": "192.0.2.7"}}, " (HTTP 400)"),
        ({"message": f"key {KEY} is bad"}, ": key [redacted] is bad"),
        ({"message": "key k3y%2B%2Fthat%3Dopens%26nothing"}, ": key [redacted]"),
        ({"errorCode": KEY, "message": "No"}, ": [redacted] No"),
        ({"message": "token " + "x" * 60}, ": token [redacted]"),
        ({"message": "a\r\nb\x1b[2J\u202ec"}, ": a b [2J c"),
        ({"message": "no " * 500}, ": " + ("no " * 500)[:197] + "..."),
    ],
    ids=["ibm", "message alone", "code and message", "oauth", "oauth code", "errors", "no errors",
         "odd errors", "number", "list", "empty", "context", "the key",
         "the key encoded", "the key as code", "a token", "escapes", "long"],
)  # fmt: skip
def test_the_services_own_words_are_shown_without_any_secret(body: object, said: str) -> None:
    message = told(answer(body, 400))[1]
    assert message == f"Service refused the API key from env:A{said}".rstrip(" ")


def test_ibms_words_are_shown_with_a_failure_too() -> None:
    body = {"errorCode": "BXNIM0001E", "errorMessage": "Later."}
    assert told(answer(body, 500))[1] == "Service failed with HTTP 500: BXNIM0001E Later"


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_a_key_that_comes_back_in_any_shape_is_never_told(status: int) -> None:
    shapes = [KEY, json.dumps(KEY), base64.b64encode(KEY.encode()).decode(), KEY.encode().hex()]
    secret = Secret(KEY, "env:A")
    for shape in shapes:
        for body in ({"message": shape}, shape, {"errors": [{"message": shape, "code": shape}]}):
            line = refusal(answer(body, status), "Service", secret, SENT).line()
            assert shape not in line
            assert KEY not in line


@pytest.mark.parametrize(
    ("said", "date", "seconds"),
    [
        (None, DATE, None),
        ("", DATE, None),
        ("7", DATE, 7.0),
        (" 120 ", DATE, 120.0),
        ("0", DATE, 0.0),
        ("99999999999999999999", DATE, 999_999_999.0),
        ("-5", DATE, None),
        ("1.5", DATE, None),
        ("soon", DATE, None),
        ("\u0667", DATE, None),
        ("Fri, 21 Nov 2025 08:00:31 GMT", DATE, 30.0),
        ("Friday, 21-Nov-25 08:00:31 GMT", DATE, 30.0),
        ("Fri Nov 21 08:00:31 2025", DATE, 30.0),
        ("Fri, 21 Nov 2025 07:00:00 GMT", DATE, 0.0),
        ("Fri, 21 Nov 2025 08:00:31 GMT", "", 30.75),
        ("Fri, 21 Nov 2025 08:00:31 GMT", "no date", 30.75),
        ("Fri, 99 Nov 2025 08:00:31 GMT", DATE, None),
        ("Fri, 21 Nov 99999 08:00:31 GMT", DATE, None),
    ],
)  # fmt: skip
def test_retry_after_is_seconds_or_a_date_on_the_servers_clock(
    said: str | None, date: str, seconds: float | None
) -> None:
    headers = {"date": date} | ({} if said is None else {"retry-after": said})
    assert retry_after(Answer(429, headers, b"", SENT), SENT) == seconds


@pytest.mark.parametrize(("said", "seconds"), [("7", 7.0), (None, None)])
def test_throttled_carries_the_wait(said: str | None, seconds: float | None) -> None:
    headers = {} if said is None else {"retry_after": said}
    with pytest.raises(Throttled) as caught:
        fetched(answer(b"", 429, **headers))
    assert caught.value.retry_after == seconds
