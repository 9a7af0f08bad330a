"""The benchmarks, which nothing runs from day to day: each still finds all that it imports."""

import runpy

import pytest
from tree import ROOT

BENCHMARKS = sorted((ROOT / "benchmarks").glob("*.py"))


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: path.stem)
def test_it_can_be_started(path, monkeypatch):
    if path.stem == "jax_peer":
        pytest.importorskip("jax", reason="JAX comes with the extra [benchmark]")
    monkeypatch.syspath_prepend(path.parent)
    assert "__doc__" in runpy.run_path(str(path), run_name="imported")


def test_they_are_there():
    assert {"sparse", "step"} <= {path.stem for path in BENCHMARKS}
