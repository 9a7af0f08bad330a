"""The contracts of pyproject.toml say who imports whom; here each is broken, to show that it holds something."""

import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tree import PACKAGE, PROJECT, ROOMS, ROOT

CONTRACTS = [contract["name"] for contract in PROJECT["tool"]["importlinter"]["contracts"]]
INSIDE_A_FUNCTION = "\n\ndef _late():\n    {}\n"
OFFENCES = [  # a contract, a module, and the import that breaks this contract and no other
    ("Imports go downwards", "errors.py", "from gsm_cli.files import write_atomic"),
    ("Imports go downwards", "words.py", "from gsm_cli.config import RunConfig"),
    ("Imports go downwards", "config.py", "from gsm_cli.records import run"),
    ("Imports go downwards", "data/split.py", "from gsm_cli.records import run"),
    ("Imports go downwards", "runs/batch.py", "from gsm_cli.measures import steps"),
    ("Imports go downwards", "measures/steps.py", "from gsm_cli.reports import markdown"),
    ("Imports go downwards", "new_room/__init__.py", "import json"),
    ("Imports go downwards", "new_module.py", "import json"),
    ("Images come before what holds them", "data/dataset.py", "from gsm_cli.data.split import load"),
    ("Images come before what holds them", "data/files.py", "from gsm_cli.data import mnist"),
    ("What is found rests on what it is found in", "analysis/series.py", "from gsm_cli.analysis.groups import Group"),
    ("What is found rests on what it is found in", "analysis/new.py", "import json"),
    (
        "A page is made of sections, and they of panels and tables",
        "reports/panels.py",
        "from gsm_cli.reports.details import tests",
    ),
    ("A page is made of sections, and they of panels and tables", "reports/new.py", "import json"),
    ("The law stands alone", "law/request.py", "from gsm_cli.config import RunConfig"),
    ("The law stands alone", "law/gumbel.py", "from gsm_cli.data import split"),
    ("The law stands alone", "law/pictures.py", "from gsm_cli.model.estimators import Gumbel"),
    ("The law stands alone", "law/figures.py", "import pandas as pd"),
    ("The law stands alone", "law/figures.py", "import seaborn as sns"),
    ("One arrow leads to the law", "measures/steps.py", "from gsm_cli.law import gumbel"),
    ("One arrow leads to the law", "reports/charts.py", "from gsm_cli.law.gumbel import exact_expectation"),
    ("Models know nothing of the package", "model/terms.py", "from gsm_cli.config import RunConfig"),
    ("Models know nothing of the package", "model/networks.py", "from gsm_cli import streams"),
    ("Imports go downwards", "analysis/series.py", "from gsm_cli.reports import markdown"),
    ("Imports go downwards", "runs/batch.py", "from gsm_cli.analysis import statistics"),
    ("What records say is data", "analysis/frontier.py", "from matplotlib.figure import Figure"),
    ("What records say is data", "analysis/statistics.py", "import pandas as pd"),
    ("What records say is data", "analysis/identity.py", "from gsm_cli.style import INK"),
    ("Reports read records and run nothing", "reports/details.py", "from gsm_cli.runs.build import stream"),
    ("Reports read records and run nothing", "reports/charts.py", "from gsm_cli.model.estimators import entropy"),
    ("Torch is for models, runs and measures", "law/gumbel.py", "import torch"),
    ("Torch is for models, runs and measures", "law/gumbel.py", "from torch import Tensor"),
    ("Torch is for models, runs and measures", "style.py", "import torch"),
    ("Torch is for models, runs and measures", "data/split.py", "import torch.nn.functional"),
    ("Torch is for models, runs and measures", "records/run.py", "from torch import Tensor"),
    ("Torch is for models, runs and measures", "analysis/statistics.py", "import torch"),
    ("Torch is for models, runs and measures", "cli/options.py", "import torch"),
    ("What computes does not draw", "model/terms.py", "import seaborn"),
    ("What computes does not draw", "runs/task.py", "from gsm_cli.style import INK"),
    ("What computes does not draw", "data/split.py", "import matplotlib.pyplot as plt"),
    ("What computes does not draw", "runs/training.py", "import gsm_cli.style"),
    ("What computes does not draw", "measures/gradients.py", "from matplotlib.figure import Figure"),
    ("Only the command line speaks to a terminal", "runs/training.py", "import rich.progress"),
    ("Only the command line speaks to a terminal", "model/terms.py", "from rich import print"),
    ("Only the command line speaks to a terminal", "data/split.py", "import typer"),
    ("Only the command line speaks to a terminal", "records/run.py", "from typer import echo"),
    ("Only the command line speaks to a terminal", "errors.py", "import typer"),
    ("Only the command line speaks to a terminal", "reports/folder.py", "from rich.console import Console"),
]


