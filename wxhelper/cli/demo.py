"""Floor 7: ``wxhelper demo``: what it is good for, in ten seconds, without an account."""

import argparse
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wxhelper.cli.parser import Parser
from wxhelper.cli.sandbox import itself, temporary_sandbox
from wxhelper.cli.streams import say
from wxhelper.errors import ConfigurationError, TemporaryError, printable
from wxhelper.sandbox import Sandbox
from wxhelper.sandbox.environment import around

_WHAT = """\
See it work: stand-ins for IBM's services on this machine, a first and a second token,
a call with curl, kubectl where it is installed, the tokens of IBM Cloud, AWS, GovCloud
and Data Product Hub, and a renewal. Nothing of yours is read, nothing leaves the
machine, nothing stays on it."""
_SHORT_LIFE = 3
_NOT_SET_UP = ConfigurationError.exit_status
_PATH = "/ml/v1/foundation_model_specs"
_PRODUCTS = "/data_product_exchange/v1/data_products?limit=1"
# The sandbox's profiles for the services of IBM's documents, and what their tokens open.
_SERVICES = {
    "sandbox": ("IBM Cloud", _PATH),
    "aws": ("watsonx on AWS", _PATH),
    "govcloud": ("watsonx in GovCloud", _PATH),
    "dph": ("Data Product Hub", _PRODUCTS),
    "dph-zen": ("Data Product Hub", _PRODUCTS),
}


def prepare(parser: Parser) -> None:
    """Declare the options: there are none."""
    parser.explain(_WHAT, "\nwxhelper demo\n")


