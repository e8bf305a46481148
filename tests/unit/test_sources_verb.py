"""Floor 7: ``wxhelper sources``: what is installed, and what a user needs next."""

import json

import pytest

from wxhelper import cli

GOVCLOUD = """\
govcloud  (wxhelper-govcloud 0.1.0)
  IBM watsonx in AWS GovCloud: access token, from an API key
  settings
    url              the token service's address, with or without its path
    ca_file          certificates (PEM) to trust for it instead of the usual ones
  looks for a key in WATSONX_APIKEY
                     WATSONX_API_KEY
  the key goes to    dai.ibmforusgov.com:443
  the token is for   api.dai.ibmforusgov.com
                     internal.api.dai.ibmforusgov.com
                     private.internal.wxai.ibmforusgov.com
                     wxai.ibmforusgov.com
  base URLs
    watsonx.ai
      https://wxai.ibmforusgov.com
    projects, spaces and data
      https://api.dai.ibmforusgov.com
"""
AWS_URLS = """\
  base URLs
    watsonx.ai
      us-east-1      https://us-east-1.aws.wxai.ibm.com
      ap-south-1     https://ap-south-1.aws.wxai.ibm.com
"""


def printed(capfd: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.main(["sources", *arguments]) == 0
    streams = capfd.readouterr()
    assert streams.err == ""
    return streams.out


def test_the_sources_as_text(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WXHELPER_PLUGINS", "govcloud")
    assert printed(capfd, "--output", "text") == GOVCLOUD


def test_each_of_them_is_listed(capfd: pytest.CaptureFixture[str]) -> None:
    text = printed(capfd)
    names = [line.split("  ")[0] for line in text.split("\n") if line and line[0] != " "]
    assert names == ["aws", "dph", "govcloud", "ibmcloud", "ibmcloud-kubernetes"]
    assert AWS_URLS in text
    assert "for example us-east-1 or ap-south-1 (required unless there is url)\n" in text
    assert "the key itself in base64 (one of bearer, zenapikey; else bearer)\n" in text
    assert "the token is for   whom a profile names as hosts\n" in text
    assert "the key goes to    what its settings say\n" in text


def test_the_sources_as_json(capfd: pytest.CaptureFixture[str]) -> None:
    rows = {row["name"]: row for row in json.loads(printed(capfd, "--output", "json"))}
    dph, aws = rows["dph"], rows["aws"]
    assert [(s["name"], s["required"], s["default"]) for s in dph["settings"]] == [
        ("url", False, None),
        ("ca_file", False, None),
        ("username", False, None),
        ("mode", False, "bearer"),
    ]
    assert [s["choices"] for s in dph["settings"]] == [[], [], [], ["bearer", "zenapikey"]]
    assert [(s["name"], s["unless"]) for s in aws["settings"] if s["required"]] == [
        ("region", "url")
    ]
    assert dph["settings"][0]["help"].startswith("the address of the platform, or of the instance")
    assert (dph["token_hosts"], dph["audience"], dph["services"]) == (None, None, {})
    assert aws["services"]["watsonx.ai"]["ap-south-1"] == "https://ap-south-1.aws.wxai.ibm.com"
    assert "ap-south-1.aws.wxai.ibm.com" in aws["audience"]
    assert rows["ibmcloud-kubernetes"]["audience"] == []
    assert rows["govcloud"]["services"]["watsonx.ai"] == {"": "https://wxai.ibmforusgov.com"}


def test_a_distribution_that_is_needed_is_named(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WXHELPER_PLUGINS", "")
    assert printed(capfd) == "no source is installed; for IBM Cloud, install wxhelper-ibmcloud\n"
