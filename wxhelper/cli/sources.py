"""Floor 7: ``wxhelper sources``."""

import argparse
import json
from collections.abc import Mapping

from wxhelper import manager
from wxhelper.cli.parser import JSON, TEXT, Parser
from wxhelper.cli.streams import say
from wxhelper.errors import WxhelperError
from wxhelper.lookups import Lookups
from wxhelper.plugin.types import Hosts, Setting, TokenSourceType

_WHAT = "List the installed kinds of token source, and what a profile can say to each."
_EXAMPLES = """
wxhelper sources
wxhelper sources --output json
"""


def prepare(parser: Parser) -> None:
    """Declare the options."""
    parser.explain(_WHAT, _EXAMPLES)
    parser.add_output(TEXT, what="the form of the list")


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Do it. The status is 5 when a source cannot be used."""
    offers = manager.offers(Lookups(environ))
    if options.output == JSON:
        say(json.dumps([_as_json(offer) for offer in offers], indent=2) + "\n")
    elif offers:
        say("\n".join(_as_text(offer) for offer in offers))
    else:
        say("no source is installed; for IBM Cloud, install wxhelper-ibmcloud\n")
    return max((offer.fault.exit_status for offer in offers if offer.fault), default=0)


def _as_json(offer: manager.Offer) -> dict[str, object]:
    row: dict[str, object] = {"name": offer.name, "distribution": offer.distribution}
    if offer.kind is None:
        return row | {"error": offer.fault.message if offer.fault else ""}
    return row | {
        "summary": offer.kind.summary,
        "settings": [
            {
                "name": s.name,
                "help": s.help,
                "required": s.required,
                "unless": s.unless or None,
                "default": s.default,
                "choices": list(s.choices),
            }
            for s in offer.kind.all_settings
        ],
        "api_key_variables": list(offer.kind.api_key_variables),
        "token_hosts": _hosts(offer.kind, offer.kind.token_hosts),
        "audience": _hosts(offer.kind, offer.kind.audience),
        "services": {name: dict(urls) for name, urls in offer.kind.services.items()},
    }


def _as_text(offer: manager.Offer) -> str:
    lines = [f"{offer.name}  ({offer.distribution})"]
    if offer.kind is None:
        return "\n".join([*lines, f"  cannot be used: {offer.fault}", ""])
    kind: TokenSourceType = offer.kind
    lines.append(f"  {kind.summary}")
    lines.append("  settings")
    for setting in kind.all_settings:
        lines.append(f"    {setting.name:<17}{setting.help}{_terms(setting)}")
    if kind.api_key_variables:
        lines.append(f"  looks for a key in {_listed(list(kind.api_key_variables))}")
    lines.append(f"  the key goes to    {_listed(_hosts(kind, kind.token_hosts))}")
    audience = _listed(_hosts(kind, kind.audience)) or "whom a profile names as hosts"
    lines.append(f"  the token is for   {audience}")
    if kind.services:
        lines.append("  base URLs")
    for name, urls in kind.services.items():
        lines.append(f"    {name}")
        lines += [f"      {f'{region:<15}' if region else ''}{url}" for region, url in urls.items()]
    return "\n".join([*lines, ""])


def _terms(setting: Setting) -> str:
    """What else there is to know of a setting before it is written."""
    terms = ["required" + (f" unless there is {setting.unless}" if setting.unless else "")]
    terms = terms if setting.required else []
    if setting.choices:
        terms.append(f"one of {', '.join(setting.choices)}")
    if setting.default is not None:
        terms.append(f"else {setting.default}")
    return f" ({'; '.join(terms)})" if terms else ""


def _hosts(kind: TokenSourceType, of: Hosts) -> list[str] | None:
    """The hosts when nothing is set, or None when they depend on what is."""
    try:
        return sorted(of({s.name: s.default for s in kind.all_settings if s.default is not None}))
    except (KeyError, WxhelperError):
        return None


def _listed(hosts: list[str] | None) -> str:
    if hosts is None:
        return "what its settings say"
    return f"\n{' ' * 21}".join(hosts)
