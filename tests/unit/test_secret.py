"""Floor 3: API keys in memory, and the references that lead to them."""

import copy
import json
import os
import pickle
import time
import traceback
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wxhelper.errors import ConfigurationError, KeyUnavailable
from wxhelper.fingerprint import fingerprint
from wxhelper.lookups import Lookups
from wxhelper.secret import Secret, resolve

KEY = "k3y-+&=%ü.that_opens/nothing"
LOOK = "look at it with: ls -lL {path}"


@pytest.fixture
def config(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def looked(**environ: str) -> Lookups:
    return Lookups(environ, wall=lambda: time.time() + 60)


def resolved(reference: str, config: Path, **environ: str) -> Secret:
    return resolve(
        reference, named="profiles.dev.api_key", config=str(config), lookups=looked(**environ)
    )


def refused(reference: str, config: Path, **environ: str) -> tuple[type, str, str]:
    with pytest.raises(ConfigurationError) as caught:
        resolved(reference, config, **environ)
    return type(caught.value), caught.value.message, caught.value.remedy


# ------------------------------------------------------------------------------- references


def test_a_variable(config: Path) -> None:
    secret = resolved("env:MY_KEY", config, MY_KEY=KEY)
    assert (secret.reveal(), secret.origin) == (KEY, "env:MY_KEY")


@pytest.mark.parametrize(
    ("reference", "place"),
    [
        ("file:{tmp}/key", "key"),
        ("file:key", "key"),
        ("file:./key", "./key"),
        ("file:keys/dev key", "keys/dev key"),
        ("file:~/keys/dev", "home/keys/dev"),
    ],
    ids=["absolute", "beside the configuration", "here", "below it", "home"],
)
def test_a_file(config: Path, monkeypatch: pytest.MonkeyPatch, reference: str, place: str) -> None:
    monkeypatch.setenv("HOME", str(config.parent / "home"))
    path = Path(f"{config.parent}/{place}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(KEY)
    secret = resolved(reference.format(tmp=config.parent), config)
    assert (secret.reveal(), secret.origin) == (KEY, f"file:{config.parent}/{place}")


def test_a_path_behind_a_link_is_what_the_system_makes_of_it(config: Path) -> None:
    (config.parent / "a" / "b").mkdir(parents=True)
    (config.parent / "link").symlink_to("a/b")
    (config.parent / "a" / "key").write_text(KEY)
    assert resolved("file:link/../key", config).reveal() == KEY


@pytest.mark.parametrize(
    "reference",
    ["", KEY, "env:", "env", "file:", "command:", "command:  ", "ENV:A", " env:A", "vault:x",
     "file", "https://x", "keyring:", "ibm-credentials:"],
)  # fmt: skip
def test_anything_else_is_refused_without_repeating_it(config: Path, reference: str) -> None:
    kind, message, remedy = refused(reference, config)
    assert kind is ConfigurationError
    assert message == (
        "profiles.dev.api_key is not a reference to a key "
        f"(if it is a key: {config} is not the place for it)"
    )
    assert remedy == (
        "store it: wxhelper login {profile}; or write env:NAME, file:PATH, keyring:NAME, "
        "ibm-credentials:SERVICE or command:PROGRAM ARGS instead"
    )


@pytest.mark.parametrize(
    ("environ", "state"), [({}, "not set"), ({"MY_KEY": ""}, "empty")], ids=["unset", "empty"]
)
def test_a_variable_without_a_value(config: Path, environ: dict[str, str], state: str) -> None:
    assert refused("env:MY_KEY", config, **environ) == (
        KeyUnavailable,
        f"the variable MY_KEY is {state}",
        "export MY_KEY=YOUR_API_KEY, or store one: wxhelper login {profile}",
    )


def test_what_was_looked_at_is_on_record(config: Path) -> None:
    (config.parent / "key").write_text(KEY)
    lookups = looked(MY_KEY=KEY)
    for reference in ("env:MY_KEY", f"file:{config.parent}/key"):
        resolve(reference, named="x", config=str(config), lookups=lookups)
    basis = lookups.basis("5a17", "1d")
    assert [path for path, _ in basis.files] == [str(config.parent / "key")]
    assert basis.variables == [("MY_KEY", fingerprint("5a17", KEY))]


# -------------------------------------------------------------------------------- key files


@pytest.mark.parametrize(
    ("data", "value"),
    [
        ("key-one", "key-one"),
        ("key-one\n", "key-one"),
        ("key-one\r\n", "key-one"),
        ("key-one\n\n", "key-one\n"),
        (" key one ", " key one "),
        ("key\tone", "key\tone"),
        ("kéy", "kéy"),
        ('ke"y{1}=', 'ke"y{1}='),
        ("$key", None),
        ("a$key", "a$key"),
    ],
)
def test_one_final_newline_goes_and_inner_characters_stay(
    config: Path, data: str, value: str | None
) -> None:
    (config.parent / "key").write_bytes(data.encode())
    if value is None:
        assert refused("file:key", config)[0] is KeyUnavailable
    else:
        assert resolved("file:key", config).reveal() == value


@pytest.mark.parametrize(
    "document",
    [
        {"name": "dev", "description": "", "createdAt": "2025", "apikey": KEY},
        {"apikey": KEY},
        {"Apikey": KEY},
        {"APIKEY": KEY},
        {"apikey": KEY, "uuid": None, "nested": {"apikey": "other"}},
    ],
)
@pytest.mark.parametrize("indent", [None, "\t"])
def test_the_file_that_ibm_gives_is_understood(
    config: Path, document: dict[str, object], indent: str | None
) -> None:
    (config.parent / "apikey.json").write_text("\n" + json.dumps(document, indent=indent) + "\n")
    assert resolved("file:apikey.json", config).reveal() == KEY


@pytest.mark.parametrize(
    "document",
    [{}, {"key": KEY}, {"apikey": 5}, {"apikey": None}, {"apikey": [KEY]},
     {"apikey": KEY, "Apikey": "other"}],
    ids=["empty", "other field", "number", "null", "list", "two"],
)  # fmt: skip
def test_json_without_a_key_is_refused(config: Path, document: dict[str, object]) -> None:
    path = config.parent / "apikey.json"
    path.write_text(json.dumps(document))
    assert refused("file:apikey.json", config) == (
        KeyUnavailable,
        f"file:{path} is JSON without an apikey field",
        "give the file that was downloaded with the key, or the key alone",
    )


MISTAKES = [
    (" ", "is empty", "put the API key there"),
    (" \t", "is empty", "put the API key there"),
    *(
        (
            text,
            "holds a placeholder, not a key",
            "put the API key itself there (a shell expands nothing in single quotes)",
        )
        for text in ("${API_KEY}", "$API_KEY", "$(cat key)", "<YOUR_API_KEY>", "<api key>", " $K ")
    ),
    *(
        (
            text,
            "holds a piece of JSON, not a key",
            "give the value of its apikey field alone, or the whole file with file:PATH",
        )
        for text in (
            f'"{KEY}"',
            f'"{KEY}',
            f'{KEY}"',
            f'{{"apikey": "{KEY}"',
            f'"apikey": "{KEY}"}}',
        )
    ),
]


@pytest.mark.parametrize(
    ("text", "reason", "remedy"), MISTAKES, ids=[repr(text) for text, _, _ in MISTAKES]
)
@pytest.mark.parametrize("way", ["env", "file"])
def test_what_can_only_be_a_mistake_is_told_without_showing_it(
    config: Path, way: str, text: str, reason: str, remedy: str
) -> None:
    (config.parent / "key").write_text(text)
    path = f"file:{config.parent}/key"
    reference, origin = ("env:K", "env:K") if way == "env" else ("file:key", path)
    assert refused(reference, config, K=text) == (KeyUnavailable, f"{origin} {reason}", remedy)


def test_a_file_without_a_character_is_empty(config: Path) -> None:
    (config.parent / "key").touch()
    assert refused("file:key", config)[1] == f"file:{config.parent}/key is empty"


@pytest.mark.parametrize("data", [b"\xff\xfek\x00e\x00y\x00", b"caf\xe9", b"\x80" * 40])
def test_a_file_that_is_no_text_is_refused(config: Path, data: bytes) -> None:
    (config.parent / "key").write_bytes(data)
    assert refused("file:key", config) == (
        KeyUnavailable,
        f"file:{config.parent}/key is not text",
        "give the key alone",
    )


def test_a_variable_that_is_no_text_is_refused(config: Path) -> None:
    assert refused("env:K", config, K="caf\udce9") == (
        KeyUnavailable,
        "env:K is not text",
        "give the key alone",
    )


def test_a_file_that_is_not_there(config: Path) -> None:
    path = config.parent / "my key"
    assert refused("file:my key", config) == (
        KeyUnavailable,
        f"there is no key file {path}",
        (
            "store one: wxhelper login {profile}; or create it, paste the key, end with Ctrl-D: "
            f"(umask 077; cat > '{path}')"
        ),
    )


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666], ids=oct)
def test_a_file_that_others_may_change_is_refused(config: Path, mode: int) -> None:
    path = config.parent / "key"
    path.write_text(KEY)
    path.chmod(mode)
    assert refused("file:key", config) == (
        ConfigurationError,
        f"the key file {path} can be changed by other users",
        f"chmod go-w {path}",
    )


