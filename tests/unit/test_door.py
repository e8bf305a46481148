"""Floor 8: a hit is answered at once, and exactly as the long way would answer it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from homes import CONFIG, Home, answered, hit
from wxhelper import cli, door

V1 = '{"kind":"ExecCredential","apiVersion":"client.authentication.k8s.io/v1","spec":{}}'
V1BETA1 = '{"apiVersion": "client.authentication.k8s.io/v1beta1", "kind": "ExecCredential"}'


# ------------------------------------------------------------------------------------- hits


@pytest.mark.parametrize(
    "line",
    [
        "token",
        "token --profile dev",
        "token --profile=prod",
        "token --min-ttl 0",
        "token --min-ttl=600",
        "token --min-ttl 0007",
        "token --output raw",
        "token --output=json",
        "token --output json --profile prod --min-ttl 60",
        "header",
        "header --output json",
        "header --min-ttl 5 --output raw",
        "exec-credential",
        "exec-credential --profile prod",
        "exec-credential --api-version v1",
        "exec-credential --api-version=v1beta1",
        "exec-credential --api-version v1beta1 --profile=dev",
    ],
)
@pytest.mark.parametrize("info", ["", V1, V1BETA1], ids=["-", "v1", "v1beta1"])
def test_a_hit_is_answered_byte_by_byte_like_the_long_way(
    at_home: Home,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    line: str,
    info: str,
) -> None:
    monkeypatch.setenv("KUBERNETES_EXEC_INFO", info)
    answer = hit(*line.split())
    status = cli.main(line.split())
    assert answer is not None
    assert (status, *capfd.readouterr()) == (0, answer, "")


def test_the_profile_of_the_variable_counts_after_that_of_the_option(
    at_home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WXHELPER_PROFILE", "prod")
    assert (hit("token"), hit("token", "--profile", "dev")) == (
        "token-of-prod\n",
        "token-of-dev\n",
    )
    monkeypatch.setenv("WXHELPER_PROFILE", "")
    assert hit("token") == "token-of-dev\n"


def test_the_door_prints_the_hit(at_home: Home, capfd: pytest.CaptureFixture[str]) -> None:
    assert door.main(["header"]) == 0
    assert tuple(capfd.readouterr()) == ("Authorization: Bearer token-of-dev\n", "")


def test_a_door_that_stumbles_takes_the_long_way(
    at_home: Home, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(door, "_hit", lambda *_: 1 // 0)
    assert door.main(["token"]) == 0
    assert tuple(capfd.readouterr()) == ("token-of-dev\n", "")


# -------------------------------------------------------------------------------- no answer


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--help"],
        ["invalidate"],
        ["token", "--help"],
        ["token", "--refresh"],
        ["token", "dev"],
        ["token", "--", "--profile", "dev"],
        ["token", "--prof", "dev"],
        ["token", "--profile"],
        ["token", "--profile", ""],
        ["token", "--profile", "nobody"],
        ["token", "--profile", "../cache/dev"],
        ["token", "--profile", "dev\n"],
        ["token", "--profile", "d\u00e9v"],
        ["token", "--profile", "x" * 65],
        ["token", "--profile", "--refresh"],
        ["token", "--profile", "dev", "--profile", "dev"],
        ["token", "--profile", "dev", "prod"],
        ["token", "--min-ttl", "-5"],
        ["token", "--min-ttl", " 5"],
        ["token", "--min-ttl", "\u0665"],
        ["token", "--min-ttl", "3600"],
        ["token", "--min-ttl", "1234567890"],
        ["token", "--output", "yaml"],
        ["token", "--api-version", "v1"],
        ["exec-credential", "--output", "json"],
        ["exec-credential", "--api-version", "v2"],
        ["exec-credential", "--api-version", "client.authentication.k8s.io/v1"],
    ],
    ids=repr,
)
def test_what_is_not_exactly_a_hit_goes_the_long_way(at_home: Home, arguments: list[str]) -> None:
    assert hit(*arguments) is None


def test_an_option_is_never_taken_for_a_value(
    at_home: Home, capfd: pytest.CaptureFixture[str]
) -> None:
    assert hit("token", "--profile=--refresh") == "token-of---refresh\n"
    assert door.main(["token", "--profile", "--refresh"]) == 2
    assert tuple(capfd.readouterr()) == (
        "",
        "wxhelper: token: --profile: expected one argument; see: wxhelper token --help\n",
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda home: home.keep("dev", age=3000),
        lambda home: home.keep("dev", age=3590),
        lambda home: home.keep("dev", age=7200),
        lambda home: home.keep("dev", clock=90),
        lambda home: home.keep("dev", clock=-90),
        lambda home: home.config.write_text(CONFIG + "#"),
        lambda home: home.config.unlink(),
        lambda home: home.cache.invalidate("dev"),
        lambda home: (home.only("token").chmod(0o644), home.only("token")),
        lambda home: home.only("token").unlink(),
        lambda home: home.only("token").write_text("wxhelper record 2\n"),
        lambda home: home.cache_dir.chmod(0o722),
        lambda home: home.only("pointer").unlink(),
        lambda home: home.only("pointer").write_text("prod\n"),
        lambda home: home.only("pointer").write_text("nobody\n"),
        lambda home: home.only("pointer").write_text("../../dev\n"),
        lambda home: home.only("pointer").write_bytes(b"\xff\xfe\n"),
        lambda home: home.only("pointer").write_text(""),
        lambda home: os.environ.update(A_KEY="another"),
        lambda home: os.environ.pop("A_KEY"),
        lambda home: os.environ.update(WXHELPER_CONFIG=f"{home.config}.other"),
        lambda home: os.environ.update(WXHELPER_CACHE_DIR=f"{home.cache_dir}.other"),
        lambda home: os.environ.update(WXHELPER_PROFILE="nobody"),
        lambda home: os.environ.update(WXHELPER_PROFILE="../dev"),
    ],
    ids=[
        "due", "nearly dead", "dead", "clock set forward", "clock set back",
        "configuration changed", "configuration removed", "invalidated", "record readable",
        "record removed", "record damaged", "directory writable", "no pointer",
        "pointer to what is no default", "pointer to nobody", "pointer out of the directory",
        "pointer not text", "pointer empty", "key changed", "key unset", "other configuration",
        "other cache", "profile unknown", "profile no name",
    ],
)  # fmt: skip
def test_a_record_that_may_not_be_served_goes_the_long_way(
    at_home: Home, change: Callable[[Home], object]
) -> None:
    assert hit("token") is not None
    change(at_home)
    assert hit("token") is None


def test_a_fetch_that_began_before_an_invalidate_counts_for_nothing(at_home: Home) -> None:
    under_way = at_home.cache.read("dev")
    assert under_way is not None
    at_home.cache.invalidate("dev")
    at_home.cache.write(under_way)
    assert hit("token") is None


@pytest.mark.parametrize("verb", ["token", "header"])
def test_another_scheme_is_for_those_who_carry_it(at_home: Home, verb: str) -> None:
    at_home.keep("dev", scheme="ZenApiKey")
    assert hit(verb) is not None
    assert hit("exec-credential") is None


@pytest.mark.parametrize("info", ["{", "null", "x" * 100_000, '{"apiVersion":"v1"}', "\udcff"])
def test_a_garbled_variable_of_kubectl_goes_the_long_way(
    at_home: Home, monkeypatch: pytest.MonkeyPatch, info: str
) -> None:
    monkeypatch.setenv("KUBERNETES_EXEC_INFO", info)
    assert hit("exec-credential") is None
    assert hit("token") is not None


# ------------------------------------------------------------------------------------- fuzz

WORDS = st.sampled_from(
    ["token", "header", "exec-credential", "invalidate", "--profile", "--profile=", "--min-ttl",
     "--min-ttl=0", "--output", "--output=json", "--api-version", "--api-version=v1", "dev",
     "prod", "--refresh", "0", "60", "99999", "raw", "json", "v1", "v1beta1", "", "--", "-h"]
)  # fmt: skip
relaxed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@relaxed
@given(st.lists(WORDS | st.text(max_size=20), max_size=7), st.text(max_size=200))
@example(["token", "--profile", "a\0b"], "")
def test_no_arguments_and_no_variable_make_the_door_raise(
    at_home: Home, arguments: list[str], info: str
) -> None:
    environ = {**os.environ, "KUBERNETES_EXEC_INFO": info}
    answer = answered(arguments, environ)
    assert answer is None or answer.endswith("\n")


@relaxed
@given(st.sampled_from(["token", "header", "exec-credential"]), st.lists(WORDS, max_size=4))
def test_whatever_the_door_answers_the_long_way_answers_too(
    at_home: Home, capfd: pytest.CaptureFixture[str], verb: str, rest: list[str]
) -> None:
    capfd.readouterr()
    answer = hit(verb, *rest)
    if answer is not None:
        assert (cli.main([verb, *rest]), *capfd.readouterr()) == (0, answer, "")


# --------------------------------------------------------------------------- in a process

TOKEN = "from wxhelper.door import main; raise SystemExit(main(['token']))"


def run(program: str, *, stdout: int = subprocess.PIPE, **named: object) -> tuple[int, str, str]:
    with subprocess.Popen(
        [sys.executable, "-P", "-c", program],
        stdout=stdout,
        stderr=subprocess.PIPE,
        text=True,
        # Without what measures coverage: it would be seen in what the process does.
        env={n: v for n, v in os.environ.items() if not n.startswith("COV")}
        | {"PYTHONDONTWRITEBYTECODE": "1"},
        **named,  # type: ignore[call-overload]
    ) as process:
        out, err = process.communicate(timeout=60)
        return process.returncode, out or "", err


def test_a_hit_imports_next_to_nothing(at_home: Home) -> None:
    program = (
        "import os, sys; before = set(sys.modules)\n"
        "from wxhelper.door import main; main(['token'])\n"
        "print(*sorted(set(sys.modules) - before), sep='\\n')"
    )
    assert run(program) == (
        0,
        (
            "token-of-dev\n_blake2\nwxhelper\nwxhelper.door\nwxhelper.fingerprint\nwxhelper.hosts\nwxhelper.paths\n"
            "wxhelper.protocols\nwxhelper.protocols.plain\nwxhelper.record\nwxhelper.tokens\n"
        ),
        "",
    )


def test_a_hit_writes_no_file_opens_no_socket_and_starts_nothing(at_home: Home) -> None:
    program = (
        "import os, sys\n"
        "from wxhelper.door import main\n"
        "seen = []\n"
        "sys.addaudithook(lambda event, args: seen.append((event, args)))\n"
        "main(['token']); done = list(seen)\n"
        "changing = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC\n"
        "events = {event for event, args in done if event != 'open' or args[2] & changing}\n"
        "print(*sorted(events - {'import', 'compile', 'exec', 'marshal.loads', 'os.listdir'}))"
    )
    assert run(program) == (0, "token-of-dev\n\n", "")


def test_output_that_does_not_fit_is_told(at_home: Home) -> None:
    with open("/dev/full", "w") as full:
        ended = run(
            TOKEN,
            stdout=full.fileno(),
        )
    assert ended == (
        3,
        "",
        (
            "wxhelper: standard output does not take the answer: No space left on device; "
            "look at where it is redirected to\n"
        ),
    )


def test_a_reader_that_went_away_is_told_nothing(at_home: Home) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        ended = run(TOKEN, stdout=writer)
    finally:
        os.close(writer)
    assert ended == (3, "", "")


@pytest.mark.parametrize("name", ["WXHELPER_CONFIG", "WXHELPER_CACHE_DIR"])
def test_a_relative_path_below_a_directory_that_is_gone_is_told_in_one_line(
    at_home: Home, tmp_path: Path, name: str
) -> None:
    (tmp_path / "gone").mkdir()
    program = f"import os; os.rmdir(os.getcwd()); os.environ[{name!r}] = 'relative'\n{TOKEN}"
    status, out, err = run(program, cwd=tmp_path / "gone")
    assert status in (3, 5)
    assert (out, err.count("\n"), err[:10]) == ("", 1, "wxhelper: ")
