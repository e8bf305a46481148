"""Floor 6: kubectl: an ``exec`` entry for a user of a kubeconfig.

Which files count, and which of them defines a name, is as client-go has it
(`kubernetes/client-go:tools/clientcmd/loader.go`): the files of KUBECONFIG in order,
missing ones left out, the first that defines a name wins; without KUBECONFIG it is
``~/.kube/config``. A file is locked as `kubectl config` locks it, by ``FILE.lock``.

An entry is known as one of ours by its command and its ``installHint``, which
kubectl keeps when it writes the file anew.
"""

import os
import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from wxhelper import hosts
from wxhelper.errors import ConfigurationError, UsageError, printable
from wxhelper.installers import file, kubeconfig, launcher
from wxhelper.installers.file import After, Outcome
from wxhelper.installers.kubeconfig import Exec, Kubeconfig, User
from wxhelper.plugin.types import CheckResult

API_VERSION = "client.authentication.k8s.io/v1"
_HINT = "wxhelper has gone from there; where it is now, type: wxhelper install kubectl"
# Each of these keeps client-go from ever running an exec entry, or is refused beside one
# (kubernetes/client-go:transport/round_trippers.go, rest/exec.go, tools/clientcmd/validation.go).
_IN_ITS_PLACE = {
    "token": "a static token",
    "tokenFile": "a static token file",
    "username": "a user name and password",
    "password": "a user name and password",
    "client-certificate": "a client certificate",
    "client-certificate-data": "a client certificate",
    "auth-provider": "an auth-provider",
}
_REMEDIES = {
    "token": "kubectl config unset users.{name}.token",
    "tokenFile": "kubectl config unset users.{name}.tokenFile",
    "username": "kubectl config unset users.{name}.username",
    "password": "kubectl config unset users.{name}.password",
}


@dataclass(frozen=True)
class Place:
    """Where the entry goes.

    Attributes:
        user: the user; None for the one of the context.
        context: the context; None for the current one.
    """

    user: str | None = None
    context: str | None = None


def entry(command: str, profile: str) -> Exec:
    """What is written."""
    # An argument that begins with a hyphen would be taken for an option.
    named = [f"--profile={profile}"] if profile.startswith("-") else ["--profile", profile]
    return {
        "apiVersion": API_VERSION,
        "command": command,
        "args": ["exec-credential", *named],
        "interactiveMode": "Never",
        "provideClusterInfo": False,
        "installHint": _HINT if profile.startswith("-") else f"{_HINT} --profile {profile}",
    }


def pasted(command: str, profile: str) -> str:
    """The entry for people to paste, under ``user:``."""
    lines = [f"    {line}\n" for line in kubeconfig.block(entry(command, profile))]
    return "".join(["users:\n", "- name: NAME\n", "  user:\n", *lines])


def paths(environ: Mapping[str, str]) -> list[str]:
    """The kubeconfigs that count, there or not."""
    listed = [path for path in environ.get("KUBECONFIG", "").split(os.pathsep) if path]
    if not listed:
        home = environ.get("HOME") or os.path.expanduser("~")
        listed = [os.path.join(home, ".kube", "config")]
    return list(dict.fromkeys(os.path.abspath(path) for path in listed))


def install(
    environ: Mapping[str, str],
    *,
    profile: str,
    audience: Sequence[str],
    command: str,
    place: Place,
    dry_run: bool = False,
) -> Outcome:
    """Give a user an ``exec`` entry.

    Args:
        environ: the variables.
        profile: the profile whose token it is to be.
        audience: who may be given that token.
        command: the absolute path of ``wxhelper``.
        place: which user.
        dry_run: whether only to tell.

    Raises:
        ConfigurationError: there is no such user, or its entry cannot be written.
        TemporaryError: another program is changing the file.
    """
    known = _load(environ)
    name, servers = _meant(known, place)
    path = next((path for path, config in known.items() if name in config.users), None)
    if path is None:
        raise _undefined(name)

    def change(data: bytes | None) -> After:
        text = file.text_of(data or b"", path)
        return After(_with(text, path, name, entry(command, profile)).encode())

    edit = file.edit(path, change, lock=f"{path}.lock", dry_run=dry_run)
    outcome = Outcome([edit])
    user = printable(name, 60)
    outcome.lines.append(
        f"{path}: user {user} runs {command} for profile {profile}"
        if edit.changed
        else f"{path}: nothing to change, user {user} has this entry"
    )
    outcome.notes += [*_about_servers(servers, audience), *_allow_list(environ, command)]
    return outcome


