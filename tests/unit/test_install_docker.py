"""docker's entries: in, in again, out, and config.json is as it was, byte for byte."""

import json
import os
import re
from pathlib import Path

import pytest

from wxhelper.errors import ConfigurationError
from wxhelper.installers import docker
from wxhelper.installers.file import Outcome

REGISTRIES = ["us.icr.io", "localhost:5000"]
AUTHS = {"auths": {"https://index.docker.io/v1/": {"auth": "c2VjcmV0"}}, "psFormat": "x"}


def as_docker(content: object) -> str:
    """As docker writes it: tabs, and no newline at the end."""
    return json.dumps(content, indent="\t")


GOOD = {
    "missing": None,
    "empty": "",
    "a newline": "\n",
    "{}": "{}",
    "{ }": "{ }\n",
    "{} over lines": "{\n}\n",
    "as docker writes it": as_docker(AUTHS),
    "spaces": json.dumps(AUTHS, indent=4) + "\n",
    "minified": json.dumps(AUTHS, separators=(",", ":")),
    "on one line": json.dumps(AUTHS),
    "a space after the brace": '{ "auths": {} }\n',
    "CRLF": json.dumps(AUTHS, indent=2).replace("\n", "\r\n") + "\r\n",
    "unknown keys": as_docker({"x": [1, {"credHelpers": {}}], "auths": {}, "y": None}),
    "other helpers": as_docker({**AUTHS, "credHelpers": {"gcr.io": "gcloud"}, "z": 1}),
    "other helpers, minified": '{"credHelpers":{"gcr.io":"gcloud","x.io":"ecr-login"}}',
    "no helpers": as_docker({"credHelpers": {}, **AUTHS}),
    "no helpers, spaces": '{\n  "credHelpers": {\n  }\n}\n',
    "no helpers, a space": '{"credHelpers": { }}',
    "no helpers, nothing else": '{"credHelpers":{}}',
    "a store": as_docker({"credsStore": "desktop", "auths": {"us.icr.io": {}}}),
    "another case": as_docker({"credhelpers": {"gcr.io": "gcloud"}}),
    "escapes": '{"auths": {"a\\u0022b{}": {}}, "x": "}\\\\\\""}',
    "odd spaces": ' \n\t{\n\n"auths" :\t{ } ,\n "x":1}\n\n',
    "another language": as_docker({"x": "Zoë 日本 🙂"}),
}
BROKEN = {
    "no JSON": ("auths", "line 1: it is not JSON"),
    "cut off": (as_docker(AUTHS)[:-9], "it is not JSON"),
    "a comment": ("{ // x\n}", "it is not JSON"),
    "a comma too many": ('{"auths": {},}', "it is not JSON"),
    "a list": ("[]", "it is no JSON object"),
    "text": ('"x"', "it is no JSON object"),
    "a byte order mark": ("\ufeff{}", "line 1: "),
    "not UTF-8": (b'{"x": "\xff"}', "it is not UTF-8"),
    "helpers that are null": ('{"credHelpers": null}', "credHelpers is no JSON object"),
    "helpers in a list": ('{"credHelpers": []}', "credHelpers is no JSON object"),
    "helpers twice": ('{"credHelpers": {}, "CredHelpers": {}}', "credHelpers is there twice"),
    "nested too deeply": ("[" * 100_000, "nested too deeply"),
    "a long number": ('{"x": ' + "1" * 5000 + "}", "a number is too long"),
}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture
def path(home: Path) -> Path:
    (home / ".docker").mkdir()
    return home / ".docker" / "config.json"


def environ(home: Path, **others: str) -> dict[str, str]:
    return {"HOME": str(home), "PATH": str(home), **others}


def install(home: Path, registries: list[str] = REGISTRIES, **others: str) -> Outcome:
    return docker.install(environ(home, **others), registries=registries)


def lay(path: Path, text: str | bytes | None) -> bytes | None:
    data = text.encode() if isinstance(text, str) else text
    if data is not None:
        path.write_bytes(data)
    return data


def content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def said(path: Path) -> dict[str, object]:
    text = path.read_text()
    return dict(json.loads(text)) if text.strip() else {}


@pytest.mark.parametrize("registries", [REGISTRIES, REGISTRIES[:1]], ids=["two", "one"])
@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_in_and_in_again_and_out_leaves_no_trace(
    text: str | None, registries: list[str], home: Path, path: Path
) -> None:
    before = lay(path, text)
    had = said(path) if before else {}
    key = "credhelpers" if "credhelpers" in had else "credHelpers"
    assert install(home, registries).edits[0].changed
    helpers = {**dict.fromkeys(registries, "wxhelper"), **dict(had.get(key, {}))}  # type: ignore[call-overload]
    assert said(path) == {**had, key: helpers}
    once = path.read_bytes()
    assert not install(home, registries).edits[0].changed
    assert path.read_bytes() == once
    docker.uninstall(environ(home))
    assert content(path) == before
    assert not docker.uninstall(environ(home)).edits[0].changed
    assert os.listdir(path.parent) == ([] if before is None else ["config.json"])


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_one_registry_after_the_other(text: str | None, home: Path, path: Path) -> None:
    before = lay(path, text)
    install(home, REGISTRIES[:1])
    install(home, REGISTRIES)
    install(home, [*REGISTRIES, "de.icr.io"])
    docker.uninstall(environ(home))
    assert content(path) == before


