"""Ten configurations as people write them, and every edit of ``wxhelper profile``, to the byte."""

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from wxhelper import cli

Change = tuple[str, str]


@dataclass
class HandWritten:
    """A configuration, and what each edit changes in it: pieces that occur once.

    Attributes:
        text: as it was written.
        added, replaced, removed_prod, removed_dev, default: what becomes of it; a
            piece "" stands for the end.
        place: how it is laid on the disk.
    """

    text: str
    added: Change
    replaced: tuple[Change, ...]
    removed_prod: tuple[Change, ...]
    removed_dev: tuple[Change, ...]
    default: tuple[Change, ...]
    place: Callable[[Path, bytes], object] = field(default=Path.write_bytes)

    def after(self, *changes: Change) -> bytes:
        text = self.text
        for old, new in changes:
            assert old == "" or text.count(old) == 1, old
            text = text.replace(old, new) if old else text + new
        return text.encode()


NEW = '[profiles.new]\nsource = "ibmcloud"\napi_key = "env:C"\n'


def at_the_end(gap: str = "\n", newline: str = "\n") -> Change:
    return "", (gap + NEW).replace("\n", newline)


def read_only(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    path.chmod(0o444)


def behind_a_link(path: Path, data: bytes) -> None:
    folder = path.parent / "dotfiles"
    folder.mkdir()
    (folder / "wxhelper.toml").write_bytes(data)
    path.symlink_to("dotfiles/wxhelper.toml")


PLAIN = """\
# wxhelper, for the team's laptops

default_profile = "dev"      # for now

# dev: what I play with
[profiles.dev]
source  = "ibmcloud"         # the usual one
api_key = "file:~/keys/dev"
# url   = "https://old.example.com"

# prod: think first
[profiles.prod]
source  = "ibmcloud"
api_key = "command:op read op://Vault/watsonx/key"
hosts   = [
    "us-south.ml.cloud.ibm.com",   # Dallas
    "eu-de.ml.cloud.ibm.com",
]

# vim: ft=toml
"""
_PROD = PLAIN[PLAIN.index("[profiles.prod]") : PLAIN.index("# vim")]
_OF_PLAIN: dict[str, tuple[Change, ...]] = {
    "replaced": (('"file:~/keys/dev"', '"env:NEW"'),),
    "removed_prod": ((_PROD, "\n"),),
    "removed_dev": (
        ('default_profile = "dev"      # for now\n\n', ""),
        (PLAIN[PLAIN.index("[profiles.dev]") : PLAIN.index("\n# prod")], ""),
    ),
    "default": (('default_profile = "dev"', 'default_profile = "prod"'),),
}
ODD = """\
\t[ profiles . "dev" ]   # dev
\tsource='ibmcloud'
\t  api_key   =   'env:A' # why
\turl = 'https://a.example.com'



[profiles.prod]# prod
source=    "ibmcloud"
api_key="env:B"


"""
INLINE = """\
profiles = { dev = {source="ibmcloud", api_key = "env:A"}, prod = { source = "ibmcloud", \
api_key = "env:B" } } # all of them
"""
DOTTED = """\
profiles.dev.source  = "ibmcloud"
profiles.dev.api_key = "env:A"
profiles.prod.source = "ibmcloud"
# the safe one
profiles.prod.api_key = "env:B"
"""
MIXED = """\
[profiles]
dev.source = "ibmcloud"
dev.api_key = "env:A"
prod = { source = "ibmcloud", api_key = "env:B" }
"""
QUOTED = r'''
"default_profile" = 'dev'
# Zoë's: "ключ" 🔑
["profiles".'dev']
"source" = "ibmcloud"
'api_key' = "env:A"
note = """
[profiles.no]
# no comment \"""
and no table"""
[profiles."prod"]
source = "ibmcloud"
api_key = "env:B"
'''[1:]
BARE = """\
[profiles.dev]
source = "ibmcloud"
api_key = "env:A"
[profiles.prod]
source = "ibmcloud"
api_key = "env:B\""""

CONFIGURATIONS = {
    "comments": HandWritten(PLAIN, at_the_end(), **_OF_PLAIN),  # type: ignore[arg-type]
    "read-only": HandWritten(PLAIN, at_the_end(), **_OF_PLAIN, place=read_only),  # type: ignore[arg-type]
    "behind a link": HandWritten(PLAIN, at_the_end(), **_OF_PLAIN, place=behind_a_link),  # type: ignore[arg-type]
    "odd spacing": HandWritten(
        ODD,
        at_the_end(""),
        (("'env:A'", '"env:NEW"'), ("\turl = 'https://a.example.com'\n", "")),
        ((ODD[ODD.index("\n\n\n[profiles.prod]") :], ""),),
        ((ODD[: ODD.index("[profiles.prod]")], ""),),
        (("\t[ profiles", 'default_profile = "prod"\n\n\t[ profiles'),),
    ),
    "inline tables": HandWritten(
        INLINE,
        (" } } # all", ' }, new = { source = "ibmcloud", api_key = "env:C" } } # all'),
        (('"env:A"', '"env:NEW"'),),
        ((', prod = { source = "ibmcloud", api_key = "env:B" }', ""),),
        (('dev = {source="ibmcloud", api_key = "env:A"}, ', ""),),
        (("", 'default_profile = "prod"\n'),),
    ),
    "dotted keys": HandWritten(
        DOTTED,
        at_the_end(),
        (('"env:A"', '"env:NEW"'),),
        (('profiles.prod.source = "ibmcloud"\n', ""), ('profiles.prod.api_key = "env:B"\n', "")),
        (('profiles.dev.source  = "ibmcloud"\nprofiles.dev.api_key = "env:A"\n', ""),),
        (("", 'default_profile = "prod"\n'),),
    ),
    "a table of all sorts": HandWritten(
        MIXED,
        at_the_end(),
        (('"env:A"', '"env:NEW"'),),
        (('prod = { source = "ibmcloud", api_key = "env:B" }\n', ""),),
        (('dev.source = "ibmcloud"\ndev.api_key = "env:A"\n', ""),),
        (("[profiles]", 'default_profile = "prod"\n\n[profiles]'),),
    ),
    "quoted keys and foreign letters": HandWritten(
        QUOTED,
        at_the_end(),
        (
            ('"env:A"', '"env:NEW"'),
            (QUOTED[QUOTED.index("note") : QUOTED.index('[profiles."prod"]')], ""),
        ),
        ((QUOTED[QUOTED.index('[profiles."prod"]') :], ""),),
        (
            ("\"default_profile\" = 'dev'\n", ""),
            (QUOTED[QUOTED.index('["profiles"') : QUOTED.index('[profiles."prod"]')], ""),
        ),
        (("'dev'\n# Zoë", '"prod"\n# Zoë'),),
    ),
    "CRLF and a byte order mark": HandWritten(
        "\ufeff" + PLAIN.replace("\n", "\r\n"),
        at_the_end(newline="\r\n"),
        **{  # type: ignore[arg-type]
            edit: tuple(
                (old.replace("\n", "\r\n"), new.replace("\n", "\r\n")) for old, new in changes
            )
            for edit, changes in _OF_PLAIN.items()
        },
    ),
    "no final newline": HandWritten(
        BARE,
        at_the_end("\n\n"),
        (('"env:A"', '"env:NEW"'),),
        ((BARE[BARE.index("[profiles.prod]") :], ""),),
        ((BARE[: BARE.index("[profiles.prod]")], ""),),
        (("[profiles.dev]", 'default_profile = "prod"\n\n[profiles.dev]'),),
    ),
}
EDITS = {
    "added": "add new --source ibmcloud --api-key-ref env:C",
    "replaced": "add dev --replace --source ibmcloud --api-key-ref env:NEW",
    "removed_prod": "remove prod",
    "removed_dev": "remove dev",
    "default": "default prod",
}


@pytest.mark.parametrize("edit", EDITS)
@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_an_edit_changes_what_was_asked_and_nothing_else(
    name: str,
    edit: str,
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("WXHELPER_CONFIG", str(config))
    written = CONFIGURATIONS[name]
    written.place(config, written.text.encode())
    found, link = config.stat(), config.is_symlink() and os.readlink(config)
    # Who takes away the right to write asks for no change.
    kept = written.place is read_only
    assert cli.main(["profile", *EDITS[edit].split()]) == (5 if kept else 0)
    told = f"wxhelper: {config} is read-only; if it may be changed: chmod u+w {config}\n"
    assert capfd.readouterr().err.endswith(told) == kept
    changes = () if kept else getattr(written, edit)
    expected = written.after(*([changes] if edit == "added" and not kept else changes))
    assert config.read_bytes().decode() == expected.decode()
    assert stat.S_IMODE(config.stat().st_mode) == stat.S_IMODE(found.st_mode)
    assert (config.is_symlink() and os.readlink(config)) == link
    assert sorted(config.resolve().parent.glob(".*")) == []
