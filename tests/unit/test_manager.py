"""Floor 5: the one plugin that a profile names."""

import os
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from wxhelper import manager
from wxhelper.errors import (
    PluginBroken,
    PluginClash,
    PluginError,
    PluginInvalid,
    PluginMissing,
    PluginVersion,
)
from wxhelper.lookups import Lookups
from wxhelper.plugin import TokenSourceType

GOOD = """\
from wxhelper.plugin import TokenSourceType, hookimpl
wxhelper_api = 1
@hookimpl
def wxhelper_token_sources():
    yield TokenSourceType(
        name={name!r}, summary="Mine", open=None,
        token_hosts=lambda settings: frozenset(), audience=lambda settings: frozenset(),
    )
"""


class Site:
    """A directory of installed distributions, at the front of ``sys.path``."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder, self._monkeypatch = folder, monkeypatch
        monkeypatch.syspath_prepend(str(folder))

    def install(
        self, source: str, code: str | None = None, *, distribution: str = "", version: str = "1.2"
    ) -> None:
        """A distribution that offers a source, by a module of its own."""
        distribution = distribution or f"wx-{source}"
        module = f"a_plugin_{distribution.replace('-', '_')}_{os.getpid()}"
        if code is None:
            code = GOOD.format(name=source)
        (self._folder / f"{module}.py").write_text(code)
        info = self._folder / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir(exist_ok=True)
        head = f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n"
        (info / "METADATA").write_text(head)
        with (info / "entry_points.txt").open("a") as points:
            points.write(f"[wxhelper]\n{source} = {module}\n")
        self._monkeypatch.delitem(sys.modules, module, raising=False)

    @property
    def imported(self) -> list[str]:
        """The plugins of this directory that were imported."""
        return [n for n in sys.modules if (self._folder / f"{n}.py").exists()]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    """A directory for plugins. Of this project's own, source ``ibmcloud`` alone is there."""
    installed = manager.entry_points

    def without_most(group: str) -> list[EntryPoint]:
        return [
            point
            for point in installed(group=group)
            if point.name == "ibmcloud"
            or not (point.dist and point.dist.name.startswith("wxhelper-"))
        ]

    monkeypatch.setattr(manager, "entry_points", without_most)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    (tmp_path / "site").mkdir()
    return Site(tmp_path / "site", monkeypatch)


def find(name: str, **environ: str) -> TokenSourceType:
    return manager.find(name, Lookups(environ))


def refused(name: str, **environ: str) -> tuple[type, str, str]:
    with pytest.raises(PluginError) as caught:
        find(name, **environ)
    return type(caught.value), caught.value.message, caught.value.remedy


# ------------------------------------------------------------------------------------ found


def test_the_plugin_of_that_name_is_found(site: Site) -> None:
    site.install("mine")
    assert (find("mine").name, find("mine").summary) == ("mine", "Mine")


def test_only_that_plugin_is_imported(site: Site) -> None:
    site.install("mine")
    site.install("other", "raise SystemExit('imported without need')")
    find("mine")
    assert [name for name in site.imported if "other" in name] == []
    assert len(site.imported) == 1


def test_one_module_may_offer_several_sources(site: Site) -> None:
    twice = GOOD.format(name="one") + GOOD.format(name="two").partition("_sources():\n")[2]
    site.install("one", twice, distribution="both")
    site.install("two", twice, distribution="both")
    assert [find(name).name for name in ("one", "two")] == ["one", "two"]


def test_the_plugin_for_ibm_cloud_is_installed_here() -> None:
    assert find("ibmcloud").name == "ibmcloud"


def test_the_variable_that_limits_plugins_is_on_record() -> None:
    lookups = Lookups({})
    manager.find("ibmcloud", lookups)
    assert [name for name, _ in lookups.basis("5a17", "1d").variables] == ["WXHELPER_PLUGINS"]


# ---------------------------------------------------------------------------------- missing


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("aws", "install the distribution wxhelper-aws beside wxhelper-core"),
        ("govcloud", "install the distribution wxhelper-govcloud beside wxhelper-core"),
        ("dph", "install the distribution wxhelper-dph beside wxhelper-core"),
        ("ibmclod", "did you mean ibmcloud?"),
        ("vault", "install its plugin; installed are: ibmcloud, mine"),
    ],
)
def test_a_source_that_nobody_offers(site: Site, name: str, remedy: str) -> None:
    site.install("mine")
    assert refused(name) == (
        PluginMissing,
        f"no installed plugin offers source {name}",
        remedy,
    )


