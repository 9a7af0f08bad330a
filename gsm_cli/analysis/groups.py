"""Records sorted for a report: runs that may be averaged form a series, series that may be compared form a group."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from gsm_cli import commands
from gsm_cli.analysis.identity import by_size, identify, name_groups, own_settings, shared_settings
from gsm_cli.analysis.series import Clock, Floor, Series, clocks
from gsm_cli.analysis.statistics import Comparison, Summary, compare, corrected
from gsm_cli.config import RunConfig
from gsm_cli.data import DATASETS, describe_dataset
from gsm_cli.objectives import OBJECTIVES, SUPERVISED, own_defaults
from gsm_cli.records.cost import StepRecord, step_key
from gsm_cli.records.run import RunRecord

OF_OTHERS = 100  # labels with which others report
MOST = 12  # series that a picture of all of them can hold
RANKS = {name: rank for rank, name in enumerate(OBJECTIVES)}


@dataclass(frozen=True)
class Group:
    """Series with the same settings but for the objective and what is its own.

    The name says what sets the group apart from the others; it is empty if there is no other.
    """

    series: Sequence[Series]
    name: str = ""

    @property
    def config(self) -> RunConfig:
        """The settings of the first run."""
        return self.series[0].config

    @cached_property
    def trained(self) -> list[Series]:
        """The series with a finished run."""
        return [series for series in self.series if series.finished]

    @property
    def pictured(self) -> list[Series]:
        """Those in pictures of all: where there are too many, one of each objective, that a verdict speaks of."""
        if len(self.trained) <= MOST:
            return self.trained
        return [each for each in self.trained if self.find(each.config.objective) is each]

    @property
    def records(self) -> list[RunRecord]:
        return [record for series in self.series for record in series.records]

    @property
    def as_others(self) -> bool:
        """Whether its task is that of which others report: as many labels, and every class."""
        return self.config.labels == OF_OTHERS and self.config.classes is None

    def find(self, objective: str) -> Series | None:
        """The objective's series that a verdict speaks of, of those with a finished run.

        Of several, as at several temperatures, that with the settings of a preset or by default; if it is not among
        them, of those with the most finished runs the one that is most accurate on validation.
        """
        candidates = [series for series in self.trained if series.config.objective == objective]
        for usual in usual_settings(objective, self.config.dataset) if len(candidates) > 1 else []:
            if found := [series for series in candidates if series.config.own == usual]:
                return found[0]
        return max(candidates, key=lambda each: each.standing, default=None)

    def gain(self, series: Series) -> Comparison | None:
        """A series against the labels alone, where they were trained and it is another."""
        labels = self.find(SUPERVISED)
        return compare(series.scores, labels.scores) if labels and labels is not series else None

    def floor(self, series: Series) -> Floor:
        """What a series is not surely above: chance, or the labels alone where they were trained; empty if neither."""
        if not series.is_above_chance:
            return "chance"
        if (gain := self.gain(series)) is None:
            return ""
        lowest = gain.summary.mean if gain.summary.low is None else gain.summary.low
        return "" if lowest > 0 else "supervised"

    def beyond(self, found: Comparison) -> Summary | None:
        """The interval for other images of the kind; None where splits share none, or too little is known of them."""
        dataset, config = describe_dataset(self.config.dataset), self.config
        if not dataset.test or config.classes is not None:
            return None
        unlabelled = self.records[0].unlabelled
        paired = 2 * config.labels + 2 * unlabelled / dataset.paired if dataset.paired else config.labels + unlabelled
        return corrected(found.summary, len(found.seeds), dataset.test / paired)

    @property
    def shares_images(self) -> bool:
        """Whether the splits of all seeds may have images in common, so that intervals are of these images alone."""
        return self.config.dataset not in DATASETS or bool(describe_dataset(self.config.dataset).test)


def usual_settings(objective: str, dataset: str) -> list[dict[str, object]]:
    """What is an objective's own by each of a data set's presets, the first preset first."""
    own = own_defaults(objective)
    presets = describe_dataset(dataset).presets.values()
    return [{**own, **{name: value for name, value in preset.items() if name in own}} for preset in presets]


def sort_records(records: Iterable[RunRecord], steps: StepRecord | None = None) -> list[Group]:
    """The groups, the largest first, of equals the longest, then a preset; in each the series by objective and tau.

    `steps` tell how long their steps take.
    """
    timed = clocks(steps)
    groups: dict[str, dict[str, list[RunRecord]]] = {}
    for record in sorted(records, key=lambda record: (_order(record.config), record.config.seed)):
        groups.setdefault(repr(shared_settings(record.config)), {}).setdefault(record.config.digest, []).append(record)
    found = [_series(list(series.values()), timed) for _, series in sorted(groups.items())]
    found.sort(key=lambda group: len(commands.train_ssl(group[0].config, []).split()))
    found.sort(key=lambda group: (-sum(len(series.records) for series in group), -group[0].config.epochs))
    settings = [shared_settings(group[0].config) for group in found]
    names = name_groups(settings, describe_dataset(found[0][0].config.dataset)) if len(found) > 1 else [""] * len(found)
    sorted_groups = [Group(series, name) for series, name in zip(found, names, strict=True)]
    for group in sorted_groups:
        for each in group.trained:
            each.floor = group.floor(each)
    return sorted_groups


def _series(runs: Sequence[Sequence[RunRecord]], timed: Mapping[str, Clock]) -> list[Series]:
    configs = [records[0].config for records in runs]
    identities = identify([(config.objective_name, own_settings(config)) for config in configs])
    clocks = [timed.get(step_key(config)) for config in configs]
    return [Series(*each) for each in zip(identities, runs, clocks, strict=True)]


def _order(config: RunConfig) -> tuple[object, ...]:
    """By the table of objectives, then by temperature, then by the other settings of its own."""
    own = [(name, *by_size(value)) for name, value in config.own.items()]
    rank = RANKS.get(config.objective, len(RANKS))
    return rank, config.objective_name, by_size(config.own.get("tau")), own, config.objective_sha256 or ""
