"""The picture of a measurement of costs."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from gsm_cli.objectives import GUMBEL, MARGINALIZE
from gsm_cli.reports.charts import colours, markers, name_ends, value_ticks
from gsm_cli.reports.cost.statistics import JANG_SPEED_UPS, Scaling
from gsm_cli.style import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Numbers = npt.NDArray[np.float64]
HEIGHT, WIDTH = 5.0, 4.0  # inches of the picture, and about those of the axis of a panel
DODGE = 0.08  # between two objectives, as a share of the number of classes


def cost_chart(scalings: Mapping[str, Scaling]) -> "Figure":
    """Milliseconds (left) and memory (right) against the number of classes, with the fitted lines.

    Objectives that cost the same stand side by side around their number of classes, marginalize on it.
    """
    from matplotlib.figure import Figure

    figure = Figure(figsize=(12.0, HEIGHT))
    left, right = figure.subplots(1, 2)
    palette, classes = colours(list(scalings)), np.array(next(iter(scalings.values())).classes, float)
    shapes = markers(list(scalings))
    shifts = _shifts(classes, list(scalings))
    ends: dict[Axes, dict[str, tuple[float, float]]] = {left: {}, right: {}}
    for name, scaling in scalings.items():
        low, middle, high = 1000 * np.array([(each.low, each.middle, each.high) for each in scaling.seconds]).T
        look = {"color": palette[name], "marker": shapes[name], "linestyle": "", "markersize": 5}
        left.errorbar(classes * shifts[name], middle, (middle - low, high - middle), capsize=2, **look)
        right.plot(classes * shifts[name], scaling.mib, **look)
        if scaling.line:
            grid = np.geomspace(classes[0], classes[-1], 200)
            left.plot(grid, [1000 * scaling.line.at(count) for count in grid], color=palette[name], linewidth=1)
        ends[left][name] = classes[-1] * shifts[name], middle[-1]
        ends[right][name] = classes[-1] * shifts[name], scaling.mib[-1]
    _jang(left, scalings)
    left.set(ylabel="milliseconds of a step")
    right.set(ylabel="greatest memory, MiB")
    for axes in (left, right):
        axes.set(xscale="log", xlabel="classes K")
        value_ticks(axes, classes.tolist(), WIDTH)
        _scale_costs(axes)
        name_ends(axes, ends[axes], palette, HEIGHT - 0.7)
    return figure


def _shifts(classes: Numbers, names: Sequence[str]) -> dict[str, float]:
    """What the numbers of classes are multiplied by for each objective: less than they are apart."""
    others = [name for name in names if name != MARGINALIZE]
    closest = np.diff(np.log(classes)).min() if len(classes) > 1 else 1.0
    step = min(np.log1p(DODGE), 0.7 * closest / max(1, len(others)))
    places = np.exp(step * (np.arange(len(others)) - (len(others) - 1) / 2))
    return {MARGINALIZE: 1.0, **dict(zip(others, places.tolist(), strict=True))}


def _jang(axes: "Axes", scalings: Mapping[str, Scaling]) -> None:
    """What Jang et al. found for marginalization, as multiples of the Gumbel step that was measured."""
    if GUMBEL in scalings:
        measured = dict(zip(scalings[GUMBEL].classes, scalings[GUMBEL].seconds, strict=True))
        found = {count: ratio for count, ratio in JANG_SPEED_UPS.items() if count in measured}
        heights = [1000 * ratio * measured[count].middle for count, ratio in found.items()]
        if found:
            axes.plot(list(found), heights, "x", color=INK, markersize=9, zorder=3, label="marginalize, by Jang et al.")
            axes.figure.legend(loc="outside upper left")


def _scale_costs(axes: "Axes") -> None:
    """Logarithmic where the values span a decade, else linear from 0."""
    from matplotlib.ticker import LogLocator, MaxNLocator, StrMethodFormatter

    low, high = axes.dataLim.intervaly
    if high > 10 * low:
        axes.set_yscale("log")
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    else:
        axes.set_ylim(0.0, 1.08 * high)
        axes.yaxis.set_major_locator(MaxNLocator(6))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.minorticks_off()
