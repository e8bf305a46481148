"""kubectl's entry: in, in again, out, and the kubeconfig is as it was, byte for byte."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("yaml", reason="PyYAML, the extra kubectl, is not installed")

import yaml

from wxhelper.errors import ConfigurationError, UsageError
from wxhelper.installers import kubectl
from wxhelper.installers.file import Outcome
from wxhelper.installers.kubectl import Place

COMMAND = "/opt/wxhelper/bin/wxhelper"
ENTRY = kubectl.entry(COMMAND, "dev")
CLUSTERS = """\
apiVersion: v1
kind: Config
current-context: c
clusters:
- name: k
  cluster: {server: 'https://k.example.com:6443'}
contexts:
- name: c
  context: {cluster: k, user: dev}
"""
AS_A_LIST = json.dumps(
    {
        "kind": "Config",
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "k", "user": "dev"}}],
        "users": [{"name": "other", "user": {"token": "t0k"}}, {"name": "dev", "user": {}}],
    },
)

GOOD = {
    "an empty mapping": CLUSTERS + "users:\n- name: dev\n  user: {}\n",
    "an empty mapping with spaces": CLUSTERS + "users:\n- name: dev\n  user: {  }  # none\n",
    "an empty mapping, a comment": CLUSTERS + "users:\n- name: dev\n  user: {}  # {}\n",
    "an empty mapping, no final newline": CLUSTERS + "users:\n- name: dev\n  user: {}",
    "an empty mapping below": CLUSTERS + "users:\n- name: dev\n  user:\n    {}\n",
    "no value": CLUSTERS + "users:\n- name: dev\n  user:\n",
    "no value, a comment": CLUSTERS + "users:\n- name: dev\n  user: # later\n  # and more\n",
    "no value, no final newline": CLUSTERS + "users:\n- name: dev\n  user:",
    "no value, and others": CLUSTERS + "users:\n- user:\n  name: dev\n- {name: x, user: {}}\n",
    "other keys": CLUSTERS + "users:\n- name: dev\n  user:\n    # who\n    as: someone # me\n",
    "other keys, no final newline": CLUSTERS + "users:\n- name: dev\n  user:\n      as: me",
    "comments everywhere": "# mine\n\n"
    + CLUSTERS
    + "users: # all\n\n# a\n- name: dev # me\n\n  user: # none\n\n    # as\n    as: x\n\n#end\n",
    "indented": CLUSTERS + "users:\n    -   name: dev\n        user:\n            as: x\n",
    "quoted": CLUSTERS + "\"users\":\n- 'name': \"dev\"\n  'user':\n    \"as\": 'x'\n",
    "users first": "users:\n- name: dev\n  user:\n    as: x\n- name: z\n  user: {}\n" + CLUSTERS,
    "a document's marks": "%YAML 1.1\n---\n" + CLUSTERS + "users:\n- name: dev\n  user: {}\n...\n",
    "flow style": CLUSTERS + "users: [{name: dev, user: {as: x, as-groups: [z]}}]\n",
    "flow style over lines": CLUSTERS
    + "users: [\n  {name: dev, # me\n   user: {  # that\n     as: x }},\n]\n",
    "JSON": AS_A_LIST + "\n",
    "JSON, indented": json.dumps(json.loads(AS_A_LIST), indent=2),
    "JSON, indented by tabs": json.dumps(json.loads(AS_A_LIST), indent="\t"),
    "JSON, minified": json.dumps(json.loads(AS_A_LIST), separators=(",", ":")),
    "anchors elsewhere": CLUSTERS
    + "x: &x {a: b}\ny: *x\nusers:\n- name: o\n  user: &o {as: x}\n- name: p\n  user: *o\n"
    + "- name: dev\n  user: {}\n",
    "CRLF": (CLUSTERS + "users:\n- name: dev\n  user:\n    as: x\n").replace("\n", "\r\n"),
    "CRLF, no value at the end": (CLUSTERS + "users:\n- name: dev\n  user:").replace("\n", "\r\n"),
    "a byte order mark": "\ufeff" + CLUSTERS + "users:\n- name: dev\n  user: {}\n",
    "another language": CLUSTERS + "users:\n- name: dev\n  user: {as: 'Zoë 日本 🙂'}\n",
    "several contexts": CLUSTERS
    + "- name: d\n  context: {cluster: k, user: other}\n"
    + "users:\n- name: other\n  user: {token: t0k}\n- name: dev\n  user: {}\n",
    "a block of text after it": CLUSTERS
    + "users:\n- name: dev\n  user:\n    as: |\n      x\n      y\nnote: >\n  z\n",
    "dates and numbers": CLUSTERS + "since: 2024-05-01\nn: 0o7\nusers:\n- {name: dev, user: {}}\n",
}
BROKEN = {
    "no YAML": ("users: [", "line 1: "),
    "tabs": (CLUSTERS + "users:\n-\tname: dev\n\tuser: {}\n", "line "),
    "several documents": (CLUSTERS + "---\nusers: []\n", "several documents"),
    "no mapping": ("- a\n- b\n", "it is no mapping"),
    "not UTF-8": (b"users:\n- name: \xff\n", "line 2: it is not UTF-8"),
    "a control character": (CLUSTERS + "x: \x07\n", "a character that YAML does not allow"),
    "nested too deeply": ("[" * 5000, "nested too deeply"),
    "a user twice": (
        CLUSTERS + "users:\n- {name: dev, user: {}}\n- {name: dev, user: {}}\n",
        "line 12: users has dev for the second time",
    ),
    "the same key twice": (CLUSTERS + "users:\n- name: dev\n  user: {}\n  user: {}\n", "twice"),
    "null": (CLUSTERS + "users:\n- name: dev\n  user: null\n", "write user: {} instead"),
    "no value and our mark": (
        CLUSTERS + "users:\n- name: dev\n  user: # {}\n",
        "write user: {} instead",
    ),
    "null in braces": (CLUSTERS + "users: [{name: dev, user: }]\n", "write user: {} instead"),
    "text": (CLUSTERS + "users:\n- name: dev\n  user: ''\n", "write user: {} instead"),
    "a list": (CLUSTERS + "users:\n- name: dev\n  user: []\n", "no mapping called user"),
    "no user in it": (CLUSTERS + "users:\n- name: dev\n", "no mapping called user"),
    "an alias": (
        CLUSTERS + "x: &x {as: y}\nusers:\n- name: dev\n  user: *x\n",
        "an alias shares this part",
    ),
    "an anchor that others use": (
        CLUSTERS + "users:\n- &d\n  name: dev\n  user: {}\nmore: *d\n",
        "an alias shares this part",
    ),
    "a merge key": (
        CLUSTERS + "x: &x {as: y}\nusers:\n- name: dev\n  user:\n    <<: *x\n",
        "a merge key (<<)",
    ),
    "an anchor before the brace": (
        CLUSTERS + "users:\n- name: dev\n  user: &u {}\n",
        "an anchor or a tag",
    ),
    "a question mark": (
        CLUSTERS + "users:\n- name: dev\n  user:\n    ? as\n    : x\n",
        "before the user's first key",
    ),
    "an alias to itself": (CLUSTERS + "users:\n- &d {name: dev, user: {as: *d}}\n", "an alias"),
    "no users": (CLUSTERS, "no kubeconfig defines the user dev"),
    "users: []": (CLUSTERS + "users: []\n", "no kubeconfig defines the user dev"),
    "users: null": (CLUSTERS + "users: null\n", "no kubeconfig defines the user dev"),
    "empty": ("", "no context is current"),
    "no current context": ("current-context: ''\n", "no context is current"),
    "an unknown context": ("current-context: x\n", "there is no context x"),
    "a static token": (
        CLUSTERS + "users:\n- {name: dev, user: {token: t0k}}\n",
        "user dev has a static token, and kubectl then runs no helper",
    ),
    "a token file": (CLUSTERS + "users:\n- {name: dev, user: {tokenFile: /t}}\n", "token file"),
    "a certificate": (
        CLUSTERS + "users:\n- {name: dev, user: {client-certificate-data: eA==}}\n",
        "a client certificate",
    ),
    "a password": (
        CLUSTERS + "users:\n- {name: dev, user: {username: a, password: b}}\n",
        "a user name and password",
    ),
    "an auth-provider": (
        CLUSTERS + "users:\n- {name: dev, user: {auth-provider: {name: oidc}}}\n",
        "an auth-provider",
    ),
    "another helper": (
        CLUSTERS + "users:\n- {name: dev, user: {exec: {command: aws, args: [x]}}}\n",
        "has an exec entry already, which runs aws",
    ),
    "our helper by hand": (
        CLUSTERS
        + "users:\n- {name: dev, user: {exec: {command: wxhelper, args: [exec-credential]}}}\n",
        "has an exec entry already, which runs wxhelper",
    ),
}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "config"


def environ(*paths: Path) -> dict[str, str]:
    return {"KUBECONFIG": os.pathsep.join(map(str, paths)), "HOME": str(paths[0].parent)}


def install(*paths: Path, profile: str = "dev", **changes: object) -> Outcome:
    options = {"audience": ["k.example.com:6443"], "command": COMMAND, "place": Place()}
    return kubectl.install(environ(*paths), profile=profile, **{**options, **changes})


def exec_of(path: Path, name: str = "dev") -> object:
    text = path.read_text()
    users = (json.loads if "\t" in text else yaml.safe_load)(text)["users"]
    return next(user["user"] for user in users if user["name"] == name)["exec"]


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_in_and_in_again_and_out_leaves_no_trace(text: str, path: Path) -> None:
    before = text.encode()
    path.write_bytes(before)
    assert install(path).edits[0].changed
    assert exec_of(path) == ENTRY
    once = path.read_bytes()
    assert not install(path).edits[0].changed
    assert path.read_bytes() == once
    assert kubectl.uninstall(environ(path)).lines == [f"{path}: took the entry from user dev"]
    assert path.read_bytes() == before
    assert not kubectl.uninstall(environ(path)).edits[0].changed
    assert os.listdir(path.parent) == ["config"]


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_kubectl_reads_the_entry_and_nothing_else_is_new(text: str, path: Path) -> None:
    def read() -> dict[str, Any]:
        command = ["kubectl", "config", "view", "--raw", "--output=json"]
        variables = {"KUBECONFIG": str(path), "PATH": os.environ["PATH"]}
        done = subprocess.run(command, env=variables, capture_output=True, check=True, timeout=30)
        return dict(json.loads(done.stdout))

    path.write_bytes(text.encode())
    before = read()
    install(path)
    after = read()
    [user] = [each["user"] for each in after["users"] if each["name"] == "dev"]
    assert {**user.pop("exec"), "env": None} == {**ENTRY, "env": None}
    assert after == before


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_every_line_that_was_there_is_there_still(text: str, path: Path) -> None:
    path.write_bytes(text.encode())
    install(path)
    written = path.read_bytes().decode()
    kept = iter(written)
    assert all(character in kept for character in text)


@pytest.mark.parametrize("text", GOOD.values(), ids=GOOD)
def test_another_profile_takes_the_entry_over(text: str, path: Path) -> None:
    path.write_bytes(text.encode())
    install(path)
    install(path, profile="prod", command="/usr/bin/wxhelper")
    assert exec_of(path) == kubectl.entry("/usr/bin/wxhelper", "prod")
    kubectl.uninstall(environ(path))
    assert path.read_bytes() == text.encode()


@pytest.mark.parametrize(("content", "reason"), BROKEN.values(), ids=BROKEN)
def test_what_cannot_be_changed_without_a_doubt_is_not_touched(
    content: str | bytes, reason: str, path: Path
) -> None:
    before = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(before)
    with pytest.raises(ConfigurationError, match=re.escape(reason)) as raised:
        install(path)
    assert raised.value.remedy
    assert "t0k" not in raised.value.line()
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("begins", "written", "ends"),
    [("", "", "    as: x\n"), (" {}", " # {}", "")],
    ids=["before other keys", "as kubectl writes an empty user"],
)
def test_the_entry_looks_like_this(begins: str, written: str, ends: str, path: Path) -> None:
    path.write_text(f"users:\n- name: dev\n  user:{begins}\n{ends}")
    install(path, place=Place(user="dev"))
    assert path.read_text() == (
        "users:\n"
        "- name: dev\n"
        f"  user:{written}\n"
        "    exec:\n"
        "      apiVersion: client.authentication.k8s.io/v1\n"
        "      command: /opt/wxhelper/bin/wxhelper\n"
        "      args: [exec-credential, --profile, dev]\n"
        "      interactiveMode: Never\n"
        "      provideClusterInfo: false\n"
        '      installHint: "wxhelper has gone from there; where it is now, type: '
        'wxhelper install kubectl --profile dev"\n'
        f"{ends}"
    )


@pytest.mark.parametrize(
    ("command", "profile"),
    [
        ("/opt/with space/wxhelper", "null"),
        ('/opt/it\'s "quoted": #1/wxhelper', "1.5"),
        ("/opt/Zoë 🙂/wxhelper", "-x"),
        ("/opt/\\back/wxhelper", "0o7"),
        ("/opt/~/wxhelper", "off"),
    ],
)
def test_odd_names_are_written_as_the_strings_that_they_are(
    command: str, profile: str, path: Path
) -> None:
    for text in (GOOD["other keys"], GOOD["JSON"]):
        path.write_text(text)
        install(path, command=command, profile=profile)
        assert exec_of(path) == kubectl.entry(command, profile)
        kubectl.uninstall(environ(path), profile=profile)
        assert path.read_text() == text


def test_a_key_that_is_no_text_is_none_of_ours(path: Path) -> None:
    text = "users:\n- {name: dev, user: {[a]: b}}\n- {name: z, user: {{a: b}: c}}\n"
    path.write_text(text)
    assert install(path, place=Place(user="dev")).edits[0].changed
    kubectl.uninstall(environ(path))
    assert path.read_text() == text


def test_what_the_user_changed_meanwhile_stays(path: Path) -> None:
    path.write_text(GOOD["other keys"])
    install(path)
    edited = path.read_text().replace("as: someone", "as: somebody").replace("k.ex", "j.ex")
    path.write_text(edited + "preferences: {}\n")
    kubectl.uninstall(environ(path))
    expected = GOOD["other keys"].replace("as: someone", "as: somebody").replace("k.ex", "j.ex")
    assert path.read_text() == expected + "preferences: {}\n"


def test_uninstall_leaves_other_helpers_and_users_alone(path: Path) -> None:
    text = BROKEN["another helper"][0]
    path.write_text(str(text))
    assert kubectl.uninstall(environ(path)).lines == ["kubectl: nothing to take away"]
    assert path.read_text() == text


@pytest.mark.parametrize(
    ("options", "left"),
    [
        ({"user": "a"}, ["b"]),
        ({"profile": "two"}, ["a"]),
        ({"user": "a", "profile": "two"}, ["a", "b"]),
        ({}, []),
    ],
)
def test_uninstall_can_be_limited(options: dict[str, str], left: list[str], path: Path) -> None:
    path.write_text("users:\n- {name: a, user: {}}\n- {name: b, user: {}}\n")
    install(path, place=Place(user="a"), profile="one")
    install(path, place=Place(user="b"), profile="two")
    kubectl.uninstall(environ(path), **options)
    users = yaml.safe_load(path.read_text())["users"]
    assert [user["name"] for user in users if user["user"]] == left


def test_of_several_files_the_first_that_defines_the_user_is_changed(tmp_path: Path) -> None:
    one, two, three = (tmp_path / name for name in ("one", "two", "three"))
    one.write_text(CLUSTERS)
    two.write_text("users:\n- {name: dev, user: {as: first}}\n")
    three.write_text("current-context: z\nusers:\n- {name: dev, user: {as: second}}\n")
    before = [path.read_bytes() for path in (one, two, three)]
    missing = tmp_path / "missing"
    outcome = install(missing, one, two, three, two)
    assert outcome.lines == [f"{two}: user dev runs {COMMAND} for profile dev"]
    assert [one.read_bytes(), three.read_bytes()] == [before[0], before[2]]
    kubectl.uninstall(environ(missing, one, two, three))
    assert [path.read_bytes() for path in (one, two, three)] == before
    assert not missing.exists()


def test_a_context_or_a_user_can_be_named(path: Path) -> None:
    text = GOOD["several contexts"].replace("{token: t0k}", "{}")
    path.write_text(text)
    install(path, place=Place(context="d"))
    assert exec_of(path, "other") == ENTRY
    with pytest.raises(UsageError):
        install(path, place=Place(user="dev", context="d"))


def test_without_any_kubeconfig(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no kubeconfig"):
        kubectl.install(
            {"HOME": str(tmp_path)},
            profile="dev",
            audience=[],
            command=COMMAND,
            place=Place(),
        )
    assert kubectl.uninstall({"HOME": str(tmp_path)}).lines == ["kubectl: nothing to take away"]


@pytest.mark.parametrize(
    ("server", "note"),
    [
        ("https://k.example.com:6443", None),
        ("https://k.example.com", "is not among the profile's hosts"),
        ("http://k.example.com:6443", "is plain http: kubectl runs no helper for it"),
        ("HTTP://127.0.0.1", "is plain http: kubectl runs no helper for it"),
        ("k.example.com", "is not among the profile's hosts"),
    ],
)
def test_a_server_that_will_not_be_helped_is_told(
    server: str, note: str | None, path: Path
) -> None:
    path.write_text(GOOD["an empty mapping"].replace("https://k.example.com:6443", server))
    notes = install(path).notes
    assert len(notes) == (note is not None)
    assert note is None or note in notes[0]


def test_where_there_is_a_kuberc_its_entry_is_told(path: Path) -> None:
    path.write_text(GOOD["an empty mapping"])
    (path.parent / ".kube").mkdir()
    (path.parent / ".kube" / "kuberc").write_text("")
    [note] = install(path).notes
    assert f"needs the entry {{command: {COMMAND}}} (kubectl 1.35: {{name: {COMMAND}}})" in note
