"""Floor 6: git: credential helpers for hosts, in git's global configuration.

The entries are a block of text at the end of the file, between two comments, and not
written by `git config`: that would put them into sections that the user has, and
could not undo an end of line or a file that were not there before. At the end they
come after what the file includes, and in git the last word counts:

    # >>> wxhelper install git --profile dev
    [credential "https://git.example.com"]
        helper =
        helper = /usr/local/bin/git-credential-wxhelper --profile dev
    # <<< wxhelper install git --profile dev

The empty helper forgets the others for this host (git-credential-cache or -store
would keep tokens until they are dead). Where git is installed, it reads the new text
before it is written. git's own lock is held: ``FILE.lock``.

A star in a profile's host stands for one or more labels, in git's for one alone.
"""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Collection, Iterator, Mapping, Sequence

from wxhelper import hosts
from wxhelper.command import scrubbed
from wxhelper.errors import ConfigurationError, printable
from wxhelper.installers import file, launcher
from wxhelper.installers.file import After, Outcome
from wxhelper.plugin.types import CheckResult
from wxhelper.words import some

PROGRAM = "git-credential-wxhelper"
_NEW_FILE, _NEW_END = "(a new file)", "(and an end for the line before)"
_BEGIN = re.compile(
    r"# >>> wxhelper install git --profile (?P<profile>[A-Za-z0-9._-]{1,64})"
    r"(?: (?P<how>\(.*\)))?\r?\n?"
)
_HELPER = re.compile(r"\s*helper\s*=\s*(.*)", re.IGNORECASE)
_HEADER = re.compile(r"\s*\[")
_ENTRY = re.compile(rf"/.*{PROGRAM}'? --profile[ =]\S+")
_TIMEOUT = 10.0


def path(environ: Mapping[str, str]) -> str:
    """The global configuration, there or not (git-config(1), FILES).

    Of the two usual files, the one that `git config --global` writes.
    """
    if given := environ.get("GIT_CONFIG_GLOBAL"):
        return os.path.abspath(given)
    home = environ.get("HOME") or os.path.expanduser("~")
    usual = os.path.join(home, ".gitconfig")
    base = environ.get("XDG_CONFIG_HOME") or os.path.join(home, ".config")
    other = os.path.join(base, "git", "config")
    return other if not os.path.lexists(usual) and os.path.exists(other) else usual


def urls(entry: str) -> list[str]:
    """The addresses that stand for one of a profile's hosts; plain http on loopback alone."""
    place = hosts.place(entry)
    loopback = place is not None and hosts.is_loopback(place[0])
    return [f"https://{entry}", *([f"http://{entry}"] if loopback else [])]


def install(
    environ: Mapping[str, str],
    *,
    profile: str,
    entries: Sequence[str],
    command: str,
    dry_run: bool = False,
) -> Outcome:
    """Name the helper for hosts.

    Args:
        environ: the variables.
        profile: the profile.
        entries: hosts of its audience, each as ``hosts.entry`` gives it.
        command: the absolute path of ``git-credential-wxhelper``.
        dry_run: whether only to tell.

    Raises:
        ConfigurationError: the file cannot be understood or written.
        TemporaryError: another program is changing it.
    """
    target = path(environ)

    value = _value(command, profile)
    named = [url for entry in entries for url in urls(entry)]
    lines = [line for url in named for line in _section(url, value)]

    def change(data: bytes | None) -> After:
        text = file.text_of(data or b"", target)
        _refuse_broken(environ, text, target)
        made = _with(text, profile, lines, target, "" if data is not None else _NEW_FILE)
        if made == text:
            return After(data)
        _refuse_broken(environ, made, target)
        return After(made.encode())

    edit = file.edit(target, change, lock=f"{os.path.realpath(target)}.lock", dry_run=dry_run)
    outcome = Outcome([edit])
    if edit.changed:
        outcome.lines += [f"{target}: git asks wxhelper for {url}" for url in named]
    else:
        outcome.lines.append(f"{target}: nothing to change, profile {profile} is there")
    outcome.notes += _about(entries, environ)
    return outcome