def test_no_remedy_names_the_strangers_distribution(site: Site) -> None:
    for name in ("wxhelper", "ibmcloud-kubernetes", "aws", "x", ""):
        words = refused(name)[2].replace(",", " ").split()
        assert not ("install" in words and "wxhelper" in words)


def test_the_name_of_a_source_is_shown_as_one_harmless_line() -> None:
    assert refused("a\nb\x1b[2J" + "x" * 100)[1] == (
        "no installed plugin offers source a b [2J" + "x" * 50 + "..."
    )


@pytest.mark.parametrize(
    ("allowed", "found"),
    [("mine", True), ("ibmcloud,mine", True), (" mine , x ", True), ("", False), ("x", False),
     ("min", False), ("MINE", False), ("*", False)],
)  # fmt: skip
def test_the_variable_limits_what_may_be_used(site: Site, allowed: str, found: bool) -> None:
    site.install("mine")
    if found:
        assert find("mine", WXHELPER_PLUGINS=allowed).name == "mine"
    else:
        assert refused("mine", WXHELPER_PLUGINS=allowed) == (
            PluginMissing,
            "source mine is installed, but WXHELPER_PLUGINS leaves it out",
            "add mine to WXHELPER_PLUGINS, or unset it",
        )
    assert len(site.imported) == found


def test_a_source_that_is_neither_installed_nor_allowed_is_missing(site: Site) -> None:
    assert refused("vault", WXHELPER_PLUGINS="x")[1] == "no installed plugin offers source vault"


# ------------------------------------------------------------------------------------ clash


def test_two_distributions_with_one_source_are_refused_unimported(site: Site) -> None:
    site.install("mine", distribution="first")
    site.install("mine", distribution="second", version="2.0")
    assert refused("mine") == (
        PluginClash,
        "source mine is offered by first 1.2 and second 2.0",
        "uninstall the one that you do not want",
    )
    assert site.imported == []


def test_a_clash_cannot_be_won_by_being_first_on_the_path(site: Site) -> None:
    site.install("ibmcloud", distribution="aaa")
    kind, message, _ = refused("ibmcloud")
    assert kind is PluginClash
    assert message.startswith("source ibmcloud is offered by aaa 1.2 and wxhelper-ibmcloud ")


# ----------------------------------------------------------------------------------- broken


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("import no_such_module_at_all",
         "ModuleNotFoundError: No module named 'no_such_module_at_all'"),
        ("raise ImportError('a\\nb\\x1b[2J')", "ImportError: a b [2J"),
        ("raise SystemExit(3)", "SystemExit: 3"),
        ("raise SystemExit", "SystemExit: "),
        ("import os; os.environ['no such']", "KeyError: 'no such'"),
        ("1/0", "ZeroDivisionError: division by zero"),
        ("class Odd(BaseException): pass\nraise Odd('odd')", "Odd: odd"),
    ],
    ids=["module missing", "import error", "exit", "bare exit", "key error", "division", "own"],
)  # fmt: skip
def test_a_plugin_that_cannot_be_imported(site: Site, code: str, told: str) -> None:
    site.install("mine", code)
    assert refused("mine") == (
        PluginBroken,
        f"the plugin wx-mine 1.2 cannot be imported: {told}",
        "upgrade or uninstall it",
    )


@pytest.mark.parametrize(
    ("code", "kind"), [("def (", "SyntaxError"), ("\tx\n  y", "IndentationError"), ("'\\x", "Syn")]
)
def test_a_plugin_that_is_no_python(site: Site, code: str, kind: str) -> None:
    site.install("mine", code)
    error, message, _ = refused("mine")
    assert error is PluginBroken
    assert message.startswith(f"the plugin wx-mine 1.2 cannot be imported: {kind}")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("raise RuntimeError('no')", "RuntimeError: no"),
        ("raise SystemExit(1)", "SystemExit: 1"),
        ("yield 1; raise ValueError('late')", "ValueError: late"),
        ("return 5", "TypeError: 'int' object is not iterable"),
    ],
    ids=["error", "exit", "late", "no list"],
)
def test_a_plugin_that_fails_when_asked(site: Site, body: str, told: str) -> None:
    head = GOOD.partition("    yield")[0]
    site.install("mine", f"{head}    {body}\n")
    assert refused("mine") == (
        PluginBroken,
        f"the plugin wx-mine 1.2 fails when asked what it offers: {told}",
        "upgrade or uninstall it",
    )


def test_a_hook_with_arguments_that_there_are_not_is_broken(site: Site) -> None:
    site.install("mine", GOOD.format(name="mine").replace("sources()", "sources(secret)"))
    kind, message, _ = refused("mine")
    assert kind is PluginBroken
    assert message.startswith("the plugin wx-mine 1.2 fails when asked what it offers: Plugin")