END = "all is said"
JUDGE = f"""
import sys
from importlinter.cli import lint_imports
for line in sys.stdin:
    print(lint_imports(config_filename="pyproject.toml", no_cache=True), {END!r}, sep="\\n", flush=True)
"""


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package and its contracts, in a folder of their own."""
    folder = tmp_path_factory.mktemp("contracts")
    shutil.copytree(PACKAGE, folder / "gsm_cli", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


@pytest.fixture(scope="module")
def judge(original: Path) -> Iterator[Callable[[], str]]:
    """What import-linter says of that folder, and its exit code: one process, asked again and again."""
    words = [sys.executable, "-c", JUDGE]
    with subprocess.Popen(words, cwd=original, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:

        def ask() -> str:
            process.stdin.write("again\n")
            process.stdin.flush()
            return "".join(iter(process.stdout.readline, f"{END}\n"))

        yield ask
        process.stdin.close()


@pytest.fixture
def copy(original: Path) -> Iterator[Path]:
    """That folder; afterwards it is as it was."""
    before = {path: path.read_bytes() for path in original.rglob("*") if path.is_file()}
    yield original
    for path in [path for path in original.rglob("*") if path.is_file() and path not in before]:
        path.unlink()
    for path, data in before.items():
        if path.read_bytes() != data:
            path.write_bytes(data)


@pytest.fixture
def broken_contracts(judge: Callable[[], str], copy: Path) -> Callable[[], list[str]]:
    """The names of the contracts that the package in `copy` breaks; every contract must have been judged."""

    def names() -> list[str]:
        said = judge()
        verdicts = dict(re.findall(r"^(.+?) (KEPT|BROKEN)\b", said, re.MULTILINE))
        assert list(verdicts) == CONTRACTS, said
        broken = [name for name, verdict in verdicts.items() if verdict == "BROKEN"]
        assert said.splitlines()[-1] == str(int(bool(broken)))
        return broken

    return names


def test_the_contracts_hold(broken_contracts):
    assert broken_contracts() == []


def test_every_contract_is_broken_below():
    assert {contract for contract, _, _ in OFFENCES} == set(CONTRACTS)


@pytest.mark.parametrize(("contract", "module", "offence"), OFFENCES)
def test_an_offence_breaks_its_contract_and_no_other(contract, module, offence, copy, broken_contracts):
    path = copy / "gsm_cli" / module
    path.parent.mkdir(exist_ok=True)
    with path.open("a", encoding="utf-8") as file:
        file.write(f"\n{offence}\n")
    assert broken_contracts() == [contract]


@pytest.mark.parametrize("wrapper", [INSIDE_A_FUNCTION, "\nif TYPE_CHECKING:\n    {}\n"], ids=["late", "for types"])
def test_an_import_counts_wherever_it_stands(wrapper, copy, broken_contracts):
    with (copy / "gsm_cli/law/gumbel.py").open("a", encoding="utf-8") as file:
        file.write(wrapper.format("import torch"))
    assert broken_contracts() == ["Torch is for models, runs and measures"]


def test_an_exception_that_is_no_longer_needed_is_refused(copy, broken_contracts):
    """Otherwise it would stay behind, and let in what nobody decided."""
    settings = copy / "pyproject.toml"
    before = settings.read_text("utf-8")
    after = before.replace("gsm_cli.measures.gradients -> ", "gsm_cli.measures.steps -> ")
    assert after != before
    settings.write_text(after, "utf-8")
    with pytest.raises(AssertionError, match="No matches for ignored import"):
        broken_contracts()


@pytest.mark.parametrize("room", ROOMS)
def test_every_room_has_its_place_in_a_contract(room):
    """A folder without `__init__.py` is installed, but no contract sees it."""
    assert (PACKAGE / room / "__init__.py").is_file()
    layers = next(contract for contract in PROJECT["tool"]["importlinter"]["contracts"] if "layers" in contract)
    assert room in re.findall(r"\w+", " ".join(layers["layers"]))
