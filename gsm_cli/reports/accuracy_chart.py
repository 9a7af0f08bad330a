"""The picture of how accuracy grows: against epochs, against seconds, and a panel for every objective."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from textwrap import fill

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator

from gsm_cli.reports.charts import apart, colours, log_ticks
from gsm_cli.style import INK

PANELS = 5  # in a row
SMOOTHED = 40  # the running mean is over the epochs divided by this
Span = tuple[float, float]
MARKERS = ("x", "+", "1", "2", "*")


@dataclass(frozen=True)
class Curve:
    """One objective after each epoch: mean and deviation of the validation accuracy over seeds, seconds so far.

    The chosen epochs are those that validation chose, one for each seed. Seconds may be missing.
    """

    accuracy: Sequence[float]
    deviation: Sequence[float]
    seconds: Sequence[float]
    chosen: Sequence[int]


@dataclass(frozen=True)
class Learning:
    """The curve of every series, and the accuracies that others report after epochs, by objective."""

    curves: Mapping[str, Curve]
    others: Mapping[str, Mapping[int, float]]
    source: str


def width(epochs: int) -> int:
    """Over how many epochs the upper curves are smoothed."""
    return max(1, epochs // SMOOTHED)


def smooth(values: Sequence[float], size: int) -> list[float]:
    """The running mean of the last `size` values, at the start of as many as there are."""
    sums = np.cumsum([0.0, *values])
    last = np.arange(1, len(values) + 1)
    first = np.maximum(last - size, 0)
    return [float(value) for value in (sums[last] - sums[first]) / (last - first)]


def accuracy_chart(learning: Learning) -> Figure:
    """Above, the mean over seeds of every objective; below, a panel for each with the deviation of a seed."""
    names = list(learning.curves)
    palette = colours(names)
    columns = min(PANELS, len(names))
    rows = -(-len(names) // PANELS)
    figure = Figure(figsize=(11.0, 4.6 + 2.0 * rows))
    above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=[4.6, 2.0 * rows]).ravel()
    span = _span(learning)
    _means(above, learning, palette, span)
    cells = below.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
    for axes, name in zip(cells, names, strict=False):
        _panel(axes, learning.curves[name], name, palette[name], span)
    for axes in cells[len(names) :]:
        axes.set_axis_off()
    cells[0].set_ylim(*span)
    _whole_epochs(cells[0], learning, 4)
    return figure


def _whole_epochs(axes: Axes, learning: Learning, ticks: int) -> None:
    """Ticks at whole epochs, also where there is but one."""
    last = max(len(curve.accuracy) for curve in learning.curves.values())
    axes.xaxis.set_major_locator(MaxNLocator(ticks, integer=True))
    if last < 3:
        axes.set_xlim(0, last + 1)


def _span(learning: Learning) -> Span:
    """What the axis of accuracy shows: all but the first steep rise."""
    curves = learning.curves.values()
    low = min(float(np.quantile(each.accuracy, 0.04)) for each in curves)
    high = max(float(np.max(np.add(each.accuracy, each.deviation))) for each in curves)
    high = max([high, *(value for curve in learning.others.values() for value in curve.values())])
    return max(0.0, low - 0.02), min(1.0, high + 0.01)


def _means(figure: SubFigure, learning: Learning, palette: Mapping[str, str], span: Span) -> None:
    """Accuracy against epochs, with what others report as crosses, and against seconds."""
    left, right = figure.subplots(1, 2, sharey=True)
    for name, curve in learning.curves.items():
        epochs = range(1, len(curve.accuracy) + 1)
        means = smooth(curve.accuracy, width(len(curve.accuracy)))
        left.plot(epochs, means, color=palette[name])
        place = int(median(curve.chosen)) - 1
        left.plot(epochs[place], means[place], "o", color=palette[name], markersize=6)
        if curve.seconds:
            right.plot(curve.seconds, means[: len(curve.seconds)], color=palette[name])
            right.plot(curve.seconds[place], means[place], "o", color=palette[name], markersize=6)
    left.set(xlabel="epoch", ylabel="validation accuracy", ylim=span)
    right.set(xlabel="seconds of training")
    log_ticks(right, [second for curve in learning.curves.values() for second in curve.seconds])
    _whole_epochs(left, learning, 6)
    _others(figure, left, learning)
    _labels(left, learning, palette, span)


def _labels(axes: Axes, learning: Learning, palette: Mapping[str, str], span: Span) -> None:
    """The names at the ends of their lines, none over another."""
    ends = [smooth(each.accuracy, width(len(each.accuracy)))[-1] for each in learning.curves.values()]
    low, high = span
    labels = [fill(name, 26) for name in palette]
    sizes = [(0.012 + 0.038 * (1 + label.count("\n"))) * (high - low) for label in labels]
    places = apart(ends, sizes, low, high)
    for label, colour, place in zip(labels, palette.values(), places, strict=True):
        at = axes.get_yaxis_transform()
        axes.text(1.02, place, label, color=colour, transform=at, fontsize=9, va="center", linespacing=1.0)


def _others(figure: SubFigure, axes: Axes, learning: Learning) -> None:
    palette = colours(list(learning.others))
    for (name, curve), marker in zip(learning.others.items(), MARKERS, strict=False):
        axes.plot(list(curve), list(curve.values()), marker, color=palette[name], markersize=9, zorder=3)
        axes.plot([], [], marker, color=palette[name], label=f"{learning.source.partition(',')[0]}: {name}")
    if learning.others:
        figure.legend(loc="outside upper left", ncols=len(learning.others))
        epochs = [len(curve.accuracy) for curve in learning.curves.values()]
        log_ticks(axes, [1, *epochs, *(epoch for curve in learning.others.values() for epoch in curve)])


def _panel(axes: Axes, curve: Curve, name: str, colour: str, span: Span) -> None:
    """One objective: the mean, a band of the deviation of one seed, and a stroke for every chosen epoch."""
    epochs = np.arange(1, len(curve.accuracy) + 1)
    mean, deviation = np.array(curve.accuracy), np.array(curve.deviation)
    axes.fill_between(epochs, mean - deviation, mean + deviation, color=colour, alpha=0.25, linewidth=0)
    axes.plot(epochs, mean, color=colour, linewidth=1)
    height = span[0] + 0.04 * (span[1] - span[0])
    axes.plot(curve.chosen, [height] * len(curve.chosen), "|", color=INK, markersize=7, alpha=0.7)
    axes.set_title(fill(name, 22), color=colour, weight="bold", fontsize=10)
    axes.tick_params(labelsize=9)
