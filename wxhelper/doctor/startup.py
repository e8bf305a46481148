"""What else runs at every start of Python, and so at every start of wxhelper.

A line of a ``.pth`` file that begins with ``import`` is run by every interpreter of
the environment, with ``-I``, too; stealers of credentials have used that.
"""

import base64
import hashlib
import importlib.util
import os
import site
import sysconfig
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import distributions

from wxhelper.doctor.patient import Patient
from wxhelper.errors import printable
from wxhelper.plugin.types import CheckResult

NAME = "startup"
# Distributions whose lines are known, and harmless.
_KNOWN = ("coverage", "pytest-cov", "setuptools", "virtualenv")
# Whole files that come without a RECORD, by their digest: "import _virtualenv", which virtualenv
# and uv write into what they make; setuptools' distutils-precedence.pth, as Debian packages it.
_WRITTEN = (
    "aaw9jyfmecgblKsws7VunNE4IZsbqUofo2BtWnahQz0",
    "JjjOniUA5XKl4N5_rtZmHrVp0baW_LoHsN0iPaX10iQ",
)
_HOOKS = ("sitecustomize", "usercustomize")
_SIZE_LIMIT = 1_048_576
_ALONE = "install wxhelper-core into a virtual environment of its own"


@dataclass(frozen=True)
class Owner:
    """The distribution that brought a file.

    Attributes:
        name: its name.
        digest: SHA-256 of the file as it was installed, base64 as in RECORD; or None.
    """

    name: str
    digest: str | None


def look(patient: Patient) -> Iterator[CheckResult]:
    """Look, and tell."""
    folders = [path for path in _site_folders() if os.path.isdir(path)]
    found = [*running_files(folders), *_hooks(), *_variables(patient)]
    yield from found
    if not found:
        yield CheckResult(outcome="ok", text="nothing that is unknown runs before wxhelper does")


def running_files(folders: Sequence[str]) -> Iterator[CheckResult]:
    """A warning for each ``.pth`` file that runs code and is not known.

    Args:
        folders: the site directories.
    """
    paths = [path for folder in folders for path in _path_files(folder)]
    running = [(path, data) for path, data in paths if _runs(data)]
    owners = _owners(folders) if running else {}
    for path, data in running:
        owner = owners.get(os.path.realpath(path))
        name = printable(path, 300)
        if owner is None:
            if _digest(data) not in _WRITTEN:
                yield CheckResult(
                    outcome="warn",
                    text=f"{name} runs code at every start of Python, and nothing that is "
                    "installed has brought it",
                    remedy=f"read it, and remove it if you do not know it; better: {_ALONE}",
                )
        elif owner.digest not in (None, _digest(data)):
            yield CheckResult(
                outcome="warn",
                text=f"{name} runs code at every start of Python, and is not as {owner.name} "
                "brought it",
                remedy=f"read it, and install {owner.name} anew",
            )
        elif owner.name not in _KNOWN:
            yield CheckResult(
                outcome="warn",
                text=f"{name} of {owner.name} runs code at every start of Python",
                remedy=f"uninstall {owner.name} if you do not know it; better: {_ALONE}",
            )


def _site_folders() -> list[str]:
    folders = [
        *site.getsitepackages(),
        sysconfig.get_path("purelib"),
        sysconfig.get_path("platlib"),
    ]
    if site.ENABLE_USER_SITE:
        folders.append(site.getusersitepackages())
    return list(dict.fromkeys(folders))


def _path_files(folder: str) -> Iterator[tuple[str, bytes]]:
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return
    for name in names:
        path = os.path.join(folder, name)
        if name.endswith(".pth") and os.path.isfile(path):
            with suppress(OSError), open(path, "rb") as file:
                yield path, file.read(_SIZE_LIMIT)


def _runs(data: bytes) -> bool:
    """Whether the interpreter runs a line of it (``site``)."""
    return any(line.startswith((b"import ", b"import\t")) for line in data.splitlines())


def _owners(folders: Sequence[str]) -> dict[str, Owner]:
    """The owner of each ``.pth`` file, by its real path, as the RECORDs tell."""
    found = {}
    for one in distributions(path=list(folders)):
        with suppress(Exception):  # a garbled RECORD owns nothing
            for file in one.files or ():
                if file.name.endswith(".pth"):
                    digest = file.hash.value if file.hash and file.hash.mode == "sha256" else None
                    name = printable(one.name.lower().replace("_", "-"), 60)
                    found[os.path.realpath(str(file.locate()))] = Owner(name, digest)
    return found


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")


def _hooks() -> Iterator[CheckResult]:
    """Modules that Python imports by itself where they are found."""
    library = os.path.realpath(sysconfig.get_path("stdlib"))
    for name in _HOOKS:
        spec = None
        with suppress(Exception):  # what is there may be anything
            spec = importlib.util.find_spec(name)
        if spec is None or not spec.origin:
            continue
        if os.path.dirname(spec.origin) in (library, sysconfig.get_path("stdlib")):
            continue  # the system's own: Debian and Homebrew have one
        yield CheckResult(
            outcome="warn",
            text=f"{printable(spec.origin, 300)} runs at every start of Python",
            remedy=f"read it, and remove it if you do not know it; better: {_ALONE}",
        )


def _variables(patient: Patient) -> Iterator[CheckResult]:
    for name in ("PYTHONPATH", "PYTHONHOME"):
        if value := patient.environ.get(name):
            yield CheckResult(
                outcome="warn",
                text=f"{name} is set ({printable(value, 100)}): modules from there come first",
                remedy=f"unset {name} where wxhelper is started",
            )
