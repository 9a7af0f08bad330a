"""Which values of settings are best: a search held against its base on validation, a sweep on the test set."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from gsm_cli.analysis.contrasts import EPOCHS, FITTED, OF_THE_DATA, Swept, named, over_lengths, settings_of
from gsm_cli.analysis.groups import NO_FLOORS, Floor, Floors
from gsm_cli.analysis.identity import DIGEST, Identity, apart, with_looks, written
from gsm_cli.analysis.series import Series, validation_step
from gsm_cli.analysis.statistics import Comparison, Side, Summary, compare, holm, side, summarize

ALIKE = ("dataset", DIGEST, "labels", "classes", EPOCHS, "precision")  # in runs that are compared
CHANGES = 3  # of different settings, that make a search; fewer are lines, or a map
ROUNDING = 9  # decimal places, beyond which a difference of two accuracies is none


@dataclass(frozen=True)
class Trial:
    """Runs with some settings changed: by seed, their validation accuracy minus the base's, and its summary.

    The factor is the seconds of an epoch over the base's; None unless both steps were timed. The values of a sweep are
    also held against the best one on the test set, corrected by Holm's method for their number.
    """

    identity: Identity
    series: Series
    changed: Mapping[str, object]
    differences: Mapping[int, float]
    difference: Summary
    factor: Summary | None
    floor: Floor = ""  # what it is not surely above
    test: Comparison | None = None
    p_value: float = 1.0

    @property
    def gain(self) -> float:
        return round(self.difference.mean, ROUNDING)

    @property
    def is_told_apart(self) -> bool:
        """Whether its interval is without 0."""
        low, high = self.difference.low, self.difference.high
        return low is not None and high is not None and not low <= 0 <= high

    @property
    def side(self) -> Side:
        """Worse or better than the base on the test set."""
        return side(self.test.summary, self.p_value) if self.test else "open"


@dataclass(frozen=True)
class Choice:
    """An objective, its base with the values there of all that was changed, and the changes.

    Of a search the base is the centre, and the best change comes first; of a sweep it is the best value.
    """

    identity: Identity
    base: Series
    settings: Mapping[str, object]
    trials: Sequence[Trial]
    floor: Floor = ""  # what the base is not surely above

    @property
    def best(self) -> Trial | None:
        """Of the changes with the most seeds the one with the greatest mean; None where none is above the base.

        What has learned nothing is never best.
        """
        most = max(len(trial.differences) for trial in self.trials)
        found = [each for each in self.trials if len(each.differences) == most and each.gain > 0 and not each.floor]
        return max(found, key=lambda trial: trial.gain, default=None)

    @property
    def tied(self) -> list[Trial]:
        """The changes whose mean is that of the best, or of the base where that is the best."""
        gain = self.best.gain if self.best else 0.0
        return [each for each in self.trials if each.gain == gain and each is not self.best and not each.floor]

    @property
    def series(self) -> list[Series]:
        return [self.base, *(trial.series for trial in self.trials)]


def find_searches(found: Sequence[Series], floors: Floors = NO_FLOORS) -> list[Choice]:
    """One for every objective of which runs on the same data, and as long, differ in several kinds of settings."""
    every: dict[str, dict[tuple[object, ...], list[Series]]] = defaultdict(lambda: defaultdict(list))
    for series in found:
        settings = settings_of(series.config)
        every[series.objective][tuple(settings.get(name) for name in ALIKE)].append(series)
    return [each for name, alike in every.items() for each in _of_objective(name, [*alike.values()], floors)]


def _of_objective(objective: str, alike: Sequence[Sequence[Series]], floors: Floors) -> Iterator[Choice]:
    """Where there are several, their labels say what sets them apart."""
    based = [(own, base) for own in alike if (base := _base(own))]
    told = [written({name: settings_of(base.config).get(name) for name in ALIKE}) for _, base in based]
    for (own, base), words in zip(based, told, strict=True):
        others = [each for each in own if each is not base and _shared(each, base)]
        yield _choice(objective, tuple(apart(words, told)), base, others, floors)


def _choice(
    objective: str, told: Sequence[tuple[str, str]], base: Series, others: Sequence[Series], floors: Floors
) -> Choice:
    """The base and the changes, with what is told of both in their labels."""
    changed = [_changed(each, base) for each in others]
    labels = [(objective, told), *((objective, (*told, *written(each).items())) for each in changed)]
    first, *looks = with_looks(labels)
    trials = [_trial(*each, base, floors) for each in zip(looks, others, changed, strict=True)]
    names = {name for each in changed for name in each}
    values = {key: value for key, value in settings_of(base.config).items() if key in names}
    return Choice(first, base, values, sorted(trials, key=lambda trial: trial.gain, reverse=True), floors.get(base, ""))


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


def _trial(identity: Identity, series: Series, changed: Mapping[str, object], base: Series, floors: Floors) -> Trial:
    own, usual = series.validation_by_seed, base.validation_by_seed
    differences = {seed: own[seed] - usual[seed] for seed in _shared(series, base)}
    summary = summarize([*differences.values()], validation_step(series, base))
    return Trial(identity, series, changed, differences, summary, base.times_as_fast(series), floors.get(series, ""))


def best_values(series: Sequence[Series], lines: Sequence[Swept], floors: Floors = NO_FLOORS) -> list[Choice]:
    """For every one of these lines whose values share their data, so that they can be compared seed by seed.

    Those over the length of training, with what is fitted to it, are the frontier's, those over the data a trade's.
    """
    left_out = (*OF_THE_DATA, *(FITTED if over_lengths(series) else ()))
    swept = [each for each in lines if each.names[0] not in left_out]
    found: list[Choice] = []
    for names in dict.fromkeys(each.names for each in swept):
        for identity, own in named([each for each in swept if each.names == names]).items():
            found += _best(identity, [own.series[(value,)] for value in own.values(0)], floors)
    return found


def _best(identity: Identity, series: Sequence[Series], floors: Floors) -> Iterator[Choice]:
    """Nothing unless all have seeds in common, and every other one can be compared with the best.

    What has learned nothing is the best only where nothing has learned more.
    """
    common = set.intersection(*(set(each.scores) for each in series))
    if not common:
        return
    best = max(series, key=lambda each: (not floors.get(each), fmean(each.validation_by_seed[seed] for seed in common)))
    others = [each for each in series if each is not best]
    tests = [found for each in others if (found := compare(each.scores, best.scores))]
    if len(tests) == len(others):
        choice = _choice(identity.objective, identity.settings, best, others, floors)
        held = dict(zip(others, zip(tests, holm([each.p_value for each in tests]), strict=True), strict=True))
        by_value = sorted(choice.trials, key=lambda trial: others.index(trial.series))
        trials = [replace(each, test=held[each.series][0], p_value=held[each.series][1]) for each in by_value]
        yield replace(choice, trials=trials)
