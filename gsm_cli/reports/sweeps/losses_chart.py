"""The picture of a trade: the accuracy that cheap objectives lose to the sum, beside the time that they save."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gsm_cli.reports.charts import colours, markers, name_ends, value_ticks
from gsm_cli.reports.statistics import Summary
from gsm_cli.reports.sweeps.charts import asks_for_log
from gsm_cli.style import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

APART = 0.012  # of the axis between the objectives at one value, so that no interval hides another
Points = Sequence[tuple[float, Summary]]  # at values of what was swept
HEIGHT, WIDTH = 4.6, 3.9  # inches of the figure, and of each of its two panels


@dataclass(frozen=True)
class Loss:
    """An objective at one value of what was swept: its accuracy minus the sum's, and the sum's seconds over its own."""

    value: float
    seeds: Sequence[int]
    difference: Summary
    factor: Summary | None  # None unless both steps were timed


@dataclass(frozen=True)
class Trade:
    """The losses of each objective against a setting.

    `apart` sets them apart from others against it, and `fitted` names what differs with each value.
    """

    setting: str
    losses: Mapping[str, Sequence[Loss]]
    apart: str = ""
    fitted: Sequence[str] = ()

    @property
    def timed(self) -> bool:
        """Whether it is known of any how fast it is."""
        return any(loss.factor for losses in self.losses.values() for loss in losses)


def trade_chart(trade: Trade) -> "Figure":
    """Points of accuracy against the sum and, where steps were timed, times as fast, on one axis of values."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=((WIDTH + 1.3) * (1 + trade.timed), HEIGHT))
    left, *right = figure.subplots(1, 1 + trade.timed, squeeze=False).ravel()
    values = sorted({loss.value for losses in trade.losses.values() for loss in losses})
    for axes in (left, *right):
        axes.set(xlabel=trade.setting, xscale="log" if asks_for_log(values) else "linear")
    differences = {name: [(each.value, each.difference) for each in own] for name, own in trade.losses.items()}
    _lines(left, differences, values, 100.0)
    left.axhline(0, color=INK, linewidth=0.8)
    left.set(title="accuracy minus the sum's, points")
    for axes in right:
        factors = {n: [(each.value, each.factor) for each in own if each.factor] for n, own in trade.losses.items()}
        _lines(axes, factors, values, 1.0)
        axes.axhline(1, color=INK, linewidth=0.8)
        axes.set(title="times as fast as the sum")
        _scale(axes, [factor.mean for own in factors.values() for _, factor in own])
    for axes in (left, *right):
        value_ticks(axes, values, WIDTH)
    named, points, unit = (right[0], factors, 1.0) if right and all(factors.values()) else (left, differences, 100.0)
    ends = {name: (own[-1][0], unit * own[-1][1].mean) for name, own in points.items()}
    name_ends(named, ends, colours(list(trade.losses)), HEIGHT - 0.9)
    return figure


def _scale(axes: "Axes", factors: Sequence[float]) -> None:
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    if asks_for_log(factors):
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        axes.yaxis.set_minor_locator(NullLocator())


def _beside(value: float, values: Sequence[float], share: float) -> float:
    """A place so large a share of the axis beside a value."""
    low, high = values[0], values[-1]
    return value * (high / low) ** share if asks_for_log(values) else value + share * (high - low)


def _lines(axes: "Axes", lines: Mapping[str, Points], values: Sequence[float], unit: float) -> None:
    """Means joined, with their intervals where there are any, beside each other at one value."""
    palette, shapes = colours(list(lines)), markers(list(lines))
    for number, (name, points) in enumerate(lines.items()):
        share = APART * (number - (len(lines) - 1) / 2)
        places = [_beside(value, values, share) for value, _ in points]
        axes.plot(places, [unit * each.mean for _, each in points], marker=shapes[name], color=palette[name])
        for place, (_, each) in zip(places, points, strict=True):
            if each.low is not None and each.high is not None:
                axes.plot([place] * 2, [unit * each.low, unit * each.high], color=palette[name], alpha=0.5)
