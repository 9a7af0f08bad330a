"""Records sorted for a report: runs that may be averaged form a series, series that may be compared form a group."""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean, median

import msgspec

from gsm_cli import commands
from gsm_cli.config import RunConfig
from gsm_cli.objectives import OBJECTIVES
from gsm_cli.records.run import Curves, RunRecord

FREE = ("objective", "seed", "own", "objective_sha256")  # settings that may differ within a group
SHOWN = 12  # hex digits of a file's digest
RANKS = {name: rank for rank, name in enumerate(OBJECTIVES)}


@dataclass(frozen=True)
class Series:
    """The runs of one objective that differ in their seeds alone, in the order of the seeds."""

    name: str
    records: Sequence[RunRecord]

    @property
    def config(self) -> RunConfig:
        """The settings of the first seed's run."""
        return self.records[0].config

    @property
    def seeds(self) -> list[int]:
        return [record.config.seed for record in self.records]

    @cached_property
    def finished(self) -> tuple[RunRecord, ...]:
        return tuple(record for record in self.records if record.finished)

    @property
    def generated(self) -> str | None:
        """What the model of the first seed generates, if that was kept."""
        return next((record.generated for record in self.finished), None)

    def test_accuracy(self) -> dict[int, float]:
        """By seed."""
        return {record.config.seed: record.test.chosen.accuracy for record in self.finished if record.test}

    def test_bound(self) -> dict[int, float]:
        """By seed, in nats per image."""
        readings = {record.config.seed: record.test.chosen for record in self.finished if record.test}
        return {seed: fmean(reading.bounds) for seed, reading in readings.items() if reading.bounds}

    def best_validation(self) -> dict[int, float]:
        """By seed, at the epoch that validation chose."""
        return {record.config.seed: max(record.epochs.validation_accuracy) for record in self.finished}

    def seconds_per_epoch(self) -> float:
        """The median over all epochs of all runs."""
        return median(seconds for record in self.finished for seconds in record.epochs.seconds)

    def images_per_second(self) -> float:
        """Unlabelled images of an epoch's whole batches over its seconds."""
        seconds = self.seconds_per_epoch()
        return self.finished[0].images_per_epoch / seconds if seconds else math.inf

    def speed_up(self, other: "Series") -> float:
        """How many times as fast an epoch is as one of the other's."""
        seconds = self.seconds_per_epoch()
        return other.seconds_per_epoch() / seconds if seconds else math.inf

    def evaluations(self) -> float:
        """How often a step evaluates the conditional bound for one unlabelled image, the mean over all epochs."""
        return fmean(count for record in self.finished for count in record.epochs.evaluations)

    def curve(self, column: Callable[[Curves], Sequence[float | None] | None]) -> list[float]:
        """The mean over seeds of a quantity, after each of the epochs after which every run has it."""
        columns = [column(record.epochs) or [] for record in self.finished]
        present = ([value for value in values if value is not None] for values in zip(*columns, strict=False))
        return [fmean(values) for values in present if len(values) == len(columns)]


@dataclass(frozen=True)
class Group:
    """Series with the same settings but for the objective and what is its own."""

    series: Sequence[Series]

    @property
    def config(self) -> RunConfig:
        """The settings of the first run."""
        return self.series[0].config

    @property
    def settings(self) -> dict[str, object]:
        """The settings that every run has in common."""
        return shared_settings(self.config)

    @property
    def trained(self) -> list[Series]:
        """The series with a finished run."""
        return [series for series in self.series if series.finished]

    @property
    def records(self) -> list[RunRecord]:
        return [record for series in self.series for record in series.records]

    def find(self, objective: str) -> Series | None:
        """The objective's series with the most finished runs."""
        candidates = [series for series in self.trained if series.config.objective == objective]
        return max(candidates, key=lambda series: len(series.finished), default=None)


def sort_records(records: Iterable[RunRecord]) -> list[Group]:
    """The groups, the largest first; in each the series by objective and temperature."""
    groups: dict[str, dict[str, list[RunRecord]]] = {}
    for record in sorted(records, key=lambda record: (_order(record.config), record.config.seed)):
        key = repr(shared_settings(record.config))
        groups.setdefault(key, {}).setdefault(record.config.digest, []).append(record)
    found = [_group(list(series.values())) for _, series in sorted(groups.items())]
    return sorted(found, key=lambda group: -len(group.records))


def shared_settings(config: RunConfig) -> dict[str, object]:
    """The settings that every run of a group has in common."""
    settings = msgspec.structs.asdict(config) | {"dataset": config.dataset_name}
    return {name: value for name, value in settings.items() if name not in FREE}


def own_settings(config: RunConfig) -> dict[str, str]:
    """What is the objective's own, as a reader sees it; of somebody's own file the first digits of its digest."""
    file = {"SHA-256": config.objective_sha256[:SHOWN]} if config.objective_sha256 else {}
    return {name: commands.write(value) for name, value in config.own.items()} | file


def name_series(configs: Sequence[RunConfig]) -> list[str]:
    """A name for each: its objective's and, where several have the same, what of their own settings differs."""
    return [
        _name(config, [each for each in configs if each.objective_name == config.objective_name]) for config in configs
    ]


def _name(config: RunConfig, namesakes: Sequence[RunConfig]) -> str:
    others = [own_settings(each) for each in namesakes]
    own = own_settings(config).items()
    parts = [f"{name} {value}" for name, value in own if any(other.get(name) != value for other in others)]
    return ", ".join([config.objective_name, *parts])


def _group(series: Sequence[Sequence[RunRecord]]) -> Group:
    names = name_series([records[0].config for records in series])
    return Group([Series(name, records) for name, records in zip(names, series, strict=True)])


def _order(config: RunConfig) -> tuple[int, str, float, list[tuple[str, float, str]], str]:
    """By the table of objectives, then by temperature, then by the other settings of its own."""
    own = [(name, _number(value), str(value)) for name, value in config.own.items()]
    rank = RANKS.get(config.objective, len(RANKS))
    return rank, config.objective_name, _number(config.own.get("tau")), own, config.objective_sha256 or ""


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
