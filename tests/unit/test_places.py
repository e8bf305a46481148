"""Floor 7: what is said to those who are not given the token, and to docker about the rest."""

from pathlib import Path

import pytest

from homes import Home
from wxhelper import __version__, cli

HOSTS = "api.example.com, *.star.example.com, 127.0.0.1"
PASTED = "Xq3_paStEdbYmiStaKe-0000000000000000000000aZ"
VERSION = f"docker-credential-wxhelper (wxhelper-core) {__version__}\n"
USAGE = "Usage: docker-credential-wxhelper <store|get|erase|list|version>\n"
UNKNOWN = "docker-credential-wxhelper: unknown action\n"
NOT_FOUND = "credentials not found in native keychain\n"
PLAIN = (
    "wxhelper: a token does not go over plain http, except to this machine itself; "
    "write https:// in the address\n"
)
UNCLEAR = (
    "wxhelper: the address must be https://HOST, with or without :PORT and /PATH, in ASCII, "
    "without a user name or a backslash; "
    "for example: wxhelper curl-config https://us-south.ml.cloud.ibm.com/\n"
)
NAMES_ALONE = (
    "wxhelper: a netrc file knows hosts by their names alone, without scheme, port and path; "
    "for example: wxhelper netrc us.icr.io\n"
)


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    return Home(tmp_path, monkeypatch)


@pytest.fixture
def said(at_home: Home, capfd: pytest.CaptureFixture[str]):
    """Runs a verb: its status, output and errors."""

    def run(*arguments: str, stdin: bytes = b"") -> tuple[int, str, str]:
        return (cli.main(arguments, stdin=stdin), *capfd.readouterr())

    return run


def not_given(place: str, hosts: str = HOSTS) -> str:
    return (
        f"wxhelper: profile dev: {place} is not given the token, only {hosts}; "
        "if it may have it, add it to the profile's hosts\n"
    )


@pytest.mark.parametrize("cold", [False, True], ids=["with a token", "without a token"])
@pytest.mark.parametrize(
    ("verb", "argument", "place"),
    [
        ("curl-config", "https://evil.example/", "evil.example"),
        ("curl-config", "https://api.example.com.evil.example/", "api.example.com.evil.example"),
        ("curl-config", "https://evilapi.example.com/", "evilapi.example.com"),
        ("curl-config", "https://api.example.com:8443/", "api.example.com:8443"),
        ("curl-config", "https://star.example.com/", "star.example.com"),
        ("curl-config", "http://localhost:80/", "localhost:80"),
        ("curl-config", "https://xn--pi-1kc.example.com/", "xn--pi-1kc.example.com"),
        ("netrc", "evil.example", "evil.example"),
        ("netrc", "star.example.com", "star.example.com"),
        ("netrc", PASTED, "a host of that name"),
    ],
)
def test_a_place_outside_the_audience_is_told_who_is_in_it(
    verb: str, argument: str, place: str, cold: bool, at_home: Home, said
) -> None:
    if cold:
        at_home.only("token").unlink()
    assert said(verb, argument) == (5, "", not_given(place))


def test_of_a_long_audience_a_part_is_named(at_home: Home, said) -> None:
    many = [f"h{n}.example.com" for n in range(20)]
    at_home.config.write_text(at_home.config.read_text().replace('"127.0.0.1"', str(many)[1:-1]))
    named = "api.example.com, *.star.example.com, " + ", ".join(many[:6]) + " and 14 more"
    assert said("netrc", "evil.example") == (5, "", not_given("evil.example", named))


