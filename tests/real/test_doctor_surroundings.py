"""What ``wxhelper doctor`` says of what stands around it: files, plugins, launchers, start-up."""

import errno
import json
import os
import re
import subprocess
import sysconfig
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

import wxhelper
from diagnoses import with_names
from mistakes import World
from processes import Ended
from wxhelper.cache import Cache

Examine = Callable[..., Ended]
Said = tuple[str, str, str]

OURS = os.path.join(sysconfig.get_path("scripts"), "wxhelper")


def said(world: World, examine: Examine, check: str) -> list[Said]:
    """What one check says."""
    _, out, err = examine(world, "--output", "json")
    assert err == ""
    rows = json.loads(out)["checks"]
    return [
        (row["outcome"], *(with_names(row[part], world) for part in ("text", "remedy")))
        for row in rows
        if row["check"] == check
    ]


# ------------------------------------------------------------------ directories


def test_a_directory_that_others_can_write(world: World, examine: Examine) -> None:
    world.config.parent.chmod(0o757)
    text = "FOLDER can be written by other users, who could replace what is in it"
    loose = ("warn", text, "chmod go-w FOLDER")
    assert said(world, examine, "configuration")[1:] == [loose]
    assert said(world, examine, "key")[1:] == [loose]
    world.config.parent.chmod(0o1777)  # as /tmp is
    assert said(world, examine, "configuration")[1:] == []


def test_a_configuration_that_is_not_where_the_variable_says(
    world: World, examine: Examine
) -> None:
    world.environ.update(WXHELPER_CONFIG="/nowhere/b.toml", IBMCLOUD_API_KEY="a-key")
    assert said(world, examine, "configuration")[0] == (
        "warn",
        (
            "WXHELPER_CONFIG names a file that does not exist; no profiles in /nowhere/b.toml: "
            "variables make the profile env"
        ),
        "correct WXHELPER_CONFIG, or: wxhelper login",
    )


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_directory_that_a_group_can_write(world: World, examine: Examine) -> None:
    world.config.parent.chmod(0o775)
    assert said(world, examine, "configuration")[1:] == []  # root's own: nobody else
    os.chown(world.config.parent, -1, 1000660000)
    assert len(said(world, examine, "configuration")) == 2


def test_a_directory_that_a_link_leads_to(world: World, examine: Examine, tmp_path: Path) -> None:
    far = tmp_path / "far"
    far.mkdir()
    world.config.rename(far / "config.toml")
    world.config.symlink_to(far / "config.toml")
    far.chmod(0o777)
    text = f"{far} can be written by other users, who could replace what is in it"
    assert said(world, examine, "configuration")[1:] == [("warn", text, f"chmod go-w {far}")]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a directory away")
def test_a_directory_of_another_user(world: World, examine: Examine) -> None:
    os.chown(world.config.parent, 1000660000, 0)
    text = "FOLDER belongs to another user, who could replace what is in it"
    remedy = "move it to a directory of your own, or: sudo chown $(id -u) FOLDER"
    assert said(world, examine, "configuration")[1:] == [("warn", text, remedy)]


def test_a_cache_that_is_a_file(world: World, examine: Examine) -> None:
    world.cache.rmdir()
    world.cache.write_text("")
    ((outcome, text, remedy),) = said(world, examine, "cache")
    assert (outcome, text.partition(":")[0]) == ("warn", "tokens cannot be kept in CACHE")
    assert remedy == "mend it, or set WXHELPER_CACHE_DIR to a directory of your own"


def test_the_cache_is_left_as_it_was(world: World, examine: Examine) -> None:
    world.key_file.unlink()
    examine(world)
    assert list(world.cache.iterdir()) == []


# --------------------------------------------------------------------- audience


@pytest.mark.parametrize(
    ("hosts", "complaints"),
    [
        ("['api.example.com', '*.example.com', '[::1]:8443', 'localhost:8080']", []),
        ("['*.com']", ["*.com covers everything below one top-level name"]),
        ("['münchen.example']", []),
    ],
)
def test_hosts_of_a_profile(
    hosts: str, complaints: list[str], world: World, examine: Examine
) -> None:
    world.text(
        f"[profiles.sandbox]\nsource = 'ibmcloud'\nurl = '{world.sandbox.http_url}'\n"
        f"api_key = 'file:apikey'\nhosts = {hosts}\n"
    )
    first, *rest = said(world, examine, "audience")
    assert first[0] == "ok"
    assert rest == [("warn", text, "correct hosts in the profile") for text in complaints]


