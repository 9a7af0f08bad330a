"""What `gsm train-ssl` says when the runs have ended: paths, reports, and what could not be completed."""

import sys
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from gsm_cli.cli.options import say
from gsm_cli.cli.output import show, told
from gsm_cli.cli.plan import Plan
from gsm_cli.cli.usage import in_one_line
from gsm_cli.errors import DataError, GsmError
from gsm_cli.records.layout import ReportFolder
from gsm_cli.runs.places import WorkerLostError
from gsm_cli.words import counted, few, percent

if TYPE_CHECKING:
    from gsm_cli.reports.page import Report
    from gsm_cli.runs.task import Outcome, Task

MOST_MEANS = 4  # in a sentence


def write_reports(plan: Plan, outcomes: "list[Outcome]") -> "tuple[dict[Path, Report], list[str]]":
    """The reports on these runs and on those that were there before, by path, and sentences about what is damaged.

    Their answers also go to stderr. Damage that is why one of these runs could not be completed is said with it.
    """
    from gsm_cli.reports.folder import read
    from gsm_cli.reports.index import write_one

    tasks: dict[ReportFolder, list[Task]] = {}
    for outcome in outcomes:
        tasks.setdefault(ReportFolder.of_record(outcome.path), []).append(outcome.task)
    reports: dict[ReportFolder, Report] = {}
    problems: list[str] = []
    for folder in tasks:
        try:
            reports |= {folder: read(folder)} if folder.records else {}
        except DataError as error:
            problems.append(str(error))
    for folder, report in reports.items():
        if len(report.runs) > len(outcomes):
            say(_all_of(report, {task.config.digest: plan.series(task.config) for task in tasks[folder]}))
        for words in filter(None, [report.answer, report.page.notice]):
            say(words)
        problems += report.problems
    said = [str(outcome.problem) for outcome in outcomes if outcome.problem]
    unsaid = [problem for problem in problems if not any(problem in sentence for sentence in said)]
    return {write_one(report): report for report in reports.values()}, unsaid


def _all_of(report: "Report", names: dict[str, str]) -> str:
    """Of how many runs a report is, where it has more than were asked for, and the means of those, by digest."""
    means = []
    for digest, name in names.items():
        if own := [run.test.last.accuracy for run in report.runs if run.test and run.config.digest == digest]:
            means.append(f"{name} {percent(fmean(own))} % ({counted(len(own), 'seed')})")
    words = f"The report is of all {len(report.runs)} runs in {report.folder.path}"
    return f"{words}; mean test accuracy: {', '.join(means)}" if 0 < len(means) <= MOST_MEANS else words


def print_results(
    plan: Plan, outcomes: "list[Outcome]", reports: "dict[Path, Report]", problems: list[str], as_json: bool
) -> None:
    """Print the paths of the records and reports, or the results as JSON. Raises the error of a run that failed.

    After that of the runs it is that of other files in their folders, which are damaged.
    """
    files = [*(outcome.path for outcome in outcomes if outcome.record), *reports]
    show("train-ssl", files, as_json, runs=[*map(_facts, outcomes)], reports=[*map(told, reports.values())])
    failures = [outcome for outcome in outcomes if not outcome.finished]
    if not failures:
        if problems:
            raise DataError(few(problems))
        return
    for problem in problems:
        print(f"gsm: {problem}", file=sys.stderr)
    if len(failures) == 1:
        raise _error(plan, failures[0])
    for outcome in failures:
        print(in_one_line(f"gsm: {plan.label(outcome.task.config)}: {_error(plan, outcome)}"), file=sys.stderr)
    rule = f"all {len(outcomes)} runs must end, and {len(failures)} did not, as said above"
    raise GsmError(f"{rule}: give the same command again to try only these")


def _facts(outcome: "Outcome") -> dict[str, object]:
    """A run as data: its settings, and either what the test set says or why there is nothing to say."""
    record, config = outcome.record, outcome.task.config
    named = {"objective": config.objective, "dataset": config.dataset}  # with the folder of somebody's own files
    return {
        "path": str(outcome.path),
        "config": config.identity | named,
        "reused": outcome.reused,
        "test": record.test if record else None,
        "failure": record.failure if record else None,
        "problem": outcome.reason,
    }


def _error(plan: Plan, outcome: "Outcome") -> Exception:
    """Why a run could not be completed; of one that diverged its circumstances, and what may help."""
    config, record = outcome.task.config, outcome.record
    if isinstance(outcome.problem, WorkerLostError):
        rule = f"{plan.label(config)} must be trained to its end, and {outcome.reason}, more than once"
        return GsmError(f"{rule}: give the same command again to go on from its last checkpoint")
    if outcome.problem:
        return outcome.problem
    assert record is not None
    assert record.failure is not None
    tau = config.estimator.temperature(0, 1)
    of_tau, or_tau = ("", "") if tau is None else (f" and tau {tau:g}", " or raise --tau")
    rule = f"the objective must stay finite, and {config.objective_name} with seed {config.seed}{of_tau} did not"
    return GsmError(f"{rule} at step {record.failure.step}: lower --learning-rate{or_tau}")
