"""The picture of a measurement of costs."""

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, StrMethodFormatter
from scipy.optimize import isotonic_regression

from gsm_cli.objectives import GUMBEL, MARGINALIZE
from gsm_cli.reports.charts import colours
from gsm_cli.reports.cost_statistics import JANG_SPEED_UPS, Scaling
from gsm_cli.style import INK

Numbers = npt.NDArray[np.float64]
MARKERS = "osD^vPXp"
LABEL = 10.5  # the size of the names, in points
APART = 0.062  # of the height of the axes, between two names
ROOM = 0.023  # of the width of the axes, that a digit of a number of classes takes
DODGE = 0.08  # between two objectives, as a share of the number of classes


def cost_chart(scalings: Mapping[str, Scaling]) -> Figure:
    """Milliseconds (left) and memory (right) against the number of classes, with the fitted lines.

    Objectives that cost the same stand side by side around their number of classes, marginalize on it.
    """
    figure = Figure(figsize=(12.0, 5.0))
    left, right = figure.subplots(1, 2)
    palette, classes = colours(list(scalings)), np.array(next(iter(scalings.values())).classes, float)
    shifts = _shifts(classes, list(scalings))
    ends: dict[Axes, dict[str, float]] = {left: {}, right: {}}
    for number, (name, scaling) in enumerate(scalings.items()):
        low, middle, high = 1000 * np.array([(each.low, each.middle, each.high) for each in scaling.seconds]).T
        look = {"color": palette[name], "marker": MARKERS[number % len(MARKERS)], "linestyle": "", "markersize": 5}
        left.errorbar(classes * shifts[name], middle, (middle - low, high - middle), capsize=2, **look)
        right.plot(classes * shifts[name], scaling.mib, **look)
        if scaling.line:
            grid = np.geomspace(classes[0], classes[-1], 200)
            left.plot(grid, [1000 * scaling.line.at(count) for count in grid], color=palette[name], linewidth=1)
        ends[left][name], ends[right][name] = middle[-1], scaling.mib[-1]
    _jang(left, scalings)
    left.set(ylabel="milliseconds of a step")
    right.set(ylabel="greatest memory, MiB")
    for axes in (left, right):
        _scale_classes(axes, classes)
        _scale_costs(axes)
        _name_ends(axes, ends[axes], palette)
    return figure


def _shifts(classes: Numbers, names: Sequence[str]) -> dict[str, float]:
    """What the numbers of classes are multiplied by for each objective: less than they are apart."""
    others = [name for name in names if name != MARGINALIZE]
    closest = np.diff(np.log(classes)).min() if len(classes) > 1 else 1.0
    step = min(np.log1p(DODGE), 0.7 * closest / max(1, len(others)))
    places = np.exp(step * (np.arange(len(others)) - (len(others) - 1) / 2))
    return {MARGINALIZE: 1.0, **dict(zip(others, places.tolist(), strict=True))}


def _jang(axes: Axes, scalings: Mapping[str, Scaling]) -> None:
    """What Jang et al. found for marginalization, as multiples of the Gumbel step that was measured."""
    if GUMBEL in scalings:
        measured = dict(zip(scalings[GUMBEL].classes, scalings[GUMBEL].seconds, strict=True))
        found = {count: ratio for count, ratio in JANG_SPEED_UPS.items() if count in measured}
        heights = [1000 * ratio * measured[count].middle for count, ratio in found.items()]
        if found:
            axes.plot(list(found), heights, "x", color=INK, markersize=9, zorder=3, label="marginalize, by Jang et al.")
            axes.legend(loc="upper left")


def _scale_classes(axes: Axes, classes: Numbers) -> None:
    """A logarithmic axis with a tick at every number of classes, and a label where there is room for it."""
    axes.set(xscale="log", xlabel="classes K")
    low, high = axes.get_xlim()
    places = np.log(classes / low) / np.log(high / low)
    words = [f"{count:,.0f}" for count in classes]
    labelled: list[int] = []
    for number in reversed(range(len(classes))):
        letters = len(words[number]) + len(words[labelled[-1]]) if labelled else 0
        if not labelled or places[labelled[-1]] - places[number] > ROOM * (letters / 2 + 0.5):
            labelled.append(number)
    axes.set_xticks(classes, [word if n in labelled else "" for n, word in enumerate(words)])
    axes.tick_params(axis="x", labelsize=11)


def _scale_costs(axes: Axes) -> None:
    """Logarithmic where the values span a decade, else linear from 0."""
    low, high = axes.dataLim.intervaly
    if high > 10 * low:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    else:
        axes.set_ylim(0.0, 1.08 * high)
        axes.yaxis.set_major_locator(MaxNLocator(6))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.minorticks_off()


def _name_ends(axes: Axes, ends: Mapping[str, float], palette: Mapping[str, str]) -> None:
    """The name of every objective beside its last point, where another name stands as near to it as it can."""
    to_axes = axes.transData + axes.transAxes.inverted()
    right = axes.get_xlim()[1]
    heights = {name: float(to_axes.transform((right, end))[1]) for name, end in ends.items()}
    for name, place in zip(sorted(heights, key=lambda name: heights[name]), apart(heights.values()), strict=True):
        colour, line = palette[name], {"arrowstyle": "-", "color": palette[name], "linewidth": 0.8, "relpos": (0, 0.5)}
        point, text = (1.0, heights[name]), (1.05, place)
        where = "axes fraction"
        axes.annotate(name, point, text, where, where, line, color=colour, fontsize=LABEL, va="center")


def apart(heights: Iterable[float]) -> list[float]:
    """The heights in their order, moved as little as can be (least squares) until they are APART, within the axes."""
    ordered = np.sort(list(heights))
    steps = APART * np.arange(len(ordered))
    moved = isotonic_regression(ordered - steps).x  # the heights less the steps may not fall
    return list(np.clip(moved, 0.0, 1.0 - steps[-1]) + steps)
