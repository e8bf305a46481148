"""Every error as a user meets it: the whole line, the exit status, and nothing else."""

import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wxhelper.sandbox import Fault, Sandbox

if TYPE_CHECKING:
    from tests.conftest import Command
    from tests.real.conftest import Ended

# Like a key of IBM's: 44 characters, and never to be seen in any output.
PASTED = "Xq3_paStEdbYmiStaKe-0000000000000000000000aZ"
TOKEN_BEGINS = "eyJ"


@dataclass
class World:
    """A command as it is laid out, and what can be made wrong with it."""

    wx: "Command"
    sandbox: Sandbox
    config: Path
    key_file: Path
    cache: Path

    @property
    def environ(self) -> dict[str, str]:
        return self.wx.environ

    def text(self, text: str) -> None:
        """Writes a configuration."""
        self.config.write_text(text)

    def profile(self, **settings: str | None) -> None:
        """Writes a profile that would work, with changes."""
        usual = {"source": "ibmcloud", "url": self.sandbox.http_url, "api_key": "file:apikey"}
        lines = [f"{k} = '{v}'" for k, v in {**usual, **settings}.items() if v is not None]
        self.text("\n".join(["[profiles.sandbox]", *lines, ""]))

    def key(self, text: str) -> None:
        """Writes the key file."""
        self.key_file.write_text(text)

    def fault(self, **said: object) -> None:
        """Lets every token request go wrong."""
        self.sandbox.faults.add(Fault(match="iam", times=None, **said))  # type: ignore[arg-type]

    def unconfigured(self, **variables: str) -> None:
        """Takes the configuration away."""
        del self.environ["WXHELPER_CONFIG"]
        self.environ.update(variables)

    def told(self, text: str) -> str:
        """A line of the tables below with what is different each time."""
        return text.format(
            config=self.config,
            key_file=self.key_file,
            cache=self.cache,
            home=self.environ.get("HOME", ""),
            port=self.sandbox.http_url.rpartition(":")[2],
        )


@pytest.fixture
def world(wx: "Command", sandbox: Sandbox, config: Path, key_file: Path, cache: Path) -> World:
    return World(wx, sandbox, config, key_file, cache)


Prepare = Callable[[World], object]
Row = tuple[str, str, Prepare, str]


def as_it_is(world: World) -> None:
    """Nothing is wrong with the files."""


def text(content: str) -> Prepare:
    return lambda world: world.text(content)


def profile(**settings: str | None) -> Prepare:
    return lambda world: world.profile(**settings)


def key(content: str) -> Prepare:
    return lambda world: world.key(content)


def variables(**changed: str) -> Prepare:
    return lambda world: world.environ.update(changed)


def fault(**said: object) -> Prepare:
    return lambda world: world.fault(**said)


def a_directory_in_place_of(name: str) -> Prepare:
    def prepare(world: World) -> None:
        path = getattr(world, name)
        path.unlink()
        path.mkdir()

    return prepare


def told_in_one_line(world: World, ended: "Ended", status: int, line: str) -> None:
    assert ended == (status, "", f"wxhelper: {world.told(line)}\n")
    for secret in (world.sandbox.api_key, PASTED, TOKEN_BEGINS, "Traceback"):
        assert secret not in ended[2]


def run(world: World, command: str) -> "Ended":
    done = world.wx(*command.split())
    return done.status, done.out, done.err


def by_name(rows: list[Row]) -> pytest.MarkDecorator:
    named = [pytest.param(*row[1:], id=row[0]) for row in rows]
    return pytest.mark.parametrize(("command", "prepare", "line"), named)


# ------------------------------------------------------------------------------ 2, the command line

