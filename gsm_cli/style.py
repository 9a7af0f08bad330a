"""How the project's figures look and how they become bytes: the article's colours, a fixed style, no clock.

The command line imports this module for `Format`; so matplotlib waits in the functions.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from io import BytesIO
from math import inf, isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Literal, TypeAlias, TypeVar

from gsm_cli.errors import UsageError, is_seen

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Facts_co = TypeVar("Facts_co", covariant=True)
JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"

ORIGINAL_COLOUR = "#d73c2c"
REPEAT_COLOUR = "#9e6c4b"
TEMPERATURE_COLOURS = {0.1: "#009c41", 1.0: "#0067b0", 5.0: "#6e248d", 100.0: "#ca2c68"}
HUES = {0.01: "#9ab800", **TEMPERATURE_COLOURS, 1000.0: "#8c0f2c"}  # what lies between is mixed
INK = "#262626"

Format = Literal["png", "svg", "pdf"]
DPI = 120
FONT = "DejaVu Sans"  # which matplotlib brings
MOST_DOTS = 60_000_000  # of a figure: a quarter of a gigabyte while it is drawn
TYPE_SIZE = 13.0  # points, of most words
LEAST_SCALE = 0.31  # of the designed size: those words then have four points
IN_POINTS = {  # what shrinks with a figure
    "font.size": TYPE_SIZE,
    "legend.fontsize": 11.0,
    "errorbar.capsize": 4.0,
    "lines.linewidth": 1.5,
    "axes.linewidth": 0.8,
    "axes.labelpad": 4.0,
    "axes.titlepad": 6.0,
    **{
        f"{axis}tick.major.{part}": size
        for axis in "xy"
        for part, size in (("size", 3.5), ("pad", 3.5), ("width", 0.8))
    },
}

STYLE: dict[str, object] = {
    "axes.titlesize": "medium",
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    "savefig.dpi": DPI,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "gsm",
    "pdf.fonttype": 42,
}


def check_characters(option: str, text: str) -> None:
    """Raise UsageError for what the font of figures does not have, and would draw as boxes."""
    if text.isascii() and is_seen(text):
        return
    from matplotlib import font_manager

    shapes = font_manager.get_font(font_manager.findfont(FONT)).get_charmap()
    lacking = "".join(each for each in dict.fromkeys(text) if ord(each) not in shapes or not is_seen(each))
    if lacking:
        raise UsageError(
            f"{option} must be of characters that the font of figures has, and it has no {lacking[:20]}: "
            "write it in another script"
        )


@dataclass(frozen=True)
class Look:
    """What a user changed of a figure: its title, its size in inches and its dots per inch; None as it comes."""

    title: str | None = None
    size: tuple[float, float] | None = None
    dpi: int | None = None

    @property
    def options(self) -> tuple[str, ...]:
        """The words of a command line that ask for it."""
        size = None if self.size is None else "x".join(f"{length:.15g}" for length in self.size)
        given = (("--title", self.title), ("--size", size), ("--dpi", self.dpi))
        return tuple(str(part) for name, value in given if value is not None for part in (name, value))


@dataclass(frozen=True)
class Picture(Generic[Facts_co]):
    """One figure: its file name without extension, its words, the facts that its file carries, and how to draw it.

    The description is for those who cannot see the figure. The facts are whatever msgspec can turn into JSON.
    """

    name: str
    title: str
    description: str
    facts: Facts_co
    draw: "Callable[[], Figure]"
    look: Look = Look()

    @property
    def carried(self) -> JSON:
        """The facts as the file carries them, the same on every processor."""
        from msgspec import to_builtins

        return rounded(to_builtins(self.facts, str_keys=True))

    def encode(self, format: Format) -> bytes:
        """The file, as `render` makes it."""
        return render(self.draw, format, self.title, self.description, json.dumps(self.carried), self.look)


def temperature_colour(temperature: float) -> str:
    """The article's colour for its four temperatures, and between them the hues between theirs.

    The hue goes on with log tau, from a yellowish green at 0.01 over green, blue and purple to crimson at 1,000.
    """
    import matplotlib as mpl
    import numpy as np

    if temperature in TEMPERATURE_COLOURS:
        return TEMPERATURE_COLOURS[temperature]
    anchors = mpl.colors.rgb_to_hsv([mpl.colors.to_rgb(colour) for colour in HUES.values()])
    places = np.log(list(HUES))
    hue, saturation, value = (float(np.interp(np.log(temperature), places, channel)) for channel in anchors.T)
    red, green, blue = mpl.colors.hsv_to_rgb((hue, saturation, value)).tolist()
    return mpl.colors.to_hex((red, green, blue))


def six_digits(number: float) -> float:
    """A number to six significant digits, so that a processor's last bit decides nothing."""
    return float(f"{number:.6g}")