@pytest.mark.parametrize("mode", [0o644, 0o444, 0o400], ids=oct)
def test_a_file_that_others_may_read_works(config: Path, mode: int) -> None:
    (config.parent / "key").write_text(KEY)
    (config.parent / "key").chmod(mode)
    assert resolved("file:key", config).reveal() == KEY


def test_a_mounted_secret_is_followed_through_its_links(config: Path) -> None:
    (config.parent / "..2025").mkdir()
    (config.parent / "..2025" / "key").write_text(KEY)
    (config.parent / "..data").symlink_to("..2025")
    (config.parent / "key").symlink_to("..data/key")
    assert resolved("file:key", config).reveal() == KEY


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (Path.mkdir, "Is a directory"),
        (os.mkfifo, "it is not a regular file"),
        (lambda path: path.write_text("k" * 65_537), "it is larger than 65536 bytes"),
        (lambda path: path.symlink_to(path), "Too many levels of symbolic links"),
    ],
    ids=["directory", "fifo", "large", "circle"],
)
def test_a_file_that_cannot_be_read(config: Path, make: object, reason: str) -> None:
    path = config.parent / "key"
    make(path)  # type: ignore[operator]
    assert refused("file:key", config) == (
        KeyUnavailable,
        f"the key file {path} cannot be read: {reason}",
        LOOK.format(path=path),
    )


