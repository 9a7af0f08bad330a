"""How much the tests notice: small faults are put into the code one by one, and the tests of its room must find each.

    python tests/mutants.py                  every room, in copies of this tree; about an hour of one core
    python tests/mutants.py model runs       these rooms
    python tests/mutants.py --all runs       every mutant, also where a fifth of them would do
    python tests/mutants.py --module verdict --module clocks analysis      of a room these modules alone

A mutant is killed when mypy refuses it, or a test of its room fails or runs far too long. What is alive is printed and
kept as differences in ROOM.diff in the folder that --out names: it gets a test, or its reason in docs/reliability.md.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COPIED = ("benchmarks", "constraints.txt", "CONTRIBUTING.md", "docs", "figures", "Makefile", "README.md", "reports")
KILLED = {"killed", "timeout", "segfault", "caught by type check"}
NOT_TRIED = "not checked"
NOT_STARTED = 255  # mutmut's "timeout" where pytest refused the names of the tests: it takes none with a backslash
EVERY, A_FIFTH = "*", "*[38]"  # of the mutants of a function, which are numbered from 1


@dataclass
class Room:
    """Files, the tests that must find what is wrong in them, and which mutants are tried."""

    code: list[str]
    tests: list[str]
    sample: str = EVERY


def modules(room: str, *names: str) -> list[str]:
    """These modules of a room; each is there."""
    paths = [f"gsm_cli/{room}/{name}.py" for name in names]
    assert all((ROOT / path).is_file() for path in paths), f"{room} lacks one of {', '.join(names)}"
    return paths


def others(room: str, *names: str) -> list[str]:
    """Every module of a room but these."""
    known = {Path(path).stem for path in modules(room, *names)} | {"__init__"}
    return modules(room, *sorted({path.stem for path in (ROOT / "gsm_cli" / room).glob("*.py")} - known))


LAW = ("gumbel", "moments", "numbers", "facts", "request")
ENGINES = ("cluster", "processes", "worker")
SLOW = (  # of tests/runs: they start processes, or the command line
    *("cluster.py", "processes.py", "batch.py::TestTheSameRecords"),
    "precision.py::test_a_user_hears_whether_bf16_is_slow_here",
)
ROOMS = {
    "law": Room(modules("law", *LAW), [f"tests/law/test_{name}.py" for name in LAW]),
    "drawing": Room(
        others("law", *LAW),
        [
            *(
                f"tests/law/test_{name}.py"
                for name in ("committed", "animation", "simplex", "explore", "fonts", "request")
            ),
            *(f"tests/law/test_figures.py::Test{name}" for name in ("Artists", "Look", "Numbers")),
        ],
        A_FIFTH,
    ),
    "model": Room(["gsm_cli/model/*"], ["tests/model"]),
    "records": Room(["gsm_cli/records/*"], ["tests/records"]),
    "runs": Room(
        ["gsm_cli/schedules.py", *others("runs", *ENGINES)],
        ["tests/runs", "tests/test_own_code.py", *(f"--deselect=tests/runs/test_{name}" for name in SLOW)],
        A_FIFTH,
    ),
    "engines": Room(
        modules("runs", *ENGINES),
        ["tests/runs/test_dask.py", "tests/runs/test_workers.py"]
        + [f"tests/runs/test_processes.py::{name}" for name in ("TestAnswers", "TestEnds")],
    ),
    "analysis": Room(
        ["gsm_cli/analysis/*"],
        ["tests/analysis", "tests/reports", "tests/cli/test_compare.py", "tests/cli/test_json.py"],
        A_FIFTH,
    ),
}


def settings(room: Room) -> str:
    """What mutmut reads in pyproject.toml."""
    # A copy calls mutants through a table, so that mypy takes what a function further down gives for Any.
    mypy = [sys.executable, "-m", "mypy", "--output", "json", "--no-warn-unused-ignores", "--no-warn-return-any"]
    values = {
        "source_paths": ["gsm_cli"],
        "only_mutate": room.code,
        "also_copy": list(COPIED),
        "process_isolation": "forkserver",  # PyTorch has threads, which a plain fork loses
        "pytest_add_cli_args": ["-p", "no:cacheprovider"],
        "pytest_add_cli_args_test_selection": room.tests,
        "timeout_multiplier": 3.0,
        "timeout_constant": 5.0,  # seconds: a process that starts slowly on a busy machine kills nothing
        "type_check_command": [*mypy, "gsm_cli"],
    }
    return "\n[tool.mutmut]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in values.items())


def copy(folder: Path) -> None:
    """This tree, without what git does not know."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, target)


def mutmut(folder: Path, *words: str) -> str:
    """What mutmut prints of these words."""
    command = [sys.executable, "-m", "mutmut", *words]
    one_thread = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, cwd=folder, env=one_thread, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"mutmut {' '.join(words)} in {folder} failed:\n{done.stdout[-3000:]}{done.stderr}")
    return done.stdout


def ends(folder: Path) -> dict[str, str]:
    """How every mutant that was tried ended, by name."""
    from mutmut.stats import status_by_exit_code  # of the extra `mutants`: the rooms are read without it

    found = {
        name: "not started" if code == NOT_STARTED else status_by_exit_code[code]
        for meta in sorted((folder / "mutants").rglob("*.meta"))
        for name, code in json.loads(meta.read_text())["exit_code_by_key"].items()
    }
    return {name: end for name, end in found.items() if end != NOT_TRIED}


def main() -> None:
    """Try the mutants of every room that is named, and print how many were killed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rooms", nargs="*", metavar="ROOM", help=", ".join(ROOMS))
    parser.add_argument("--all", action="store_true", help="every mutant")
    parser.add_argument("--module", action="append", default=[], help="a module of the room, for those of it alone")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="mutants at a time")
    parser.add_argument("--out", type=Path, help="where the copies are made")
    given = parser.parse_args()
    if unknown := set(given.rooms) - set(ROOMS):
        parser.error(f"no such room: {', '.join(sorted(unknown))}; there are {', '.join(ROOMS)}")
    out = given.out or Path(tempfile.mkdtemp(prefix="gsm-mutants-"))
    for name in given.rooms or ROOMS:
        room, folder = ROOMS[name], out / name
        copy(folder)
        (folder / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text() + settings(room))
        sample = EVERY if given.all else room.sample
        names = [f"*.{module}.{sample}" for module in given.module] or [sample]
        mutmut(folder, "run", "--max-children", str(given.jobs), *names)
        found = ends(folder)
        alive = [mutant for mutant, end in found.items() if end not in KILLED]
        (out / f"{name}.diff").write_text("\n".join(mutmut(folder, "show", mutant) for mutant in alive))
        killed = len(found) - len(alive)
        how = ", ".join(f"{count} {end}" for end, count in Counter(found.values()).most_common())
        print(f"{name}: {killed} of {len(found)} mutants killed, {killed / len(found):.1%} ({how}); {out / name}.diff")


if __name__ == "__main__":
    main()
