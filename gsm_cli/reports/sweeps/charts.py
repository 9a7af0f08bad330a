"""The pictures of a sweep: accuracy against one setting, or a map over two."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gsm_cli.reports.charts import colours, markers, name_ends, value_ticks, wrapped

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PANELS = 4  # maps in a row
HEIGHT, WIDTH = 4.6, 6.0  # inches of the picture of lines, and about those of its axis
WIDE = 8.0  # how many times the least value the greatest is, from which on an axis is logarithmic


@dataclass(frozen=True)
class Level:
    """Mean test accuracy over seeds, and its 95 % interval if there is one."""

    mean: float
    low: float | None
    high: float | None
    seeds: int


@dataclass(frozen=True)
class Point(Level):
    """That of the runs with one value of what was swept."""

    value: float


@dataclass(frozen=True)
class Lines:
    """Accuracy against a setting, a line for each objective; those that do not read it have one value."""

    setting: str
    lines: Mapping[str, Sequence[Point]]
    levels: Mapping[str, Level]


@dataclass(frozen=True)
class Grid:
    """Accuracy over two settings, a map for each objective: a row for each value of the first."""

    settings: tuple[str, str]
    rows: Sequence[str]
    columns: Sequence[str]
    maps: Mapping[str, Sequence[Sequence[float]]]


def asks_for_log(values: Sequence[float]) -> bool:
    """Whether values are told apart better on a logarithmic axis."""
    return min(values) > 0 and max(values) >= WIDE * min(values)


def lines_chart(lines: Lines) -> "Figure":
    """A line with its band for each objective; one that does not read the setting is a dashed level."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9.0, HEIGHT))
    axes = figure.subplots()
    palette = colours([*lines.lines, *lines.levels])
    shapes = markers(list(lines.lines))
    values = sorted({point.value for points in lines.lines.values() for point in points})
    if asks_for_log(values):
        axes.set_xscale("log")
    for name, points in lines.lines.items():
        draw_line(axes, points, palette[name], shapes[name])
    for name, level in lines.levels.items():
        axes.axhline(100 * level.mean, linestyle="--", color=palette[name])
    axes.set(xlabel=lines.setting, ylabel="test accuracy, %")
    value_ticks(axes, values, WIDTH)
    ends = {name: (points[-1].value, 100 * points[-1].mean) for name, points in lines.lines.items()}
    ends |= {name: (axes.get_xlim()[1], 100 * level.mean) for name, level in lines.levels.items()}
    name_ends(axes, ends, palette, HEIGHT - 0.7)
    return figure


def draw_line(axes: "Axes", points: Sequence[Point], colour: str, shape: str) -> None:
    """Means joined, on a band of their intervals."""
    values = [point.value for point in points]
    axes.plot(values, [100 * point.mean for point in points], marker=shape, color=colour)
    low = [100 * (point.mean if point.low is None else point.low) for point in points]
    high = [100 * (point.mean if point.high is None else point.high) for point in points]
    axes.fill_between(values, low, high, color=colour, alpha=0.15, linewidth=0)


def grid_chart(grid: Grid) -> "Figure":
    """A map for each objective, with one scale of colours and the accuracy in every cell."""
    import seaborn as sns
    from matplotlib.figure import Figure

    columns = min(PANELS, len(grid.maps))
    rows = -(-len(grid.maps) // columns)
    width, height = 1.2 + 0.75 * len(grid.columns), 1.1 + 0.5 * len(grid.rows)
    figure = Figure(figsize=(max(4.0, columns * width), max(2.6, rows * height)))
    cells = figure.subplots(rows, columns, squeeze=False).ravel()
    every = 100 * np.array(list(grid.maps.values()))
    for axes in cells[len(grid.maps) :]:
        axes.set_axis_off()
    for axes, (name, values) in zip(cells, grid.maps.items(), strict=False):
        sns.heatmap(
            100 * np.array(values),
            ax=axes,
            vmin=every.min(),
            vmax=every.max(),
            cmap="viridis",
            annot=True,
            fmt=".1f",
            annot_kws={"fontsize": 9},
            cbar=False,
            xticklabels=list(grid.columns),
            yticklabels=list(grid.rows),
        )
        axes.set_title(wrapped(name, 20), fontsize=11)
        axes.set(ylabel=grid.settings[0], xlabel=grid.settings[1])
        axes.tick_params(labelsize=9, rotation=0)
    return figure
