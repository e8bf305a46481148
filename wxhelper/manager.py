"""Floor 5, step 5: the one plugin that offers a kind of source.

Only the plugin that a profile names is imported. pluggy's own loading would import
every plugin of the group, and of two with one name keep whichever comes first on
``sys.path`` without a word; here ``importlib.metadata`` is asked, and both nothing
and two are errors.
"""

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import EntryPoint, distributions, entry_points
from typing import TypeVar

import pluggy

from wxhelper.errors import (
    Ended,
    PluginBroken,
    PluginClash,
    PluginError,
    PluginInvalid,
    PluginMissing,
    PluginVersion,
    printable,
)
from wxhelper.lookups import Lookups
from wxhelper.plugin import hookspecs
from wxhelper.plugin.types import TokenSourceType
from wxhelper.profiles import nearest

_T = TypeVar("_T")

GROUP = "wxhelper"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,63}")
_MEND = "upgrade or uninstall it"
_PLUGINS = "WXHELPER_PLUGINS"
# Where a name that is not installed can be had from.
_FIRST_PARTY = {
    "ibmcloud": "wxhelper-ibmcloud",
    "ibmcloud-kubernetes": "wxhelper-ibmcloud",
    "aws": "wxhelper-aws",
    "govcloud": "wxhelper-govcloud",
    "dph": "wxhelper-dph",
}


@dataclass(frozen=True)
class Offer:
    """A source as it was found: what it is, or why it cannot be had.

    Attributes:
        name: the source's name.
        distribution: where it comes from, with its version.
        kind: the type; None when ``fault`` says why.
        fault: the error; None when there is a type.
    """

    name: str
    distribution: str
    kind: TokenSourceType | None
    fault: PluginError | None


def find(name: str, lookups: Lookups) -> TokenSourceType:
    """The kind of source of that name.

    Raises:
        PluginMissing, PluginClash, PluginBroken, PluginInvalid, PluginVersion: in
            this order of looking.
    """
    known = _installed(lookups)
    found = [point for point in known if point.name == name]
    if not found:
        raise _missing(name, {point.name for point in known}, lookups)
    if len(found) > 1:
        both = " and ".join(sorted(_distribution(point) for point in found))
        raise PluginClash(
            f"source {name} is offered by {both}", remedy="uninstall the one that you do not want"
        )
    return _load(found[0])


def offer(name: str, lookups: Lookups) -> Offer:
    """The source of that name as it is found; a missing one comes from nowhere."""
    points = [point for point in _installed(lookups) if point.name == name]
    distribution = " and ".join(sorted(_distribution(point) for point in points))
    try:
        return Offer(name, distribution, find(name, lookups), None)
    except PluginError as fault:
        return Offer(name, distribution, None, fault)


def offers(lookups: Lookups) -> list[Offer]:
    """Every installed source, by name; a broken one is told and stops no other."""
    return [offer(name, lookups) for name in names(lookups)]


def names(lookups: Lookups) -> list[str]:
    """The installed sources, without a look at what they are."""
    return sorted({point.name for point in _installed(lookups)})


def _installed(lookups: Lookups) -> list[EntryPoint]:
    allowed = lookups.environ.get(_PLUGINS)
    lookups.variable(_PLUGINS)
    points = _points()
    if allowed is None:
        return points
    names = {name.strip() for name in allowed.split(",")}
    return [point for point in points if point.name in names]


def _points() -> list[EntryPoint]:
    """The group's entry points; a distribution whose own are garbled offers none."""
    try:
        return list(entry_points(group=GROUP))
    except Exception:  # noqa: BLE001 - importlib.metadata says any of several
        found = []
        for distribution in distributions():
            with suppress(Exception):
                found += [p for p in distribution.entry_points if p.group == GROUP]
        return found


def _distribution(point: EntryPoint) -> str:
    if point.dist is None:
        return "an unknown distribution"
    return f"{point.dist.name} {point.dist.version}"


def _missing(name: str, known: Iterable[str], lookups: Lookups) -> PluginMissing:
    limited = _PLUGINS in lookups.environ
    shown = printable(name, 60)
    if limited and any(point.name == name for point in _points()):
        return PluginMissing(
            f"source {shown} is installed, but {_PLUGINS} leaves it out",
            remedy=f"add {shown} to {_PLUGINS}, or unset it",
        )
    if name in _FIRST_PARTY:
        remedy = f"install the distribution {_FIRST_PARTY[name]} beside wxhelper-core"
    elif meant := nearest(name, known):
        remedy = f"did you mean {meant}?"
    else:
        remedy = f"install its plugin; installed are: {', '.join(sorted(known)) or 'none'}"
    return PluginMissing(f"no installed plugin offers source {shown}", remedy=remedy)


def _load(point: EntryPoint) -> TokenSourceType:
    where = f"the plugin {_distribution(point)}"
    module = _survived(point.load, f"{where} cannot be imported")
    version = getattr(module, "wxhelper_api", None)
    if version is None:
        raise PluginVersion(
            f"{where} does not say which plugin API it is written for",
            remedy=f"its module must say wxhelper_api = {hookspecs.API}",
        )
    if version != hookspecs.API:
        raise PluginVersion(
            f"{where} is written for plugin API {printable(repr(version), 20)}, "
            f"and this wxhelper has {hookspecs.API}",
            remedy="install a version of it that fits",
        )
    kinds = _survived(lambda: _ask(module), f"{where} fails when asked what it offers")
    for kind in kinds:
        if not isinstance(kind, TokenSourceType):
            raise PluginInvalid(
                f"{where} offers a {type(kind).__name__}, not a TokenSourceType", remedy=_MEND
            )
    if not _NAME.fullmatch(point.name):
        raise PluginInvalid(
            f"{where} has a source whose name is not of a-z, 0-9 and hyphens", remedy=_MEND
        )
    matching = [kind for kind in kinds if kind.name == point.name]
    if len(matching) != 1:
        names = ", ".join(printable(str(kind.name), 60) for kind in kinds) or "nothing"
        raise PluginInvalid(
            f"{where} should offer source {point.name} once, and offers {names}", remedy=_MEND
        )
    return matching[0]


def _survived(step: Callable[[], _T], what: str) -> _T:
    """The step's result; a plugin can fail in any way, SystemExit included."""
    try:
        return step()
    except (KeyboardInterrupt, Ended):
        raise
    except BaseException as fault:  # noqa: BLE001
        raise PluginBroken(
            f"{what}: {type(fault).__name__}: {printable(str(fault))}", remedy=_MEND
        ) from None


def _ask(module: object) -> list[TokenSourceType]:
    plugins = pluggy.PluginManager(hookspecs.PROJECT)
    plugins.add_hookspecs(hookspecs)
    plugins.register(module)
    plugins.check_pending()
    return [kind for answer in plugins.hook.wxhelper_token_sources() for kind in answer]
