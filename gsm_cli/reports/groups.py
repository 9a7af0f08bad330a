"""Records sorted for a report: runs that may be averaged form a series, series that may be compared form a group."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import cached_property
from statistics import fmean, median
from typing import Any

from gsm_cli.config import LAPTOP, OWN_SETTINGS, PRESETS, Objective, RunConfig, build
from gsm_cli.records.run import RunRecord

ORDER = list(Objective)
FREE_SETTINGS = ("objective", "seed", "device", *OWN_SETTINGS)  # may differ within a group


@dataclass(frozen=True)
class Series:
    """The runs of one objective that differ in their seeds alone."""

    name: str
    config: RunConfig
    records: tuple[RunRecord, ...]

    @cached_property
    def finished(self) -> tuple[RunRecord, ...]:
        return tuple(record for record in self.records if record.finished)

    @property
    def seeds(self) -> list[int]:
        return [record.config.seed for record in self.records]

    @property
    def generated(self) -> str | None:
        """What the model of the first seed generates, if that was kept."""
        return next((record.generated for record in self.finished), None)

    def test_accuracy(self) -> dict[int, float]:
        """By seed."""
        return {record.config.seed: record.test.accuracy for record in self.finished if record.test}

    def test_bound(self) -> dict[int, float]:
        """By seed, in nats per image."""
        return {record.config.seed: record.test.bound for record in self.finished if record.test}

    def best_validation(self) -> dict[int, float]:
        """By seed, at the epoch that validation chose."""
        return {
            record.config.seed: max(epoch.validation_accuracy for epoch in record.epochs) for record in self.finished
        }

    def seconds_per_epoch(self) -> float:
        """The median over all epochs of all runs."""
        return median(epoch.seconds for record in self.finished for epoch in record.epochs)

    def evaluations(self) -> float:
        """How often a step evaluates the conditional bound for one unlabelled image, the mean over all epochs."""
        return fmean(epoch.evaluations for record in self.finished for epoch in record.epochs)

    def curve(self, name: str) -> list[float]:
        """The mean over seeds of a quantity after each epoch."""
        columns = zip(*([getattr(epoch, name) for epoch in record.epochs] for record in self.finished), strict=True)
        return [fmean(column) for column in columns]


@dataclass(frozen=True)
class Group:
    """Series with the same settings but for the objective and its temperature."""

    settings: dict[str, Any]
    series: tuple[Series, ...]

    def find(self, objective: Objective) -> Series | None:
        """The objective's series with the most finished runs."""
        candidates = [series for series in self.series if series.config.objective is objective and series.finished]
        return max(candidates, key=lambda series: len(series.finished), default=None)

    @property
    def runs(self) -> int:
        return sum(len(series.records) for series in self.series)


def group(records: Iterable[RunRecord]) -> list[Group]:
    """The groups, the largest first."""
    groups: dict[str, dict[str, list[RunRecord]]] = {}
    for record in sorted(records, key=lambda record: (ORDER.index(record.config.objective), record.config.seed)):
        key = repr(shared_settings(record.config))
        groups.setdefault(key, {}).setdefault(record.config.digest, []).append(record)
    found = [
        Group(shared_settings(next(iter(series.values()))[0].config), _name(list(series.values())))
        for _, series in sorted(groups.items())
    ]
    return sorted(found, key=lambda each: -each.runs)


def shared_settings(config: RunConfig) -> dict[str, Any]:
    """The settings that every series of a group has in common."""
    return {name: value for name, value in asdict(config).items() if name not in FREE_SETTINGS}


def command(config: RunConfig, seeds: Iterable[int]) -> str:
    """The command that makes these runs: of the presets that with the fewest other settings, and these."""
    words = ["gsm train-ssl", f"--dataset {config.dataset}", f"--objective {config.objective}"]
    others = min((_departures(config, preset) for preset in PRESETS[config.dataset]), key=len)
    return " ".join([*words, f"--seeds {_seeds(seeds)}", *others])


def _departures(config: RunConfig, preset: str) -> list[str]:
    """A preset, and every setting that is not the preset's, as words of the command line."""
    usual = asdict(build({"objective": config.objective, "dataset": config.dataset}, preset))
    words = [] if preset == LAPTOP else [f"--preset {preset}"]
    for name, value in asdict(config).items():
        if name not in ("objective", "dataset", "seed", "device") and value != usual[name]:
            text = ",".join(str(part) for part in value) if isinstance(value, tuple) else str(value).lower()
            plain = name in ("labels", "epochs", "tau", "precision")
            words.append(f"--{name} {text}" if plain else f"--set {name}={text}")
    return words


def _name(series: list[list[RunRecord]]) -> tuple[Series, ...]:
    """A series bears its objective's name, and its own settings where the objective has several series."""
    configs = [records[0].config for records in series]
    objectives = [config.objective for config in configs]
    return tuple(
        Series(
            config.objective
            if objectives.count(config.objective) == 1
            else f"{config.objective}, {own_settings(config)}",
            config,
            tuple(records),
        )
        for config, records in zip(configs, series, strict=True)
    )


def own_settings(config: RunConfig) -> str:
    """The settings that are the objective's own, where they say something."""
    values = ((name, getattr(config, name)) for name in OWN_SETTINGS)
    return ", ".join(f"{name} {value:g}" for name, value in values if value)


def _seeds(seeds: Iterable[int]) -> str:
    """Seeds as `read_seeds` reads them, 0-4,7."""
    parts: list[list[int]] = []
    for seed in sorted(set(seeds)):
        if parts and seed == parts[-1][-1] + 1:
            parts[-1].append(seed)
        else:
            parts.append([seed])
    return ",".join(str(part[0]) if len(part) == 1 else f"{part[0]}-{part[-1]}" for part in parts)
