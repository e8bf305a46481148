"""``wxhelper login`` killed wherever it changes something."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from disk import Traced, assert_private
from logins import Place

CHANGING = "openat,write,fsync,rename,renameat,renameat2,unlink,unlinkat"
SHARDS = 2
OLD = "the-old-key"


@pytest.fixture
def traced(strace: str, place: Place, program: str, tmp_path: Path) -> Traced:
    for name in [name for name in place.wx.environ if name.startswith("COV")]:
        del place.wx.environ[name]
    key = tmp_path / "given"
    key.touch(0o600)
    key.write_text(place.sandbox.api_key)
    place.sandbox.keys[OLD] = place.sandbox.keys[place.sandbox.api_key]
    said = ("login", "dev", "--url", place.sandbox.http_url, "--store", "file")
    typed = (*said, "--api-key", f"@{key}")
    return Traced(strace, place.wx, program, tmp_path / "strace.log", typed)


@pytest.fixture(autouse=True)
def _careless() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


def before(place: Place, *, again: bool) -> None:
    shutil.rmtree(place.folder, ignore_errors=True)
    if again:
        assert place.login("--store", "file", key=OLD).status == 0


@pytest.mark.parametrize("shard", range(SHARDS))
@pytest.mark.parametrize("again", [False, True], ids=["the first login", "a login again"])
def test_it_leaves_nothing_half_written_and_nothing_that_others_can_read(
    again: bool, shard: int, traced: Traced, place: Place
) -> None:
    before(place, again=again)
    calls = ("openat", "write", "rename") if not again else tuple(CHANGING.split(","))
    points = [call for call in traced.storing(CHANGING) if call[0] in calls]
    assert len(points) >= 6, points
    for name, count in points[shard::SHARDS]:
        before(place, again=again)
        killed = traced.run(name, f"signal=KILL:when={count}")
        assert killed.returncode == -signal.SIGKILL, (name, count)
        assert_private(place.folder)
        key = place.folder / "keys" / "dev"
        keys = {f"{place.sandbox.api_key}\n", f"{OLD}\n"}
        assert not key.exists() or key.read_text() in keys, (name, count)
        assert not place.config.exists() or place.works() or not again, (name, count)
        assert place.login("--store", "file").status == 0, (name, count)
        left = {path for path in place.files if path.startswith("keys/")}
        assert left == {"keys/dev"}, (name, count)
