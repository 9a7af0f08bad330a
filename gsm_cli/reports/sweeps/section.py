"""The section of a report on what was swept: accuracy against a setting that takes several values, or over two."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import partial

from gsm_cli import commands
from gsm_cli.records.layout import ReportFolder
from gsm_cli.reports.markdown import interval, numbered, table
from gsm_cli.reports.names import apart
from gsm_cli.reports.report import Section, show
from gsm_cli.reports.series import Series
from gsm_cli.reports.statistics import Summary
from gsm_cli.reports.sweeps.charts import Grid, Level, Lines, Point, grid_chart, lines_chart
from gsm_cli.reports.sweeps.swept import TAU, Sweeps, Swept, named, task_of, written
from gsm_cli.settings import hyphened
from gsm_cli.style import Picture
from gsm_cli.words import listed, percent


def sweep_section(folder: ReportFolder, title: str, sweeps: Sweeps) -> Section:
    """What was swept, a picture and a table for each setting or pair of them; empty if nothing was."""
    lines, maps = defaultdict(list), defaultdict(list)
    for swept in sweeps.lines:
        if swept.names != (TAU,):
            lines[swept.names].append(swept)
    for swept in sweeps.maps:
        maps[swept.names, tuple(swept.values(0)), tuple(swept.values(1))].append(swept)
    parts = [_lines(folder, title, own, sweeps.series) for own in lines.values()]
    numbers: Counter[tuple[str, ...]] = Counter()
    for (names, _, _), own in maps.items():
        numbers[names] += 1
        parts.append(_map(folder, title, own, numbers[names]))
    blocks = [block for part in parts for block in part.blocks]
    return Section(
        ["## What was swept", *blocks] if blocks else [], [picture for part in parts for picture in part.pictures]
    )


def _lines(folder: ReportFolder, title: str, found: Sequence[Swept], series: Sequence[Series]) -> Section:
    """Accuracy against one setting."""
    facts = lines_of(found, series)
    name = facts.setting
    picture = Picture[object](f"sweep-{hyphened(name)}", title, described(facts), facts, partial(lines_chart, facts))
    varying = dict.fromkeys(each for swept in found for each in swept.varying)
    else_ = f"all else but {listed(list(varying))} is" if varying else "all else is"
    text = f"Test accuracy in % against {name}, the mean over seeds with its 95 % interval; {else_} equal in a line."
    return Section([f"### {name}", show(folder, picture), text, lines_table(facts)], [picture])


def lines_of(found: Sequence[Swept], series: Sequence[Series]) -> Lines:
    """Accuracy against the setting of these sweeps, and the level of every objective that does not read it."""
    (name,) = found[0].names
    points = {label: [_point(swept, value) for value in swept.values(0)] for label, swept in named(found).items()}
    tasks = [swept.task for swept in found]
    levels = {
        ", ".join([each.name, *apart(written(task), [*map(written, tasks)])]): level_of(each)
        for each in series
        if name not in each.config.identity and (task := task_of(each.config, (name,))) in tasks
    }
    return Lines(name, points, levels)


def described(lines: Lines) -> str:
    """A picture of these lines, for those who cannot see it."""
    ends = {label: (own[0], own[-1]) for label, own in lines.lines.items()}
    words = [
        f"{label} {' and '.join(f'{percent(point.mean)} % at {commands.write(point.value)}' for point in points)}"
        for label, points in ends.items()
    ]
    lead = f"Test accuracy against {lines.setting}: a line with its 95 % interval for each objective"
    return f"{lead}. At the ends: {'; '.join(words)}."


def lines_table(lines: Lines) -> str:
    """Every point in a row."""
    name = lines.setting
    rows = {
        f"{label}, {name} {commands.write(point.value)}": point for label, own in lines.lines.items() for point in own
    }
    cells = [
        [label, str(level.seeds), interval(Summary(level.mean, None, level.low, level.high))]
        for label, level in {**rows, **lines.levels}.items()
    ]
    return table(["runs", "seeds", "test %"], cells)


def _map(folder: ReportFolder, title: str, found: Sequence[Swept], number: int) -> Section:
    """Accuracy over two settings, for sets that have the same values."""
    first, second = found[0].names
    rows, columns = found[0].values(0), found[0].values(1)
    maps = {
        label: [[swept.series[row, column].accuracy.mean for column in columns] for row in rows]
        for label, swept in named(found).items()
    }
    facts = Grid(
        (first, second), [commands.write(row) for row in rows], [commands.write(each) for each in columns], maps
    )
    description = f"Test accuracy in % over {first} and {second}: a map for each objective, a number in every cell."
    name = numbered(f"sweep-{hyphened(first)}-{hyphened(second)}", number)
    picture = Picture[object](name, title, description, facts, partial(grid_chart, facts))
    cells = [
        [
            f"{label}, {first} {commands.write(row)}, {second} {commands.write(column)}",
            *_cell(swept.series[row, column]),
        ]
        for label, swept in named(found).items()
        for row in rows
        for column in columns
    ]
    text = f"Test accuracy in % over {first} and {second}, the mean over seeds with its 95 % interval."
    heading = f"### {first} and {second}"
    return Section([heading, show(folder, picture), text, table(["runs", "seeds", "test %"], cells)], [picture])


def _point(swept: Swept, value: object) -> Point:
    series = swept.series[(value,)]
    found = level_of(series)
    return Point(found.mean, found.low, found.high, found.seeds, float(str(value)))


def level_of(series: Series) -> Level:
    """What a picture shows of a series."""
    found = series.accuracy
    return Level(found.mean, found.low, found.high, len(series.scores))


def _cell(series: Series) -> list[str]:
    return [str(len(series.scores)), interval(series.accuracy)]
