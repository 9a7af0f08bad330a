"""Which values of settings are best, held against a base; and what is lost to the sum where both were swept."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf
from statistics import median

from gsm_cli import commands
from gsm_cli.analysis.contrasts import (
    EPOCHS,
    FITTED,
    OF_THE_DATA,
    SWEPT,
    Contrast,
    Swept,
    contrasts,
    is_number,
    named,
    over_lengths,
    settings_of,
    task_of,
)
from gsm_cli.analysis.identity import DIGEST, DIGESTS, Identity, apart, with_looks, written
from gsm_cli.analysis.series import Series, validation_step
from gsm_cli.analysis.statistics import Summary, compare, side, summarize
from gsm_cli.objectives import MARGINALIZE

ALIKE = ("dataset", DIGEST, "labels", "classes", EPOCHS, "precision")  # in runs that are compared
CHANGES = 3  # of different settings, that make a search; fewer are lines, unless a value is no number
ROUNDING = 9  # decimal places, beyond which a difference of two accuracies is none
Told = Sequence[tuple[str, str]]  # settings in a label


@dataclass(frozen=True)
class Trial(Contrast):
    """Runs with some settings changed, against the base: by seed, the difference of validation accuracies as well."""

    identity: Identity
    changed: Mapping[str, object]
    differences: Mapping[int, float]
    difference: Summary

    @property
    def gain(self) -> float:
        return round(self.difference.mean, ROUNDING)

    @property
    def is_told_apart(self) -> bool:
        """Whether its interval is without 0."""
        return side(self.difference) != "open"


@dataclass(frozen=True)
class Choice:
    """An objective, its base with the values there of all that was changed, and the changes.

    The base of a search has the most common settings; of equals those of the most runs, then those nearest to a preset.
    Of a sweep it is the best by validation of those with the most runs, before what has learned nothing.
    """

    identity: Identity
    base: Series
    settings: Mapping[str, object]
    trials: Sequence[Trial]

    @property
    def most(self) -> list[Trial]:
        """The changes with the most seeds."""
        seeds = max(len(trial.differences) for trial in self.trials)
        return [each for each in self.trials if len(each.differences) == seeds]

    @property
    def best(self) -> Trial | None:
        """Of these the one with the greatest mean; None where none is above the base."""
        found = [each for each in self.most if each.gain > 0 and not each.series.floor]
        return max(found, key=lambda trial: trial.gain, default=None)

    @property
    def least(self) -> float:
        """What such a change must gain to be told apart: half of their median interval; infinite with one seed."""
        spans = [(each.difference.high, each.difference.mean) for each in self.most]
        return median(inf if high is None else high - mean for high, mean in spans)

    @property
    def tied(self) -> list[Trial]:
        """The changes whose mean is that of the best, or of the base where that is the best."""
        gain = self.best.gain if self.best else 0.0
        return [each for each in self.trials if each.gain == gain and each is not self.best and not each.series.floor]

    @property
    def series(self) -> list[Series]:
        return [self.base, *(trial.series for trial in self.trials)]


def find_searches(found: Sequence[Series]) -> list[Choice]:
    """One for every objective of which runs on the same data, and as long, differ in what no line can show.

    That is several kinds of settings, or values that are no numbers. The best change comes first. Where an objective
    has several searches, their labels say what sets them apart.
    """
    every: dict[str, dict[tuple[object, ...], list[Series]]] = defaultdict(lambda: defaultdict(list))
    for series in found:
        settings = settings_of(series.config)
        every[series.objective][tuple(settings.get(name) for name in ALIKE)].append(series)
    choices: list[Choice] = []
    for objective, alike in every.items():
        searches = [(base, own) for own in alike.values() if _is_search(base := _base(own), own)]
        told = [written({name: settings_of(base.config).get(name) for name in ALIKE}) for base, _ in searches]
        for (base, own), words in zip(searches, told, strict=True):
            choices += _choices(objective, apart(words, told), base, own)
    return [replace(each, trials=sorted(each.trials, key=lambda trial: -trial.gain)) for each in choices]


def best_values(series: Sequence[Series], lines: Sequence[Swept]) -> Iterator[Choice]:
    """For every one of these lines whose values share their data, so that they can be compared seed by seed.

    Those over the length of training, with what is fitted to it, are the frontier's, those over the data a trade's.
    """
    left_out = (*OF_THE_DATA, *(FITTED if over_lengths(series) else ()))
    for identity, line in named([each for each in lines if each.names[0] not in left_out]):
        own = [line.series[(value,)] for value in line.values(0)]
        best = max(own, key=lambda each: each.merit)
        yield from _choices(identity.objective, identity.settings, best, own)


def _choices(objective: str, told: Told, base: Series, own: Sequence[Series]) -> Iterator[Choice]:
    """The base and the changes, with what is told of both in their labels; nothing where no seed is shared."""
    tests = contrasts({each: base for each in own if each is not base})
    if not tests:
        return
    changed = [_changed(each.series, base) for each in tests]
    first, *looks = with_looks([(objective, told), *((objective, (*told, *written(each).items())) for each in changed)])
    trials = []
    for identity, each, settings in zip(looks, tests, changed, strict=True):
        gains = {seed: each.series.validation_by_seed[seed] - base.validation_by_seed[seed] for seed in each.test.seeds}
        summary = summarize([*gains.values()], validation_step(each.series, base))
        trials.append(Trial(each.series, each.test, each.p_value, each.faster, identity, settings, gains, summary))
    names = {name for each in changed for name in each}
    usual = {name: value for name, value in settings_of(base.config).items() if name in names}
    yield Choice(first, base, usual, trials)


def _base(own: Sequence[Series]) -> Series:
    """The series with the most common settings; of several with as many runs, that of the shortest command."""
    common = Counter(value for each in own for value in settings_of(each.config).items())

    def rank(series: Series) -> tuple[int, int, int, tuple[int, float]]:
        shared = sum(common[value] for value in settings_of(series.config).items())
        return shared, len(series.finished), -len(commands.train_ssl(series.config, []).split()), series.standing

    return max(own, key=rank)


def _is_search(base: Series, own: Sequence[Series]) -> bool:
    """Whether the others, of which each shares seeds with the base, differ in what no line can show."""
    changes = [_changed(each, base) for each in own if each is not base and compare(each.scores, base.scores)]
    usual = settings_of(base.config)
    values = {(name, run.get(name)) for change in changes for name in change for run in (change, usual)}
    several = min(len({*map(tuple, changes)}), len({name for name, _ in values})) >= CHANGES
    return several or not all(is_number(value) or name in DIGESTS for name, value in values)


def _changed(series: Series, base: Series) -> Mapping[str, object]:
    """The settings that differ."""
    usual = settings_of(base.config)
    return {name: value for name, value in settings_of(series.config).items() if value != usual.get(name)}


@dataclass(frozen=True)
class Losses:
    """One objective against the sum, at every value that both have."""

    identity: Identity
    points: Mapping[float, Contrast]


@dataclass(frozen=True)
class Trade:
    """The losses of each objective against a setting.

    `apart` sets them apart from others against it, and `fitted` names what differs with each value.
    """

    setting: str
    losses: Sequence[Losses]
    apart: Sequence[str] = ()
    fitted: Sequence[str] = ()


def find_trades(lines: Sequence[Swept]) -> Iterator[Trade]:
    """Every setting, the length of training apart, over which the sum and others were swept with all else equal."""
    sums = [each for each in lines if each.objective == MARGINALIZE and len(each.series) >= SWEPT]
    for the_sum in sums:
        names, like = the_sum.names, [written(each.rest) for each in sums if each.names == the_sum.names]
        others = [
            each
            for each in lines
            if each.objective != MARGINALIZE and each.names == names and _unfitted(each) == _unfitted(the_sum)
        ]
        if losses := [Losses(name, points) for name, each in named(others) if (points := _losses(each, the_sum))]:
            differing = [f"{name} {value}" for name, value in apart(written(the_sum.rest), like)]
            yield Trade(names[0], losses, differing, the_sum.varying)


def _unfitted(swept: Swept) -> dict[str, object]:
    """The task but for what may be fitted to each value: `_losses` asks for the same at every one of them."""
    return {name: value for name, value in swept.task.items() if name not in (EPOCHS, *FITTED)}


def _losses(swept: Swept, the_sum: Swept) -> dict[float, Contrast]:
    """At every value that both have, with seeds in common."""
    partners = {
        own: the_sum.series[key]
        for key, own in swept.series.items()
        if key in the_sum.series and task_of(own.config, ()) == task_of(the_sum.series[key].config, ())
    }
    found = {each.series: each for each in contrasts(partners)}
    ordered = ((float(str(value)), swept.series[(value,)]) for value in swept.values(0))
    return {value: found[series] for value, series in ordered if series in found}
