"""The section of a report on what was swept: accuracy against a setting that takes several values, or over two."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from functools import partial
from typing import TypeAlias

from gsm_cli import commands
from gsm_cli.analysis.contrasts import TAU, Sweeps, Swept, named, task_of
from gsm_cli.analysis.identity import apart, with_looks, written
from gsm_cli.analysis.series import Series
from gsm_cli.reports.map_chart import Grid, grid_chart
from gsm_cli.reports.markdown import interval, numbered, table
from gsm_cli.reports.page import Block, Section
from gsm_cli.reports.panels import Panel, Point, Points, panel_picture, panel_table
from gsm_cli.settings import hyphened
from gsm_cli.style import Picture
from gsm_cli.words import listed

Labelled: TypeAlias = tuple[Series, tuple[tuple[str, str], ...]]  # a series with what its label says of its settings


def sweep_section(sweeps: Sweeps) -> Section:
    """What was swept, a picture and a table for each setting or pair of them; empty if nothing was."""
    lines, maps = defaultdict(list), defaultdict(list)
    for swept in sweeps.lines:
        if swept.names != (TAU,):
            lines[swept.names].append(swept)
    for swept in sweeps.maps:
        maps[swept.names, tuple(swept.values(0)), tuple(swept.values(1))].append(swept)
    parts = [_lines(own, sweeps.series) for own in lines.values()]
    numbers: Counter[tuple[str, ...]] = Counter()
    for (names, _, _), own in maps.items():
        numbers[names] += 1
        parts.append(_map(own, numbers[names]))
    blocks = [block for part in parts for block in part]
    return Section(["## What was swept", *blocks] if blocks else [])


def _lines(found: Sequence[Swept], series: Sequence[Series]) -> list[Block]:
    """Accuracy against one setting."""
    panel = accuracy_panel(found, series)
    name = panel.axis
    picture = panel_picture(f"sweep-{hyphened(name)}", [panel])
    varying = dict.fromkeys(each for swept in found for each in swept.varying)
    else_ = f"all else but {listed(list(varying))} is" if varying else "all else is"
    text = f"Test accuracy in % against {name}, the mean over seeds with its 95 % interval; {else_} equal in a line."
    return [f"### {name}", picture, text, panel_table([panel])]


def accuracy_panel(found: Sequence[Swept], series: Sequence[Series], falling: Sequence[Labelled] = ()) -> Panel:
    """Accuracy against the setting of these sweeps, and the level of every objective that does not read it."""
    (name,) = found[0].names
    sets, tasks = named(found), [swept.task for swept in found]
    words = [*map(written, tasks)]
    levels = [
        (each, (*each.identity.settings, *apart(written(task), words)))
        for each in series
        if name not in each.config.identity and (task := task_of(each.config, (name,))) in tasks
    ]
    levels += falling
    looks = with_looks(
        [(line.objective, line.settings) for line in sets] + [(each.objective, settings) for each, settings in levels]
    )
    points = [
        [_point(float(str(value)), swept.series[(value,)]) for value in swept.values(0)] for swept in sets.values()
    ]
    points += [[_point(None, each)] for each, _ in levels]
    return Panel("test accuracy, %", name, [Points(*pair) for pair in zip(looks, points, strict=True)])


def _point(value: float | None, series: Series) -> Point:
    return Point.of(value, series.accuracy, len(series.scores))


def _map(found: Sequence[Swept], number: int) -> list[Block]:
    """Accuracy over two settings, for sets that have the same values."""
    first, second = found[0].names
    rows, columns = found[0].values(0), found[0].values(1)
    maps = {
        line.label: [[swept.series[row, column].accuracy.mean for column in columns] for row in rows]
        for line, swept in named(found).items()
    }
    facts = Grid(
        (first, second), [commands.write(row) for row in rows], [commands.write(each) for each in columns], maps
    )
    description = f"Test accuracy in % over {first} and {second}: a map for each objective, a number in every cell."
    name = numbered(f"sweep-{hyphened(first)}-{hyphened(second)}", number)
    picture = Picture[object](name, "", description, facts, partial(grid_chart, facts))
    cells = [
        [
            f"{line.label}, {first} {commands.write(row)}, {second} {commands.write(column)}",
            *_cell(swept.series[row, column]),
        ]
        for line, swept in named(found).items()
        for row in rows
        for column in columns
    ]
    text = f"Test accuracy in % over {first} and {second}, the mean over seeds with its 95 % interval."
    heading = f"### {first} and {second}"
    return [heading, picture, text, table(["runs", "seeds", "test %"], cells)]


def _cell(series: Series) -> list[str]:
    return [str(len(series.scores)), interval(series.accuracy)]
