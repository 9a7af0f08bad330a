"""What a training looks like on stderr: a live line in a terminal, one plain line per epoch elsewhere."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from gsm_cli.config import RunConfig
from gsm_cli.records.run import Epoch
from gsm_cli.runs.batch import Outcome

BAR_WIDTH = 16


class Display:
    """A watcher of `total` runs; use it as a context."""

    def __init__(self, total: int) -> None:
        self.console = Console(stderr=True, highlight=False)
        self.progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(BAR_WIDTH),
            TextColumn("{task.fields[numbers]}"),
            TimeRemainingColumn(compact=True),
            console=self.console,
            disable=not self.console.is_terminal,
            transient=True,
        )
        self.total = total
        self.done = 0
        self.task = TaskID(0)
        self.title = ""
        self.unlabelled = 0

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def start(self, config: RunConfig, unlabelled: int) -> None:
        self.unlabelled = unlabelled
        self.title = self._name(config)
        self.task = self.progress.add_task(self.title, total=config.epochs, numbers="")

    def epoch(self, epoch: Epoch) -> None:
        numbers = _numbers(epoch, self.unlabelled)
        if self.console.is_terminal:
            self.progress.update(self.task, completed=epoch.epoch, numbers=numbers)
        else:
            self.console.print(f"{self.title} {numbers}", soft_wrap=True)

    def end(self, outcome: Outcome) -> None:
        if not outcome.reused:
            self.progress.remove_task(self.task)
        state = "finished before" if outcome.reused else "finished"
        self.console.print(f"{self._name(outcome.record.config)} {_result(outcome, state)}", soft_wrap=True)
        self.done += 1

    def _name(self, config: RunConfig) -> str:
        return rf"\[{self.done + 1}/{self.total}] {config.objective} seed {config.seed}"


def _numbers(epoch: Epoch, unlabelled: int) -> str:
    tau = "" if epoch.tau is None else f" tau {epoch.tau:.3g}"
    bound = f"bound {epoch.unlabelled_bound:.2f}"
    rate = f"{unlabelled / epoch.seconds:,.0f} images/s"
    return f"epoch {epoch.epoch} {bound} validation {epoch.validation_accuracy:.4f}{tau} {rate}"


def _result(outcome: Outcome, state: str) -> str:
    record = outcome.record
    if record.test is None:
        assert record.failure is not None
        return f"failed: {record.failure.reason}"
    collapsed = ", collapsed: one class is predicted for everything" if record.collapsed else ""
    return f"{state}: test accuracy {record.test.accuracy:.4f} at epoch {record.test.epoch}{collapsed}"