SEE = "see: wxhelper token --help"
USAGE: list[Row] = [
    ("nothing typed", "", as_it_is, "say what to do; all verbs: wxhelper --help"),
    (
        "a verb mistyped",
        "tokne",
        as_it_is,
        "there is no such verb; did you mean wxhelper token? all verbs: wxhelper --help",
    ),
    (
        "a key in place of a verb",
        PASTED,
        as_it_is,
        "there is no such verb; all verbs: wxhelper --help",
    ),
    (
        "an option shortened",
        "token --profil sandbox",
        as_it_is,
        f"token: unknown option --profil; {SEE}",
    ),
    (
        "a key by an option",
        f"token --api-key {PASTED}",
        as_it_is,
        f"token: unknown option --api-key; {SEE}",
    ),
    (
        "a key by an option, with =",
        f"token --api-key={PASTED}",
        as_it_is,
        f"token: unknown option --api-key; {SEE}",
    ),
    ("a key as an argument", f"token {PASTED}", as_it_is, f"token: an argument too many; {SEE}"),
    (
        "a key to invalidate",
        f"invalidate {PASTED}",
        as_it_is,
        "invalidate: an argument too many; see: wxhelper invalidate --help",
    ),
    (
        "an impossible profile",
        f"token --profile {PASTED}/+",
        as_it_is,
        f"token: --profile: must have 1 to 64 letters, digits, dots, underscores or hyphens; {SEE}",
    ),
    (
        "no profile named",
        "token --profile",
        as_it_is,
        f"token: --profile: expected one argument; {SEE}",
    ),
    (
        "a life that is no number",
        f"token --min-ttl {PASTED}",
        as_it_is,
        f"token: --min-ttl: must be a number of seconds; {SEE}",
    ),
    (
        "an unknown form",
        f"token --output {PASTED}",
        as_it_is,
        f"token: --output: must be raw or json; {SEE}",
    ),
    (
        "an unknown version",
        "exec-credential --api-version v1alpha1",
        as_it_is,
        (
            "exec-credential: --api-version: must be v1 or v1beta1; "
            "see: wxhelper exec-credential --help"
        ),
    ),
    (
        "an option of another verb",
        "exec-credential --output json",
        as_it_is,
        "exec-credential: unknown option --output; see: wxhelper exec-credential --help",
    ),
]


@by_name(USAGE)
def test_what_cannot_be_understood_is_not_repeated(
    command: str, prepare: Prepare, line: str, world: World
) -> None:
    told_in_one_line(world, run(world, command), 2, line)


@pytest.mark.parametrize("way", ["option", "variable"])
def test_a_key_in_place_of_a_profile_is_not_repeated(way: str, world: World) -> None:
    if way == "option":
        done = world.wx("token", "--profile", PASTED)
    else:
        done = world.wx("token", WXHELPER_PROFILE=PASTED)
    assert (done.status, done.out) == (5, "")
    assert PASTED not in done.err


# ----------------------------------------------------------------------------- 5, the configuration

