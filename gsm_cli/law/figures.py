"""The bar charts of the article: arrays in, matplotlib Figure out.

Where there are too many classes for bars, a line runs from the most probable class to the least, on a scale of
logarithms: there a law that a low temperature leaves alone is still told from one that a high temperature levels.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator
from numpy.typing import NDArray

from gsm_cli.law.colours import ORIGINAL_COLOUR, grey, ink, paper, shown, temperature_colour
from gsm_cli.law.facts import Column, ExpectationFacts
from gsm_cli.law.request import MOST_BARS
from gsm_cli.law.room import WIDTH, entries, fitting, name_ticks, names_room, pitch_of, tall, width_of
from gsm_cli.style import TYPE_SIZE, points, space

LABELLED_CLASSES = 10  # up to so many bars carry their height as a number
SIZE = (6.0, 4.2)  # inches
COLUMN = 2.6  # inches, of a grid
FRAME = (0.12, 0.145, 0.86, 0.73)  # of a single chart; to lay it out would take as long as to draw it
HEADROOM = 20  # points between the axes and the title: the height of a bar of 1 is written there
FLOOR = 1e-6  # of the logarithmic scale
BAND, BAR = 0.741, 0.55  # of the greys
MEAN = "mean of the draws"


@dataclass(frozen=True)
class Classes:
    """What stands beneath the bars: the classes with their probabilities (K,) and with names, if they have any."""

    probabilities: Sequence[float]
    names: Sequence[str] = ()

    @property
    def many(self) -> bool:
        """Whether their bars give way to a line."""
        return len(self.probabilities) > MOST_BARS

    @cached_property
    def order(self) -> NDArray[np.intp]:
        """The classes from left to right, (K,): as numbered, but of many the most probable first."""
        rank = -np.asarray(self.probabilities) if self.many else np.zeros(len(self.probabilities))
        return rank.argsort(kind="stable")

    @property
    def axis(self) -> str:
        return "class, the most probable first" if self.many else "class"

    @property
    def scale(self) -> str:
        return "probability mass, log scale" if self.many else "probability mass"


def bar_chart(values: Sequence[float], classes: Classes, title: str, colour: str) -> Figure:
    """One probability vector as bars."""
    if classes.names or classes.many or space(1.0) != 1.0:
        figure = single(classes)
        axes = figure.subplots()
    else:
        figure = Figure(figsize=SIZE, layout="none")  # type: ignore[arg-type]  # which it takes
        axes = figure.add_axes(FRAME)
    draw_values(axes, values, classes, colour)
    if len(values) <= LABELLED_CLASSES:
        size = points(min(11.0, pitch_of(width_of(axes), len(values)) / 2.4))  # of four characters
        axes.bar_label(axes.containers[0], fmt="%.2f", padding=points(2), fontsize=size)  # type: ignore[arg-type]
    _label(axes, classes, title, HEADROOM)
    return figure


def expectation_chart(shown: ExpectationFacts, classes: Classes, title: str, colour: str, plain: bool) -> Figure:
    """A mean of draws; unless `plain`, with its standard error, the exact expectation and pi."""
    figure = single(classes)
    axes = figure.subplots()
    if plain:
        draw_values(axes, shown.mean, classes, colour)
    else:
        _expectation(axes, shown, classes, colour)
        beside = entries(figure, 105)
        figure.legend(
            loc="outside lower center", ncols=beside, fontsize=points(10), columnspacing=1.2, handletextpad=0.5
        )
    _label(axes, classes, title)
    return figure


def grid_chart(columns: Sequence[Column], titles: Sequence[str], classes: Classes, title: str | None) -> Figure:
    """Every column's expectation and draws beneath one another, as large as a slide."""
    rows = 1 + len(columns[0].draws)
    height = tall(1.4 * rows + 1.0) + names_room(space(COLUMN), classes.names) + (0.4 if title else 0.0)
    figure = Figure(figsize=(space(COLUMN * len(columns)), height))
    cells = figure.subplots(rows, len(columns), sharex=True, sharey=True, squeeze=False)
    for (top, *below), column, words in zip(cells.T, columns, titles, strict=True):
        colour = ORIGINAL_COLOUR if column.temperature is None else temperature_colour(column.temperature)
        top.set_title(words, color=shown(colour), weight="bold", fontsize=fitting(17, words, space(245) - 75, "bold"))
        if column.temperature is None:
            draw_values(top, column.mean, classes, colour)
        else:
            _expectation(top, column, classes, colour)
        for axes, draw in zip(below, column.draws, strict=True):
            draw_values(axes, draw, classes, colour)
    for axes, name in zip(cells[:, 0], ["expectation", *(f"draw {r}" for r in range(rows - 1))], strict=True):
        axes.set_ylabel(name, fontsize=fitting(14, name, space(95)))
    if not classes.many:
        cells[0, 0].set_yticks([0.0, 0.5, 1.0])
    for axes in cells[-1]:
        axes.set_xlabel("class by rank" if classes.many else "class")
    handles, labels = cells[0, -1].get_legend_handles_labels()
    handles[labels.index(MEAN)] = Patch(color=grey(BAR))
    legend = figure.legend(handles, labels, loc="outside lower center", ncols=entries(figure, 160), fontsize=points(14))
    if classes.many:
        words = f"{classes.scale}; {classes.axis}"
        legend.set_title(words, FontProperties(size=fitting(13, words, 72 * figure.get_figwidth())))
    if title:
        figure.suptitle(title, fontsize=fitting(17, title, space(165 * len(columns))), parse_math=False)
    return figure


