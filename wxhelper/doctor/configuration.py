"""The configuration: the file, the profile, its settings, and who could change them."""

import os
import shlex
import stat
from collections.abc import Iterator

from wxhelper.doctor.patient import Missing, Patient, owned
from wxhelper.plugin.types import CheckResult
from wxhelper.profiles import Profile
from wxhelper.standing import LOST

try:
    import grp
    import pwd
except ImportError:  # Windows, where nobody asks for them
    pass

NAME = "configuration"


def look(patient: Patient) -> Iterator[CheckResult]:
    """Look, and tell."""
    profile = owned(patient.profile, NAME)
    if profile.from_environment:
        text = f"no profiles in {profile.config}: variables make the profile {profile.name}"
        lost = patient.environ.get("WXHELPER_CONFIG") and not os.path.exists(profile.config)
        yield CheckResult(
            outcome="warn" if lost else "ok",
            text=f"{LOST.text}; {text}" if lost else text,
            remedy=LOST.remedy if lost else "",
        )
    else:
        yield CheckResult(
            outcome="ok",
            text=f"{profile.config}, profile {profile.name}, {_why(patient, profile)}",
        )
        yield from loose_folders(profile.config)
    if isinstance(patient.kind, Missing):
        yield CheckResult(
            outcome="unknown",
            text="the settings cannot be judged without the source",
            remedy=f"first see to: {patient.kind.told_by}",
        )
        return
    owned(patient.settings, NAME)
    owned(patient.endpoint, NAME)


def _why(patient: Patient, profile: Profile) -> str:
    if patient.named is not None:
        return "named by --profile"
    if patient.environ.get("WXHELPER_PROFILE"):
        return "named by WXHELPER_PROFILE"
    return "the default" if profile.default else "the only one"


def loose_folders(path: str) -> Iterator[CheckResult]:
    """The directories on the way to a file in which others could put another in its place.

    Whoever may write in a directory may replace what is in it, unless it is sticky
    as /tmp is; the file's own mode does not help. Both the path as it is written and
    where it leads to are looked at.
    """
    if os.name != "posix":
        return
    folders = dict.fromkeys([*_above(os.path.abspath(path)), *_above(os.path.realpath(path))])
    for folder in folders:
        try:
            found = os.stat(folder)
        except OSError:
            continue
        quoted = shlex.quote(folder)
        if found.st_uid not in (0, os.geteuid()):
            yield CheckResult(
                outcome="warn",
                text=f"{folder} belongs to another user, who could replace what is in it",
                remedy=f"move it to a directory of your own, or: sudo chown $(id -u) {quoted}",
            )
        elif _others_can_write(found) and not found.st_mode & stat.S_ISVTX:
            yield CheckResult(
                outcome="warn",
                text=f"{folder} can be written by other users, who could replace what is in it",
                remedy=f"chmod go-w {quoted}",
            )


def _others_can_write(found: os.stat_result) -> bool:
    """Whether anybody can but its owner; a group that is the user's own is nobody else."""
    if found.st_mode & stat.S_IWOTH:
        return True
    return bool(found.st_mode & stat.S_IWGRP) and not _is_ours_alone(found.st_gid)


def _is_ours_alone(group: int) -> bool:
    """Whether the group is the one that many systems make for each user."""
    try:
        me, found = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(group)
    except KeyError:
        return False
    return found.gr_name == me and set(found.gr_mem) <= {me}


def _above(path: str) -> Iterator[str]:
    while path != (path := os.path.dirname(path)):
        yield path
