"""Errors as a user meets them: the token service, and the way to it."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mistakes import (
    OURS,
    PASTED,
    Prepare,
    Row,
    World,
    by_name,
    fault,
    profile,
    run,
    told_in_one_line,
)
from processes import ended
from wxhelper.sandbox import Sandbox

if TYPE_CHECKING:
    from tests.conftest import Command

IAM = OURS + "IBM Cloud IAM "
IS_IT = "check url in the profile: is it the token service?"
PUT_OR_INVALIDATE = (
    "replace it: wxhelper login --profile sandbox; if the key was mended instead, "
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
    told = [run(world, command) for command in ("token", "header", "exec-credential")]
    assert [(status, out) for status, out, _ in told] == [(3, "")] * 3
    assert len({err for _, _, err in told}) == 1
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
    told_in_one_line(
        world,
        ended([*alone, program, "token"], world.environ),
        3,
        OURS + "there is no address for the name iam.wxhelper.invalid; "
        "check url in the profile, the network and its name service",
    )
