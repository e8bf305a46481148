"""Floor 5: a profile's source at work: its settings, its key, its token."""

import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from wxhelper import source
from wxhelper.errors import (
    AnswerNotUnderstood,
    ConfigurationError,
    Ended,
    KeyRefused,
    KeyUnavailable,
    PluginBroken,
    WxhelperError,
)
from wxhelper.lookups import Lookups
from wxhelper.plugin import Secret, Setting, SourceContext, Token, TokenSourceType
from wxhelper.profiles import Profile

KEY = "k3y-that-opens-nothing"
NOW = 1_763_712_000.0
MODE = Setting(name="mode", help="how it is asked", choices=("fast", "slow"), default="fast")
REGION = Setting(name="region", help="the region, like eu-de", required=True)
SHAPED = Setting(
    name="region",
    help="the region, like eu-de",
    required=True,
    unless="url",
    pattern=r"[a-z]{2}-[a-z]+",
)
OWN_URL = Setting(name="url", help="the address of the cluster", required=True)


def a_kind(
    *settings: Setting, variables: tuple[str, ...] = (), opened: object = None
) -> TokenSourceType:
    return TokenSourceType(
        name="mine",
        summary="Mine",
        token_hosts=lambda settings: frozenset({"tokens.example.com"}),
        audience=lambda settings: frozenset(),
        open=opened,  # type: ignore[arg-type]
        settings=settings,
        api_key_variables=variables,
    )


def a_profile(
    settings: dict[str, object] | None = None, *, api_key: str | None = "env:A", config: str = "/c"
) -> Profile:
    return Profile("dev", "mine", api_key, None, settings or {}, config, True, api_key is None)


def refused(call: Callable[[], object]) -> tuple[type, str, str]:
    with pytest.raises(WxhelperError) as caught:
        call()
    return type(caught.value), caught.value.message, caught.value.remedy


# --------------------------------------------------------------------------------- settings


@pytest.mark.parametrize(
    ("known", "given", "settings"),
    [
        ((), {}, {}),
        ((), {"url": "https://x", "ca_file": "ca.pem"}, {"url": "https://x", "ca_file": "ca.pem"}),
        ((MODE,), {}, {"mode": "fast"}),
        ((MODE,), {"mode": "slow"}, {"mode": "slow"}),
        ((REGION,), {"region": "eu-de"}, {"region": "eu-de"}),
        ((Setting(name="free", help="x"),), {}, {}),
        ((SHAPED,), {"region": "eu-de"}, {"region": "eu-de"}),
        ((SHAPED,), {"url": "https://x"}, {"url": "https://x"}),
        ((OWN_URL,), {"url": "https://x"}, {"url": "https://x"}),
    ],
    ids=["none", "common ones", "default", "choice", "required", "optional", "shape",
         "not needed", "common one replaced"],
)  # fmt: skip
def test_settings(
    known: tuple[Setting, ...], given: dict[str, object], settings: dict[str, str]
) -> None:
    assert source.settings_of(a_kind(*known), a_profile(given), Lookups({})) == settings


