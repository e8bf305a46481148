"""What ``wxhelper profile`` says, takes and refuses."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from config_files import DEV, PROD
from leaks import KEY, files_with, holds
from mistakes import PASTED
from wxhelper import cli
from wxhelper.cache import Cache

Told = tuple[int, str, str]
Say = Callable[..., Told]
_ADD = ("add", "new", "--source", "ibmcloud", "--api-key-ref", "command:true")


@pytest.fixture
def say(config: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Say:
    """Runs the verb in this process: status, output and errors, the file shown as FILE."""
    monkeypatch.setenv("WXHELPER_CONFIG", str(config))
    monkeypatch.setenv("WXHELPER_CACHE_DIR", str(config.parent / "cache"))

    def run(*arguments: str) -> Told:
        try:
            status = cli.main(["profile", *arguments])
        except SystemExit as end:
            status = int(end.code or 0)
        out, err = capfd.readouterr()
        return status, out.replace(str(config), "FILE"), err.replace(str(config), "FILE")

    return run


def test_the_first_profile_is_the_default_one(say: Say, config: Path) -> None:
    assert say(*_ADD) == (0, "profile new is added, the default one: FILE\n", "")
    assert config.read_text() == (
        'default_profile = "new"\n\n[profiles.new]\nsource = "ibmcloud"\napi_key = "command:true"\n'
    )


def test_everything_that_can_be_said_about_a_profile(say: Say, config: Path) -> None:
    config.write_text(DEV)
    given = "--url https://a --ca-file /etc/../etc/ca.pem --hosts h.example.com --hosts *.b:8443"
    assert say(*_ADD, *given.split(), "--default") == (
        0,
        "profile new is added, the default one: FILE\n",
        "",
    )
    assert config.read_text() == 'default_profile = "new"\n\n' + DEV + (
        '\n[profiles.new]\nsource = "ibmcloud"\napi_key = "command:true"\n'
        'hosts = ["h.example.com", "*.b:8443"]\nurl = "https://a"\nca_file = "/etc/ca.pem"\n'
    )
    assert say("show", "new") == (
        0,
        (
            "profile  new  (the default one)\n"
            "source   ibmcloud\n"
            "api_key  command:true\n"
            "hosts    h.example.com *.b:8443\n"
            "url      https://a\n"
            "ca_file  /etc/ca.pem\n"
            "from     FILE\n"
        ),
        "",
    )
    assert say("show", "dev") == (
        0,
        "profile  dev\nsource   ibmcloud\napi_key  env:A\nfrom     FILE\n",
        "",
    )
    status, out, err = say("show", "new", "--output", "json")
    assert (status, err) == (0, "")
    assert json.loads(out) == {
        "name": "new",
        "default": True,
        "source": "ibmcloud",
        "api_key": "command:true",
        "hosts": ["h.example.com", "*.b:8443"],
        "settings": {"url": "https://a", "ca_file": "/etc/ca.pem"},
    }


def test_of_two_profiles_without_a_default_the_user_is_asked_to_choose(
    say: Say, config: Path
) -> None:
    config.write_text(DEV)
    assert say(*_ADD) == (
        0,
        "profile new is added: FILE\n",
        (
            "wxhelper: of two profiles none is the default one; "
            "choose it: wxhelper profile default dev\n"
        ),
    )


def test_a_replaced_profile_says_what_was_given_and_no_more(say: Say, config: Path) -> None:
    config.write_text(DEV + 'url = "https://old"  # old\nhosts = ["a"]\n# end\n')
    replace = ("add", "dev", "--replace", "--source", "ibmcloud", "--api-key-ref", "command:x")
    assert say(*replace) == (0, "profile dev is replaced: FILE\n", "")
    assert config.read_text() == DEV.replace("env:A", "command:x") + "# end\n"


def test_a_key_that_is_not_there_yet_and_a_source_that_is_not_installed_are_told(
    say: Say, config: Path
) -> None:
    acme = ("--source", "acme", "--api-key-ref", "env:A_KEY", "--region", "eu-central-1")
    status, out, err = say("add", "eu", *acme)
    assert (status, out) == (0, "profile eu is added, the default one: FILE\n")
    about_source, about_key = err.splitlines()
    assert about_source.startswith(
        "wxhelper: no installed plugin offers source acme; install its plugin; installed are: "
    )
    assert about_source.endswith(" (the settings were not checked)")
    assert about_key.startswith("wxhelper: profile eu: the variable A_KEY is not set; ")
    assert 'region = "eu-central-1"\n' in config.read_text()


_USAGE = [
    ((), "profile: the following arguments are required: ACTION; see: wxhelper profile --help"),
    (("frob",), "profile: ACTION: there is no such one; see: wxhelper profile --help"),
    (
        ("add", "a b"),
        (
            "profile add: NAME: must have 1 to 64 letters, digits, dots, underscores or hyphens; "
            "see: wxhelper profile add --help"
        ),
    ),
    (
        ("add", "new"),
        (
            "profile add: --source is missing; for example --source ibmcloud; "
            "all of them: wxhelper sources"
        ),
    ),
    (
        ("add", "new", "--source", PASTED),
        (
            "profile add: --source is not the name of a source; for example --source ibmcloud; "
            "all of them: wxhelper sources"
        ),
    ),
    (
        ("add", "new", "--source", "ibmcloud"),
        (
            "profile add: --api-key-ref is missing; for a key that is stored nowhere yet: "
            "wxhelper login new"
        ),
    ),
    (
        ("add", "new", "--source", "ibmcloud", "--api-key-ref", PASTED),
        (
            "profile add: --api-key-ref takes where the key is, not the key; to store a key, type "
            "wxhelper login new; else give env:NAME, file:PATH, keyring:NAME "
            "or command:PROGRAM ARGS"
        ),
    ),
    (
        (*_ADD, "--region"),
        "profile add: the option --region needs a value; see: wxhelper profile add --help",
    ),
    (
        (*_ADD[:2], "--source", "aws", "--api-key-ref", "command:true", "--apikey", PASTED),
        (
            "profile add: apikey looks like a key, and the configuration is no place for one; "
            "to store a key, type wxhelper login new"
        ),
    ),
    ((*_ADD, "--urll", "x"), "profile add: unknown option --urll; did you mean --url?"),
    ((*_ADD, "--host", "a.example"), "profile add: unknown option --host; did you mean --hosts?"),
    (
        (*_ADD, "--hosts", "https://a"),
        (
            "profile add: --hosts must be a list of HOST, HOST:PORT or *.HOST; "
            "see: wxhelper profile add --help"
        ),
    ),
    (
        (*_ADD, "--login", "a b"),
        (
            "profile add: --login must have 1 to 128 letters, digits or ._%+@/=~-; "
            "see: wxhelper profile add --help"
        ),
    ),
    (
        (*_ADD[:4], "--api-key", PASTED),
        (
            "profile add: no option takes the key itself; what was typed is in the shell's history "
            "now: if it is a key, replace it, and store the new one with: wxhelper login new"
        ),
    ),
    (("list", "--frob"), "profile: unknown option --frob; see: wxhelper profile --help"),
    (
        ("show",),
        (
            "profile show: the following arguments are required: NAME; "
            "see: wxhelper profile show --help"
        ),
    ),
]


@pytest.mark.parametrize(("arguments", "line"), _USAGE)
def test_what_cannot_be_understood(
    arguments: tuple[str, ...], line: str, say: Say, config: Path
) -> None:
    assert say(*arguments) == (2, "", f"wxhelper: {line}\n")
    assert not config.exists()


_CONFIGURATION = [
    (
        (*_ADD[:1], "dev", *_ADD[2:]),
        (
            "there is a profile dev in FILE already; choose another name, "
            "or: wxhelper profile add dev --replace ..."
        ),
    ),
    (
        (*_ADD, "--url", "http://iam.example.com"),
        (
            "url is http://iam.example.com, and a key never goes over plain http; "
            "write https://iam.example.com"
        ),
    ),
    (
        (*_ADD, "--trusted-profile", "deployer"),
        (
            "trusted_profile is a name, and the setting account is missing; write account = the "
            "account's ID, or trusted_profile = the profile's ID or CRN"
        ),
    ),
    (
        (*_ADD[:-1], "env:$A"),
        "profiles.new.api_key does not name a variable; write env:NAME, the name alone, without $",
    ),
    (("show", "dve"), "there is no profile dve in FILE, only dev, prod; did you mean dev?"),
    (("remove", "dve"), "there is no profile dve in FILE, only dev, prod; did you mean dev?"),
    (("default", "dve"), "there is no profile dve in FILE, only dev, prod; did you mean dev?"),
    (("default",), "FILE has no default_profile; choose it: wxhelper profile default dev"),
]


@pytest.mark.parametrize(("arguments", "line"), _CONFIGURATION)
def test_what_does_not_fit_the_configuration(
    arguments: tuple[str, ...], line: str, say: Say, config: Path
) -> None:
    config.write_text(DEV + PROD)
    assert say(*arguments) == (5, "", f"wxhelper: {line}\n")
    assert config.read_text() == DEV + PROD


def test_the_list_is_a_table_that_no_broken_profile_spoils(say: Say, config: Path) -> None:
    config.write_text(
        'default_profile = "prod"\n'
        + DEV.replace("dev", "a-long-name")
        + PROD
        + '[profiles.broken]\nsource = "ibmcloud"\n'
        + f'[profiles.bad]\nsource = "x"\napi_key = "{PASTED}"\n'
    )
    assert say("list") == (
        0,
        (
            "   PROFILE      SOURCE    KEY\n"
            "   a-long-name  ibmcloud  env:A\n"
            "*  prod         ibmcloud  env:B\n"
            "   broken                 cannot be used: FILE: profiles.broken.api_key is missing\n"
            "   bad          x         (not a reference; not shown)\n"
        ),
        "",
    )
    status, out, err = say("list", "--output", "json")
    assert (status, err) == (0, "")
    common = {"hosts": None, "settings": {}}
    assert json.loads(out) == [
        {
            "name": "a-long-name",
            "default": False,
            "source": "ibmcloud",
            "api_key": "env:A",
            **common,
        },
        {"name": "prod", "default": True, "source": "ibmcloud", "api_key": "env:B", **common},
        {
            "name": "broken",
            "default": False,
            "error": "FILE: profiles.broken.api_key is missing",
        },
        {"name": "bad", "default": False, "source": "x", "api_key": None, **common},
    ]
    assert say("show", "broken")[0] == 5


def test_without_a_configuration_there_is_nothing_to_list(say: Say) -> None:
    assert say("list") == (0, "no profiles in FILE; to begin: wxhelper login\n", "")
    assert say("list", "--output", "json") == (0, "[]\n", "")
    assert say("show", "env") == (
        5,
        "",
        (
            "wxhelper: there is no profile env in FILE, nor any other; "
            "add one: wxhelper profile add NAME --help\n"
        ),
    )


def test_the_default_one_is_told_and_chosen(
    say: Say, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config.write_text(DEV + PROD)
    assert say("default", "prod") == (0, "", "")
    assert say("default") == (0, "prod\n", "")
    monkeypatch.setenv("WXHELPER_PROFILE", "dev")
    wins = "wxhelper: here WXHELPER_PROFILE wins, and names dev\n"
    assert say("default") == (0, "prod\n", wins)
    assert say("default", "dev") == (0, "", "")


def test_a_default_that_is_none_is_told(say: Say, config: Path) -> None:
    config.write_text('default_profile = "dve"\n' + DEV)
    line = (
        "wxhelper: FILE: default_profile names dve, and there is only dev; "
        'write default_profile = "dev"\n'
    )
    assert say("list") == (0, "   PROFILE  SOURCE    KEY\n   dev      ibmcloud  env:A\n", line)
    assert say("default") == (5, "", line)
    assert say("default", "dev") == (0, "", "")
    assert say("default") == (0, "dev\n", "")


def test_a_removed_profile_leaves_its_key(say: Say, config: Path) -> None:
    config.write_text('default_profile = "dev"\n\n' + DEV + PROD + PROD.replace("prod", "third"))
    assert say("remove", "dev") == (
        0,
        "profile dev is removed: FILE\nits key is left where it is: env:A\n",
        "wxhelper: it was the default one; choose another: wxhelper profile default prod\n",
    )


def test_a_broken_profile_can_be_removed(say: Say, config: Path) -> None:
    config.write_text('[profiles.bad]\nsourc = "x"\n' + DEV)
    assert say("remove", "bad") == (0, "profile bad is removed: FILE\n", "")
    assert config.read_text() == DEV


def test_a_token_that_stays_is_told(
    say: Say, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    config.write_text(DEV)
    monkeypatch.setattr(Cache, "invalidate", full)
    status, _, err = say("remove", "dev")
    assert (status, config.read_text()) == (0, "")
    assert err == (
        f"wxhelper: its token could not be removed from {config.parent}/cache: "
        "No space left on device\n"
    )


_WRONG_PLACES = {
    "the reference": 'api_key = "{}"\n',
    "a misspelt key": 'apikey = "{}"\napi_key = "env:A"\n',
    "a command's argument": 'api_key = "command:echo {}"\n',
    "a setting": 'api_key = "env:A"\ntoken = "{}"\n',
    "an address": 'api_key = "env:A"\nurl = "https://user:{}@example.com"\n',
}
_COMMANDS = [
    *(
        [*verb, *form]
        for verb in (["status"], ["profile", "list"], ["profile", "show", "dev"])
        for form in ([], ["--output", "json"])
    ),
    ["profile", "add", "x", "--source", "ibmcloud", "--api-key-ref", KEY],
    ["profile", "add", KEY, "--source", "ibmcloud", "--api-key-ref", "env:A"],
    ["profile", "add", "x", "--api-key", KEY],
    ["profile", "add", "x", "--source", "ibmcloud", "--api-key-ref", "env:A", "--apikey", KEY],
    ["profile", "add", "x", "--source", "aws", "--api-key-ref", "env:A", "--api-token", KEY],
    ["profile", "add", "x", "--source", KEY, "--api-key-ref", "command:true"],
    ["profile", "add", "x", "--source", "ibmcloud", "--api-key-ref", "env:WATSONX_APIKEY"],
    ["profile", KEY],
    ["profile", "show", KEY],
    ["profile", "default", KEY],
    ["profile", "remove", KEY],
    ["profile", "remove", "dev"],
]


@pytest.mark.parametrize("where", _WRONG_PLACES)
def test_a_key_in_a_wrong_place_is_never_shown(
    where: str,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("WXHELPER_CONFIG", str(config))
    monkeypatch.setenv("WXHELPER_CACHE_DIR", str(config.parent / "cache"))
    monkeypatch.setenv("WATSONX_APIKEY", KEY)
    config.with_name("apikey").write_text(KEY)
    wrong = _WRONG_PLACES[where].format(KEY.replace("\\", "\\\\").replace('"', '\\"'))
    sane = '[profiles.sane]\nsource = "ibmcloud"\napi_key = "file:apikey"\n'
    config.write_text(f'[profiles.dev]\nsource = "ibmcloud"\n{wrong}\n{sane}')
    for command in _COMMANDS:
        assert cli.main(command) in (0, 2, 5)
        shown = "".join(capfd.readouterr())
        assert shown != "" or command == ["profile", "default", "dev"]
        assert not holds(shown.encode(), KEY), command
        assert "Traceback" not in shown
    assert files_with(KEY, config.parent) == {config.with_name("apikey")}
