"""The picture that decides: accuracy against speed, a dot for each objective, and the margin as a band."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from gsm_cli.analysis.identity import Identity
from gsm_cli.analysis.verdict import Verdict
from gsm_cli.objectives import MARGINALIZE
from gsm_cli.reports.charts import blank, log_ticks, name_ends
from gsm_cli.style import INK, Picture
from gsm_cli.words import points

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BAND, GREEN = "#dfe9df", "#3d6b3d"
SPEED, THRIFT = "times as fast as the sum", "times fewer evaluations than the sum"
DEPTH = 5.0  # margins below zero to which the picture reaches; what lies below stands at its lower end with an arrow
MANY = 8  # dots, from which on the description leaves their numbers to the table
SIZE = (8.4, 5.2)  # inches
NAME = 14.0  # points


@dataclass(frozen=True)
class Dot:
    """An objective: how many times as fast it is, and its points of accuracy against the sum's with their interval."""

    identity: Identity
    faster: float
    mean: float
    low: float | None
    high: float | None
    verdict: str


@dataclass(frozen=True)
class Trade:
    """The dots, the margin in points, and what the axis of speed counts."""

    dots: Sequence[Dot]
    margin: float
    axis: str


def trade_of(verdict: Verdict) -> Trade:
    """What the picture shows."""
    assert verdict.margin is not None
    marginal = verdict.group.find(MARGINALIZE)
    assert marginal is not None
    timed = {each: each.series.times_as_fast(marginal) for each in verdict.decisive}
    known = all(timed.values())
    dots = []
    for each, factor in timed.items():
        low, high = (None if end is None else 100 * end for end in (each.summary.low, each.summary.high))
        thrift = marginal.evaluations() / max(each.series.evaluations(), 1e-9)
        faster = factor.mean if known and factor else thrift
        dots.append(Dot(each.series.identity, faster, 100 * each.summary.mean, low, high, each.told))
    return Trade(dots, 100 * verdict.margin.value, SPEED if known else THRIFT)


def trade_picture(verdict: Verdict) -> Picture[object]:
    """Every objective that the verdict takes, against the sum."""
    trade = trade_of(verdict)
    dots = trade.dots
    words = "; ".join(
        f"{each.label} {points(each.summary.mean)} at {dot.faster:.2f}"
        for each, dot in zip(verdict.decisive, dots, strict=True)
    )
    if len(dots) > MANY:
        words = f"{len(dots)} objectives, whose numbers the table has"
    description = f"Points of test accuracy against the sum's, and {trade.axis}: {words}."
    return Picture[object]("answer", "", description, trade, partial(draw, trade))


def draw(trade: Trade) -> "Figure":
    """The sum is the line at zero; what lies in the band or above it loses less than the margin."""
    figure = blank(*SIZE)
    axes = figure.subplots()
    low, high = limits(trade)
    axes.axhspan(-trade.margin, high, color=BAND, linewidth=0, zorder=0)
    axes.axhline(0.0, color=INK, linewidth=1.0, zorder=1)
    within = f"loses less than {trade.margin:.4g} point{'' if trade.margin == 1 else 's'}"
    axes.text(0.02, -trade.margin, within, transform=axes.get_yaxis_transform(), va="bottom", color=GREEN, fontsize=12)
    axes.text(0.02, 0.0, "the sum", transform=axes.get_yaxis_transform(), va="bottom", fontsize=12)
    for dot in trade.dots:
        _draw_dot(axes, dot, low, high)
    speeds = [dot.faster for dot in trade.dots]
    log_ticks(axes, [1.0, *speeds])
    axes.set(ylim=(low, high), xlabel=trade.axis, ylabel="points of test accuracy,\nminus the sum's")
    left, right = min(1.0, *speeds), max(1.0, *speeds)
    if axes.get_xscale() == "log":
        axes.set_xlim(left / (right / left) ** 0.05, right * (right / left) ** 0.05)
    else:
        axes.set_xlim(left - 0.05 * (right - left) - 0.05, right + 0.05 * (right - left) + 0.05)
    name_ends(axes, dict(_end(dot, low, high) for dot in trade.dots), SIZE[1] - 0.9, NAME)
    return figure


def limits(trade: Trade) -> tuple[float, float]:
    """From so many margins below zero, or from the lowest interval, to the highest interval."""
    depth = DEPTH * trade.margin
    low = max(-depth, min([-2 * trade.margin, *(dot.mean if dot.low is None else dot.low for dot in trade.dots)]))
    high = min(depth, max([trade.margin, *(dot.mean if dot.high is None else dot.high for dot in trade.dots)]))
    return low - 0.08 * (high - low), high + 0.04 * (high - low)


def _draw_dot(axes: "Axes", dot: Dot, low: float, high: float) -> None:
    """The interval and the mean; an arrow where the mean lies outside the picture."""
    colour = dot.identity.colour
    if dot.low is not None and dot.high is not None and dot.high > low:
        axes.plot([dot.faster] * 2, [max(dot.low, low), min(dot.high, high)], color=colour, linewidth=2.6, zorder=3)
    if dot.mean < low or dot.mean > high:
        edge = low + 0.03 * (high - low) if dot.mean < low else high - 0.03 * (high - low)
        axes.plot(dot.faster, edge, "v" if dot.mean < low else "^", color=colour, markersize=11, zorder=4)
    else:
        look: dict[str, Any] = {"color": colour, "markersize": 11, "markeredgecolor": "white", "zorder": 4}
        axes.plot(dot.faster, dot.mean, dot.identity.marker, **look)


def _end(dot: Dot, low: float, high: float) -> tuple[Identity, tuple[float, float]]:
    """The name beside a dot, with its number where the dot lies outside the picture, and where the dot is."""
    inside = min(max(dot.mean, low), high)
    more = () if inside == dot.mean else (("at", f"{dot.mean:+.1f}"),)
    return replace(dot.identity, settings=(*dot.identity.settings, *more)), (dot.faster, inside)
