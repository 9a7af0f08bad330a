"""The picture of a sweep over temperatures: accuracy, bound and gradient on one axis."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gsm_cli.reports.charts import colours, markers, value_ticks
from gsm_cli.reports.sweeps.charts import Lines, asks_for_log, draw_line
from gsm_cli.style import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDTH, HEIGHT = 3.7, 2.9  # inches of a panel
COLUMNS = 3

Points = Sequence[tuple[float, float]]  # a temperature, and what was read there


@dataclass(frozen=True)
class Panel:
    """A quantity against the temperature, a line for each objective; a dotted line where it means something."""

    label: str
    lines: Mapping[str, Points]
    reference: float | None = None
    logarithmic: bool = False


@dataclass(frozen=True)
class Temperatures:
    """Accuracy with its intervals and levels, and the panels of what explains it."""

    accuracy: Lines
    panels: Sequence[Panel]


def temperature_chart(found: Temperatures) -> "Figure":
    """Accuracy first, then the panels, three in a row; objectives and levels are named below."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    number = 1 + len(found.panels)
    columns = min(COLUMNS, number)
    rows = -(-number // columns)
    lines, levels = found.accuracy.lines, found.accuracy.levels
    figure = Figure(figsize=(columns * WIDTH, rows * HEIGHT + 0.5 + 0.25 * -(-(len(lines) + len(levels)) // columns)))
    cells = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in cells[number:]:
        axes.set_axis_off()
    palette, shapes = colours([*lines, *levels]), markers([*lines, *levels])
    _accuracy(cells[0], found.accuracy, palette, shapes)
    for axes, panel in zip(cells[1:], found.panels, strict=False):
        _panel(axes, panel, palette, shapes)
    values = sorted({point.value for points in lines.values() for point in points})
    for axes in cells[:number]:
        if asks_for_log(values):
            axes.set_xscale("log")
        axes.set_xlim(values[0] / 1.15, values[-1] * 1.15)
        axes.set_xlabel("tau")
        value_ticks(axes, values, WIDTH - 1.0, 10)
        axes.tick_params(labelsize=10)
    looks = [Line2D([], [], color=palette[name], marker=shapes[name]) for name in lines]
    looks += [Line2D([], [], color=palette[name], linestyle="--") for name in levels]
    figure.legend(looks, [*lines, *levels], loc="outside lower center", ncols=columns)
    return figure


def _accuracy(axes: "Axes", accuracy: Lines, palette: Mapping[str, str], shapes: Mapping[str, str]) -> None:
    for name, points in accuracy.lines.items():
        draw_line(axes, points, palette[name], shapes[name])
    for name, level in accuracy.levels.items():
        axes.axhline(100 * level.mean, linestyle="--", color=palette[name])
    axes.set_title("test accuracy, %", fontsize=12)


def _panel(axes: "Axes", panel: Panel, palette: Mapping[str, str], shapes: Mapping[str, str]) -> None:
    from matplotlib.ticker import LogLocator, MaxNLocator, StrMethodFormatter

    for name, points in panel.lines.items():
        axes.plot(*zip(*points, strict=True), marker=shapes[name], color=palette[name])
    if panel.reference is not None:
        axes.axhline(panel.reference, color=INK, linewidth=0.8, linestyle=":", zorder=0)
    axes.set_title(panel.label, fontsize=12)
    if panel.logarithmic:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_minor_locator(MaxNLocator(1))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