VARIABLES = (
    "WXHELPER_API_KEY, IBMCLOUD_API_KEY, IBM_CLOUD_API_KEY, IC_API_KEY, WATSONX_APIKEY, "
    "WATSONX_API_KEY"
)
TWO = (
    '[profiles.a]\nsource = "ibmcloud"\napi_key = "env:A"\n'
    '[profiles.b]\nsource = "ibmcloud"\napi_key = "env:B"\n'
)
OURS = "profile sandbox: "
FILE = OURS + "file:{key_file}"
WRITE_URL = "write it as https://HOST[:PORT][/PATH]"
CONFIGURATION: list[Row] = [
    (
        "no configuration",
        "token",
        lambda world: world.unconfigured(),
        (
            "profile env: there is no API key: {home}/.config/wxhelper/config.toml does not exist, "
            f"and none of {VARIABLES} is set; export IBMCLOUD_API_KEY=YOUR_API_KEY"
        ),
    ),
    (
        "a profile, and no configuration",
        "token --profile dev",
        lambda world: world.unconfigured(),
        (
            "there is no profile dev: {home}/.config/wxhelper/config.toml does not exist; "
            "write [profiles.dev] into it; an example is in: wxhelper --help"
        ),
    ),
    (
        "an unknown profile",
        "token --profile sandbx",
        as_it_is,
        "there is no profile sandbx in {config}, only sandbox; did you mean --profile sandbox?",
    ),
    (
        "an unknown profile by variable",
        "exec-credential",
        variables(WXHELPER_PROFILE="sandbx"),
        "there is no profile sandbx in {config}, only sandbox; did you mean --profile sandbox?",
    ),
    (
        "an impossible profile by variable",
        "token",
        variables(WXHELPER_PROFILE="../x"),
        (
            "a profile's name has 1 to 64 letters, digits, dots, underscores or hyphens; "
            "see --profile and WXHELPER_PROFILE"
        ),
    ),
    (
        "several profiles",
        "token",
        text(TWO),
        (
            "{config} has several profiles and no default_profile: a, b; "
            'add default_profile = "a" to it, or give --profile NAME'
        ),
    ),
    (
        "an unknown default profile",
        "token",
        text(f'default_profile = "bb"\n{TWO}'),
        '{config}: default_profile names bb, and there is only a, b; write default_profile = "b"',
    ),
    (
        "no TOML",
        "token",
        text("[profiles.sandbox]\nsource = ibmcloud\n"),
        "{config}, line 2: invalid value; correct that line; values are written in quotes",
    ),
    (
        "no UTF-8",
        "token",
        lambda world: world.config.write_bytes(b"# \n# \xff\n"),
        "{config}, line 2: it is not UTF-8 text; correct that line; values are written in quotes",
    ),
    (
        "an unknown key on top",
        "token",
        text('profile = "sandbox"\n'),
        "{config}: unknown key profile; did you mean profiles?",
    ),
    (
        "a key mistyped",
        "token",
        profile(apikey="file:apikey"),
        OURS + "{config}: unknown key profiles.sandbox.apikey; did you mean api_key?",
    ),
    (
        "an unknown key",
        "token",
        profile(timeout="5"),
        OURS + "{config}: unknown key profiles.sandbox.timeout; "
        "known here: source, api_key, hosts, url, ca_file",
    ),
    (
        "no source",
        "token",
        profile(source=None),
        '{config}: profiles.sandbox.source is missing; write source = "ibmcloud"',
    ),
    (
        "no key",
        "token",
        profile(api_key=None),
        '{config}: profiles.sandbox.api_key is missing; write api_key = "env:IBMCLOUD_API_KEY"',
    ),
    (
        "profiles that are no table",
        "token",
        text("profiles = 1\n"),
        "{config}: profiles must be a table; begin a profile with [profiles.NAME]",
    ),
    (
        "a profile that is no table",
        "token",
        text("profiles.sandbox = 1\n"),
        "{config}: profiles.sandbox must be a table; begin it with [profiles.sandbox]",
    ),
    (
        "a source of the wrong type",
        "token",
        text("[profiles.sandbox]\nsource = 1\n"),
        '{config}: profiles.sandbox.source must be a string; write source = "ibmcloud"',
    ),
    (
        "a setting of the wrong type",
        "token",
        text('[profiles.sandbox]\nsource = "ibmcloud"\napi_key = "file:apikey"\nurl = 1\n'),
        OURS + '{config}: profiles.sandbox.url must be a string; write url = "..."',
    ),
    (
        "hosts of the wrong type",
        "token",
        profile(hosts="api.example.com"),
        (
            "{config}: profiles.sandbox.hosts must be a list of HOST, HOST:PORT or *.HOST; "
            'write hosts = ["api.example.com"]'
        ),
    ),
    (
        "a configuration that cannot be read",
        "token",
        a_directory_in_place_of("config"),
        (
            "the configuration {config} cannot be read: Is a directory; "
            "look at it with: ls -lL {config}"
        ),
    ),
    (
        "a configuration that others may write",
        "token",
        lambda world: world.config.chmod(0o664),
        "the configuration {config} can be changed by other users; chmod go-w {config}",
    ),
    (
        "no key file",
        "token",
        lambda world: world.key_file.unlink(),
        OURS + "there is no key file {key_file}; create it: (umask 077; cat > {key_file})",
    ),
    (
        "a key file that cannot be read",
        "token",
        a_directory_in_place_of("key_file"),
        OURS + "the key file {key_file} cannot be read: Is a directory; "
        "look at it with: ls -lL {key_file}",
    ),
    (
        "a key file that others may write",
        "token",
        lambda world: world.key_file.chmod(0o602),
        OURS + "the key file {key_file} can be changed by other users; chmod go-w {key_file}",
    ),
    ("an empty key file", "token", key("\n"), FILE + " is empty; put the API key there"),
    (
        "a placeholder",
        "token",
        key("${IBMCLOUD_API_KEY}"),
        FILE + " holds a placeholder, not a key; put the API key itself there "
        "(a shell expands nothing in single quotes)",
    ),
    (
        "a placeholder in words",
        "token",
        key("<your api key>\n"),
        FILE + " holds a placeholder, not a key; put the API key itself there "
        "(a shell expands nothing in single quotes)",
    ),
    (
        "a piece of JSON",
        "token",
        key(f'"apikey": "{PASTED}",'),
        FILE + " holds a piece of JSON, not a key; give the value of its apikey field alone, "
        "or the whole file with file:PATH",
    ),
    (
        "JSON without a key",
        "token",
        key(f'{{"name": "{PASTED}"}}'),
        FILE + " is JSON without an apikey field; give the file that was downloaded with the key, "
        "or the key alone",
    ),
    (
        "a key in the configuration",
        "token",
        profile(api_key=PASTED),
        OURS + "profiles.sandbox.api_key is not a reference to a key (if it is a key: {config} is "
        "not the place for it); put the key into a private file or a variable and write env:NAME, "
        "file:PATH or command:PROGRAM ARGS instead",
    ),
    (
        "a variable that is not set",
        "token",
        profile(api_key="env:THE_KEY"),
        OURS + "the variable THE_KEY is not set; export THE_KEY=YOUR_API_KEY",
    ),
    (
        "a program that is not there",
        "token",
        profile(api_key="command:/nonexistent/pass show"),
        OURS + "command:/nonexistent/pass cannot be run: No such file or directory; "
        "correct the command in profiles.sandbox.api_key",
    ),
    (
        "a program that fails",
        "token",
        profile(api_key=f'command:sh -c "echo {PASTED} is locked >&2; exit 3"'),
        OURS + "command:sh ended with status 3: [redacted] is locked; "
        "run the command by hand and mend it",
    ),
    (
        "plain http",
        "token",
        profile(url="http://iam.cloud.ibm.com"),
        OURS + "url is http://iam.cloud.ibm.com, and a key never goes over plain http; "
        "write https://iam.cloud.ibm.com",
    ),
    (
        "no scheme",
        "token",
        profile(url="iam.cloud.ibm.com"),
        OURS + f"url must begin with https://: iam.cloud.ibm.com; {WRITE_URL}",
    ),
    (
        "three slashes",
        "token",
        profile(url="https:///iam.cloud.ibm.com"),
        OURS + "url has three slashes and so no host: https:///iam.cloud.ibm.com; " + WRITE_URL,
    ),
    (
        "a password in the url",
        "token",
        profile(url=f"https://me:{PASTED}@iam.cloud.ibm.com"),
        OURS + f"url must not hold a user name or password: https://iam.cloud.ibm.com; {WRITE_URL}",
    ),
    (
        "a key in the url",
        "token",
        profile(url=f"https://iam.cloud.ibm.com/?apikey={PASTED}"),
        OURS + f"url must not have a query or a fragment: https://iam.cloud.ibm.com/; {WRITE_URL}",
    ),
    (
        "a first-party source that is not installed",
        "token",
        profile(source="aws"),
        OURS + "no installed plugin offers source aws; "
        "install the distribution wxhelper-aws beside wxhelper-core",
    ),
    (
        "a source mistyped",
        "token",
        profile(source="ibmclod"),
        OURS + "no installed plugin offers source ibmclod; did you mean ibmcloud?",
    ),
    (
        "a source that is left out",
        "token",
        variables(WXHELPER_PLUGINS="aws"),
        OURS + "source ibmcloud is installed, but WXHELPER_PLUGINS leaves it out; "
        "add ibmcloud to WXHELPER_PLUGINS, or unset it",
    ),
    (
        "no such certificates",
        "token",
        profile(ca_file="/nonexistent/ca.pem"),
        OURS + "ca_file names /nonexistent/ca.pem, which cannot be read: "
        "No such file or directory; correct or remove ca_file",
    ),
    (
        "no certificates",
        "token",
        profile(ca_file="apikey"),
        OURS + "ca_file names {key_file}, which holds no certificate (PEM); "
        "correct or remove ca_file",
    ),
    (
        "a client of another time",
        "exec-credential",
        variables(
            KUBERNETES_EXEC_INFO='{"apiVersion":"client.authentication.k8s.io/v1alpha1"}',
        ),
        (
            "the client wants an ExecCredential of client.authentication.k8s.io/v1alpha1, which is "
            "not known; write apiVersion: client.authentication.k8s.io/v1 in the kubeconfig"
        ),
    ),
]


