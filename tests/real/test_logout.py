"""``wxhelper logout``: what goes, and what stays."""

import os
from pathlib import Path

import pytest

from logins import Place, seen


@pytest.mark.parametrize("where", ["file", "keyring"])
def test_logout_removes_the_key_and_the_tokens(place: Place, where: str) -> None:
    place.keyring("fake_keyrings.Working")
    place.login("--store", where)
    assert place.works()
    text = place.config.read_text()
    done = place.wx("logout", "dev")
    what = f"key file {place.folder}/keys/dev" if where == "file" else "key in the keyring "
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(f"the {what}")
    assert done.out.endswith(" is removed\nits tokens are removed\n")
    assert place.config.read_text() == text
    assert not place.ring.exists() or place.ring.read_text() == "{}"
    cache = Path(place.wx.environ["WXHELPER_CACHE_DIR"])
    assert list(cache.glob("*.token")) == list(cache.glob("*.failure")) == []
    assert not place.works()
    assert place.wx("logout", "dev").status == 0


def test_logout_with_the_profile_may_be_said_twice(place: Place) -> None:
    place.login()
    first, again = (place.wx("logout", "dev", "--remove-profile") for _ in range(2))
    assert seen(first) == (
        0,
        (
            f"the key file {place.folder}/keys/dev is removed\n"
            f"its tokens are removed, and so is the profile: {place.config}\n"
        ),
        "",
    )
    assert seen(again) == (
        0,
        (
            "the key of profile dev is not stored\n"
            f"its tokens are removed; there is no profile dev in {place.config}\n"
        ),
        "",
    )
    assert place.config.read_text().strip() == ""


def test_a_name_that_nothing_is_known_of_is_a_slip(place: Place) -> None:
    place.login()
    slip = place.wx("logout", "dve")
    assert seen(slip) == (
        5,
        "",
        (
            f"wxhelper: there is no profile dve in {place.config}, only dev; "
            "did you mean wxhelper logout dev?\n"
        ),
    )
    assert place.works()


@pytest.mark.parametrize(
    ("reference", "shown"),
    [
        ("env:MY_KEY", "env:MY_KEY"),
        ("file:mine", "file:mine"),
        ("command:pass ibm/dev", "command:pass"),
        ("keyring:theirs", "keyring:theirs"),
        ("pasted-key", "what its api_key says (not shown)"),
    ],
)
def test_logout_leaves_what_is_not_ours(place: Place, reference: str, shown: str) -> None:
    place.folder.mkdir(mode=0o700)
    (place.folder / "mine").write_text("mine")
    place.config.write_text(f"[profiles.dev]\nsource = 'ibmcloud'\napi_key = '{reference}'\n")
    assert seen(place.wx("logout")) == (
        0,
        f"the key of profile dev is left where it is: {shown}\nits tokens are removed\n",
        "",
    )
    assert (place.folder / "mine").read_text() == "mine"


def test_logout_leaves_a_key_that_another_profile_uses(place: Place) -> None:
    place.login()
    with place.config.open("a") as file:
        file.write("\n[profiles.two]\nsource = 'ibmcloud'\napi_key = 'file:keys/dev'\n")
    assert place.wx("logout", "dev").out == (
        "the key of profile dev is left: profile two uses it, too\nits tokens are removed\n"
    )
    assert place.works()


def test_logout_tells_when_the_keyring_keeps_the_key(place: Place) -> None:
    place.keyring("fake_keyrings.Locked")
    place.login()
    Path(f"{place.ring}.locked").touch()
    done = place.wx("logout", "dev")
    assert (done.status, done.out) == (5, "")
    assert "the key is still in the keyring" in done.err
    os.unlink(f"{place.ring}.locked")
    assert place.wx("logout", "dev").status == 0
