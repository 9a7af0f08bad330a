"""Means and intervals against values: the data from which a picture, its table and its description come."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from gsm_cli import commands
from gsm_cli.analysis.identity import Identity
from gsm_cli.analysis.statistics import Summary
from gsm_cli.reports.charts import NAME, TICK, blank, is_wide, log_ticks, loss_axis, name_ends, value_ticks
from gsm_cli.reports.markdown import NOTHING, columns, interval
from gsm_cli.style import INK, Picture
from gsm_cli.words import digits, sentence

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLUMNS = 3
ALONE = 12.0  # points of a name beside a single panel
WIDTHS, HEIGHT = (9.5, 5.6, 4.2, 3.4), 4.6  # inches of a panel where one, two, three or more are in a row
NAMES = 2.2  # inches of the names beside the last panel
MANY = 8  # lines, from which on the description has the highest and the lowest alone
FEW = 12  # points of a line whose marks are large, and whose intervals are lines
APART, SPREAD = 0.012, 0.06  # of the axis between lines at one value, so that none hides another, and between all


@dataclass(frozen=True)
class Point:
    """A mean at a value, None for one that holds at every value, with its interval if there is one."""

    value: float | None
    mean: float
    low: float | None = None
    high: float | None = None
    seeds: int | None = None

    @classmethod
    def of(cls, value: float | None, found: Summary, seeds: int | None = None, scale: float = 100.0) -> "Point":
        """Of shares, in per cent or in points; of others with the scale 1."""
        low, high = (None if end is None else scale * end for end in (found.low, found.high))
        return cls(value, scale * found.mean, low, high, seeds)


@dataclass(frozen=True)
class Points:
    """What one objective has at several values, from the first to the last."""

    identity: Identity
    points: Sequence[Point]

    @property
    def is_level(self) -> bool:
        return self.points[0].value is None

    @property
    def look(self) -> dict[str, Any]:
        mark = {"linestyle": "--"} if self.is_level else {"marker": self.identity.marker}
        return {"color": self.identity.colour, **mark}


@dataclass(frozen=True)
class Panel:
    """A quantity against a setting, with a line where it means something."""

    title: str
    axis: str
    lines: Sequence[Points]
    form: str = ".2f"  # of the numbers in words and tables; empty: three digits
    reference: float | None = None
    logarithmic: bool = False  # where its means spread widely
    continuous: bool = False  # whether each line has values of its own
    margin: float | None = None  # of points against the sum's: the loss that counts as none

    def write(self, point: Point) -> str:
        """A mean with its interval; without a form with three digits."""
        form = f"{{:{self.form}}}".format if self.form else digits
        return interval(Summary(point.mean, None, point.low, point.high), form)

    def at(self, value: float) -> str:
        """A value of the axis."""
        return digits(value) if self.continuous else commands.write(value)


def panel_chart(panels: Sequence[Panel], columns: int = COLUMNS) -> "Figure":
    """The panels, so many in a row; the objectives are named where the lines of the last one end, or below."""
    from matplotlib.lines import Line2D

    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    lines = {line.identity: line for panel in panels for line in panel.lines}
    beside = len(panels[-1].lines) == len(lines) and rows == 1
    width = WIDTHS[min(columns, len(WIDTHS)) - 1]
    below = 0.0 if beside else 0.3 + 0.25 * -(-len(lines) // columns)
    height = HEIGHT if rows == 1 else 2.9
    figure = blank(columns * width, rows * height + below)
    cells = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in cells[len(panels) :]:
        axes.set_axis_off()
    room = (columns * width - NAMES * beside) / columns - 0.6
    for axes, panel in zip(cells, panels, strict=False):
        _draw(axes, panel, room, columns)
    if beside:
        ends = {line.identity: _end(cells[len(panels) - 1], line) for line in panels[-1].lines}
        name_ends(cells[len(panels) - 1], ends, height - 0.9, NAME if len(panels) > 1 else ALONE)
    else:
        handles = [Line2D([], [], **line.look) for line in lines.values()]
        figure.legend(handles, [each.label for each in lines], loc="outside lower center", ncols=columns)
    return figure


def _draw(axes: "Axes", panel: Panel, inches: float, columns: int) -> None:
    """A line for each objective with the intervals of its means."""
    lines = [line for line in panel.lines if not line.is_level]
    values = sorted({point.value for line in lines for point in line.points if point.value is not None})
    if is_wide(values):
        axes.set_xscale("log")
    for place, line in enumerate(lines):
        share = 0.0 if panel.continuous else min(APART, SPREAD / len(lines)) * (place - (len(lines) - 1) / 2)
        _draw_line(axes, line, [_beside(point.value or 0.0, values, share) for point in line.points])
    for line in panel.lines:
        if line.is_level:
            axes.axhline(line.points[0].mean, zorder=1, **line.look)
    if panel.reference is not None:
        axes.axhline(panel.reference, color=INK, linewidth=0.8, linestyle=":", zorder=0)
    if not panel.lines:
        axes.set_axis_off()
        return
    axes.set_title(panel.title, fontsize=12 if columns <= COLUMNS else 10)
    axes.set_xlabel(panel.axis)
    _limit(axes, panel)
    if panel.continuous or not values:
        log_ticks(axes, values)
    else:
        value_ticks(axes, values, inches)
    axes.tick_params(labelsize=TICK)


def _beside(value: float, values: Sequence[float], share: float) -> float:
    """A place so large a share of the axis beside a value."""
    low, high = values[0], values[-1]
    return value * (high / low) ** share if is_wide(values) else value + share * (high - low)


def _draw_line(axes: "Axes", line: Points, places: Sequence[float]) -> None:
    """Means joined, with their intervals where there are any, as a band where the points are many."""
    size = 9 if len(places) == 1 else 5 if len(places) <= FEW else 3
    axes.plot(places, [point.mean for point in line.points], markersize=size, **line.look)
    spans = [
        (place, point.low, point.high)
        for place, point in zip(places, line.points, strict=True)
        if point.low is not None and point.high is not None
    ]
    at, low, high = zip(*spans, strict=True) if spans else ((), (), ())
    if len(places) > FEW:
        axes.fill_between(at, low, high, color=line.identity.colour, alpha=0.15, linewidth=0)
    else:
        axes.vlines(at, low, high, color=line.identity.colour, alpha=0.5, linewidth=0.3 * size)


def _limit(axes: "Axes", panel: Panel) -> None:
    """All means, and intervals up to as far again; a wider one leaves the picture. Logarithmic where that is asked."""
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    points = [point for line in panel.lines for point in line.points]
    means = [point.mean for point in points]
    if panel.margin:
        loss_axis(axes, panel.margin)
    elif panel.logarithmic and is_wide(means):
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_minor_locator(NullLocator())
    else:
        more = max(max(means) - min(means), max(map(abs, means)) / 100, 1e-9)
        low = max(min(point.mean if point.low is None else point.low for point in points), min(means) - more)
        high = min(max(point.mean if point.high is None else point.high for point in points), max(means) + more)
        if panel.reference is not None:
            low, high = min(low, panel.reference), max(high, panel.reference)
        room = max(high - low, more) / 20
        axes.set_ylim(low - room, high + room)
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))


def _end(axes: "Axes", line: Points) -> tuple[float, float]:
    """Where a line ends; a level at the end of the axis."""
    last = line.points[-1]
    return axes.get_xlim()[1] if last.value is None else last.value, last.mean


def panel_picture(name: str, panels: Sequence[Panel], columns: int = COLUMNS) -> Picture[object]:
    """The picture of these panels, so many in a row."""
    return Picture(name, "", describe(panels), list(panels), partial(panel_chart, panels, columns))


def describe(panels: Sequence[Panel]) -> str:
    """The panels for those who cannot see them: the ends of the lines of the first one, and what the others show.

    Of many lines those that end highest and lowest; of many dots how many they are.
    """
    first, *others = panels
    dots, lines = all(len(line.points) == 1 for line in first.lines), list(first.lines)
    if many := len(lines) > MANY:
        lines = sorted(lines, key=lambda line: -line.points[-1].mean)[:: len(lines) - 1]
    ends = [
        f"{line.identity.label} "
        + " and ".join(
            first.write(point) + ("" if point.value is None else f" at {first.at(point.value)}")
            for point in dict.fromkeys((line.points[0], line.points[-1]))
        )
        for line in lines
    ]
    if many and dots:
        ends = [f"{len(first.lines)}, whose numbers are in a table"]
    elif many:
        ends = [f"of {len(first.lines)} lines the highest, {ends[0]}", f"the lowest, {ends[1]}"]
    words = [each.title + (f" against {each.axis}" if each.axis != first.axis else "") for each in others]
    beside = f" Beside it: {'; '.join(words)}." if others else ""
    what = "Dots" if dots else "At the ends"
    return f"{sentence(first.title)} against {first.axis}. {what}: {'; '.join(ends)}.{beside}"


def panel_table(panels: Sequence[Panel]) -> str:
    """A row for every line and value, a column for every panel."""
    rows: dict[tuple[str, float | None], dict[str, str]] = {}
    for panel in panels:
        for line in panel.lines:
            for point in line.points:
                label, value = line.identity.label, point.value
                name = label if value is None else f"{label}, {panel.axis} {panel.at(value)}"
                cells = rows.setdefault((label, value), {"runs": name, "seeds": NOTHING})
                cells |= {"seeds": str(point.seeds)} if point.seeds else {}
                cells[panel.title] = panel.write(point)
    return columns([*rows.values()])
