"""The section of a report on what was swept: accuracy against a setting that takes several values, or over two."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

from gsm_cli import commands
from gsm_cli.records.layout import ReportFolder
from gsm_cli.reports.groups import Group
from gsm_cli.reports.markdown import interval, listed, percent, table
from gsm_cli.reports.report import Section, show
from gsm_cli.reports.series import Series
from gsm_cli.reports.statistics import Summary, summarize
from gsm_cli.reports.sweep_charts import Grid, Level, Lines, Point, grid_chart, lines_chart
from gsm_cli.style import Picture

SWEPT = 3  # values of a setting that make a sweep; where somebody chose the name of the folder, two
EPOCHS = "epochs"  # a sweep over them is drawn against time, by `frontier`
TAU = "tau"  # a sweep over it is drawn beside the gradients, by `temperature`
NAMED = ("objective", "seed", "objective_sha256")  # what is no setting that is swept


@dataclass(frozen=True)
class Swept:
    """Runs of one objective that differ in their seeds and these settings alone: a series for each of the values."""

    names: tuple[str, ...]
    rest: tuple[tuple[str, str], ...]
    objective: str
    series: dict[tuple[object, ...], Series]

    def values(self, number: int) -> list[object]:
        """Those of one of the settings, in their order."""
        return sorted({key[number] for key in self.series}, key=_ordered)


@dataclass(frozen=True)
class Sweeps:
    """What was swept in a report: over one setting, with enough values and in no map, or over every pair of two."""

    series: Sequence[Series]
    lines: Sequence[Swept]
    maps: Sequence[Swept]


def find_sweeps(folder: ReportFolder, groups: Sequence[Group]) -> Sweeps:
    """The sweeps that the report of a folder shows."""
    series = trained(groups)
    least = 2 if folder.chosen else SWEPT
    maps = [swept for swept in find(series, 2) if _whole(swept) and min(len(swept.values(n)) for n in (0, 1)) > 1]
    lines = [swept for swept in over_one(series) if len(swept.series) >= least and not _in_a_map(swept, maps)]
    return Sweeps(series, lines, [swept for swept in maps if len(swept.series) > least])


def sweep_section(folder: ReportFolder, title: str, sweeps: Sweeps) -> Section:
    """What was swept, a picture and a table for each setting or pair of them; empty if nothing was."""
    shown = [*(swept for swept in sweeps.lines if swept.names != (TAU,)), *sweeps.maps]
    blocks: list[str] = []
    pictures: list[Picture[object]] = []
    for names in dict.fromkeys(swept.names for swept in shown):
        own = [swept for swept in shown if swept.names == names]
        part = _lines(folder, title, own, sweeps.series) if len(names) == 1 else _map(folder, title, own)
        blocks += part.blocks
        pictures += part.pictures
    return Section(["## What was swept", *blocks] if blocks else [], pictures)


def trained(groups: Sequence[Group]) -> list[Series]:
    """Those with a test accuracy."""
    return [each for group in groups for each in group.trained if each.scores]


def over_one(series: Sequence[Series]) -> list[Swept]:
    """Sweeps over one setting, the length of training apart."""
    return [swept for swept in find(series, 1) if swept.names != (EPOCHS,)]


def find(series: Sequence[Series], number: int) -> Iterator[Swept]:
    """All sets of series of one objective that differ in so many settings alone, each of which can be put in order."""
    every = {name: None for each in series for name in each.config.identity if name not in NAMED}
    for names in combinations(every, number):
        ordered = [each for each in series if number > 1 or _is_number(_settings(each).get(names[0]))]
        for swept in over(ordered, names):
            if all(len(swept.values(n)) > 1 for n in range(number)):
                yield swept


def over(series: Sequence[Series], names: tuple[str, ...]) -> list[Swept]:
    """Sets of series of one objective that differ in these settings alone; one that has no like is a set as well."""
    found: dict[tuple[str, tuple[tuple[str, str], ...]], dict[tuple[object, ...], Series]] = defaultdict(dict)
    for each in series:
        settings = _settings(each)
        if all(name in settings for name in names):
            rest = tuple((name, repr(value)) for name, value in settings.items() if name not in names)
            found[each.config.objective_name, rest][tuple(settings[name] for name in names)] = each
    return [Swept(names, rest, objective, own) for (objective, rest), own in found.items()]


def named(found: Sequence[Swept]) -> dict[str, Swept]:
    """Every set by its objective, and by what else sets it apart from others of that objective."""
    labelled = {}
    for swept in found:
        others = [dict(other.rest) for other in found if other.objective == swept.objective]
        differing = [
            f"{name} {value}" for name, value in swept.rest if any(other.get(name) != value for other in others)
        ]
        labelled[", ".join([swept.objective, *differing])] = swept
    return labelled


def _lines(folder: ReportFolder, title: str, found: Sequence[Swept], series: Sequence[Series]) -> Section:
    """Accuracy against one setting."""
    facts = lines_of(found, series)
    name = facts.setting
    picture = Picture[object](f"sweep-{_file(name)}", title, described(facts), facts, lambda: lines_chart(facts))
    text = (
        f"Test accuracy in % against {name}, the mean over seeds with its 95 % interval; all else is equal in a line."
    )
    return Section([f"### {name}", show(folder, picture), text, lines_table(facts)], [picture])


def lines_of(found: Sequence[Swept], series: Sequence[Series]) -> Lines:
    """Accuracy against the setting of these sweeps, and the level of every objective that does not read it."""
    (name,) = found[0].names
    points = {label: [_point(swept, value) for value in swept.values(0)] for label, swept in named(found).items()}
    levels = {
        each.config.objective_name: level_of(each)
        for each in series
        if name not in each.config.identity and any(shares(each, swept) for swept in found)
    }
    return Lines(name, points, levels)


def described(lines: Lines) -> str:
    """A picture of these lines, for those who cannot see it."""
    best = {label: max(own, key=lambda point: point.mean) for label, own in lines.lines.items()}
    words = listed([f"{label} at {point.value:g} ({percent(point.mean)} %)" for label, point in best.items()])
    return f"Test accuracy against {lines.setting}: a line with its 95 % interval for each objective. Best: {words}."


def lines_table(lines: Lines) -> str:
    """Every point in a row."""
    name = lines.setting
    rows = {f"{label}, {name} {point.value:g}": point for label, own in lines.lines.items() for point in own}
    cells = [
        [label, str(level.seeds), interval(Summary(level.mean, None, level.low, level.high))]
        for label, level in {**rows, **lines.levels}.items()
    ]
    return table(["runs", "seeds", "test %"], cells)


def _map(folder: ReportFolder, title: str, found: Sequence[Swept]) -> Section:
    """Accuracy over two settings, for those sets that have the same values as the first."""
    first, second = found[0].names
    rows, columns = found[0].values(0), found[0].values(1)
    same = [swept for swept in found if (swept.values(0), swept.values(1)) == (rows, columns)]
    maps = {
        label: [[_summary(swept.series[row, column]).mean for column in columns] for row in rows]
        for label, swept in named(same).items()
    }
    facts = Grid(
        (first, second), [commands.write(row) for row in rows], [commands.write(each) for each in columns], maps
    )
    description = f"Test accuracy in % over {first} and {second}: a map for each objective, a number in every cell."
    name = f"sweep-{_file(first)}-{_file(second)}"
    picture = Picture[object](name, title, description, facts, lambda: grid_chart(facts))
    cells = [
        [
            f"{label}, {first} {commands.write(row)}, {second} {commands.write(column)}",
            *_cell(swept.series[row, column]),
        ]
        for label, swept in named(same).items()
        for row in rows
        for column in columns
    ]
    text = f"Test accuracy in % over {first} and {second}, the mean over seeds with its 95 % interval."
    heading = f"### {first} and {second}"
    return Section([heading, show(folder, picture), text, table(["runs", "seeds", "test %"], cells)], [picture])


def _settings(series: Series) -> dict[str, object]:
    return {name: value for name, value in series.config.identity.items() if name not in NAMED}


def shares(series: Series, swept: Swept, but_for: Sequence[str] = ()) -> bool:
    """Whether a series has the settings of a sweep, as far as both have them, and but for these."""
    rest = {name: value for name, value in swept.rest if name not in but_for}
    return all(rest[name] == repr(value) for name, value in _settings(series).items() if name in rest)


def _whole(swept: Swept) -> bool:
    """Whether there is a series for every pair of values."""
    return len(swept.series) == len(swept.values(0)) * len(swept.values(1))


def _in_a_map(line: Swept, maps: Sequence[Swept]) -> bool:
    """Whether a map shows all of a line."""
    own = set(map(id, line.series.values()))
    return any(own <= set(map(id, swept.series.values())) for swept in maps)


def _point(swept: Swept, value: object) -> Point:
    series = swept.series[(value,)]
    found = level_of(series)
    return Point(found.mean, found.low, found.high, found.seeds, float(str(value)))


def level_of(series: Series) -> Level:
    """What a picture shows of a series."""
    found = _summary(series)
    return Level(found.mean, found.low, found.high, len(series.scores))


def _cell(series: Series) -> list[str]:
    return [str(len(series.scores)), interval(_summary(series))]


def _summary(series: Series) -> Summary:
    scores = list(series.scores.values())
    return summarize([score.accuracy for score in scores], 1 / max(score.images for score in scores))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _ordered(value: object) -> tuple[bool, float, str]:
    """Numbers by their size, then words, none first of all."""
    return (not _is_number(value) and value is not None, float(str(value)) if _is_number(value) else -1.0, str(value))


def _file(name: str) -> str:
    return name.replace("_", "-")
