"""`--json` of every command: one envelope, each of its fields documented; and the exit codes, as documented."""

import dataclasses
import json
import re
from typing import Any, Generic, Literal, TypeVar

import msgspec
import pytest
from msgspec import Struct
from msgspec.structs import fields
from records_of import SIX, batch, cost_record, failed, gradient_record
from tree import ROOT

from gsm_cli import __version__, commands
from gsm_cli.cli.settings import SettingFacts
from gsm_cli.records import run
from gsm_cli.records.cost import CostRecord
from gsm_cli.records.gradients import GradientRecord
from gsm_cli.records.layout import ReportFolder
from gsm_cli.reports.gradients import gradient_page

DOCUMENT = (ROOT / "docs/command-line.md").read_text("utf-8")
FIELDS = {"frozen": True, "forbid_unknown_fields": True}
Results = TypeVar("Results")


class Output(Struct, Generic[Results], **FIELDS):
    schema: Literal[1]
    version: str
    command: str
    files: list[str]
    results: Results


class FigureResults(Struct, **FIELDS):
    figures: list[dict[str, Any]]


class SettingResults(Struct, **FIELDS):
    settings: list[SettingFacts]


class FigureResult(Struct, **FIELDS):
    path: str
    description: str
    shown: Any


class ReportResult(Struct, **FIELDS):
    path: str
    title: str
    answer: str
    problems: list[str]
    facts: dict[str, Any]
    figures: list[FigureResult]


class ReportResults(Struct, **FIELDS):
    reports: list[ReportResult]


class RunResult(Struct, **FIELDS):
    path: str
    config: dict[str, Any]
    reused: bool
    test: run.Test | None
    failure: run.Failure | None
    problem: str | None


class TrainResults(Struct, **FIELDS):
    runs: list[RunResult]
    reports: list[ReportResult]


class ProspectResult(Struct, **FIELDS):
    run: str
    path: str
    finished: bool
    epochs: int


class ProspectResults(Struct, **FIELDS):
    runs: list[ProspectResult]


class CommandResults(Struct, **FIELDS):
    commands: list[str]


class MeasuredResults(Struct, **FIELDS):
    record: GradientRecord | CostRecord
    report: ReportResult


QUICK = ("train-ssl", "--set", "hidden=8", "--batch-size", 200, "--epochs", 1, "--jobs", 1)


@pytest.fixture
def measured(folder) -> dict[str, list[str]]:
    """Reports with runs, gradients and costs, and the commands that measured the latter two."""
    digits = ReportFolder(folder / "reports/digits-100")
    for each in (*batch(SIX), failed("gumbel", 77)):
        each.save(digits.record(each.config.name))
    gradients = gradient_record(("marginalize", None), ("gumbel", 0.5))
    gradients.save(digits.measurement(gradients.plan.name))
    costs = cost_record(marginalize={2: [1, 2], 10: [2, 3]}, gumbel={2: [1, 1], 10: [1, 1]})
    costs.save(ReportFolder(folder / "reports/cost").record(costs.plan.name))
    return {"gradients": commands.gradients(gradients.plan).split()[1:], "cost": commands.cost(costs.plan).split()[1:]}


def shown(result, kind: Any, command: str) -> Any:
    """The results that a command prints, checked against their type."""
    found = msgspec.json.decode(result.stdout, type=Output[kind], strict=True)
    assert list(json.loads(result.stdout)) == ["schema", "version", "command", "files", "results"]
    assert (found.schema, found.version, found.command) == (1, __version__, command)
    assert result.stdout.isascii()
    return found.files, found.results


@pytest.mark.parametrize("command", ["sample", "expectation", "grid", "simplex", "explore"])
def test_of_figures(gsm, command):
    files, results = shown(gsm(command, "--tau", 1, "--json"), FigureResults, command)
    assert [figure["path"] for figure in results.figures] == files


def test_of_train_ssl(gsm):
    files, results = shown(gsm(*QUICK, "--objective", "gumbel", "--json"), TrainResults, "train-ssl")
    assert files == [results.runs[0].path, results.reports[0].path]
    assert results.runs[0].test.images == 400
    (group,) = results.reports[0].facts["groups"]
    assert [series["objective"] for series in group["series"]] == ["gumbel"]