@by_name(CONFIGURATION)
def test_a_configuration_error_asks_nobody(
    command: str, prepare: Prepare, line: str, world: World
) -> None:
    prepare(world)
    told_in_one_line(world, run(world, command), 5, line)
    assert world.sandbox.token_requests() == 0


# ----------------------------------------------------------------------------- 4 and 3, the service

IAM = OURS + "IBM Cloud IAM "
IS_IT = "check url in the profile: is it the token service?"
PUT_OR_INVALIDATE = (
    "put a valid key there; if the key was mended instead, "
    "run: wxhelper invalidate --profile sandbox"
)


def a_key_that_nobody_knows(world: World) -> None:
    world.sandbox.keys.clear()


def a_service_that_repeats_the_key(world: World) -> None:
    said = f'{{"errorCode":"BXNIM0415E","errorMessage":"no key {world.sandbox.api_key}"}}'
    world.fault(status=403, body=said.encode())


REFUSALS: list[Row] = [
    (
        "a key that nobody knows",
        "token",
        a_key_that_nobody_knows,
        IAM + "refused the API key from file:{key_file}: "
        "BXNIM0415E Provided API key could not be found; " + PUT_OR_INVALIDATE,
    ),
    (
        "a service that repeats the key",
        "header",
        a_service_that_repeats_the_key,
        IAM
        + "refused the API key from file:{key_file}: BXNIM0415E no key [redacted]; "
        + PUT_OR_INVALIDATE,
    ),
    (
        "a service that would paint the terminal",
        "exec-credential",
        fault(status=401, body=b'{"errorMessage":"\\u001b]0;title\\u0007no\\n\\u202eway"}'),
        IAM + "refused the API key from file:{key_file}: ]0;title no way; " + PUT_OR_INVALIDATE,
    ),
]
FAILURES: list[Row] = [
    (
        "throttled",
        "token",
        fault(status=429, headers={"Retry-After": "7"}),
        IAM + "asks to be left alone for a while (HTTP 429); "
        "wait; until then it is not asked again",
    ),
    (
        "out of order",
        "header",
        fault(status=500),
        IAM + "failed with HTTP 500; try again in a minute",
    ),
    (
        "unavailable",
        "exec-credential",
        fault(status=503),
        IAM + "failed with HTTP 503; try again in a minute",
    ),
    (
        "a page to sign in",
        "token",
        fault(
            headers={"Content-Type": "text/html"},
            body=f"<html><title>{PASTED}</title></html>".encode(),
        ),
        IAM + f"answered HTTP 200 with something that is no JSON object; {IS_IT}",
    ),
    (
        "an empty answer",
        "token",
        fault(body=b""),
        IAM + f"answered HTTP 200 with something that is no JSON object; {IS_IT}",
    ),
    (
        "no token in the answer",
        "token",
        fault(body=b"{}"),
        OURS + f"the answer of IBM Cloud IAM holds no access_token; {IS_IT}",
    ),
    (
        "no life in the answer",
        "token",
        fault(body=b'{"access_token":"opaque-token"}'),
        OURS + f"the answer of IBM Cloud IAM does not say how long the token lives; {IS_IT}",
    ),
    (
        "a service of another kind",
        "token",
        fault(status=404),
        IAM + f"answered HTTP 404; {IS_IT}",
    ),
    (
        "a redirect to another host",
        "token",
        fault(status=307, headers={"Location": f"https://elsewhere.invalid/?key={PASTED}"}),
        OURS + "127.0.0.1 redirects to https://elsewhere.invalid, and a key is not sent after it; "
        "write the token service's own address as url in the profile",
    ),
    (
        "a connection that breaks off before the answer",
        "token",
        fault(drop="before"),
        OURS + "the connection to 127.0.0.1:{port} broke off; try again",
    ),
    (
        "a connection that breaks off within the answer",
        "token",
        fault(drop="mid-body"),
        OURS + "the connection to 127.0.0.1:{port} broke off; try again",
    ),
    (
        "an answer without end",
        "token",
        fault(body=b" " * 300_000),
        OURS + "127.0.0.1 sent more than 256 KiB where a token was expected; "
        "check url in the profile",
    ),
    (
        "an answer that drips beyond the deadline",
        "exec-credential",
        fault(drip=(1, 0.1)),
        OURS + "127.0.0.1 did not answer within 10 seconds; "
        "try again; if it stays so, look at the network and the proxy",
    ),
    (
        "nobody there",
        "token",
        profile(url="http://127.0.0.1:1"),
        OURS + "127.0.0.1:1 cannot be reached: Connection refused; "
        "check url in the profile, the network and the proxy",
    ),
]


