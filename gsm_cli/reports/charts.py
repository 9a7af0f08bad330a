"""What the charts of a report share: colours, shapes, ticks, and names at the ends of lines."""

import re
from collections.abc import Mapping, Sequence
from colorsys import hls_to_rgb, rgb_to_hls
from itertools import pairwise
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np

from gsm_cli.objectives import OBJECTIVES
from gsm_cli.reports.names import objective_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DARKEST, PALEST = -0.35, 0.5  # how much black the first of an objective's series has, how much white the last
LIGHTEST = 0.183  # the luminance of a text that has the contrast 4.5 with white
MARKERS = "osD^>PXp*"
SPREAD = 10  # from the lowest to the highest value from which on an axis is logarithmic
STEPS = (1, 2, 2.5, 5, 10)  # between ticks; of whole numbers those that are whole
NAME = 10.0  # the size of a name, in points
LINE = 1.3  # the height of a line of text, in sizes
LETTERS = 24  # in a line of a name
ROOM = 0.04  # between axes and the names at their right, in widths
SAME = 0.25  # of a line: ends of lines that are as near share a place for their names


def colours(names: Sequence[str]) -> dict[str, str]:
    """An objective's own colour, in shades from dark to pale where there are several series, as by their temperature.

    One that is in no table has a colour that is nobody's.
    """
    from matplotlib.colors import to_hex

    bases = [objective_of(name) for name in names]
    strangers = [base for base in dict.fromkeys(bases) if base not in OBJECTIVES]
    own = {name: row.colour for name, row in OBJECTIVES.items() if row.colour}
    own |= {
        name: to_hex(hls_to_rgb((0.21 + place / len(strangers)) % 1, 0.42, 0.45))
        for place, name in enumerate(strangers)
    }
    taken: dict[str, str] = {}
    for base in dict.fromkeys(bases):
        series = sorted((name for name in names if objective_of(name) == base), key=_numbers_by_size)
        shades = np.linspace(DARKEST, PALEST, len(series)) if len(series) > 1 else [0.0]
        taken |= {name: _shade(own[base], float(white)) for name, white in zip(series, shades, strict=True)}
    return {name: taken[name] for name in names}


def _numbers_by_size(name: str) -> list[tuple[float, str]]:
    """What sorts the names of series: the words of each, and numbers by their size."""
    words = name.replace(",", " ").split()
    return [(float(word), "") if re.fullmatch(r"\d+(\.\d+)?(e-?\d+)?", word) else (-1.0, word) for word in words]


def _shade(colour: str, white: float) -> str:
    """A colour with a share of white, or of black where it is negative."""
    from matplotlib.colors import to_hex, to_rgb

    red, green, blue = (part + ((white > 0) - part) * abs(white) for part in to_rgb(colour))
    return to_hex((red, green, blue))


def markers(names: Sequence[str]) -> dict[str, str]:
    """A shape for each objective, that all series of it share; so that a picture can be read without its colours."""
    bases = list(dict.fromkeys([*OBJECTIVES, *map(objective_of, names)]))
    return {name: MARKERS[bases.index(objective_of(name)) % len(MARKERS)] for name in names}


def ink(colour: str) -> str:
    """A colour as dark as a text must be."""
    from matplotlib.colors import to_hex, to_rgb

    hue, lightness, saturation = rgb_to_hls(*to_rgb(colour))
    while _luminance(rgb := hls_to_rgb(hue, lightness, saturation)) > LIGHTEST:
        lightness -= 0.01
    return to_hex(rgb)


def _luminance(rgb: Sequence[float]) -> float:
    """Of sRGB, by the Web Content Accessibility Guidelines."""
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in rgb]
    return float(np.dot((0.2126, 0.7152, 0.0722), linear))


def wrapped(name: str, letters: int = LETTERS) -> str:
    """A name in lines of so many letters where it can be: it breaks between settings, never within one."""
    parts = name.replace(" ", "\xa0").replace(",\xa0", ", ")
    return fill(parts, letters, break_long_words=False, break_on_hyphens=False).replace("\xa0", " ")


