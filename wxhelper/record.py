"""Floor 2: one cached token as text, and whether it may still be served.

A record names what it depends on, as git's index does: the configuration and key
files as they were (size, times, inode, or absent) and fingerprints of the
variables that were looked at. So a hit parses no TOML and reads no key. It may
be served when nothing of that has changed, the clock has not been set, nobody
has invalidated it, and it is not yet due. Anything else is a miss; this file
never explains and never raises for what it finds on disk.

A record's text:

    wxhelper record 2
    profile dev
    default yes                       chosen when no profile is named
    source ibmcloud
    login iambearer                   the user, where the token is a password
    hosts api.example.com *.b.org     who may be given the token by a helper
    generation -                      what `invalidate` had left before it was asked for
    clock 1763712000.125 5120.500 BOOT_ID     wall clock, boot clock, which boot
    minted 1763712000.131             when the request was sent
    refresh 1763714870
    expires 1763715600
    salt 0f3a...                      keys the fingerprints
    identity 9b1c...                  source, settings and key
    file 312 1763 1763 77 /home/...   size, mtime, ctime (ns), inode; or "-"
    env IBMCLOUD_API_KEY 77ab...      or "-" when unset
    token Bearer eyJ...
    end
"""

import os
import stat
import time

from wxhelper import tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_MAGIC = "wxhelper record 2"
_SIZE_LIMIT = 65_536
_LATEST = 2**40  # seconds: no time of a record is later
ABSENT = "-"

_FLAGS = (
    os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY
    if os.name == "posix"
    else 0
)


class Moment:
    """The present, on two clocks.

    The boot clock counts through suspends and cannot be set, so it proves how
    much time went by since the record was made, unless the machine was started
    again in between.

    Attributes:
        wall: Unix seconds.
        boot: seconds since this boot; 0.0 where there is no such clock.
        boot_id: which boot; "-" where that cannot be told.
    """

    __slots__ = ("boot", "boot_id", "wall")

    def __init__(self, wall: float, boot: float = 0.0, boot_id: str = ABSENT) -> None:
        self.wall = wall
        self.boot = boot
        self.boot_id = boot_id

    @classmethod
    def now(cls) -> "Moment":
        """The present, from the system."""
        wall = time.time()
        if not hasattr(time, "CLOCK_BOOTTIME"):
            return cls(wall)
        try:
            fd = os.open("/proc/sys/kernel/random/boot_id", os.O_RDONLY | os.O_CLOEXEC)
            try:
                boot_id = os.read(fd, 64).decode("ascii").strip()
            finally:
                os.close(fd)
            return cls(wall, time.clock_gettime(time.CLOCK_BOOTTIME), boot_id or ABSENT)
        except (OSError, ValueError):
            return cls(wall)


class Basis:
    """What an answer depended on. While it is unchanged, the answer stands.

    Attributes:
        salt: keys the fingerprints.
        identity: the fingerprint of source, settings and key.
        files: path and ``file_state`` of each, the configuration first.
        variables: name and fingerprint of each, or ABSENT for an unset one.
    """

    __slots__ = ("files", "identity", "salt", "variables")

    def __init__(
        self,
        salt: str,
        identity: str,
        files: "list[tuple[str, str]]",
        variables: "list[tuple[str, str]]",
    ) -> None:
        self.salt = salt
        self.identity = identity
        self.files = files
        self.variables = variables

    def lines(self) -> "list[str]":
        """The basis as it stands in a file."""
        return [
            f"salt {self.salt}",
            f"identity {self.identity}",
            *(f"file {state} {path}" for path, state in self.files),
            *(f"env {name} {digest}" for name, digest in self.variables),
        ]

    def unchanged(
        self,
        environ: "Mapping[str, str]",
        config: str,
        fingerprint: "Callable[[str, str], str]",
    ) -> bool:
        """Whether everything is as it was.

        Args:
            environ: the variables.
            config: the configuration file that would be read now.
            fingerprint: called with the salt and a variable's value, only for a
                variable that was set and still is.
        """
        if not self.files or self.files[0][0] != config:
            return False
        return self.variables_unchanged(environ, fingerprint) and all(
            file_state(path) == state for path, state in self.files
        )

    def variables_unchanged(
        self, environ: "Mapping[str, str]", fingerprint: "Callable[[str, str], str]"
    ) -> bool:
        """Whether the variables are as they were; the arguments are those of `unchanged`."""
        for name, digest in self.variables:
            value = environ.get(name)
            if (value is None) != (digest == ABSENT):
                return False
            if value is not None and fingerprint(self.salt, value) != digest:
                return False
        return True


