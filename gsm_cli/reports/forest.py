"""A picture of numbers with their intervals, a row for each."""

from collections.abc import Collection
from functools import partial
from typing import TYPE_CHECKING, Any

from gsm_cli.reports.charts import blank, ink, wrapped
from gsm_cli.reports.panels import Panel, Points, describe
from gsm_cli.style import INK, Picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEAST = 0.5  # points at either side of zero that an axis has at least


def forest_picture(name: str, panel: Panel, hollow: Collection[Points] = ()) -> Picture[object]:
    """The picture of a panel without an axis of values."""
    return Picture(name, "", describe([panel]), [panel], partial(draw, panel, hollow))


def draw(panel: Panel, hollow: Collection[Points] = ()) -> "Figure":
    """A row for every number, the numbers at the right; marks may be hollow.

    Of differences 0 is in the middle, and a wide interval is cut.
    """
    rows = panel.lines
    names = [wrapped(row.identity.label, 40) for row in rows]
    lines = 1 + max(name.count("\n") for name in names)
    figure = blank(11.0, 1.1 + (0.2 + 0.26 * lines) * len(rows))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[2.4, 1.0])
    if panel.reference is not None:
        left.axvline(panel.reference, color=INK, linewidth=0.8, zorder=1)
        reach = 2 * max(LEAST, *(abs(row.points[0].mean) for row in rows))
        left.set_xlim(-reach, reach)
    for place, row in enumerate(rows):
        (point,) = row.points
        if point.low is not None and point.high is not None:
            left.plot([point.low, point.high], [place, place], color=row.identity.colour, linewidth=2.6)
        fill, edge = ("white", row.identity.colour) if row in hollow else (row.identity.colour, "white")
        look: dict[str, Any] = {"markersize": 9, "markerfacecolor": fill, "markeredgecolor": edge, "zorder": 5}
        left.plot(point.mean, place, marker=row.identity.marker, **look)
        right.text(0.0, place, panel.write(point), va="center", fontsize=11, color=INK)
    left.set(ylim=(len(rows) - 0.5, -0.5), xlabel=panel.title)
    left.set_yticks(range(len(rows)), names)
    for label, row in zip(left.get_yticklabels(), rows, strict=True):
        label.set_color(ink(row.identity.colour))
    left.tick_params(axis="y", length=0, pad=12)
    left.spines["left"].set_visible(False)
    right.set(xlim=(0.0, 1.0))
    right.set_axis_off()
    return figure
