"""Floor 2: what other programs send and read, one file per protocol.

    plain             ``wxhelper token`` and ``wxhelper header``
    exec_credential   kubectl and every other client-go program

A protocol is three functions. ``complete(asked, environ)`` fills in what the
caller says by other ways than its arguments, and answers False when that takes
more than a hit can afford. ``carries(scheme)`` tells whether the caller can use
such a token. ``render(grant, asked)`` gives the answer's text. All serve a hit
and a miss alike, so that the two cannot differ. Nothing here needs escaping: a
token's, a profile's and a source's alphabets are checked when they are accepted.
"""

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wxhelper.tokens import Token

RAW = "raw"
JSON = "json"


class Asked:
    """What the caller wants.

    Attributes:
        verb: the command, which names the protocol.
        profile: the profile's name, or None for the default one.
        min_ttl: seconds of life that the token must still have.
        refresh: only a token asked for after this call began will do.
        output: RAW or JSON, for a person's programs.
        api_version: the ExecCredential version, without its group.
    """

    __slots__ = ("api_version", "min_ttl", "output", "profile", "refresh", "verb")

    def __init__(
        self,
        verb: str,
        *,
        profile: str | None = None,
        min_ttl: int = 0,
        refresh: bool = False,
        output: str = RAW,
        api_version: str | None = None,
    ) -> None:
        self.verb = verb
        self.profile = profile
        self.min_ttl = min_ttl
        self.refresh = refresh
        self.output = output
        self.api_version = api_version


class Grant:
    """What the caller gets.

    Attributes:
        token: the token.
        profile: the profile's name.
        source: the kind of source that it came from.
        cached: whether it was on disk already.
    """

    __slots__ = ("cached", "profile", "source", "token")

    def __init__(self, token: "Token", profile: str, source: str, *, cached: bool) -> None:
        self.token = token
        self.profile = profile
        self.source = source
        self.cached = cached


def deliver(answer: str, fd: int = 1) -> None:
    """Write the whole answer without Python's buffers.

    Raises:
        OSError: standard output did not take it, or not all of it.
    """
    rest = memoryview(answer.encode("utf-8", "surrogateescape"))
    while rest:
        try:
            rest = rest[os.write(fd, rest) :]
        except BlockingIOError:  # the caller's pipe is non-blocking, and full
            time.sleep(0.01)
