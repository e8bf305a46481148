"""What a diagnosis finds about installed entries: all is well, or what stands in their way."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from wxhelper.installers import docker, git, kubeconfig, kubectl
from wxhelper.installers.kubectl import Place
from wxhelper.plugin.types import CheckResult

USERS = "users:\n- name: dev\n  user:\n    as: x\n"
needs_yaml = pytest.mark.skipif(not kubeconfig.AVAILABLE, reason="PyYAML is not installed")
needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


@pytest.fixture
def programs(tmp_path: Path) -> Path:
    """A directory with the programs that entries name."""
    folder = tmp_path / "bin"
    folder.mkdir()
    for name in ("wxhelper", git.PROGRAM, docker.PROGRAM, "docker"):
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def environ(tmp_path: Path, programs: Path) -> dict[str, str]:
    home = tmp_path / "home"
    home.mkdir()
    return {"HOME": str(home), "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}


def told(results: list[CheckResult]) -> list[tuple[str, str]]:
    return [(each.outcome, each.text.partition(": ")[2]) for each in results]


@pytest.fixture
def kubeconfig_file(environ: dict[str, str], programs: Path) -> Path:
    path = Path(environ["HOME"], ".kube", "config")
    path.parent.mkdir()
    path.write_text(USERS)
    kubectl.install(
        environ,
        profile="dev",
        audience=[],
        command=str(programs / "wxhelper"),
        place=Place(user="dev"),
    )
    return path


@needs_yaml
@pytest.mark.parametrize(
    ("change", "known", "finding"),
    [
        (lambda text: text, {"dev"}, ("ok", "asks wxhelper for profile dev")),
        (lambda text: text, {"prod"}, ("fail", "there is no profile dev")),
        (
            lambda text: text.replace("/bin/wx", "/gone/wx"),
            {"dev"},
            ("fail", "there is no program {programs}/wxhelper"),
        ),
        (
            lambda text: text.replace("as: x", "token: t0k"),
            {"dev"},
            ("fail", "a static token keeps kubectl from asking wxhelper"),
        ),
    ],
    ids=["well", "no profile", "no program", "a static token"],
)
def test_kubectl(
    change: Callable[[str], str],
    known: set[str],
    finding: tuple[str, str],
    kubeconfig_file: Path,
    environ: dict[str, str],
    programs: Path,
) -> None:
    kubeconfig_file.write_text(change(kubeconfig_file.read_text()))
    found = kubectl.findings(environ, known)
    gone = str(programs).replace("/bin", "/gone")
    text = f"{kubeconfig_file}, user dev: {finding[1].format(programs=gone)}"
    assert told(found) == [(finding[0], text)]
    assert bool(found[0].remedy) == (finding[0] != "ok")
    assert "t0k" not in str(found)


@needs_yaml
def test_kubectl_when_another_file_defines_the_user_first(
    kubeconfig_file: Path, environ: dict[str, str], tmp_path: Path
) -> None:
    first = tmp_path / "first"
    first.write_text(USERS)
    both = {**environ, "KUBECONFIG": f"{first}{os.pathsep}{kubeconfig_file}"}
    found = kubectl.findings(both, {"dev"})
    assert told(found) == [("fail", f"{kubeconfig_file}, user dev: {first} defines it first")]
    assert found[0].remedy == "type: wxhelper install kubectl --user dev"


@needs_yaml
def test_kubectl_with_a_broken_file_and_without_entries(
    kubeconfig_file: Path, environ: dict[str, str]
) -> None:
    kubeconfig_file.write_text("users: [")
    assert [each.outcome for each in kubectl.findings(environ, {"dev"})] == ["unknown"]
    kubeconfig_file.write_text(USERS)
    assert kubectl.findings(environ, {"dev"}) == []
    kubeconfig_file.unlink()
    assert kubectl.findings(environ, {"dev"}) == []


def test_kubectl_without_pyyaml(environ: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubeconfig, "AVAILABLE", False)
    assert kubectl.findings(environ, {"dev"}) == []
    path = Path(environ["HOME"], "k")
    path.write_text(USERS)
    [found] = kubectl.findings({**environ, "KUBECONFIG": str(path)}, {"dev"})
    assert (found.outcome, found.remedy) == ("unknown", "install wxhelper-core[kubectl]")


@needs_git
@pytest.mark.parametrize(
    ("before", "after", "known", "finding"),
    [
        ("", "", {"dev"}, ("ok", "git asks wxhelper for https://g.example.com")),
        (
            "[credential]\n\thelper = store\n",
            "",
            {"dev"},
            ("ok", "git asks wxhelper for https://g.example.com"),
        ),
        ("", "", set(), ("fail", "there is no such profile")),
        (
            "",
            "[credential]\n\thelper = store\n",
            {"dev"},
            ("ok", "git asks wxhelper for https://g.example.com"),
        ),
        (
            "",
            '[credential "https://g.example.com"]\n\thelper =\n\thelper = store\n',
            {"dev"},
            ("fail", "git does not ask wxhelper first for https://g.example.com"),
        ),
        (
            "",
            '[credential "https://*.example.com/"]\n\thelper =\n',
            {"dev"},
            ("fail", "git does not ask wxhelper first for https://g.example.com"),
        ),
        (
            "",
            '[credential "https://else.example.com"]\n\thelper =\n',
            {"dev"},
            ("ok", "git asks wxhelper for https://g.example.com"),
        ),
    ],
)
def test_git(
    before: str,
    after: str,
    known: set[str],
    finding: tuple[str, str],
    environ: dict[str, str],
    programs: Path,
) -> None:
    path = Path(environ["HOME"], ".gitconfig")
    path.write_text(before)
    command = str(programs / git.PROGRAM)
    git.install(environ, profile="dev", entries=["g.example.com"], command=command)
    with path.open("a") as stream:
        stream.write(after)
    found = git.findings(environ, known)
    assert told(found) == [(finding[0], f"{path}, profile dev: {finding[1]}")]
    assert bool(found[0].remedy) == (finding[0] != "ok")


@needs_git
def test_git_when_the_reset_is_gone(environ: dict[str, str], programs: Path) -> None:
    path = Path(environ["HOME"], ".gitconfig")
    path.write_text("[credential]\n\thelper = store\n")
    command = str(programs / git.PROGRAM)
    git.install(environ, profile="dev", entries=["g.example.com"], command=command)
    path.write_text(path.read_text().replace("\thelper =\n", ""))
    [found] = git.findings(environ, {"dev"})
    assert found.text.endswith("git does not ask wxhelper first for https://g.example.com")


def test_git_when_the_program_is_gone(environ: dict[str, str], programs: Path) -> None:
    git.install(environ, profile="dev", entries=["g.example.com"], command="/gone/" + git.PROGRAM)
    [found] = git.findings(environ, {"dev"})
    assert found.text.endswith(f"there is no program /gone/{git.PROGRAM}")
    assert found.remedy == "type: wxhelper install git --profile dev"


def test_git_without_git_or_entries(environ: dict[str, str], programs: Path) -> None:
    assert git.findings(environ, {"dev"}) == []
    command = str(programs / git.PROGRAM)
    git.install(environ, profile="dev", entries=["g.example.com"], command=command)
    [found] = git.findings({**environ, "PATH": str(programs)}, {"dev"})
    assert found.outcome == "unknown"
    Path(environ["HOME"], ".gitconfig").write_bytes(b"\xff")
    assert [each.outcome for each in git.findings(environ, {"dev"})] == ["unknown"]


@pytest.mark.parametrize(
    ("changes", "others", "profile", "findings"),
    [
        ({}, {}, "dev", [("ok", "docker asks wxhelper for us.icr.io")]),
        ({}, {}, None, [("fail", "docker's helper uses the default profile, and there is none")]),
        ({"PATH": "/none"}, {}, "dev", [("fail", f"{docker.PROGRAM} is not on PATH")]),
        (
            {"DOCKER_AUTH_CONFIG": "{}"},
            {},
            "dev",
            [
                (
                    "warn",
                    (
                        "DOCKER_AUTH_CONFIG is set; what it has for a registry counts before any "
                        "helper"
                    ),
                )
            ],
        ),
        (
            {},
            {"auths": {"us.icr.io": {"auth": "c2VjcmV0"}}},
            "dev",
            [
                (
                    "warn",
                    (
                        "a login for us.icr.io is in the file, too; docker no longer looks at it, "
                        "and forgets it by: docker logout us.icr.io"
                    ),
                )
            ],
        ),
    ],
    ids=["well", "no default profile", "not on PATH", "a variable", "a login"],
)
def test_docker(
    changes: dict[str, str],
    others: dict[str, object],
    profile: str | None,
    findings: list[tuple[str, str]],
    environ: dict[str, str],
) -> None:
    docker.install(environ, registries=["us.icr.io"])
    path = Path(docker.path(environ))
    path.write_text(json.dumps({**json.loads(path.read_text()), **others}))
    found = docker.findings({**environ, **changes}, profile)
    assert told(found) == [(outcome, f"{path}: {text}") for outcome, text in findings]
    assert "c2VjcmV0" not in str(found)


def test_docker_with_a_broken_file_and_without_entries(environ: dict[str, str]) -> None:
    path = Path(docker.path(environ))
    assert docker.findings(environ, "dev") == []
    path.parent.mkdir()
    for text, outcomes in (("", []), ("{}", []), ("{", ["unknown"])):
        path.write_text(text)
        assert [each.outcome for each in docker.findings(environ, "dev")] == outcomes
