"""Floor 0: everything that can go wrong, each with what to do about it.

    WxhelperError                1  a defect of ours
    ├── UsageError               2  the command line
    ├── TemporaryError           3  may pass by itself
    │   ├── Unreachable             network, TLS, proxy, deadline
    │   ├── ServiceFailed           an answer of 5xx, or 408
    │   ├── Throttled               429, or Retry-After
    │   ├── Redirected              a 3xx where a token was expected
    │   ├── AnswerNotUnderstood     an answer that is no token
    │   └── OutputFailed            the answer could not be written out
    ├── KeyRefused               4  the service says that the key is not good
    └── ConfigurationError       5  what the user wrote, or did not
        ├── UnknownProfile
        ├── KeyUnavailable          the reference leads to no key
        ├── EndpointRefused         an address that a key must not go to
        ├── WrongScheme             the caller cannot carry this kind of token
        ├── HostRefused             a host that the token is not for
        └── PluginError
            ├── PluginMissing
            ├── PluginClash
            ├── PluginBroken
            ├── PluginInvalid
            └── PluginVersion

The number is the exit status. A message is one line, says the cause, holds no
secret, and begins with a lower-case letter unless a name begins it; the remedy
says what to do or to type next.
"""

_SHORTEST_KEY = 36
THIS_PROFILE = "{profile}"
"""Stands in a remedy for the option that names the profile which the error is about."""


def printable(text: str, limit: int = 200) -> str:
    """Text of foreign origin as one harmless line.

    Args:
        text: anything, for example a server's message.
        limit: the most characters to keep.

    Returns:
        The text with control characters, line separators, bidirectional and
        other invisible marks dropped or turned into spaces (terminal escapes:
        CVE-2024-52005, CVE-2021-25743), white space folded, cut to ``limit``.
    """
    kept = "".join(c if c.isprintable() else " " for c in text[: 4 * limit])
    folded = " ".join(kept.split())
    return folded if len(folded) <= limit else folded[: limit - 3] + "..."


def unkeyed(text: str) -> str:
    """The text without words that look like a key which was pasted in the wrong place.

    A file name, a variable or a setting is shown as it was written; a key has no
    such looks: at least 36 letters of both cases and digits, without a break.
    """
    words, word = [], ""
    for character in f"{text} ":
        if character.isalnum() or character in "-_":
            word += character
            continue
        cases = {"a" * c.islower() or "A" * c.isupper() or "0" * c.isdigit() for c in word}
        hidden = len(word) >= _SHORTEST_KEY and cases >= {"a", "A", "0"}
        words.append(("[not shown]" if hidden else word) + character)
        word = ""
    return "".join(words)[:-1]


def place_of(fault: BaseException) -> str:
    """Where a fault was raised, ``FILE:LINE``: the place without any value."""
    place = fault.__traceback__
    while place is not None and place.tb_next is not None:
        place = place.tb_next
    if place is None:
        return "an unknown place"
    return f"{place.tb_frame.f_code.co_filename.rpartition('/')[2]}:{place.tb_lineno}"


class WxhelperError(Exception):
    """The root. Whatever a user can cause is a subclass.

    Args:
        message: the cause, one line without a secret.
        remedy: what to do or to type next, one line.

    Attributes:
        profile: the profile that it is about, when one is known.
        repeated: whether it is only remembered from an earlier attempt.
        admitted: whether the token was for the place that asked, as far as was seen.
    """

    exit_status = 1

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy
        self.profile = ""
        self.repeated = False
        self.admitted = False

    def line(self) -> str:
        """The one line for a person, without a newline."""
        where = f"profile {self.profile}: " if self.profile else ""
        remedy = self.remedy_for(self.profile)
        what = f"{where}{self.message}" + (f"; {remedy}" if remedy else "")
        return "wxhelper: " + printable(unkeyed(what), 1000)

    def remedy_for(self, profile: str) -> str:
        """The remedy with the option that names the profile, if there is one to name."""
        return for_profile(self.remedy, profile)


def for_profile(text: str, profile: str) -> str:
    """The text with the option that names the profile, or without one where there is none."""
    return text.replace(f" {THIS_PROFILE}", f" --profile {profile}" if profile else "")


class Ended(BaseException):
    """The process was told to end by a signal; no fault, and not to be caught as one.

    Args:
        status: the exit status, 128 and the signal's number.
    """

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


class UsageError(WxhelperError):
    """The command line cannot be understood."""

    exit_status = 2


class TemporaryError(WxhelperError):
    """Nothing is wrong with the key or the configuration, as far as is known."""

    exit_status = 3


class Unreachable(TemporaryError):
    """No answer: network, name, TLS, proxy or deadline."""


class ServiceFailed(TemporaryError):
    """The service answered that it cannot answer now."""


class Throttled(TemporaryError):
    """The service asks to be left alone for a while.

    Args:
        message: the cause.
        retry_after: seconds until the next request is welcome, or None when
            the service did not say (RFC 9110, 10.2.3).
        remedy: what to do.
    """

    def __init__(self, message: str, *, retry_after: float | None = None, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.retry_after = retry_after


class Redirected(TemporaryError):
    """The service sent us elsewhere; a key is never sent after it."""


class AnswerNotUnderstood(TemporaryError):
    """The service answered, but not with a token that can be used."""


class OutputFailed(TemporaryError):
    """Standard output did not take the answer."""


class KeyRefused(WxhelperError):
    """The service says that the key is not good."""

    exit_status = 4


class ConfigurationError(WxhelperError):
    """Something the user wrote, or did not write."""

    exit_status = 5


class UnknownProfile(ConfigurationError):
    """No such profile, or none to choose."""


class KeyUnavailable(ConfigurationError):
    """The reference to the key leads to no usable key."""


class EndpointRefused(ConfigurationError):
    """A key or a token must not go to this address."""


class WrongScheme(ConfigurationError):
    """The calling program cannot carry a token of this scheme."""


class HostRefused(ConfigurationError):
    """The token is not for the host that asked."""


class PluginError(ConfigurationError):
    """A source cannot be had from its plugin."""


class PluginMissing(PluginError):
    """No installed distribution offers the source."""


class PluginClash(PluginError):
    """Two installed distributions offer the same source."""


class PluginBroken(PluginError):
    """The plugin cannot be imported, or fails when asked what it offers."""


class PluginInvalid(PluginError):
    """The plugin offers something that is no token source."""


class PluginVersion(PluginError):
    """The plugin was written for another plugin API."""
