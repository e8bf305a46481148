"""What several files of unit tests ask for by name."""

import contextlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from homes import Home
from raw_server import Raw
from records import CONFIG
from worlds import KEY, World, plug_in
from wxhelper.cache import Cache
from wxhelper.plugin import transport
from wxhelper.sandbox import Sandbox


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    """A configuration with a record for each of its profiles, in the test's own process."""
    return Home(tmp_path, monkeypatch)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Where the configuration is; there is none yet."""
    return tmp_path / "config.toml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The cache directory; not made yet."""
    return tmp_path / "parent" / "cache"


@pytest.fixture
def cache(folder: Path) -> Cache:
    """The cache in it."""
    return Cache({"WXHELPER_CACHE_DIR": str(folder)}, CONFIG)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """A world of its own, which must not keep the key in its cache."""
    made = World(tmp_path)
    plug_in(made, monkeypatch)
    yield made
    texts = [path.read_bytes() for path in tmp_path.glob("cache/*") if path.is_file()]
    assert not [text for text in texts if KEY.encode() in text]


@pytest.fixture
def raw() -> Iterator[Callable[..., Raw]]:
    """Starts a raw server."""
    with contextlib.ExitStack() as stack:

        def start(serve: bytes | Callable[[socket.socket], object] = b"") -> Raw:
            if isinstance(serve, bytes):
                server = Raw(lambda connection: connection.sendall(serve))
            else:
                server = Raw(serve)
            stack.callback(server.close)
            return server

        yield start


@pytest.fixture
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tried again is tried again at once."""
    monkeypatch.setattr(transport, "_RETRY_PAUSE", 0.001)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox over plain http in which nothing goes wrong but what a test asks for."""
    with Sandbox(str(tmp_path), tls=False) as sandbox:
        yield sandbox
        assert sandbox.defects == ()
