"""A configuration, a kubeconfig and the variables that lead commands to a sandbox."""

import base64
import json
import os
import re
from collections.abc import Mapping, Sequence
from typing import Any

from wxhelper.sandbox.sandbox import USERNAME, Sandbox

PROFILE = "sandbox"
TLS_PROFILE = "sandbox-tls"

_KEY_FILE = "apikey"
_MCSP_KEY_FILE = "mcsp-apikey"
_MEMBER_KEY_FILE = "dph-apikey"
_FOREIGN = re.compile(
    r"(WXHELPER|XDG|KUBE|WATSONX|IBM|IBMCLOUD|IC|CURL)_|KUBECONFIG$|NETRC$|SSLKEYLOGFILE$"
    r"|.*_PROXY$|(REQUESTS|CURL)_CA_BUNDLE$|SSL_CERT_",
    re.IGNORECASE,
)
_HOSTS = ("127.0.0.1", "localhost")
_INSTALL_HINT = "This kubeconfig works while `wxhelper sandbox` runs, and not after it."


def profile_text(sandbox: Sandbox) -> str:
    """The configuration file: a profile for every service that makes tokens.

    ``sandbox`` is IBM Cloud; ``trusted-profile`` and ``kubernetes`` are variants of it,
    and ``sandbox-tls`` is the same over https, where there is TLS. ``aws``, ``govcloud``,
    ``dph`` and ``dph-zen`` are the other services of IBM's documents. The keys are read
    from files beside the configuration file. ``hosts`` keeps the sandbox's tokens to the
    sandbox.

    Args:
        sandbox: a running sandbox.

    Returns:
        TOML.
    """
    url = sandbox.http_url
    user = {"url": url, "api_key": f"file:{_MEMBER_KEY_FILE}", "username": USERNAME}
    text = f"default_profile = {_toml(PROFILE)}\n" + _profile(PROFILE, "ibmcloud", url=url)
    if sandbox.https_url is not None and sandbox.ca_file is not None:
        ca_file = os.path.abspath(sandbox.ca_file)
        text += _profile(TLS_PROFILE, "ibmcloud", url=sandbox.https_url, ca_file=ca_file)
    profile = sandbox.trusted_profile.identifier
    return text + "".join(
        (
            _profile("trusted-profile", "ibmcloud", url=url, trusted_profile=profile),
            _profile("kubernetes", "ibmcloud-kubernetes", url=url),
            _profile("aws", "aws", url=url, api_key=f"file:{_MCSP_KEY_FILE}"),
            _profile("govcloud", "govcloud", url=url, api_key=f"file:{_MCSP_KEY_FILE}"),
            _profile("dph", "dph", mode="bearer", **user),
            _profile("dph-zen", "dph", mode="zenapikey", **user),
        )
    )


def kubeconfig_text(sandbox: Sandbox, command: Sequence[str]) -> str:
    """A kubeconfig whose one user runs wxhelper (client.authentication.k8s.io/v1).

    Args:
        sandbox: a running sandbox. Without TLS the file is good, but clients run no
            credential plugin for a server over plain http.
        command: how to run wxhelper, program and first arguments.

    Returns:
        JSON, which is YAML.
    """
    cluster: dict[str, Any] = {"server": sandbox.https_url or sandbox.http_url}
    if sandbox.ca_file is not None:
        with open(sandbox.ca_file, "rb") as file:
            authority = base64.b64encode(file.read()).decode("ascii")
        cluster["certificate-authority-data"] = authority
    execute = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": command[0],
        "args": [*command[1:], "exec-credential", "--profile", PROFILE],
        "env": None,
        "interactiveMode": "Never",
        "provideClusterInfo": False,
        "installHint": _INSTALL_HINT,
    }
    context = {"cluster": PROFILE, "user": PROFILE, "namespace": "default"}
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": PROFILE, "cluster": cluster}],
        "users": [{"name": PROFILE, "user": {"exec": execute}}],
        "contexts": [{"name": PROFILE, "context": context}],
        "current-context": PROFILE,
    }
    return json.dumps(document, indent=2) + "\n"


def lay_out(sandbox: Sandbox, directory: str, command: Sequence[str]) -> dict[str, str]:
    """Writes everything that a command needs in order to work with the sandbox.

    Args:
        sandbox: a running sandbox.
        directory: where; made when it is missing. Files are 0600 and new directories
            0700 under any umask.
        command: how to run wxhelper, program and first arguments.

    Returns:
        The variables to export: HOME, WXHELPER_CONFIG, WXHELPER_CACHE_DIR, KUBECONFIG,
        WXHELPER_SANDBOX_URL and, where there is TLS, WXHELPER_SANDBOX_TLS_URL and
        WXHELPER_SANDBOX_CA.

    Raises:
        FileExistsError: something has been laid out there already.
        OSError: the directory cannot be written.
    """
    root = os.path.abspath(directory)
    if not os.path.isdir(root):
        _make_directory(root)
    variables = {
        "HOME": os.path.join(root, "home"),
        "WXHELPER_CONFIG": os.path.join(root, "config.toml"),
        "WXHELPER_CACHE_DIR": os.path.join(root, "cache"),
        "KUBECONFIG": os.path.join(root, "kubeconfig"),
        "WXHELPER_SANDBOX_URL": sandbox.http_url,
    }
    _make_directory(variables["HOME"])
    _make_directory(variables["WXHELPER_CACHE_DIR"])
    for name, key in (
        (_KEY_FILE, sandbox.api_key),
        (_MCSP_KEY_FILE, sandbox.mcsp_key),
        (_MEMBER_KEY_FILE, sandbox.member.api_key),
    ):
        _write(os.path.join(root, name), f"{key}\n")
    _write(variables["WXHELPER_CONFIG"], profile_text(sandbox))
    _write(variables["KUBECONFIG"], kubeconfig_text(sandbox, command))
    if sandbox.https_url is not None and sandbox.ca_file is not None:
        variables["WXHELPER_SANDBOX_TLS_URL"] = sandbox.https_url
        variables["WXHELPER_SANDBOX_CA"] = os.path.abspath(sandbox.ca_file)
    return variables


def _profile(name: str, source: str, **settings: str) -> str:
    entries: dict[str, str | Sequence[str]] = {
        "source": source,
        "api_key": f"file:{_KEY_FILE}",
        **settings,
        "hosts": _HOSTS,
    }
    lines = [f"{key} = {_toml(value)}" for key, value in entries.items()]
    return "\n".join(["", f"[profiles.{name}]", *lines, ""])


def _toml(value: str | Sequence[str]) -> str:
    """A TOML string or array: JSON's are the same but for DEL (TOML 1.0, String)."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _make_directory(path: str) -> None:
    os.mkdir(path, 0o700)
    os.chmod(path, 0o700)


def _write(path: str, text: str) -> None:
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with open(descriptor, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    os.chmod(path, 0o600)


def around(
    environ: Mapping[str, str], laid_out: Mapping[str, str], programs: str
) -> dict[str, str]:
    """The variables for a command that is to see the sandbox and nothing of the user's.

    Args:
        environ: the user's variables.
        laid_out: what `lay_out` returned.
        programs: the directory of the wxhelper command, which PATH then begins with.

    Returns:
        The user's variables without those that lead to other configurations, keys,
        proxies or certificates.
    """
    kept = {name: value for name, value in environ.items() if not _FOREIGN.match(name)}
    path = os.pathsep.join(filter(None, [programs, environ.get("PATH", os.defpath)]))
    return {**kept, "PATH": path, "NO_PROXY": "*", "no_proxy": "*", **laid_out}