def test_of_what_train_ssl_would_do(gsm):
    _, results = shown(gsm(*QUICK, "--dry-run", "--json"), ProspectResults, "train-ssl")
    assert [run.run for run in results.runs] == ["marginalize seed 0", "gumbel seed 0"]
    files, results = shown(gsm(*QUICK, "--print", "--json"), CommandResults, "train-ssl")
    assert (files, len(results.commands)) == ([], 2)


def test_of_measurements(gsm, measured):
    result = gsm(*measured["gradients"], "--json")
    files, results = shown(result, MeasuredResults, "gradients")
    assert f"\n{gradient_page(results.record).answer}\n" in result.stderr
    assert files == [f"reports/digits-100/{results.record.plan.name}.json", results.report.path]
    files, results = shown(gsm(*measured["cost"], "--json"), MeasuredResults, "cost")
    assert files == [f"reports/cost/records/{results.record.plan.name}.json", results.report.path]
    assert results.report.facts["costs"][0]["objectives"][0]["objective"] == "gumbel"


def test_of_reports(gsm, measured):
    files, results = shown(gsm("report", "--json", "--csv"), ReportResults, "report")
    assert files == [
        *("reports/cost/report.md", "reports/digits-100/report.md"),
        *("reports/README.md", "reports/digits-100/runs.csv", "reports/digits-100/epochs.csv"),
    ]
    group = results.reports[1].facts["groups"][0]
    assert {each["ruling"] for each in group["differences"]} == {"no worse", "worse"}
    summaries = [each["comparison"]["summary"] for each in group["differences"]]
    assert all(each["low"] <= each["mean"] <= each["high"] for each in summaries)
    assert [figure.path for figure in results.reports[1].figures][:1] == ["reports/digits-100/answer.png"]


def test_of_settings(gsm):
    _, results = shown(gsm("settings", "--json"), SettingResults, "settings")
    assert all(each.rule and each.meaning for each in results.settings)


def test_the_document_names_every_field():
    structs = [each for each in globals().values() if isinstance(each, type) and each.__module__ == __name__]
    named = {field.name for each in structs if issubclass(each, Struct) for field in fields(each)}
    named |= {field.name for field in dataclasses.fields(SettingFacts)}
    assert len(named) > 30
    assert named <= set(re.findall(r"`(\w+)`", DOCUMENT))


class TestExitCodes:
    """The table of the document, row by row."""

    def test_are_all_documented(self):
        assert re.findall(r"^\| (\d+) \|", DOCUMENT, re.MULTILINE) == ["0", "1", "2", "3", "130"]

    def test_0_done_and_paths_on_stdout(self, gsm, measured):
        result = gsm("report")
        assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "reports/cost/report.md")

    def test_1_a_report_that_is_not_what_its_records_give(self, gsm, measured):
        assert gsm("report", "--check").exit_code == 1

    def test_3_no_record_at_all(self, gsm):
        assert gsm("report").exit_code == 3

    def test_2_nothing_is_written(self, gsm, folder):
        assert gsm("report", "--margin", "much").exit_code == 2
        assert not list(folder.iterdir())

    def test_3_and_the_json_is_printed_all_the_same(self, gsm, measured, folder):
        (folder / "reports/digits-100/records/stray.json").write_text("{")
        result = gsm("report", "--json")
        assert result.exit_code == 3
        _, results = shown(result, ReportResults, "report")
        assert "stray.json" in results.reports[1].problems[0]

    def test_130_interrupted(self, gsm, measured, monkeypatch):
        def interrupt(*_: object) -> None:
            raise KeyboardInterrupt

        monkeypatch.setattr("gsm_cli.reports.folder.write_atomic", interrupt)
        assert gsm("report").exit_code == 130


@pytest.mark.parametrize("command", ["gradients", "cost"])
def test_a_measurement_is_replaced_by_force_alone(gsm, folder, measured, monkeypatch, command):
    """What took long: other settings have another file, the same ones are used again."""
    places = {"cost": "steps.measure_costs", "gradients": "gradients.measure_plan"}
    monkeypatch.setattr(f"gsm_cli.measures.{places[command]}", lambda *asked: pytest.fail("measured"))
    before = {path: path.read_bytes() for path in folder.rglob("*.json")}
    result = gsm(*measured[command])
    assert result.exit_code == 0
    assert "--force measures again" in result.stderr
    with pytest.raises(pytest.fail.Exception, match="measured"):
        gsm(*measured[command], "--force")
    assert {path: path.read_bytes() for path in folder.rglob("*.json")} == before
