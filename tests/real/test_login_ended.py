"""``wxhelper login`` told to end while it waits for somebody else."""

import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from logins import Place
from wxhelper.sandbox import Fault

if TYPE_CHECKING:
    from tests.real.conftest import Ended, Start

    Finish = Callable[[subprocess.Popen[str]], Ended]

ENDINGS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]


@pytest.fixture
def given(place: Place, tmp_path: Path) -> tuple[str, ...]:
    key = tmp_path / "given"
    key.write_text(place.sandbox.api_key)
    return ("login", "dev", "--url", place.sandbox.http_url, "--api-key", f"@{key}")


@pytest.mark.parametrize("number", ENDINGS)
def test_while_the_key_is_tried_nothing_is_stored(
    number: signal.Signals, start: "Start", finish: "Finish", given: tuple[str, ...], place: Place
) -> None:
    gate = threading.Event()
    place.sandbox.faults.add(Fault(match="iam", gate=gate))
    process = start(*given)
    assert place.sandbox.requests.wait_for(1, 30, service="iam")
    process.send_signal(number)
    assert finish(process) == (128 + number, "", "")
    gate.set()
    assert not place.folder.exists()


@pytest.mark.parametrize("number", ENDINGS)
def test_while_the_keyring_hangs_it_is_ended_too(
    number: signal.Signals, start: "Start", finish: "Finish", given: tuple[str, ...], place: Place
) -> None:
    place.keyring("fake_keyrings.Hanging")
    told = Path(f"{place.ring}.pid")
    process = start(*given)
    while not (told.exists() and told.read_text()):
        assert process.poll() is None
        time.sleep(0.005)
    process.send_signal(number)
    assert finish(process) == (128 + number, "", "")
    assert not Path(f"/proc/{told.read_text()}").exists()
    assert not place.folder.exists()
