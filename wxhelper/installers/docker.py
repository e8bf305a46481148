"""Floor 6: docker: credential helpers for registries, in docker's config.json.

Docker asks ``docker-credential-wxhelper`` for a registry that ``credHelpers`` gives to
``wxhelper`` (`docker/cli:cli/config/configfile/file.go`). JSON has no comments; what an
undo has to know is in how the text is spaced:

    "credHelpers": {"us.icr.io": ...    the object was there, empty
    "credHelpers": { "us.icr.io": ...   it was not; a space or a new line follows its brace
    a whole file as we would write it   it was not there; it ends in one new line, and
                                        in one more for each directory made for it;
                                        in none where there was an empty file

A text that docker has written anew has another spacing, and the same meaning.
"""

import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence

from wxhelper.errors import ConfigurationError, printable
from wxhelper.installers import file, objects
from wxhelper.installers.file import After, Outcome
from wxhelper.installers.objects import Member
from wxhelper.plugin.types import CheckResult

PROGRAM = "docker-credential-wxhelper"
_KEY = "credHelpers"
_OURS = "wxhelper"
_INDENT = "\n\t"


def path(environ: Mapping[str, str]) -> str:
    """Docker's configuration, there or not."""
    home = environ.get("HOME") or os.path.expanduser("~")
    folder = environ.get("DOCKER_CONFIG") or os.path.join(home, ".docker")
    return os.path.join(os.path.abspath(folder), "config.json")


def install(
    environ: Mapping[str, str], *, registries: Sequence[str], dry_run: bool = False
) -> Outcome:
    """Name the helper for registries.

    Args:
        environ: the variables.
        registries: ``host`` or ``host:port``, as docker names them.
        dry_run: whether only to tell.

    Raises:
        ConfigurationError: the file cannot be understood or written.
        TemporaryError: it does not stop changing.
    """
    target = path(environ)
    others: dict[str, str] = {}

    def change(data: bytes | None) -> After:
        others.clear()
        text = file.text_of(data or b"", target)
        if not text.strip():
            end = "" if data is not None else "\n" * (1 + file.missing_directories(target))
            return After((text + _new_file(registries) + end).encode())
        brace, content = _parsed(text, target)
        had = content.get(_found_key(content), {})
        others.update({r: str(had[r]) for r in registries if had.get(r, _OURS) != _OURS})
        missing = [r for r in registries if r not in had]
        if not missing:
            return After(data)
        made = _with(text, brace, missing)
        _check(made, target, content, {**had, **dict.fromkeys(missing, _OURS)})
        return After(made.encode())

    edit = file.edit(target, change, dry_run=dry_run)
    outcome = Outcome([edit])
    served = [r for r in registries if r not in others]
    outcome.lines.append(
        f"{target}: docker asks wxhelper for {', '.join(served)}"
        if edit.changed
        else f"{target}: nothing to change"
    )
    outcome.notes += [
        f"{registry} is left to docker-credential-{printable(helper, 60)}, which {target} names"
        for registry, helper in others.items()
    ]
    outcome.notes += _about(environ, edit.after or b"", served)
    return outcome


def uninstall(environ: Mapping[str, str], *, dry_run: bool = False) -> Outcome:
    """Take away what ``install`` wrote: every registry that is given to ``wxhelper``.

    Raises:
        ConfigurationError: the file cannot be understood or written.
        TemporaryError: it does not stop changing.
    """
    target = path(environ)
    gone: list[str] = []

    def change(data: bytes | None) -> After:
        gone.clear()
        text = file.text_of(data or b"", target)
        if data is None or not text.strip():
            return After(data)
        brace, content = _parsed(text, target)
        had = content.get(_found_key(content), {})
        gone.extend(registry for registry, helper in had.items() if helper == _OURS)
        if not gone:
            return After(data)
        begin, ours = objects.first(text), _new_file(gone)
        if text[begin:].rstrip("\n") == ours:
            ends = len(text) - begin - len(ours)
            return After(None, ends - 1) if ends and not begin else After(text[:begin].encode())
        made = _without(text, brace)
        _check(made, target, content, {r: h for r, h in had.items() if h != _OURS})
        return After(made.encode())

    edit = file.edit(target, change, dry_run=dry_run)
    lines = [f"{target}: took away {', '.join(gone)}"] if gone else ["docker: nothing to take away"]
    return Outcome([edit], lines)


def findings(environ: Mapping[str, str], profile: str | None) -> list[CheckResult]:
    """What stands in the way of the entries that are installed.

    Args:
        environ: the variables.
        profile: the one that a helper without ``--profile`` uses; None for none.
    """
    target = path(environ)
    try:
        found = file.read(target)
        text = file.text_of(found.data, target) if found is not None else ""
        content = _parsed(text, target)[1] if text.strip() else {}
    except ConfigurationError as fault:
        return [CheckResult(outcome="unknown", text=fault.message, remedy=fault.remedy)]
    ours = [r for r, h in content.get(_found_key(content), {}).items() if h == _OURS]
    if not ours:
        return []
    where = f"docker: {target}:"
    results = []
    if shutil.which(PROGRAM, path=environ.get("PATH")) is None:
        remedy = f"add the directory that {PROGRAM} is in to PATH"
        text = f"{where} {PROGRAM} is not on PATH"
        results.append(CheckResult(outcome="fail", text=text, remedy=remedy))
    if profile is None:
        text = f"{where} docker's helper uses the default profile, and there is none"
        remedy = "write default_profile into the configuration, or export WXHELPER_PROFILE"
        results.append(CheckResult(outcome="fail", text=text, remedy=remedy))
    results += [
        CheckResult(outcome="warn", text=f"{where} {note}")
        for note in _shadows(environ, content, ours)
    ]
    served = f"{where} docker asks wxhelper for {', '.join(ours)}"
    return results or [CheckResult(outcome="ok", text=served)]


