"""What the tests of batches share: small runs, what they leave, and somebody who looks on."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from gsm_cli.records.run import RunRecord, read_run
from gsm_cli.runs import training
from gsm_cli.runs.batch import run_all
from gsm_cli.runs.places import PLACE, Here, News, Place
from gsm_cli.runs.task import Task
from gsm_cli.settings import build

TINY = {"hidden": [8], "latent": 2, "auxiliary": 2, "epochs": 4, "batch_size": 200}


def tasks(folder: Path, *objectives: str, seeds: int = 1, **settings: object) -> list[Task]:
    """A small run of each objective with each seed, whose records are to be in a folder."""
    configs = [
        build({**TINY, "objective": name, "seed": seed, **settings}) for seed in range(seeds) for name in objectives
    ]
    return [Task(config, folder / "records" / f"{config.name}.json") for config in configs]


def timeless(record: RunRecord) -> RunRecord:
    """A record without clocks."""
    still = [0] * len(record.epochs)
    clocks = ("milliseconds", "processor_milliseconds", "evaluation_milliseconds")
    epochs = replace(record.epochs, **dict.fromkeys(clocks, still))
    return replace(record, epochs=epochs)


def kept(folder: Path) -> dict[str, RunRecord]:
    """The records below a folder by name, without their clocks. There may be nothing else beside them."""
    files = [path for path in folder.rglob("records/*") if path.is_file()]
    assert {path.suffix for path in files} <= {".json"}
    return {path.stem: timeless(read_run(path)) for path in files}


class Diary:
    """A watcher that remembers what it saw."""

    def __init__(self) -> None:
        self.epochs: dict[str, list[int]] = {}
        self.ends: list[str] = []
        self.notes: list[str] = []

    def start(self, name, images):
        self.images = images
        self.epochs.setdefault(name, [])

    def epoch(self, name, number, epoch):
        self.epochs[name].append(number)

    def end(self, outcome):
        self.ends.append(outcome.task.name)

    def note(self, name, words):
        self.notes.append(words)


@contextmanager
def heard(hear: Callable[[News], None], wanted: Callable[[], bool] = lambda: True) -> Iterator[None]:
    """Whom training in this process speaks to while this lasts."""
    token = PLACE.set(Place(hear, wanted=wanted))
    try:
        yield
    finally:
        PLACE.reset(token)


def interrupted(task: Task, epochs: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Train a run here, up to a Ctrl-C after so many epochs."""
    diary = Diary()

    def epoch(name, number, epoch):
        if number == epochs:
            raise KeyboardInterrupt

    diary.epoch = epoch
    with monkeypatch.context() as patch:
        patch.setattr(training, "CHECKPOINT_SECONDS", 0.0)
        with pytest.raises(KeyboardInterrupt):
            run_all([task], Here(), diary)