class Record:
    """One cached token.

    Attributes:
        profile: the profile's name.
        default: whether it is the one chosen when none is named.
        source: the kind of source.
        login: the user's name, where the token is sent as a password.
        hosts: who may be given the token by a protocol that names a place.
        generation: what `invalidate` had left before the token was asked for.
        moment: when the token was asked for.
        basis: what it depends on.
        token: the token.
    """

    __slots__ = (
        "basis",
        "default",
        "generation",
        "hosts",
        "login",
        "moment",
        "profile",
        "source",
        "token",
    )

    def __init__(  # noqa: PLR0913 - as many as a record has lines
        self,
        *,
        profile: str,
        default: bool,
        source: str,
        login: str,
        hosts: "tuple[str, ...]",
        generation: str,
        moment: Moment,
        basis: Basis,
        token: tokens.Token,
    ) -> None:
        self.profile = profile
        self.default = default
        self.source = source
        self.login = login
        self.hosts = hosts
        self.generation = generation
        self.moment = moment
        self.basis = basis
        self.token = token

    def __repr__(self) -> str:
        return f"Record({self.profile}, {self.token!r})"


def lay_out(magic: str, lines: "list[str]") -> str:
    """A file's text: the magic line, the lines, ``end``.

    Raises:
        ValueError: something, most likely a path, cannot stand on a line.
    """
    if any("\n" in line for line in lines):
        raise ValueError("a line break cannot be recorded")
    return "\n".join([magic, *lines, "end", ""])


def take_apart(magic: str, text: str) -> "tuple[dict[str, str], Basis] | None":
    """The lines of such a text by their first word, and the basis among them."""
    lines = text.split("\n")
    if lines[0] != magic or lines[-2:] != ["end", ""]:
        return None
    single: dict[str, str] = {}
    files: list[tuple[str, str]] = []
    variables: list[tuple[str, str]] = []
    for line in lines[1:-2]:
        word, _, rest = line.partition(" ")
        if word == "file":
            state, _, path = rest.partition(" /")
            files.append(("/" + path, state))
        elif word == "env":
            name, _, digest = rest.partition(" ")
            variables.append((name, digest))
        else:
            single[word] = rest
    salt = single.get("salt", "")
    if "identity" not in single or not (salt.isascii() and salt.isalnum() and len(salt) <= 64):
        return None
    return single, Basis(salt, single["identity"], files, variables)


def write(record: Record) -> str:
    """The record's text.

    Raises:
        ValueError: a path cannot stand on a line, or the token has no expiry
            (a long-lived value is the key itself and is never kept).
    """
    token, moment = record.token, record.moment
    if token.expires_at is None or token.refresh_at is None:
        raise ValueError("a long-lived token is not kept")
    lines = [
        f"profile {record.profile}",
        f"default {'yes' if record.default else 'no'}",
        f"source {record.source}",
        f"login {record.login}",
        f"hosts {' '.join(record.hosts)}",
        f"generation {record.generation}",
        f"clock {moment.wall:.3f} {moment.boot:.3f} {moment.boot_id}",
        f"minted {token.minted_at:.3f}",
        f"refresh {token.refresh_at}",
        f"expires {token.expires_at}",
        *record.basis.lines(),
        f"token {token.scheme} {token.value}",
    ]
    return lay_out(_MAGIC, lines)


