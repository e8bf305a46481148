"""Whose certificate the service shows, and whether it is accepted."""

import datetime
from collections.abc import Iterator

from wxhelper.doctor.patient import Patient
from wxhelper.plugin.types import CheckResult
from wxhelper.words import span

NAME = "tls"
_SOON = 14 * 86_400


def look(patient: Patient) -> Iterator[CheckResult]:
    """Look, and tell: as it will be used, the proxy and the trusted certificates included."""
    if patient.environ.get("SSLKEYLOGFILE"):
        yield CheckResult(
            outcome="warn",
            text="SSLKEYLOGFILE is set: who has that file can read what is sent, keys included",
            remedy="unset SSLKEYLOGFILE, and remove the file",
        )
    seen = patient.reached("tls")
    if seen.endpoint.scheme == "http":
        yield CheckResult(outcome="ok", text="none: plain http, which never leaves this machine")
        return
    trusted = f", trusted by {seen.trusts}" if seen.trusts else ""
    shown = seen.certificate
    if shown is None:
        yield CheckResult(outcome="ok", text=f"{seen.protocol}{trusted}")
        return
    until = datetime.datetime.fromtimestamp(shown.not_after, datetime.UTC).date()
    yield CheckResult(
        outcome="ok",
        text=f"{seen.protocol}, certificate of {shown.subject}, issued by {shown.issuer}, "
        f"good until {until}{trusted}",
    )
    left = shown.not_after - patient.moment().wall
    if left < _SOON:
        yield CheckResult(
            outcome="warn",
            text=f"the certificate of {seen.endpoint.origin} expires in {span(left)}",
            remedy="let whoever runs it renew it",
        )
