"""Floor 3: ``config.toml`` and what can be wrong with it."""

import os
from pathlib import Path

import pytest

from config_files import DEV, chosen, refused
from wxhelper.errors import ConfigurationError

WRITE_QUOTED = "correct that line; values are written in quotes"
NAMED_LIKE_THIS = "use 1 to 64 letters, digits, dots, underscores or hyphens"


@pytest.mark.parametrize(
    ("text", "message", "remedy"),
    [
        ("profile = 1\n", "FILE: unknown key profile", "did you mean profiles?"),
        ("zzz = 1\n", "FILE: unknown key zzz", "known here: default_profile, profiles"),
        ('"a\\nb" = 1\n', "FILE: unknown key a b", "known here: default_profile, profiles"),
        (
            "profiles = 1\n",
            "FILE: profiles must be a table",
            "begin a profile with [profiles.NAME]",
        ),
        (
            '[profiles."a b"]\n',
            "FILE: a b cannot be a profile's name",
            NAMED_LIKE_THIS,
        ),
        ('[profiles.""]\n', "FILE:  cannot be a profile's name", NAMED_LIKE_THIS),
        (
            "default_profile = 1\n" + DEV,
            "FILE: default_profile must be a string",
            'write default_profile = "dev"',
        ),
        (
            "[profiles]\ndev = 1\n",
            "FILE: profiles.dev must be a table",
            "begin it with [profiles.dev]",
        ),
        (
            "[profiles.dev]\n",
            "FILE: profiles.dev.source is missing",
            'write source = "ibmcloud"',
        ),
        (
            "[profiles.dev]\nsource = 1\n",
            "FILE: profiles.dev.source must be a string",
            'write source = "ibmcloud"',
        ),
        (
            '[profiles.dev]\nsource = "x"\n',
            "FILE: profiles.dev.api_key is missing",
            'write api_key = "env:IBMCLOUD_API_KEY"',
        ),
        (
            '[profiles.dev]\nsource = "x"\napi_key = ["a"]\n',
            "FILE: profiles.dev.api_key must be a string",
            'write api_key = "env:IBMCLOUD_API_KEY"',
        ),
        *(
            (
                f"{DEV}hosts = {hosts}\n",
                "FILE: profiles.dev.hosts must be a list of HOST, HOST:PORT or *.HOST",
                'write hosts = ["api.example.com"]',
            )
            for hosts in (
                '"a.example.com"',
                "[]",
                "[1]",
                '["a", ""]',
                "true",
                '["https://a.example.com"]',
                '["a.example.com/x"]',
                '["me@a.example.com"]',
                '["a.*.com"]',
                '["a:https"]',
                '["-a"]',
                '["a.example.com."]',
                '["a.example.com:0"]',
                '["*.0.0.1"]',
                '["user%40a.example.com"]',
                # Names that two sets of rules turn into two different ones, or into ASCII.
                '["stra\u00dfe.example"]',
                '["\u03b2\u03cc\u03bb\u03bf\u03c2.example"]',
                '["\uff41pi.example.com"]',
                '["a\u3002example.com"]',
                '["\u212a.example.com"]',
                '["a\u00adb.example.com"]',
                '["a\u200db.example.com"]',
                '["a\u2028.example.com"]',
            )
        ),
        *(
            (
                f"{DEV}login = {login}\n",
                "FILE: profiles.dev.login must have 1 to 128 letters, digits or ._%+@/=~-",
                'write login = "iambearer"',
            )
            for login in ('""', '"a b"', '"a:b"', "'\"a'", '"a\\nb"', '"\u00fc"', '["a"]', "1")
        ),
        (
            f"{DEV}hosts = {[f'{number:0>60}.example' for number in range(300)]}\n",
            "FILE: profiles.dev.hosts is longer than 16,384 characters",
            "write *.HOST for the hosts of one domain",
        ),
    ],
)
def test_a_slip_is_told_with_its_place_and_what_to_write(
    config: Path, text: str, message: str, remedy: str
) -> None:
    config.write_text(text)
    assert refused(config) == (ConfigurationError, message, remedy)


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"default_profile = dev\n", 1),
        (b"\n\n[profiles.dev\nsource = 1\n", 3),
        (b'[profiles.dev]\r\nsource = "x"\r\napi_key = env:A\r\n', 3),
        (b'a = "x\n', 1),
        (b"a = 1\na = 2\n", 2),
        (b"[profiles.dev]\n[profiles.dev]\n", 2),
        (b'\xef\xbb\xbf[profiles.dev]\nsource = "\n', 2),
        (b'a = """never ended', 1),
        (b"[profiles.dev]\nurl = \x00\n", 2),
        (b"\xef\xbb\xbf\xef\xbb\xbfa = 1\n", 1),
        (b"a = " + b"9" * 5000 + b"\n", 1),
        (b"a = 2025-02-30\n", 1),
    ],
    ids=["no quotes", "no bracket", "crlf", "no end of a string", "twice", "table twice", "bom",
         "no end of a text", "nul", "two boms", "giant number", "no such day"],
)  # fmt: skip
def test_what_is_no_toml_is_told_with_file_and_line(config: Path, data: bytes, line: int) -> None:
    config.write_bytes(data)
    kind, message, remedy = refused(config)
    assert (kind, remedy) == (ConfigurationError, WRITE_QUOTED)
    place, _, reason = message.partition(": ")
    assert place == f"FILE, line {line}"
    assert reason
    assert reason.isprintable()