def run(options: argparse.Namespace, environ: Mapping[str, str]) -> int:  # noqa: ARG001
    """Do it.

    Raises:
        TemporaryError: a step went wrong.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that it clears up, too
    with temporary_sandbox() as (sandbox, variables):
        _Demo(sandbox, around(environ, variables, os.path.dirname(itself()[0]))).play()
    return 0


@dataclass(frozen=True)
class _Ran:
    """One command: how it ended, how long it took, what it cost the service."""

    status: int
    out: str
    complaint: str
    milliseconds: float
    requests: int

    def cost(self) -> str:
        return f"{self.times()} to the token service, {self.milliseconds:.0f} ms"

    def times(self) -> str:
        return {0: "no request", 1: "1 request"}.get(self.requests, f"{self.requests} requests")


class _Demo:
    def __init__(self, sandbox: Sandbox, environ: Mapping[str, str]) -> None:
        self._sandbox = sandbox
        self._environ = environ
        self._step = 0

    def play(self) -> None:
        """All of it."""
        say(
            "wxhelper demo: stand-ins for IBM's services run on this machine for a few seconds.\n\n"
        )
        first = self._tokens()
        self._protected_call(first)
        self._kubectl()
        self._services()
        self._renewal()
        say("With your own key:\n\n  export IBMCLOUD_API_KEY=...\n  wxhelper token\n\n")

    def _tokens(self) -> str:
        self._title("The first token", "wxhelper token")
        first = self._run([*itself(), "token"])
        token = first.out.strip()
        say(f"   {_shown(token)}\n   {first.cost()}\n\n")
        self._title("The second, from the cache of all processes", "wxhelper token")
        second = self._run([*itself(), "token"])
        same = "the same token" if second.out == first.out else "another token"
        say(f"   {same}\n   {second.cost()}\n\n")
        return token

    def _protected_call(self, token: str) -> None:
        url = f"{self._sandbox.http_url}{_PATH}"
        self._title("A protected call", f"wxhelper header | curl -H @- {url}")
        curl = shutil.which("curl", path=self._environ["PATH"])
        if curl is None:
            say("   curl is not installed; this step is left out\n\n")
            return
        with _ArgumentWatch(token) as watch:
            header = self._run([*itself(), "header"])
            call = self._run([*_calling(curl), "-H", "@-", url], given=header.out)
        without = self._run([*_calling(curl), url])
        say(f"   HTTP {call.out} with it, HTTP {without.out} without\n")
        say(f"   {watch.verdict()}\n   {header.cost()}\n\n")

    def _kubectl(self) -> None:
        self._title("kubectl, by an exec entry in its kubeconfig", "kubectl get pods")
        kubectl = shutil.which("kubectl", path=self._environ["PATH"])
        if kubectl is None:
            say("   kubectl is not installed; this step is left out\n\n")
        elif self._sandbox.https_url is None:
            say(f"   left out: {self._sandbox.tls_skipped}\n\n")
        else:
            pods = self._run([kubectl, "get", "pods"])
            say("".join(f"   {line}\n" for line in pods.out.rstrip().split("\n")))
            say(f"   {pods.cost()}\n\n")

    def _services(self) -> None:
        self._title("Every service of IBM's documents", "wxhelper header --profile NAME")
        curl = shutil.which("curl", path=self._environ["PATH"])
        for profile, (service, path) in _SERVICES.items():
            ran = self._run([*itself(), "header", "--profile", profile], bearable=_NOT_SET_UP)
            line = f"   {profile:<9} {service:<20} "
            if ran.status:  # its plugin is not installed
                say(f"{line}{ran.complaint.rpartition(': ')[2]}\n")
                continue
            opened = ""
            if curl is not None:
                url = f"{self._sandbox.http_url}{path}"
                call = self._run([*_calling(curl), "-H", "@-", url], given=ran.out)
                opened = f", HTTP {call.out}"
            _, scheme, token = ran.out.split()
            begun = f"{scheme} {token[:8]}..."
            say(f"{line}{begun:<22} {ran.times()}{opened}\n")
        say("\n")

    def _renewal(self) -> None:
        self._title(f"Expiry: tokens live {_SHORT_LIFE} seconds from now on", "wxhelper token")
        self._sandbox.lifetime = _SHORT_LIFE
        self._run([*itself(), "invalidate"])
        short = self._run([*itself(), "token"])
        time.sleep(_SHORT_LIFE)
        renewed = self._run([*itself(), "token"])
        fresh = "a new token, by itself" if renewed.out != short.out else "the same token"
        say(f"   {_SHORT_LIFE} seconds later: {fresh}\n   {renewed.cost()}\n\n")

    def _title(self, what: str, command: str) -> None:
        self._step += 1
        say(f"{self._step}. {what}\n   $ {command}\n")

    def _run(self, command: Sequence[str], given: str = "", bearable: int = 0) -> _Ran:
        before, began = self._sandbox.token_requests(), time.perf_counter()
        done = subprocess.run(  # noqa: S603 - our own commands
            command,
            env=self._environ,
            input=given,
            capture_output=True,
            text=True,
            check=False,
        )
        took = (time.perf_counter() - began) * 1000
        complaint = printable(done.stderr.strip().rpartition("\n")[2])
        if done.returncode not in (0, bearable):
            raise TemporaryError(
                f"the demo stops: {os.path.basename(command[0])} ended with status "
                f"{done.returncode}: {complaint}",
                remedy="run it again, and report it if it stays so",
            )
        requests = self._sandbox.token_requests() - before
        return _Ran(done.returncode, done.stdout, complaint, took, requests)


def _calling(curl: str) -> list[str]:
    """curl, telling the status of the answer and nothing else."""
    return [curl, "-q", "-s", "-o", os.devnull, "-w", "%{http_code}"]


class _ArgumentWatch(threading.Thread):
    """Looks at every process's arguments, as any user of the machine can."""

    def __init__(self, token: str) -> None:
        super().__init__(daemon=True)
        self._token = token.encode("ascii")
        self._over = threading.Event()
        self._looks = 0
        self._seen = False

    def __enter__(self) -> "_ArgumentWatch":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join()

    def run(self) -> None:
        """Look until it is over."""
        while os.path.isdir("/proc/self") and not self._over.wait(0.002):
            for number in filter(str.isdigit, os.listdir("/proc")):
                try:
                    with open(f"/proc/{number}/cmdline", "rb") as arguments:
                        self._seen = self._seen or self._token in arguments.read()
                except OSError:
                    continue
            self._looks += 1

    def verdict(self) -> str:
        """What was found."""
        if self._seen:
            return "the token was in a process's arguments"
        if not self._looks:
            return "the token went through a pipe, not through arguments"
        return f"the token was in no process's arguments (all were looked at {self._looks} times)"


def _shown(token: str) -> str:
    return f"{token[:12]}...  ({len(token)} characters)"