def test_a_path_that_can_be_none_is_refused(config: Path) -> None:
    assert refused("file:a\0b", config)[0] is KeyUnavailable


# ------------------------------------------------------------------------- nothing shows it


@pytest.mark.parametrize(
    "show",
    [
        repr,
        str,
        format,
        ascii,
        "{!r:>80}".format,
        "%s".__mod__,
        lambda secret: repr([secret]),
        lambda secret: repr({"key": secret}),
    ],
    ids=["repr", "str", "format", "ascii", "field", "percent", "in a list", "in a dict"],
)
def test_no_representation_shows_the_value(show: object) -> None:
    shown = show(Secret(KEY, "env:A"))  # type: ignore[operator]
    assert "Secret(env:A)" in shown
    assert KEY not in shown


@pytest.mark.parametrize(
    "take",
    [pickle.dumps, copy.copy, copy.deepcopy, json.dumps, vars, iter, bytes, len],
    ids=["pickle", "copy", "deepcopy", "json", "vars", "iter", "bytes", "len"],
)
def test_it_cannot_be_copied_out_of_the_process(take: object) -> None:
    with pytest.raises(TypeError) as caught:
        take(Secret(KEY, "env:A"))  # type: ignore[operator]
    assert KEY not in str(caught.value)


def test_a_traceback_with_all_its_variables_does_not_show_it() -> None:
    secret = Secret(KEY, "env:A")

    def fails(given: Secret) -> None:
        held = {"secret": given, "list": [given, secret]}
        raise RuntimeError(f"{held}")

    with pytest.raises(RuntimeError) as caught:
        fails(secret)
    told = "".join(
        traceback.TracebackException.from_exception(caught.value, capture_locals=True).format()
    )
    assert "Secret(env:A)" in told
    assert KEY not in told


def test_a_secret_takes_no_further_attribute() -> None:
    with pytest.raises(AttributeError):
        Secret(KEY, "env:A").copy = KEY  # type: ignore[attr-defined]


def test_its_fingerprint_is_about_the_key_and_what_goes_with_it() -> None:
    secret = Secret(KEY, "env:A")
    assert secret.fingerprint("5a17") == fingerprint("5a17", KEY)
    assert secret.fingerprint("5a17", "a", "b") == fingerprint("5a17", "a", "b", KEY)
    assert secret.fingerprint("5a17") != Secret(KEY + "x", "env:A").fingerprint("5a17")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("nothing in it", "nothing in it"),
        (f"the key {KEY} is bad", "the key [redacted] is bad"),
        (f"{KEY}{KEY}", "[redacted][redacted]"),
        ("k3y-%2B%26%3D%25%C3%BC.that_opens%2Fnothing", "[redacted]"),
        (json.dumps({"k": KEY}), '{"k": "[redacted]"}'),
        ("azN5LSsmPSXDvC50aGF0X29wZW5zL25vdGhpbmc=", "[redacted]="),
        (KEY.encode().hex(), "[redacted]"),
        (KEY.encode().hex().upper(), "[redacted]"),
        ("short-word " + "x" * 39, "short-word " + "x" * 39),
        ("a long word " + "x" * 40, "a long word [redacted]"),
        ("eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.e30.c2ln", "[redacted]"),
        (f"the key {KEY[:12]}... is bad", "[redacted]"),
        (f"the key ...{KEY[-12:]} is bad", "[redacted]"),
        (f"the key {KEY[:9]} {KEY[9:]} is bad", "[redacted]"),
        ("the key k3y-%2B%26%3D%25%C3%BC.that... is bad", "[redacted]"),
        (f"the key {KEY[:11]}... is bad", f"the key {KEY[:11]}... is bad"),
    ],
    ids=["nothing", "as it is", "twice", "url-encoded", "json", "base64", "hex", "HEX",
         "short word", "long word", "jwt", "beginning", "end", "spaced", "beginning url-encoded",
         "short beginning"],
)  # fmt: skip
def test_foreign_text_is_shown_without_the_key(text: str, shown: str) -> None:
    assert Secret(KEY, "env:A").redact(text) == shown


@settings(deadline=None)
@given(st.text(min_size=4).filter(str.strip), st.text(), st.text())
def test_the_key_is_never_in_what_was_redacted(key: str, before: str, after: str) -> None:
    shown = Secret(key, "env:A").redact(f"{before} {key} {after}")
    assert shown.count(key) <= "[redacted]".count(key) * shown.count("[redacted]")
