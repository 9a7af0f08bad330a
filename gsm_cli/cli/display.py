"""What work looks like on stderr: live lines in a terminal, a plain line per epoch elsewhere."""

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Column

from gsm_cli.errors import DataError
from gsm_cli.records.curves import Epoch
from gsm_cli.runs.task import Outcome, Task
from gsm_cli.words import percent

BAR_WIDTH = 7  # beside which a line of 80 letters has room for the longest objective and its seed
WINDOW = 600.0  # seconds over which the speed of a batch is taken


class Display:
    """A watcher of these runs, each with its label by its name; `progress` is the context in which it shows them."""

    def __init__(self, tasks: Sequence[Task], labels: Mapping[str, str]) -> None:
        self.console = Console(stderr=True, highlight=False)
        self.progress = Progress(
            TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis", ratio=1)),
            BarColumn(BAR_WIDTH),
            TextColumn("{task.fields[numbers]}", table_column=Column(no_wrap=True, min_width=22)),
            TimeRemainingColumn(compact=True),
            console=self.console,
            disable=not self.console.is_terminal,
            transient=True,
            expand=True,
            speed_estimate_period=WINDOW,
        )
        self.epochs = {task.name: task.config.epochs for task in tasks}
        self.to_do = dict(self.epochs)  # epochs of each run that are work of this batch ...
        self.done = dict.fromkeys(self.epochs, 0)  # ... and those of them that are done
        self.numbers = {task.name: number for number, task in enumerate(tasks, start=1)}
        self.labels = labels
        self.images: dict[str, int] = {}
        self.rows: dict[str, TaskID] = {}
        self.ended = 0
        self.failed = 0
        self.batch = self.progress.add_task("", total=None, numbers="", visible=len(tasks) > 1)
        self._count()

    def start(self, name: str, images: int) -> None:
        self.images[name] = images
        if name not in self.rows:
            self.rows[name] = self.progress.add_task(escape(self.labels[name]), total=self.epochs[name], numbers="")

    def epoch(self, name: str, number: int, epoch: Epoch) -> None:
        if self.console.is_terminal:
            numbers = f"{number}/{self.epochs[name]} {_validation(epoch)}"
            self.progress.update(self.rows[name], completed=number, numbers=numbers)
        else:
            self.console.print(f"{self._name(name)} {_numbers(number, epoch, self.images[name])}", soft_wrap=True)
        if not self.done[name]:  # what a resumed run had before is no work of this batch
            self.to_do[name] -= number - 1
        self.done[name] = self.to_do[name] - (self.epochs[name] - number)
        self._count()

    def end(self, outcome: Outcome) -> None:
        name = outcome.task.name
        if name in self.rows:
            self.progress.remove_task(self.rows.pop(name))
        self.ended += 1
        self.failed += not outcome.finished
        self.to_do[name] = self.done[name]  # nothing more is to come
        self.console.print(f"{self._name(name)} {escape(_result(outcome))}", soft_wrap=True)
        self._count()

    def note(self, name: str, words: str) -> None:
        self.console.print(f"{self._name(name)} {escape(words)}", soft_wrap=True)

    def _count(self) -> None:
        """Show how far the batch is, in epochs of what was to do when it began."""
        failed = f", {self.failed} failed" if self.failed else ""
        self.progress.update(
            self.batch,
            description=f"{self.ended} of {len(self.numbers)} runs{failed}",
            total=sum(self.to_do.values()),
            completed=sum(self.done.values()),
        )

    def _name(self, name: str) -> str:
        return rf"\[{self.numbers[name]}/{len(self.numbers)}] {escape(self.labels[name])}"


def _numbers(number: int, epoch: Epoch, images: int) -> str:
    tau = "" if epoch.tau is None else f" tau {epoch.tau:.3g}"
    bound = f"bound {epoch.unlabelled_bound:.2f}"
    return f"epoch {number} {bound} {_validation(epoch)}{tau} {images / epoch.seconds:,.0f} images/s"


def _validation(epoch: Epoch) -> str:
    return f"validation accuracy {percent(epoch.validation_accuracy)} %"


def _result(outcome: Outcome) -> str:
    record = outcome.record
    if outcome.reason:
        refused = record is None and isinstance(outcome.problem, DataError)
        return f"{'refused' if refused else 'failed'}: {outcome.reason}"
    assert record is not None
    if record.test is None:
        assert record.failure is not None
        return f"failed: {record.failure.reason}"
    state = "finished before" if outcome.reused else "finished"
    collapsed = ", collapsed: one class is predicted for everything" if record.collapsed else ""
    return f"{state}: test accuracy {percent(record.test.last.accuracy)} %{collapsed}"
