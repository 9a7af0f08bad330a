"""A picture of differences with their intervals, a row for each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gsm_cli.analysis.identity import Identity
from gsm_cli.analysis.statistics import Summary
from gsm_cli.reports.charts import blank, ink, wrapped
from gsm_cli.style import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Row:
    """Differences in points, seed by seed, their mean and its interval."""

    identity: Identity
    mean: float
    low: float | None
    high: float | None
    differences: Sequence[float]


@dataclass(frozen=True)
class Forest:
    """The rows from above to below."""

    rows: Sequence[Row]


def forest_row(identity: Identity, differences: Sequence[float], found: Summary) -> Row:
    """The row of differences of accuracy, seed by seed, and of their summary."""
    low, high = (None if value is None else 100 * value for value in (found.low, found.high))
    return Row(identity, 100 * found.mean, low, high, [100 * value for value in differences])


def draw(forest: Forest, quantity: str) -> "Figure":
    """A row for every difference, the numbers at the right, over an axis of this quantity."""
    names = [wrapped(row.identity.label, 40) for row in forest.rows]
    lines = 1 + max(name.count("\n") for name in names)
    figure = blank(11.0, 1.1 + (0.2 + 0.26 * lines) * len(forest.rows))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[2.4, 1.0])
    low, high = _limits(forest)
    left.axvline(0.0, color=INK, linewidth=0.8, zorder=1)
    for place, row in enumerate(forest.rows):
        _draw_row(left, row, place, (low, high))
        right.text(0.0, place, _number(row), va="center", fontsize=11, color=INK)
    left.set(xlim=(low, high), ylim=(len(forest.rows) - 0.5, -0.5), xlabel=quantity)
    left.set_yticks(range(len(forest.rows)), names)
    for label, row in zip(left.get_yticklabels(), forest.rows, strict=True):
        label.set_color(ink(row.identity.colour))
    left.tick_params(axis="y", length=0, pad=12)
    left.spines["left"].set_visible(False)
    right.set(xlim=(0.0, 1.0))
    right.set_axis_off()
    return figure


def _limits(forest: Forest) -> tuple[float, float]:
    """Of the axis: all seeds, and intervals up to half as wide again; a wider one ends in an arrow."""
    seen = [value for row in forest.rows for value in row.differences] + [0.0]
    span = max(seen) - min(seen) or 1.0
    lows = [min(seen), *(row.low for row in forest.rows if row.low is not None)]
    highs = [max(seen), *(row.high for row in forest.rows if row.high is not None)]
    low, high = max(min(lows), min(seen) - span / 4), min(max(highs), max(seen) + span / 4)
    return low - 0.04 * span, high + 0.04 * span


def _draw_row(axes: "Axes", row: Row, place: int, limits: tuple[float, float]) -> None:
    """The seeds, faint; the interval, with an arrow where it leaves the picture; the mean."""
    colour = row.identity.colour
    axes.plot(row.differences, [place] * len(row.differences), "|", color=colour, markersize=13, alpha=0.3, zorder=2)
    if row.low is not None and row.high is not None:
        shown = [max(row.low, limits[0]), min(row.high, limits[1])]
        axes.plot(shown, [place, place], color=colour, linewidth=2.6, zorder=3, solid_capstyle="butt")
        for end, inside, marker in ((row.low, shown[0], "<"), (row.high, shown[1], ">")):
            if end != inside:
                axes.plot(inside, place, marker, color=colour, markersize=8, clip_on=False, zorder=4)
    axes.plot(row.mean, place, row.identity.marker, color=colour, markersize=9, markeredgecolor="white", zorder=5)


def _number(row: Row) -> str:
    span = "" if row.low is None or row.high is None else f" [{row.low:+.2f}, {row.high:+.2f}]"
    return f"{row.mean:+.2f}{span}"
