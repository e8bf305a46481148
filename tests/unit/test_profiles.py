"""Floor 3: ``config.toml`` and the profile that is meant."""

from pathlib import Path

import pytest

from config_files import DEV, PROD, chosen, refused
from wxhelper import profiles
from wxhelper.errors import UnknownProfile
from wxhelper.lookups import Lookups
from wxhelper.profiles import Profile, choose

# -------------------------------------------------------------------------------- a profile


def test_a_profile_is_all_that_its_table_says(config: Path) -> None:
    config.write_text(
        'default_profile = "dev"\n[profiles.dev]\nsource = "dph"\napi_key = "file:k"\n'
        'hosts = ["a.example.com", "*.b.example.com:8443"]\nurl = "https://x"\nmode = "bearer"\n'
    )
    assert chosen(config) == Profile(
        name="dev",
        source="dph",
        api_key="file:k",
        hosts=("a.example.com", "*.b.example.com:8443"),
        settings={"url": "https://x", "mode": "bearer"},
        config=str(config),
        default=True,
    )


def test_the_least_profile_names_source_and_key(config: Path) -> None:
    config.write_text(DEV)
    assert chosen(config) == Profile("dev", "ibmcloud", "env:A", None, {}, str(config), True)


def test_hosts_are_kept_in_the_one_form_international_names_as_they_stand_in_dns(
    config: Path,
) -> None:
    config.write_text(
        f'{DEV}hosts = ["API.Example.com", "b\u00fccher.example", "*.B\u00dcCHER.example:8443"]\n'
    )
    assert chosen(config).hosts == (
        "api.example.com",
        "xn--bcher-kva.example",
        "*.xn--bcher-kva.example:8443",
    )


@pytest.mark.parametrize("login", ["git", "me@example.com", "ibm%2Fme", "x" * 128])
def test_a_login_is_kept_as_it_is(config: Path, login: str) -> None:
    config.write_text(f'{DEV}login = "{login}"\n')
    assert chosen(config).login == login


def test_a_default_without_profiles_is_a_slip(config: Path) -> None:
    config.write_text('default_profile = "dev"\n')
    with pytest.raises(UnknownProfile) as caught:
        chosen(config)
    assert (caught.value.message, caught.value.remedy) == (
        f"{config} has a default_profile and no profiles",
        "add one, beginning with [profiles.NAME]",
    )


@pytest.mark.parametrize("text", ["", "# nothing\n", "[profiles]\n"])
@pytest.mark.parametrize("named", [None, "env"])
def test_without_profiles_the_variables_are_one(config: Path, text: str, named: str | None) -> None:
    config.write_text(text)
    profile = chosen(config, named, WXHELPER_SOURCE="aws")
    assert profile == Profile("env", "aws", None, None, {}, str(config), True, True)


@pytest.mark.parametrize(
    ("environ", "source"),
    [({}, "ibmcloud"), ({"WXHELPER_SOURCE": ""}, "ibmcloud"), ({"WXHELPER_SOURCE": "dph"}, "dph")],
)
def test_without_a_configuration_the_variables_are_a_profile(
    config: Path, environ: dict[str, str], source: str
) -> None:
    profile = chosen(config, **environ)
    assert (profile.name, profile.source, profile.from_environment) == ("env", source, True)


def test_a_profile_of_the_file_may_be_called_env(config: Path) -> None:
    config.write_text(DEV.replace("dev", "env"))
    assert not chosen(config, WXHELPER_SOURCE="dph").from_environment


@pytest.mark.parametrize(
    ("reference", "volatile"),
    [("command:pass show key", True), ("env:A", False), ("file:command:", False), (None, False)],
)
def test_what_a_command_prints_may_change_unseen(reference: str | None, volatile: bool) -> None:
    assert Profile("dev", "x", reference, None, {}, "/c", True).volatile is volatile


# ------------------------------------------------------------------------------- precedence


@pytest.mark.parametrize(
    ("named", "variable", "default", "tables", "name"),
    [
        ("prod", "dev", "dev", DEV + PROD, "prod"),
        ("prod", None, None, DEV + PROD, "prod"),
        (None, "prod", "dev", DEV + PROD, "prod"),
        (None, "prod", None, DEV + PROD, "prod"),
        (None, "", "dev", DEV + PROD, "dev"),
        (None, None, "prod", DEV + PROD, "prod"),
        (None, None, None, PROD, "prod"),
    ],
    ids=["option", "option alone", "variable", "variable alone", "empty variable", "default",
         "the only one"],
)  # fmt: skip
def test_which_profile_is_meant(
    config: Path,
    named: str | None,
    variable: str | None,
    default: str | None,
    tables: str,
    name: str,
) -> None:
    config.write_text((f'default_profile = "{default}"\n' if default else "") + tables)
    environ = {} if variable is None else {"WXHELPER_PROFILE": variable}
    assert chosen(config, named, **environ).name == name


@pytest.mark.parametrize(
    ("named", "default", "tables", "is_default"),
    [
        (None, None, DEV, True),
        ("dev", None, DEV, True),
        ("dev", "dev", DEV + PROD, True),
        ("prod", "dev", DEV + PROD, False),
        ("dev", None, DEV + PROD, False),
    ],
)
def test_a_profile_knows_whether_it_is_the_default(
    config: Path, named: str | None, default: str | None, tables: str, is_default: bool
) -> None:
    config.write_text((f'default_profile = "{default}"\n' if default else "") + tables)
    assert chosen(config, named).default is is_default


