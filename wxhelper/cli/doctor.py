"""Floor 7: ``wxhelper doctor``."""

import argparse
import json
from collections.abc import Mapping

from wxhelper import doctor
from wxhelper.cli.answer import end_in_order, keep_quiet
from wxhelper.cli.parser import JSON, TEXT, Parser
from wxhelper.cli.streams import answer_only, say, undelivered
from wxhelper.cli.table import BOLD, DIM, GREEN, RED, YELLOW, aligned, coloured
from wxhelper.doctor.installation import versions
from wxhelper.protocols import deliver

_WHAT = """\
Try whether all of it works for one profile, down to a real token, and say what to type
next where it does not. A failure that is remembered is told instead of asking the
service again; one request for a token is made at most, and half a minute taken.

Each line is ok; warn: it works, and something should be mended; fail: no token can be
had; or unknown: it could not be tried. The exit status is 0 unless something failed,
and then 3, 4 or 5, as of the verb that would fail with it; of several the largest."""
_EXAMPLES = """
wxhelper doctor
wxhelper doctor --profile dev
wxhelper doctor --output json | jq '.checks[] | select(.outcome != "ok")'
"""
_COLOURS = {"ok": GREEN, "warn": YELLOW, "fail": RED, "unknown": DIM}
_SUMMED = (("fail", "failed"), ("unknown", "not tried"), ("warn", "to be warned of"))
_WIDTHS = (max(map(len, _COLOURS)), max(len(check.NAME) for check in doctor.CHECKS))


def prepare(parser: Parser) -> None:
    """Declare the options."""
    parser.explain(_WHAT, _EXAMPLES)
    parser.add_profile()
    parser.add_output(TEXT, what="the form of the answer")


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Do it. The status is that of the worst failure, or 0."""
    keep_quiet()
    end_in_order()
    colour = coloured(environ)
    found: list[doctor.Finding] = []
    with answer_only() as stdout:  # plugins are imported, and may print
        patient = doctor.Patient(environ, options.profile)
        for finding in doctor.examine(patient, doctor.CHECKS):
            found.append(finding)
            if options.output == TEXT:
                try:
                    deliver(_as_text(finding, colour=colour), stdout)
                except OSError as fault:
                    return undelivered(fault)
    status = max((finding.status for finding in found), default=0)
    if options.output == JSON:
        say(json.dumps(_as_json(found, patient.profile_name, status), indent=2) + "\n")
    else:
        say(f"\n{_summary(found)}\n")
    return status


def _as_text(finding: doctor.Finding, *, colour: bool) -> str:
    """One line, and one for a remedy. They come as they are found: some take a while."""
    tints = (_COLOURS.get(finding.outcome, ""), BOLD) if colour else ()
    text, remedy = finding.text, finding.remedy
    if finding.outcome == "unknown" and remedy:  # there may be many, all for one reason
        text, remedy = f"{text} -> {remedy}", ""
    lines = [aligned((finding.outcome, finding.check, text), _WIDTHS, tints)]
    if remedy:
        lines.append(aligned(("", "", f"-> {remedy}"), _WIDTHS))
    return "\n".join([*lines, ""])


def _summary(found: list[doctor.Finding]) -> str:
    counted = ((sum(f.outcome == word for f in found), said) for word, said in _SUMMED)
    return ", ".join(f"{count} {said}" for count, said in counted if count) or "all is well"


def _as_json(found: list[doctor.Finding], profile: str, status: int) -> dict[str, object]:
    """The findings as they are written for programs; the shape is kept from now on."""
    return {
        "versions": versions(),
        "profile": profile or None,
        "exit_status": status,
        "checks": [
            {"check": f.check, "outcome": f.outcome, "text": f.text, "remedy": f.remedy}
            for f in found
        ],
    }
