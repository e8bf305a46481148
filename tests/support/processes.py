"""Programs that are run to their end, and fetches that are held up on their way."""

import subprocess
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from wxhelper.sandbox import Fault, Sandbox

Ended = tuple[int, str, str]
Start = Callable[..., "subprocess.Popen[str]"]


def ended(command: Sequence[str], environ: Mapping[str, str], *, cwd: str | None = None) -> Ended:
    """Runs a program to its end, with nothing to read: its status, output and errors."""
    done = subprocess.run(
        command,
        cwd=cwd,
        env=environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def held_up(
    sandbox: Sandbox, start: Start, *arguments: str, requests: int = 1
) -> "tuple[subprocess.Popen[str], threading.Event]":
    """Starts a fetch that gets no answer before the event is set.

    Args:
        sandbox: what it asks.
        start: starts the command.
        arguments: what comes after the verb.
        requests: how many the sandbox has seen when this one has arrived.
    """
    gate = threading.Event()
    sandbox.faults.add(Fault(match="iam", gate=gate))
    process = start("token", *arguments)
    assert sandbox.requests.wait_for(requests, 30, service="iam")
    return process, gate


def issued(sandbox: Sandbox, ended: Ended) -> str:
    """What was printed, which is a token of the sandbox and nothing else."""
    status, out, err = ended
    assert (status, err) == (0, "")
    assert sandbox.issuer.grant(out.strip()) is not None
    return out


def holder_of(lock: Path) -> int:
    """The process that holds a lock on the file, as the kernel tells it (proc_locks(5))."""
    inode = str(lock.stat().st_ino)
    holders = [
        int(fields[4])
        for fields in map(str.split, Path("/proc/locks").read_text().splitlines())
        if "->" not in fields and fields[5].rpartition(":")[2] == inode
    ]
    assert len(holders) == 1
    return holders[0]