def uninstall(
    environ: Mapping[str, str], *, profile: str | None = None, dry_run: bool = False
) -> Outcome:
    """Take away what ``install`` wrote.

    Args:
        environ: the variables.
        profile: only what is for that profile; None for all.
        dry_run: whether only to tell.

    Raises:
        ConfigurationError: the file cannot be understood or written.
        TemporaryError: another program is changing it.
    """
    target = path(environ)
    gone: list[str] = []

    def change(data: bytes | None) -> After:
        gone.clear()
        if data is None:
            return After(None)
        text = file.text_of(data, target)
        new_file = False
        for found in reversed(list(_begins(text))):
            name = found["profile"]
            place = _block(text, name, target) if profile in (None, name) else None
            if place is None:
                continue
            start, stop, how = place
            left = _foreign(file.lines(text[start:stop])[1:-1]) + text[stop:]
            head = text[:start]
            if how == _NEW_END and not left:
                head = head.removesuffix("\n").removesuffix("\r")
            after = _BEGIN.match(left)
            if how and after and not after["how"]:  # what it says is as true of the next block
                left = f"{left[: after.end('profile')]} {how}{left[after.end('profile') :]}"
            text = head + left
            new_file |= how == _NEW_FILE
            gone.append(name)
        if not gone:
            return After(data)
        _refuse_broken(environ, text, target)
        return After(None if new_file and not text else text.encode())

    edit = file.edit(target, change, lock=f"{os.path.realpath(target)}.lock", dry_run=dry_run)
    lines = [f"{target}: took away what was for profile {name}" for name in reversed(gone)]
    return Outcome([edit], lines or ["git: nothing to take away"])


def findings(environ: Mapping[str, str], known: Collection[str]) -> list[CheckResult]:
    """What stands in the way of the entries that are installed.

    Args:
        environ: the variables.
        known: the names of the profiles that there are.
    """
    target = path(environ)
    try:
        found = file.read(target)
        text = file.text_of(found.data, target) if found is not None else ""
        blocks = [
            (begin["profile"], text[place[0] : place[1]])
            for begin in _begins(text)
            if (place := _block(text, begin["profile"], target)) is not None
        ]
    except ConfigurationError as fault:
        return [CheckResult(outcome="unknown", text=fault.message, remedy=fault.remedy)]
    return [_finding(environ, target, profile, block, known) for profile, block in blocks]


def _with(text: str, profile: str, lines: Sequence[str], target: str, how: str) -> str:
    """The text with the profile's block, where it is already or else at the end."""
    end = file.newline(text)
    before, tail = text, ""
    place = _block(text, profile, target)
    if place is not None:
        start, stop, how = place
        old = file.lines(text[start:stop])[1:-1]
        if [line.rstrip("\r\n") for line in old] == list(lines):
            return text
        before, tail = text[:start], _foreign(old) + text[stop:]
    elif text and not text.endswith("\n"):
        before, how = text + end, _NEW_END
    first, last = (f"# {mark} wxhelper install git --profile {profile}" for mark in (">>>", "<<<"))
    block = [f"{first} {how}" if how else first, *lines, last]
    return before + "".join(line + end for line in block) + tail


def _finding(
    environ: Mapping[str, str], target: str, profile: str, block: str, known: Collection[str]
) -> CheckResult:
    where, again = (
        f"git: {target}, profile {profile}:",
        f"type: wxhelper install git --profile {profile}",
    )
    values = [found[1].strip() for line in block.split("\n") if (found := _HELPER.match(line))]
    commands = {_unquoted(value) for value in values if value}
    for command in sorted(commands):
        if not launcher.runs(command):
            text = f"{where} there is no program {printable(command)}"
            return CheckResult(outcome="fail", text=text, remedy=again)
    if profile not in known:
        remedy = f"add that profile, or type: wxhelper uninstall git --profile {profile}"
        return CheckResult(outcome="fail", text=f"{where} there is no such profile", remedy=remedy)
    headers = re.findall(r'(?m)^\[credential "(.+)"\]', block)
    for url in headers:
        helpers = _helpers(environ, url.replace("*", "any"))
        if helpers is None:
            text = f"{where} not looked at further: git is not installed, or cannot read it"
            return CheckResult(outcome="unknown", text=text)
        if not helpers or _unquoted(helpers[0]) not in commands:
            text = f"{where} git does not ask wxhelper first for {printable(url)}"
            remedy = f"see: git config --show-origin --get-all credential.{url}.helper"
            return CheckResult(outcome="fail", text=text, remedy=remedy)
    return CheckResult(outcome="ok", text=f"{where} git asks wxhelper for {some(headers)}")


def _helpers(environ: Mapping[str, str], url: str) -> list[str] | None:
    """The helpers that git would ask, in its order; None when git cannot tell."""
    ended = _git(environ, ["config", "--null", "--get-regexp", r"^credential\..*helper$"])
    if ended is None or ended.returncode not in (0, 1):
        return None
    helpers: list[str] = []
    for pair in ended.stdout.decode("utf-8", "replace").split("\0")[:-1]:
        key, _, value = pair.partition("\n")
        pattern = key.removeprefix("credential.").removesuffix("helper").removesuffix(".")
        if pattern and not _covers(pattern, url):
            continue
        helpers = [*helpers, value] if value else []
    return helpers