@by_name(REFUSALS)
def test_a_refused_key_is_told_and_not_tried_again(
    command: str, prepare: Prepare, line: str, world: World
) -> None:
    prepare(world)
    told_in_one_line(world, run(world, command), 4, line)
    told_in_one_line(world, run(world, command), 4, line)
    assert world.sandbox.token_requests() == 1


@by_name(FAILURES)
def test_a_service_that_fails_is_told(
    command: str, prepare: Prepare, line: str, world: World
) -> None:
    prepare(world)
    told_in_one_line(world, run(world, command), 3, line)


def test_a_service_that_asks_for_it_is_left_alone(world: World) -> None:
    world.fault(status=429, headers={"Retry-After": "300"})
    ended = [run(world, command) for command in ("token", "header", "exec-credential")]
    assert [(status, out) for status, out, _ in ended] == [(3, "")] * 3
    assert len({err for _, _, err in ended}) == 1
    assert world.sandbox.token_requests() == 1


def test_an_unknown_authority_is_not_trusted(tls_sandbox: Sandbox, tls_wx: "Command") -> None:
    config = Path(tls_wx.environ["WXHELPER_CONFIG"])
    lines = config.read_text().splitlines(keepends=True)
    config.write_text("".join(line for line in lines if not line.startswith("ca_file")))
    origin = str(tls_sandbox.https_url).removeprefix("https://")
    done = tls_wx("token", "--profile", "sandbox-tls")
    assert (done.status, done.out, done.err) == (
        3,
        "",
        (
            f"wxhelper: profile sandbox-tls: the certificate of {origin} was not accepted: unable "
            "to get local issuer certificate; if your organisation signs it, write its CA as "
            "ca_file in the profile\n"
        ),
    )
    assert tls_sandbox.token_requests() == 0


