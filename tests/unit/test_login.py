"""Floor 7: what login asks for, and what it makes of the answers."""

import sys
import types
from collections.abc import Callable
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from worlds import Clock, Service
from wxhelper import cli, manager
from wxhelper.cli import login
from wxhelper.plugin import Setting, Token, TokenSourceType, hookimpl

KEY = "k3y-that-opens-nothing"
SETTINGS = {
    "plain": (),
    "rich": (
        Setting(name="region", help="where", required=True, choices=("eu", "us")),
        Setting(name="mode", help="how", default="bearer", choices=("bearer", "basic")),
        Setting(name="username", help="who"),
        Setting(name="rare", help="what", asked=False),
    ),
    "placed": (Setting(name="region", help="eu-1", required=True, unless="url", pattern="eu-."),),
}
HIDDEN = "API key (not shown; @FILE takes it from a file)"
Outcome = tuple[int, str, str]
Login = Callable[..., Outcome]


class Person:
    """Somebody who answers, in this order."""

    def __init__(self, answers: list[str]) -> None:
        self.answers = answers
        self.asked: list[str] = []

    def ask(self, question: str, *, usual: str = "") -> str:
        self.asked.append(f"{question} [{usual}]" if usual else question)
        return self.answers.pop(0) or usual

    def ask_hidden(self, question: str) -> str:
        self.asked.append(question)
        return self.answers.pop(0)

    def close(self) -> None:
        pass


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Service:
    """A service behind two sources, ``plain`` and ``rich``."""
    made = Service(Clock())
    made.life = 10**9
    for name, settings in SETTINGS.items():
        module = types.ModuleType(f"a_{name}_plugin")
        kind = TokenSourceType(
            name=name,
            summary=name,
            token_hosts=lambda settings: frozenset({"tokens.example.com"}),
            audience=lambda settings: frozenset(),
            open=made.open,
            settings=settings,
        )
        module.wxhelper_api = 1  # type: ignore[attr-defined]
        offer = hookimpl(lambda kind=kind: [kind], specname="wxhelper_token_sources")
        module.wxhelper_token_sources = offer  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, f"a_{name}_plugin", module)
    points = [EntryPoint(name, f"a_{name}_plugin", "wxhelper") for name in SETTINGS]
    monkeypatch.setattr(manager, "entry_points", lambda group: points)
    return made


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Person:
    """Nobody is there until there are answers."""
    made = Person([])
    monkeypatch.setattr(login, "terminal", lambda: made if made.answers else None)
    return made


@pytest.fixture
def log_in(
    service: Service,
    person: Person,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> Login:
    for name in ("keep_quiet", "end_in_order"):
        monkeypatch.setattr(login, name, lambda: None)
    monkeypatch.setenv("WXHELPER_CONFIG", str(config))
    monkeypatch.setenv("WXHELPER_CACHE_DIR", str(config.parent / "cache"))

    def run(*arguments: str) -> Outcome:
        status = cli.main(["login", "--store", "file", *arguments])
        return status, *capfd.readouterr()

    return run


@pytest.fixture
def key(config: Path) -> str:
    path = config.parent / "given"
    path.write_text(KEY)
    return f"@{path}"


def test_everything_is_asked_for_with_its_help(
    log_in: Login, person: Person, service: Service, config: Path
) -> None:
    person.answers = ["dev", "poor", "rich", "nowhere", "eu", "", "me", KEY]
    assert log_in()[0] == 0
    region = "region, where (eu, us)"
    assert person.asked == [
        "Profile [default]",
        "Source, one of placed, plain, rich [placed]",
        "Source, one of placed, plain, rich [placed]",
        region,
        region,
        "mode, how (bearer, basic) [bearer]",
        "username, who (empty: none)",
        HIDDEN,
    ]
    assert config.read_text() == (
        'default_profile = "dev"\n\n[profiles.dev]\nsource = "rich"\n'
        'api_key = "file:keys/dev"\nregion = "eu"\nusername = "me"\n'
    )
    assert service.keys == [KEY]


def test_a_setting_without_an_answer_is_told(log_in: Login, person: Person, config: Path) -> None:
    person.answers = ["x", "y", "z"]
    assert log_in("dev", "--source", "rich") == (
        2,
        "",
        "wxhelper: login: region got no answer that it can have; nothing was stored; it is where\n",
    )
    assert not config.exists()


def test_what_cannot_be_is_asked_for_again(log_in: Login, person: Person, config: Path) -> None:
    person.answers = ["mars", "", "eu-1", KEY]
    assert log_in("dev", "--source", "placed")[0] == 0
    assert person.asked == ["region, eu-1"] * 3 + [HIDDEN]
    assert 'region = "eu-1"' in config.read_text()


def test_what_is_not_needed_beside_another_setting_is_not_asked(
    log_in: Login, person: Person, config: Path
) -> None:
    person.answers = [KEY]
    assert log_in("dev", "--source", "placed", "--url", "https://tokens.example.com")[0] == 0
    assert person.asked == [HIDDEN]
    assert "region" not in config.read_text()


def test_what_is_given_by_an_option_is_not_asked(
    log_in: Login, person: Person, config: Path
) -> None:
    person.answers = [KEY]
    given = ("--source=rich", "--region", "us", "--username=", "--mode", "basic")
    assert log_in("dev", *given)[0] == 0
    assert person.asked == [HIDDEN]
    assert 'region = "us"' in config.read_text()
    assert 'mode = "basic"' in config.read_text()


def test_with_the_key_given_nothing_is_asked(
    log_in: Login, person: Person, key: str, config: Path
) -> None:
    person.answers = ["never"]
    assert log_in("dev", "--source", "rich", "--region", "us", "--api-key", key)[0] == 0
    assert person.asked == []
    assert "username" not in config.read_text()


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ("dev",),
            ("login: --source is missing; type: --source with one of placed, plain, rich"),
        ),
        (
            ("dev", "--source", "rich"),
            "login: --region is missing; type: --region VALUE, which is where",
        ),
        (
            ("dev", "--source", "rich", "--username", "a", "--nonsense", "b"),
            (
                "login: unknown option --nonsense; source rich takes --url, --ca-file, --region, "
                "--mode, --username, --rare; see: wxhelper login --help"
            ),
        ),
        (
            ("a b",),
            (
                "login: PROFILE: must have 1 to 64 letters, digits, dots, underscores or hyphens; "
                "see: wxhelper login --help"
            ),
        ),
    ],
)
def test_what_is_missing_is_told_with_the_option(
    log_in: Login, key: str, config: Path, arguments: tuple[str, ...], line: str
) -> None:
    assert log_in(*arguments, "--api-key", key) == (2, "", f"wxhelper: {line}\n")
    assert not config.exists()


