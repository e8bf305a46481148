"""``wxhelper login`` that ends before its end: the key that was there is there again."""

import json
import signal
import subprocess
import sys
import time

import pytest

from logins import Place
from wxhelper.sandbox.service import Identity

SECOND = "another-key-that-is-good-and-as-long-as-those-of-IBM"


@pytest.fixture(autouse=True)
def _two_keys(place: Place) -> None:
    place.sandbox.keys[SECOND] = Identity("second@example.com")


def started(place: Place, key: str) -> "subprocess.Popen[str]":
    """A login, at the moment when the keyring has the key and has not said so yet."""
    given = ["login", "dev", "--url", place.sandbox.http_url, "--api-key-stdin"]
    process = subprocess.Popen(
        [sys.executable, "-m", "wxhelper", *given],
        env=place.wx.environ,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdin is not None
    process.stdin.write(key)
    process.stdin.close()
    process.stdin = None
    end = time.monotonic() + 30
    while not (place.ring.exists() and key in place.ring.read_text()):
        assert time.monotonic() < end, "the keyring was not asked"
        time.sleep(0.01)
    return process


def keys(place: Place) -> list[str]:
    return list(json.loads(place.ring.read_text()).values())


def test_a_profile_that_cannot_be_written_keeps_its_key(place: Place) -> None:
    assert place.login("--store", "file").status == 0
    place.config.chmod(0o444)
    failed = place.login("--store", "file", "--ca-file", "/etc/ssl/cert.pem", key=SECOND)
    assert failed.status == 5
    assert (place.folder / "keys" / "dev").read_text() == f"{place.sandbox.api_key}\n"
    assert place.works()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_keyring_that_is_interrupted_has_the_old_key_again(
    number: signal.Signals, place: Place
) -> None:
    place.keyring("fake_keyrings.Working")
    assert place.login().status == 0
    place.keyring("fake_keyrings.Slow")
    process = started(place, SECOND)
    process.send_signal(number)
    assert process.communicate(timeout=30) == ("", "")
    assert process.returncode == 128 + number
    assert keys(place) == [place.sandbox.api_key]
    place.keyring("fake_keyrings.Working")
    assert place.works("--refresh")


def test_a_first_login_that_is_interrupted_leaves_no_key(place: Place) -> None:
    place.keyring("fake_keyrings.Slow")
    process = started(place, SECOND)
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=30) == ("", "")
    assert process.returncode == 130
    assert keys(place) == []
    assert not place.config.exists()


def test_a_profile_that_another_process_makes_meanwhile_is_told_and_keeps_its_key(
    place: Place,
) -> None:
    place.keyring("fake_keyrings.Slow")
    process = started(place, SECOND)
    entry = next(iter(json.loads(place.ring.read_text()))).partition("/")[2]
    added = place.wx(
        *("profile", "add", "dev", "--source", "ibmcloud", "--url", place.sandbox.http_url),
        *("--api-key-ref", f"keyring:{entry}"),
    )
    assert added.status == 0
    _, err = process.communicate(timeout=30)
    assert (process.returncode, err) == (
        3,
        (
            "wxhelper: profile dev was changed by another process meanwhile; "
            "log in again: wxhelper login dev\n"
        ),
    )
    assert keys(place) == [SECOND]
    assert place.works()
