"""Many runs at once: what is known of each is said as soon as it is known."""

import os
import subprocess
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
from tree import ROOT
from typer.testing import CliRunner

from gsm_cli.cli import plan as plans
from gsm_cli.cli.app import app
from gsm_cli.cli.plan import read_plan
from gsm_cli.records import layout
from gsm_cli.records.layout import ReportFolder

SEEDS = (
    "--seeds",
    "0-9999",
    "--objective",
    "gumbel,marginalize,supervised,rebar,gst,reinmax,reinforce",
)
VALUES = ",".join(str(number) for number in range(1, 101))
SWEEPS = ("--objective", "gumbel", "--sweep", f"kl_start={VALUES}", "--sweep", f"tau={VALUES}", "--seeds", "0-9")


@pytest.mark.parametrize("option", ["--print", "--dry-run"])
@pytest.mark.parametrize("words", [SEEDS, SWEEPS], ids=["seeds", "sweeps"])
def test_the_first_of_the_most_runs_is_said_in_seconds(tmp_path, option, words):
    """The process is ended after its first lines: what is written of all runs would take longer."""
    command = [sys.executable, "-m", "gsm_cli", "train-ssl", option, *words]
    with subprocess.Popen(command, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE) as process:
        assert len(list(islice(process.stdout, 3))) == 3
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
        process.kill()
    assert sum(map(int, fields[11:13])) / os.sysconf("SC_CLK_TCK") < 4.0  # seconds of the processor


def test_runs_are_built_as_they_are_asked_for(monkeypatch):
    monkeypatch.setattr(plans, "FEW_RUNS", 3)
    options = {"objective": "gumbel,marginalize", "seeds": "0-2", "kl_start": "1,2"}
    found = read_plan(options, [], None)
    assert found.is_large
    assert isinstance(found.runs(), Iterator)
    assert [*found.runs()] == found.configs
    monkeypatch.setattr(plans, "FEW_RUNS", 12)
    few = read_plan(options, [], None)
    assert not few.is_large
    assert few.configs == found.configs == [*few.runs()] == [*few.runs()]
    assert len(few.configs) == 12


def test_of_few_runs_a_wrong_one_is_told_before_the_first(folder):
    result = CliRunner().invoke(app, ["train-ssl", "--print", "--tau", "1,0"], prog_name="gsm")
    assert (result.exit_code, result.stdout) == (2, "")


def test_the_kind_of_a_folder_is_that_of_its_first_record(tmp_path, monkeypatch):
    folder, asked = ReportFolder(tmp_path), []
    folder.records_folder.mkdir()
    for number in range(4):
        folder.record(str(number)).write_text("{")
    kinds = iter([None, "run", "cost", "cost"])
    monkeypatch.setattr(layout, "_kind", lambda path: asked.append(path) or next(kinds))
    assert not folder.of_costs
    assert len(asked) == 2
    for told, expected in ((["cost"] * 4, True), (["cost", "run", "cost", "cost"], False), ([None] * 4, False)):
        kinds = iter(told)
        assert folder.of_costs is expected
