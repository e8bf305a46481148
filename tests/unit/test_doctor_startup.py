"""What runs at every start of Python, and what PATH leads to."""

import base64
import hashlib
import os
import sysconfig
from pathlib import Path

import pytest

from wxhelper.doctor import startup
from wxhelper.doctor.launchers import look as look_at_launchers
from wxhelper.doctor.patient import Patient
from wxhelper.plugin import CheckResult

Said = tuple[str, str, str]

ALONE = "install wxhelper-core into a virtual environment of its own"
OURS = os.path.join(sysconfig.get_path("scripts"), "wxhelper")


def plain(results: object) -> list[Said]:
    assert isinstance(results, list)
    assert all(isinstance(result, CheckResult) for result in results)
    return [(result.outcome, result.text, result.remedy) for result in results]


# -------------------------------------------------------------------- launchers


def launcher(folder: Path, content: str) -> str:
    folder.mkdir()
    path = folder / "wxhelper"
    path.write_text(content)
    path.chmod(0o755)
    return str(path)


def of_launchers(path: str) -> list[Said]:
    return plain(list(look_at_launchers(Patient({"PATH": path}))))[-1:]


def test_a_command_that_is_not_on_the_path() -> None:
    folder = os.path.dirname(OURS)
    assert of_launchers("/nowhere") == [
        (
            "warn",
            f"wxhelper is in no directory of PATH; it is {OURS}",
            f'export PATH={folder}:"$PATH", or name it in full',
        )
    ]


def test_a_command_that_is_another_program(tmp_path: Path) -> None:
    path = launcher(tmp_path / "bin", "#!/usr/bin/python3\nimport wechat\n")
    ((outcome, text, _),) = of_launchers(os.path.dirname(path))
    assert (outcome, text) == ("warn", f"wxhelper is {path}, and not this one, {OURS}")


def test_a_command_behind_a_shell(tmp_path: Path) -> None:
    path = launcher(tmp_path / "shims", '#!/usr/bin/env bash\nexec pyenv exec wxhelper "$@"\n')
    ((outcome, text, _),) = of_launchers(os.path.dirname(path))
    assert outcome == "warn"
    assert text == f"wxhelper is {path}, a wrapper that starts a shell first at every call"


def test_a_link_to_the_command_is_the_command(tmp_path: Path) -> None:
    (tmp_path / "wxhelper").symlink_to(OURS)
    assert of_launchers(str(tmp_path)) == [("ok", f"wxhelper is {tmp_path}/wxhelper", "")]


def test_a_command_whose_interpreter_is_gone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = launcher(tmp_path / "bin", "#!/gone/bin/python3\n")
    monkeypatch.setattr(sysconfig, "get_path", lambda name: os.path.dirname(path))
    assert of_launchers(os.path.dirname(path)) == [
        (
            "warn",
            f"{path} cannot start: its interpreter /gone/bin/python3 cannot be found",
            "install wxhelper-core anew",
        )
    ]


# --------------------------------------------------------------------- start-up

RUNS = b"import os; os.environ.get('X')\n"


def distribute(site: Path, name: str, file: str, data: bytes, recorded: bytes) -> Path:
    """A distribution that says it has brought a file."""
    digest = base64.urlsafe_b64encode(hashlib.sha256(recorded).digest()).decode().rstrip("=")
    metadata = site / f"{name}-1.0.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    (metadata / "RECORD").write_text(f"{file},sha256={digest},{len(recorded)}\n")
    (site / file).write_bytes(data)
    return site / file


def running(site: Path) -> list[Said]:
    return plain(list(startup.running_files([str(site)])))


def test_a_path_file_that_nobody_has_brought(tmp_path: Path) -> None:
    path = tmp_path / "innocent.pth"
    path.write_bytes(b"# \xff\n/some/where\n" + RUNS)
    text = (
        f"{path} runs code at every start of Python, and nothing that is installed has brought it"
    )
    remedy = f"read it, and remove it if you do not know it; better: {ALONE}"
    assert running(tmp_path) == [("warn", text, remedy)]


def test_a_path_file_of_an_unknown_distribution(tmp_path: Path) -> None:
    path = distribute(tmp_path, "litellm", "litellm_init.pth", RUNS, RUNS)
    text = f"{path} of litellm runs code at every start of Python"
    remedy = f"uninstall litellm if you do not know it; better: {ALONE}"
    assert running(tmp_path) == [("warn", text, remedy)]


def test_a_path_file_of_a_known_distribution_that_was_changed(tmp_path: Path) -> None:
    path = distribute(tmp_path, "coverage", "a1_coverage.pth", RUNS + b"import evil\n", RUNS)
    text = f"{path} runs code at every start of Python, and is not as coverage brought it"
    assert running(tmp_path) == [("warn", text, "read it, and install coverage anew")]


def test_path_files_that_are_well(tmp_path: Path) -> None:
    distribute(tmp_path, "coverage", "a1_coverage.pth", RUNS, RUNS)
    (tmp_path / "_virtualenv.pth").write_bytes(b"import _virtualenv")
    (tmp_path / "paths.pth").write_bytes(b"/some/where\n# import nothing\nimportant\n")
    assert running(tmp_path) == []


@pytest.mark.parametrize("content", [b"", b"import " * 200_000, b"\0import x\n", b"import\tx"])
def test_a_hostile_path_file_is_only_looked_at(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "\x1b]0;title\x07.pth").write_bytes(content)
    (tmp_path / "loop.pth").symlink_to("loop.pth")
    (tmp_path / "folder.pth").mkdir()
    os.mkfifo(tmp_path / "pipe.pth")
    shown = running(tmp_path)
    assert len(shown) == content.startswith(b"import")
    assert not [text for _, text, _ in shown if "\x1b" in text]


def all_of_startup(site: Path, monkeypatch: pytest.MonkeyPatch, **environ: str) -> list[Said]:
    monkeypatch.setattr(startup, "_site_folders", lambda: [str(site), str(site / "nowhere")])
    return plain(list(startup.look(Patient(environ))))


@pytest.mark.parametrize("name", ["PYTHONPATH", "PYTHONHOME"])
def test_a_variable_that_leads_python_elsewhere(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert all_of_startup(tmp_path, monkeypatch, **{name: "/elsewhere"}) == [
        (
            "warn",
            f"{name} is set (/elsewhere): modules from there come first",
            f"unset {name} where wxhelper is started",
        )
    ]


def test_a_start_that_is_well(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    well = ("ok", "nothing that is unknown runs before wxhelper does", "")
    assert all_of_startup(tmp_path, monkeypatch) == [well]


def test_the_directories_that_are_looked_into() -> None:
    assert sysconfig.get_path("purelib") in startup._site_folders()