# --------------------------------------------------- distributions and plugins


STRANGER = (
    "the distribution wxhelper 0.0.7 is installed, which is a program of strangers "
    "and overwrites files of ours"
)


@pytest.mark.parametrize(
    ("name", "version", "text"),
    [
        (
            "wxhelper",
            "0.0.7",
            STRANGER,
        ),
        (
            "wxhelper-core",
            "99",
            f"this is wxhelper {wxhelper.__version__}, and what is installed says 99",
        ),
    ],
)
def test_a_distribution_that_should_not_be_there(
    name: str,
    version: str,
    text: str,
    world: World,
    examine: Examine,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    metadata = tmp_path / "library" / f"{name.replace('-', '_')}-{version}.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    monkeypatch.syspath_prepend(str(metadata.parent))
    assert said(world, examine, "installation")[-1][:2] == ("warn", text)


PLUGIN = """
import os, sys, time
from wxhelper.plugin import Check, CheckResult, KeyExchange, TokenSourceType, hookimpl
wxhelper_api = 1
{top}
_EXCHANGE = KeyExchange(service="Mine", url="/identity/token", body="form",
    fields={{"grant_type": "urn:ibm:params:oauth:grant-type:apikey"}})
def one(context):
    {check}
@hookimpl
def wxhelper_token_sources():
    yield TokenSourceType(name="mine", summary="mine", token_hosts=_EXCHANGE.token_hosts,
        audience=lambda settings: frozenset(), open=_EXCHANGE.open,
        checks=(Check(name="one thing", run=one),))
"""
Install = Callable[..., None]


@pytest.fixture
def install(world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Installs a plugin that offers ``mine``, with code at its top and in its check."""

    def put(top: str = "", check: str = "return CheckResult(outcome='ok', text='well')") -> None:
        library = tmp_path / "library"
        metadata = library / "mine-1.0.dist-info"
        metadata.mkdir(parents=True)
        module = f"mine_{uuid.uuid4().hex}"  # a thread may still be at work on another test's
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: mine\nVersion: 1.0\n")
        (metadata / "entry_points.txt").write_text(f"[wxhelper]\nmine = {module}\n")
        (library / f"{module}.py").write_text(PLUGIN.format(top=top, check=check))
        monkeypatch.syspath_prepend(str(library))

    return put


def test_a_broken_plugin_beside_the_one_in_use(
    world: World, examine: Examine, install: Install
) -> None:
    install(top="raise SystemExit('ruined')")
    world.profile()
    text = "source mine: the plugin mine 1.0 cannot be imported: SystemExit: ruined"
    assert said(world, examine, "plugins") == [
        ("warn", text, "upgrade or uninstall it"),
        ("ok", "source ibmcloud is offered by wxhelper-ibmcloud VERSION", ""),
    ]


def test_plugins_that_are_left_out(world: World, examine: Examine) -> None:
    world.environ["WXHELPER_PLUGINS"] = "mine"
    text = "source ibmcloud is installed, but WXHELPER_PLUGINS leaves it out"
    remedy = "add ibmcloud to WXHELPER_PLUGINS, or unset it"
    assert said(world, examine, "plugins") == [("fail", text, remedy)]


def test_a_plugin_that_prints_spoils_nothing(
    world: World, examine: Examine, install: Install
) -> None:
    install(top="print('noise'); os.write(1, b'noise')")
    world.profile(source="mine")
    status, out, err = examine(world, "--output", "json")
    assert (status, json.loads(out)["exit_status"]) == (0, 0)
    assert err.count("noise") == 2


CHECKS = [
    ("return CheckResult(outcome='ok', text='well')", ("ok", "one thing: well", "")),
    (
        "return CheckResult(outcome='fail', text='bad', remedy='mend it')",
        ("fail", "one thing: bad", "mend it"),
    ),
    (
        "return CheckResult(outcome='warn', text=context.secret.reveal())",
        ("warn", "one thing: [redacted]", ""),
    ),
    ("raise ValueError(context.secret.reveal())", "failed with ValueError"),
    ("sys.exit(context.secret.reveal())", "failed with SystemExit"),
    ("return 'ok'", "failed with TypeError"),
    ("return CheckResult(outcome='splendid', text='well')", "failed with TypeError"),
]


@pytest.mark.parametrize(("check", "expected"), CHECKS)
def test_a_check_of_the_plugins(
    check: str, expected: Said | str, world: World, examine: Examine, install: Install
) -> None:
    install(check=check)
    world.profile(source="mine")
    if isinstance(expected, str):
        text = f"one thing: the plugin of source mine {expected} at PLACE"
        expected = ("unknown", text, "upgrade it, or report it to its authors")
    ((outcome, found, remedy),) = said(world, examine, "source")
    assert (outcome, re.sub(r"\S+:\d+$", "PLACE", found), remedy) == expected
    assert world.sandbox.api_key not in repr(examine(world))


def test_a_check_that_fails_counts(world: World, examine: Examine, install: Install) -> None:
    install(check="return CheckResult(outcome='fail', text='bad')")
    world.profile(source="mine")
    assert examine(world)[0] == 3


HUNG = "the plugin of source mine gave no answer within 0.2 seconds"
REPORT = "upgrade it, or report it to its authors"


def test_a_plugin_that_hangs(
    world: World, examine: Examine, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wxhelper.doctor.patient._PLUGIN_SECONDS", 0.2)
    monkeypatch.setattr("wxhelper.doctor.plugins._SECONDS", 0.2)
    install(top="time.sleep(60)")
    world.profile(source="mine")
    assert said(world, examine, "plugins")[-1] == ("fail", HUNG, REPORT)


def test_a_check_that_hangs(
    world: World, examine: Examine, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wxhelper.doctor.source._SECONDS", 0.2)
    install(check="time.sleep(60)")
    world.profile(source="mine")
    assert said(world, examine, "source") == [("unknown", f"one thing: {HUNG}", REPORT)]


# --------------------------------------------------------------------- start-up


def test_a_hook_in_the_way_of_every_start(world: World, tmp_path: Path) -> None:
    (tmp_path / "usercustomize.py").write_text("")
    done = subprocess.run(
        [OURS, "doctor", "--output", "json"],
        env={**world.environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    rows = [row["text"] for row in json.loads(done.stdout)["checks"] if row["check"] == "startup"]
    assert rows[-2:] == [
        f"{tmp_path}/usercustomize.py runs at every start of Python",
        f"PYTHONPATH is set ({tmp_path}): modules from there come first",
    ]


@pytest.mark.parametrize(
    ("arguments", "variables", "why"),
    [
        (["--profile", "sandbox"], {}, "named by --profile"),
        ([], {"WXHELPER_PROFILE": "sandbox"}, "named by WXHELPER_PROFILE"),
        ([], {}, "the default"),
    ],
)
def test_why_a_profile_is_chosen(
    arguments: list[str], variables: dict[str, str], why: str, world: World, examine: Examine
) -> None:
    world.environ.update(variables)
    assert f", profile sandbox, {why}\n" in examine(world, *arguments)[1]


def test_a_source_that_names_no_host(world: World, examine: Examine, install: Install) -> None:
    install(top="class KeyExchange(KeyExchange): token_hosts = lambda *_: frozenset()")
    world.profile(source="mine", url=None)
    assert said(world, examine, "configuration")[1:] == [
        (
            "fail",
            "source mine names no host that the key may go to",
            "write the service's address as url in the profile",
        )
    ]


def test_a_file_system_without_locks(
    world: World, examine: Examine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("wxhelper.cache.Cache._locked", staticmethod(refuse))
    text = "its file system has no locks: processes that start at once may each ask"
    remedy = "set WXHELPER_CACHE_DIR to a directory on a local disk"
    assert said(world, examine, "cache")[1:] == [("warn", text, remedy)]
    assert "~trial.token" not in os.listdir(world.cache)


@pytest.mark.parametrize("profile", ["trial", ".trial", "-trial"])
def test_the_trial_of_the_cache_is_no_profile_of_anybodys(profile: str, world: World) -> None:
    kept = world.cache / f"{profile}.token"
    kept.write_text("kept")
    assert Cache(world.environ, str(world.config)).try_out()
    assert [(path.name, path.read_text()) for path in world.cache.iterdir()] == [
        (kept.name, "kept")
    ]


def test_a_keyring_that_is_not_there(world: World, examine: Examine) -> None:
    world.profile(api_key="keyring:dev")
    ((outcome, text, remedy),) = said(world, examine, "key")
    assert outcome == "fail"
    assert "keyring" in text
    assert remedy
