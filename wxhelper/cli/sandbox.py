"""Floor 7: ``wxhelper sandbox``."""

import argparse
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import FrameType

from wxhelper.cli.parser import Parser
from wxhelper.cli.streams import complain, say
from wxhelper.errors import TemporaryError, UsageError, printable
from wxhelper.sandbox import Sandbox
from wxhelper.sandbox.environment import around, lay_out

_WHAT = """\
Stand-ins for IBM's token services, a protected API and a Kubernetes API server, on
this machine alone. COMMAND runs with profiles, a cache and a home directory that
lead to them and go away afterwards; without COMMAND the variables to export are
printed, and they are served until you interrupt."""
_EXAMPLES = """
wxhelper sandbox -- sh                  a shell to try things in
wxhelper sandbox -- kubectl get pods
wxhelper sandbox -- wxhelper token --profile aws
wxhelper sandbox -- sh -c 'wxhelper header | curl -H @- "$WXHELPER_SANDBOX_URL/version"'
wxhelper sandbox                        prints: export WXHELPER_CONFIG=...
"""


def prepare(parser: Parser) -> None:
    """Declare the options."""
    parser.explain(_WHAT, _EXAMPLES)
    parser.add_argument("command", metavar="-- COMMAND", nargs="*", help="what to run")


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Do it. The status is the command's."""
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    with temporary_sandbox() as (sandbox, variables):
        if sandbox.tls_skipped:
            complain(f"wxhelper: {sandbox.tls_skipped}")
        if command:
            return _run(command, around(environ, variables, os.path.dirname(itself()[0])))
        for name, value in variables.items():
            say(f"export {name}={shlex.quote(value)}\n")
        complain("wxhelper: serving until interrupted")
        _until_interrupted()
    return 0


def itself() -> list[str]:
    """The command that runs this very wxhelper."""
    program = os.path.abspath(sys.argv[0])
    if os.path.basename(program) == "wxhelper" and os.access(program, os.X_OK):
        return [program]
    return [sys.executable, "-m", "wxhelper"]


@contextmanager
def temporary_sandbox() -> Iterator[tuple[Sandbox, dict[str, str]]]:
    """A running sandbox in a directory that goes away, and the variables for it.

    Raises:
        TemporaryError: it cannot be set up.
    """
    try:
        directory = tempfile.mkdtemp(prefix="wxhelper-")
    except OSError as fault:
        raise TemporaryError(
            f"there is no place for temporary files: {fault.strerror or fault}",
            remedy="set TMPDIR to a directory that can be written",
        ) from None
    try:
        with Sandbox(directory) as sandbox:
            yield sandbox, lay_out(sandbox, os.path.join(directory, "user"), itself())
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _run(command: Sequence[str], environ: Mapping[str, str]) -> int:
    program = shutil.which(command[0], path=environ.get("PATH"))
    try:
        if program is None:
            raise FileNotFoundError
        process = subprocess.Popen([program, *command[1:]], env=environ)  # noqa: S603 - the user's
    except OSError as fault:
        raise UsageError(
            f"{printable(command[0], 80)} cannot be run: {fault.strerror or 'no such program'}",
            remedy="see: wxhelper sandbox --help",
        ) from None

    def pass_on(number: int, _: FrameType | None) -> None:
        process.send_signal(number)

    # A terminal sends its interrupt to the command, too, which decides what it means.
    with _handling({signal.SIGINT: _nothing, signal.SIGTERM: pass_on, signal.SIGHUP: pass_on}):
        status = process.wait()
    return status if status >= 0 else 128 - status


def _until_interrupted() -> None:
    interrupted = threading.Event()

    def stop(*_: object) -> None:
        interrupted.set()

    with _handling({signal.SIGINT: stop, signal.SIGTERM: stop, signal.SIGHUP: stop}):
        interrupted.wait()


def _nothing(*_: object) -> None:
    pass


Handler = Callable[[int, FrameType | None], None]


@contextmanager
def _handling(handlers: Mapping[signal.Signals, Handler]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
