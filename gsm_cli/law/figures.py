"""The bar charts of the article: arrays in, matplotlib Figure out."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from gsm_cli.style import INK

LABELLED_CLASSES = 10  # up to so many bars carry their height as a number
SIZE = (6.0, 4.2)  # inches
FRAME = (0.12, 0.145, 0.86, 0.73)  # of a single chart; to lay it out would take as long as to draw it
HEADROOM = 20  # points between the axes and the title: the height of a bar of 1 is written there


@dataclass(frozen=True)
class Expectation:
    """What an expectation chart shows, each (K,): the mean of the draws, its standard error, E[z], and pi."""

    mean: Sequence[float]
    standard_error: Sequence[float]
    exact: Sequence[float]
    probabilities: Sequence[float]


@dataclass(frozen=True)
class Column:
    """One column of the grid: its title, its colour, its expectation (top) and its draws below, each (K,)."""

    title: str
    colour: str
    expectation: Expectation | Sequence[float]
    draws: Sequence[Sequence[float]]


def bar_chart(values: Sequence[float], title: str, colour: str) -> Figure:
    """One probability vector as bars."""
    figure = Figure(figsize=SIZE)
    figure.set_layout_engine("none")
    axes = figure.add_axes(FRAME)
    _bars(axes, values, colour)
    if len(values) <= LABELLED_CLASSES:
        axes.bar_label(axes.containers[0], fmt="%.2f", padding=2, fontsize=11)  # type: ignore[arg-type]
    _label(axes, title, HEADROOM)
    return figure


def expectation_chart(shown: Expectation, title: str, colour: str, plain: bool = False) -> Figure:
    """A mean of draws; unless `plain`, with its standard error, the exact expectation and pi."""
    figure = Figure(figsize=SIZE)
    axes = figure.subplots()
    if plain:
        _bars(axes, shown.mean, colour)
    else:
        _expectation(axes, shown, colour)
        figure.legend(loc="outside lower center", ncols=4, fontsize=10, columnspacing=1.2, handletextpad=0.5)
    _label(axes, title)
    return figure


def grid_chart(columns: Sequence[Column], row_names: Sequence[str]) -> Figure:
    """Every column's expectation and draws beneath one another, as large as a slide."""
    rows = len(row_names)
    figure = Figure(figsize=(2.6 * len(columns), 1.4 * rows + 1.0))
    cells = figure.subplots(rows, len(columns), sharex=True, sharey=True, squeeze=False)
    for position, column in enumerate(columns):
        top, *below = cells[:, position]
        top.set_title(column.title, color=column.colour, weight="bold", fontsize=_fitting(17, column.title, 13))
        if isinstance(column.expectation, Expectation):
            _expectation(top, column.expectation, column.colour)
        else:
            _bars(top, column.expectation, column.colour)
        for axes, draw in zip(below, column.draws, strict=True):
            _bars(axes, draw, column.colour)
    for axes, name in zip(cells[:, 0], row_names, strict=True):
        axes.set_ylabel(name, fontsize=14)
    cells[0, 0].set_yticks([0.0, 0.5, 1.0])
    for axes in cells[-1]:
        axes.set_xlabel("class")
    handles, labels = cells[0, -1].get_legend_handles_labels()
    beside = 4 if len(columns) > 3 else 2  # entries of the legend
    figure.legend(handles, labels, loc="outside lower center", ncols=beside, fontsize=14)
    return figure


def _bars(axes: Axes, values: Sequence[float], colour: str) -> None:
    classes = np.arange(1, len(values) + 1)
    axes.bar(classes, values, color=colour)
    axes.set_xlim(0.4, len(values) + 0.6)
    axes.set_ylim(0.0, 1.0)
    if len(values) <= LABELLED_CLASSES:
        axes.set_xticks(classes)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(nbins=8, integer=True, min_n_ticks=1))


def _expectation(axes: Axes, shown: Expectation, colour: str) -> None:
    _bars(axes, shown.mean, colour)
    axes.containers[0].set_label("mean of the draws")
    classes = np.arange(1, len(shown.mean) + 1)
    outline = axes.bar(classes, shown.probabilities, fill=False, edgecolor=INK, linestyle=(0, (3, 2)), linewidth=1.2)
    outline.set_label("π")
    axes.errorbar(classes, shown.mean, yerr=shown.standard_error, fmt="none", ecolor=INK, label="± standard error")
    size = max(2.0, min(5.0, 60 / len(classes)))
    axes.plot(classes, shown.exact, "D", color="white", markeredgecolor=INK, markersize=size, label="exact expectation")


def _label(axes: Axes, title: str, pad: float | None = None) -> None:
    axes.set_title(title, pad=pad, fontsize=_fitting(13, title, 46))
    axes.set_xlabel("class")
    axes.set_ylabel("probability mass")


def _fitting(size: float, text: str, characters: int) -> float:
    """The font size at which a text takes no more room than so many characters of `size`."""
    return size * min(1.0, characters / len(text))