def single(classes: Classes) -> Figure:
    """An empty figure for one chart."""
    width, height = map(space, SIZE)
    return Figure(figsize=(width, height + names_room(width, classes.names)))


def draw_values(axes: Axes, values: Sequence[float], classes: Classes, colour: str) -> None:
    """A probability vector in these axes: bars, or of many classes the area under a line."""
    colour = shown(colour)
    places = np.arange(1, len(values) + 1)
    axes.set_xlim(0.4, len(values) + 0.6)
    if classes.many:
        edges = np.arange(len(values) + 1) + 0.5
        axes.set_yscale("log")
        axes.set_ylim(FLOOR, 1.0)
        heights = np.maximum(np.asarray(values)[classes.order], FLOOR)
        axes.stairs(heights, edges, baseline=FLOOR, fill=True, color=colour, edgecolor=colour, linewidth=points(1))
    else:
        axes.bar(places, values, color=colour)
        axes.set_ylim(0.0, 1.0)
    if classes.names:
        name_ticks(axes, classes.names)
    elif len(values) <= LABELLED_CLASSES and pitch_of(width_of(axes), len(values)) > TYPE_SIZE:
        axes.set_xticks(places)
    else:
        most = int(pitch_of(width_of(axes), 1) / (1.5 * WIDTH * TYPE_SIZE * len(str(len(values)))))
        axes.xaxis.set_major_locator(MaxNLocator(min(8, most), steps=[1, 2, 5, 10], integer=True, min_n_ticks=1))


def outline_law(axes: Axes, classes: Classes) -> None:
    """The law pi as a dashed outline over its bars."""
    style = {"edgecolor": ink(), "linestyle": (0, (3, 2)), "linewidth": points(1.2), "label": "π"}
    places = np.arange(1, len(classes.probabilities) + 1)
    axes.bar(places, classes.probabilities, fill=False, **style)  # type: ignore[arg-type]


def _expectation(axes: Axes, shown: ExpectationFacts | Column, classes: Classes, colour: str) -> None:
    draw_values(axes, shown.mean, classes, colour)
    if classes.many:
        _many_expectations(axes, shown, classes)
        return
    axes.containers[0].set_label(MEAN)
    outline_law(axes, classes)
    places = np.arange(1, len(shown.mean) + 1)
    pitch = pitch_of(width_of(axes), len(places))
    whiskers = {"ecolor": ink(), "elinewidth": points(1.5), "capsize": points(min(4.0, 0.25 * pitch))}
    axes.errorbar(places, shown.mean, shown.standard_error, fmt="none", label="± standard error", **whiskers)  # type: ignore[arg-type]
    size = points(min(5.0, 0.5 * pitch))
    marker = {"color": paper(), "markeredgecolor": ink(), "markersize": size, "markeredgewidth": size / 5}
    axes.plot(places, shown.exact, "D", label="exact expectation", **marker)  # type: ignore[arg-type]


def _many_expectations(axes: Axes, shown: ExpectationFacts | Column, classes: Classes) -> None:
    """Of many classes the error is a band about E[z], behind the mean: around a small mean it would hide the bar."""
    axes.patches[0].set_label(MEAN)
    places = np.arange(1, len(shown.mean) + 1)
    error, exact, law = (
        np.asarray(values)[classes.order] for values in (shown.standard_error, shown.exact, classes.probabilities)
    )
    low, high = np.maximum(exact - error, FLOOR), np.maximum(exact + error, FLOOR)
    axes.fill_between(places, low, high, color=grey(BAND), linewidth=0, step="mid", zorder=0, label="± standard error")
    axes.plot(places, exact, color=paper(), linewidth=points(3.5), drawstyle="steps-mid")
    axes.plot(places, exact, color=ink(), linewidth=points(1.5), drawstyle="steps-mid", label="exact expectation")
    dashes = {"linestyle": (0, (3, 2)), "drawstyle": "steps-mid", "linewidth": points(1.2)}
    axes.plot(places, law, color=ink(), label="π", **dashes)  # type: ignore[arg-type]


def _label(axes: Axes, classes: Classes, title: str, pad: float | None = None) -> None:
    size = fitting(13, title, space(72 * SIZE[0]) - 62)
    axes.set_title(title, pad=None if pad is None else points(pad), fontsize=size, parse_math=False)
    axes.set_xlabel(classes.axis)
    axes.set_ylabel(classes.scale, fontsize=fitting(13, classes.scale, space(72 * SIZE[1]) - 90))