# ---------------------------------------------------------------------------------- invalid


@pytest.mark.parametrize(
    ("what", "kind"), [("{}", "dict"), ("'mine'", "str"), ("None", "NoneType"), ("object", "type")]
)
def test_a_plugin_that_offers_something_else(site: Site, what: str, kind: str) -> None:
    head = GOOD.partition("    yield")[0]
    site.install("mine", f"{head}    yield {what}\n")
    assert refused("mine") == (
        PluginInvalid,
        f"the plugin wx-mine 1.2 offers a {kind}, not a TokenSourceType",
        "upgrade or uninstall it",
    )


@pytest.mark.parametrize(
    ("code", "offers"),
    [
        (GOOD.format(name="other"), "other"),
        (GOOD.format(name="a\nb"), "a b"),
        (GOOD.partition("    yield")[0] + "    return ()\n", "nothing"),
        ("wxhelper_api = 1\n", "nothing"),
        (GOOD.format(name="mine") + GOOD.format(name="mine").partition("_sources():\n")[2],
         "mine, mine"),
    ],
    ids=["another", "odd", "nothing", "no hook", "twice"],
)  # fmt: skip
def test_a_plugin_that_does_not_offer_the_source_once(site: Site, code: str, offers: str) -> None:
    site.install("mine", code)
    assert refused("mine") == (
        PluginInvalid,
        f"the plugin wx-mine 1.2 should offer source mine once, and offers {offers}",
        "upgrade or uninstall it",
    )


# ---------------------------------------------------------------------------------- version


@pytest.mark.parametrize(
    ("said", "shown"), [("2", "2"), ("0", "0"), ("'1'", "'1'"), ("(1, 0)", "(1, 0)")]
)
def test_a_plugin_for_another_api(site: Site, said: str, shown: str) -> None:
    site.install("mine", GOOD.format(name="mine").replace("_api = 1", f"_api = {said}"))
    assert refused("mine") == (
        PluginVersion,
        f"the plugin wx-mine 1.2 is written for plugin API {shown}, and this wxhelper has 1",
        "install a version of it that fits",
    )


def test_a_plugin_that_does_not_say_its_api(site: Site) -> None:
    site.install("mine", GOOD.format(name="mine").replace("wxhelper_api = 1", ""))
    assert refused("mine") == (
        PluginVersion,
        "the plugin wx-mine 1.2 does not say which plugin API it is written for",
        "its module must say wxhelper_api = 1",
    )


# -------------------------------------------------------------------------------------- list


def test_the_list_tells_every_source_and_stops_at_none(site: Site) -> None:
    site.install("broken", "1/0")
    site.install("mine")
    site.install("twice", distribution="first")
    site.install("twice", distribution="second")
    listed = [
        (offer.name, offer.distribution, offer.kind and offer.kind.name, type(offer.fault))
        for offer in manager.offers(Lookups({}))
        if offer.name != "ibmcloud"
    ]
    assert listed == [
        ("broken", "wx-broken 1.2", None, PluginBroken),
        ("mine", "wx-mine 1.2", "mine", type(None)),
        ("twice", "first 1.2 and second 1.2", None, PluginClash),
    ]


def test_a_list_that_is_limited_is_short(site: Site) -> None:
    site.install("mine")
    offers = manager.offers(Lookups({"WXHELPER_PLUGINS": "mine"}))
    assert [offer.name for offer in offers] == ["mine"]


@pytest.mark.parametrize("name", ["Mine", "my_source", "a.b", "9", "x" * 65, "a b"])
def test_a_source_with_a_name_that_can_be_none_is_refused(site: Site, name: str) -> None:
    site.install(name, distribution="odd")
    assert refused(name) == (
        PluginInvalid,
        "the plugin odd 1.2 has a source whose name is not of a-z, 0-9 and hyphens",
        "upgrade or uninstall it",
    )


def test_a_distribution_whose_entry_points_are_garbled_stops_no_other(
    site: Site, tmp_path: Path
) -> None:
    info = tmp_path / "site" / "garbled-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: garbled\nVersion: 1.0\n")
    (info / "entry_points.txt").write_bytes(b"\xff\xfe[wxhelper\nno equals sign\n")
    site.install("mine")
    assert find("mine").name == "mine"


def test_importing_the_manager_imports_no_plugin() -> None:
    program = "import sys, wxhelper.manager; print('wxhelper_ibmcloud' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        # What measures coverage looks for the plugin by importing it.
        env={n: v for n, v in os.environ.items() if not n.startswith("COV")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("False\n", "")
