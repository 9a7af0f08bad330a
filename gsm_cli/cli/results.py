"""What `gsm train-ssl` says when the runs have ended: paths, reports, and what could not be completed."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from gsm_cli.cli.options import say
from gsm_cli.cli.usage import in_one_line
from gsm_cli.errors import DataError, GsmError

MOST_MEANS = 4  # in a sentence

if TYPE_CHECKING:
    from gsm_cli.cli.plan import Plan
    from gsm_cli.reports.page import Report
    from gsm_cli.runs.task import Outcome, Task


def write_reports(outcomes: "list[Outcome]") -> "tuple[dict[Path, Report], list[str]]":
    """The reports on these runs and on those that were there before, by path, and sentences about what is damaged.

    Their answers also go to stderr. Damage that is why one of these runs could not be completed is said with it.
    """
    from gsm_cli.records.layout import ReportFolder
    from gsm_cli.reports.folder import read, write

    folders = dict.fromkeys(ReportFolder.of_record(outcome.path) for outcome in outcomes)
    reports, problems = [], []
    for folder in folders:
        try:
            reports += [read(folder)] if folder.records else []
        except DataError as error:
            problems.append(str(error))
    for report in reports:
        if len(report.runs) > len(outcomes):
            say(_all_of(report, [each.task for each in outcomes if ReportFolder.of_record(each.path) == report.folder]))
        say(report.answer)
    problems += [problem for report in reports for problem in report.problems]
    said = [str(outcome.problem) for outcome in outcomes if outcome.problem]
    unsaid = [problem for problem in problems if not any(problem in sentence for sentence in said)]
    return {write(report): report for report in reports}, unsaid


def _all_of(report: "Report", asked: "list[Task]") -> str:
    """Of how many runs a report is, where it has more than were asked for, and the means of the series of those."""
    from statistics import fmean

    from gsm_cli.words import counted, percent

    accuracies: dict[str, list[float]] = {task.config.digest: [] for task in asked}
    for run in report.runs:
        if run.test and run.config.digest in accuracies:
            accuracies[run.config.digest].append(run.test.last.accuracy)
    names = {task.config.digest: task.config.objective_name for task in asked}
    told = {key: f"{percent(fmean(own))} % ({counted(len(own), 'seed')})" for key, own in accuracies.items() if own}
    means = [f"{names[key]} {mean}" for key, mean in told.items()]
    words = f"The report is of all {len(report.runs)} runs in {report.folder.path}"
    return f"{words}; mean test accuracy: {', '.join(means)}" if 0 < len(means) <= MOST_MEANS else words


def show(
    plan: "Plan", outcomes: "list[Outcome]", reports: "dict[Path, Report]", problems: list[str], as_json: bool
) -> None:
    """Print the paths of the records and reports, or the results as JSON. Raises the error of a run that failed.

    After that of the runs it is that of other files in their folders, which are damaged.
    """
    from gsm_cli.words import few

    files = [*(outcome.path for outcome in outcomes if outcome.record), *reports]
    if as_json:
        from gsm_cli.cli import output

        runs, told = [_told(outcome) for outcome in outcomes], [output.told(report) for report in reports.values()]
        output.show("train-ssl", files, runs=runs, reports=told)
    elif files:
        print(*files, sep="\n")
    failures = [outcome for outcome in outcomes if not outcome.finished]
    if failures:
        for problem in problems:
            print(f"gsm: {problem}", file=sys.stderr)
    elif problems:
        raise DataError(few(problems))
    if len(failures) == 1:
        raise _error(plan, failures[0])
    if failures:
        for outcome in failures:
            print(in_one_line(f"gsm: {plan.label(outcome.task.config)}: {_error(plan, outcome)}"), file=sys.stderr)
        raise GsmError(
            f"all {len(outcomes)} runs must end, and {len(failures)} did not, as said above: give the same command "
            "again to try only these"
        )


def _told(outcome: "Outcome") -> dict[str, object]:
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


def _error(plan: "Plan", outcome: "Outcome") -> Exception:
    """Why a run could not be completed."""
    from gsm_cli.runs.places import WorkerLostError

    if outcome.problem is None:
        return GsmError(_failed(outcome))
    if isinstance(outcome.problem, WorkerLostError):
        return GsmError(
            f"{plan.label(outcome.task.config)} must be trained to its end, and {outcome.reason}, more than once: "
            "give the same command again to go on from its last checkpoint"
        )
    return outcome.problem


def _failed(outcome: "Outcome") -> str:
    """The sentence on a run that diverged: its circumstances, and what may help."""
    assert outcome.record is not None
    config, failure = outcome.record.config, outcome.record.failure
    assert failure is not None
    tau = config.estimator.temperature(0, 1)
    circumstances = f"{config.objective_name} with seed {config.seed}" + ("" if tau is None else f" and tau {tau:g}")
    remedy = "lower --learning-rate" + ("" if tau is None else " or raise --tau")
    return f"the objective must stay finite, and {circumstances} did not at step {failure.step}: {remedy}"
