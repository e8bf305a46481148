"""The key that login is given is where it was put, and nowhere else."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from leaks import KEY, files_with, holds
from logins import Place
from watch import Watch
from wxhelper.sandbox import Fault

Prepare = Callable[[Place], None]


def all_is_well(place: Place) -> None:
    pass


def the_keyring_is_talkative(place: Place) -> None:
    place.keyring("fake_keyrings.Talkative")


def the_keyring_is_broken(place: Place) -> None:
    place.keyring("fake_keyrings.Broken")


def the_keyring_crashes(place: Place) -> None:
    place.keyring("fake_keyrings.Crashing")


def the_service_does_not_know_the_key(place: Place) -> None:
    place.sandbox.keys.clear()


def the_service_repeats_the_key(place: Place) -> None:
    body = json.dumps({"errorCode": "X", "errorMessage": f"no {KEY}"}).encode()
    place.sandbox.faults.add(Fault(match="iam", status=400, body=body, times=9))


def the_service_hangs_up(place: Place) -> None:
    place.sandbox.faults.add(Fault(match="iam", drop="before", times=9))


def the_value_is_the_key_itself(place: Place) -> None:
    place.wx.environ["WXHELPER_PLUGINS"] = "dph"


def python_is_talkative(place: Place) -> None:
    place.wx.environ |= {"PYTHONDEVMODE": "1", "PYTHONWARNINGS": "default"}


def the_configuration_cannot_be_written(place: Place) -> None:
    place.folder.mkdir(mode=0o700)
    place.config.symlink_to("/proc/sys/wxhelper.toml")


def the_key_stands_in_the_wrong_place(place: Place) -> None:
    place.folder.mkdir(mode=0o700)
    quoted = json.dumps(KEY)
    place.config.write_text(f'[profiles.dev]\nsource = "ibmcloud"\napi_key = {quoted}\n')


STDIN = "login dev --url URL --api-key-stdin"
ZEN = f"{STDIN} --source dph --mode zenapikey --username me"
# What is done, and where the key is afterwards.
SWEEP: dict[Prepare, tuple[tuple[str, ...], set[str]]] = {
    all_is_well: (
        (
            STDIN,
            "token",
            "status",
            "profile list",
            "profile show dev",
            "login dev --api-key @given",
        ),
        {"keys/dev"},
    ),
    the_keyring_is_talkative: ((STDIN, "token", "status", "logout dev"), set()),
    the_keyring_is_broken: ((STDIN, "status"), {"keys/dev"}),
    the_keyring_crashes: ((f"{STDIN} --store keyring", STDIN, "logout dev"), set()),
    the_service_does_not_know_the_key: ((STDIN, "logout dev"), set()),
    the_service_repeats_the_key: ((STDIN, f"{STDIN} --store file"), set()),
    the_service_hangs_up: ((STDIN,), set()),
    the_value_is_the_key_itself: (
        (
            ZEN,
            "exec-credential",
            "status",
            "profile show dev",
            "doctor",
            "login dev --api-key @given",
        ),
        {"keys/dev"},
    ),
    python_is_talkative: ((STDIN, "token", "logout dev --remove-profile"), set()),
    the_configuration_cannot_be_written: ((STDIN, "logout dev"), set()),
    the_key_stands_in_the_wrong_place: (
        ("token", "logout dev", "login dev --region us --api-key-stdin"),
        {"config.toml"},
    ),
}


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="there is no /proc here")
@pytest.mark.parametrize("prepare", SWEEP, ids=lambda prepare: prepare.__name__)
def test_the_key_is_in_its_place_alone(prepare: Prepare, place: Place, tmp_path: Path) -> None:
    given = tmp_path / "given"
    given.write_text(KEY)
    place.sandbox.keys[KEY] = place.sandbox.keys[place.sandbox.api_key]
    prepare(place)
    lines, kept = SWEEP[prepare]
    control = "a-control-that-is-to-be-seen"
    with Watch() as watch:
        subprocess.run(
            [sys.executable, "-c", "import time; time.sleep(0.3)", control], check=True, timeout=60
        )
        words = [line.replace("URL", place.sandbox.http_url).split() for line in lines]
        done = [
            place.wx(*(w.replace("@given", f"@{given}") for w in line), stdin=KEY) for line in words
        ]
    outputs = "\n".join(one.out + one.err for one in done).encode()
    assert any(control.encode() in arguments for arguments in watch.seen)
    assert not [arguments for arguments in watch.seen if holds(arguments, KEY)]
    assert not holds(outputs, KEY)
    assert b"Traceback" not in outputs
    assert files_with(KEY, tmp_path) == {given} | {place.folder / name for name in kept}
