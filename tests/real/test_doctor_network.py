"""What ``wxhelper doctor`` says of the way to the service: names, TLS, clocks, the service."""

import json
import socket
import time
from pathlib import Path

import pytest

from diagnoses import Row, as_json
from networks import HEALTHY, TLS, Examine, TlsWorld, expect, of_network, seen
from wxhelper.sandbox import Fault, certs

NOT_ACCEPTED = "the certificate of 127.0.0.1:PORT was not accepted: "
OF_SANDBOX = "; it is wxhelper sandbox's, issued by wxhelper sandbox authority NUMBER"
LOOK = "check url in the profile: is it the token service?"
MEND_KEY = (
    "replace it: wxhelper login --profile sandbox; if the key was mended instead, "
    "run: wxhelper invalidate --profile sandbox"
)


def test_a_network_where_all_is_well(tls_world: TlsWorld, examine: Examine) -> None:
    assert seen(tls_world(), examine) == (0, expect())


def test_a_port_where_nobody_listens(tls_world: TlsWorld, examine: Examine) -> None:
    world = tls_world()
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    world.profile(url=f"https://127.0.0.1:{port}")
    refused = "127.0.0.1:PORT cannot be reached: Connection refused"
    remedy = "check url in the profile, the network and the proxy"
    assert seen(world, examine) == (3, expect(connection=("fail", refused, remedy)))


def test_a_name_that_does_not_resolve(tls_world: TlsWorld, examine: Examine) -> None:
    world = tls_world()
    world.profile(url="https://iam.invalid")
    unknown = "there is no address for the name iam.invalid"
    remedy = "check url in the profile, the network and its name service"
    assert seen(world, examine) == (3, expect(name=("fail", unknown, remedy)))


def test_a_certificate_of_an_unknown_authority(tls_world: TlsWorld, examine: Examine) -> None:
    world = tls_world()
    world.profile(url=world.sandbox.https_url)
    said = NOT_ACCEPTED + "unable to get local issuer certificate" + OF_SANDBOX
    remedy = (
        "if wxhelper sandbox authority NUMBER is your organisation's, write "
        'ca_file = "/path/to/its/certificate.pem" in the profile; else do not trust this network'
    )
    assert seen(world, examine) == (3, expect(tls=("fail", said, remedy)))
    assert world.sandbox.token_requests() == 0


def test_an_authority_of_a_variable_that_is_another(
    tls_world: TlsWorld, examine: Examine, tmp_path: Path
) -> None:
    world = tls_world()
    other = tmp_path / "other"
    other.mkdir()
    world.profile(url=world.sandbox.https_url)
    world.environ["REQUESTS_CA_BUNDLE"] = certs.make(str(other)).ca_file
    status, rows = seen(world, examine)
    assert status == 3
    assert of_network(rows)[3]["text"].startswith(NOT_ACCEPTED)
    assert of_network(rows)[3]["text"].endswith(OF_SANDBOX)


def test_a_certificate_that_has_expired(tls_world: TlsWorld, examine: Examine) -> None:
    world = tls_world(valid_from=time.time() - 9 * certs.DAY, valid_until=time.time() - certs.DAY)
    said = NOT_ACCEPTED + "certificate has expired" + OF_SANDBOX
    remedy = "let whoever runs it renew it; or is the clock of this machine wrong?"
    assert seen(world, examine) == (3, expect(tls=("fail", said, remedy)))


def test_a_certificate_that_expires_soon(tls_world: TlsWorld, examine: Examine) -> None:
    world = tls_world(valid_until=time.time() + 3 * certs.DAY + 7260)
    rows = {
        **HEALTHY,
        "tls": [
            TLS,
            (
                "warn",
                "the certificate of 127.0.0.1:PORT expires in 3 d 2 h",
                "let whoever runs it renew it",
            ),
        ],
    }
    assert seen(world, examine) == (0, as_json(rows))


def test_a_certificate_of_another_host(tls_world: TlsWorld, examine: Examine) -> None:
    world = tls_world(names=("elsewhere.example.com",))
    said = (
        NOT_ACCEPTED + "IP address mismatch, certificate is not valid for '127.0.0.1'" + OF_SANDBOX
    )
    remedy = "check url in the profile: another host answers there"
    assert seen(world, examine) == (3, expect(tls=("fail", said, remedy)))


def test_a_file_of_certificates_that_is_not_there(tls_world: TlsWorld, examine: Examine) -> None:
    world = tls_world()
    world.profile(url=world.sandbox.https_url, ca_file="ca.pem")
    said = "ca_file names FOLDER/ca.pem, which cannot be read: No such file or directory"
    expected = expect(tls=("fail", said, "correct or remove ca_file"))
    assert seen(world, examine) == (5, expected)