def test_without_a_file_a_profile_has_to_be_written(at_home: Home, said) -> None:
    at_home.config.unlink()
    status, out, err = said("curl-config", "https://evil.example/")
    assert (status, out) == (5, "")
    assert err.endswith(
        f'if it may have it, write a profile with hosts = ["HOST"] into {at_home.config}\n'
    )


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (("curl-config", "https://me:secret@api.example.com/"), 2, UNCLEAR),
        (("curl-config", "https://api.example.com\\@evil.example/"), 2, UNCLEAR),
        (("curl-config", "api.example.com"), 2, UNCLEAR),
        (("curl-config", "ftp://api.example.com/"), 2, UNCLEAR),
        (("curl-config", PASTED), 2, UNCLEAR),
        (("curl-config", ""), 2, UNCLEAR),
        (("curl-config", "http://api.example.com/"), 5, PLAIN),
        (("netrc", "api.example.com", "api.example.com:443"), 2, NAMES_ALONE),
        (("netrc", "https://api.example.com"), 2, NAMES_ALONE),
        (("netrc", "api.example.com default"), 2, NAMES_ALONE),
        (("netrc", "default"), 2, NAMES_ALONE),
        (("netrc", ""), 2, NAMES_ALONE),
    ],
    ids=lambda given: " ".join(given) if isinstance(given, tuple) else "",
)
def test_what_is_no_place_is_refused_without_repeating_it(
    arguments: tuple[str, ...], status: int, told: str, said
) -> None:
    assert said(*arguments) == (status, "", told)


@pytest.mark.parametrize("verb", ["netrc", "docker-credential"])
def test_a_key_is_no_password(verb: str, at_home: Home, said) -> None:
    at_home.keep("dev", scheme="ZenApiKey")
    place = "get" if verb == "docker-credential" else "api.example.com"
    status, out, err = said(verb, place, stdin=b"api.example.com")
    cause = f"wxhelper: profile dev: {verb} can only carry Bearer tokens, and source ibmcloud gives"
    if verb == "netrc":
        remedy = "name another profile: wxhelper netrc --profile NAME"
        assert (status, out, err) == (5, "", f"{cause} ZenApiKey; {remedy}\n")
    else:
        remedy = "name another profile: export WXHELPER_PROFILE=NAME"
        assert status == 1
        assert out == err == f"{cause} ZenApiKey; {remedy}\n"


# --------------------------------------------------------------------------------------- docker


@pytest.mark.parametrize(
    ("arguments", "stdin", "expected"),
    [
        (("store",), b'{"ServerURL":"x","Username":"u","Secret":"s"}\n', (0, "", "")),
        (("store",), b"", (0, "", "")),
        (("erase",), b"api.example.com", (0, "", "")),
        (("list",), b"unused", (0, "{}\n", "")),
        (("version",), b"", (0, VERSION, "")),
        (("--version",), b"", (0, VERSION, "")),
        (("-v",), b"", (0, VERSION, "")),
        (("get",), b"", (1, "no credentials server URL\n", "")),
        (("get",), b" \r\n", (1, "no credentials server URL\n", "")),
        ((), b"", (1, USAGE, "")),
        (("get", "more"), b"api.example.com", (1, USAGE, "")),
        (("delete",), b"", (1, "docker-credential-wxhelper: unknown action: delete\n", "")),
        (("",), b"", (1, UNKNOWN, "")),
        ((PASTED,), b"", (1, UNKNOWN, "")),
        (("\x1b[31mred",), b"", (1, UNKNOWN, "")),
    ],
)
def test_docker_is_answered_in_its_own_words(
    arguments: tuple[str, ...],
    stdin: bytes,
    expected: tuple[int, str, str],
    at_home: Home,
    said,
) -> None:
    before = {path.name: path.read_bytes() for path in at_home.cache_dir.iterdir()}
    assert said("docker-credential", *arguments, stdin=stdin) == expected
    assert {path.name: path.read_bytes() for path in at_home.cache_dir.iterdir()} == before


@pytest.mark.parametrize(
    "server",
    [
        b"evil.example",
        b"https://index.docker.io/v1/",
        b"api.example.com:5000",
        b"cp.icr.io",
        b"https://cp.icr.io/v2/",
        b"api.example.com\n.evil.example",
        b"https://user@api.example.com/",
        b"\xff\xfe",
        b"a" * 300_000,
    ],
    ids=lambda server: repr(server[:40]),
)
@pytest.mark.parametrize("cold", [False, True], ids=["with a token", "without a token"])
def test_docker_is_told_that_there_is_nothing_for_another_registry(
    server: bytes, cold: bool, at_home: Home, said
) -> None:
    at_home.config.write_text(
        at_home.config.read_text().replace('"127.0.0.1"', '"127.0.0.1", "*.icr.io", "cp.icr.io"')
    )
    if cold:
        at_home.only("token").unlink()
    assert said("docker-credential", "get", stdin=server) == (1, NOT_FOUND, "")