def rounded(value: JSON) -> JSON:
    """A JSON value with every float in it to six significant digits, or null where it is not finite."""
    if isinstance(value, dict):
        return {name: rounded(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):  # a tuple becomes a list, as in JSON
        return [rounded(entry) for entry in value]
    if not isinstance(value, float):
        return value
    return six_digits(value) if isfinite(value) else None


def import_matplotlib() -> None:
    """Import matplotlib as it comes: neither a file of settings, be it damaged, nor a variable has a say."""
    own = {name: os.environ.get(name) for name in ("MPLBACKEND", "MATPLOTLIBRC")}
    os.environ |= {"MPLBACKEND": "agg", "MATPLOTLIBRC": os.devnull}
    try:
        with chdir(Path(__file__).parent):  # it looks for settings in the working folder first
            import matplotlib  # noqa: F401
    finally:
        for name, value in own.items():
            os.environ.pop(name)
            os.environ |= {} if value is None else {name: value}


@contextmanager
def house_style(scale: float = 1.0) -> Iterator[None]:
    """The defaults of matplotlib and the project's own settings, whatever the user's; words and lines by `scale`."""
    import_matplotlib()
    import matplotlib as mpl

    with mpl.rc_context():
        scaled = {name: scale * size for name, size in IN_POINTS.items()}
        mpl.rcParams.update(mpl.rcParamsDefault)  # `mpl.rcdefaults` would read all styles that matplotlib brings
        mpl.rcParams.update(STYLE | scaled)  # type: ignore[arg-type]
        yield


def points(size: float) -> float:
    """So many points, or fewer where the figure at hand is smaller than it was designed."""
    import matplotlib as mpl

    return size * float(mpl.rcParams["font.size"]) / TYPE_SIZE


@contextmanager
def drawn(draw: "Callable[[], Figure]", look: Look = Look(), most: float = MOST_DOTS) -> "Iterator[Figure]":
    """A figure while the house style holds; where it is smaller than designed, so is what is written in it.

    Raises UsageError for more than so many dots, which would not fit in memory, and for letters under four points.
    """
    with house_style():
        figure = draw()
    own = figure.get_size_inches()
    width, height = look.size or own
    dpi = look.dpi or DPI
    if width * height * dpi**2 > most:
        raise UsageError(
            f"a figure must have at most {most:,} dots, and {width:g} by {height:g} inches with {dpi} dots each "
            f"have {width * height * dpi**2:,.0f}: choose a smaller --dpi or --size"
        )
    if look.size is None:
        with house_style():
            yield figure
        return
    scale = min(1.0, width / own[0], height / own[1])
    if scale < LEAST_SCALE:
        least = " by ".join(f"{LEAST_SCALE * length:.2g}" for length in own)
        raise UsageError(
            f"a figure must have letters to read, in this one from {least} inches on, not {width:g} by {height:g}: "
            "choose a larger --size"
        )
    with house_style(scale):
        figure = draw()
        figure.set_size_inches(width, height)
        yield figure


def render(
    draw: "Callable[[], Figure]", format: Format, title: str, description: str, facts: str, look: Look = Look()
) -> bytes:
    """Draw in the house style and encode: the same figure gives the same bytes twice on one installation.

    The file carries its title, a description for those who cannot see it, and `facts` (JSON): in a PNG as the text
    chunks Title, Description and Comment, in an SVG as Dublin Core elements, in a PDF as document information.
    """
    metadata: dict[Format, dict[str, str | None]] = {
        "png": {"Title": title, "Description": description, "Comment": facts, "Software": "gsm"},
        "svg": {"Title": title, "Description": description, "Source": facts, "Creator": "gsm", "Date": None},
        "pdf": {"Title": title, "Subject": description, "Keywords": facts, "Creator": "gsm", "CreationDate": None},
    }
    buffer = BytesIO()
    with drawn(draw, look, MOST_DOTS if format == "png" else inf) as figure:
        if format == "png" and figure.get_layout_engine() is None:  # nothing is laid out: `savefig` draws it twice
            from matplotlib.backends.backend_agg import FigureCanvasAgg

            figure.set_dpi(look.dpi or DPI)
            FigureCanvasAgg(figure).print_png(buffer, metadata=metadata[format])  # type: ignore[no-untyped-call]
        else:
            figure.savefig(buffer, format=format, metadata=metadata[format], dpi=look.dpi or DPI)
    return buffer.getvalue()