def test_a_setting_that_cannot_be_is_told_before_the_key_is_asked_for(
    log_in: Login, person: Person, config: Path
) -> None:
    person.answers = [""]
    status, _, err = log_in("dev", "--source", "rich", "--region", "mars", "--username", "a")
    assert (status, person.answers) == (5, [])
    assert "profiles.dev.region cannot be mars; choose one of eu, us" in err
    assert HIDDEN not in person.asked


def test_another_source_takes_only_the_settings_that_it_knows(
    log_in: Login, key: str, config: Path
) -> None:
    text = (
        "# mine\n[profiles.dev]\nsource = 'rich'\napi_key = 'env:A'\nregion = 'eu'\n"
        "url = 'https://a.example.com'  # here\nhosts = ['b.example.com']\n\n"
        "[profiles.other]\nsource = 'plain'\napi_key = 'env:B'\n"
    )
    config.write_text(text)
    assert log_in("dev", "--source", "plain", "--api-key", key)[0] == 0
    assert config.read_text() == text.replace("'rich'", '"plain"').replace(
        "'env:A'", '"file:keys/dev"'
    ).replace("region = 'eu'\n", "")


def test_a_profile_that_lacks_something_can_be_mended(
    log_in: Login, key: str, config: Path
) -> None:
    config.write_text("[profiles.dev]\nsource = 'plain'\n")
    assert log_in("dev", "--api-key", key)[0] == 0
    assert config.read_text() == "[profiles.dev]\nsource = 'plain'\napi_key = \"file:keys/dev\"\n"


def test_a_key_typed_for_a_name_is_not_repeated(log_in: Login, person: Person) -> None:
    person.answers = ["abc+DEF/123=", KEY]
    status, out, err = log_in()
    assert (status, out) == (2, "")
    assert "abc" not in err


def test_a_key_typed_for_a_source_is_not_repeated(
    log_in: Login, person: Person, config: Path
) -> None:
    person.answers = [KEY] * 3
    assert log_in("dev") == (
        2,
        "",
        (
            "wxhelper: login: source got no answer that it can have; nothing was stored; "
            "it is one of placed, plain, rich\n"
        ),
    )
    assert not config.exists()


def test_a_long_lived_value_is_not_called_tried(log_in: Login, key: str, service: Service) -> None:
    service.next = [
        lambda: Token("ZenApiKey", "abcdefgh", minted_at=0.0, refresh_at=None, expires_at=None)
    ]
    status, out, _ = log_in("dev", "--source", "plain", "--api-key", key)
    assert status == 0
    assert out.startswith(
        "the key was not tried, for no service is asked in this mode; it is in the private file "
    )
    assert out.endswith("try it: wxhelper curl-config URL | curl -K - URL\n")