def _parsed(text: str, target: str) -> tuple[int, dict[str, dict[str, object]]]:
    """Where the object begins, and what it says."""
    try:
        content = json.loads(text)
    except json.JSONDecodeError as fault:
        raise file.broken(target, fault.lineno, "it is not JSON") from None
    except (RecursionError, ValueError):
        raise file.broken(target, 1, "it is nested too deeply, or a number is too long") from None
    if not isinstance(content, dict):
        raise file.broken(target, 1, "it is no JSON object")
    brace = objects.first(text)
    keys = [member.key for member in objects.members(text, brace)]
    same = [key for key in keys if key.lower() == _KEY.lower()]
    if len(same) > 1:
        raise file.broken(target, 1, f"{_KEY} is there twice")
    if same and not isinstance(content[same[0]], dict):
        raise file.broken(target, 1, f"{same[0]} is no JSON object")
    return brace, content


def _found_key(content: Mapping[str, object]) -> str:
    """The key as it is written: docker takes upper and lower case for the same."""
    return next((key for key in content if key.lower() == _KEY.lower()), _KEY)


def _inner(text: str, brace: int) -> tuple[Member | None, list[Member]]:
    """The member that names helpers, and its members."""
    for member in objects.members(text, brace):
        if member.key.lower() == _KEY.lower():
            return member, objects.members(text, member.value)
    return None, []


def _entries(registries: Sequence[str]) -> list[str]:
    return [f'{json.dumps(registry)}: "{_OURS}"' for registry in registries]


def _written(registries: Sequence[str], gap: str) -> str:
    """The member, in an object whose members have that much space before them."""
    line = gap.rfind("\n")
    inside, end = (gap + gap[line + 1 :], gap) if line >= 0 else (" ", "")
    return f'"{_KEY}": {{{inside}' + f",{inside}".join(_entries(registries)) + end + "}"


def _new_file(registries: Sequence[str]) -> str:
    return "{" + _INDENT + _written(registries, _INDENT) + "\n}"


def _with(text: str, brace: int, registries: Sequence[str]) -> str:
    member, inner = _inner(text, brace)
    if member is not None:
        return objects.put(text, member.value, inner, _entries(registries))
    before = objects.members(text, brace)
    gap = objects.gap(text, brace, before)
    return objects.put(text, brace, before, [_written(registries, gap)])


def _without(text: str, brace: int) -> str:
    member, inner = _inner(text, brace)
    if member is None:
        return text
    said = json.loads(text[member.value : member.end])
    ours = [each for each in inner if said[each.key] == _OURS]
    if len(ours) == len(inner) and text[member.value + 1].isspace():
        return objects.take(text, objects.members(text, brace), [member])
    return objects.take(text, inner, ours)


def _check(made: str, target: str, before: Mapping[str, object], wanted: object) -> None:
    """Refuse a text that does not say what it is meant to say.

    Raises:
        ConfigurationError: it does not; the file is written in a way that we do not know.
    """
    try:
        said = json.loads(made)
    except ValueError:
        said = None
    key = _found_key(before)
    if said is None or {**before, key: wanted} != {key: {}, **said}:
        raise ConfigurationError(
            f"{target} is written in a way that is not understood; nothing was changed",
            remedy=f"add to {_KEY} by hand: {_entries(['REGISTRY'])[0]}",
        )


def _shadows(
    environ: Mapping[str, str], content: Mapping[str, dict[str, object]], registries: Sequence[str]
) -> Iterator[str]:
    if environ.get("DOCKER_AUTH_CONFIG"):
        yield "DOCKER_AUTH_CONFIG is set; what it has for a registry counts before any helper"
    auths = content.get("auths")
    for registry in registries:
        if isinstance(auths, dict) and auths.get(registry):
            yield (
                f"a login for {registry} is in the file, too; docker no longer looks at it, "
                f"and forgets it by: docker logout {registry}"
            )


def _about(environ: Mapping[str, str], data: bytes, registries: Sequence[str]) -> Iterator[str]:
    content = json.loads(data) if data.strip() else {}
    yield from _shadows(environ, content, registries)
    search = environ.get("PATH")
    if shutil.which(PROGRAM, path=search) is None:
        yield f"docker looks for {PROGRAM} on PATH, where it is not: add its directory to PATH"
    if all(shutil.which(name, path=search) is None for name in ("docker", "podman", "skopeo")):
        yield "neither docker nor podman or skopeo is installed here"
