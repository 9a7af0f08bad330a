"""One run as a task: small enough to travel, settings in, a record out, and news on the way.

PyTorch is imported where a task is executed: a batch in which nothing is left to train needs none.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from gsm_cli.config import RunConfig
from gsm_cli.data import find_dataset
from gsm_cli.data.dataset import Fetch, Pool
from gsm_cli.data.files import download
from gsm_cli.data.split import Split, load
from gsm_cli.errors import UsageError
from gsm_cli.extensions import own_code
from gsm_cli.files import is_there
from gsm_cli.records.run import RunRecord
from gsm_cli.runs.environment import Device, keep_memory
from gsm_cli.runs.locks import lock_path
from gsm_cli.runs.places import PLACE, News


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
    place.say(News(task.name, images=len(split.unlabelled) // config.batch_size * config.batch_size))
    with _checkpoint(task) as checkpoint, own_code() if config.objective_sha256 else nullcontext():
        record = train(config, split, checkpoint, task.device)
    environment = msgspec.structs.replace(record.environment, beside=place.beside)
    return msgspec.structs.replace(record, environment=environment)


@contextmanager
def _checkpoint(task: Task) -> Iterator[Path]:
    """Beside the record, where whoever asked can see it; on a machine that does not share that folder, for now."""
    if is_there(lock_path(task.record)):
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

    def read(folder: Path | None, fetch: Fetch | None) -> Pool:
        key = (dataset.name, dataset.sha256, folder)
        if key not in POOLS:
            POOLS[key] = dataset.read(folder, fetch)
        return POOLS[key]

    return load(replace(dataset, read=read), config.labels, seed, data_dir, fetch, config.classes)
