"""Floor 3: where login keeps keys."""

import os
import stat
from pathlib import Path

import pytest

from wxhelper import keyrings
from wxhelper.errors import ConfigurationError
from wxhelper.keystore import FILE, KEYRING, Keystore

KEY = "k3y-that-opens-nothing"


def environ(folder: Path, backend: str = "Working") -> dict[str, str]:
    return {
        "PATH": "/usr/bin:/bin",
        "PYTHON_KEYRING_BACKEND": f"fake_keyrings.{backend}",
        "FAKE_KEYRING": str(folder / "ring"),
    }


def store(config: Path, profile: str = "dev", backend: str = "Working") -> Keystore:
    return Keystore(profile, str(config), environ(config.parent, backend))


def test_the_keyring_comes_first(config: Path) -> None:
    stored = store(config).keep(KEY, None)
    assert (stored.reference, stored.fault) == ("keyring:dev", "")
    assert stored.place == "the system's keyring (service wxhelper, user dev)"
    assert keyrings.get("dev", environ(config.parent)).value == KEY
    assert not (config.parent / "keys").exists()


def test_where_none_works_it_is_a_private_file(config: Path) -> None:
    before = os.umask(0)
    try:
        stored = store(config, backend="Broken").keep(KEY, None)
    finally:
        os.umask(before)
    path = config.parent / "keys" / "dev"
    assert stored.reference == "file:keys/dev"
    assert stored.fault == "the keyring failed with PasswordSetError"
    assert path.read_text() == f"{KEY}\n"
    assert [stat.S_IMODE(p.stat().st_mode) for p in (path, path.parent)] == [0o600, 0o700]


def test_the_file_can_be_chosen(config: Path) -> None:
    assert store(config).keep(KEY, FILE).reference == "file:keys/dev"
    assert not (config.parent / "ring").exists()


def test_the_keyring_can_be_insisted_on(config: Path) -> None:
    with pytest.raises(ConfigurationError) as caught:
        store(config, backend="Broken").keep(KEY, KEYRING)
    assert caught.value.message == (
        "the key cannot be stored in the keyring: the keyring failed with PasswordSetError"
    )
    assert not (config.parent / "keys").exists()


@pytest.mark.parametrize("where", [KEYRING, FILE])
def test_what_was_stored_is_known_and_goes(config: Path, where: str) -> None:
    one = store(config)
    reference = one.keep(KEY, where).reference
    assert one.kind_of(reference) == where
    assert KEY not in one.drop(reference)
    assert one.drop(reference) == ""
    left = [p for p in config.parent.rglob("*") if p.is_file() and KEY in p.read_text()]
    assert left == []


@pytest.mark.parametrize(
    "reference",
    ["", "env:A", "file:key", "file:keys/dev2", "file:keys", "keyring:other",
     "command:cat keys/dev", "file:~/keys/dev", "keys/dev"],
)  # fmt: skip
def test_what_the_user_wrote_is_not_ours(config: Path, reference: str) -> None:
    assert store(config).kind_of(reference) is None


def test_the_same_file_by_another_spelling_is_ours(config: Path) -> None:
    for spelled in ("keys/dev", "./keys/dev", f"{config.parent}/keys/dev"):
        assert store(config).kind_of(f"file:{spelled}") == FILE


def test_two_configurations_do_not_share_a_key(tmp_path: Path) -> None:
    configs = [tmp_path / "config.toml", tmp_path / "other.toml"]
    stores = [
        Keystore("dev", str(c), {**environ(tmp_path), "WXHELPER_CONFIG": str(c)}) for c in configs
    ]
    for where in (FILE, KEYRING):
        assert len({one.keep(KEY, where).reference for one in stores}) == 2


@pytest.mark.parametrize("profile", [".", "..", ".hidden", "a.b", "x" * 64, "-"])
def test_every_name_of_a_profile_can_be_a_file(config: Path, profile: str) -> None:
    one = store(config, profile)
    one.keep(KEY, FILE)
    assert Path(one.path).read_text() == f"{KEY}\n"
    assert Path(one.path).parent == config.parent / "keys"


def test_a_directory_that_others_can_look_into_is_closed(config: Path) -> None:
    (config.parent / "keys").mkdir(mode=0o755)
    store(config).keep(KEY, FILE)
    assert stat.S_IMODE((config.parent / "keys").stat().st_mode) == 0o700


def test_a_link_in_its_place_is_not_followed(config: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (config.parent / "keys").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ConfigurationError, match="the key cannot be stored in "):
        store(config).keep(KEY, FILE)
    assert list((tmp_path / "elsewhere").iterdir()) == []


def test_a_link_in_the_keys_place_is_replaced_and_what_it_names_stays(config: Path) -> None:
    (config.parent / "keys").mkdir()
    mine = config.parent / "mine"
    mine.write_text("mine")
    (config.parent / "keys" / "dev").symlink_to(mine)
    store(config).keep(KEY, FILE)
    assert mine.read_text() == "mine"
    assert (config.parent / "keys" / "dev").read_text() == f"{KEY}\n"


@pytest.mark.parametrize("doing", ["keep", "drop"])
def test_what_a_killed_login_left_goes_with_the_next(config: Path, doing: str) -> None:
    one = store(config)
    one.keep(KEY, FILE)
    left = config.parent / "keys" / ".dev.0123456789ab.tmp"
    others = config.parent / "keys" / ".dev2.0123456789ab.tmp"
    left.write_text(KEY)
    others.write_text("other")
    one.keep(KEY, FILE) if doing == "keep" else one.drop("file:keys/dev")
    assert (left.exists(), others.exists()) == (False, True)
