"""Which values of settings are best: a search held against its base on validation, a sweep on the test set."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from gsm_cli.analysis.contrasts import EPOCHS, FITTED, OF_THE_DATA, Swept, named, over_lengths, settings_of
from gsm_cli.analysis.identity import DIGEST, Identity, apart, with_looks, written
from gsm_cli.analysis.series import Series, validation_step
from gsm_cli.analysis.statistics import LEVEL, Comparison, Summary, compare, holm, summarize
from gsm_cli.analysis.verdict import PRINTED

ALIKE = ("dataset", DIGEST, "labels", "classes", EPOCHS, "precision")  # in runs that are compared
CHANGES = 3  # of different settings, that make a search; fewer are lines, or a map
ROUNDING = 9  # decimal places, beyond which a difference of two accuracies is none


@dataclass(frozen=True)
class Trial:
    """Runs with some settings changed: by seed, their validation accuracy minus the base's, and its summary.

    The factor is the seconds of an epoch over the base's; None unless both steps were timed.
    """

    identity: Identity
    series: Series
    differences: Mapping[int, float]
    difference: Summary
    factor: Summary | None

    @property
    def gain(self) -> float:
        return round(self.difference.mean, ROUNDING)

    @property
    def is_told_apart(self) -> bool:
        """Whether its interval is without 0."""
        low, high = self.difference.low, self.difference.high
        return low is not None and high is not None and not low <= 0 <= high


@dataclass(frozen=True)
class Search:
    """An objective, its base with the values there of all that was changed, and the changes, the best first."""

    identity: Identity
    base: Series
    settings: Mapping[str, object]
    trials: Sequence[Trial]

    @property
    def best(self) -> Trial | None:
        """Of the changes with the most seeds the one with the greatest mean; None where none is above the base."""
        most = max(len(trial.differences) for trial in self.trials)
        found = [trial for trial in self.trials if len(trial.differences) == most and trial.gain > 0]
        return max(found, key=lambda trial: trial.gain, default=None)

    @property
    def series(self) -> list[Series]:
        return [self.base, *(trial.series for trial in self.trials)]


def find_searches(found: Sequence[Series]) -> list[Search]:
    """One for every objective of which runs on the same data, and as long, differ in several kinds of settings."""
    every: dict[str, dict[tuple[object, ...], list[Series]]] = defaultdict(lambda: defaultdict(list))
    for series in found:
        settings = settings_of(series.config)
        every[series.objective][tuple(settings.get(name) for name in ALIKE)].append(series)
    return [each for name, alike in every.items() for each in _of_objective(name, [*alike.values()])]


def _of_objective(objective: str, alike: Sequence[Sequence[Series]]) -> Iterator[Search]:
    """Where there are several, their labels say what sets them apart."""
    based = [(own, base) for own in alike if (base := _base(own))]
    told = [written({name: settings_of(base.config).get(name) for name in ALIKE}) for _, base in based]
    for (own, base), words in zip(based, told, strict=True):
        common = tuple(apart(words, told))
        changed = [each for each in own if each is not base and _shared(each, base)]
        settings = [(*common, *written(_changed(each, base)).items()) for each in changed]
        first, *others = with_looks([(objective, common), *((objective, each) for each in settings)])
        trials = [_trial(*pair, base) for pair in zip(others, changed, strict=True)]
        names = {name for trial in trials for name in _changed(trial.series, base)}
        values = {key: value for key, value in settings_of(base.config).items() if key in names}
        yield Search(first, base, values, sorted(trials, key=lambda trial: trial.gain, reverse=True))


def _base(own: Sequence[Series]) -> Series | None:
    """That from which the others depart least, as its values are the most common; of several that with the most runs.

    None without a search.
    """
    common = Counter(value for each in own for value in settings_of(each.config).items())
    base = max(
        own, key=lambda each: (sum(common[value] for value in settings_of(each.config).items()), len(each.finished))
    )
    changes = {tuple(_changed(each, base)) for each in own if each is not base and _shared(each, base)}
    settings = {name for change in changes for name in change}
    return base if min(len(changes), len(settings)) >= CHANGES else None


def _changed(series: Series, base: Series) -> Mapping[str, object]:
    """The settings that differ."""
    usual = settings_of(base.config)
    return {name: value for name, value in settings_of(series.config).items() if value != usual.get(name)}


def _shared(series: Series, base: Series) -> list[int]:
    """The seeds that both have, on the same split."""
    splits = {record.config.seed: record.split for record in base.finished}
    return [each.config.seed for each in series.finished if splits.get(each.config.seed) == each.split]


def _trial(identity: Identity, series: Series, base: Series) -> Trial:
    own, usual = series.best_validation, base.best_validation
    differences = {seed: own[seed] - usual[seed] for seed in _shared(series, base)}
    summary = summarize([*differences.values()], validation_step(series, base))
    return Trial(identity, series, differences, summary, base.times_as_fast(series))


@dataclass(frozen=True)
class Rival:
    """A value that was not the best on validation, and its test accuracy minus that of the best."""

    value: float
    comparison: Comparison
    p_value: float  # corrected by Holm's method for the number of rivals

    @property
    def side(self) -> str:
        """Worse or better than the best, if interval and test say so; the ends as they are printed."""
        low, high = self.comparison.summary.low, self.comparison.summary.high
        if low is None or high is None or self.p_value > LEVEL:
            return "open"
        return "worse" if round(high, PRINTED) < 0 else "better" if round(low, PRINTED) > 0 else "open"


@dataclass(frozen=True)
class BestValue:
    """What a sweep over one setting found for one objective."""

    identity: Identity
    setting: str
    value: float
    seeds: int
    test: Summary
    rivals: Sequence[Rival]


def best_values(series: Sequence[Series], lines: Sequence[Swept]) -> list[BestValue]:
    """For every one of these lines whose values share their data, so that they can be compared seed by seed.

    Those over the length of training, with what is fitted to it, are the frontier's, those over the data a trade's.
    """
    left_out = (*OF_THE_DATA, *(FITTED if over_lengths(series) else ()))
    swept = [each for each in lines if each.names[0] not in left_out]
    found: list[BestValue] = []
    for names in dict.fromkeys(each.names for each in swept):
        for identity, own in named([each for each in swept if each.names == names]).items():
            found += _best(identity, own)
    return found


def _best(identity: Identity, swept: Swept) -> Iterator[BestValue]:
    """Nothing unless all values have seeds in common, and every other one can be compared with the best."""
    series = {float(str(value)): swept.series[(value,)] for value in swept.values(0)}
    common = set.intersection(*(set(each.scores) for each in series.values()))
    if not common:
        return
    best = max(series, key=lambda value: fmean(series[value].best_validation[seed] for seed in common))
    comparisons = {
        value: found
        for value, other in series.items()
        if value != best and (found := compare(other.scores, series[best].scores))
    }
    if len(comparisons) == len(series) - 1:
        p_values = holm([each.p_value for each in comparisons.values()])
        rivals = [Rival(value, each, p) for (value, each), p in zip(comparisons.items(), p_values, strict=True)]
        yield BestValue(identity, swept.names[0], best, len(series[best].scores), series[best].accuracy, rivals)
