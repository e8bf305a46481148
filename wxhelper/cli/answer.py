"""Floor 7: what the helper verbs share: one grant, printed by its protocol, step 8."""

import logging
import signal
import sys
import warnings
from collections.abc import Mapping
from types import FrameType, ModuleType

from wxhelper.acquire import Acquisition
from wxhelper.cli.streams import answer_only, complain, undelivered
from wxhelper.errors import Ended, WrongScheme, WxhelperError
from wxhelper.protocols import Asked, Grant, deliver

try:
    import resource
except ImportError:  # Windows
    resource = None  # type: ignore[assignment]


def answer(protocol: ModuleType, asked: Asked, environ: Mapping[str, str], *, tells: bool) -> int:
    """Print a token as the protocol wants it.

    Args:
        protocol: a module of ``wxhelper.protocols``.
        asked: what the caller wants, completed.
        environ: the variables.
        tells: whether a token that could not be kept is worth a line on standard
            error; some callers mix the two streams.

    Returns:
        The exit status.

    Raises:
        WxhelperError: there is no token.
    """
    keep_quiet()
    end_in_order()
    with answer_only() as stdout:
        acquisition = Acquisition(asked, environ)
        grant = acquisition.run()
        if not protocol.carries(grant.token.scheme, asked):
            fault = WrongScheme(
                f"{asked.verb} can only carry Bearer tokens, "
                f"and source {grant.source} gives {grant.token.scheme}",
                remedy=f"name another profile: wxhelper {asked.verb} --profile NAME",
            )
            fault.profile = grant.profile
            fault.admitted = True
            raise fault
        try:
            deliver(_rendered(protocol, grant, asked), stdout)
        except OSError as fault:
            return undelivered(fault)
    if acquisition.unkept and tells:
        complain(f"wxhelper: the token is good but could not be kept: {acquisition.unkept}")
    return 0


def _rendered(protocol: ModuleType, grant: Grant, asked: Asked) -> str:
    try:
        return str(protocol.render(grant, asked))
    except WxhelperError as fault:
        fault.profile = grant.profile
        raise


def keep_quiet() -> None:
    """No line on standard error but ours: some callers read it as part of the answer."""
    if not sys.warnoptions:
        warnings.simplefilter("ignore")  # requests warns of its neighbours' versions on import
    logging.getLogger().addHandler(logging.NullHandler())
    # A crash, or an impatient Ctrl-\\, must not leave a file with the key in it.
    if resource is not None:
        most = resource.getrlimit(resource.RLIMIT_CORE)[1]
        resource.setrlimit(resource.RLIMIT_CORE, (0, most))


def end_in_order() -> None:
    """Leave by an exception when told to end: children are ended and files removed then."""

    def leave(number: int, _: FrameType | None) -> None:
        raise Ended(128 + number)

    for number in (signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM)):
        if signal.getsignal(number) == signal.SIG_DFL:  # nohup's choice stays
            signal.signal(number, leave)
