"""All checks, in the order in which one rests on another."""

from wxhelper.doctor import (
    audience,
    cache,
    clock,
    configuration,
    connection,
    installation,
    integrations,
    key,
    launchers,
    memory,
    name,
    plugins,
    proxy,
    source,
    startup,
    tls,
    token,
)
from wxhelper.doctor.findings import Check

CHECKS: tuple[Check, ...] = (
    installation,
    startup,
    launchers,
    configuration,
    plugins,
    key,
    audience,
    cache,
    memory,
    proxy,
    name,
    connection,
    tls,
    clock,
    token,
    source,
    integrations,
)