def test_a_name_without_an_address_is_told(world: World, program: str) -> None:
    # In a network of its own, without an interface: nobody outside is asked for the name.
    alone = ["unshare", "--net"] if os.geteuid() == 0 else ["unshare", "--map-root-user", "--net"]
    if (
        shutil.which("unshare") is None
        or subprocess.run([*alone, "true"], capture_output=True, check=False).returncode != 0
    ):
        pytest.skip("there is no network to be had without an interface")
    world.profile(url="https://iam.wxhelper.invalid")
    done = subprocess.run(
        [*alone, program, "token"],
        env=world.environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    told_in_one_line(
        world,
        (done.returncode, done.stdout, done.stderr),
        3,
        OURS + "there is no address for the name iam.wxhelper.invalid; "
        "check url in the profile, the network and its name service",
    )


# -------------------------------------------------------------------------------------- the streams


def in_shell(world: World, script: str, program: str, **changes: str | None) -> "Ended":
    done = subprocess.run(
        ["sh", "-c", script, "sh", program],
        env=world.wx.changed(changes),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize("held", [False, True], ids=["miss", "hit"])
@pytest.mark.parametrize("command", ["token", "header", "exec-credential"])
@pytest.mark.parametrize(
    ("into", "line"),
    [
        (">&-", "standard output is closed; let it go to a pipe or a file"),
        (
            ">/dev/full",
            (
                "standard output does not take the answer: No space left on device; "
                "look at where it is redirected to"
            ),
        ),
    ],
    ids=["closed", "full"],
)
def test_an_answer_that_cannot_be_written_is_told(
    held: bool, command: str, into: str, line: str, world: World, program: str
) -> None:
    if held:
        assert world.wx("token").status == 0
    told_in_one_line(world, in_shell(world, f'"$1" {command} {into}', program), 3, line)


@pytest.mark.parametrize("held", [False, True], ids=["miss", "hit"])
def test_a_reader_that_goes_away_is_told_nothing(held: bool, world: World, program: str) -> None:
    if held:
        assert world.wx("token").status == 0
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [program, "token"],
            env=world.environ,
            stdout=writing,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    finally:
        os.close(writing)
    assert (done.returncode, done.stderr) == (3, "")


@pytest.mark.parametrize("held", [False, True], ids=["miss", "hit"])
@pytest.mark.parametrize("closed", ["<&-", "2>&-", "<&- 2>&-"])
def test_the_other_streams_may_be_closed(
    held: bool, closed: str, world: World, program: str
) -> None:
    if held:
        assert world.wx("token").status == 0
    status, out, err = in_shell(world, f'"$1" token {closed}', program)
    assert (status, err) == (0, "")
    assert world.sandbox.issuer.grant(out.strip()) is not None
    assert world.wx("token").out == out


# ------------------------------------------------------------------------ where nothing can be kept


def a_file_in_place_of_the_cache(world: World) -> None:
    world.cache.rmdir()
    world.cache.write_text("a file\n")


@pytest.mark.parametrize(
    ("command", "warning"),
    [
        ("token", "wxhelper: the token is good but could not be kept: Not a directory\n"),
        ("header", "wxhelper: the token is good but could not be kept: Not a directory\n"),
        ("exec-credential", ""),
    ],
)
def test_a_token_that_cannot_be_kept_is_good(command: str, warning: str, world: World) -> None:
    a_file_in_place_of_the_cache(world)
    done = world.wx(command)
    assert (done.status, done.err) == (0, warning)
    assert TOKEN_BEGINS in done.out
    assert world.cache.read_text() == "a file\n"


def by_variables(world: World, **changed: str | None) -> dict[str, str | None]:
    """What it takes to get a token without a configuration."""
    return {
        "WXHELPER_CONFIG": None,
        "WXHELPER_CACHE_DIR": None,
        "WXHELPER_URL": world.sandbox.http_url,
        "IBMCLOUD_API_KEY": world.sandbox.api_key,
        **changed,
    }


def run_as(world: World, command: list[str], changes: dict[str, str | None]) -> "Ended":
    done = subprocess.run(
        command,
        cwd="/",
        env=world.wx.changed(changes),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


def test_a_home_directory_that_is_not_there_is_not_made(
    world: World, program: str, tmp_path: Path
) -> None:
    home = tmp_path / "nonexistent"
    changes = by_variables(world, HOME=str(home))
    status, out, err = run_as(world, [program, "token"], changes)
    assert (status, err) == (
        0,
        (
            "wxhelper: the token is good but could not be kept: "
            f"the home directory {home} does not exist\n"
        ),
    )
    assert world.sandbox.issuer.grant(out.strip()) is not None
    assert not home.exists()


def test_without_home_the_directory_is_that_of_the_user(world: World) -> None:
    # The files are named, so that nothing is kept in the home directory of whoever tests.
    done = world.wx("token", HOME=None)
    assert (done.status, done.err) == (0, "")
    assert world.wx("token") == done


NOBODY = 54_321


@pytest.fixture
def as_nobody(program: str) -> list[str]:
    """What starts the command as a user that no file knows."""
    if os.geteuid() != 0:
        pytest.skip("only root becomes another user")
    if shutil.which("setpriv") is None:
        pytest.skip("there is no setpriv")
    become = ["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups"]
    tried = subprocess.run([*become, program, "--version"], capture_output=True, check=False)
    if tried.returncode != 0:
        pytest.skip("another user may not start the command where it is installed")
    return [*become, program]


@pytest.mark.parametrize(
    ("verb", "warning"),
    [
        ("token", "wxhelper: the token is good but could not be kept: Permission denied\n"),
        ("exec-credential", ""),
    ],
)
def test_a_user_that_is_in_no_list_is_served(
    verb: str, warning: str, world: World, as_nobody: list[str]
) -> None:
    status, out, err = run_as(world, [*as_nobody, verb], by_variables(world, HOME="/"))
    assert (status, err) == (0, warning)
    assert TOKEN_BEGINS in out
    assert world.sandbox.token_requests() == 1


def test_a_user_without_any_home_is_served_too(world: World, as_nobody: list[str]) -> None:
    status, out, err = run_as(world, [*as_nobody, "token"], by_variables(world, HOME=None))
    assert (status, err) == (
        0,
        (
            "wxhelper: the token is good but could not be kept: "
            "there is no home directory to keep it in\n"
        ),
    )
    assert world.sandbox.issuer.grant(out.strip()) is not None


def test_a_configuration_that_may_not_be_read_is_told(world: World, as_nobody: list[str]) -> None:
    ended = run_as(world, [*as_nobody, "token"], {})
    told_in_one_line(
        world,
        ended,
        5,
        "the configuration {config} cannot be read: Permission denied; "
        "look at it with: ls -lL {config}",
    )
