"""What `gsm train-ssl` says instead of training: how its runs stand, or the commands that do them run by run."""

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from gsm_cli.cli.plan import Plan
from gsm_cli.errors import DataError

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
    from gsm_cli.files import is_there
    from gsm_cli.runs.checkpoint import epochs_of
    from gsm_cli.runs.outcomes import reuse

    try:
        if not force and reuse(task.record, task.config):
            return Prospect(task, True, task.config.epochs)
    except DataError as error:
        return Prospect(task, False, 0, error)
    anew = replace(task, anew=True).checkpoint
    checkpoint = anew if force or not is_there(task.checkpoint) else task.checkpoint
    return Prospect(task, False, epochs_of(checkpoint) if is_there(checkpoint) else 0)


def show_prospects(plan: Plan, tasks: "list[Task]", force: bool, as_json: bool) -> None:
    """How every run stands, and how many of each. Raises DataError at the end for those that cannot be run."""
    from gsm_cli.words import counted, few

    prospects = [foresee(task, force) for task in tasks]
    if as_json:
        from gsm_cli.cli import answers, output

        runs = [
            answers.ProspectResult(
                run=plan.label(each.task.config), path=str(each.task.record), finished=each.finished, epochs=each.done
            )
            for each in prospects
        ]
        there = [each.task.record for each in prospects if each.finished]
        output.show("train-ssl", there, answers.ProspectResults(runs=runs))
    else:
        width = max(len(plan.label(each.task.config)) for each in prospects)
        for each in prospects:
            print(f"{plan.label(each.task.config):<{width}}  {each.words}")
        states = Counter(each.state for each in prospects)
        print(f"{counted(len(prospects), 'run')}: {', '.join(f'{count} {state}' for state, count in states.items())}")
    if problems := [str(each.problem) for each in prospects if each.problem]:
        raise DataError(few(problems))


def show_commands(plan: Plan, tasks: "list[Task]", extra: list[str], as_json: bool) -> None:
    """One command for each run."""
    from gsm_cli import commands

    lines = [commands.train_ssl(task.config, [task.config.seed], extra, plan.named) for task in tasks]
    if as_json:
        from gsm_cli.cli import answers, output

        output.show("train-ssl", [], answers.CommandResults(commands=lines))
    else:
        print(*lines, sep="\n")