@pytest.mark.parametrize(
    ("known", "given", "message", "remedy"),
    [
        ((), {"ulr": "x"}, "/c: unknown key profiles.dev.ulr", "did you mean url?"),
        ((), {"apikey": "x"}, "/c: unknown key profiles.dev.apikey", "did you mean api_key?"),
        (
            (REGION,),
            {"zzz": 1},
            "/c: unknown key profiles.dev.zzz",
            "known here: source, api_key, hosts, login, url, ca_file, region",
        ),
        (
            (),
            {"url": 1},
            "/c: profiles.dev.url must be a string",
            'write url = "..."',
        ),
        (
            (),
            {"url": ["https://x"]},
            "/c: profiles.dev.url must be a string",
            'write url = "..."',
        ),
        ((REGION,), {}, "profiles.dev.region is missing", "it is the region, like eu-de"),
        ((SHAPED,), {}, "profiles.dev.region is missing", "it is the region, like eu-de"),
        ((OWN_URL,), {}, "profiles.dev.url is missing", "it is the address of the cluster"),
        (
            (SHAPED,),
            {"region": "eu_de"},
            "profiles.dev.region cannot be eu_de",
            "it is the region, like eu-de",
        ),
        (
            (SHAPED,),
            {"region": "eu-de\n"},
            "profiles.dev.region cannot be eu-de",
            "it is the region, like eu-de",
        ),
        (
            (),
            {"url": ""},
            "profiles.dev.url is empty",
            "it is the token service's address, with or without its path",
        ),
        ((MODE,), {"mode": ""}, "profiles.dev.mode is empty", "it is how it is asked"),
        (
            (MODE,),
            {"mode": "Fast\n"},
            "profiles.dev.mode cannot be Fast",
            "choose one of fast, slow",
        ),
    ],
    ids=["slip", "slip of ours", "nothing like it", "number", "list", "missing",
         "missing without a url", "missing common one", "no shape", "nearly a shape", "empty",
         "empty choice", "no choice"],
)  # fmt: skip
def test_a_setting_that_is_wrong_is_told_with_its_place(
    known: tuple[Setting, ...], given: dict[str, object], message: str, remedy: str
) -> None:
    profile = a_profile(given)
    assert refused(lambda: source.settings_of(a_kind(*known), profile, Lookups({}))) == (
        ConfigurationError,
        message,
        remedy,
    )


def test_without_a_configuration_settings_are_variables() -> None:
    lookups = Lookups({"WXHELPER_URL": "https://x", "WXHELPER_MODE": "slow", "WXHELPER_X": "y"})
    profile = a_profile(api_key=None)
    assert source.settings_of(a_kind(MODE), profile, lookups) == {
        "url": "https://x",
        "mode": "slow",
    }
    names = [name for name, _ in lookups.basis("5a17", "1d").variables]
    assert names == ["WXHELPER_CA_FILE", "WXHELPER_MODE", "WXHELPER_URL"]


def test_with_a_configuration_variables_are_no_settings() -> None:
    lookups = Lookups({"WXHELPER_URL": "https://x"})
    assert source.settings_of(a_kind(), a_profile(), lookups) == {}


@pytest.mark.parametrize(
    ("known", "environ", "message"),
    [
        (MODE, {"WXHELPER_MODE": "no"}, "the variable WXHELPER_MODE cannot be no"),
        (REGION, {"WXHELPER_REGION": ""}, "the variable WXHELPER_REGION is missing"),
    ],
)
def test_a_variable_that_is_wrong_is_told_by_its_name(
    known: Setting, environ: dict[str, str], message: str
) -> None:
    profile = a_profile(api_key=None)
    told = refused(lambda: source.settings_of(a_kind(known), profile, Lookups(environ)))
    assert told[:2] == (ConfigurationError, message)


# -------------------------------------------------------------------------------------- key

VARIABLES = ("FIRST_KEY", "SECOND_KEY")


def key_of(profile: Profile, **environ: str) -> Secret:
    return source.secret_of(a_kind(variables=VARIABLES), profile, Lookups(environ), deadline=9.0)


@pytest.mark.parametrize(
    ("environ", "origin"),
    [
        ({"WXHELPER_API_KEY": KEY, "FIRST_KEY": "x", "SECOND_KEY": "y"}, "env:WXHELPER_API_KEY"),
        ({"FIRST_KEY": KEY, "SECOND_KEY": "y"}, "env:FIRST_KEY"),
        ({"SECOND_KEY": KEY}, "env:SECOND_KEY"),
        ({"WXHELPER_API_KEY": "", "FIRST_KEY": "", "SECOND_KEY": KEY}, "env:SECOND_KEY"),
    ],
    ids=["ours", "the first", "the second", "empty ones are none"],
)
def test_without_a_configuration_the_first_variable_that_is_set_counts(
    environ: dict[str, str], origin: str
) -> None:
    secret = key_of(a_profile(api_key=None), **environ)
    assert (secret.reveal(), secret.origin) == (KEY, origin)


