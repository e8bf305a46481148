"""What is installed: wxhelper, its Python, and what bears its name and is not it."""

import platform
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, distribution

from wxhelper import __version__
from wxhelper.doctor.patient import Patient
from wxhelper.errors import printable
from wxhelper.plugin.types import CheckResult

NAME = "installation"
DISTRIBUTION = "wxhelper-core"
_STRANGER = "wxhelper"


def versions() -> dict[str, str]:
    """What a report of a fault begins with."""
    return {
        DISTRIBUTION: __version__,
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
    }


def look(patient: Patient) -> Iterator[CheckResult]:  # noqa: ARG001 - it is about no profile
    """Look, and tell."""
    installed = _installed(DISTRIBUTION)
    if installed is None:
        yield CheckResult(
            outcome="warn",
            text=f"the distribution {DISTRIBUTION} is not installed: this runs from a checkout",
            remedy=f"install {DISTRIBUTION} into a virtual environment of its own",
        )
    elif installed != __version__:
        yield CheckResult(
            outcome="warn",
            text=f"this is wxhelper {__version__}, and what is installed says {installed}",
            remedy=f"install {DISTRIBUTION} anew; is an old copy in the way?",
        )
    else:
        listed = ", ".join(f"{name} {version}" for name, version in versions().items())
        yield CheckResult(outcome="ok", text=listed)
    stranger = _installed(_STRANGER)
    if stranger is not None:
        yield CheckResult(
            outcome="warn",
            text=f"the distribution {_STRANGER} {stranger} is installed, which is a program of "
            "strangers and overwrites files of ours",
            remedy=f"pip uninstall {_STRANGER}, then install {DISTRIBUTION} anew",
        )


def _installed(name: str) -> str | None:
    """A distribution's version, or None when it is not installed."""
    try:
        return printable(str(distribution(name).version), 40)
    except PackageNotFoundError:
        return None