def log_ticks(axes: "Axes", values: Sequence[float]) -> None:
    """A logarithmic axis of x with the ticks 1, 3, 10, 30 where the values spread widely, else a linear one."""
    from matplotlib.ticker import LogLocator, MaxNLocator, StrMethodFormatter

    positive = [value for value in values if value > 0]
    if not positive or max(positive) < SPREAD * min(positive):
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=min(positive, default=0) >= 1, steps=STEPS))
    else:
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
    if len(set(positive)) == 1:
        axes.set_xlim(0.0, 2 * positive[0])
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.minorticks_off()


def value_ticks(axes: "Axes", values: Sequence[float], inches: float, size: float = 11) -> None:
    """A tick at each of these values of x, from the last on a label where there is room on an axis of that width."""
    words = [f"{value:,.10g}" for value in values]
    places = axes.transData.transform([(value, 0) for value in values])[:, 0]
    left, right = axes.transAxes.transform([(0, 0), (1, 0)])[:, 0]
    places = (places - left) / (right - left) * inches * 72 / size  # in sizes of the text
    labelled: list[int] = []
    for number in reversed(range(len(values))):
        letters = len(words[number]) + len(words[labelled[-1]]) if labelled else 0
        if not labelled or places[labelled[-1]] - places[number] > 0.65 * (letters / 2 + 0.8):
            labelled.append(number)
    axes.set_xticks(values, [word if n in labelled else "" for n, word in enumerate(words)])
    axes.tick_params(axis="x", labelsize=size)
    axes.minorticks_off()


def name_ends(axes: "Axes", ends: Mapping[str, tuple[float, float]], palette: Mapping[str, str], inches: float) -> None:
    """The name and the shape of every line at the right of axes of that height, joined to its end; none over another.

    Names of lines that end at the same height stand together, joined once.
    """
    from matplotlib.collections import LineCollection

    heights = {name: float(_fraction(axes, end)[1]) for name, end in ends.items()}
    line = NAME * LINE / 72 / inches
    labels = {name: wrapped(name) for name in sorted(ends, key=lambda name: heights[name])}
    blocks = _blocks(heights, list(labels), SAME * line)
    sizes = [line * (0.2 + sum(1 + labels[name].count("\n") for name in block)) for block in blocks]
    middles = [sum(heights[name] for name in block) / len(block) for block in blocks]
    leaders = []
    for block, place, size, middle in zip(blocks, apart(middles, sizes, 0.0, 1.0), sizes, middles, strict=True):
        end = min(1.0, max(_fraction(axes, ends[name])[0] for name in block))
        leaders.append([(end, middle), (1.0, middle), (1.0 + ROOM / 2, place)])
        bottom = place - size / 2 + 0.1 * line
        for name in block:
            height = line * (1 + labels[name].count("\n"))
            _name(axes, name, labels[name], palette[name], bottom + height / 2)
            bottom += height
    lines = LineCollection(leaders, colors="0.7", linewidths=0.7, transform=axes.transAxes, clip_on=False, zorder=0)
    axes.add_collection(lines, autolim=False)


def _name(axes: "Axes", name: str, label: str, colour: str, height: float) -> None:
    """A name at the right of the axes, with the shape of its objective before it."""
    place: dict[str, Any] = {"transform": axes.transAxes, "clip_on": False}
    axes.scatter(1.0 + 0.8 * ROOM, height, 28, colour, marker=markers([name])[name], linewidths=0, **place)
    look: dict[str, Any] = {"fontsize": NAME, "va": "center", "linespacing": 1.0}
    axes.text(1.0 + 1.3 * ROOM, height, label, color=ink(colour), **look, **place)


def _fraction(axes: "Axes", point: tuple[float, float]) -> tuple[float, float]:
    x, y = (axes.transData + axes.transAxes.inverted()).transform(point)
    return float(x), float(y)


def _blocks(heights: Mapping[str, float], names: Sequence[str], near: float) -> list[list[str]]:
    """Names in the order of their heights, those together that are nearer than that to the one below."""
    blocks = [[names[0]]]
    for below, name in pairwise(names):
        if heights[name] - heights[below] < near:
            blocks[-1].append(name)
        else:
            blocks.append([name])
    return blocks


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