def test_a_server_that_does_not_speak_tls(tls_world: TlsWorld, examine: Examine) -> None:
    world = tls_world()
    world.profile(url=world.sandbox.http_url.replace("http:", "https:"))
    status, rows = seen(world, examine)
    assert status == 3
    found = of_network(rows)[3]
    assert found["text"].startswith("TLS with 127.0.0.1:PORT failed: ")
    assert found["remedy"] == "check url in the profile, and what stands between: a proxy?"


def test_a_file_to_which_tls_is_laid_open(
    tls_world: TlsWorld, examine: Examine, tmp_path: Path
) -> None:
    world = tls_world()
    world.environ["SSLKEYLOGFILE"] = str(tmp_path / "keys")
    said = "SSLKEYLOGFILE is set: who has that file can read what is sent, keys included"
    warned: Row = ("warn", said, "unset SSLKEYLOGFILE, and remove the file")
    assert seen(world, examine) == (0, as_json({**HEALTHY, "tls": [warned, TLS]}))


@pytest.mark.parametrize(
    ("skew", "said"), [(7230, "2 h behind"), (-7230, "2 h ahead of"), (90_100, "1 d 1 h behind")]
)
def test_a_clock_that_is_wrong(
    skew: float, said: str, tls_world: TlsWorld, examine: Examine
) -> None:
    world = tls_world()
    world.sandbox.date_skew = skew
    text = (
        f"{said} the server's; wxhelper does not depend on it, but certificates and other tools do"
    )
    remedy = "set it, for example: sudo timedatectl set-ntp true"
    assert seen(world, examine) == (0, expect(clock=("warn", text, remedy)))


@pytest.mark.parametrize("skew", [30, -30])
def test_a_clock_that_is_good_enough(skew: float, tls_world: TlsWorld, examine: Examine) -> None:
    world = tls_world()
    world.sandbox.date_skew = skew
    assert seen(world, examine) == (0, expect())


FAILURES: list[tuple[str, Fault, int, str, str]] = [
    (
        "a refused key",
        Fault(match="iam", status=401, body=b"{}"),
        4,
        "IBM Cloud IAM refused the API key from file:KEY_FILE (HTTP 401)",
        MEND_KEY,
    ),
    (
        "a service that asks for peace",
        Fault(match="iam", status=429, headers={"Retry-After": "7"}),
        3,
        "IBM Cloud IAM asks to be left alone for a while (HTTP 429)",
        "wait; until then it is not asked again",
    ),
    (
        "a service out of order",
        Fault(match="iam", status=503),
        3,
        "IBM Cloud IAM failed with HTTP 503",
        "try again in a minute",
    ),
    (
        "a page to sign in",
        Fault(match="iam", headers={"Content-Type": "text/html"}, body=b"<html>Sign in</html>"),
        3,
        "IBM Cloud IAM answered HTTP 200 with something that is no JSON object",
        LOOK,
    ),
    (
        "a page to sign in, elsewhere",
        Fault(match="iam", status=302, headers={"Location": "https://portal.invalid/?next=x"}),
        3,
        "127.0.0.1 redirects to https://portal.invalid, and a key is not sent after it",
        "write the token service's own address as url in the profile",
    ),
]


@pytest.mark.parametrize(
    ("fault", "status", "said", "remedy"),
    [row[1:] for row in FAILURES],
    ids=[r[0] for r in FAILURES],
)
def test_a_token_that_is_not_had(
    fault: Fault, status: int, said: str, remedy: str, tls_world: TlsWorld, examine: Examine
) -> None:
    world = tls_world()
    world.sandbox.faults.add(*[fault] * 3)
    assert seen(world, examine) == (status, expect(token=("fail", said, remedy)))
    assert world.sandbox.token_requests() == 2  # one for each run: it is not tried again


def test_a_failure_is_told_again_instead_of_asking_again(
    tls_world: TlsWorld, examine: Examine
) -> None:
    world = tls_world()
    world.sandbox.keys.clear()
    for _ in range(3):
        assert examine(world)[0] == 4
    assert world.sandbox.token_requests() == 1
    world.key("another-key-that-nobody-knows")
    assert examine(world)[0] == 4
    assert world.sandbox.token_requests() == 2


def test_a_failure_of_a_key_that_may_have_changed_since(
    tls_world: TlsWorld, examine: Examine
) -> None:
    world = tls_world()
    world.profile(
        url=world.sandbox.https_url,
        ca_file=world.sandbox.ca_file,
        api_key=f"command:cat {world.key_file}",
    )
    world.sandbox.keys.clear()
    for expected in ("ok", "unknown"):
        status, out, _ = examine(world, "--output", "json")
        found = [row["outcome"] for row in json.loads(out)["checks"] if row["check"] == "memory"]
        assert (status, found) == (4, [expected])
    assert world.sandbox.token_requests() == 1
