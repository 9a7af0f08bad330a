"""What `gsm train-ssl` says instead of training: what it would do, or the commands that do it run by run."""

from collections.abc import Iterator
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING

from gsm_cli.cli.plan import FEW_RUNS, Plan
from gsm_cli.errors import DataError

if TYPE_CHECKING:
    from gsm_cli.cli.answers import ProspectResult
    from gsm_cli.runs.forecast import Prospect
    from gsm_cli.runs.task import Task


def show_prospects(plan: Plan, tasks: "Iterator[Task]", out: Path, force: bool, as_json: bool) -> None:
    """The runs, which of them are finished, which resume, and how long the rest takes; each as soon as it is known.

    Raises DataError at the end for those that cannot be run.
    """
    from gsm_cli.runs.forecast import foresee, total
    from gsm_cli.runs.processes import share
    from gsm_cli.words import few

    folders = [] if plan.scheduler else sorted(path for path in out.glob("*") if path.is_dir())
    first = [*islice(tasks, FEW_RUNS)]
    prospects, width = [], max(len(plan.label(each.config)) for each in first)
    for each in foresee(chain(first, tasks), folders, force, lambda: plan.device):
        prospects.append(each)
        if not as_json:
            time = "" if each.finished or each.seconds is None else f", about {duration(each.seconds)}"
            print(f"{plan.label(each.task.config):<{width}}  {each.state}{time}")
    jobs, _ = share(plan.jobs, sum(each.to_do for each in prospects), plan.device)
    seconds = None if plan.scheduler else total(prospects, jobs)
    if as_json:
        from gsm_cli.cli import answers, output

        runs = [_row(plan, each) for each in prospects]
        there = [each.task.record for each in prospects if each.finished]
        asked = answers.ProspectResults(runs=runs, jobs=None if plan.scheduler else jobs, seconds=seconds)
        output.show("train-ssl", there, asked)
    else:
        print(_last_line(prospects, None if plan.scheduler else jobs, seconds))
    if problems := [str(each.problem) for each in prospects if each.problem]:
        raise DataError(few(problems))


def show_commands(plan: Plan, extra: list[str], as_json: bool) -> None:
    """One command for each run, as soon as it is known."""
    from gsm_cli import commands

    lines = (commands.train_ssl(config, [config.seed], extra, plan.named) for config in plan.runs())
    if as_json:
        from gsm_cli.cli import answers, output

        output.show("train-ssl", [], answers.CommandResults(commands=[*lines]))
    else:
        for line in lines:
            print(line)


def duration(seconds: float) -> str:
    """A time as people say it."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    minutes = seconds / 60
    return f"{minutes:.0f} min" if minutes < 90 else f"{minutes / 60:.1f} h"


def _row(plan: Plan, prospect: "Prospect") -> "ProspectResult":
    from gsm_cli.cli.answers import ProspectResult

    return ProspectResult(
        run=plan.label(prospect.task.config),
        path=str(prospect.task.record),
        finished=prospect.finished,
        epochs=prospect.done,
        seconds=prospect.seconds,
    )


def _last_line(prospects: "list[Prospect]", jobs: int | None, seconds: float | None) -> str:
    """The last line: how many of each, and the time of all."""
    from gsm_cli.words import counted

    to_do = [each for each in prospects if each.to_do]
    finished = sum(each.finished for each in prospects)
    resumed = sum(each.done > 0 for each in to_do)
    lost = len(prospects) - finished - len(to_do)
    line = f"{counted(len(prospects), 'run')}: {finished} finished"
    line += f", {resumed} to resume, {len(to_do) - resumed} to start"
    line += f", {lost} that cannot be run" if lost else ""
    if not to_do:
        return line
    if jobs is None:
        return f"{line}; the time depends on the workers of the cluster"
    if seconds is None:
        return f"{line}; how long is known when a run like each has ended on a machine like this one"
    return f"{line}; about {duration(seconds)} with {counted(jobs, 'job')}, as on machines like this one before"
