"""Floor 3: keys in the keyring, in IBM's credentials file, and in files that variables name."""

import sys
import time
from pathlib import Path

import pytest

import fake_keyrings
from wxhelper import keyrings
from wxhelper.errors import ConfigurationError, KeyUnavailable
from wxhelper.fingerprint import fingerprint
from wxhelper.lookups import Lookups
from wxhelper.secret import Secret, resolve

KEY = "k3y-+&=%ü.that_opens/nothing"
STORE = "wxhelper login {profile}"
# The interpreter that the virtual environment was made from, without what is installed in it.
BARE = str(Path(sys.base_prefix, "bin", "python3"))
Told = tuple[type, str, str]


def looked(environ: dict[str, str]) -> Lookups:
    return Lookups(environ, wall=lambda: time.time() + 60)


def resolved(reference: str, environ: dict[str, str], lookups: Lookups | None = None) -> Secret:
    return resolve(
        reference,
        named="profiles.dev.api_key",
        config="/nowhere/config.toml",
        lookups=lookups or looked(environ),
    )


def refused(reference: str, environ: dict[str, str]) -> Told:
    with pytest.raises(ConfigurationError) as caught:
        resolved(reference, environ)
    return type(caught.value), caught.value.message, caught.value.remedy


# ------------------------------------------------------------------- variables that name files


def test_a_variable_that_begins_with_an_at_sign_names_a_file(tmp_path: Path) -> None:
    (tmp_path / "apikey.json").write_text(f'{{"apikey": "{KEY}"}}')
    lookups = looked({"MINE": f"@{tmp_path}/apikey.json"})
    secret = resolved("env:MINE", {}, lookups)
    assert (secret.reveal(), secret.origin) == (KEY, f"file:{tmp_path}/apikey.json")
    basis = lookups.basis("5a17", "1d")
    assert [path for path, _ in basis.files] == [f"{tmp_path}/apikey.json"]
    assert basis.variables == [("MINE", fingerprint("5a17", f"@{tmp_path}/apikey.json"))]


def test_it_may_begin_at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "key").write_text(KEY)
    assert resolved("env:MINE", {"MINE": "@~/key"}).reveal() == KEY


def test_it_never_begins_at_the_current_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "key").write_text(KEY)
    assert refused("env:MINE", {"MINE": "@key"}) == (
        KeyUnavailable,
        "env:MINE names a file by a path that begins at the current directory",
        "write the whole path: @/PATH or @~/PATH",
    )


# ---------------------------------------------------------------------- IBM's credentials file


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("HOME", str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    "text",
    [
        f"MY_SERVICE_APIKEY={KEY}",
        f"MY_SERVICE_AUTH_TYPE=iam\r\nMY_SERVICE_APIKEY={KEY}\r\n",
        f"# mine\n\n  export MY_SERVICE_APIKEY = {KEY}  \nMY_SERVICE_URL=https://example.com\n",
        f"MY_SERVICE_APIKEY='{KEY}'\n",
        f'MY_SERVICE_APIKEY="{KEY}"\n',
        f"my_service_apikey={KEY}\n",
        f"MY_SERVICE_APIKEY=old\nMY_SERVICE_APIKEY={KEY}\n",
        f"MY_SERVICE_APIKEY={KEY}\n# a page's end \x0cMY_SERVICE_APIKEY=no\n",
        f"MY_SERVICE_APIKEY={KEY}\n# and a line's \u2028MY_SERVICE_APIKEY=no\n",
        f"\ufeffMY_SERVICE_APIKEY={KEY}\nOTHER_APIKEY=other\n",
    ],
)
@pytest.mark.parametrize("service", ["my_service", "my-service", "MY SERVICE", "My-Service"])
def test_a_service_in_the_credentials_file_at_home(home: Path, text: str, service: str) -> None:
    (home / "ibm-credentials.env").write_bytes(text.encode())
    secret = resolved(f"ibm-credentials:{service}", {})
    path = f"{home}/ibm-credentials.env"
    assert (secret.reveal(), secret.origin) == (KEY, f"ibm-credentials:{service} ({path})")


def test_the_variable_names_another_credentials_file(home: Path) -> None:
    (home / "ibm-credentials.env").write_text("S_APIKEY=at-home")
    (home / "mine.env").write_text(f"S_APIKEY={KEY}")
    lookups = looked({"IBM_CREDENTIALS_FILE": f"{home}/mine.env"})
    assert resolved("ibm-credentials:s", {}, lookups).reveal() == KEY
    basis = lookups.basis("5a17", "1d")
    assert [path for path, _ in basis.files] == [f"{home}/mine.env"]
    assert [name for name, _ in basis.variables] == ["IBM_CREDENTIALS_FILE"]


