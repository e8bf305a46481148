"""Floor 7: the command line, one file per verb.

A verb's module has ``prepare(parser)``, which declares its options, and
``run(options, environ)``, which does it and returns the exit status. Only the
module of the verb that was typed is imported.

    token              token, header
    exec_credential    exec-credential
    curl_config        curl-config
    netrc              netrc
    git_credential     git-credential
    docker_credential  docker-credential
    invalidate         invalidate
    install            install, uninstall
    sources            sources
    login              login
    logout             logout
    profile            profile
    status             status
    doctor             doctor
    sandbox            sandbox
    demo               demo
    answer             what the helper verbs share: one grant, printed by its protocol
    table              rows in columns, in colour on a terminal
    parser             options read strictly, and faults told in one line
    prompt             questions to the person at the terminal
    streams            standard input, output and error
"""

import importlib
import os
from collections.abc import Sequence

from wxhelper import __version__
from wxhelper.cli.parser import Parser
from wxhelper.cli.streams import complain, open_standard_streams, say, undelivered
from wxhelper.errors import Ended, UsageError, WxhelperError, place_of
from wxhelper.profiles import nearest

__all__ = ["VERBS", "main", "undelivered"]

VERBS = {
    "token": ("token", "print a token"),
    "header": ("token", "print it as an Authorization header"),
    "exec-credential": ("exec_credential", "print it as kubectl expects it"),
    "curl-config": ("curl_config", "print it for curl -K, if it is for that address"),
    "netrc": ("netrc", "print it as the password of hosts, for curl --netrc-file"),
    "git-credential": ("git_credential", "answer git"),
    "docker-credential": ("docker_credential", "answer docker"),
    "invalidate": ("invalidate", "drop a token that is no longer accepted"),
    "login": ("login", "ask for a key, try it, store it, and write the profile"),
    "logout": ("logout", "remove the stored key and its tokens"),
    "profile": ("profile", "add, list, show, remove or choose profiles"),
    "status": ("status", "show how each profile stands, by what can be seen from here"),
    "doctor": ("doctor", "try whether all of it works, and say what to do where not"),
    "install": ("install", "write it into the configuration of kubectl, git or docker"),
    "uninstall": ("install", "take it out again, without a trace"),
    "sources": ("sources", "list the installed kinds of token source"),
    "sandbox": ("sandbox", "stand-ins for IBM's servers on this machine, to try things"),
    "demo": ("demo", "see it work, without an account"),
}

_HELP = """\
usage: wxhelper VERB [OPTIONS]

One IBM watsonx API key, and a fresh token for every tool that asks.

verbs:
{verbs}

"wxhelper VERB --help" shows a verb's options and examples.

To begin:
  wxhelper login

Without a configuration:
  export IBMCLOUD_API_KEY=...
  wxhelper header | curl -H @- https://us-south.ml.cloud.ibm.com/...

With one, in {config}:
  [profiles.dev]
  source  = "ibmcloud"
  api_key = "file:~/keys/dev"      or env:NAME, keyring:NAME, command:PROGRAM ARGS

exit status: 0 done, 1 a defect of wxhelper, 2 usage, 3 temporary or not
understood, 4 the key was refused, 5 configuration
"""


def main(arguments: Sequence[str], *, stdin: bytes | None = None) -> int:
    """Everything that the door does not answer.

    Args:
        arguments: without the program's name.
        stdin: what the door has read from standard input; None when it has not.

    Returns:
        The exit status.
    """
    try:
        open_standard_streams()
        return _dispatch(list(arguments), stdin)
    except WxhelperError as fault:
        complain(fault.line())
        return fault.exit_status
    except KeyboardInterrupt:
        return 130
    except Ended as end:
        return end.status
    except SystemExit:
        raise
    except BaseException as fault:  # noqa: BLE001 - a user never sees a traceback
        return _defect(fault)


def _dispatch(arguments: list[str], stdin: bytes | None) -> int:
    verb = arguments[0] if arguments else ""
    if verb == "help" and arguments[1:2] and arguments[1] in VERBS:
        arguments = [verb := arguments[1], "--help"]
    if verb in ("-h", "--help", "help"):
        say(_help())
        return 0
    if verb in ("-V", "--version"):
        say(f"wxhelper {__version__}\n")
        return 0
    if verb not in VERBS:
        # What was typed is not repeated: it may be a key that was pasted here.
        if verb.startswith("-"):
            raise UsageError(
                "the verb comes first, and its options after it",
                remedy="for example: wxhelper token --profile NAME",
            )
        meant = nearest(verb, VERBS)
        raise UsageError(
            "there is no such verb" if verb else "say what to do",
            remedy=(f"did you mean wxhelper {meant}? " if meant else "")
            + "all verbs: wxhelper --help",
        )
    module = importlib.import_module(f"wxhelper.cli.{VERBS[verb][0]}")
    parser = Parser(verb)
    module.prepare(parser)
    options = parser.read(arguments[1:])
    options.stdin = stdin
    return int(module.run(options, os.environ))


def _help() -> str:
    from_environment = os.environ.get("WXHELPER_CONFIG") or "~/.config/wxhelper/config.toml"
    listed = "\n".join(f"  {verb:<19}{summary}" for verb, (_, summary) in VERBS.items())
    return _HELP.format(verbs=listed, config=from_environment)


def _defect(fault: BaseException) -> int:
    # A message may hold anything.
    complain(
        f"wxhelper: a defect of wxhelper {__version__}: {type(fault).__name__} at "
        f"{place_of(fault)}; "
        "please report it with this line"
    )
    return WxhelperError.exit_status
