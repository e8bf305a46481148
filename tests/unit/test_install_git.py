"""git's entries: in, in again, out, and the configuration is as it was, byte for byte."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from wxhelper.errors import ConfigurationError
from wxhelper.installers import git
from wxhelper.installers.file import Outcome

COMMAND = "/opt/wxhelper/bin/git-credential-wxhelper"
HOSTS = ["git.example.com", "forge.example.com:8443"]
BLOCK = """\
# >>> wxhelper install git --profile dev{how}
[credential "https://git.example.com"]
\thelper =
\thelper = /opt/wxhelper/bin/git-credential-wxhelper --profile dev
[credential "https://forge.example.com:8443"]
\thelper =
\thelper = /opt/wxhelper/bin/git-credential-wxhelper --profile dev
# <<< wxhelper install git --profile dev
"""
USER = "[user]\n\tname = Somebody\n\temail = somebody@example.com\n"

GOOD = {
    "missing": None,
    "empty": "",
    "a newline": "\n",
    "a section": USER,
    "comments": "# mine\n; too\n" + USER + "# end\n\n\n",
    "no final newline": USER.rstrip("\n"),
    "a comment without a newline": USER + "# end",
    "spaces for tabs": USER.replace("\t", "    "),
    "everything on one line": "[user] name = x\n[core] editor = vi\n",
    "other helpers": USER + "[credential]\n\thelper = store\n\thelper = cache --timeout=9\n",
    "a helper for the host": '[credential "https://git.example.com"]\n\thelper = store\n',
    "includes": '[include]\n\tpath = ~/other\n[includeIf "gitdir:~/w/"]\n\tpath = w\n',
    "aliases": '[alias]\n\tl = "!f() { git log \\"$@\\"; }; f"\n\tx = a \\\n\t b\n',
    "CRLF": USER.replace("\n", "\r\n"),
    "CRLF, no final newline": USER.replace("\n", "\r\n")[:-2],
    "a byte order mark": "\ufeff" + USER,
    "another language": "[user]\n\tname = Zoë 日本\n",
    "a section without values": "[user]\n",
    "a backslash in the middle": '[a]\n\tb = "x\\\\"\n',
}
BROKEN = {
    "a bracket": (USER + "]\n", "line 4: git cannot read it"),
    "an open section": (USER + "[core\n", "line 4: git cannot read it"),
    "an open quote": ('[a]\n\tb = "x\n', "git cannot read it"),
    "a line that goes on": ("[a]\n\tb = x\\", "git cannot read it|continues its last line"),
    "not UTF-8": (b"[user]\n\tname = Zo\xeb\n", "line 2: it is not UTF-8"),
    "a block without its end": (
        USER + BLOCK.format(how="").rsplit("# <<<", maxsplit=1)[0],
        "line 4: this block has no end",
    ),
}
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def path(home: Path) -> Path:
    return home / ".gitconfig"


def environ(home: Path, **others: str) -> dict[str, str]:
    return {"HOME": str(home), "PATH": os.environ["PATH"], **others}


def install(home: Path, profile: str = "dev", **changes: object) -> Outcome:
    options = {"entries": HOSTS, "command": COMMAND}
    return git.install(environ(home), profile=profile, **{**options, **changes})


def lay(path: Path, content: str | bytes | None) -> bytes | None:
    data = content.encode() if isinstance(content, str) else content
    if data is not None:
        path.write_bytes(data)
    return data


def content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def helpers(home: Path, url: str, **others: str) -> list[str]:
    """The helpers that git itself says it would ask."""
    protocol, _, host = url.partition("://")
    done = subprocess.run(
        ["git", "credential", "fill"],
        env=environ(home, GIT_TRACE="1", GIT_TERMINAL_PROMPT="0", **others),
        input=f"protocol={protocol}\nhost={host}\n\n",
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    return re.findall(r"run_command: '?(.*) get'?\n", done.stderr)


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_in_and_in_again_and_out_leaves_no_trace(text: str | None, home: Path, path: Path) -> None:
    before = lay(path, text)
    assert install(home).edits[0].changed
    once = path.read_bytes()
    assert once.startswith(before or b"")
    assert not install(home).edits[0].changed
    assert path.read_bytes() == once
    git.uninstall(environ(home))
    assert content(path) == before
    assert not git.uninstall(environ(home)).edits[0].changed
    assert os.listdir(home) == ([] if before is None else [".gitconfig"])


@needs_git
@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_git_asks_the_helper_alone(text: str | None, home: Path, path: Path) -> None:
    lay(path, text)
    install(home)
    for host in HOSTS:
        assert helpers(home, f"https://{host}") == [f"{COMMAND} --profile dev"]
    others = helpers(home, "https://else.example.com")
    assert others == (
        ["git credential-store", "git credential-cache --timeout=9"]
        * (text == GOOD["other helpers"])
    )


@pytest.mark.parametrize(("text", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_not_touched(
    text: str | bytes, reason: str, home: Path, path: Path
) -> None:
    before = lay(path, text)
    with pytest.raises(ConfigurationError, match=reason):
        install(home)
    assert content(path) == before


def test_without_git_the_file_is_written_and_this_is_told(home: Path, path: Path) -> None:
    variables = {"HOME": str(home), "PATH": str(home)}
    outcome = git.install(variables, profile="dev", entries=HOSTS, command=COMMAND)
    assert outcome.notes == ["git is not installed here, so that it has not read the file"]
    assert path.read_text() == BLOCK.format(how=" (a new file)")
    lay(path, BROKEN["a line that goes on"][0])
    with pytest.raises(ConfigurationError, match="a backslash continues its last line"):
        git.install(variables, profile="dev", entries=HOSTS, command=COMMAND)


def test_the_block_stands_at_the_end(home: Path, path: Path) -> None:
    path.write_text(USER)
    outcome = install(home)
    assert path.read_text() == USER + BLOCK.format(how="")
    assert outcome.lines == [f"{path}: git asks wxhelper for https://{host}" for host in HOSTS]


@pytest.mark.parametrize("order", [("dev", "prod"), ("prod", "dev")])
@pytest.mark.parametrize("text", [None, "", USER, USER.rstrip("\n")])
def test_each_profile_has_a_block_of_its_own(
    text: str | None, order: tuple[str, str], home: Path, path: Path
) -> None:
    before = lay(path, text)
    install(home, "dev")
    install(home, "prod", entries=["other.example.com"])
    assert install(home, "dev", entries=HOSTS[:1]).edits[0].changed
    assert not install(home, "prod", entries=["other.example.com"]).edits[0].changed
    git.uninstall(environ(home), profile=order[0])
    assert f"--profile {order[1]}".encode() in path.read_bytes()
    assert f"--profile {order[0]}".encode() not in path.read_bytes()
    git.uninstall(environ(home), profile=order[1])
    assert content(path) == before


@needs_git
def test_what_git_writes_afterwards_stays(home: Path, path: Path) -> None:
    path.write_text(USER.rstrip("\n"))
    install(home)
    for key, value in (
        ("pull.rebase", "true"),
        ("credential.https://git.example.com.username", "me"),
        ("user.name", "Else"),
    ):
        subprocess.run(
            ["git", "config", "--global", key, value], env=environ(home), check=True, timeout=30
        )
    git.uninstall(environ(home))
    assert path.read_text() == (
        "[user]\n\tname = Else\n\temail = somebody@example.com\n"
        '[credential "https://git.example.com"]\n\tusername = me\n[pull]\n\trebase = true\n'
    )


def test_a_file_that_install_made_stays_with_what_others_put_there(home: Path, path: Path) -> None:
    install(home)
    with path.open("a") as stream:
        stream.write(USER)
    git.uninstall(environ(home))
    assert path.read_text() == USER


@needs_git
@pytest.mark.parametrize(
    "command",
    [
        "/opt/with space/git-credential-wxhelper",
        "/opt/it's/git-credential-wxhelper",
        '/opt/a "quoted" one/git-credential-wxhelper',
        "/opt/#;\\/git-credential-wxhelper",
        "/opt/$HOME`x`/git-credential-wxhelper",
    ],
)
def test_git_runs_the_program_whatever_its_path(command: str, home: Path, path: Path) -> None:
    program = Path(f"{home}{command}")
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\ncat >/dev/null; echo "$*" >{home}/arguments\n')
    program.chmod(0o755)
    install(home, command=str(program))
    helpers(home, "https://git.example.com")
    assert (home / "arguments").read_text() == "--profile dev get\n"
    assert not install(home, command=str(program)).edits[0].changed
    assert [each.outcome for each in git.findings(environ(home), {"dev"})] == ["ok"]
    git.uninstall(environ(home))
    assert content(path) is None


@pytest.mark.parametrize(
    ("entry", "urls", "note"),
    [
        ("git.example.com", ["https://git.example.com"], None),
        ("*.example.com", ["https://*.example.com"], "one label"),
        ("localhost:8443", ["https://localhost:8443", "http://localhost:8443"], None),
        ("127.0.0.1", ["https://127.0.0.1", "http://127.0.0.1"], "give --host 127.0.0.1:PORT"),
        ("[::1]", ["https://[::1]", "http://[::1]"], "give --host [::1]:PORT"),
        ("[::1]:8443", ["https://[::1]:8443", "http://[::1]:8443"], None),
    ],
)
def test_the_addresses_of_a_host(
    entry: str, urls: list[str], note: str | None, home: Path, path: Path
) -> None:
    outcome = install(home, entries=[entry])
    assert re.findall(r'\[credential "(.*)"\]', path.read_text()) == urls
    notes = [each for each in outcome.notes if "not installed" not in each]
    assert len(notes) == (note is not None)
    assert note is None or note in notes[0]


@needs_git
def test_a_star_is_one_label_for_git(home: Path) -> None:
    install(home, entries=["*.example.com"])
    assert helpers(home, "https://a.example.com") == [f"{COMMAND} --profile dev"]
    assert helpers(home, "https://a.b.example.com") == []


@pytest.mark.parametrize(
    ("variables", "there", "expected"),
    [
        ({}, [], ".gitconfig"),
        ({}, [".config/git/config"], ".config/git/config"),
        ({}, [".config/git/config", ".gitconfig"], ".gitconfig"),
        ({"XDG_CONFIG_HOME": "{home}/x"}, ["x/git/config"], "x/git/config"),
        ({"GIT_CONFIG_GLOBAL": "{home}/g"}, [".gitconfig"], "g"),
    ],
)
def test_the_file_is_the_one_that_git_writes(
    variables: dict[str, str], there: list[str], expected: str, home: Path
) -> None:
    for name in there:
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text("")
    changed = {name: value.format(home=home) for name, value in variables.items()}
    assert git.path(environ(home, **changed)) == str(home / expected)
    if shutil.which("git") is not None:
        command = ["git", "config", "--global", "a.b", "c"]
        subprocess.run(command, env=environ(home, **changed), check=True, timeout=30)
        assert "[a]" in (home / expected).read_text()
