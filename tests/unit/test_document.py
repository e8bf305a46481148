"""A TOML text changes where it was asked to, and nowhere else."""

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wxhelper.document import Document, key, quoted, scan, written

COMMENTED = """\
# mine

default_profile = "dev"  # for now

# what I play with
[profiles.dev]
source  = "ibmcloud"   # the usual one
api_key = "env:A"
# url = "https://old.example.com"

# the real thing
[profiles.prod]
source = "ibmcloud"
api_key = "env:B"
"""


def test_every_place_of_a_text_is_known() -> None:
    text = 'a.b = 1 # [x]\n[t."u v"]\n c = { d = [1, { e = 2 }], f."=" = "}" }\n'
    assert [(i.path, text[i.start : i.equals], text[i.value : i.end]) for i in scan(text)] == [
        (("a", "b"), "a.b", "1"),
        (("t", "u v"), '[t."u v"', ""),
        (("t", "u v", "c"), "c", '{ d = [1, { e = 2 }], f."=" = "}" }'),
        (("t", "u v", "c", "d"), "d", "[1, { e = 2 }]"),
        (("t", "u v", "c", "f", "="), 'f."="', '"}"'),
    ]


@pytest.mark.parametrize(
    "value",
    [
        "1979-05-27 07:32:00Z",
        "1979-05-27",
        "07:32:00",
        "-1_000.5e+3",
        "0xdead",
        "true",
        "nan",
        '"""a "" b # ["""',
        '"""a\\""""""',
        '"""\n# no comment\n[no.table]\n"""',
        "'''it's ''a'' = \n[b]'''''",
        "'c:\\'",
        '"\\\\"',
        '""',
        "''",
        "[ # [\n 1, 2, # ]\n]",
        '[[{ a = "]" }], []]',
        '{ a.b = { c = "}" } }',
        "{}",
    ],
)
def test_where_a_value_ends(value: str) -> None:
    for text in (f"k = {value}", f"k = {value} # c\r\nl = 1\n", f"k={value}\n\n[t]\n"):
        tomllib.loads(text)
        found = next(item for item in scan(text) if item.path == ("k",))
        assert text[found.value : found.end] == value


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (COMMENTED, COMMENTED.replace('"ibmcloud"   #', '"new"   #')),
        ('profiles = { dev = {source="a"} }', 'profiles = { dev = {source="new"} }'),
        ('profiles.dev.source="a" # c', 'profiles.dev.source="new" # c'),
        ("[profiles]\ndev.source = 'a'\n", '[profiles]\ndev.source = "new"\n'),
        ('[profiles.dev]\nsource = """a\nb"""\n', '[profiles.dev]\nsource = "new"\n'),
        ('["profiles"."dev"]\n"source" = 1', '["profiles"."dev"]\n"source" = "new"'),
        ("[profiles.dev]\r\nsource = 'a'\r\n", '[profiles.dev]\r\nsource = "new"\r\n'),
        ("[profiles.dev.source]\na = 1\n[x]", '[x]\n\n[profiles.dev]\nsource = "new"\n'),
    ],
)
def test_a_value_is_replaced_in_its_place(before: str, after: str) -> None:
    document = Document(before)
    document.set(("profiles", "dev", "source"), "new")
    assert document.text == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            COMMENTED,
            COMMENTED.replace('"env:A"\n', '"env:A"\nurl     = "new"\n'),
        ),
        ("[profiles.dev]\na=1\nbc=2\n", '[profiles.dev]\na=1\nbc=2\nurl="new"\n'),
        ("[profiles.dev]\na = 1", '[profiles.dev]\na = 1\nurl = "new"'),
        ("[profiles.dev]", '[profiles.dev]\nurl = "new"'),
        ("[profiles.dev] # c\r\n[x]\r\n", '[profiles.dev] # c\r\nurl = "new"\r\n[x]\r\n'),
        ("  [profiles.dev]\n\ta = [\n1]\n[x]", '  [profiles.dev]\n\ta = [\n1]\n\turl = "new"\n[x]'),
        ("profiles.dev.a = 1\nb = 2", 'profiles.dev.a = 1\nprofiles.dev.url = "new"\nb = 2'),
        ("[profiles]\ndev.a=1", '[profiles]\ndev.a=1\ndev.url="new"'),
        ("profiles.dev = {a = 1}", 'profiles.dev = {a = 1, url = "new"}'),
        ("profiles = { dev = { } }", 'profiles = { dev = { url = "new" } }'),
        ("profiles = {dev.a = 1}", 'profiles = {dev.a = 1, dev.url = "new"}'),
        (
            "[profiles.dev.sub]\na = 1\n",
            '[profiles.dev.sub]\na = 1\n\n[profiles.dev]\nurl = "new"\n',
        ),
    ],
)
def test_a_new_key_stands_behind_its_neighbours_and_looks_like_them(
    before: str, after: str
) -> None:
    document = Document(before)
    document.set(("profiles", "dev", "url"), "new")
    assert document.text == after
    assert tomllib.loads(after)["profiles"]["dev"]["url"] == "new"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", 'd = "x"\n'),
        ("# mine\n", '# mine\nd = "x"\n'),
        ("# mine", '# mine\nd = "x"\n'),
        ("a = 1\n# c\n[t]\n", 'a = 1\nd = "x"\n# c\n[t]\n'),
        ("# mine\n\n# t's\n[t]\n", '# mine\n\nd = "x"\n\n# t\'s\n[t]\n'),
        ("# mine\n[t]", 'd = "x"\n\n# mine\n[t]'),
        ("a.b = '''\n\n'''\n[t]", "a.b = '''\n\n'''\nd = \"x\"\n\n[t]"),
        ("a.b = 1\r\n", 'a.b = 1\r\nd = "x"\r\n'),
    ],
)
def test_a_new_key_at_the_top_stands_in_front_of_the_first_table(before: str, after: str) -> None:
    document = Document(before)
    document.set(("d",), "x")
    assert document.text == after
    assert tomllib.loads(after)["d"] == "x"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '[profiles.new]\na = "b"\n'),
        ("x = 1", 'x = 1\n\n[profiles.new]\na = "b"\n'),
        ("x = 1\n", 'x = 1\n\n[profiles.new]\na = "b"\n'),
        ("x = 1\r\n\r\n", 'x = 1\r\n\r\n[profiles.new]\r\na = "b"\r\n'),
        ("[profiles]\n[x]\n# end\n", '[profiles]\n[x]\n# end\n\n[profiles.new]\na = "b"\n'),
        ("profiles.dev.a = 1\n", 'profiles.dev.a = 1\n\n[profiles.new]\na = "b"\n'),
        ("profiles = {}", 'profiles = { new = { a = "b" } }'),
        ("profiles = {dev={}}", 'profiles = {dev={}, new = { a = "b" }}'),
    ],
)
def test_a_new_table_stands_at_the_end_or_in_its_inline_parent(before: str, after: str) -> None:
    document = Document(before)
    document.add_table(("profiles", "new"), {"a": "b"})
    assert document.text == after
    assert tomllib.loads(after)["profiles"]["new"] == {"a": "b"}


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            COMMENTED,
            COMMENTED[: COMMENTED.index("[profiles.dev]")]
            + "\n"
            + COMMENTED[COMMENTED.index("# the real") :],
        ),
        ("[profiles.dev]\na = 1\n\n\n[x]\n", "[x]\n"),
        ("[x]\n\n[profiles.dev]\na = 1\n\n\n", "[x]\n"),
        ("[x]\n[profiles.dev]\na = 1\n[y]\n", "[x]\n[y]\n"),
        ("[profiles.dev]\na = 1\n# y's\n[y]\n", "# y's\n[y]\n"),
        ("[profiles.dev]\na = 1\n# b = 2\n\n# y's\n[y]\n", "# y's\n[y]\n"),
        ("[profiles.dev]\na = 1\n# b = 2", ""),
        ("[x]\n\n[profiles.dev]\n\n[profiles.dev.sub]\nb = 1\n\n[y]\n", "[x]\n\n[y]\n"),
        ("[[profiles.dev]]\na = 1\n[[profiles.dev]]\na = 2\n[y]\n", "[y]\n"),
        ("profiles.dev.a = 1\nx = 1\nprofiles.dev.b = 2\n", "x = 1\n"),
        ("profiles.dev = [\n1,\n] # c\nx = 1\n", "x = 1\n"),
        ("profiles = { dev = 1 }", "profiles = {}"),
        ("profiles = { dev = 1, x = 2 }", "profiles = { x = 2 }"),
        ("profiles = { x = 2 , dev = 1 }", "profiles = { x = 2 }"),
        ("profiles = { x = 2, dev.a = 1, y = 3, dev.b = 1 }", "profiles = { x = 2, y = 3 }"),
        ("[profiles.'dev']\r\na = 1\r\n\r\n[x]\r\n", "[x]\r\n"),
    ],
)
def test_a_table_is_removed_with_what_is_in_it_and_no_comment_of_others(
    before: str, after: str
) -> None:
    document = Document(before)
    document.remove(("profiles", "dev"))
    assert document.text == after
    tomllib.loads(after)


def test_what_is_not_there_is_removed_without_a_trace() -> None:
    document = Document(COMMENTED)
    document.remove(("profiles", "de"))
    assert document.text == COMMENTED


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_string_is_written_as_toml(text: str) -> None:
    assert tomllib.loads(f"k = {quoted(text)}") == {"k": text}
    assert tomllib.loads(f"k = {written([text, text])}") == {"k": [text, text]}
    assert tomllib.loads(f"{key(text)} = 1") == {text: 1}
