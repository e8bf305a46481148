"""What ``wxhelper doctor`` says of what was installed into kubectl, git and docker."""

import json
import os
import shutil
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

from diagnoses import with_names
from mistakes import World
from processes import Ended

Examine = Callable[..., Ended]
Said = tuple[str, str, str]

KUBECONFIG = """\
contexts:
- name: dev
  context: {cluster: dev, user: dev}
current-context: dev
users:
- name: dev
  user: {}
"""
KUBECTL = "kubectl: HOME/.kube/config, user dev: "
GIT = "git: HOME/.gitconfig, profile sandbox: "
DOCKER = "docker: HOME/.docker/config.json: docker asks wxhelper for icr.io"
ROOT = str(Path(sysconfig.get_path("scripts")).parent)
NO_PROFILE = "add that profile, or type: wxhelper uninstall {} --profile sandbox"
WELL: list[Said] = [
    ("ok", KUBECTL + "asks wxhelper for profile sandbox", ""),
    ("ok", GIT + "git asks wxhelper for https://git.example.com, https://icr.io", ""),
    ("ok", DOCKER, ""),
]

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def said(world: World, examine: Examine) -> tuple[int, list[Said]]:
    """The exit status, and what the check says."""
    status, out, err = examine(world, "--output", "json")
    assert err == ""
    return status, [
        (row["outcome"], *(with_names(row[part], world) for part in ("text", "remedy")))
        for row in json.loads(out)["checks"]
        if row["check"] == "integrations"
    ]


@pytest.fixture
def home(world: World) -> Path:
    """A home directory in which all three are installed, by the command itself."""
    pytest.importorskip("yaml", reason="PyYAML is not installed")
    home = Path(world.environ["HOME"])
    world.environ.pop("KUBECONFIG", None)  # the sandbox's own
    (home / ".kube").mkdir(parents=True)
    (home / ".kube" / "config").write_text(KUBECONFIG)
    world.profile(hosts=None)
    world.text(world.config.read_text() + 'hosts = ["git.example.com", "icr.io"]\n')
    folder = sysconfig.get_path("scripts")
    world.environ["PATH"] = folder + os.pathsep + world.environ["PATH"]
    for tool in ("kubectl", "git", "docker"):
        done = world.wx("install", tool)
        assert (done.status, done.err) == (0, "")
    return home


def replaced(path: str, old: str, new: str) -> Callable[[Path, World], object]:
    """Changes a file in the home directory."""

    def change(home: Path, world: World) -> None:
        text = (home / path).read_text()
        assert old in text
        (home / path).write_text(text.replace(old, new))

    return change


def another_helper(home: Path, world: World) -> None:
    with (home / ".gitconfig").open("a") as stream:
        stream.write('[credential "https://git.example.com"]\n\thelper =\n\thelper = store\n')


def another_profile(home: Path, world: World) -> None:
    text = world.config.read_text()
    world.text(text.replace("[profiles.sandbox]", "[profiles.other]"))


def a_login(home: Path, world: World) -> None:
    path = home / ".docker" / "config.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({**content, "auths": {"icr.io": {"auth": "c2VjcmV0"}}}))


def a_long_lived_token(home: Path, world: World) -> None:
    world.text(
        '[profiles.sandbox]\nsource = "dph"\nmode = "zenapikey"\nusername = "me"\n'
        'api_key = "file:apikey"\nhosts = ["git.example.com", "icr.io"]\n'
    )


CASES: dict[str, tuple[Callable[[Path, World], object], int, dict[int, Said]]] = {
    "well": (lambda home, world: None, 0, {}),
    "kubectl's command is gone": (
        replaced(".kube/config", "/bin/wx", "/gone/wx"),
        5,
        {
            0: (
                "fail",
                KUBECTL + f"there is no program {ROOT}/gone/wxhelper",
                "type: wxhelper install kubectl --profile sandbox --user dev",
            )
        },
    ),
    "git's command is gone": (
        replaced(".gitconfig", "/bin/git-", "/gone/git-"),
        5,
        {
            1: (
                "fail",
                GIT + f"there is no program {ROOT}/gone/git-credential-wxhelper",
                "type: wxhelper install git --profile sandbox",
            )
        },
    ),
    "the profile is gone": (
        another_profile,
        5,
        {
            0: ("fail", KUBECTL + "there is no profile sandbox", NO_PROFILE.format("kubectl")),
            1: ("fail", GIT + "there is no such profile", NO_PROFILE.format("git")),
        },
    ),
    "a static token beside": (
        replaced(".kube/config", "    exec:", "    token: t0k\n    exec:"),
        5,
        {
            0: (
                "fail",
                KUBECTL + "a static token keeps kubectl from asking wxhelper",
                "type: kubectl config unset users.dev.token",
            )
        },
    ),
    "a token that kubectl cannot carry": (
        a_long_lived_token,
        5,
        {
            0: (
                "fail",
                KUBECTL + "kubectl cannot carry the tokens of profile sandbox, only Bearer",
                "name another profile: wxhelper install kubectl --profile NAME --user dev",
            )
        },
    ),
    "another helper": (
        another_helper,
        5,
        {
            1: (
                "fail",
                GIT + "git does not ask wxhelper first for https://git.example.com",
                "see: git config --show-origin --get-all credential.https://git.example.com.helper",
            )
        },
    ),
    "a login in docker's file": (
        a_login,
        0,
        {
            2: (
                "warn",
                DOCKER.partition("docker asks")[0]
                + "a login for icr.io is in the file, too; docker no longer looks at it, "
                "and forgets it by: docker logout icr.io",
                "",
            )
        },
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_what_is_installed(name: str, home: Path, world: World, examine: Examine) -> None:
    change, status, different = CASES[name]
    change(home, world)
    expected = [different.get(place, row) for place, row in enumerate(WELL)]
    answered, rows = said(world, examine)
    assert rows == expected
    assert answered == status