def parse(text: str) -> Record | None:
    """A record from its text, or None when it is anything else."""
    parts = take_apart(_MAGIC, text)
    if parts is None:
        return None
    single, basis = parts
    try:
        scheme, _, value = single["token"].partition(" ")
        wall, boot, boot_id = single["clock"].split(" ")
        if not (scheme.isascii() and scheme.isalnum() and tokens.is_b64token(value)):
            return None
        times = [float(wall), float(boot), float(single["minted"])]
        refresh_at, expires_at = int(single["refresh"]), int(single["expires"])
        # Not "x < 0 or x > LATEST": that would let in what is not a number.
        if not all(0 <= number < _LATEST for number in (*times, refresh_at, expires_at)):
            return None
        return Record(
            profile=single["profile"],
            default=single["default"] == "yes",
            source=single["source"],
            login=single["login"],
            hosts=tuple(single["hosts"].split(" ")) if single["hosts"] else (),
            generation=single["generation"],
            moment=Moment(times[0], times[1], boot_id),
            basis=basis,
            token=tokens.Token(
                scheme,
                value,
                minted_at=times[2],
                refresh_at=refresh_at,
                expires_at=expires_at,
            ),
        )
    except (KeyError, ValueError):
        return None


def file_state(path: str) -> str:
    """A file as a dependency: size, mtime, ctime (ns) and inode; "-" when absent.

    The change time is in it because the modification time can be put back.
    Symbolic links are followed, so that a mounted Kubernetes secret changes when
    its link is swapped.
    """
    try:
        found = os.stat(path)
    except (OSError, ValueError):
        return ABSENT
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"


def clock_held(record: Record, moment: Moment) -> bool:
    """Whether the wall clock has not been set since the record was made.

    Where it has, the record's times mean nothing any more. The token's own
    margin is the tolerance, so that no drift below it can outlive the token.
    """
    made, tolerance = record.moment, record.token.margin
    went_by = moment.wall - made.wall
    if made.boot_id == moment.boot_id and made.boot_id != ABSENT:
        return abs(went_by - (moment.boot - made.boot)) <= tolerance
    return went_by >= -tolerance


def read_private(directory: str, name: str) -> "bytes | None":
    """The content of a private file of ours, or None for anything else.

    The directory must be ours and writable by nobody else; the file a regular
    one, ours, with one name, readable by nobody else, at most 64 KiB. Symbolic
    links are not followed and a FIFO is not waited for.
    """
    try:
        folder = os.open(directory, _FLAGS | os.O_DIRECTORY)
    except (OSError, ValueError):
        return None
    try:
        found = os.fstat(folder)
        if found.st_uid != os.geteuid() or found.st_mode & 0o022:
            return None
        return _read_at(folder, name)
    except (OSError, ValueError):
        return None
    finally:
        os.close(folder)


def _read_at(folder: int, name: str) -> "bytes | None":
    fd = os.open(name, _FLAGS, dir_fd=folder)
    try:
        found = os.fstat(fd)
        if (
            not stat.S_ISREG(found.st_mode)
            or found.st_uid != os.geteuid()
            or found.st_mode & 0o077
            or found.st_nlink > 1
            or found.st_size > _SIZE_LIMIT
        ):
            return None
        return os.read(fd, _SIZE_LIMIT)
    finally:
        os.close(fd)


def load(directory: str, name: str) -> Record | None:
    """The record of that name, or None when there is none to trust."""
    data = read_private(directory, name)
    return None if data is None else parse(data.decode("utf-8", "surrogateescape"))


def generation(directory: str, name: str) -> str:
    """What the last `invalidate` left: a random word, or "-" when there was none."""
    data = read_private(directory, name)
    return ABSENT if data is None else data.decode("ascii", "replace").strip() or ABSENT
