"""``wxhelper login`` as scripts use it, and what becomes of the key."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from logins import UNSAFE, Place, seen
from wxhelper.sandbox import Fault

if TYPE_CHECKING:
    from tests.conftest import Outcome


def ready(place: Place, where: str) -> tuple[int, str, str]:
    return (
        0,
        (
            f"the key works, and is in {where}\n"
            f"profile dev, source ibmcloud, the default one: {place.config}\n"
            "try it: wxhelper token\n"
        ),
        "",
    )


def test_a_key_from_standard_input(place: Place) -> None:
    path = f"{place.folder}/keys/dev"
    assert seen(place.login()) == ready(place, f"the private file {path}{UNSAFE}")
    assert place.config.read_text() == (
        'default_profile = "dev"\n\n[profiles.dev]\nsource = "ibmcloud"\n'
        f'api_key = "file:keys/dev"\nurl = "{place.sandbox.http_url}"\n'
    )
    assert place.works()


@pytest.mark.parametrize("form", ["{}", "{}\n", "{}\r\n", '{{"name": "x", "apikey": "{}"}}\n'])
def test_what_a_key_comes_in(place: Place, form: str) -> None:
    assert place.login(key=form.format(place.sandbox.api_key)).status == 0
    assert (place.folder / "keys" / "dev").read_text() == f"{place.sandbox.api_key}\n"


def test_a_key_from_a_file(place: Place, tmp_path: Path) -> None:
    (tmp_path / "home.json").write_text(f'{{"apikey": "{place.sandbox.api_key}"}}')
    url = ("--url", place.sandbox.http_url)
    assert place.wx("login", "dev", *url, "--api-key", f"@{tmp_path}/home.json").status == 0
    assert place.works()


def test_a_working_keyring_gets_the_key_and_no_file_does(place: Place) -> None:
    place.keyring("fake_keyrings.Working")
    entry = place.login().out.partition("user ")[2].partition(")")[0]
    assert entry.startswith("dev@")  # of this configuration alone
    assert f'api_key = "keyring:{entry}"' in place.config.read_text()
    assert place.files == {"config.toml"}
    assert place.sandbox.api_key in place.ring.read_text()
    assert place.works()


@pytest.mark.parametrize("changes", [{}, {"FAKE_KEYRING_HANGS_AT_IMPORT": "1"}])
def test_a_hanging_keyring_costs_three_seconds_and_leaves_no_process(
    place: Place, changes: dict[str, str]
) -> None:
    place.keyring("fake_keyrings.Hanging")
    place.wx.environ |= changes
    why = " (the keyring did not answer within 3 seconds)"
    path = f"{place.folder}/keys/dev"
    assert seen(place.login()) == ready(place, f"the private file {path}{why}")
    if not changes:
        waiting = int(Path(f"{place.ring}.pid").read_text())
        assert not Path(f"/proc/{waiting}").exists()
    assert place.works()


@pytest.mark.parametrize(
    ("backend", "why"),
    [
        ("Broken", " (the keyring failed with PasswordSetError)"),
        ("Crashing", " (the keyring failed)"),
        ("Forgetful", UNSAFE),
    ],
)
def test_a_broken_keyring_does_not_stop_a_login(place: Place, backend: str, why: str) -> None:
    place.keyring(f"fake_keyrings.{backend}")
    path = f"{place.folder}/keys/dev"
    assert seen(place.login()) == ready(place, f"the private file {path}{why}")


def test_the_key_moves_and_the_old_place_is_emptied(place: Place) -> None:
    place.keyring("fake_keyrings.Working")
    assert place.login("--store", "file").status == 0
    assert place.files == {"config.toml", "keys/dev"}
    assert place.login().status == 0
    assert place.files == {"config.toml"}
    assert place.login("--store", "file").status == 0
    assert place.ring.read_text() == "{}"


# ------------------------------------------------------------------------ nothing is stored

REFUSED: list[tuple[str, Callable[[Place], "Outcome"], int, str]] = [
    (
        "a key that nobody knows",
        lambda place: place.login(key="no-such-key"),
        4,
        (
            "IBM Cloud IAM refused the API key from standard input: BXNIM0415E Provided API key "
            "could "
            "not be found (nothing was stored); copy the key once more, or take another: "
            "wxhelper login dev"
        ),
    ),
    (
        "an address where nobody is",
        lambda place: place.login("--url", "http://127.0.0.1:1"),
        3,
        (
            "127.0.0.1:1 cannot be reached: Connection refused (nothing was stored); check --url, "
            "the network and the proxy"
        ),
    ),
    (
        "a setting that is none",
        lambda place: place.login("--region", "us-south"),
        2,
        (
            "login: unknown option --region; source ibmcloud takes --url, --ca-file, "
            "--trusted-profile, --account; see: wxhelper login --help"
        ),
    ),
    (
        "a setting without a value",
        lambda place: place.login("--region", "--default"),
        2,
        "login: the option --region needs a value; see: wxhelper login --help",
    ),
    (
        "a setting twice",
        lambda place: place.login("--region", "a", "--region=b"),
        2,
        "login: the option --region is given twice; see: wxhelper login --help",
    ),
    (
        "a source that is not installed",
        lambda place: place.login("--source", "vault"),
        5,
        "no installed plugin offers source vault; install its plugin; installed are: ibmcloud",
    ),
    (
        "a key on the command line",
        lambda place: place.wx("login", "dev", "--api-key", place.sandbox.api_key),
        2,
        (
            "login: --api-key takes @FILE, and never the key itself; what was typed is in the "
            "shell's "
            "history now: if it is a key, replace it, and give the new one at the prompt or with "
            "--api-key-stdin"
        ),
    ),
    (
        "a key for a name",
        lambda place: place.wx("login", place.sandbox.api_key, "--api-key-stdin"),
        2,
        (
            "login: what is given for a profile's name looks like a key; if it is one, it is in "
            "the "
            "shell's history now: replace it, and give the new one at the prompt or with "
            "--api-key-stdin"
        ),
    ),
    (
        "nothing at all",
        lambda place: place.login(key="\n"),
        5,
        "standard input is empty; put the API key there",
    ),
    (
        "far too much",
        lambda place: place.login(key="k" * 9000),
        5,
        "what standard input holds is too long for a key; give the key alone",
    ),
    (
        "a file that is not there",
        lambda place: place.wx("login", "dev", "--api-key", "@/no/such/file"),
        5,
        "there is no file /no/such/file; correct the path after the @",
    ),
    (
        "two keys",
        lambda place: place.login("--api-key", "@/key"),
        2,
        "login: --api-key and --api-key-stdin are two keys; give one",
    ),
    (
        "two profiles",
        lambda place: place.login("--profile", "other"),
        2,
        "login: two profiles are named; name one",
    ),
]


@pytest.mark.parametrize(
    ("login", "status", "line"),
    [row[1:] for row in REFUSED],
    ids=[row[0] for row in REFUSED],
)
def test_what_goes_wrong_is_told_and_nothing_is_stored(
    place: Place, login: Callable[[Place], "Outcome"], status: int, line: str
) -> None:
    place.keyring("fake_keyrings.Working")
    assert seen(login(place)) == (status, "", f"wxhelper: {line}\n")
    assert not place.folder.exists()
    assert not place.ring.exists()


@pytest.mark.parametrize("where", ["file", "keyring"])
def test_a_configuration_that_cannot_be_written_leaves_no_key_behind(
    place: Place, where: str, tmp_path: Path
) -> None:
    place.keyring("fake_keyrings.Working")
    place.folder.mkdir(mode=0o700)
    place.config.symlink_to("/proc/sys/wxhelper.toml")  # where nobody can make a file
    done = place.login("--store", where)
    assert (done.status, done.out) == (5, "")
    assert "cannot be changed" in done.err
    assert place.files == set()
    assert not place.ring.exists() or place.ring.read_text() == "{}"


# --------------------------------------------------------------------------------- login again


def test_login_again_replaces_the_key_and_the_token_and_keeps_the_rest(place: Place) -> None:
    place.login()
    text = place.config.read_text() + "# mine\n"
    place.config.write_text(text)
    assert place.works()
    before = len(place.sandbox.requests)
    place.sandbox.keys["another-key"] = place.sandbox.keys[place.sandbox.api_key]
    assert place.wx("login", "--profile", "dev", "--api-key-stdin", stdin="another-key").status == 0
    assert place.config.read_text() == text
    assert (place.folder / "keys" / "dev").read_text() == "another-key\n"
    assert place.works()
    assert len(place.sandbox.requests) - before == 2  # the trial, and the token


def test_a_refused_key_is_forgotten_with_a_login(place: Place) -> None:
    place.login()
    (place.folder / "keys" / "dev").write_text("no-such-key\n")
    assert place.wx("token").status == 4
    assert place.login().status == 0
    assert place.works()


def test_a_key_that_is_kept_elsewhere_is_left_there(place: Place, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.write_text("no-such-key")
    place.folder.mkdir(mode=0o700)
    place.config.write_text(
        f"[profiles.dev]\nsource = 'ibmcloud'\nurl = '{place.sandbox.http_url}'\n"
        f"api_key = 'file:{mine}'\nhosts = ['a.example.com']\n"
    )
    assert place.wx("login", "dev", "--api-key-stdin", stdin=place.sandbox.api_key).status == 0
    assert mine.read_text() == "no-such-key"
    assert "api_key = \"file:keys/dev\"\nhosts = ['a.example.com']" in place.config.read_text()
    assert place.works()


def test_two_logins_at_once_are_both_good(place: Place) -> None:
    done: list[Outcome] = []

    def one(name: str) -> None:
        given = ["--url", place.sandbox.http_url, "--api-key-stdin"]
        done.append(place.wx("login", name, *given, stdin=place.sandbox.api_key))

    threads = [threading.Thread(target=one, args=(name,)) for name in ("a", "b", "c")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [one.status for one in done] == [0, 0, 0]
    assert place.files == {"config.toml", "keys/a", "keys/b", "keys/c"}
    for name in "abc":
        assert place.wx("token", "--profile", name).status == 0


def test_a_service_that_answers_too_late_stores_nothing(place: Place) -> None:
    place.sandbox.faults.add(Fault(match="iam", drop="before", times=9))
    done = place.login()
    assert (done.status, done.out) == (3, "")
    assert "(nothing was stored)" in done.err
    assert not place.folder.exists()


def test_a_keyring_that_is_insisted_on_must_work(place: Place) -> None:
    assert seen(place.login("--store", "keyring")) == (
        5,
        "",
        (
            "wxhelper: profile dev: the key cannot be stored in the keyring: there is no keyring "
            "here that keeps a key safe; keep the key in a file: "
            "wxhelper login --profile dev --store file\n"
        ),
    )
    assert not place.folder.exists()
