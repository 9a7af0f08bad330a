"""What others import: `import gsm_cli` is light, its names come when they are asked for, and documented code runs."""

import ast
import contextlib
import importlib
import io
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose

import gsm_cli
from gsm_cli.errors import DataError
from gsm_cli.model import estimators

ROOT = Path(__file__).parents[1]
INIT = ast.parse((ROOT / "gsm_cli/__init__.py").read_text("utf-8"))
LAW = [
    *("Estimate", "exact_expectation", "exact_moments", "exact_standard_deviation", "expectation", "relax", "sample"),
    *("gumbel_noise", "log_density", "log_density_of_log", "log_relax"),
]
TORCH = [*estimators.__all__, "Estimator", "Bound", "OwnEntropy", "SelectiveBound", "entropy"]
OF_TORCH = [*TORCH, "gumbel_noise", "log_density_of_log", "log_probabilities", "log_relax", "relax", "sample_one_hot"]


def modules_after(code: str) -> set[str]:
    """The modules in memory after a fresh interpreter has run `code`."""
    report = f"{code}\nimport sys\nprint(*sys.modules)"
    finished = subprocess.run([sys.executable, "-c", report], cwd=ROOT, check=True, capture_output=True, text=True)
    return set(finished.stdout.split())


def test_the_import_loads_neither_numpy_nor_torch():
    modules = modules_after("import gsm_cli; dir(gsm_cli); gsm_cli.__version__")
    assert "gsm_cli" in modules
    assert not modules & {"numpy", "torch", "gsm_cli.law", "gsm_cli.model"}


def test_the_law_loads_numpy_alone():
    modules = modules_after("import gsm_cli; gsm_cli.law.relax; gsm_cli.relax")
    assert "numpy" in modules
    assert not modules & {"torch", "matplotlib", "gsm_cli.model"}


@pytest.mark.parametrize(
    ("room", "names", "homes"),
    [
        (gsm_cli.law, LAW, ["law.gumbel", "law.moments"]),
        (gsm_cli.estimators, OF_TORCH, ["model.bounds", "model.categorical", "model.estimators"]),
    ],
    ids=["law", "estimators"],
)
def test_two_places_have_the_names_of_their_modules(room, names, homes):
    assert sorted(room.__all__) == sorted(names)
    modules = [vars(importlib.import_module(f"gsm_cli.{home}")) for home in homes]
    for name in names:
        assert {getattr(room, name)} == {module[name] for module in modules if name in module}


@pytest.mark.parametrize("name", [*LAW, *TORCH])
def test_short_names_are_those_of_the_two_places(name):
    value = gsm_cli.__getattr__(name)
    assert value is getattr(gsm_cli, name)
    assert value is getattr(gsm_cli.law if name in LAW else gsm_cli.estimators, name)


def test_numpys_law_and_torchs_are_told_apart_by_where_they_are():
    logits, noise = [0.1, 0.7, -0.2], [0.3, -0.1, 1.2]
    of_numpy = gsm_cli.law.relax(logits, noise, 0.5)
    of_torch = gsm_cli.estimators.relax(*torch.tensor([logits, noise], dtype=torch.float64), 0.5)
    assert (type(of_numpy), type(of_torch)) == (np.ndarray, torch.Tensor)
    assert_allclose(of_torch, of_numpy, rtol=1e-12)


def test_all_names_are_listed():
    assert sorted(gsm_cli.__all__) == sorted([*LAW, *TORCH, "estimators", "law", "load_runs", "__version__"])
    assert set(gsm_cli.__all__) <= set(dir(gsm_cli))
    namespace = {}
    exec("from gsm_cli import *", namespace)
    assert set(gsm_cli.__all__) <= set(namespace)


def test_a_type_checker_sees_the_same_names():
    """Those that are imported under TYPE_CHECKING, each from where it is at run time."""
    (condition,) = [node for node in INIT.body if isinstance(node, ast.If)]
    imports = [node for node in condition.body if isinstance(node, ast.ImportFrom)]
    importlib.import_module("gsm_cli.estimators")
    typed = {}
    for node in imports:
        module = importlib.import_module(node.module)
        names = [(alias.name, alias.asname or alias.name) for alias in node.names if alias.name != "*"]
        names += [(name, name) for name in module.__all__] if len(names) < len(node.names) else []
        typed |= {short: getattr(module, name) for name, short in names}
    assert typed == {name: getattr(gsm_cli, name) for name in gsm_cli.__all__ if name != "__version__"}
    assert (ROOT / "gsm_cli/py.typed").is_file()


@pytest.mark.parametrize("name", ["nothing", "Gumble", "numpy"])
def test_unknown_names_are_attribute_errors(name):
    with pytest.raises(AttributeError, match=f"module 'gsm_cli' has no attribute '{name}'"):
        getattr(gsm_cli, name)


def test_the_version_is_a_plain_assignment():
    """So that setuptools reads it without an import."""
    assignments = [node for node in INIT.body if isinstance(node, ast.Assign) and node.targets[0].id == "__version__"]
    assert [ast.literal_eval(node.value) for node in assignments] == [gsm_cli.__version__]


def python_blocks(text: str) -> list[tuple[str, str | None]]:
    """Every ```python block, and the ```text block that follows it at once, if one does."""
    return re.findall(r"^```python\n(.*?)^```\n(?:\n```text\n(.*?)^```\n)?", text, re.DOTALL | re.MULTILINE)


BLOCKS = [
    block
    for name in ("README.md", "docs/python.md", "docs/training.md")
    for block in python_blocks((ROOT / name).read_text("utf-8"))
]


def test_python_blocks_are_read_as_written():
    text = (
        "```python\none\n```\n\n```text\nshown\n```\n\n```console\n$\n```\n```python\ntwo\n```\nb\n```text\nno\n```\n"
    )
    assert python_blocks(text) == [("one\n", "shown\n"), ("two\n", "")]


def test_the_documents_have_a_bound_of_ones_own():
    assert any("def bound" in code for code, _ in BLOCKS)


@pytest.mark.parametrize(("code", "shown"), BLOCKS, ids=range(len(BLOCKS)))
def test_python_in_the_documents_prints_what_they_show(code, shown):
    assert code.count("\n") <= 25
    printed = io.StringIO()
    with torch.random.fork_rng(), contextlib.redirect_stdout(printed):
        exec(code, {"__name__": "__main__"})
    assert printed.getvalue() == shown


class TestRuns:
    def test_are_a_row_each(self):
        runs = gsm_cli.load_runs(ROOT / "reports/digits-100")
        means = runs.groupby("objective").test_accuracy.mean()
        report = (ROOT / "reports/digits-100/report.md").read_text("utf-8")
        assert re.search(rf"^\| gumbel \| [\d.]+ \| {100 * means['gumbel']:.2f} \[", report, re.MULTILINE)
        assert runs.groupby("objective").size().eq(10).all()

    def test_have_a_row_for_every_epoch_where_that_is_asked_for(self):
        epochs = gsm_cli.load_runs(ROOT / "reports/mnist-article", epochs=True)
        assert list(epochs[(epochs.seed == 0) & (epochs.objective == "gumbel")].epoch) == list(range(1, 136))
        assert epochs.validation_accuracy.between(0, 1).all()

    def test_of_nothing_are_refused(self, tmp_path):
        with pytest.raises(DataError, match=r"a table of runs needs records, and .* has none: name the folder"):
            gsm_cli.load_runs(tmp_path)