def test_setting_the_variable_later_is_noticed(home: Path) -> None:
    (home / "ibm-credentials.env").write_text(f"S_APIKEY={KEY}")
    lookups = looked({})
    resolved("ibm-credentials:s", {}, lookups)
    basis = lookups.basis("5a17", "1d")
    assert [name for name, _ in basis.variables] == ["HOME", "IBM_CREDENTIALS_FILE"]


def test_the_current_directory_is_nobodys_wish(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    work = home / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    (work / "ibm-credentials.env").write_text(f"S_APIKEY={KEY}")
    assert refused("ibm-credentials:s", {}) == (
        KeyUnavailable,
        f"there is no credentials file {home}/ibm-credentials.env",
        "download it from IBM Cloud, or let IBM_CREDENTIALS_FILE name another",
    )
    assert refused("ibm-credentials:s", {"IBM_CREDENTIALS_FILE": "ibm-credentials.env"}) == (
        KeyUnavailable,
        "IBM_CREDENTIALS_FILE is a path that begins at the current directory",
        "write the whole path",
    )


@pytest.mark.parametrize(
    "text", ["", "OTHER_APIKEY=x", "S_APIKEY=", "S_APIKEY", "S_URL=x", "XS_APIKEY=x", "#S_APIKEY=x"]
)
def test_a_credentials_file_without_that_key(home: Path, text: str) -> None:
    path = home / "ibm-credentials.env"
    path.write_text(text)
    assert refused("ibm-credentials:s", {}) == (
        KeyUnavailable,
        f"the credentials file {path} has no S_APIKEY",
        f"look at the names in it: cut -d= -f1 {path}",
    )


def test_a_credentials_file_that_others_may_change_is_refused(home: Path) -> None:
    path = home / "ibm-credentials.env"
    path.write_text(f"S_APIKEY={KEY}")
    path.chmod(0o666)
    assert refused("ibm-credentials:s", {}) == (
        ConfigurationError,
        f"the credentials file {path} can be changed by other users",
        f"chmod go-w {path}",
    )


def test_a_credentials_file_that_is_no_text(home: Path) -> None:
    (home / "ibm-credentials.env").write_bytes(b"\xff\xfe")
    assert refused("ibm-credentials:s", {})[1].endswith("ibm-credentials.env is not text")


@pytest.mark.parametrize("service", ["a=b", "../x", "é", "a\nb", "x" * 81])
def test_what_can_be_no_service_is_refused(service: str) -> None:
    assert refused(f"ibm-credentials:{service}", {}) == (
        ConfigurationError,
        "what follows ibm-credentials: is not the name of a service",
        "write letters, digits, hyphens and underscores only",
    )


# ---------------------------------------------------------------- the name of a key for the key


@pytest.mark.parametrize("way", ["env", "@", "file", "credentials", "keyring"])
def test_the_name_of_a_user_api_key_is_recognised(way: str, tmp_path: Path, home: Path) -> None:
    name = "cpd-apikey-IBMid-55000XXXX-2025-01-31T10:11:12Z"
    (tmp_path / "key").write_text(name)
    (home / "ibm-credentials.env").write_text(f"S_APIKEY={name}")
    environ = {"MINE": name, "THERE": f"@{tmp_path}/key", **keyring(tmp_path)}
    keyrings.keep("s", name, environ)
    reference, origin = {
        "env": ("env:MINE", "env:MINE"),
        "@": ("env:THERE", f"file:{tmp_path}/key"),
        "file": (f"file:{tmp_path}/key",) * 2,
        "credentials": ("ibm-credentials:s", f"ibm-credentials:s ({home}/ibm-credentials.env)"),
        "keyring": ("keyring:s", "keyring:s"),
    }[way]
    assert refused(reference, environ) == (
        KeyUnavailable,
        f"{origin} holds the name of a user API key, not a key",
        (
            "the key behind that name cannot be seen; create an API key in IBM Cloud, under "
            "Manage > Access (IAM) > API keys, and give that"
        ),
    )


# --------------------------------------------------------------------------------- the keyring


def keyring(folder: Path, kind: type = fake_keyrings.Working) -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "PYTHON_KEYRING_BACKEND": f"fake_keyrings.{kind.__name__}",
        "FAKE_KEYRING": str(folder / "ring"),
    }