@pytest.mark.parametrize(
    ("data", "line"),
    [
        (b"a = '\xff'\n", 1),
        (b"# ok\n\n# caf\xe9\n", 3),
        (b"\xff\xfea\x00=\x001\x00", 1),
        (b"\xef\xbb\xbf\n\xff\n", 2),
    ],
    ids=["byte", "latin-1", "utf-16", "after a bom"],
)
def test_what_is_no_text_is_told_with_file_and_line(config: Path, data: bytes, line: int) -> None:
    config.write_bytes(data)
    assert refused(config) == (
        ConfigurationError,
        f"FILE, line {line}: it is not UTF-8 text",
        WRITE_QUOTED,
    )


def test_no_value_of_the_file_is_ever_repeated(config: Path) -> None:
    key = "kEy-" + "9" * 40
    for text in (f"api_key = {key}\n", f'api_key = "{key}\n', f'api_key = "{key}" "{key}"\n'):
        config.write_text("[profiles.dev]\n" + text)
        assert key not in "".join(map(str, refused(config)))


def test_nesting_without_end_is_told(config: Path) -> None:
    config.write_text("a = " + "[" * 100_000)
    kind, message, _ = refused(config)
    assert (kind, message) == (ConfigurationError, "FILE, line 1: it is nested too deeply")


@pytest.mark.parametrize("ends", ["\r\n", "\n"])
@pytest.mark.parametrize("begins", ["\ufeff", ""])
def test_a_file_from_windows_is_read(config: Path, begins: str, ends: str) -> None:
    config.write_bytes((begins + DEV.replace("\n", ends)).encode())
    assert chosen(config).api_key == "env:A"


# ----------------------------------------------------------------------- the file in itself


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666, 0o664], ids=oct)
def test_a_file_that_others_may_change_is_refused(config: Path, mode: int) -> None:
    config.write_text(DEV)
    config.chmod(mode)
    assert refused(config) == (
        ConfigurationError,
        "the configuration FILE can be changed by other users",
        "chmod go-w FILE",
    )


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o444, 0o755], ids=oct)
def test_a_file_that_others_may_read_is_fine(config: Path, mode: int) -> None:
    config.write_text(DEV)
    config.chmod(mode)
    assert chosen(config).name == "dev"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_file_of_a_stranger_is_refused(config: Path) -> None:
    config.write_text(DEV)
    os.chown(config, 12_345, -1)
    assert refused(config)[1] == "the configuration FILE belongs to another user"


def _too_large(path: Path) -> None:
    path.touch(0o600)
    os.truncate(path, 2**32)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (Path.mkdir, "Is a directory"),
        (os.mkfifo, "it is not a regular file"),
        (_too_large, "it is larger than 131072 bytes"),
        (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
        pytest.param(
            lambda path: path.touch(0o000),
            "Permission denied",
            marks=pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything"),
        ),
    ],
    ids=["directory", "fifo", "giant", "circle", "not readable"],
)
def test_what_cannot_be_read_is_told_with_the_cause(
    config: Path, make: object, reason: str
) -> None:
    make(config)  # type: ignore[operator]
    assert refused(config) == (
        ConfigurationError,
        f"the configuration FILE cannot be read: {reason}",
        "look at it with: ls -lL FILE",
    )


def test_a_path_in_a_remedy_is_quoted_for_the_shell(tmp_path: Path) -> None:
    config = tmp_path / "my config.toml"
    config.mkdir()
    with pytest.raises(ConfigurationError) as caught:
        chosen(config)
    assert caught.value.remedy == f"look at it with: ls -lL '{config}'"
