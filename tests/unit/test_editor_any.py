"""Whatever a configuration looks like, an edit does what was asked and touches nothing else."""

import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from itertools import zip_longest

from hypothesis import given, settings
from hypothesis import strategies as st

from wxhelper.document import Document, quoted

NAMES = ["dev", "prod", "a.b", "x-1", "_"]
KEYS = ["source", "api_key", "url", "ca_file", "odd key"]
VALUES = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc"]) | st.sampled_from("#[]{}=\"'\\,.\n"),
    max_size=12,
)
TABLES = st.dictionaries(st.sampled_from(KEYS), VALUES, min_size=1)
MODELS = st.dictionaries(st.sampled_from(NAMES), TABLES, min_size=1)


@dataclass
class Writer:
    """Somebody who writes configurations in a manner of their own."""

    pick: Callable[[int], int]
    newline: str

    def space(self) -> str:
        return ["", " ", "  ", "\t"][self.pick(4)]

    def key(self, name: str) -> str:
        spellings = [quoted(name), f"'{name}'"]
        if all(c.isalnum() or c in "_-" for c in name):
            spellings = [name, name, *spellings]
        return spellings[self.pick(len(spellings))]

    def dotted(self, *parts: str) -> str:
        dot = [".", " . ", ".", "."][self.pick(4)]
        return dot.join(self.key(part) for part in parts)

    def value(self, text: str) -> str:
        spellings = [quoted(text)]
        if "'" not in text and "\n" not in text:
            spellings.append(f"'{text}'")
        if "'" not in text:
            spellings.append("'''" + self.newline + text.replace("\n", self.newline) + "'''")
        if "\r" not in text and '"' not in text and "\\" not in text:
            spellings.append('"""' + self.newline + text.replace("\n", self.newline) + '"""')
        return spellings[self.pick(len(spellings))]

    def comment(self, text: str) -> list[str]:
        return [f"# {text} [x] = 'y'"] * self.pick(2) + [""] * self.pick(3)

    def pair(self, key: str, value: str) -> str:
        line = f"{self.space()}{key}{self.space()}={self.space()}{self.value(value)}"
        return line + [" ", "# why", ""][self.pick(3)]

    def inline(self, table: dict[str, str]) -> str:
        pairs = [f"{self.key(k)}{self.space()}={self.space()}{quoted(v)}" for k, v in table.items()]
        return (
            "{" + self.space() + f"{self.space()},{self.space()}".join(pairs) + self.space() + "}"
        )


def write(model: dict[str, dict[str, str]], default: str | None, writer: Writer) -> str:
    """One of the ways to write a configuration down."""
    top, dotted, headed = [], [], []
    if default is not None:
        top += [writer.pair("default_profile", default), *writer.comment("top")]
    if writer.pick(5) == 0:
        whole = f"{writer.space()},{writer.space()}".join(
            f"{writer.key(n)} = {writer.inline(t)}" for n, t in model.items()
        )
        top.append(f"profiles = {{{writer.space()}{whole}{writer.space()}}}")
        return writer.newline.join(top) + writer.newline * writer.pick(2)
    for name, table in model.items():
        style = writer.pick(5)
        if style == 0:
            dotted += [writer.pair(writer.dotted("profiles", name, k), v) for k, v in table.items()]
        elif style == 1:
            dotted.append(f"{writer.dotted('profiles', name)} = {writer.inline(table)}")
        else:
            headed += reversed(writer.comment(f"above {name}"))
            headed.append(f"{writer.space()}[{writer.space()}{writer.dotted('profiles', name)}]")
            for k, v in table.items():
                headed += [*writer.comment(f"in {name}"), writer.pair(writer.key(k), v)]
            headed += writer.comment(f"in {name}")
    if dotted and not headed and not top and writer.pick(2):
        inside = [line.replace("profiles.", "", 1) for line in dotted]
        if all(one != other for one, other in zip(inside, dotted, strict=True)):
            dotted = ["[profiles]", *inside]
    return writer.newline.join([*top, *dotted, *headed]) + writer.newline * writer.pick(2)


@st.composite
def written(draw: st.DrawFn) -> tuple[str, dict[str, dict[str, str]], str | None]:
    model = draw(MODELS)
    default = draw(st.none() | st.sampled_from(sorted(model)))
    pick = draw(st.randoms(use_true_random=False))
    writer = Writer(pick.randrange, draw(st.sampled_from(["\n", "\r\n"])))
    text = write(model, default, writer)
    found = tomllib.loads(text)
    assert found.get("profiles") == model
    assert found.get("default_profile") == default
    return text, model, default


def only(before: str, after: str) -> tuple[str, str]:
    """What was taken out and what was put in its place, once."""
    start = 0
    for one, other in zip_longest(before, after):
        if one != other:
            break
        start += 1
    end = 0
    while end < min(len(before), len(after)) - start and before[-1 - end] == after[-1 - end]:
        end += 1
    return before[start : len(before) - end], after[start : len(after) - end]


@settings(max_examples=150)
@given(written(), TABLES)
def test_a_profile_is_added(
    given_: tuple[str, dict[str, dict[str, str]], str | None], table: dict[str, str]
) -> None:
    text, model, _ = given_
    document = Document(text)
    document.add_table(("profiles", "new"), table)
    assert tomllib.loads(document.text)["profiles"] == {**model, "new": table}
    assert only(text, document.text)[0] == ""


@settings(max_examples=150)
@given(written(), st.sampled_from(KEYS), VALUES, st.data())
def test_a_key_is_given_a_value(
    given_: tuple[str, dict[str, dict[str, str]], str | None],
    key: str,
    value: str,
    data: st.DataObject,
) -> None:
    text, model, default = given_
    name = data.draw(st.sampled_from(sorted(model)))
    document = Document(text)
    document.set(("profiles", name, key), value)
    model[name][key] = value
    found = tomllib.loads(document.text)
    assert (found["profiles"], found.get("default_profile")) == (model, default)


@settings(max_examples=150)
@given(written(), st.data())
def test_a_profile_or_a_key_is_removed(
    given_: tuple[str, dict[str, dict[str, str]], str | None], data: st.DataObject
) -> None:
    text, model, default = given_
    name = data.draw(st.sampled_from(sorted(model)))
    path = ("profiles", name)
    if data.draw(st.booleans()) and len(model[name]) > 1:
        path = (*path, data.draw(st.sampled_from(sorted(model[name]))))
        del model[name][path[-1]]
    else:
        del model[name]
    document = Document(text)
    document.remove(path)
    found = tomllib.loads(document.text)
    assert (found.get("profiles", {}), found.get("default_profile")) == (model, default)
    lines = iter(text.splitlines())
    assert all(line in lines for line in document.text.splitlines()) or "{" in text
    kept = [
        line for line in text.splitlines() if line.startswith("# ") and f" in {name} " not in line
    ]
    assert [line for line in document.text.splitlines() if line in kept] == kept


@settings(max_examples=100)
@given(written(), st.none() | st.sampled_from(NAMES))
def test_the_default_profile_is_chosen(
    given_: tuple[str, dict[str, dict[str, str]], str | None], name: str | None
) -> None:
    text, model, _ = given_
    document = Document(text)
    if name is None:
        document.remove(("default_profile",))
    else:
        document.set(("default_profile",), name)
    found = tomllib.loads(document.text)
    assert (found["profiles"], found.get("default_profile")) == (model, name)
    out, in_ = only(text, document.text)
    assert "\n# " not in out
    assert name is not None or in_ == ""