def test_a_slip_in_another_profile_stops_nobody(config: Path) -> None:
    config.write_text('default_profile = "dev"\n' + DEV + "[profiles.broken]\nsource = 7\n")
    assert chosen(config).name == "dev"


def test_the_file_and_the_source_are_looked_at_and_the_variable_of_the_name_is_not(
    config: Path,
) -> None:
    lookups = Lookups({"WXHELPER_PROFILE": "env"})
    choose(None, config=str(config), lookups=lookups)
    basis = lookups.basis("5a17", "1d")
    assert (basis.files, basis.variables) == ([(str(config), "-")], [("WXHELPER_SOURCE", "-")])


# ------------------------------------------------------------------------- no such profile


@pytest.mark.parametrize(
    ("text", "named", "message", "remedy"),
    [
        (
            DEV + PROD,
            None,
            "FILE has several profiles and no default_profile: dev, prod",
            'add default_profile = "dev" to it, or give --profile NAME',
        ),
        (
            DEV + PROD,
            "prdo",
            "there is no profile prdo in FILE, only dev, prod",
            "did you mean --profile prod?",
        ),
        (
            DEV + PROD,
            "xyz",
            "there is no profile xyz in FILE, only dev, prod",
            "name one of them",
        ),
        (
            DEV + PROD,
            "pr",
            "there is no profile pr in FILE, only dev, prod",
            "did you mean --profile prod?",
        ),
        (
            'default_profile = "dve"\n' + DEV + PROD,
            None,
            "FILE: default_profile names dve, and there is only dev, prod",
            'write default_profile = "dev"',
        ),
        (
            "",
            "dev",
            "there is no profile dev: FILE has no profiles",
            "write [profiles.dev] into it; an example is in: wxhelper --help",
        ),
        (
            None,
            "dev",
            "there is no profile dev: FILE does not exist",
            "write [profiles.dev] into it; an example is in: wxhelper --help",
        ),
    ],
    ids=[
        "none to choose",
        "a slip",
        "nothing like it",
        "its beginning",
        "default is a slip",
        "empty",
        "no file",
    ],
)
def test_a_profile_that_there_is_not_is_told_with_what_there_is(
    config: Path, text: str | None, named: str | None, message: str, remedy: str
) -> None:
    if text is not None:
        config.write_text(text)
    assert refused(config, named) == (UnknownProfile, message, remedy)


@pytest.mark.parametrize("text", [DEV, ""], ids=["profiles", "none"])
def test_a_name_as_long_as_a_key_is_not_repeated(config: Path, text: str) -> None:
    config.write_text(text)
    pasted = "k3y-that-opens-nothing-and-is-long-enough-44"
    told = "".join(map(str, refused(config, pasted)))
    assert "there is no profile of that name" in told
    assert pasted not in told


@pytest.mark.parametrize("name", ["a b", "ä", "x" * 65, "../dev", "a\nb", "a/b", "a:b", "a@b"])
@pytest.mark.parametrize("way", ["option", "variable"])
def test_a_name_that_can_be_none_is_not_repeated(config: Path, name: str, way: str) -> None:
    config.write_text(DEV)
    named, environ = (name, {}) if way == "option" else (None, {"WXHELPER_PROFILE": name})
    assert refused(config, named, **environ) == (
        UnknownProfile,
        "a profile's name has 1 to 64 letters, digits, dots, underscores or hyphens",
        "see --profile and WXHELPER_PROFILE",
    )


def test_an_empty_name_is_none(config: Path) -> None:
    config.write_text(DEV)
    assert refused(config, "")[0] is UnknownProfile


def test_of_many_profiles_ten_are_told(config: Path) -> None:
    config.write_text("".join(DEV.replace("dev", f"p{n:03}") for n in range(300)))
    assert chosen(config, "p299").name == "p299"
    listed = ", ".join(f"p{n:03}" for n in range(10))
    assert refused(config) == (
        UnknownProfile,
        f"FILE has several profiles and no default_profile: {listed} and 290 more",
        'add default_profile = "p000" to it, or give --profile NAME',
    )


# ----------------------------------------------------------------------------- where it is


def test_the_configuration_is_where_the_variable_says() -> None:
    assert profiles.config_file({"WXHELPER_CONFIG": "/a/b.toml"}) == "/a/b.toml"


def test_a_user_without_a_home_directory_has_the_roots(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> str:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr("platformdirs.user_config_dir", unknown)
    assert profiles.config_file({"HOME": ""}) == "/.config/wxhelper/config.toml"


def test_a_slip_in_the_default_stops_nobody_who_names_a_profile(config: Path) -> None:
    config.write_text('default_profile = "dve"\n' + DEV)
    assert chosen(config, "dev").default is False


@pytest.mark.parametrize(
    ("word", "meant"),
    [("ibmclod", "ibmcloud"), ("IBMCLOUD", "ibmcloud"), ("aws2", "aws"), ("zzz", None), ("", None)],
)
def test_the_nearest_word(word: str, meant: str | None) -> None:
    assert profiles.nearest(word, ["ibmcloud", "aws", "dph"]) == meant
