"""The picture of how accuracy grows: against epochs, against seconds, and a panel for every objective."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import TYPE_CHECKING, Any

import numpy as np

from gsm_cli.analysis.identity import Identity, with_looks
from gsm_cli.objectives import GUMBEL, MARGINALIZE, SUPERVISED
from gsm_cli.reports.charts import SPREAD, STEPS, ink, log_ticks, name_ends, wrapped
from gsm_cli.style import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

PANELS = 5  # in a row
ALWAYS = (MARGINALIZE, GUMBEL, SUPERVISED)  # the objectives whose best series stands in front
FRONT = 5  # series that the upper panels show in front
TALL, LOW = 4.9, 2.0  # inches of the upper panels, and of a row of the lower ones
AXES = 3.9  # inches of the upper panels without what is written around them
SMOOTHED = 40  # the running mean is over the epochs divided by this
Span = tuple[float, float]
MARKERS = ("x", "+", "1", "2", "*")
DODGE = 1.1  # between crosses at one place, as a factor of the epoch


@dataclass(frozen=True)
class Curve:
    """One objective after each epoch: mean and deviation of the validation accuracy over seeds, seconds so far.

    The chosen epochs are those that validation chose, one for each seed. Seconds may be missing.
    """

    identity: Identity
    accuracy: Sequence[float]
    deviation: Sequence[float]
    seconds: Sequence[float]
    chosen: Sequence[int]


@dataclass(frozen=True)
class Learning:
    """The curve of every series, and the accuracies that others report after epochs, by objective."""

    curves: Sequence[Curve]
    others: Mapping[str, Mapping[int, float]]
    source: str

    @property
    def timed(self) -> bool:
        """Whether seconds are known of any."""
        return any(curve.seconds for curve in self.curves)


def width(epochs: int) -> int:
    """Over how many epochs the upper curves are smoothed."""
    return max(1, epochs // SMOOTHED)


def smooth(values: Sequence[float], size: int) -> list[float]:
    """The running mean of the last `size` values, at the start of as many as there are."""
    sums = np.cumsum([0.0, *values])
    last = np.arange(1, len(values) + 1)
    first = np.maximum(last - size, 0)
    return [float(value) for value in (sums[last] - sums[first]) / (last - first)]


def accuracy_chart(learning: Learning) -> "Figure":
    """Above, the mean over seeds of every objective; below, a panel for each with the deviation of a seed."""
    from matplotlib.figure import Figure

    curves = learning.curves
    columns = min(PANELS, len(curves))
    rows = -(-len(curves) // PANELS)
    figure = Figure(figsize=(12.0, TALL + LOW * rows))
    above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=[TALL, LOW * rows]).ravel()
    span = _span(learning)
    _means(above, learning, span)
    cells = below.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for axes, curve in zip(cells, curves, strict=False):
        _panel(axes, curve, span)
    for axes in cells[len(curves) :]:
        axes.set_axis_off()
    cells[0].set_ylim(*span)
    _whole_epochs(cells[0], learning, 4)
    return figure


def _whole_epochs(axes: "Axes", learning: Learning, ticks: int) -> None:
    """Ticks at whole epochs, also where there is but one."""
    from matplotlib.ticker import MaxNLocator

    last = max(len(curve.accuracy) for curve in learning.curves)
    axes.xaxis.set_major_locator(MaxNLocator(ticks, integer=True, steps=STEPS))
    if last < 3:
        axes.set_xlim(0, last + 1)


def _span(learning: Learning) -> Span:
    """What the axis of accuracy shows: all but the first steep rise."""
    low = min(float(np.quantile(each.accuracy, 0.04)) for each in learning.curves)
    high = max(float(np.max(np.add(each.accuracy, each.deviation))) for each in learning.curves)
    others = [value for curve in learning.others.values() for value in curve.values()]
    low, high = min([low, *others]), max([high, *others])
    return max(0.0, low - 0.02), min(1.0, high + 0.01)


def front(curves: Sequence[Curve]) -> list[Identity]:
    """The series that stand in front: the best of the sum, gumbel and the labels alone, then the best at the end."""
    last = {curve.identity: np.mean(curve.accuracy[-width(len(curve.accuracy)) :]) for curve in curves}
    best = sorted(last, key=lambda line: -last[line])
    first = [next((line for line in best if line.objective == base), None) for base in ALWAYS]
    return list(dict.fromkeys([*filter(None, first), *best]))[:FRONT]


def _means(figure: "SubFigure", learning: Learning, span: Span) -> None:
    """Accuracy against epochs, with what others report as crosses, and against seconds where they are known."""
    left, *right = figure.subplots(1, 1 + learning.timed, sharey=True, squeeze=False).ravel()
    ends: dict[Axes, dict[Identity, tuple[float, float]]] = {axes: {} for axes in (left, *right)}
    chosen = front(learning.curves)
    for curve in learning.curves:
        for axes, places in zip(ends, (range(1, len(curve.accuracy) + 1), curve.seconds), strict=False):
            if places:
                ends[axes][curve.identity] = _mean(axes, places, curve, curve.identity in chosen)
    left.set(xlabel="epoch", ylabel="validation accuracy", ylim=span)
    for axes in right:
        axes.set(xlabel="seconds of training")
        _seconds(axes, learning)
    _whole_epochs(left, learning, 6)
    _others(figure, left, learning)
    for axes, own in ends.items():
        if own:
            name_ends(axes, own, AXES)


def _seconds(axes: "Axes", learning: Learning) -> None:
    """A linear axis, unless one objective takes many times as long as another; the labels alone do not count."""
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    timed = {curve.identity: curve.seconds for curve in learning.curves if curve.seconds}
    ends = [seconds[-1] for line, seconds in timed.items() if line.objective != SUPERVISED]
    if ends and max(ends) >= SPREAD * min(ends) > 0:
        log_ticks(axes, [second for seconds in timed.values() for second in seconds])
    elif last := max((seconds[-1] + seconds[0] for seconds in timed.values()), default=0.0):
        axes.xaxis.set_major_locator(MaxNLocator(6, steps=STEPS))
        axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
        axes.set_xlim(0.0, last)


def _mean(axes: "Axes", places: Sequence[float], curve: Curve, ahead: bool) -> tuple[float, float]:
    """The running mean with the chosen epoch, in front with the mean itself behind it; where it ends."""
    colour, size = curve.identity.colour, width(len(curve.accuracy))
    means = smooth(curve.accuracy, size)[: len(places)]
    style: dict[str, Any] = {"linewidth": 2.0, "zorder": 3} if ahead else {"linewidth": 1.0, "alpha": 0.5, "zorder": 2}
    axes.plot(places, means, color=colour, **style)
    if ahead and size > 1:
        axes.plot(places, curve.accuracy[: len(places)], color=colour, linewidth=0.6, alpha=0.3, zorder=1)
    dot = int(median(curve.chosen)) - 1
    axes.plot(places[dot], means[dot], curve.identity.marker, color=colour, markersize=7 if ahead else 5, zorder=4)
    return places[-1], means[-1]


def _others(figure: "SubFigure", axes: "Axes", learning: Learning) -> None:
    """What others report, as crosses; those at one place side by side."""
    palette = [line.colour for line in with_looks([(name, ()) for name in learning.others])]
    taken: Counter[tuple[int, float]] = Counter()
    for (name, curve), marker, colour in zip(learning.others.items(), MARKERS, palette, strict=False):
        epochs = [epoch * DODGE ** taken[epoch, value] for epoch, value in curve.items()]
        taken.update(curve.items())
        axes.plot(epochs, list(curve.values()), marker, color=colour, markersize=9, zorder=3)
        axes.plot([], [], marker, color=colour, label=f"{learning.source.partition(',')[0]}: {name}")
    if learning.others:
        figure.legend(loc="outside upper left", ncols=len(learning.others))
        epochs = [len(curve.accuracy) for curve in learning.curves]
        log_ticks(axes, [1, *epochs, *(epoch for curve in learning.others.values() for epoch in curve)])


def _panel(axes: "Axes", curve: Curve, span: Span) -> None:
    """One objective: the mean, a band of the deviation of one seed, and a stroke for every chosen epoch."""
    epochs, colour = np.arange(1, len(curve.accuracy) + 1), curve.identity.colour
    mean, deviation = np.array(curve.accuracy), np.array(curve.deviation)
    axes.fill_between(epochs, mean - deviation, mean + deviation, color=colour, alpha=0.25, linewidth=0)
    axes.plot(epochs, mean, "." if len(epochs) == 1 else "-", color=colour, linewidth=1)
    height = span[0] + 0.04 * (span[1] - span[0])
    axes.plot(curve.chosen, [height] * len(curve.chosen), "|", color=INK, markersize=7, alpha=0.7)
    axes.set_title(wrapped(curve.identity.label), color=ink(colour), weight="bold", fontsize=10)
    axes.tick_params(labelsize=9)
