"""A dot for each series: accuracy against speed, with the margin as a band, which decides; or a row for each."""

from collections.abc import Collection
from functools import partial
from typing import TYPE_CHECKING, Any

from gsm_cli.analysis.verdict import Verdict
from gsm_cli.objectives import MARGINALIZE
from gsm_cli.reports.charts import blank, log_ticks, name_ends, wrapped
from gsm_cli.reports.panels import Panel, Point, Points, describe
from gsm_cli.style import INK, Picture
from gsm_cli.words import margin_points

if TYPE_CHECKING:
    from matplotlib.figure import Figure

BAND, GREEN = "#dfe9df", "#3d6b3d"
SPEED, THRIFT = "times as fast as the sum", "times fewer evaluations than the sum"
SIZE = (8.4, 5.2)  # inches
NAME = 14.0  # points
LEAST_REACH = 0.5  # points at either side of zero that an axis of rows has at least


def trade_panel(verdict: Verdict) -> Panel:
    """Points of accuracy against the sum's, by how many times as fast an objective is."""
    marginal = verdict.group.find(MARGINALIZE)
    assert marginal is not None
    timed = [(each, each.series.times_as_fast(marginal)) for each in verdict.decisive]
    known = all(factor for _, factor in timed)
    dots = []
    for each, factor in timed:
        thrift = marginal.evaluations() / max(each.series.evaluations(), 1e-9)
        point = Point.of(factor.mean if known and factor else thrift, each.summary, len(each.comparison.seeds))
        dots.append(Points(each.series.identity, [point]))
    title = "points of test accuracy minus the sum's"
    return Panel(title, SPEED if known else THRIFT, dots, "+.2f", 0.0, continuous=True)


def trade_picture(verdict: Verdict) -> Picture[object]:
    """The objectives against the sum, and the margin."""
    assert verdict.margin is not None
    panel, margin = trade_panel(verdict), 100 * verdict.margin.value
    facts = {"margin": margin, "panels": [panel]}
    return Picture[object]("answer", "", describe([panel]), facts, partial(draw_trade, panel, margin))


def draw_trade(panel: Panel, margin: float) -> "Figure":
    """The sum is the line at zero; what lies in the band or above it loses less than the margin.

    Beyond the margin the axis is nearly logarithmic, so that what lies far below does not press the others.
    """
    from matplotlib.patheffects import withStroke
    from matplotlib.ticker import FixedLocator

    figure = blank(*SIZE)
    axes = figure.subplots()
    axes.set_yscale("asinh", linear_width=margin)
    axes.yaxis.set_major_formatter("{x:g}")
    ends = {dot.identity: (dot.points[0].value or 0.0, dot.points[0].mean) for dot in panel.lines}
    for dot in panel.lines:
        speed, mean = ends[dot.identity]
        span = [mean if end is None else end for end in (dot.points[0].low, dot.points[0].high)]
        axes.plot([speed] * 2, span, linewidth=2.6, color=dot.identity.colour, zorder=3)
        axes.plot(speed, mean, markersize=11, markeredgecolor="white", zorder=4, **dot.look)
    log_ticks(axes, [1.0, *(speed for speed, _ in ends.values())])
    axes.update_datalim([(1.0, -2 * margin), (1.0, margin)])
    axes.autoscale_view()
    axes.set_ylim(axes.get_ylim())
    firsts = (1, 2, 5) if max(map(abs, axes.get_ylim())) < 100 * margin else (1,)
    ticks = [first * 10.0**power for power in range(-3, 4) for first in firsts if first * 10.0**power > margin / 3]
    axes.yaxis.set_major_locator(FixedLocator([0.0, *ticks, *(-tick for tick in ticks)]))
    axes.axhspan(-margin, axes.get_ylim()[1], color=BAND, linewidth=0, zorder=0)
    axes.axhline(0.0, color=INK, linewidth=1.0, zorder=1)
    within = f"loses less than {margin_points(margin / 100)}"
    beside: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "va": "bottom", "fontsize": 12, "zorder": 5}
    beside["path_effects"] = [withStroke(linewidth=3, foreground=BAND)]
    axes.text(0.02, -margin, within, color=GREEN, **beside)
    axes.text(0.02, 0.0, "the sum", **beside)
    axes.set(xlabel=panel.axis, ylabel=panel.title.replace(" minus", ",\nminus"))
    name_ends(axes, ends, SIZE[1] - 0.9, NAME)
    return figure


def forest_picture(name: str, panel: Panel, hollow: Collection[Points] = ()) -> Picture[object]:
    """The picture of a panel without an axis of values."""
    return Picture(name, "", describe([panel]), [panel], partial(draw_rows, panel, hollow))


def draw_rows(panel: Panel, hollow: Collection[Points] = ()) -> "Figure":
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
        reach = 2 * max(LEAST_REACH, *(abs(row.points[0].mean) for row in rows))
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
    left.tick_params(axis="y", length=0, pad=12)
    left.spines["left"].set_visible(False)
    right.set(xlim=(0.0, 1.0))
    right.set_axis_off()
    return figure
