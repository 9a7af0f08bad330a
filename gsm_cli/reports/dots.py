"""A dot for each series: accuracy against speed, which decides; or a row for each."""

from collections.abc import Collection
from functools import partial
from math import inf
from typing import TYPE_CHECKING, Any

from gsm_cli.analysis.verdict import Verdict
from gsm_cli.objectives import MARGINALIZE
from gsm_cli.reports.charts import blank, wrapped
from gsm_cli.reports.panels import Panel, Point, Points, describe, panel_picture
from gsm_cli.style import INK, Picture

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SPEED, THRIFT = "times as fast as the sum", "times fewer evaluations than the sum"
LEAST_REACH = 0.5  # points at either side of zero that an axis of rows has at least


def trade_picture(verdict: Verdict) -> Picture[object]:
    """Points of accuracy against the sum's, by how many times as fast an objective is, with the margin as a band."""
    marginal = verdict.group.find(MARGINALIZE)
    assert marginal is not None
    assert verdict.margin is not None
    timed = [(each, each.series.times_as_fast(marginal)) for each in verdict.decisive]
    known = all(factor for _, factor in timed)
    dots = []
    for each, factor in timed:
        thrift = marginal.evaluations() / max(each.series.evaluations(), 1e-9)
        point = Point.of(factor.mean if known and factor else thrift, each.summary, len(each.comparison.seeds))
        dots.append(Points(each.series.identity, [point]))
    title, axis = "points of test accuracy minus the sum's", SPEED if known else THRIFT
    panel = Panel(title, axis, dots, "+z.2f", continuous=True, margin=100 * verdict.margin.value)
    return panel_picture("answer", [panel])


def forest_picture(name: str, panel: Panel, hollow: Collection[Points] = ()) -> Picture[object]:
    """The picture of a panel without an axis of values."""
    return Picture(name, "", describe([panel]), [panel], partial(draw_rows, panel, hollow))


def draw_rows(panel: Panel, hollow: Collection[Points] = ()) -> "Figure":
    """A row for every number, the numbers at the right; marks may be hollow.

    Of differences 0 is in the middle, and a wide interval is cut: an arrow says so.
    """
    rows = panel.lines
    names = [wrapped(row.identity.label, 40) for row in rows]
    lines = 1 + max(name.count("\n") for name in names)
    figure = blank(11.0, 1.1 + (0.2 + 0.26 * lines) * len(rows))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[2.4, 1.0])
    reach = inf
    if panel.reference is not None:
        left.axvline(panel.reference, color=INK, linewidth=0.8, zorder=1)
        reach = 2 * max(LEAST_REACH, *(abs(row.points[0].mean) for row in rows))
        left.set_xlim(-reach, reach)
    for place, row in enumerate(rows):
        (point,) = row.points
        if point.low is not None and point.high is not None:
            left.plot([point.low, point.high], [place, place], color=row.identity.colour, linewidth=2.6)
            for end, arrow in [(-reach, "<")] * (point.low < -reach) + [(reach, ">")] * (point.high > reach):
                left.plot(end, place, arrow, color=row.identity.colour, markersize=8, clip_on=False)
        fill, edge = ("white", row.identity.colour) if row in hollow else (row.identity.colour, "white")
        look: dict[str, Any] = {"markersize": 9, "markerfacecolor": fill, "markeredgecolor": edge, "zorder": 5}
        left.plot(point.mean, place, marker=row.identity.marker, **look)
        right.text(0.0, place, panel.write(point), va="center", fontsize=11, color=INK)
    left.set(ylim=(len(rows) - 0.5, -0.5), xlabel=panel.title)
    left.set_yticks(range(len(rows)), names)
    left.tick_params(axis="y", length=0, pad=12)
    left.spines["left"].set_visible(False)
    right.set(xlim=(0.0, 1.0))
    right.set_axis_off()
    return figure
