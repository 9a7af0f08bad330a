"""How much room words take in the charts of the law, and how large they are written in it."""

from collections.abc import Sequence
from unicodedata import east_asian_width

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

from gsm_cli.style import TYPE_SIZE, points, space

WIDTH = 0.62  # of a character, in sizes of its type; those of Chinese, Japanese and Korean are squares


def fitting(size: float, text: str, room: float, weight: str = "normal") -> float:
    """The font size, at most `size`, at which a text is no wider than so many points of the figure as it is laid out.

    Dollars are dollars, here as where it is drawn.
    """
    prop = FontProperties(weight=weight)
    width = TextPath((0.0, 0.0), text.replace("$", r"\$"), size=size, prop=prop).get_extents().width
    return points(size * min(1.0, room / width))


def tall(height: float) -> float:
    """The inches of what stands in rows: as designed where letters are larger, so that the figure grows with them."""
    return max(height, space(height))


def entries(figure: Figure, width: float) -> int:
    """How many entries of a legend, of that width in points, stand beside one another."""
    room = 72 * figure.get_figwidth() / width
    return 4 if room >= 4 else 2 if room >= 2 else 1


def names_room(width: float, names: Sequence[str]) -> float:
    """The inches that names take which stand upright, because `width` inches do not hold them side by side."""
    if not names or _beside(names, pitch_of(width, len(names))):
        return 0.0
    return TYPE_SIZE * max(map(_breadth, names)) / 72


def name_ticks(axes: Axes, names: Sequence[str]) -> None:
    """Names of classes beneath their bars, upright where they would touch one another."""
    pitch = pitch_of(width_of(axes), len(names))
    beside = _beside(names, pitch)
    size = points(TYPE_SIZE if beside else min(TYPE_SIZE, pitch / 1.3))
    axes.set_xticks(range(1, len(names) + 1), names, rotation=0 if beside else 90, fontsize=size, parse_math=False)


def _beside(names: Sequence[str], pitch: float) -> bool:
    return max(map(_breadth, names)) * TYPE_SIZE <= pitch


def _breadth(name: str) -> float:
    """About how wide a name is, in sizes of its type."""
    return sum(1.0 if east_asian_width(letter) in "FW" else WIDTH for letter in name)


def width_of(axes: Axes) -> float:
    """The inches that axes and what stands beside them have in a figure as designed."""
    place = axes.get_subplotspec()
    figure = axes.get_figure(root=True)
    assert figure is not None, "axes are in a figure"
    return float(figure.get_figwidth()) / (place.get_gridspec().ncols if place else 1)


def pitch_of(width: float, classes: int) -> float:
    """About how many points lie between one class and the next in so many inches."""
    return 0.8 * 72 * width / classes