def test_all_of_them_are_on_record_so_that_a_stronger_one_is_noticed() -> None:
    lookups = Lookups({"SECOND_KEY": KEY})
    source.secret_of(a_kind(variables=VARIABLES), a_profile(api_key=None), lookups, deadline=9.0)
    names = [name for name, _ in lookups.basis("5a17", "1d").variables]
    assert names == ["FIRST_KEY", "SECOND_KEY", "WXHELPER_API_KEY"]


def test_the_reference_of_a_profile_is_not_helped_by_variables() -> None:
    environ = {"WXHELPER_API_KEY": "x", "FIRST_KEY": "y"}
    assert key_of(a_profile(api_key="env:A"), A=KEY, **environ).reveal() == KEY
    told = refused(lambda: key_of(a_profile(api_key="env:A"), **environ))
    assert told == (
        KeyUnavailable,
        "the variable A is not set",
        "export A=YOUR_API_KEY, or store one: wxhelper login {profile}",
    )


def test_a_reference_is_told_with_its_place() -> None:
    told = refused(lambda: key_of(a_profile(api_key=KEY)))
    assert told[1].startswith("profiles.dev.api_key is not a reference to a key ")
    assert KEY not in "".join(map(str, told))


@pytest.mark.parametrize(
    ("exists", "state"), [(False, "does not exist"), (True, "has no profiles")]
)
def test_without_any_key_all_places_are_told(tmp_path: Path, exists: bool, state: str) -> None:
    config = tmp_path / "config.toml"
    if exists:
        config.touch()
    profile = a_profile(api_key=None, config=str(config))
    assert refused(lambda: key_of(profile)) == (
        KeyUnavailable,
        (
            f"there is no API key: {config} {state}, "
            "and none of WXHELPER_API_KEY, FIRST_KEY, SECOND_KEY is set"
        ),
        "store one: wxhelper login; or export FIRST_KEY=YOUR_API_KEY",
    )


# ------------------------------------------------------------------------------------ token


class Fake:
    """A source that does what it is told to."""

    def __init__(self, does: Callable[[SourceContext], object]) -> None:
        self.does = does
        self.given: list[SourceContext] = []

    def __call__(self, context: SourceContext) -> "Fake":
        self.given.append(context)
        return self

    def fetch(self) -> object:
        return self.does(self.given[-1])


def a_token(value: str = "a-good-token", *, scheme: str = "Bearer", life: float = 3600) -> Token:
    return Token.minted(scheme, value, minted_at=NOW, life=life, chance=0.5)


NO_TOKEN = "returned something that cannot be a token"


class Odd(Token):
    """A token that may have ideas of its own."""

    def __init__(self, value: str) -> None:
        super().__init__("Bearer", value, minted_at=NOW, refresh_at=None, expires_at=None)


def fetched(fake: object, config: str = "/c", **settings: str) -> Token:
    return source.fetch(
        a_kind(opened=fake),
        settings,
        Secret(KEY, "env:A"),
        source.Conditions(config=config, deadline=9.0, environ={}, clock=lambda: NOW),
    )


def test_a_source_is_handed_everything() -> None:
    fake = Fake(lambda context: a_token())
    assert fetched(fake, mode="fast").value == "a-good-token"
    (context,) = fake.given
    assert (dict(context.settings), context.secret.reveal()) == ({"mode": "fast"}, KEY)
    assert (context.clock(), context.logger) == (NOW, logging.getLogger("wxhelper.mine"))
    assert 0 <= context.chance() <= 1


