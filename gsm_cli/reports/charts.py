"""What the charts of a report share: colours, ticks, labels, and the sheet of what the models generate."""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from colorsys import hls_to_rgb
from io import BytesIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, StrMethodFormatter
from PIL import Image

from gsm_cli.objectives import OBJECTIVES

Colour = tuple[float, float, float]

PALEST = 0.5  # how much white the last of an objective's series has
SPREAD = 10  # from the lowest to the highest value from which on an axis is logarithmic
GAP = 2  # white pixels between generated images


def colours(names: Sequence[str]) -> dict[str, str]:
    """An objective's own colour, paler for each further series of it; one that is nobody's for a name of none."""
    bases = [name.partition(",")[0] for name in names]
    strangers = [base for base in dict.fromkeys(bases) if base not in OBJECTIVES]
    own = {name: row.colour for name, row in OBJECTIVES.items() if row.colour}
    own |= {
        name: to_hex(hls_to_rgb((0.21 + place / len(strangers)) % 1, 0.42, 0.45))
        for place, name in enumerate(strangers)
    }
    taken: dict[str, str] = {}
    for place, (name, base) in enumerate(zip(names, bases, strict=True)):
        white = PALEST * bases[:place].count(base) / max(bases.count(base) - 1, 1)
        taken[name] = to_hex(_paler(to_rgb(own[base]), white))
    return taken


def _paler(colour: Colour, white: float) -> Colour:
    red, green, blue = (part + (1 - part) * white for part in colour)
    return red, green, blue


def log_ticks(axes: Axes, values: Sequence[float]) -> None:
    """A logarithmic axis of x with the ticks 1, 3, 10, 30 where the values spread widely, else a linear one."""
    positive = [value for value in values if value > 0]
    if not positive or max(positive) < SPREAD * min(positive):
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=min(positive, default=0) >= 1))
        return
    axes.set_xscale("log")
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 3)))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,g}"))
    axes.minorticks_off()


def apart(heights: Sequence[float], sizes: Sequence[float], least: float, most: float) -> list[float]:
    """Places for the middles of labels of these sizes: near these heights, in their order, none over another."""
    order = sorted(range(len(heights)), key=lambda place: heights[place])
    shrink = min(1.0, (most - least) / sum(sizes))
    halves = [shrink * sizes[place] / 2 for place in order]
    places = [max(heights[place], least + half) for place, half in zip(order, halves, strict=True)]
    for rank in range(1, len(places)):
        places[rank] = max(places[rank], places[rank - 1] + halves[rank - 1] + halves[rank])
    top = most
    for rank in reversed(range(len(places))):
        places[rank] = min(places[rank], top - halves[rank])
        top = places[rank] - halves[rank]
    found = dict(zip(order, places, strict=True))
    return [found[place] for place in range(len(heights))]


def generated_chart(images: Mapping[str, str], shape: tuple[int, int]) -> Figure:
    """What each objective's model generates: a row for each z, a column for each class, images of that shape."""
    sheets = {name: _padded(np.asarray(Image.open(BytesIO(b64decode(text)))), *shape) for name, text in images.items()}
    rows = -(-len(sheets) // 2)
    tallest = max(sheet.shape[0] / sheet.shape[1] for sheet in sheets.values())
    figure = Figure(figsize=(11.0, rows * (0.5 + 5.3 * tallest)))
    cells = figure.subplots(rows, 2, squeeze=False).ravel()
    for axes in cells:
        axes.set_axis_off()
    palette = colours(list(sheets))
    for axes, (name, sheet) in zip(cells, sheets.items(), strict=False):
        axes.imshow(sheet, cmap="gray_r", vmin=0, vmax=255, interpolation="nearest")
        axes.set_title(name, color=palette[name], weight="bold", fontsize=11)
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
