"""What holds for the whole house: its map, its sizes, its names, its help."""

import ast
import re
from pathlib import Path

import pytest

import wxhelper
from wxhelper import cli

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(wxhelper.__file__).parent
MODULES = sorted(PACKAGE.rglob("*.py"))
SHIPPED = [
    path
    for pattern in ("*.md", "*.toml", "packaging/**/*", "plugins/**/*.md", "plugins/**/*.toml")
    for path in ROOT.glob(pattern)
    if path.is_file() and ".venv" not in path.parts
]


def named(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text()))


@pytest.mark.parametrize("path", MODULES, ids=named)
def test_a_file_has_at_most_400_lines_and_a_function_less_than_40(path: Path) -> None:
    text = path.read_text()
    assert len(text.split("\n")) <= 401
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            documentation = ast.get_docstring(node) or ""
            length = (node.end_lineno or 0) - node.lineno + 1 - documentation.count("\n")
            assert length < 40, node.name


def test_the_map_names_every_room() -> None:
    rooms = {
        path.stem if path.suffix else path.name
        for path in PACKAGE.iterdir()
        if path.name not in ("__init__.py", "__main__.py", "__pycache__", "py.typed")
    }
    named_there = set(re.findall(r"^ {4}(?:\d | {2})(\w+)", wxhelper.__doc__ or "", re.MULTILINE))
    named_there |= set(re.findall(r" {4,}(sandbox|secret|paths|lookups) ", wxhelper.__doc__ or ""))
    assert rooms <= named_there


@pytest.mark.parametrize(
    "package", ["cli", "doctor", "installers", "plugin", "protocols", "sandbox"]
)
def test_a_package_names_every_file_in_it(package: str) -> None:
    folder = PACKAGE / package
    documentation = ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or ""
    for path in folder.glob("*.py"):
        if path.stem != "__init__":
            assert re.search(rf"^\s*{path.stem}  +\S", documentation, re.MULTILINE), path.stem


@pytest.mark.parametrize("path", SHIPPED, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_nothing_tells_anyone_to_install_the_strangers_distribution(path: Path) -> None:
    text = path.read_text()
    assert not re.search(
        r"(install|add|uvx|run)\b[^\n]*[\s\"']wxhelper([\s\"'<>=\[]|$)(?! demo)", text
    )


def test_only_the_door_and_the_record_ask_the_system_for_the_time() -> None:
    asking = {
        named(path)
        for path in MODULES
        if re.search(r"\btime\.time\(\)", path.read_text()) and "sandbox" not in path.parts
    }
    assert asking == {"record.py"}


@pytest.mark.parametrize("verb", cli.VERBS)
def test_every_verb_explains_itself_with_examples(
    verb: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as left:
        cli.main([verb, "--help"])
    printed = capfd.readouterr()
    assert (left.value.code, printed.err) == (0, "")
    assert printed.out.startswith(f"usage: wxhelper {verb}")
    assert f"examples:\n  wxhelper {verb}" in printed.out or verb.endswith("-credential")
    assert max(len(line) for line in printed.out.split("\n")) <= 100


def test_the_help_lists_every_verb(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--help"]) == 0
    printed = capfd.readouterr().out
    assert [
        line.split()[0] for line in printed.split("verbs:\n")[1].split("\n\n")[0].split("\n")
    ] == [*cli.VERBS]


def test_the_version_is_the_distributions(capfd: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["--version"]) == 0
    assert capfd.readouterr().out == f"wxhelper {wxhelper.__version__}\n"
