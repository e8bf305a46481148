"""A key that is replaced or revoked, wherever it is kept."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

import pytest

from logins import Place

if TYPE_CHECKING:
    from tests.real.conftest import Ended

Put = Callable[[Place, str], None]


def in_a_file(place: Place, key: str) -> None:
    (place.folder / "key").write_text(key)


def in_a_variable(place: Place, key: str) -> None:
    place.wx.environ["THE_KEY"] = key


def in_a_file_that_a_variable_names(place: Place, key: str) -> None:
    in_a_file(place, key)
    place.wx.environ["THE_KEY"] = f"@{place.folder}/key"


def in_the_credentials_file(place: Place, key: str) -> None:
    path = place.folder / "my.env"
    path.write_text(f"MY_SERVICE_AUTH_TYPE=iam\nMY_SERVICE_APIKEY={key}\n")
    place.wx.environ["IBM_CREDENTIALS_FILE"] = str(path)


def in_the_keyring(place: Place, key: str) -> None:
    place.ring.write_text(json.dumps({"wxhelper/mine": key}))


PLACES: dict[Put, str] = {
    in_a_file: "file:key",
    in_a_variable: "env:THE_KEY",
    in_a_file_that_a_variable_names: "env:THE_KEY",
    in_the_credentials_file: "ibm-credentials:my-service",
    in_the_keyring: "keyring:mine",
}


def configured(place: Place, reference: str) -> None:
    place.keyring("fake_keyrings.Working")
    place.folder.mkdir(mode=0o700)
    place.config.write_text(
        f"[profiles.dev]\nsource = 'ibmcloud'\nurl = '{place.sandbox.http_url}'\n"
        f"api_key = '{reference}'\n"
    )


def asked_with(place: Place) -> list[str]:
    """The keys of the requests so far."""
    bodies = [parse_qs(request.body.decode()) for request in place.sandbox.requests]
    return [body["apikey"][0] for body in bodies]


@pytest.mark.parametrize(("put", "reference"), PLACES.items(), ids=[p.__name__ for p in PLACES])
def test_a_rotated_key_is_picked_up(
    put: Put, reference: str, place: Place, make_due: Callable[[], None]
) -> None:
    configured(place, reference)
    sandbox = place.sandbox
    sandbox.keys["another-key"] = sandbox.keys[sandbox.api_key]
    put(place, sandbox.api_key)
    first = place.wx("token").out
    assert place.wx("token").out == first
    put(place, "another-key")
    if put is in_the_keyring:  # which is asked when a token is due
        assert place.wx("token").out == first
        make_due()
    assert place.wx("token").out != first
    assert asked_with(place) == [sandbox.api_key, "another-key"]


@pytest.mark.parametrize("put", [in_a_file, in_the_keyring], ids=["file", "keyring"])
def test_an_invalidated_token_is_made_with_the_key_that_is_there_now(
    put: Put, place: Place
) -> None:
    configured(place, PLACES[put])
    sandbox = place.sandbox
    sandbox.keys["another-key"] = sandbox.keys[sandbox.api_key]
    put(place, sandbox.api_key)
    place.wx("token")
    put(place, "another-key")
    place.wx("invalidate")
    assert place.works()
    assert asked_with(place) == [sandbox.api_key, "another-key"]


@pytest.mark.parametrize(("put", "reference"), PLACES.items(), ids=[p.__name__ for p in PLACES])
def test_a_refused_key_is_asked_about_once_and_a_new_one_at_once(
    put: Put, reference: str, place: Place
) -> None:
    configured(place, reference)
    put(place, "revoked-key")
    done = [place.wx("token") for _ in range(4)]
    assert {one.status for one in done} == {4}
    assert len({one.err for one in done}) == 1
    assert asked_with(place) == ["revoked-key"]
    put(place, place.sandbox.api_key)
    assert place.works()


REPLACE = "if the key was mended instead, run: wxhelper invalidate --profile dev"


@pytest.mark.parametrize(
    ("put", "origin", "remedy"),
    [
        (in_a_file, "file:{folder}/key", "replace it: wxhelper login --profile dev"),
        (
            in_a_variable,
            "env:THE_KEY",
            "export THE_KEY=ANOTHER_KEY, or store one: wxhelper login --profile dev",
        ),
        (
            in_a_file_that_a_variable_names,
            "file:{folder}/key",
            "replace it: wxhelper login --profile dev",
        ),
        (
            in_the_credentials_file,
            "ibm-credentials:my-service ({folder}/my.env)",
            "put another key there, or store one: wxhelper login --profile dev",
        ),
        (in_the_keyring, "keyring:mine", "replace it: wxhelper login --profile dev"),
    ],
    ids=[p.__name__ for p in PLACES],
)
def test_a_refusal_tells_where_the_key_is_and_how_it_is_replaced(
    put: Put, origin: str, remedy: str, place: Place
) -> None:
    configured(place, PLACES[put])
    put(place, "revoked-key")
    done = place.wx("token")
    assert (done.status, done.out, done.err) == (
        4,
        "",
        (
            "wxhelper: profile dev: IBM Cloud IAM refused the API key from "
            f"{origin.format(folder=place.folder)}: BXNIM0415E Provided API key could not be "
            f"found; {remedy}; {REPLACE}\n"
        ),
    )


def test_what_the_refusal_says_to_type_works(place: Place) -> None:
    configured(place, "file:key")
    in_a_file(place, "revoked-key")
    assert "wxhelper login --profile dev;" in place.wx("token").err
    done = place.wx("login", "--profile", "dev", "--api-key-stdin", stdin=place.sandbox.api_key)
    assert done.status == 0
    assert place.works()
    assert (place.folder / "key").read_text() == "revoked-key"


@pytest.mark.parametrize(
    ("put", "count"), [(in_a_file, 30), (in_the_keyring, 5)], ids=["file", "keyring"]
)
def test_all_at_once_with_a_revoked_key_ask_once(
    put: Put, count: int, place: Place, at_once: "Callable[..., list[Ended]]"
) -> None:
    configured(place, PLACES[put])
    put(place, "revoked-key")
    ended = at_once(count, "token") + at_once(count, "header")
    assert {status for status, _, _ in ended} == {4}
    assert asked_with(place) == ["revoked-key"]


def test_a_keyring_that_hangs_does_not_spoil_a_token_that_is_good(
    place: Place, make_due: Callable[[], None]
) -> None:
    configured(place, "keyring:mine")
    in_the_keyring(place, place.sandbox.api_key)
    first = place.wx("token").out
    make_due()
    place.keyring("fake_keyrings.Hanging")
    done = place.wx("token")
    assert (done.status, done.out, done.err) == (0, first, "")
    assert not Path(f"/proc/{Path(f'{place.ring}.pid').read_text()}").exists()