def _covers(pattern: str, url: str) -> bool:
    """Whether git takes a section for an address; its host's labels alone may be stars."""
    scheme, _, rest = pattern.rstrip("/").partition("://")
    labels = [re.escape(label) if label != "*" else "[^./]+" for label in rest.split(".")]
    return re.fullmatch(f"{re.escape(scheme)}://{'[.]'.join(labels)}", url) is not None


def _git(
    environ: Mapping[str, str], arguments: Sequence[str], text: str = ""
) -> "subprocess.CompletedProcess[bytes] | None":
    program = shutil.which("git", path=environ.get("PATH"))
    if program is None:
        return None
    try:
        return subprocess.run(  # noqa: S603 - git, by its path
            [program, *arguments],
            env=scrubbed(environ),
            input=text.encode(),
            capture_output=True,
            cwd="/",  # no repository's own configuration counts here
            timeout=_TIMEOUT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None


def _refuse_broken(environ: Mapping[str, str], text: str, target: str) -> None:
    """Refuse what git cannot read; without git, what would swallow the line after it."""
    ended = _git(environ, ["config", "--file", "-", "--list", "--null"], text)
    if ended is not None and ended.returncode != 0:
        said = ended.stderr.decode("utf-8", "replace")
        number = re.search(r"line (\d+)", said)
        raise file.broken(target, int(number[1]) if number else 1, "git cannot read it")
    if re.search(r"(?<!\\)(\\\\)*\\\r?\n?\Z", text):
        raise file.broken(target, text.count("\n") + 1, "a backslash continues its last line")


def _section(url: str, value: str) -> tuple[str, str, str]:
    return f'[credential "{url}"]', "\thelper =", f"\thelper = {value}"


def _value(command: str, profile: str) -> str:
    """A helper as git's configuration has it; git hands it to a shell.

    It must begin with a slash, or git looks for `git-credential-` and the rest.
    """
    named = f"--profile={profile}" if profile.startswith("-") else f"--profile {profile}"
    typed = f"/{shlex.quote(command[1:])} {named}"
    if re.search(r'[\\"#;]', typed):
        return '"' + typed.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return typed


def _unquoted(value: str) -> str:
    """The program of a helper as it stands in the configuration, or as git prints it."""
    if value.startswith('"') and value.endswith('"'):
        value = value[1:-1].replace('\\"', '"').replace("\\\\", "\\")
    try:
        return next(iter(shlex.split(value)), "")
    except ValueError:
        return value


def _begins(text: str) -> Iterator["re.Match[str]"]:
    for line in re.finditer(r"(?m)^# >>> .*\n?", text):
        if found := _BEGIN.fullmatch(text, line.start(), line.end()):
            yield found


def _block(text: str, profile: str, target: str) -> tuple[int, int, str] | None:
    """Where a profile's block begins and ends, and how it came to be there."""
    for begin in _begins(text):
        if begin["profile"] != profile:
            continue
        mark = rf"(?m)^# <<< wxhelper install git --profile {re.escape(profile)}\r?(\n|\Z)"
        end = re.compile(mark).search(text, begin.end())
        inner = text[begin.end() : end.start()] if end else ""
        if end is None or "# >>> wxhelper" in inner:
            line = text.count("\n", 0, begin.start()) + 1
            raise file.broken(target, line, "this block has no end like it")
        return begin.start(), end.end(), begin["how"] or ""
    return None


def _foreign(lines: Sequence[str]) -> str:
    """What others have added between our lines, with the section that it belongs to."""
    kept: list[str] = []
    header = ""
    for line in lines:
        found = _HELPER.match(line)
        value = found[1].strip() if found else None
        if _HEADER.match(line):
            header = line
        elif value is None or not (value == "" or _ENTRY.search(value.strip('"'))):
            kept += [header, line]
            header = ""
    return "".join(kept)


def _about(entries: Sequence[str], environ: Mapping[str, str]) -> Iterator[str]:
    for entry in entries:
        place = hosts.place(entry)
        if entry.startswith("*."):
            yield f"{entry}: git's star is for one label; for deeper names give --host NAME"
        elif place is not None and hosts.is_loopback(place[0]) and place[0] == entry:
            yield f"{entry}: for git that is port 443 or 80; for others give --host {entry}:PORT"
    if shutil.which("git", path=environ.get("PATH")) is None:
        yield "git is not installed here, so that it has not read the file"
