"""A search for settings: what each change of them brings an objective on validation, seed by seed."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from gsm_cli.records.layout import ReportFolder
from gsm_cli.reports.forest import Forest, draw, forest_row
from gsm_cli.reports.markdown import NOTHING, interval, table, without_constants
from gsm_cli.reports.names import DIGEST, apart
from gsm_cli.reports.report import Section, Verdict, show
from gsm_cli.reports.series import Series, validation_step
from gsm_cli.reports.statistics import Summary, summarize
from gsm_cli.reports.sweeps.swept import EPOCHS, settings_of, written
from gsm_cli.style import Picture
from gsm_cli.words import counted, listed, points, ratio

ALIKE = ("dataset", DIGEST, "labels", "classes", EPOCHS, "precision")  # in runs that are compared
CHANGES = 3  # of different settings, that make a search; fewer are lines, or a map
HEADING = "What each change brings"
QUANTITY = "points of validation accuracy, minus the base's"
RULE = (
    "The base is the runs from which the others depart in the fewest settings. Validation accuracy is that of the "
    "epoch that it chose itself, and the difference from the base is taken at the same seeds, with Student's 95 % "
    "interval; the best is chosen among the changes with the most seeds. The test set has no part in it. The best of "
    "several is the best by chance too, which no interval covers: hold it against the base with other seeds."
)
ROUNDING = 9  # decimal places, beyond which a difference of two accuracies is none


@dataclass(frozen=True)
class Trial:
    """Runs with some settings changed: by seed, their validation accuracy minus the base's, and its summary.

    The factor is the seconds of an epoch over the base's; None unless both steps were timed.
    """

    series: Series
    name: str
    differences: Mapping[int, float]
    difference: Summary
    factor: Summary | None


@dataclass(frozen=True)
class Search:
    """An objective, its base with the values there of all that was changed, and the changes, the best first."""

    name: str
    base: Series
    settings: Mapping[str, object]
    trials: Sequence[Trial]

    @property
    def best(self) -> Trial | None:
        """Of the changes with the most seeds the one with the greatest mean; None where none is above the base."""
        most = max(len(trial.differences) for trial in self.trials)
        found = [trial for trial in self.trials if len(trial.differences) == most and _gain(trial) > 0]
        return max(found, key=_gain, default=None)


def find_searches(found: Sequence[Series]) -> list[Search]:
    """One for every objective of which runs on the same data, and as long, differ in several kinds of settings."""
    every: dict[str, dict[tuple[object, ...], list[Series]]] = defaultdict(lambda: defaultdict(list))
    for series in found:
        settings = settings_of(series.config)
        every[series.config.objective_name][tuple(settings.get(name) for name in ALIKE)].append(series)
    return [each for name, alike in every.items() for each in _of_objective(name, [*alike.values()])]


def _of_objective(objective: str, alike: Sequence[Sequence[Series]]) -> Iterator[Search]:
    """Where there are several, their names say what sets them apart."""
    based = [(own, base) for own in alike if (base := _base(own))]
    told = [written({name: settings_of(base.config).get(name) for name in ALIKE}) for _, base in based]
    for (own, base), words in zip(based, told, strict=True):
        name = ", ".join([objective, *apart(words, told)])
        trials = [_trial(name, each, base) for each in own if each is not base and _shared(each, base)]
        changed = {setting for trial in trials for setting in _changed(trial.series, base)}
        settings = {key: value for key, value in settings_of(base.config).items() if key in changed}
        yield Search(name, base, settings, sorted(trials, key=_gain, reverse=True))


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


def _trial(name: str, series: Series, base: Series) -> Trial:
    changed = [f"{key} {value}" for key, value in written(_changed(series, base)).items()]
    own, usual = series.best_validation, base.best_validation
    differences = {seed: own[seed] - usual[seed] for seed in _shared(series, base)}
    return Trial(
        series,
        ", ".join([name, *changed]),
        differences,
        summarize([*differences.values()], validation_step(series, base)),
        base.times_as_fast(series),
    )


def _gain(trial: Trial) -> float:
    return round(trial.difference.mean, ROUNDING)


def search_answer(searches: Sequence[Search]) -> Verdict | None:
    """What is best for every objective and how much was told apart, in plain text; None if nothing was searched."""
    if not searches:
        return None
    best = f"Best on validation: {'; '.join(map(_best, searches))}."
    return Verdict(f"{best} {_told_apart([trial for search in searches for trial in search.trials])}", [RULE])


def _told_apart(trials: Sequence[Trial]) -> str:
    """How many intervals are without 0, beside how many would be by chance."""
    several = [trial for trial in trials if trial.difference.low is not None]
    if not several:
        return "One seed of a change gives no interval."
    number = sum(map(_is_told_apart, several))
    some = f"{number} of the" if number else "None of the"
    verb = "has" if number < 2 else "have"
    return f"{some} {counted(len(several), 'change')} {verb} an interval without 0; by chance 1 in 20 would."


def _is_told_apart(trial: Trial) -> bool:
    low, high = trial.difference.low, trial.difference.high
    return low is not None and high is not None and not low <= 0 <= high


def _best(search: Search) -> str:
    best, among = search.best, f"of {counted(1 + len(search.trials), 'setting')}"
    if best is None:
        return f"{search.name} with the settings of the base, {interval(search.base.validation)} %, {among}"
    seeds = counted(len(best.differences), "seed")
    return f"{best.name}, {interval(best.difference, points)} points from the base ({seeds}), {among}"


def search_section(folder: ReportFolder, title: str, searches: Sequence[Search]) -> Section:
    """A picture and a table of all changes; empty if nothing was searched."""
    if not searches:
        return Section([])
    trials = [trial for search in searches for trial in search.trials]
    facts = Forest([forest_row(each.name, [*each.differences.values()], each.difference) for each in trials], 0.0)
    words = "; ".join(f"{trial.name} {interval(trial.difference, points)}" for trial in trials)
    description = f"Validation accuracy minus that of the base in points, mean and 95 % interval: {words}."
    picture = Picture[object]("changes", title, description, facts, partial(draw, facts, QUANTITY))
    return Section([f"## {HEADING}", show(folder, picture), *map(_settings, searches), _table(searches)], [picture])


def _settings(search: Search) -> str:
    words = [f"{name} {value}" for name, value in written(search.settings).items()]
    return f"The base of {search.name}: {listed(words)}."


def _table(searches: Sequence[Search]) -> str:
    rows = []
    for search in searches:
        rows.append([search.name, str(len(search.base.finished)), interval(search.base.validation), NOTHING, NOTHING])
        rows += [
            [
                trial.name,
                str(len(trial.series.finished)),
                interval(trial.series.validation),
                interval(trial.difference, points),
                interval(trial.factor, ratio) if trial.factor else NOTHING,
            ]
            for trial in search.trials
        ]
    headings = [
        "runs",
        "seeds",
        "validation % [95 %]",
        "points against the base [95 %]",
        "time of an epoch, the base's 1 [95 %]",
    ]
    return table(*without_constants(headings, rows))
