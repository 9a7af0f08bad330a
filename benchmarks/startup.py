"""What starting `gsm` costs, as ratios of processor time measured in one run.

Each command of a pair takes its turn with the other, so that a busy moment of the machine slows both; the ratio is that
of their medians. The package is compiled, as pip leaves it. The exit code is 1 where a ratio is above its limit.

    python benchmarks/startup.py [REPETITIONS]
"""

import os
import resource
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

COMPILED = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
GSM = str(Path(sys.executable).with_name("gsm"))
BARE_CHART = """
import numpy as np
from matplotlib.figure import Figure

figure = Figure()
figure.subplots().bar(np.arange(1, 7), [0.107, 0.765, 0.022, 0.006, 0.055, 0.045])
figure.savefig("bare.png")
"""


@dataclass(frozen=True)
class Comparison:
    """A command, what it is measured against, and the greatest ratio allowed."""

    name: str
    command: tuple[str, ...]
    against: str
    baseline: tuple[str, ...]
    limit: float


COMPARISONS = (
    Comparison("gsm --help", (GSM, "--help"), "import typer", (sys.executable, "-c", "import typer"), 1.5),
    Comparison(
        "gsm sample --tau 0.1", (GSM, "sample", "--tau", "0.1"), "bare chart", (sys.executable, "-c", BARE_CHART), 1.5
    ),
)


def seconds(command: tuple[str, ...], folder: str) -> float:
    """The processor time of one run in `folder`."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=folder, env=COMPILED, check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def medians(pair: Comparison, repetitions: int, folder: str) -> tuple[float, float]:
    """The median seconds of the command and of its baseline, taken in turns after one run each to warm the caches."""
    times = [(seconds(pair.command, folder), seconds(pair.baseline, folder)) for _ in range(repetitions + 1)][1:]
    ours, theirs = zip(*times, strict=True)
    return median(ours), median(theirs)


def main(repetitions: int) -> int:
    """Print the table; 1 where a limit is exceeded, else 0."""
    print(f"{'command':<22}{'against':<14}{'ms':>8}{'ms':>8}{'ratio':>8}{'limit':>8}")
    exceeded = False
    with TemporaryDirectory() as folder:
        for pair in COMPARISONS:
            ours, theirs = medians(pair, repetitions, folder)
            ratio = ours / theirs
            exceeded |= ratio > pair.limit
            times = f"{1000 * ours:>8.0f}{1000 * theirs:>8.0f}"
            print(f"{pair.name:<22}{pair.against:<14}{times}{ratio:>8.2f}{pair.limit:>8.1f}")
    return int(exceeded)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 15))
