"""Many runs: each one reused if it is finished, resumed if it was interrupted, else started."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gsm_cli.config import RunConfig
from gsm_cli.data.split import Fetch, load
from gsm_cli.records.run import Epoch, RunRecord, read_record
from gsm_cli.runs.training import train


@dataclass(frozen=True)
class Outcome:
    """A run's record, where it is, and whether it was there before."""

    path: Path
    record: RunRecord
    reused: bool


class Watcher(Protocol):
    """Somebody who looks on: at the start of a run, at every epoch, and at its end."""

    def start(self, config: RunConfig, unlabelled: int) -> None: ...

    def epoch(self, epoch: Epoch) -> None: ...

    def end(self, outcome: Outcome) -> None: ...


def folder(config: RunConfig, out: Path) -> Path:
    """Where a run's report lies."""
    return out / f"{config.dataset}-{config.labels}"


def run_all(
    configs: Sequence[RunConfig],
    out: Path,
    watcher: Watcher,
    data_dir: Path | None = None,
    fetch: Fetch | None = None,
    force: bool = False,
) -> list[Outcome]:
    """Run what is not finished, in order; the records go to `out`/<dataset>-<labels>/records/."""
    outcomes = []
    for config in configs:
        path = folder(config, out) / "records" / f"{config.name}.json"
        outcome = None if force else _reuse(path)
        if outcome is None:
            outcome = _run(config, path, watcher, data_dir, fetch, force)
        watcher.end(outcome)
        outcomes.append(outcome)
    return outcomes


def _reuse(path: Path) -> Outcome | None:
    record = read_record(path) if path.exists() else None
    return Outcome(path, record, reused=True) if record and record.finished else None


def _run(
    config: RunConfig, path: Path, watcher: Watcher, data_dir: Path | None, fetch: Fetch | None, force: bool
) -> Outcome:
    checkpoint = path.with_suffix(".pt")
    if force:
        checkpoint.unlink(missing_ok=True)
    split = load(config.dataset, config.labels, config.seed, data_dir, fetch)
    watcher.start(config, len(split.unlabelled))
    record = train(config, split, checkpoint, watcher.epoch)
    if record.finished or _reuse(path) is None:  # a run that fails does not take the place of one that did not
        record.save(path)
    checkpoint.unlink(missing_ok=True)
    return Outcome(path, record, reused=False)
