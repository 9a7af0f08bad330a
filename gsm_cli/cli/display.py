"""What work looks like on stderr: a live line in a terminal, a plain line per epoch elsewhere; bars of downloads."""

from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from gsm_cli.config import RunConfig
from gsm_cli.data.download import download
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
        self.images = 0

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    def start(self, config: RunConfig, images: int) -> None:
        self.images = images
        self.title = self._name(config)
        self.task = self.progress.add_task(self.title, total=config.epochs, numbers="")

    def epoch(self, number: int, epoch: Epoch) -> None:
        numbers = _numbers(number, epoch, self.images)
        if self.console.is_terminal:
            self.progress.update(self.task, completed=number, numbers=numbers)
        else:
            self.console.print(f"{self.title} {numbers}", soft_wrap=True)

    def end(self, outcome: Outcome) -> None:
        if not outcome.reused:
            self.progress.remove_task(self.task)
        state = "finished before" if outcome.reused else "finished"
        self.console.print(f"{self._name(outcome.record.config)} {_result(outcome, state)}", soft_wrap=True)
        self.done += 1

    def _name(self, config: RunConfig) -> str:
        return rf"\[{self.done + 1}/{self.total}] {config.objective_name} seed {config.seed}"


def _numbers(number: int, epoch: Epoch, images: int) -> str:
    tau = "" if epoch.tau is None else f" tau {epoch.tau:.3g}"
    bound = f"bound {epoch.unlabelled_bound:.2f}"
    rate = f"{images / epoch.seconds:,.0f} images/s"
    return f"epoch {number} {bound} validation {epoch.validation_accuracy:.4f}{tau} {rate}"


def _result(outcome: Outcome, state: str) -> str:
    record = outcome.record
    if record.test is None:
        assert record.failure is not None
        return f"failed: {record.failure.reason}"
    collapsed = ", collapsed: one class is predicted for everything" if record.collapsed else ""
    return f"{state}: test accuracy {record.test.chosen.accuracy:.4f} at epoch {record.test.chosen.epoch}{collapsed}"


def fetch(urls: Sequence[str], path: Path, sha256: str) -> None:
    """Download a file with a progress bar. Raises OSError."""
    download(urls, path, sha256, DownloadBar)


class DownloadBar:
    """The methods that pooch asks of a progress bar."""

    def __init__(self, name: str) -> None:
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn())
        self.progress = Progress(*columns, console=Console(stderr=True), transient=True)
        self.task = self.progress.add_task(name)

    def __enter__(self) -> Self:
        self.progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.progress.stop()

    @property
    def total(self) -> float | None:
        return self.progress.tasks[0].total

    @total.setter
    def total(self, size: int) -> None:
        self.progress.update(self.task, total=size)

    def update(self, size: int) -> None:
        self.progress.advance(self.task, size)

    def reset(self) -> None:
        self.progress.reset(self.task)

    def close(self) -> None:
        self.progress.refresh()
