"""Hostile addresses, through git itself: no token for any host but the profile's."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gits import GITS, Git, a_git
from hostile import GOOD, URLS

if TYPE_CHECKING:
    from tests.conftest import Command

PARTS = 4


@pytest.fixture(params=GITS)
def git(request: pytest.FixtureRequest, wx: "Command", config: Path, tmp_path: Path) -> Git:
    hosts = f'["{GOOD}", "*.star.example.com"]'
    config.write_text(config.read_text().replace('["127.0.0.1", "localhost"]', hosts))
    return a_git(request.param, wx.environ, tmp_path, helper="wxhelper")


def filled(git: Git, url: str) -> tuple[int, str, str]:
    capabilities = "capability[]=authtype\ncapability[]=state\n" * git.knows_states
    return git("credential", "fill", stdin=f"{capabilities}url={url}\n\n")


@pytest.mark.parametrize("part", range(PARTS))
def test_no_hostile_address_gets_a_token_through_git(git: Git, wx: "Command", part: int) -> None:
    token = wx("token").out.strip()
    assert len(URLS) >= 100
    for url in URLS[part::PARTS]:
        _, out, err = filled(git, url)
        assert (token in out, token in err) == (False, False), (url, out)
        assert "wxhelper" not in err.replace(url, ""), url


@pytest.mark.parametrize(
    "url",
    [f"https://{GOOD}/", f"https://{GOOD}:443/a.git?x#y", f"https://evil.example@{GOOD}/",
     f"https://evil.example%c2%85host=evil.example@{GOOD}/", "https://API.Example.Com/",
     "https://a.b.star.example.com/"],
)  # fmt: skip
def test_the_profiles_own_hosts_get_it(git: Git, wx: "Command", url: str) -> None:
    token = wx("token").out.strip()
    status, out, _ = filled(git, url)
    assert (status, token in out) == (0, True)
