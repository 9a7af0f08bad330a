"""What is in the envelope of `--json`: the results of each command, typed."""

from typing import Any, Generic, TypeVar

import msgspec
from msgspec import Struct

from gsm_cli.analysis.compare import Matches
from gsm_cli.analysis.statistics import Comparison, Summary
from gsm_cli.records.run import Failure, Test
from gsm_cli.reports.page import Report
from gsm_cli.style import rounded

Measured = TypeVar("Measured")


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
    """A run that is asked for: whether it is finished, its epochs that are done, and the seconds that are left."""

    run: str
    path: str
    finished: bool
    epochs: int
    seconds: float | None


class ProspectResults(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `gsm train-ssl --dry-run`; without jobs on a cluster, without seconds where no record says how long."""

    runs: list[ProspectResult]
    jobs: int | None
    seconds: float | None


class CommandResults(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `gsm train-ssl --print`."""

    commands: list[str]


class MeasuredResults(Struct, Generic[Measured], frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `gsm gradients`, `gsm cost` and `gsm cost --for`: the record, as it is on disk, and the report."""

    record: Measured
    report: ReportResult


class PairResult(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A series that two folders have: its accuracies in both, and B minus A."""

    label: str
    first: float
    second: float
    comparison: Comparison
    log_p: Summary | None
    worse: bool


class CompareResults(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of `gsm compare`: what both folders have, and by label the seeds that only one has."""

    pairs: list[PairResult]
    only_first: dict[str, list[int]]
    only_second: dict[str, list[int]]


def compared(matches: Matches) -> CompareResults:
    """Two folders as data, the same on every processor."""
    pairs = [msgspec.to_builtins(pair) | {"worse": pair.worse} for pair in matches.pairs]
    return msgspec.convert(rounded(msgspec.to_builtins(matches) | {"pairs": pairs}), CompareResults)


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
