"""Records and failures as they are kept: one as text, and others to be put into a cache."""

from wxhelper.cache import Failure
from wxhelper.record import ABSENT, Basis, Moment, Record
from wxhelper.tokens import Token

CONFIG = "/home/me/.config/wxhelper/config.toml"
TEXT = """\
wxhelper record 2
profile dev
default yes
source ibmcloud
login iambearer
hosts *.b.example.com a.example.com:8443
generation -
clock 1763712000.125 5120.500 6f1c-b007
minted 1763712000.131
refresh 1763714870
expires 1763715600
salt 0f3a
identity 9b1c
file 312 1763 1764 77 /home/me/config.toml
file - /home/me/a key
env IBMCLOUD_API_KEY 77ab
env WXHELPER_URL -
token Bearer eyJhbGciOi.J9.c2ln-_~+/==
end
"""


def a_record(
    value: str = "abcdefgh", *, profile: str = "dev", default: bool = True, path: str = CONFIG
) -> Record:
    return Record(
        profile=profile,
        default=default,
        source="ibmcloud",
        login="iambearer",
        hosts=("a.example.com",),
        generation=ABSENT,
        moment=Moment(1000.0, 5.0, "b007"),
        basis=Basis("5a17", "1d", [(path, ABSENT)], []),
        token=Token("Bearer", value, minted_at=1000.0, refresh_at=3880, expires_at=4600),
    )


def a_failure(**changes: object) -> Failure:
    parts: dict[str, object] = {
        "kind": "KeyRefused",
        "message": "it refused the key",
        "remedy": "mend it",
        "until": 1060.25,
        "count": 2,
        "basis": Basis("5a17", "1d", [(CONFIG, "1 2 3 4")], [("A", "77ab"), ("B", ABSENT)]),
        "moment": Moment(1000.125),
    }
    return Failure(**{**parts, **changes})  # type: ignore[arg-type]
