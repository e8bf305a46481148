"""Floor 4: all that a source plugin may import, and all that it needs.

A plugin is a module under the entry-point group ``wxhelper``; the entry point's
name is the source's name. It says which version of this contract it was written
for, and offers its kinds of source:

    from wxhelper.plugin import TokenSourceType, hookimpl

    wxhelper_api = 1

    @hookimpl
    def wxhelper_token_sources():
        yield TokenSourceType(name="mine", summary="...", ...)

    hookspecs     the one hook
    types         what it yields, and what a source is handed
    endpoint      an address that a key may be sent to
    transport     the one way out to the network
    wire          one request on that way, sent by requests
    surroundings  which proxy and which certificates count
    deadline      work that is not waited for too long
    exchange      "POST a key, read a token": most sources are a declaration of this
    replies       what the answer to that means
    keyforms      what keys look like, for a hint when one is refused
    probe         the way to a service, walked without a key, for diagnosis
    certificate   what a certificate says, trusted or not
"""

from wxhelper.errors import (
    AnswerNotUnderstood,
    ConfigurationError,
    EndpointRefused,
    KeyRefused,
    KeyUnavailable,
    Redirected,
    ServiceFailed,
    TemporaryError,
    Throttled,
    Unreachable,
    WxhelperError,
    printable,
)
from wxhelper.plugin.endpoint import Endpoint
from wxhelper.plugin.exchange import KeyExchange
from wxhelper.plugin.hookspecs import API, hookimpl
from wxhelper.plugin.keyforms import form_of, no_key, unwrapped
from wxhelper.plugin.transport import Answer, Transport
from wxhelper.plugin.types import (
    Check,
    CheckResult,
    Setting,
    Settings,
    SourceContext,
    TokenSource,
    TokenSourceType,
)
from wxhelper.secret import Secret
from wxhelper.tokens import Token

__all__ = [
    "API",
    "Answer",
    "AnswerNotUnderstood",
    "Check",
    "CheckResult",
    "ConfigurationError",
    "Endpoint",
    "EndpointRefused",
    "KeyExchange",
    "KeyRefused",
    "KeyUnavailable",
    "Redirected",
    "Secret",
    "ServiceFailed",
    "Setting",
    "Settings",
    "SourceContext",
    "TemporaryError",
    "Throttled",
    "Token",
    "TokenSource",
    "TokenSourceType",
    "Transport",
    "Unreachable",
    "WxhelperError",
    "form_of",
    "hookimpl",
    "no_key",
    "printable",
    "unwrapped",
]
