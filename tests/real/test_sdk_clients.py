"""SDKs and clients with our token, as the README shows it: its programs, word by word.

They use the addresses that stand in them. The way there is a proxy that ends at a
sandbox, and they are told of it as they would be in a company's network.
"""

import os
import subprocess
import sys
import sysconfig
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from recipes import recipe, recipes
from tunnel import ibm
from wxhelper.sandbox import Fault, Sandbox

MODELS = "ibm/granite-3-8b-instruct\nibm/slate-125m-english-rtrvr-v2\n"
PRINTED = {
    "watsonx": MODELS,
    "openai": "You asked: Good morning\n",
    "requests": "2\n",
    "httpx": "2\n",
}
# The same call once more, with what the program has made.
AGAIN = {
    "watsonx": 'print(len(client.foundation_models.get_model_specs()["resources"]))',
    "openai": 'print(ask("Good night"))',
    "requests": "print(session.get(url).status_code)",
    "httpx": "print(client.get(url).status_code)",
}


class World:
    """Programs on a machine with an IBM Cloud key, and the sandbox that they reach."""

    def __init__(self, box: Sandbox, environ: Mapping[str, str]) -> None:
        self.box, self.environ = box, dict(environ)
        self._started: list[subprocess.Popen[str]] = []

    def start(self, text: str) -> "subprocess.Popen[str]":
        """Starts a program; it reads from a pipe."""
        process = subprocess.Popen(
            [sys.executable, "-c", text],
            env=self.environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._started.append(process)
        return process

    def close(self) -> None:
        for process in self._started:
            if process.poll() is None:
                process.kill()
            process.communicate(timeout=30)

    def wxhelper(self, *arguments: str) -> str:
        done = subprocess.run(
            ["wxhelper", *arguments], env=self.environ, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def asked(self, service: str) -> int:
        """How many requests a service has had."""
        return sum(request.service == service for request in self.box.requests)


@pytest.fixture
def world(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    scripts = sysconfig.get_path("scripts")
    path = os.pathsep.join([scripts, os.environ["PATH"]])
    monkeypatch.setenv("PATH", path)
    folder = tmp_path / "ibm"
    folder.mkdir(mode=0o700)
    with ibm(folder) as (box, variables):
        bare = {"PATH": path, "HOME": str(home), "LANG": "C.UTF-8"}
        made = World(box, {**bare, "IBMCLOUD_API_KEY": box.api_key, **variables})
        yield made
        made.close()


def communicated(process: "subprocess.Popen[str]", given: str = "") -> tuple[int, str, str]:
    out, err = process.communicate(given, timeout=60)
    return process.returncode, out, err


@pytest.mark.parametrize("name", PRINTED)
def test_the_readmes_program_works(name: str, world: World) -> None:
    assert communicated(world.start(recipe(name))) == (0, PRINTED[name], "")
    assert (world.asked("iam"), world.asked("api")) == (1, 1)
    token = world.wxhelper("token")
    request = next(request for request in world.box.requests if request.service == "api")
    assert request.authorization() == ("bearer", token)
    assert request.headers["Host"] == "us-south.ml.cloud.ibm.com"


def test_no_program_of_the_readme_is_left_out() -> None:
    programs = [name for name, (language, _) in recipes().items() if language == "python"]
    assert programs == list(PRINTED) == list(AGAIN)


def test_programs_one_after_the_other_share_one_token(world: World) -> None:
    for name, printed in PRINTED.items():
        assert communicated(world.start(recipe(name))) == (0, printed, "")
    assert (world.asked("iam"), world.asked("api")) == (1, len(PRINTED))


@pytest.fixture
def again(world: World) -> Callable[..., tuple[int, str, str]]:
    """Runs a program, does something to its token, and lets it call once more."""

    def run(name: str, meanwhile: Callable[[], object]) -> tuple[int, str, str]:
        process = world.start(f"{recipe(name)}\nprint('DONE', flush=True)\ninput()\n{AGAIN[name]}")
        assert process.stdout is not None
        before = "".join(iter(process.stdout.readline, "DONE\n"))
        assert before == PRINTED[name]
        meanwhile()
        return communicated(process, "\n")

    return run


def test_httpx_replaces_a_revoked_token_by_itself(
    world: World, again: Callable[..., tuple[int, str, str]]
) -> None:
    assert again("httpx", world.box.issuer.revoke_all) == (0, "200\n", "")
    assert (world.asked("iam"), world.asked("api")) == (2, 3)


def test_httpx_tries_again_once_only(
    world: World, again: Callable[..., tuple[int, str, str]]
) -> None:
    refuse = Fault(match="api", status=401, times=None)
    assert again("httpx", lambda: world.box.faults.add(refuse)) == (0, "401\n", "")
    assert (world.asked("iam"), world.asked("api")) == (2, 3)


def test_httpx_keeps_a_token_that_another_process_has_replaced_already(
    world: World, again: Callable[..., tuple[int, str, str]]
) -> None:
    program = recipe("httpx") + (
        "\nauth = Wxhelper()\n"
        "flow = auth.auth_flow(httpx.Request('GET', url))\n"
        "next(flow)\n"
        "subprocess.run(['wxhelper', 'invalidate'], check=True)\n"
        "new = auth._header()\n"
        "again = flow.send(httpx.Response(401))\n"
        "print(again.headers['Authorization'] == new == auth._header())\n"
    )
    assert communicated(world.start(program)) == (0, "2\nTrue\n", "")
    assert world.asked("iam") == 2


def test_threads_that_are_refused_together_all_get_through(
    world: World, again: Callable[..., tuple[int, str, str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    threads = (
        "from concurrent.futures import ThreadPoolExecutor\n"
        "with ThreadPoolExecutor(4) as pool:\n"
        "    print({answer.status_code for answer in pool.map(client.get, [url] * 4)})\n"
    )
    monkeypatch.setitem(AGAIN, "httpx", threads)
    assert again("httpx", world.box.issuer.revoke_all) == (0, "{200}\n", "")
    assert 2 <= world.asked("iam") <= 5


def test_the_class_for_httpx_works_in_a_loop_as_well(world: World) -> None:
    program = recipe("httpx") + (
        "\nimport asyncio\n"
        "async def main():\n"
        "    async with httpx.AsyncClient(auth=Wxhelper(), timeout=60) as client:\n"
        "        print((await client.get(url)).status_code)\n"
        "asyncio.run(main())\n"
    )
    assert communicated(world.start(program)) == (0, "2\n200\n", "")


@pytest.mark.parametrize(
    ("name", "said"), [("openai", "You asked: Good night\n"), ("requests", "200\n")]
)
def test_after_invalidate_the_next_call_has_a_new_token(
    name: str, said: str, world: World, again: Callable[..., tuple[int, str, str]]
) -> None:
    def revoke() -> None:
        world.box.issuer.revoke_all()
        world.wxhelper("invalidate")

    assert again(name, revoke) == (0, said, "")
    assert (world.asked("iam"), world.asked("api")) == (2, 2)


def test_a_netrc_file_replaces_no_token_of_requests(world: World, home: Path) -> None:
    netrc = home / ".netrc"
    netrc.write_text("machine us-south.ml.cloud.ibm.com login me password mine\n")
    netrc.chmod(0o600)
    assert communicated(world.start(recipe("requests"))) == (0, "2\n", "")
    header_alone = (
        recipe("requests")
        .replace("session.auth = Wxhelper()", "")
        .replace("session.get(url,", "session.get(url, headers={'Authorization': 'Bearer x'},")
    )
    communicated(world.start(header_alone))
    schemes = [r.authorization()[0] for r in world.box.requests if r.service == "api"]
    assert schemes == ["bearer", "basic"]


@pytest.mark.parametrize("lifetime", [3600, 900])
def test_watsonx_asks_seldom(lifetime: int, world: World, home: Path) -> None:
    world.box.lifetime = lifetime
    program = recipe("watsonx").replace(
        "def token(_client):", "def token(_client):\n    calls.append(1)"
    )
    program = "calls = []\n" + program + "\n[client.token for _ in range(20)]\nprint(len(calls))\n"
    assert communicated(world.start(program)) == (0, f"{MODELS}1\n", "")
    assert world.asked("iam") == 1


@pytest.mark.parametrize("name", PRINTED)
def test_without_a_token_the_program_ends_and_says_why(name: str, world: World) -> None:
    world.environ["IBMCLOUD_API_KEY"] = "no-key-of-anybody"
    status, out, err = communicated(world.start(recipe(name)))
    assert (status, out) == (1, "")
    assert "BXNIM0415E" in err
    assert "no-key-of-anybody" not in err
    assert world.asked("api") == 0
