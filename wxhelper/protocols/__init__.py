"""Floor 2: what other programs send and read, one file per protocol.

    plain              ``wxhelper token`` and ``wxhelper header``
    exec_credential    kubectl and every other client-go program
    curl_config        ``curl -K -``
    netrc              ``curl --netrc-file`` and all that reads such a file
    git_credential     git
    docker_credential  docker, podman, skopeo, helm

A protocol is three functions. ``complete(asked, environ)`` fills in what the
caller says by other ways than its options: ``places`` when the token is for one
place, ``reply`` when no token is needed to answer. It answers False when that
takes more than a hit can afford. ``carries(scheme, asked)`` tells whether the
caller can use such a token. ``render(grant, asked)`` gives the answer's text. All
serve a hit and a miss alike, so that the two cannot differ. Nothing here needs
escaping: the alphabets of a token, a profile, a source, a login and a host are
checked when they are accepted.
"""

import os
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wxhelper.hosts import Place
    from wxhelper.tokens import Token

RAW = "raw"
JSON = "json"
LOGIN = "iambearer"
"""The user whose password is a token, in the services of IBM Cloud that know only passwords
(ibm-cloud-docs/Registry:registry_access.md)."""

_MOST_READ = 262_144


class Asked:
    """What the caller wants.

    Attributes:
        verb: the command, which names the protocol.
        profile: the profile's name, or None for the default one.
        min_ttl: seconds of life that the token must still have.
        refresh: only a token asked for after this call began will do.
        output: RAW or JSON, for a person's programs.
        api_version: the ExecCredential version, without its group.
        arguments: what follows the verb and is no option.
        stdin: what the caller wrote, for a protocol that is spoken there.
        places: who would be given the token; empty where the caller does not say.
        request: what else the protocol read, for itself.
        reply: the whole answer, when it takes no token; else None.
        refusal: the whole answer to a place that the token is not for; None makes it
            an error.
        newer_than: Unix seconds; a token of that moment, or an older one, was refused.
    """

    __slots__ = (
        "api_version",
        "arguments",
        "min_ttl",
        "newer_than",
        "output",
        "places",
        "profile",
        "refresh",
        "refusal",
        "reply",
        "request",
        "stdin",
        "verb",
    )

    def __init__(  # noqa: PLR0913 - each verb needs few of them
        self,
        verb: str,
        *,
        profile: str | None = None,
        min_ttl: int = 0,
        refresh: bool = False,
        output: str = RAW,
        api_version: str | None = None,
        arguments: tuple[str, ...] = (),
        stdin: bytes = b"",
    ) -> None:
        self.verb = verb
        self.profile = profile
        self.min_ttl = min_ttl
        self.refresh = refresh
        self.output = output
        self.api_version = api_version
        self.arguments = arguments
        self.stdin = stdin
        self.places: tuple[Place, ...] = ()
        self.request: dict[str, str] = {}
        self.reply: str | None = None
        self.refusal: str | None = None
        self.newer_than = 0.0


class Grant:
    """What the caller gets.

    Attributes:
        token: the token.
        profile: the profile's name.
        source: the kind of source that it came from.
        cached: whether it was on disk already.
        login: the user's name, where the token is sent as a password.
    """

    __slots__ = ("cached", "login", "profile", "source", "token")

    def __init__(
        self, token: "Token", profile: str, source: str, *, cached: bool, login: str = LOGIN
    ) -> None:
        self.token = token
        self.profile = profile
        self.source = source
        self.cached = cached
        self.login = login


def read_request(end: bytes, fd: int = 0) -> bytes:
    """What the caller writes, up to the end of it or the end of the file.

    Args:
        end: what the protocol ends a request with; what comes after may be missing
            or not.
        fd: where it is written.

    Returns:
        At most a little more than 256 KiB, which no protocol here takes any more.

    Raises:
        OSError: it cannot be read.
    """
    read = b""
    while end not in read and len(read) <= _MOST_READ:
        try:
            piece = os.read(fd, 65_536)
        except BlockingIOError:  # the caller's pipe is non-blocking, and empty as yet
            time.sleep(0.01)
            continue
        if not piece:
            break
        read += piece
    return read


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
