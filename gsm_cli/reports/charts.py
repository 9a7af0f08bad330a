"""What the charts of a report share: room, ticks, and names at the ends of lines."""

from collections.abc import Mapping, Sequence
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from gsm_cli.analysis.identity import Identity
from gsm_cli.style import INK
from gsm_cli.words import margin_points

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

WIDE = 8.0  # how many times the least value the greatest is, from which on an axis is logarithmic
STEPS = (1, 2, 2.5, 5, 10)  # between ticks; of whole numbers those that are whole
BAND, GREEN = "#dfe9df", "#3d6b3d"
NAME, TICK = 10.0, 10.0  # the sizes of a name and of a tick's label, in points
LINE = 1.3  # the height of a line of text, in sizes
LETTERS = 24  # in a line of a name
ROOM = 0.04  # between axes and the names at their right, in widths
ROOM_AROUND = 0.13  # inches, of 120 pixels each


def blank(width: float, height: float) -> "Figure":
    """A figure of that size in inches, with room around what is drawn."""
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    return Figure(figsize=(width, height), layout=ConstrainedLayoutEngine(w_pad=ROOM_AROUND, h_pad=ROOM_AROUND))


def wrapped(name: str, letters: int = LETTERS) -> str:
    """A name in lines of so many letters where it can be: it breaks between settings, never within one."""
    parts = name.replace(" ", "\xa0").replace(",\xa0", ", ")
    return fill(parts, letters, break_long_words=False, break_on_hyphens=False).replace("\xa0", " ")


def is_wide(values: Sequence[float]) -> bool:
    """Whether values are told apart better on a logarithmic axis."""
    return min(values, default=0.0) > 0 and max(values) >= WIDE * min(values)


def log_ticks(axes: "Axes", values: Sequence[float]) -> None:
    """A logarithmic axis of x with the ticks 1, 3, 10, 30 where the values spread widely, else a linear one."""
    from matplotlib.ticker import LogLocator, MaxNLocator, StrMethodFormatter

    positive = [value for value in values if value > 0]
    if is_wide(positive):
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
    else:
        are_whole = all(value == round(value) for value in positive)
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=are_whole, steps=STEPS))
    if len(set(positive)) == 1:
        axes.set_xlim(0.0, 2 * positive[0])
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.minorticks_off()


def loss_axis(axes: "Axes", margin: float) -> None:
    """An axis of y of points against the sum's: what lies in the band or above it loses less than the margin.

    Beyond the margin it is nearly logarithmic, so that what lies far below does not press the others.
    """
    from matplotlib.patheffects import withStroke
    from matplotlib.ticker import FixedLocator

    axes.set_yscale("asinh", linear_width=margin)
    axes.set_ylabel("logarithmic beyond the margin", fontsize=TICK)
    axes.update_datalim([(1.0, -2 * margin), (1.0, margin)])
    axes.autoscale_view()
    low, high = axes.set_ylim(axes.get_ylim())
    firsts = (1, 2, 5) if max(-low, high) < 100 * margin else (1,)
    ticks = [first * 10.0**power for power in range(-3, 4) for first in firsts if first * 10.0**power > margin / 3]
    axes.yaxis.set_major_locator(FixedLocator([0.0, *ticks, *(-tick for tick in ticks)]))
    axes.axhspan(-margin, high, color=BAND, linewidth=0, zorder=0)
    axes.axhline(0.0, color=INK, linewidth=1.0, zorder=1)
    beside: dict[str, Any] = {"transform": axes.get_yaxis_transform(), "va": "bottom", "fontsize": 12, "zorder": 5}
    beside["path_effects"] = [withStroke(linewidth=3, foreground=BAND)]
    axes.text(0.02, -margin, f"loses less than {margin_points(margin / 100)}", color=GREEN, **beside)
    axes.text(0.02, 0.0, "the sum", **beside)


def value_ticks(axes: "Axes", values: Sequence[float], inches: float) -> None:
    """A tick at each of these values of x, from the last on a label where there is room on an axis of that width."""
    words = [f"{value:,.10g}" for value in values]
    places = axes.transData.transform([(value, 0) for value in values])[:, 0]
    left, right = axes.transAxes.transform([(0, 0), (1, 0)])[:, 0]
    places = (places - left) / (right - left) * inches * 72 / TICK  # in sizes of the text
    labelled: list[int] = []
    for number in reversed(range(len(values))):
        letters = len(words[number]) + len(words[labelled[-1]]) if labelled else 0
        if not labelled or places[labelled[-1]] - places[number] > 0.65 * (letters / 2 + 0.8):
            labelled.append(number)
    axes.set_xticks(values, [word if n in labelled else "" for n, word in enumerate(words)])
    axes.minorticks_off()


def name_ends(axes: "Axes", ends: Mapping[Identity, tuple[float, float]], inches: float, letter: float) -> None:
    """Shape and name of every line at the right of axes of that height, joined to its end; none over another."""
    from matplotlib.collections import LineCollection

    fractions, inside = axes.transData + axes.transAxes.inverted(), axes.transAxes
    places = [fractions.transform(end).tolist() for end in ends.values()]
    labels = [wrapped(line.label) for line in ends]
    height = letter * LINE / 72 / inches
    moved = apart([y for _, y in places], [height * (1.2 + label.count("\n")) for label in labels], 0.0, 1.0)
    leaders = []
    for line, label, (x, y), place in zip(ends, labels, places, moved, strict=True):
        leaders.append([(min(1.0, x), y), (1.0, y), (1.0 + ROOM / 2, place)])
        axes.scatter(1.0 + 0.8 * ROOM, place, 20, line.colour, marker=line.marker, transform=inside, clip_on=False)
        axes.text(1.0 + 1.3 * ROOM, place, label, fontsize=letter, va="center", linespacing=1.0, transform=inside)
    lines = LineCollection(leaders, colors="0.7", linewidths=0.7, transform=inside, clip_on=False, zorder=0)
    axes.add_collection(lines, autolim=False)


def apart(heights: Sequence[float], sizes: Sequence[float], least: float, most: float) -> list[float]:
    """Places for the middles of labels of these sizes: near these heights, in their order, none over another.

    They are moved as little as can be (least squares), and smaller where there is no room for all.
    """
    from scipy.optimize import isotonic_regression

    order = np.argsort(heights, kind="stable")
    shrunk = np.asarray(sizes)[order] * min(1.0, (most - least) / sum(sizes))
    stacked = np.cumsum(shrunk) - shrunk / 2  # the places above the lowest if there were no room between them
    moved = isotonic_regression(np.asarray(heights)[order] - stacked).x
    places = np.empty(len(order))
    places[order] = np.clip(moved, least, max(least, most - shrunk.sum())) + stacked
    return [float(place) for place in places]
