"""All profiles of a configuration: none is hidden by another one."""

import time
from pathlib import Path

import pytest

from config_files import DEV, PROD
from wxhelper.errors import ConfigurationError
from wxhelper.lookups import Lookups
from wxhelper.profiles import Listing, Profile, every


def listed(config: Path, **environ: str) -> Listing:
    return every(str(config), lookups=Lookups(environ, wall=lambda: time.time() + 60))


def names(listing: Listing) -> dict[str, str]:
    """Each profile's key, or why it cannot be used."""
    return {
        name: (one.api_key or "-") if isinstance(one, Profile) else one.message
        for name, one in listing.profiles.items()
    }


def test_they_come_in_the_order_of_the_file(config: Path) -> None:
    config.write_text('default_profile = "dev"\n' + PROD + DEV)
    listing = listed(config)
    assert list(names(listing).items()) == [("prod", "env:B"), ("dev", "env:A")]
    assert (listing.default, listing.fault) == ("dev", None)
    defaults = {name: isinstance(p, Profile) and p.default for name, p in listing.profiles.items()}
    assert defaults == {"prod": False, "dev": True}


def test_one_that_is_broken_says_why(config: Path) -> None:
    config.write_text(DEV + '[profiles.bad]\nsource = "x"\n[profiles]\nworse = 1\n')
    assert names(listed(config)) == {
        "dev": "env:A",
        "bad": f"{config}: profiles.bad.api_key is missing",
        "worse": f"{config}: profiles.worse must be a table",
    }


@pytest.mark.parametrize(
    ("top", "fault"),
    [
        ('default_profile = "dve"\n', "FILE: default_profile names dve, and there is only dev"),
        ("default_profile = 1\n", "FILE: default_profile must be a string"),
    ],
)
def test_a_default_that_is_none_hides_nothing(top: str, fault: str, config: Path) -> None:
    config.write_text(top + DEV)
    listing = listed(config)
    assert names(listing) == {"dev": "env:A"}
    assert listing.default is None
    assert listing.fault is not None
    assert listing.fault.message == fault.replace("FILE", str(config))


@pytest.mark.parametrize("value", ['"dev"', "1"])
def test_a_default_without_any_profile_is_told(value: str, config: Path) -> None:
    config.write_text(f"default_profile = {value}\n")
    listing = listed(config)
    assert (listing.profiles, listing.default) == ({}, None)
    assert listing.fault is not None
    assert listing.fault.message == f"{config} has a default_profile and no profiles"


@pytest.mark.parametrize("text", [None, "", "[profiles]\n"])
def test_without_any_the_variables_are_one(text: str | None, config: Path) -> None:
    if text is not None:
        config.write_text(text)
    listing = listed(config, WXHELPER_SOURCE="aws")
    alone = listing.profiles["env"]
    assert isinstance(alone, Profile)
    assert (alone.source, alone.from_environment, listing.default) == ("aws", True, "env")


def test_a_file_that_cannot_be_used_is_an_error(config: Path) -> None:
    config.write_text("[profiles")
    with pytest.raises(ConfigurationError):
        listed(config)
