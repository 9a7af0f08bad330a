"""One run as a task, and what becomes of it: found finished, kept, or kept as what could not be completed.

A task is small enough to travel, settings in, a record out, and news on the way. PyTorch is imported where a task is
executed: a batch in which nothing is left to train needs none.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from gsm_cli.config import RunConfig, differences
from gsm_cli.data import find_dataset
from gsm_cli.data.dataset import Fetch, Pool
from gsm_cli.data.files import download
from gsm_cli.data.split import Split, load
from gsm_cli.errors import DataError, GsmError, OwnCodeError, UsageError, printable, shortened
from gsm_cli.extensions import own_code
from gsm_cli.files import is_there
from gsm_cli.objectives import SumAndSampleSettings
from gsm_cli.records.run import Failure, RunRecord, read_run
from gsm_cli.runs.environment import Device, keep_memory
from gsm_cli.runs.locks import RunLock
from gsm_cli.runs.places import PLACE, News, WorkerLostError

LONGEST = 200  # letters of a reason that a record keeps


@dataclass(frozen=True)
class Task:
    """A run, where its record is to be, and what it needs besides its settings."""

    config: RunConfig
    record: Path
    device: Device = "cpu"
    data_dir: Path | None = None
    anew: bool = False  # begun again though it was finished, or begun: with a checkpoint of its own

    @property
    def name(self) -> str:
        return self.config.name

    @property
    def checkpoint(self) -> Path:
        """Where the run keeps its state while it is not finished."""
        return self.record.with_suffix(".anew.pt" if self.anew else ".pt")

    def absolute(self) -> "Task":
        """The same for whoever works in another folder."""
        return replace(self, record=self.record.absolute(), data_dir=self.data_dir and self.data_dir.absolute())


def ready() -> None:
    """Load all that a run needs, PyTorch above all."""
    import gsm_cli.runs.training  # noqa: F401


def execute(task: Task) -> RunRecord:
    """Train it, in whatever place this is, from its checkpoint if there is one."""
    import torch

    from gsm_cli.runs.training import train

    place, config = PLACE.get(), task.config
    keep_memory()
    if place.threads:
        torch.set_num_threads(place.threads)
    split = load_split(config, config.seed, task.data_dir, download)
    place.say(News(task.name, images=len(split.unlabelled.classes) // config.batch_size * config.batch_size))
    with _checkpoint(task) as checkpoint, own_code() if config.objective_sha256 else nullcontext():
        return train(config, split, checkpoint, task.device)


@contextmanager
def _checkpoint(task: Task) -> Iterator[Path]:
    """Beside the record, where whoever asked can see it; on a machine that does not share that folder, for now."""
    if is_there(RunLock(task.record).path):
        yield task.checkpoint
    else:
        with TemporaryDirectory(prefix="gsm-") as folder:
            yield Path(folder) / task.checkpoint.name


POOLS: dict[tuple[str, str | None, Path | None], Pool] = {}  # what this process has read


def load_split(config: RunConfig, seed: int, data_dir: Path | None, fetch: Fetch | None) -> Split:
    """The split of the run's data set by a seed; the data set is read once in a process.

    Raises UsageError where somebody's own images are no longer those that the run names.
    """
    dataset = find_dataset(config.dataset)
    if dataset.sha256 != config.dataset_sha256:
        raise UsageError(f"{config.dataset} must stay as it was when the run began, and changed: start it again")
    key = (dataset.name, dataset.sha256, data_dir)
    if key not in POOLS:
        POOLS[key] = dataset.read(data_dir, fetch)
    return load(replace(dataset, read=lambda *_: POOLS[key]), config.labels, seed, data_dir, fetch, config.classes)


@dataclass(frozen=True)
class Outcome:
    """What became of a run: its record, if it has one, whether that was there before, and what went wrong around it."""

    task: Task
    record: RunRecord | None
    reused: bool = False
    problem: Exception | None = None

    @property
    def path(self) -> Path:
        return self.task.record

    @property
    def finished(self) -> bool:
        return self.record is not None and self.record.finished

    @property
    def reason(self) -> str | None:
        """Why the run could not be completed; None if it was, or if it diverged."""
        return None if self.problem is None else words(self.problem)


def reuse(path: Path, config: RunConfig) -> RunRecord | None:
    """The finished run at `path`, if there is one. Raises DataError if it is one of other settings."""
    record = read_run(path) if is_there(path) else None
    if record is None or not record.finished:
        return None
    if departures := differences(record.config.identity, config.identity):
        raise DataError(
            f"{path} must be a run of the settings that are asked for, and has {departures}: "
            "move it away, or take its place with --force"
        )
    return record


def is_to_do(task: Task) -> bool:
    """Whether the run is still to be trained; one whose record cannot be read costs itself alone, when its turn is."""
    try:
        return reuse(task.record, task.config) is None
    except DataError:
        return False


def keep(path: Path, record: RunRecord) -> None:
    """Write a record, but never a failure over what was finished. Raises GsmError if the disk refuses."""
    with suppress(DataError):
        if not record.finished and is_there(path) and read_run(path).finished:
            return
    record.save(path)


def unfinished(task: Task, error: Exception) -> RunRecord | None:
    """What is known of a run that was not completed, as far as its checkpoint goes.

    None if it cannot even begin, or go on from its checkpoint, which other code may have made.
    """
    from gsm_cli.runs.checkpoint import DamagedError  # with PyTorch
    from gsm_cli.runs.training import Run

    try:
        run = Run(task.config, load_split(task.config, task.config.seed, task.data_dir, None), task.device)
        if is_there(task.checkpoint):
            with suppress(DamagedError):  # what is in it nobody can know
                run.restore(task.checkpoint)
    except (GsmError, RuntimeError, AssertionError):  # the last of a PyTorch without the device
        return None
    reason = words(error).replace(f"{task.record.parent.absolute()}/", "")
    return run.record(failure=Failure(step=len(run.epochs) * run.steps, reason=reason))


def words(error: Exception) -> str:
    """An error in the words of a report, in one line."""
    if isinstance(error, WorkerLostError):
        return f"its worker {error}"
    text = str(error) if isinstance(error, GsmError) else f"{type(error).__name__} ({error})"
    return shortened(printable(" ".join(text.split())), LONGEST)


def check(tasks: Iterable[Task], fetch: Fetch | None) -> None:
    """Raise now what would end a run before its first step: its data, its sizes, an estimator that breaks a rule.

    Code of somebody's own that fails costs its runs alone, when their turn is.
    """
    from gsm_cli.runs.training import Run

    splits: dict[tuple[str, int, int | None], Split] = {}
    for task in {task.config.digest: task for task in tasks}.values():
        key = (task.config.dataset, task.config.labels, task.config.classes)
        if key not in splits:
            splits = {key: load_split(task.config, task.config.seed, task.data_dir, fetch)}
        with suppress(OwnCodeError):
            Run(task.config, splits[key])
        settings, classes = task.config.estimator, splits[key].classes
        if isinstance(settings, SumAndSampleSettings) and settings.top >= classes:
            remedy = "lower it, or sum them all with marginalize"
            raise UsageError(f"top must be less than the {classes} classes, not {settings.top}: {remedy}")