@pytest.mark.parametrize(("text", "reason"), BROKEN.values(), ids=BROKEN)
def test_a_broken_file_is_not_touched(
    text: str | bytes, reason: str, home: Path, path: Path
) -> None:
    before = lay(path, text)
    for change in (install, lambda home: docker.uninstall(environ(home))):
        with pytest.raises(ConfigurationError, match=re.escape(reason)) as raised:
            change(home)
        assert "nothing was changed" in raised.value.message
        assert content(path) == before


@pytest.mark.parametrize("levels", [(), ("a",), ("a", "b", "c")])
def test_directories_that_were_made_go_again(levels: tuple[str, ...], home: Path) -> None:
    folder = str(home.joinpath(*levels, "docker"))
    install(home, DOCKER_CONFIG=folder)
    for directory, _, files in os.walk(home.joinpath(*levels, "docker")):
        assert os.stat(directory).st_mode & 0o777 == 0o700
        assert files == ["config.json"]
    docker.uninstall(environ(home, DOCKER_CONFIG=folder))
    assert os.listdir(home) == []


def test_a_directory_that_others_use_meanwhile_stays(home: Path) -> None:
    install(home)
    (home / ".docker" / "contexts").mkdir()
    docker.uninstall(environ(home))
    assert os.listdir(home / ".docker") == ["contexts"]


def test_a_directory_that_was_there_stays(home: Path, path: Path) -> None:
    install(home)
    docker.uninstall(environ(home))
    assert path.parent.is_dir()


def test_what_others_wrote_meanwhile_stays(home: Path, path: Path) -> None:
    install(home)
    now = said(path)
    now["credHelpers"] = {**dict(now["credHelpers"]), "gcr.io": "gcloud"}  # type: ignore[call-overload]
    path.write_text(as_docker({**AUTHS, **now}))
    docker.uninstall(environ(home))
    assert path.read_text() == as_docker({**AUTHS, "credHelpers": {"gcr.io": "gcloud"}})


def test_a_new_file_that_docker_wrote_anew_says_nothing_of_us(home: Path, path: Path) -> None:
    install(home)
    path.write_text(as_docker({"auths": {}, **said(path)}))
    docker.uninstall(environ(home))
    assert path.read_text() == as_docker({"auths": {}})


def test_the_helper_of_somebody_else_is_kept_and_told(home: Path, path: Path) -> None:
    path.write_text('{"credHelpers": {"us.icr.io": "pass"}}')
    outcome = install(home)
    assert said(path) == {"credHelpers": {"us.icr.io": "pass", "localhost:5000": "wxhelper"}}
    assert outcome.notes[0] == (f"us.icr.io is left to docker-credential-pass, which {path} names")
    docker.uninstall(environ(home))
    assert path.read_text() == '{"credHelpers": {"us.icr.io": "pass"}}'


def test_a_file_as_it_is_made(home: Path, path: Path) -> None:
    outcome = install(home)
    assert path.read_text() == (
        '{\n\t"credHelpers": {\n\t\t"us.icr.io": "wxhelper",\n\t\t"localhost:5000": "wxhelper"\n'
        "\t}\n}\n"
    )
    assert outcome.lines == [f"{path}: docker asks wxhelper for us.icr.io, localhost:5000"]


@pytest.mark.parametrize(
    ("text", "variables", "note"),
    [
        ("", {"DOCKER_AUTH_CONFIG": "{}"}, "DOCKER_AUTH_CONFIG is set"),
        ('{"auths": {"us.icr.io": {"auth": "c2VjcmV0"}}}', {}, "docker logout us.icr.io"),
    ],
)
def test_what_stands_beside_is_told(
    text: str, variables: dict[str, str], note: str, home: Path, path: Path
) -> None:
    path.write_text(text)
    notes = install(home, **variables).notes
    assert [each for each in notes if note in each]
    assert "c2VjcmV0" not in str(notes)


def test_programs_that_are_not_there_are_told(home: Path, path: Path) -> None:
    assert install(home).notes == [
        (
            "docker looks for docker-credential-wxhelper on PATH, where it is not: "
            "add its directory to PATH"
        ),
        "neither docker nor podman or skopeo is installed here",
    ]