def test_a_long_lived_token_is_taken() -> None:
    token = Token("ZenApiKey", "a-good-token", minted_at=NOW, refresh_at=None, expires_at=None)
    assert fetched(Fake(lambda context: token)) is token


@pytest.mark.parametrize(
    ("token", "fault"),
    [
        (None, "returned something that cannot be a token"),
        ("a-good-token", "returned something that cannot be a token"),
        (a_token("short"), "returned something that cannot be a token"),
        (a_token("a-good-token\n"), "returned something that cannot be a token"),
        (a_token('a"b"c"d"e'), "returned something that cannot be a token"),
        (a_token(scheme="Bea rer"), "returned something that cannot be a token"),
        (a_token(scheme="Bearer\n"), "returned something that cannot be a token"),
        (a_token(scheme=""), "returned something that cannot be a token"),
        (Odd("a-good-token"), NO_TOKEN),
        (Token("Bearer", "a-good-token", minted_at=NOW, refresh_at=None, expires_at=5), NO_TOKEN),
        (Token("Bearer", "a-good-token", minted_at=NOW, refresh_at=-2, expires_at=-1), NO_TOKEN),
        (a_token(life=-5), "returned a token that is dead already"),
        (a_token(life=0), "returned a token that is dead already"),
    ],
    ids=["none", "text", "short", "newline", "quotes", "space in scheme", "newline in scheme",
         "no scheme", "subclass", "half a life", "before the epoch",
         "past", "no life"],
)  # fmt: skip
def test_what_cannot_be_handed_out_is_not_taken(token: object, fault: str) -> None:
    assert refused(lambda: fetched(Fake(lambda context: token))) == (
        AnswerNotUnderstood,
        f"the plugin of source mine {fault}",
        "upgrade it, or report it to its authors",
    )


@pytest.mark.parametrize(
    "fault", [KeyRefused("no", remedy="x"), AnswerNotUnderstood("what"), ConfigurationError("bad")]
)
def test_an_error_of_ours_goes_through(fault: WxhelperError) -> None:
    def fail(context: SourceContext) -> object:
        raise fault

    with pytest.raises(type(fault)) as caught:
        fetched(Fake(fail))
    assert caught.value is fault


@pytest.mark.parametrize("kind", [ValueError, KeyError, SystemExit, GeneratorExit, OSError])
def test_a_plugin_that_fails_in_its_own_way_is_told_by_type_and_place_alone(
    kind: type[BaseException],
) -> None:
    def fail(context: SourceContext) -> object:
        raise kind(context.secret.reveal())

    line = fail.__code__.co_firstlineno + 1
    with pytest.raises(PluginBroken) as caught:
        fetched(Fake(fail))
    assert (caught.value.message, caught.value.remedy) == (
        f"the plugin of source mine failed with {kind.__name__} at test_source.py:{line}",
        "upgrade it, or report it to its authors",
    )
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("ending", [KeyboardInterrupt(), Ended(143)], ids=["ctrl-c", "signal"])
def test_a_plugin_can_be_ended(ending: BaseException) -> None:
    def interrupt(context: SourceContext) -> object:
        raise ending

    with pytest.raises(type(ending)):
        fetched(Fake(interrupt))


@pytest.mark.parametrize(
    ("ca_file", "path"),
    [
        ("ca.pem", "{folder}/ca.pem"),
        ("/absolute/ca.pem", "/absolute/ca.pem"),
        ("~/ca.pem", "{home}/ca.pem"),
    ],
)
def test_certificates_are_looked_for_beside_the_configuration(
    tmp_path: Path, ca_file: str, path: str
) -> None:
    path = path.format(folder=tmp_path, home=os.environ["HOME"])
    told = refused(
        lambda: fetched(Fake(lambda context: a_token()), f"{tmp_path}/c.toml", ca_file=ca_file)
    )
    assert told == (
        ConfigurationError,
        f"ca_file names {path}, which cannot be read: No such file or directory",
        "correct or remove ca_file",
    )