def uninstall(
    environ: Mapping[str, str],
    *,
    profile: str | None = None,
    user: str | None = None,
    dry_run: bool = False,
) -> Outcome:
    """Take away what ``install`` wrote.

    Args:
        environ: the variables.
        profile: only entries for that profile; None for all.
        user: only that user's; None for all.
        dry_run: whether only to tell.

    Raises:
        ConfigurationError: a kubeconfig cannot be understood or written.
        TemporaryError: another program is changing it.
    """
    outcome = Outcome()

    for path in _load(environ):
        gone: list[str] = []

        def change(data: bytes | None, path: str = path, gone: list[str] = gone) -> After:
            gone.clear()
            text = file.text_of(data or b"", path)
            config = Kubeconfig(text, path)
            for each in list(config.users.values()):
                ours = _ours(each)
                if ours is None or user not in (None, each.name) or profile not in (None, ours):
                    continue
                text = config.without_exec(each.name)
                config = Kubeconfig(text, path)
                gone.append(each.name)
            return After(text.encode() if gone else data)

        outcome.edits.append(file.edit(path, change, lock=f"{path}.lock", dry_run=dry_run))
        outcome.lines += [f"{path}: took the entry from user {printable(n, 60)}" for n in gone]
    if not outcome.lines:
        outcome.lines.append("kubectl: nothing to take away")
    return outcome


def findings(
    environ: Mapping[str, str], known: Collection[str], unfit: Collection[str] = ()
) -> list[CheckResult]:
    """What stands in the way of the entries that are installed.

    Args:
        environ: the variables.
        known: the names of the profiles that there are.
        unfit: those whose tokens kubectl cannot carry.
    """
    there = [path for path in paths(environ) if os.path.exists(path)]
    if not kubeconfig.AVAILABLE:
        text = "kubectl: kubeconfigs were not looked at: PyYAML is not installed"
        remedy = "install wxhelper-core[kubectl]"
        return [CheckResult(outcome="unknown", text=text, remedy=remedy)] * bool(there)
    found = []
    first: dict[str, str] = {}
    for path in there:
        try:
            config = Kubeconfig(file.text_of(_bytes(path), path), path)
        except ConfigurationError as fault:
            found.append(CheckResult(outcome="unknown", text=fault.message, remedy=fault.remedy))
            continue
        for user in config.users.values():
            profile = _ours(user)
            before = first.setdefault(user.name, path)
            if profile is not None and before != path:
                text = (
                    f"kubectl: {path}, user {printable(user.name, 60)}: {before} defines it first"
                )
                remedy = f"type: wxhelper install kubectl --user {shlex.quote(user.name)}"
                found.append(CheckResult(outcome="fail", text=text, remedy=remedy))
            elif profile is not None:
                found.append(_finding(path, user, profile, known, unfit))
    return found


def _with(text: str, path: str, name: str, wanted: Exec) -> str:
    """The text in which the user has this entry."""
    config = Kubeconfig(text, path)
    if name not in config.users:  # it has gone meanwhile
        raise _undefined(name)
    user = config.users[name]
    if _without_nulls(user.keys.get("exec")) == wanted and not _others(user):
        return text
    _refuse_beside_others(user, path)
    if "exec" in user.keys:
        config = Kubeconfig(config.without_exec(name), path)
    return config.with_exec(name, wanted)


def _finding(
    path: str, user: User, profile: str, known: Collection[str], unfit: Collection[str]
) -> CheckResult:
    name, command = printable(user.name, 60), str(user.keys["exec"]["command"])
    where = f"kubectl: {path}, user {name}:"
    if others := _others(user):
        text = f"{where} {_IN_ITS_PLACE[others[0]]} keeps kubectl from asking wxhelper"
        return CheckResult(outcome="fail", text=text, remedy=_how_to_remove(user, others[0]))
    if not launcher.runs(command):
        again = f"wxhelper install kubectl --profile {profile} --user {shlex.quote(user.name)}"
        text = f"{where} there is no program {printable(command)}"
        return CheckResult(outcome="fail", text=text, remedy=f"type: {again}")
    if profile not in known:
        text = f"{where} there is no profile {printable(profile, 64)}"
        remedy = "add that profile, or type: wxhelper uninstall kubectl --profile " + profile
        return CheckResult(outcome="fail", text=text, remedy=remedy)
    if profile in unfit:
        text = f"{where} kubectl cannot carry the tokens of profile {profile}, only Bearer"
        remedy = "name another profile: wxhelper install kubectl --profile NAME --user "
        return CheckResult(outcome="fail", text=text, remedy=remedy + shlex.quote(user.name))
    return CheckResult(outcome="ok", text=f"{where} asks wxhelper for profile {profile}")


def _load(environ: Mapping[str, str]) -> dict[str, Kubeconfig]:
    known = {}
    for path in paths(environ):
        found = file.read(path)
        if found is not None:
            known[path] = Kubeconfig(file.text_of(found.data, path), path)
    return known


