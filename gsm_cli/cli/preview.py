"""What `gsm train-ssl` says instead of training: how its runs stand, or the commands that do them run by run."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice
from typing import TYPE_CHECKING

from gsm_cli import commands
from gsm_cli.cli.output import show
from gsm_cli.cli.plan import FEW_RUNS, Plan
from gsm_cli.errors import DataError
from gsm_cli.files import is_there
from gsm_cli.words import counted, few

if TYPE_CHECKING:
    from gsm_cli.runs.task import Task


@dataclass(frozen=True)
class Prospect:
    """A run before it starts: whether it is finished, and the epochs that it has; or why it cannot be run."""

    task: "Task"
    finished: bool
    done: int
    problem: DataError | None = None

    @property
    def state(self) -> str:
        """What becomes of it, in a word."""
        if self.problem:
            return "cannot be run"
        return "finished" if self.finished else "to resume" if self.done else "to start"

    @property
    def words(self) -> str:
        epochs = f" after epoch {self.done} of {self.task.config.epochs}" if self.state == "to resume" else ""
        return self.state + epochs


def foresee(task: "Task", force: bool) -> Prospect:
    """How a run stands."""
    from gsm_cli.runs.task import reuse

    try:
        if not force and reuse(task.record, task.config):
            return Prospect(task, True, task.config.epochs)
    except DataError as error:
        return Prospect(task, False, 0, error)
    checkpoint = replace(task, anew=True).checkpoint if force or not is_there(task.checkpoint) else task.checkpoint
    if not is_there(checkpoint):
        return Prospect(task, False, 0)
    from gsm_cli.runs.checkpoint import epochs_of  # with PyTorch

    return Prospect(task, False, epochs_of(checkpoint))


def show_prospects(plan: Plan, tasks: "Iterator[Task]", force: bool, as_json: bool) -> None:
    """How every run stands, as soon as it is known, and how many of each.

    Raises DataError at the end for those that cannot be run.
    """
    first = [*islice(tasks, FEW_RUNS)]
    prospects, runs, width = [], [], max(len(plan.label(each.config)) for each in first)
    for each in (foresee(task, force) for task in chain(first, tasks)):
        label, path = plan.label(each.task.config), str(each.task.record)
        prospects.append(each)
        runs.append({"run": label, "path": path, "finished": each.finished, "epochs": each.done})
        if not as_json:
            print(f"{label:<{width}}  {each.words}")
    states = [f"{count} {state}" for state, count in Counter(each.state for each in prospects).items()]
    sums = f"{counted(len(prospects), 'run')}: {', '.join(states)}"
    show("train-ssl", [each.task.record for each in prospects if each.finished], as_json, sums, runs=runs)
    if problems := [str(each.problem) for each in prospects if each.problem]:
        raise DataError(few(problems))


def show_commands(plan: Plan, extra: list[str], as_json: bool) -> None:
    """One command for each run, as soon as it is known."""
    lines = (commands.train_ssl(config, [config.seed], extra, plan.named) for config in plan.runs())
    if as_json:
        show("train-ssl", [], as_json, commands=[*lines])
    else:
        for line in lines:
            print(line)
