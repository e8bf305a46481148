"""Worlds with TLS, and what ``wxhelper doctor`` says of the network in them."""

import contextlib
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import diagnoses
from diagnoses import Row, Rows, as_json, as_lines, checks, untried, with_names
from mistakes import World
from processes import Ended
from wxhelper.sandbox import Sandbox, certs
from wxhelper.sandbox.environment import lay_out

Examine = Callable[..., Ended]
TlsWorld = Callable[..., World]

NETWORK = ("proxy", "name", "connection", "tls", "clock", "token")
CERTIFICATE = (
    "certificate of wxhelper sandbox, issued by wxhelper sandbox authority NUMBER, good until DATE"
)
TLS: Row = ("ok", f"TLSv1.3, {CERTIFICATE}, trusted by ca_file", "")
ISSUED: Row = ("ok", "a new one was issued: Bearer, lives 1 h", "")
HEALTHY: Rows = {**diagnoses.HEALTHY, "tls": [TLS]}


def with_tls(stack: contextlib.ExitStack, folder: Path, **certificate: Any) -> World:
    """A world with TLS, in which the profile trusts the sandbox.

    Args:
        stack: ends the sandbox.
        folder: an empty directory.
        certificate: what is special about the server's, as ``certs.make`` takes it.
    """
    own = folder / "sandbox"
    own.mkdir(mode=0o700)
    running = stack.enter_context(Sandbox(str(own), tls=certs.make(str(own), **certificate)))
    laid_out = lay_out(running, str(folder / "laid-out"), ["wxhelper"])
    config = Path(laid_out["WXHELPER_CONFIG"])
    wx: Any = SimpleNamespace(environ={"PATH": "/usr/bin:/bin", **laid_out})
    cache = Path(laid_out["WXHELPER_CACHE_DIR"])
    world = World(wx, running, config, config.with_name("apikey"), cache)
    world.profile(url=running.https_url, ca_file=running.ca_file)
    return world


def seen(world: World, examine: Examine) -> tuple[int, list[dict[str, str]]]:
    """The exit status, and all that is said; as text it is the same, line by line."""
    before = world.sandbox.faults.waiting()
    status, out, err = examine(world, "--output", "json")
    assert err == ""
    everything = checks(out, world)
    assert isinstance(everything, list)
    shutil.rmtree(world.cache)  # the second run finds what the first one found
    world.sandbox.faults.clear()
    world.sandbox.faults.add(*before)
    again, text, err = examine(world)
    assert (again, err) == (status, "")
    assert with_names(text, world).rpartition("\n\n")[0] == as_lines(everything)
    return status, everything


def of_network(rows: list[dict[str, str]]) -> list[dict[str, str]]:
    """The checks of the network alone."""
    return [row for row in rows if row["check"] in NETWORK]


def expect(**rows: Row) -> list[dict[str, str]]:
    """The rows of a healthy network with some of them changed; what a failure leaves untried."""
    found: dict[str, list[Row]] = {**HEALTHY}
    for name, row in rows.items():
        found[name] = [row]
        if row[0] == "fail" and name in NETWORK:
            found.update(untried(NETWORK[NETWORK.index(name) + 1 :], name))
    return as_json(found)
