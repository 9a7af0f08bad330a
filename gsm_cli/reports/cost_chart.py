"""The picture of a measurement of costs."""

from collections.abc import Mapping

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, StrMethodFormatter

from gsm_cli.objectives import GUMBEL, INK
from gsm_cli.reports.charts import colours
from gsm_cli.reports.cost_statistics import JANG_SPEED_UPS, Scaling


def cost_chart(scalings: Mapping[str, Scaling]) -> Figure:
    """Seconds (left) and memory (right) against the number of classes, with the fitted lines."""
    figure = Figure(figsize=(11.0, 4.6))
    left, right = figure.subplots(1, 2)
    classes = sorted({count for scaling in scalings.values() for count in scaling.classes})
    grid = np.geomspace(classes[0], classes[-1], 100)
    palette = colours(list(scalings))
    for name, scaling in scalings.items():
        low, middle, high = 1000 * np.array([(each.low, each.middle, each.high) for each in scaling.seconds]).T
        bars, colour = (middle - low, high - middle), palette[name]
        left.errorbar(scaling.classes, middle, bars, fmt="o", color=colour, label=name, capsize=3)
        left.plot(grid, [1000 * scaling.line.at(count) for count in grid], color=colour, linewidth=1)
        right.plot(scaling.classes, scaling.mib, "o-", color=colour)
    if GUMBEL in scalings:
        above = {count: 1000 * ratio * scalings[GUMBEL].line.at(count) for count, ratio in JANG_SPEED_UPS.items()}
        label = "marginalize, by Jang et al."
        left.plot(list(above), list(above.values()), "x", color=INK, markersize=9, zorder=3, label=label)
    left.set(ylabel="milliseconds of a step")
    right.set(ylabel="greatest memory, MiB")
    for axes in (left, right):
        axes.set(xscale="log", yscale="log", xlabel="classes K")
        axes.set_xticks(classes, [f"{count:,}" for count in classes])
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.minorticks_off()
        axes.tick_params(axis="x", labelsize=11)
    figure.legend(loc="outside lower center", ncols=4)
    return figure
