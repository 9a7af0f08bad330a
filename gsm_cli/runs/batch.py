"""Many runs: each one reused if it is finished, resumed if it was interrupted, else started."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gsm_cli.config import RunConfig, differences
from gsm_cli.data import find_dataset
from gsm_cli.data.dataset import Fetch
from gsm_cli.data.split import load
from gsm_cli.errors import DataError
from gsm_cli.records.layout import ReportFolder
from gsm_cli.records.run import Epoch, RunRecord, read_run
from gsm_cli.runs.environment import Device
from gsm_cli.runs.training import train


@dataclass(frozen=True)
class Outcome:
    """A run's record, where it is, and whether it was there before."""

    path: Path
    record: RunRecord
    reused: bool


class Watcher(Protocol):
    """Somebody who looks on: at the start of a run, at every epoch, and at its end."""

    def start(self, config: RunConfig, images: int) -> None: ...

    def epoch(self, number: int, epoch: Epoch) -> None: ...

    def end(self, outcome: Outcome) -> None: ...


def run_all(
    configs: Sequence[RunConfig],
    out: Path,
    watcher: Watcher,
    device: Device = "cpu",
    data_dir: Path | None = None,
    fetch: Fetch | None = None,
    force: bool = False,
) -> list[Outcome]:
    """Run what is not finished, in order; the records go to `out`/<dataset>-<labels>/records/."""
    outcomes = []
    for config in configs:
        path = ReportFolder(out / config.folder).record(config.name)
        outcome = None if force else reuse(path, config)
        if outcome is None:
            outcome = _run(config, path, watcher, device, data_dir, fetch, force)
        watcher.end(outcome)
        outcomes.append(outcome)
    return outcomes


def reuse(path: Path, config: RunConfig) -> Outcome | None:
    """The finished run at `path`, if there is one. Raises DataError if it is one of other settings."""
    record = read_run(path) if path.exists() else None
    if record is None or not record.finished:
        return None
    if departures := differences(record.config.identity, config.identity):
        raise DataError(
            f"{path} must be a run of the settings that are asked for, and has {departures}: "
            "move it away, or take its place with --force"
        )
    return Outcome(path, record, reused=True)


def _run(
    config: RunConfig,
    path: Path,
    watcher: Watcher,
    device: Device,
    data_dir: Path | None,
    fetch: Fetch | None,
    force: bool,
) -> Outcome:
    checkpoint = path.with_suffix(".pt")
    if force:
        checkpoint.unlink(missing_ok=True)
    split = load(find_dataset(config.dataset), config.labels, config.seed, data_dir, fetch)
    watcher.start(config, len(split.unlabelled) // config.batch_size * config.batch_size)
    record = train(config, split, checkpoint, watcher.epoch, device)
    before = read_run(path) if path.exists() else None
    if record.finished or before is None or not before.finished:  # a failure does not replace what was finished
        record.save(path)
    checkpoint.unlink(missing_ok=True)
    return Outcome(path, record, reused=False)
