"""Floor 7: ``wxhelper exec-credential``, for kubectl and its relatives."""

import argparse
import json
from collections.abc import Mapping

from wxhelper.cli.answer import answer
from wxhelper.cli.parser import Parser
from wxhelper.errors import ConfigurationError, printable
from wxhelper.protocols import Asked, exec_credential

_WHAT = "Print a token as an ExecCredential (client.authentication.k8s.io)."
_EXAMPLES = """
in a kubeconfig, for a cluster that accepts this token:
  users:
  - name: dev
    user:
      exec:
        apiVersion: client.authentication.k8s.io/v1
        command: /path/to/wxhelper
        args: [exec-credential, --profile, dev]
        interactiveMode: Never
        provideClusterInfo: false
"""


def prepare(parser: Parser) -> None:
    """Declare the options."""
    parser.explain(_WHAT, _EXAMPLES)
    parser.add_profile()
    parser.add_argument(
        "--api-version",
        metavar="v1|v1beta1",
        type=_version,
        help="for clients that do not say it in KUBERNETES_EXEC_INFO; else v1",
    )


def _version(text: str) -> str:
    version = text.removeprefix(exec_credential.GROUP)
    if version not in exec_credential.VERSIONS:
        raise argparse.ArgumentTypeError(f"must be {' or '.join(exec_credential.VERSIONS)}")
    return version


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:
    """Do it.

    Raises:
        ConfigurationError: the client wants a version that there is not.
    """
    asked = Asked(options.verb, profile=options.profile, api_version=options.api_version)
    if not exec_credential.complete(asked, environ):
        said = _version_said(environ[exec_credential.VARIABLE])
        asked.api_version = said or asked.api_version or exec_credential.VERSIONS[0]
    return answer(exec_credential, asked, environ, tells=False)


def _version_said(info: str) -> str | None:
    """The version in the variable; None when it is garbled and says nothing."""
    try:
        content = json.loads(info)
    except (ValueError, RecursionError):
        return None
    said = content.get("apiVersion") if isinstance(content, dict) else None
    if not isinstance(said, str):
        return None
    version = said.removeprefix(exec_credential.GROUP)
    if said == version or version not in exec_credential.VERSIONS:
        raise ConfigurationError(
            f"the client wants an ExecCredential of {printable(said, 80)}, which is not known",
            remedy=f"write apiVersion: {exec_credential.GROUP}v1 in the kubeconfig",
        )
    return version
