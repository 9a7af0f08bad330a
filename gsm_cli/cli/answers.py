"""What is in the envelope of `--json`: the results of each command, typed."""

from typing import Any

import msgspec
from msgspec import Struct

from gsm_cli.records.cost import CostRecord
from gsm_cli.records.gradients import GradientRecord
from gsm_cli.records.run import Failure, Test
from gsm_cli.records.steps import StepRecord
from gsm_cli.reports.page import Report
from gsm_cli.style import rounded


class FigureResult(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A picture of a report: its description, and the data that it carries."""

    path: str
    description: str
    shown: Any


class ReportResult(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A report: its answer in words, files that could not be read, all of its numbers, and what its pictures show."""

    path: str
    title: str
    answer: str
    problems: list[str]
    facts: dict[str, Any]
    figures: list[FigureResult]


class ReportResults(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `gsm report`."""

    reports: list[ReportResult]


class RunResult(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A run: its settings, and either what the test set says or why there is nothing to say."""

    path: str
    config: dict[str, Any]
    reused: bool
    test: Test | None
    failure: Failure | None
    problem: str | None


class TrainResults(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `gsm train-ssl`."""

    runs: list[RunResult]
    reports: list[ReportResult]


class ProspectResult(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A run that is asked for: whether it is finished, and its epochs that are done."""

    run: str
    path: str
    finished: bool
    epochs: int


class ProspectResults(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `gsm train-ssl --dry-run`."""

    runs: list[ProspectResult]


class CommandResults(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `gsm train-ssl --print`."""

    commands: list[str]


class MeasuredResults(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `gsm gradients`, `gsm cost` and `gsm cost --for`: the record, as it is on disk, and the report."""

    record: GradientRecord | CostRecord | StepRecord
    report: ReportResult


def told(report: Report) -> ReportResult:
    """What a report says, as data, the same on every processor."""
    return ReportResult(
        path=str(report.folder.text),
        title=report.title,
        answer=report.answer,
        problems=list(report.problems),
        facts=msgspec.convert(rounded(report.facts), dict[str, Any]),
        figures=[
            FigureResult(path=str(report.folder.picture(each.name)), description=each.description, shown=each.carried)
            for each in report.pictures
        ],
    )
