"""What the charts of a report share: colours, shapes, ticks, names at the ends of lines, sheets of images."""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from colorsys import hls_to_rgb, rgb_to_hls
from io import BytesIO
from itertools import pairwise
from textwrap import fill
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, StrMethodFormatter
from PIL import Image
from scipy.optimize import isotonic_regression

from gsm_cli.objectives import OBJECTIVES

DARKEST, PALEST = -0.35, 0.5  # how much black the first of an objective's series has, how much white the last
LIGHTEST = 0.183  # the luminance of a text that has the contrast 4.5 with white
MARKERS = "osD^>PXph"
SPREAD = 10  # from the lowest to the highest value from which on an axis is logarithmic
STEPS = (1, 2, 2.5, 5, 10)  # between ticks; of whole numbers those that are whole
NAME = 10.0  # the size of a name, in points
LINE = 1.3  # the height of a line of text, in sizes
LETTERS = 24  # in a line of a name
ROOM = 0.04  # between axes and the names at their right, in widths
SAME = 0.25  # of a line: ends of lines that are as near share a place for their names
SHEET = 5.5  # inches of the width of a sheet of generated images
GAP = 2  # white pixels between generated images


def colours(names: Sequence[str]) -> dict[str, str]:
    """An objective's own colour, in shades from dark to pale where there are several series of it.

    One that is in no table has a colour that is nobody's.
    """
    bases = [name.partition(",")[0] for name in names]
    strangers = [base for base in dict.fromkeys(bases) if base not in OBJECTIVES]
    own = {name: row.colour for name, row in OBJECTIVES.items() if row.colour}
    own |= {
        name: to_hex(hls_to_rgb((0.21 + place / len(strangers)) % 1, 0.42, 0.45))
        for place, name in enumerate(strangers)
    }
    taken: dict[str, str] = {}
    for place, (name, base) in enumerate(zip(names, bases, strict=True)):
        shades = np.linspace(DARKEST, PALEST, bases.count(base)) if bases.count(base) > 1 else [0.0]
        taken[name] = _shade(own[base], float(shades[bases[:place].count(base)]))
    return taken


def _shade(colour: str, white: float) -> str:
    """A colour with a share of white, or of black where it is negative."""
    red, green, blue = (part + ((white > 0) - part) * abs(white) for part in to_rgb(colour))
    return to_hex((red, green, blue))


def markers(names: Sequence[str]) -> dict[str, str]:
    """A shape for each objective, that all series of it share; so that a picture can be read without its colours."""
    bases = list(dict.fromkeys([*OBJECTIVES, *(name.partition(",")[0] for name in names)]))
    return {name: MARKERS[bases.index(name.partition(",")[0]) % len(MARKERS)] for name in names}


def ink(colour: str) -> str:
    """A colour as dark as a text must be."""
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


def log_ticks(axes: Axes, values: Sequence[float]) -> None:
    """A logarithmic axis of x with the ticks 1, 3, 10, 30 where the values spread widely, else a linear one."""
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


def value_ticks(axes: Axes, values: Sequence[float], inches: float, size: float = 11) -> None:
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


def name_ends(axes: Axes, ends: Mapping[str, tuple[float, float]], palette: Mapping[str, str], inches: float) -> None:
    """The name of every line at the right of axes of that height, joined to its end; none over another.

    Names of lines that end at the same height stand together, joined once.
    """
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
            rows = 1 + labels[name].count("\n")
            look: dict[str, Any] = {"fontsize": NAME, "va": "center", "linespacing": 1.0, "transform": axes.transAxes}
            axes.text(1.0 + ROOM, bottom + rows * line / 2, labels[name], color=ink(palette[name]), **look)
            bottom += rows * line
    lines = LineCollection(leaders, colors="0.7", linewidths=0.7, transform=axes.transAxes, clip_on=False, zorder=0)
    axes.add_collection(lines, autolim=False)


def _fraction(axes: Axes, point: tuple[float, float]) -> tuple[float, float]:
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
    order = np.argsort(heights, kind="stable")
    shrunk = np.asarray(sizes)[order] * min(1.0, (most - least) / sum(sizes))
    stacked = np.cumsum(shrunk) - shrunk / 2  # the places above the lowest if there were no room between them
    moved = isotonic_regression(np.asarray(heights)[order] - stacked).x
    places = np.empty(len(order))
    places[order] = np.clip(moved, least, max(least, most - shrunk.sum())) + stacked
    return [float(place) for place in places]


def generated_chart(images: Mapping[str, str], shape: tuple[int, int]) -> Figure:
    """What each objective's model generates: a row for each z, a column for each class, images of that shape."""
    sheets = {name: _padded(np.asarray(Image.open(BytesIO(b64decode(text)))), *shape) for name, text in images.items()}
    columns, rows = min(2, len(sheets)), -(-len(sheets) // 2)
    titles = {name: wrapped(name, 2 * LETTERS) for name in sheets}
    lines = 1 + max(title.count("\n") for title in titles.values())
    tallest = max(sheet.shape[0] / sheet.shape[1] for sheet in sheets.values())
    figure = Figure(figsize=(SHEET * columns, rows * (0.15 + 0.2 * lines + SHEET * tallest)))
    cells = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in cells:
        axes.set_axis_off()
    palette = colours(list(sheets))
    for axes, (name, sheet) in zip(cells, sheets.items(), strict=False):
        axes.imshow(sheet, cmap="gray_r", vmin=0, vmax=255, interpolation="nearest")
        axes.set_title(titles[name], color=ink(palette[name]), weight="bold", fontsize=11)
    return figure


def _padded(sheet: np.ndarray, height: int, width: int) -> np.ndarray:
    """A sheet whose images have white between them; as it is if it is none of such images."""
    if not height or not width or sheet.ndim != 2 or sheet.shape[0] % height or sheet.shape[1] % width:
        return sheet
    factor = max(1, 28 // height)
    tiles = sheet.reshape(sheet.shape[0] // height, height, -1, width).transpose(0, 2, 1, 3)
    large = tiles.repeat(factor, axis=2).repeat(factor, axis=3)
    padded = np.pad(large, ((0, 0), (0, 0), (GAP, GAP), (GAP, GAP)))
    rows, columns, tall, wide = padded.shape
    return padded.transpose(0, 2, 1, 3).reshape(rows * tall, columns * wide)