def _bytes(path: str) -> bytes:
    found = file.read(path)
    return found.data if found is not None else b""


def _meant(known: Mapping[str, Kubeconfig], place: Place) -> tuple[str, list[str]]:
    """The user, and the servers that it is used for."""
    configs = list(known.values())
    if not configs:
        raise ConfigurationError(
            "there is no kubeconfig", remedy="have your cluster write one, or see KUBECONFIG"
        )
    contexts: dict[str, tuple[str, str]] = {}
    servers: dict[str, str] = {}
    for config in reversed(configs):
        contexts.update(config.contexts)
        servers.update(config.servers)
    name = place.user
    if name is None:
        context = place.context or next((c.current for c in configs if c.current), "")
        if not context:
            raise ConfigurationError(
                "no context is current",
                remedy="give --user NAME or --context NAME, or: kubectl config use-context NAME",
            )
        if context not in contexts:
            raise ConfigurationError(
                f"there is no context {printable(context, 60)}",
                remedy="see: kubectl config get-contexts",
            )
        name = contexts[context][1]
        if not name:
            raise ConfigurationError(
                f"the context {printable(context, 60)} names no user",
                remedy=f"type: kubectl config set-context {shlex.quote(context)} --user NAME",
            )
    elif place.context is not None:
        raise UsageError("--user and --context exclude each other", remedy="give one of them")
    used = [cluster for cluster, user in contexts.values() if user == name]
    return name, [servers[c] for c in dict.fromkeys(used) if servers.get(c)]


def _undefined(name: str) -> ConfigurationError:
    return ConfigurationError(
        f"no kubeconfig defines the user {printable(name, 60)}",
        remedy=f"type: kubectl config set-credentials {shlex.quote(name)}",
    )


def _ours(user: User) -> str | None:
    """The profile of an entry that we wrote, else None."""
    said = user.keys.get("exec")
    if not isinstance(said, dict) or not str(said.get("installHint")).startswith(_HINT):
        return None
    arguments = said.get("args")
    if not isinstance(arguments, list) or arguments[:1] != ["exec-credential"]:
        return None
    if not launcher.is_ours(str(said.get("command"))) or ... in arguments:
        return None
    return str(arguments[-1]).removeprefix("--profile=")


def _without_nulls(said: object) -> object:
    """An entry without what kubectl adds when it writes it: ``env: null``."""
    if not isinstance(said, dict):
        return said
    return {key: value for key, value in said.items() if value is not None}


def _others(user: User) -> list[str]:
    return [key for key in _IN_ITS_PLACE if key in user.keys]


def _how_to_remove(user: User, key: str) -> str:
    typed = _REMEDIES.get(key)
    if typed is None or "." in user.name:
        return f"remove {key} from that user"
    return "type: " + typed.format(name=shlex.quote(user.name))


def _refuse_beside_others(user: User, path: str) -> None:
    name = printable(user.name, 60)
    if others := _others(user):
        raise ConfigurationError(
            f"{path}: user {name} has {_IN_ITS_PLACE[others[0]]}, and kubectl then runs no helper",
            remedy=_how_to_remove(user, others[0]),
        )
    if "exec" in user.keys and _ours(user) is None:
        said = user.keys["exec"]
        command = said.get("command") if isinstance(said, dict) else None
        runs = printable(command, 100) if isinstance(command, str) else "another program"
        raise ConfigurationError(
            f"{path}: user {name} has an exec entry already, which runs {runs}",
            remedy="remove it, or give another user with --user NAME",
        )


def _about_servers(servers: Sequence[str], audience: Sequence[str]) -> Iterator[str]:
    for server in servers:
        shown = printable(server)
        place = hosts.place_of(server)
        if server.lower().startswith("http:"):
            yield f"{shown} is plain http: kubectl runs no helper for it"
        elif place is None or not hosts.matches(audience, place):
            yield (
                f"{shown} is not among the profile's hosts: see that this server is meant to "
                "have its token"
            )


def _allow_list(environ: Mapping[str, str], command: str) -> Iterator[str]:
    """What kubectl's own list of allowed helpers needs (KEP-3104)."""
    path = environ.get("KUBERC") or os.path.join(environ.get("HOME", "~"), ".kube", "kuberc")
    if path != "off" and os.path.exists(path):
        shown = kubeconfig.block({"command": command})[1].strip().removeprefix("command: ")
        yield (
            f"if {path} says credentialPluginPolicy: Allowlist, its credentialPluginAllowlist "
            f"needs the entry {{command: {shown}}} (kubectl 1.35: {{name: {shown}}})"
        )
