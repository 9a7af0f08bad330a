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
HEIGHT, WIDTH = 4.6, 3.9  # inches of the figure, and of each of its two panels


@dataclass(frozen=True)
class Loss:
    """An objective at one value of what was swept: its accuracy minus the sum's, and the sum's seconds over its own."""

    value: float
    seeds: Sequence[int]
    difference: Summary
    factor: float | None  # None without times of equal circumstances


@dataclass(frozen=True)
class Trade:
    """The losses of each objective against a setting.

    `apart` sets them apart from others against it, and `fitted` names what differs with each value.
    """

    setting: str
    losses: Mapping[str, Sequence[Loss]]
    apart: str = ""
    fitted: Sequence[str] = ()


def trade_chart(trade: Trade) -> "Figure":
    """Two panels with one axis of values: points of accuracy against the sum, and times as fast."""
    from matplotlib.figure import Figure
    from matplotlib.ticker import LogLocator, NullLocator, StrMethodFormatter

    figure = Figure(figsize=(2 * WIDTH + 2.6, HEIGHT))
    left, right = figure.subplots(1, 2)
    palette, shapes = colours(list(trade.losses)), markers(list(trade.losses))
    values = sorted({loss.value for losses in trade.losses.values() for loss in losses})
    for axes in (left, right):
        if asks_for_log(values):
            axes.set_xscale("log")
        axes.set(xlabel=trade.setting)
    for place, (name, losses) in enumerate(trade.losses.items()):
        share = APART * (place - (len(trade.losses) - 1) / 2)
        _differences(
            left, losses, [_beside(loss.value, values, share) for loss in losses], (palette[name], shapes[name])
        )
        timed = [(loss.value, loss.factor) for loss in losses if loss.factor is not None]
        right.plot(*zip(*timed, strict=True), marker=shapes[name], color=palette[name]) if timed else None
    left.axhline(0, color=INK, linewidth=0.8)
    right.axhline(1, color=INK, linewidth=0.8)
    left.set(title="accuracy minus the sum's, points")
    right.set(title="times as fast as the sum")
    if asks_for_log([loss.factor for losses in trade.losses.values() for loss in losses if loss.factor] or [1]):
        right.set_yscale("log")
        right.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        right.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        right.yaxis.set_minor_locator(NullLocator())
    for axes in (left, right):
        value_ticks(axes, values, WIDTH)
    timed_ends = {
        name: (losses[-1].value, losses[-1].factor)
        for name, losses in trade.losses.items()
        if losses[-1].factor is not None
    }
    ends = {name: (losses[-1].value, 100 * losses[-1].difference.mean) for name, losses in trade.losses.items()}
    name_ends(*((right, timed_ends) if len(timed_ends) == len(ends) else (left, ends)), palette, HEIGHT - 0.9)
    return figure


def _beside(value: float, values: Sequence[float], share: float) -> float:
    """A place so large a share of the axis beside a value."""
    low, high = values[0], values[-1]
    return value * (high / low) ** share if asks_for_log(values) else value + share * (high - low)


def _differences(axes: "Axes", losses: Sequence[Loss], places: Sequence[float], look: tuple[str, str]) -> None:
    """Means joined, with their intervals where there are any."""
    colour, shape = look
    axes.plot(places, [100 * loss.difference.mean for loss in losses], marker=shape, color=colour)
    for place, loss in zip(places, losses, strict=True):
        low, high = loss.difference.low, loss.difference.high
        if low is not None and high is not None:
            axes.plot([place] * 2, [100 * low, 100 * high], color=colour, alpha=0.5)
