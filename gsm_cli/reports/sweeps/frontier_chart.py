"""The picture of complete schedules: accuracy against seconds of training, or against epochs."""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from gsm_cli.reports.charts import colours, ink, log_ticks, markers, name_ends
from gsm_cli.reports.sweeps.frontier_data import Schedule

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.transforms import Bbox

HEIGHT = 5.0  # inches
SMALL = 9  # the size of the numbers of epochs, in points
AWAY, CLEAR = 5, 3  # points between a number and its own point, and any other stroke, at least
STROKE = 2.0  # pixels between the places on a line that a number keeps clear of


def frontier_chart(lines: Mapping[str, Sequence[Schedule]]) -> "Figure":
    """A line for each objective with the intervals of its schedules, and at each point its number of epochs."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.0, HEIGHT))
    axes = figure.subplots()
    palette, shapes = colours(list(lines)), markers(list(lines))
    for name, line in lines.items():
        places, means = [each.cost for each in line], [100 * each.validation.mean for each in line]
        axes.plot(places, means, color=palette[name], marker=shapes[name], markersize=6, zorder=3)
        ends = [_ends(each) for each in line]
        axes.vlines(places, [low for low, _ in ends], [high for _, high in ends], color=palette[name], alpha=0.5)
    costs = [each.cost for line in lines.values() for each in line]
    if len(set(costs)) > 1:
        axes.set_xscale("log")
    log_ticks(axes, costs)
    unit = "epochs" if any(each.seconds is None for line in lines.values() for each in line) else "seconds"
    axes.set(xlabel=f"{unit} of training, of a complete schedule", ylabel="validation accuracy, %", ylim=_span(lines))
    name_ends(axes, {n: (own[-1].cost, 100 * own[-1].validation.mean) for n, own in lines.items()}, palette, 4.3)
    figure.draw_without_rendering()  # where everything is, is known from here on
    _number(axes, lines, palette)
    return figure


def _ends(schedule: Schedule) -> tuple[float, float]:
    """Of the interval in %; the mean twice where there is none."""
    found = schedule.validation
    if found.low is None or found.high is None:
        return 100 * found.mean, 100 * found.mean
    return 100 * found.low, 100 * found.high


def _span(lines: Mapping[str, Sequence[Schedule]]) -> tuple[float, float]:
    """Of the axis of accuracy: all means, and intervals up to as far again; a wider one leaves the picture."""
    every = [schedule for line in lines.values() for schedule in line]
    means = [100 * schedule.validation.mean for schedule in every]
    more = max(max(means) - min(means), 1.0)
    low = max(min(low for low, _ in map(_ends, every)), min(means) - more)
    high = min(max(high for _, high in map(_ends, every)), max(means) + more)
    return low - more / 10, high + more / 10


def _number(axes: "Axes", lines: Mapping[str, Sequence[Schedule]], palette: Mapping[str, str]) -> None:
    """The number of epochs beside every point, or at an end of its interval, where there is room for it."""
    from matplotlib.transforms import Bbox

    strokes = np.concatenate([*_strokes(axes)])
    pixels = axes.figure.dpi / 72
    taken: list[Bbox] = []
    for name, each in ((name, each) for name, line in lines.items() for each in line):
        mean, (low, high) = 100 * each.validation.mean, _ends(each)
        size = SMALL * np.array([0.7 * len(str(each.epochs)), 1.1])
        for height, side in ((high, (0, 1)), (low, (0, -1)), (mean, (1, -1)), (mean, (-1, 1)), (mean, (1, 1))):
            across, up = np.array(side) * (AWAY + size / 2)
            middle = axes.transData.transform((each.cost, height)) + np.array((across, up)) * pixels
            box = Bbox.from_extents(*(middle - size / 2 * pixels), *(middle + size / 2 * pixels))
            if _is_free(box.padded(CLEAR * pixels), strokes, taken) and _is_inside(box, axes.bbox):
                taken.append(box)
                look: dict[str, Any] = {"fontsize": SMALL, "ha": "center", "va": "center", "color": ink(palette[name])}
                axes.annotate(str(each.epochs), (each.cost, height), (across, up), textcoords="offset points", **look)
                break


def _strokes(axes: "Axes") -> Iterator[np.ndarray]:
    """Points along every line, interval and line to a name, in pixels."""
    from matplotlib.collections import LineCollection

    paths = [line.get_transform().transform(line.get_xydata()) for line in axes.lines]
    for lines in (each for each in axes.collections if isinstance(each, LineCollection)):
        paths += [lines.get_transform().transform(path.vertices) for path in lines.get_paths()]
    for first, last in (ends for path in paths for ends in pairwise(path)):
        yield np.linspace(first, last, 2 + int(np.hypot(*(last - first)) / STROKE))


def _is_free(box: "Bbox", strokes: np.ndarray, taken: "Sequence[Bbox]") -> bool:
    crossed = ((strokes > box.min) & (strokes < box.max)).all(axis=1).any()
    return not crossed and not any(box.overlaps(other) for other in taken)


def _is_inside(box: "Bbox", canvas: "Bbox") -> bool:
    return canvas.contains(*box.min) and canvas.contains(*box.max)
