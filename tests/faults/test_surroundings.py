"""Odd surroundings: locales, streams, folders and variables, each with several commands."""

import os
import shutil
import subprocess
import sys
from itertools import product

import pytest
from tree import ROOT

pytestmark = pytest.mark.faults
QUICK = "train-ssl --objective gumbel --epochs 1 --set hidden=8 --set latent=2 --set auxiliary=2 --batch-size 500"
REPORT = ROOT / "reports" / "digits-pairs-200"
FEW = ROOT / "reports" / "mnist-40000"
COMMANDS = {
    "version": "--version",
    "help": "train-ssl --help",
    "sample": "sample --tau 1 --out grün",
    "stdin": "sample --tau 1 --probs - <<< 0.2,0.8",
    "expectation": "expectation --tau 1 --format svg",
    "explore": "explore --tau 1 --out grün",
    "compare": f"compare {REPORT} {REPORT}",
    "scalars": "report --tensorboard grün",
    "dry run": "train-ssl --dry-run",
    "train": QUICK,
    "workers": f"{QUICK} --jobs 2 --seeds 0,1",
    "cost": "cost --classes 2 --objective gumbel --rounds 1 --batch-size 2 --out elsewhere",
    "wrong": "sample --tau ü",
}
BAIT = "raise SystemExit('a file of the working folder was run')\n"
BAITS = ["json", "random", "signal", "re", "threading", "typer", "msgspec", "numpy", "torch", "matplotlib", "gsm_cli"]
LATER = [name for name in BAITS if name != "re"]  # which Python needs to start where packages are installed as links
ASCII = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
SURROUNDINGS = {  # what precedes the command in the shell, what follows it, variables, and the codes that it may have
    "ASCII locale": ("", "", ASCII, None),
    "ASCII output": ("", "", {"PYTHONIOENCODING": "ascii"}, None),
    "Latin-1 output": ("", "", {"PYTHONIOENCODING": "latin-1:strict"}, None),
    "nobody reads": ("", "| head -0", {}, None),
    "closed output": ("", ">&-", {}, None),
    "closed errors": ("", "2>&-", {}, None),
    "everything closed": ("", "<&- >&- 2>&-", {}, None),
    "full output": ("", "> /dev/full", {}, {1, 2}),
    "full errors": ("", "2> /dev/full", {}, {0, 1, 2}),
    "folder that is gone": ('mkdir gone; cd gone; rmdir "$PWD";', "", {}, {0, 2}),
    "no home": ("", "", {"HOME": "/nowhere", "XDG_CACHE_HOME": "/nowhere", "XDG_CONFIG_HOME": "/nowhere"}, None),
    "no width": ("", "", {"COLUMNS": "0", "TERM": "dumb"}, None),
    "little memory": ("ulimit -v 1000000;", "", {}, {0, 1, 2}),
    "modules beside it": ("bait", "", {}, None),
    "modules beside it, by an empty entry": ("bait", "", {"PYTHONPATH": f"{ROOT}:"}, None),
    "another backend of matplotlib": ("", "", {"MPLBACKEND": "nonsense"}, None),
    "settings of matplotlib": ("printf 'backend: nonsense\\nfont.size: x\\n' > matplotlibrc;", "", {}, None),
    "damaged settings of matplotlib": ("printf '\\377\\376' > matplotlibrc;", "", {}, None),
    "no date": ("", "", {"SOURCE_DATE_EPOCH": "abc"}, None),
    "every core": ("", "", {"OMP_NUM_THREADS": ""}, None),
    "no number of threads": ("", "", {"OMP_NUM_THREADS": "abc"}, None),
}
BAD = ("Traceback", "a defect", "Exception ignored", "FATAL", "was run")
CASES = list(product(COMMANDS, SURROUNDINGS))


def problems_of(command, surroundings, folder) -> list[str]:
    """What a user would not expect of a command in odd surroundings."""
    before, after, variables, codes = SURROUNDINGS[surroundings]
    if before == "bait":
        before = ""
        for name in BAITS if surroundings == "modules beside it" else LATER:
            (folder / f"{name}.py").write_text(BAIT)
    if command == "scalars":
        shutil.copytree(FEW, folder / "reports" / FEW.name)
    variables = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"} | variables
    line = f"{before} {sys.executable} -P -m gsm_cli {COMMANDS[command]} {after}; exit ${{PIPESTATUS[0]}}"
    finished = subprocess.run(
        ["bash", "-c", line], cwd=folder, env=os.environ | variables, capture_output=True, timeout=120
    )
    said = finished.stderr.decode("utf-8", errors="strict")
    lines = [each for each in said.splitlines() if each.startswith("gsm: ")]
    found = [f"{word} in {said[-400:]}" for word in BAD if word in said]
    expected = {"wrong": 2, "stdin": 3 if "<&-" in after else 0}.get(command, 0)
    if finished.returncode not in (codes or {expected, *([1] if surroundings == "nobody reads" else [])}):
        found.append(f"code {finished.returncode}: {said[-400:]}")
    if finished.returncode and "2>" not in after and surroundings != "nobody reads" and len(lines) != 1:
        found.append(f"{len(lines)} lines: {said[-400:]}")
    return found


def test_odd_surroundings(campaign, tmp_path):
    for number, (command, surroundings) in enumerate(campaign.sample(CASES, least=2)):
        folder = tmp_path / str(number)
        folder.mkdir()
        campaign.count((command, surroundings), problems_of(command, surroundings, folder))
    campaign.close()
