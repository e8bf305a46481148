"""What a hit and a miss cost, beside starting the interpreter, in one interleaved run.

    .venv/bin/python tests/benchmark.py [RUNS]

Each command is a whole process, timed by the system's own account of it. Medians are
over the runs, and the ratio is to ``python -c pass`` of the same environment. The last
row is a peer: the least that a helper does which parses options, a TOML configuration
and a JSON cache with the standard library.
"""

import os
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence

from wxhelper.sandbox import Sandbox
from wxhelper.sandbox.environment import around, lay_out

WXHELPER = os.path.join(sysconfig.get_path("scripts"), "wxhelper")
REQUEST = b"protocol=https\nhost=127.0.0.1\n"
PEER = "import argparse, json, tomllib; argparse.ArgumentParser().parse_args([])"


def measured(
    command: Sequence[str], environ: dict[str, str], stdin: bytes
) -> tuple[float, float, float]:
    """CPU milliseconds, wall milliseconds and peak MiB of one run."""
    reader, writer = os.pipe()
    os.write(writer, stdin)
    os.close(writer)
    began = time.perf_counter()
    process = subprocess.Popen(command, env=environ, stdin=reader, stdout=subprocess.DEVNULL)
    os.close(reader)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    assert process.returncode == 0, command
    cpu = usage.ru_utime + usage.ru_stime
    unit = 1 if sys.platform == "darwin" else 1024
    return cpu * 1000, wall * 1000, usage.ru_maxrss * unit / 2**20


def main(runs: int) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory() as folder, Sandbox(folder, tls=False) as sandbox:
        laid_out = lay_out(sandbox, os.path.join(folder, "user"), [WXHELPER])
        environ = around(os.environ, laid_out, os.path.dirname(WXHELPER))
        git = os.path.join(os.path.dirname(WXHELPER), "git-credential-wxhelper")
        commands = {
            "python -c pass": [sys.executable, "-c", "pass"],
            "wxhelper token, hit": [WXHELPER, "token"],
            "wxhelper exec-credential, hit": [WXHELPER, "exec-credential"],
            "git-credential-wxhelper get, hit": [git, "get"],
            "git-credential-wxhelper store": [git, "store"],
            "wxhelper token --refresh, miss": [WXHELPER, "token", "--refresh"],
            "argparse + json + tomllib, peer": [sys.executable, "-c", PEER],
        }
        figures: dict[str, list[tuple[float, float, float]]] = {name: [] for name in commands}
        for number in range(runs + 1):
            for name, command in commands.items():
                figure = measured(command, environ, REQUEST)
                if number:  # the first round only warms up
                    figures[name].append(figure)
    base = figures["python -c pass"]
    print(f"{runs} runs of each, Python {sys.version.split()[0]}, medians")
    print(f"{'':<34}{'cpu ms':>8}{'ratio':>8}{'wall ms':>9}{'ratio':>8}{'peak MiB':>10}")
    for name, rows in figures.items():
        cpu, wall, peak = (statistics.median(column) for column in zip(*rows, strict=True))
        ratios = [
            statistics.median(a[i] / b[i] for a, b in zip(rows, base, strict=True)) for i in (0, 1)
        ]
        print(f"{name:<34}{cpu:>8.1f}{ratios[0]:>8.2f}{wall:>9.1f}{ratios[1]:>8.2f}{peak:>10.1f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 40)
