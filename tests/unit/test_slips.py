"""Slips that people make on their first day, and the way out that is shown."""

from pathlib import Path

import pytest

from wxhelper import cli
from wxhelper.errors import WxhelperError
from wxhelper.lookups import Lookups
from wxhelper.profiles import choose
from wxhelper.secret import resolve


def told(text: str, folder: Path, named: str | None = None) -> str:
    config = folder / "config.toml"
    config.write_text(text)
    config.chmod(0o600)
    with pytest.raises(WxhelperError) as caught:
        choose(named, config=str(config), lookups=Lookups({}))
    return caught.value.line().replace(str(config), "FILE")


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ('apikey = "env:A"', "profiles.dev.apikey; did you mean api_key?"),
        ('API_KEY = "env:A"', "profiles.dev.API_KEY; did you mean api_key?"),
        ('api_keys = "env:A"', "profiles.dev.api_keys; did you mean api_key?"),
    ],
)
def test_a_misspelt_key_is_named_before_the_one_that_is_missing(
    tmp_path: Path, line: str, meant: str
) -> None:
    text = f'[profiles.dev]\nsource = "ibmcloud"\n{line}\n'
    assert told(text, tmp_path) == f"wxhelper: FILE: unknown key {meant}"


def test_a_profile_is_found_whatever_its_case(tmp_path: Path) -> None:
    text = '[profiles.dev]\nsource = "a"\n[profiles.ci]\nsource = "a"\n'
    assert told(text, tmp_path, "DEV").endswith("did you mean --profile dev?")


def secret_told(reference: str, config: Path) -> str:
    with pytest.raises(WxhelperError) as caught:
        resolve(reference, named="profiles.dev.api_key", config=str(config), lookups=Lookups({}))
    return caught.value.line().replace(str(config.parent), "DIR")


@pytest.mark.parametrize("name", ["$IBMCLOUD_API_KEY", "${IBMCLOUD_API_KEY}", "A B", "1A", "A-B"])
def test_a_variable_with_its_dollar_is_no_name(tmp_path: Path, name: str) -> None:
    assert secret_told(f"env:{name}", tmp_path / "config.toml") == (
        "wxhelper: profiles.dev.api_key does not name a variable; "
        "write env:NAME, the name alone, without $"
    )


def test_a_key_file_in_a_directory_that_is_missing_is_created_with_it(tmp_path: Path) -> None:
    assert secret_told("file:keys/dev", tmp_path / "config.toml") == (
        "wxhelper: there is no key file DIR/keys/dev; store one: wxhelper login; or create it, "
        "paste the key, end with Ctrl-D: (umask 077; mkdir -p DIR/keys; cat > DIR/keys/dev)"
    )


def test_help_for_a_verb_may_be_asked_for_in_front(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main(["help", "token"])
    assert left.value.code == 0
    assert capfd.readouterr().out.startswith("usage: wxhelper token ")


def test_an_option_before_the_verb_is_told_as_that(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--profile", "dev", "token"]) == 2
    assert capfd.readouterr().err == (
        "wxhelper: the verb comes first, and its options after it; "
        "for example: wxhelper token --profile NAME\n"
    )
