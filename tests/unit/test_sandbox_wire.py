"""What a client sees of an answer that goes wrong on its way."""

import email.utils
import io
import threading
import time

import pytest

from sandbox_client import FORM, GRANT, PATIENCE, connected, exchange, get, get_token
from wxhelper.sandbox import Fault, Sandbox, wire
from wxhelper.sandbox.messages import text_answer
from wxhelper.sandbox.wire import Reply, http_date

# --------------------------------------------------------------------------------------- dates


def test_every_answer_has_a_date(tmp_path):
    with Sandbox(str(tmp_path), clock=lambda: 1_700_000_000.9, tls=False) as box:
        assert get(box)[0].headers["Date"] == "Tue, 14 Nov 2023 22:13:20 GMT"


def test_dates_can_be_wrong_for_all_and_for_one(tmp_path):
    with Sandbox(str(tmp_path), clock=lambda: 1_700_000_000.0, tls=False) as box:
        box.date_skew = 5400.0
        box.faults.add(Fault(date_skew=-5401.0))
        dates = [email.utils.mktime_tz(email.utils.parsedate_tz(get(box)[0].headers["Date"]))
                 for _ in range(2)]  # fmt: skip
        assert dates == [1_699_999_999, 1_700_005_400]
        assert get_token(box)[1]["expiration"] == 1_700_003_600


def test_http_dates_are_in_english_whatever_the_locale():
    assert http_date(0) == "Thu, 01 Jan 1970 00:00:00 GMT"


# -------------------------------------------------------------------------------------- faults


def test_a_status_is_answered_in_the_services_place(box):
    box.faults.add(Fault(match="iam", status=429, headers={"Retry-After": "7"}))
    with connected(box) as connection:
        connection.request("POST", "/identity/token", body=GRANT + box.api_key, headers=FORM)
        answer = connection.getresponse()
        seen = (answer.status, answer.headers["Retry-After"], answer.read())
        assert seen == (429, "7", b"Too Many Requests\n")
        assert answer.headers["Content-Type"] == "text/plain"
    assert box.token_requests() == 1
    assert get_token(box)[0] == 200


@pytest.mark.parametrize(
    ("fault", "status", "body"),
    [
        (Fault(body=b"<html>"), 404, b"<html>"),
        (Fault(status=200, body=b""), 200, b""),
        (Fault(status=200, body=b"{"), 200, b"{"),
        (Fault(status=204), 204, b""),
        (Fault(status=599), 599, b"Status 599\n"),
        (Fault(status=307, headers={"Location": "http://127.0.0.1:9/"}), 307, None),
    ],
)
def test_an_answer_can_be_put_in_place(box, fault, status, body):
    box.faults.add(fault)
    answer, content = get(box)
    assert answer.status == status
    assert body is None or content == body
    assert get(box)[0].status == 404


def test_a_header_field_of_a_fault_replaces_the_services_own(box):
    box.faults.add(Fault(headers={"content-type": "text/html", "DATE": "never"}))
    answer, _ = get(box)
    assert answer.headers.get_all("Content-Type") == ["text/html"]
    assert answer.headers.get_all("Date") == ["never"]


def test_a_forged_length_ends_the_connection(box):
    box.faults.add(Fault(headers={"Content-Length": "1000"}))
    raw = exchange(box, b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")
    assert b"Content-Length: 1000\r\n" in raw
    assert b"Connection: close\r\n" in raw
    assert raw.endswith(b"\r\n\r\nNot Found\n")


@pytest.mark.parametrize(
    ("drop", "ending"),
    [("before", None), ("after-headers", b"\r\n\r\n"), ("mid-body", b"\r\n\r\nNot F")],
)
def test_a_connection_can_be_dropped_at_any_point(box, drop, ending):
    box.faults.add(Fault(drop=drop))
    raw = exchange(box, b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")
    if ending is None:
        assert raw == b""
    else:
        assert b"Content-Length: 10\r\n" in raw
        assert raw.endswith(ending)
    assert get(box)[0].status == 404


@pytest.mark.parametrize(
    "fault",
    [
        Fault(drip=(7, 0.0)),
        Fault(drip_headers=(1, 0.0)),
        Fault(drip_body=(1, 0.0)),
        Fault(drip=(50, 0.001), drip_body=(1, 0.0), latency=0.01),
    ],
)
def test_an_answer_in_drops_is_the_same_answer(box, fault):
    box.faults.add(fault)
    answer, body = get(box)
    assert (answer.status, body, answer.headers["Content-Length"]) == (404, b"Not Found\n", "10")


class Recorder(io.RawIOBase):
    """Stands in for a socket, and keeps what each call sent."""

    def __init__(self):
        self.sent = []

    def sendall(self, data):
        self.sent.append(bytes(data))


@pytest.mark.parametrize(
    ("fault", "head", "body"),
    [
        (Fault(drip=(4, 0.0)), 4, [4, 4, 2]),
        (Fault(drip_headers=(4, 0.0)), 4, [10]),
        (Fault(drip_body=(4, 0.0)), None, [4, 4, 2]),
        (Fault(drip=(4, 0.0), drip_body=(9, 0.0)), 4, [9, 1]),
    ],
)
def test_drops_have_the_size_that_was_asked_for(fault, head, body):
    recorder = Recorder()
    reply = Reply(text_answer(404), fault, lambda: 0.0)
    closing = threading.Event()
    assert wire.send(recorder, reply, closing=closing, keep_alive=True, head_only=False)
    joined = b"".join(recorder.sent)
    length = joined.index(b"\r\n\r\n") + 4
    heads = [length] if head is None else [head] * (length // head) + [length % head]
    assert [len(piece) for piece in recorder.sent] == [n for n in heads if n] + body


def test_an_answer_is_held_at_a_gate_after_the_token_was_issued(box):
    gate = threading.Event()
    box.faults.add(Fault(match="iam", gate=gate))
    answers = []
    client = threading.Thread(target=lambda: answers.append(get_token(box)))
    client.start()
    assert box.requests.wait_for(1, timeout=PATIENCE, service="iam")
    while box.issuer._grants == {}:  # issued just after the request is in the journal
        time.sleep(0.001)
    box.issuer.revoke_all()
    assert answers == []
    gate.set()
    client.join(PATIENCE)
    status, document = answers[0]
    assert status == 200
    verdict = box.issuer.verdict(document["access_token"], time.time())
    assert verdict.value == "revoked"
