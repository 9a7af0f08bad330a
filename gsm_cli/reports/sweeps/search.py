"""A search for settings: what each change of them brings an objective on validation, seed by seed."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from gsm_cli.data import describe_dataset
from gsm_cli.records.layout import ReportFolder
from gsm_cli.reports.forest import Forest, Row, draw
from gsm_cli.reports.groups import Group, common_circumstances
from gsm_cli.reports.markdown import counted, interval, listed, points, table
from gsm_cli.reports.names import DIGEST
from gsm_cli.reports.report import Section, Verdict, show
from gsm_cli.reports.series import Circumstances, Series
from gsm_cli.reports.statistics import Summary, summarize
from gsm_cli.reports.sweeps.swept import EPOCHS, settings_of, trained, written
from gsm_cli.style import Picture

ALIKE = ("dataset", DIGEST, "labels", "classes", EPOCHS, "precision")  # in runs that are compared
CHANGES = 3  # of different settings, that make a search; fewer are lines, or a map
HEADING = "What each change brings"
QUANTITY = "points of validation accuracy, minus the base's"
RULE = (
    "Validation accuracy at the epoch that it chose itself, and its difference from the base at the same seeds, with "
    "Student's 95 % interval. The test set has no part in it. The best of several is the best by chance too, which no "
    "interval covers: hold it against the base with other seeds."
)


@dataclass(frozen=True)
class Trial:
    """An objective with some settings changed; none of them is the base.

    The differences are the validation accuracy minus the base's, by the seeds that both have, and `difference` sums
    them up; None without one. The factor is the seconds of an epoch over the base's; None without times of equal
    circumstances.
    """

    series: Series
    changed: Sequence[str] = ()
    differences: Mapping[int, float] = field(default_factory=dict)
    difference: Summary | None = None
    factor: float | None = None

    @property
    def name(self) -> str:
        return ", ".join([self.series.config.objective_name, *self.changed])

    @property
    def validation(self) -> Summary:
        return summarize([*self.series.best_validation.values()])


@dataclass(frozen=True)
class Search:
    """The base, from which the others of its objective depart in the fewest settings, and they."""

    base: Trial
    others: Sequence[Trial]

    @property
    def best(self) -> Trial:
        """By the mean difference from the base, which is itself the best where none is above it."""
        found = [trial for trial in self.others if trial.difference and trial.difference.mean > 0]
        return max(found, key=lambda trial: trial.difference.mean if trial.difference else 0.0, default=self.base)


def find_searches(groups: Sequence[Group]) -> list[Search]:
    """One for every objective of which runs on the same data, and as long, differ in several kinds of settings."""
    alike: dict[tuple[object, ...], list[Series]] = defaultdict(list)
    for series in trained(groups):
        settings = settings_of(series.config)
        alike[series.config.objective_name, *(settings.get(name) for name in ALIKE)].append(series)
    return [found for own in alike.values() for found in _search(own)]


def _search(own: Sequence[Series]) -> Iterator[Search]:
    base = min(own, key=lambda each: sum(len(_changed(other, each)) for other in own))
    changes = {tuple(_changed(each, base)) for each in own} - {()}
    if min(len(changes), len({name for change in changes for name in change})) < CHANGES:
        return
    circumstances = common_circumstances(own)
    yield Search(Trial(base), [_trial(each, base, circumstances) for each in own if each is not base])


def _changed(series: Series, base: Series) -> Mapping[str, object]:
    """The settings that differ."""
    usual = settings_of(base.config)
    return {name: value for name, value in settings_of(series.config).items() if value != usual.get(name)}


def _trial(series: Series, base: Series, circumstances: Circumstances) -> Trial:
    own, usual = series.best_validation, base.best_validation
    splits = {record.config.seed: record.split for record in base.finished}
    seeds = [each.config.seed for each in series.finished if splits.get(each.config.seed) == each.split]
    differences = {seed: own[seed] - usual[seed] for seed in seeds}
    images = describe_dataset(series.config.dataset).validation
    step = 1 / images if images else 0.0
    seconds, usually = (each.seconds_per_epoch(circumstances) for each in (series, base))
    return Trial(
        series,
        [f"{name} {value}" for name, value in written(_changed(series, base)).items()],
        differences,
        summarize([*differences.values()], step) if differences else None,
        seconds / usually if seconds and usually else None,
    )


def search_answer(searches: Sequence[Search]) -> Verdict | None:
    """What is best for every objective, in plain text; None if nothing was searched."""
    return Verdict(f"Best on validation: {'; '.join(map(_best, searches))}.", [RULE]) if searches else None


def _best(search: Search) -> str:
    best, among = search.best, f"of {counted(1 + len(search.others), 'setting')}"
    if best is search.base or best.difference is None:
        return f"{best.name} with the settings of the base, {interval(best.validation)} %, {among}"
    seeds = counted(len(best.differences), "seed")
    return f"{best.name}, {interval(best.difference, points)} points from the base ({seeds}), {among}"


def search_section(folder: ReportFolder, title: str, searches: Sequence[Search]) -> Section:
    """A picture and a table of all changes; empty if nothing was searched."""
    if not searches:
        return Section([])
    rows = [_row(trial) for search in searches for trial in search.others if trial.difference]
    blocks, pictures = [f"## {HEADING}"], []
    if rows:
        facts = Forest(rows, 0.0)
        words = [f"{trial.name} {_points(trial)}" for search in searches for trial in search.others]
        description = (
            f"Validation accuracy minus that of the base in points, mean and 95 % interval: {'; '.join(words)}."
        )
        pictures = [Picture[object]("changes", title, description, facts, partial(draw, facts, QUANTITY))]
        blocks.append(show(folder, pictures[0]))
    return Section([*blocks, *map(_base, searches), _table(searches)], pictures)


def _base(search: Search) -> str:
    changed = {name for trial in search.others for name in _changed(trial.series, search.base.series)}
    settings = written(
        {name: value for name, value in settings_of(search.base.series.config).items() if name in changed}
    )
    return f"The base of {search.base.name}: {listed([f'{name} {value}' for name, value in settings.items()])}."


def _table(searches: Sequence[Search]) -> str:
    trials = [trial for search in searches for trial in (search.base, *search.others)]
    rows = [
        [
            trial.name,
            str(len(trial.series.finished)),
            interval(trial.validation),
            _points(trial),
            f"{trial.factor:.2f}" if trial.factor else "–",
        ]
        for trial in trials
    ]
    return table(
        ["runs", "seeds", "validation % [95 %]", "points against the base [95 %]", "time of an epoch, the base's 1"],
        rows,
    )


def _points(trial: Trial) -> str:
    return interval(trial.difference, points) if trial.difference else "–"


def _row(trial: Trial) -> Row:
    assert trial.difference is not None
    low, high = (None if end is None else 100 * end for end in (trial.difference.low, trial.difference.high))
    differences = [100 * value for value in trial.differences.values()]
    return Row(trial.name, "", "", 100 * trial.difference.mean, low, high, differences)
