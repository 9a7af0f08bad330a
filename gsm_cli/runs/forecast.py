"""What a batch will have to do: which runs are finished, which resume, and how long the rest takes."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from gsm_cli.config import RunConfig
from gsm_cli.errors import DataError
from gsm_cli.files import is_there
from gsm_cli.records.layout import ReportFolder
from gsm_cli.records.run import RunRecord, read_run
from gsm_cli.records.steps import TIMELESS
from gsm_cli.records.store import Environment
from gsm_cli.runs.environment import Device, environment
from gsm_cli.runs.outcomes import reuse
from gsm_cli.runs.task import Task


@dataclass(frozen=True)
class Prospect:
    """A run before it starts: whether it is finished, the epochs that it has, and the seconds of those to come."""

    task: Task
    finished: bool
    done: int
    seconds: float | None  # None: no record of this machine says
    problem: DataError | None = None  # why it cannot be run

    @property
    def to_do(self) -> bool:
        """Whether the batch would train it."""
        return not self.finished and not self.problem

    @property
    def state(self) -> str:
        """In words."""
        if self.problem:
            return "cannot be run, as said below"
        if self.finished:
            return "finished"
        return f"resumes after epoch {self.done} of {self.task.config.epochs}" if self.done else "to do"


def foresee(
    tasks: Iterable[Task], folders: Iterable[Path], force: bool, device: Callable[[], Device] = lambda: "cpu"
) -> Iterator[Prospect]:
    """How every run stands, with times from records of this machine in these folders; it is looked at if there are."""
    times: dict[str, list[float]] = {}
    here: Environment | None = None
    for record in (record for folder in folders for record in _records(folder)):
        here = here or environment(device())
        if _same(record.environment, here):
            times.setdefault(_timing_key(record.config), []).append(median(record.epochs.seconds))
    return (_prospect(task, times, force) for task in tasks)


def total(prospects: Sequence[Prospect], jobs: int) -> float | None:
    """The seconds that so many jobs need for what is to come; None if of some of it nobody knows."""
    seconds = [each.seconds for each in prospects if each.to_do]
    known = [each for each in seconds if each is not None]
    return max(sum(known) / jobs, max(known, default=0.0)) if len(known) == len(seconds) else None


def _prospect(task: Task, times: dict[str, list[float]], force: bool) -> Prospect:
    try:
        if not force and reuse(task.record, task.config):
            return Prospect(task, True, task.config.epochs, 0.0)
    except DataError as error:
        return Prospect(task, False, 0, None, error)
    anew = replace(task, anew=True).checkpoint
    checkpoint = anew if force or not is_there(task.checkpoint) else task.checkpoint
    done = _epochs_of(checkpoint) if is_there(checkpoint) else 0
    found = times.get(_timing_key(task.config))
    return Prospect(task, False, done, median(found) * (task.config.epochs - done) if found else None)


def _epochs_of(checkpoint: Path) -> int:
    """Those that are done, which PyTorch reads: it is imported where there is a checkpoint."""
    from gsm_cli.runs.checkpoint import epochs_of

    return epochs_of(checkpoint)


def _records(folder: Path) -> Iterator[RunRecord]:
    """The finished runs of a folder, as far as they can be read."""
    for path in ReportFolder(folder).records:
        try:
            record = read_run(path)
        except DataError:
            continue
        if record.finished:
            yield record


def _same(found: Environment, here: Environment) -> bool:
    """Whether two environments are one machine, as far as the speed goes."""
    names = ("system", "device", "kernels", "features")
    return all(getattr(found, name) == getattr(here, name) for name in names)


def _timing_key(config: RunConfig) -> str:
    """What the time of an epoch depends on."""
    return repr({name: value for name, value in config.identity.items() if name not in TIMELESS})