def test_a_key_in_the_keyring(tmp_path: Path) -> None:
    environ = keyring(tmp_path)
    assert keyrings.keep("my key", KEY, environ) == keyrings.Answer(keyrings.DONE)
    secret = resolved("keyring:my key", environ)
    assert (secret.reveal(), secret.origin) == (KEY, "keyring:my key")
    assert (tmp_path / "ring").read_text().startswith('{"wxhelper/my key": ')


def test_a_keyring_without_that_key(tmp_path: Path) -> None:
    assert refused("keyring:mine", keyring(tmp_path)) == (
        KeyUnavailable,
        "there is no keyring:mine (service wxhelper, user mine)",
        f"store it: {STORE}",
    )


def test_what_goes_is_gone_and_may_be_gone_already(tmp_path: Path) -> None:
    environ = keyring(tmp_path)
    keyrings.keep("mine", KEY, environ)
    assert [keyrings.drop("mine", environ).state for _ in range(2)] == [
        keyrings.DONE,
        keyrings.NOTHING,
    ]
    assert (tmp_path / "ring").read_text() == "{}"


FILE = f"keep the key in a file: {STORE} --store file"
NONE_SAFE = "there is no keyring here that keeps a key safe"


@pytest.mark.parametrize(
    ("backend", "fault"),
    [
        ("fake_keyrings.Broken", "the keyring failed with PasswordSetError"),
        ("fake_keyrings.Crashing", "the keyring failed"),
        ("fake_keyrings.Forgetful", NONE_SAFE),
        ("keyring.backends.fail.Keyring", NONE_SAFE),
        ("keyring.backends.null.Keyring", NONE_SAFE),
        ("keyring.backends.chainer.ChainerBackend", NONE_SAFE),
        ("no_such_module.Keyring", "the keyring failed with ModuleNotFoundError"),
        ("fake_keyrings.NoSuchClass", "the keyring failed with AttributeError"),
    ],
)
def test_a_keyring_that_keeps_nothing_is_none(tmp_path: Path, backend: str, fault: str) -> None:
    environ = {**keyring(tmp_path), "PYTHON_KEYRING_BACKEND": backend}
    assert keyrings.keep("mine", KEY, environ) == keyrings.Answer(
        keyrings.NONE_WORKS, fault=fault, remedy=FILE
    )


def test_one_that_keeps_plain_text_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "keyrings" / "alt"
    package.mkdir(parents=True)
    (package / "file.py").write_text("from fake_keyrings import Working as PlaintextKeyring\n")
    text = (
        "import fake_keyrings\nclass PlaintextKeyring(fake_keyrings.Working):\n    priority = 9.0\n"
    )
    (package / "file.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    environ = {**keyring(tmp_path), "PYTHON_KEYRING_BACKEND": "keyrings.alt.file.PlaintextKeyring"}
    assert keyrings.keep("mine", KEY, environ).fault == NONE_SAFE
    assert not (tmp_path / "ring").exists()


def test_one_that_hangs_is_ended_in_time(tmp_path: Path) -> None:
    environ = keyring(tmp_path, fake_keyrings.Hanging)
    assert keyrings.get("mine", environ, 0.5) == keyrings.Answer(
        keyrings.NONE_WORKS,
        fault="the keyring did not answer within 0.5 seconds",
        remedy=f"unlock it, or {FILE}",
    )


def test_without_the_library_the_extra_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "keyring.py").write_text("raise ImportError\n")
    monkeypatch.setattr("sys.path", [str(tmp_path)])
    monkeypatch.setattr("sys.executable", BARE)
    assert refused("keyring:mine", keyring(tmp_path)) == (
        KeyUnavailable,
        "keyring:mine cannot be had: the keyring library is not installed",
        f"install wxhelper-core[keyring], or {FILE}",
    )


def test_it_sees_no_key_of_ours(tmp_path: Path) -> None:
    environ = {**keyring(tmp_path), "IBMCLOUD_API_KEY": "canary", "WXHELPER_CONFIG": "x"}
    (tmp_path / "looking_keyring.py").write_text(
        "import os\nfrom pathlib import Path\nfrom fake_keyrings import Working\n"
        "class Looking(Working):\n"
        "    def get_password(self, service, username):\n"
        "        return ' '.join(sorted(os.environ))\n"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        environ["PYTHON_KEYRING_BACKEND"] = "looking_keyring.Looking"
        seen = keyrings.get("mine", environ).value.split()
    assert {"IBMCLOUD_API_KEY", "WXHELPER_CONFIG"} & set(seen) == set()
    assert "FAKE_KEYRING" in seen


def test_a_key_too_long_for_a_pipe_is_no_hang(tmp_path: Path) -> None:
    assert keyrings.keep("mine", "k" * 200_000, keyring(tmp_path)).state == keyrings.NONE_WORKS
