"""How the project's figures look and how they become bytes: a fixed style, no clock.

The command line imports this module for `Format`; so matplotlib waits in the functions.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from io import BytesIO
from math import ceil, inf, isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Generic, Literal, TypeAlias, TypeVar

from gsm_cli.errors import UsageError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Facts_co = TypeVar("Facts_co", covariant=True)
JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"

INK = "#262626"
Paper = Literal["light", "dark", "transparent"]
PAPERS = {"light": (INK, "#ffffff"), "dark": ("#e8e8e8", "#15171b"), "transparent": (INK, "#ffffff00")}  # ink, paper

Format = Literal["png", "svg", "pdf"]
DPI = 120
MOST_DOTS = 60_000_000  # of a figure: a quarter of a gigabyte while it is drawn
TYPE_SIZE = 13.0  # points, of most words
LEAST_SCALE = 0.31  # of the designed size: those words then have four points
LARGER, LARGER_IN_SIZE = 1.6, 1.25  # at most, beside the figure, than designed: where that may grow, and where not
DESIGN = 6.4  # inches, by which `space` tells how much there is
INKED = ("axes.edgecolor", "axes.labelcolor", "text.color", "xtick.color", "ytick.color")
BLANK = ("figure.facecolor", "axes.facecolor")
TICKS = {"size": 3.5, "pad": 3.5, "width": 0.8}
IN_POINTS = {  # what shrinks with a figure
    "font.size": TYPE_SIZE,
    "legend.fontsize": 11.0,
    "errorbar.capsize": 4.0,
    "lines.linewidth": 1.5,
    "axes.linewidth": 0.8,
    "axes.labelpad": 4.0,
    "axes.titlepad": 6.0,
    **{f"{axis}tick.major.{part}": size for axis in "xy" for part, size in TICKS.items()},
}

STYLE: dict[str, object] = {
    "axes.titlesize": "medium",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
    "savefig.dpi": DPI,
    "svg.fonttype": "none",  # text stays text
    "svg.hashsalt": "gsm",
    "pdf.fonttype": 42,
}


@dataclass(frozen=True)
class Look:
    """What a user changed of a figure: inches of its sides, dots per inch, points of most letters; None as it comes."""

    title: str | None = None
    size: tuple[float, float] | None = None
    dpi: int | None = None
    style: Paper = "light"
    font_size: int | None = None
    font: str | None = None  # as it was typed, and where its letters are looked for in turn
    families: tuple[str, ...] = ("sans-serif",)  # DejaVu Sans, which matplotlib brings

    @property
    def options(self) -> tuple[str, ...]:
        """The words of a command line that ask for it."""
        size = None if self.size is None else "x".join(f"{length:.15g}" for length in self.size)
        given = {"title": self.title, "size": size, "dpi": self.dpi, "font-size": self.font_size, "font": self.font}
        given["style"] = None if self.style == "light" else self.style
        return tuple(str(part) for name, value in given.items() if value is not None for part in (f"--{name}", value))


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
        """Draw in the house style and encode: the same figure gives the same bytes twice on one installation.

        The file carries its title, a description for those who cannot see it, and its facts (JSON): in a PNG as the
        text chunks Title, Description and Comment, in an SVG as Dublin Core elements, in a PDF as document information.
        """
        title, description, facts, look = self.title, self.description, json.dumps(self.carried), self.look
        metadata: dict[Format, dict[str, str | None]] = {
            "png": {"Title": title, "Description": description, "Comment": facts, "Software": "gsm"},
            "svg": {"Title": title, "Description": description, "Source": facts, "Creator": "gsm", "Date": None},
            "pdf": {"Title": title, "Subject": description, "Keywords": facts, "Creator": "gsm", "CreationDate": None},
        }
        buffer = BytesIO()
        with drawn(self.draw, look, MOST_DOTS if format == "png" else inf) as figure:
            if format == "png" and figure.get_layout_engine() is None:  # nothing is laid out: `savefig` draws it twice
                from matplotlib.backends.backend_agg import FigureCanvasAgg

                figure.set_dpi(look.dpi or DPI)
                FigureCanvasAgg(figure).print_png(buffer, metadata=metadata[format])  # type: ignore[no-untyped-call]
            else:
                figure.savefig(buffer, format=format, metadata=metadata[format], dpi=look.dpi or DPI)
        return buffer.getvalue()


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
def house_style(look: Look = Look(), scale: float = 1.0, crowding: float = 1.0) -> Iterator[None]:
    """The defaults of matplotlib and the project's own settings, whatever the user's; words and lines by `scale`."""
    import_matplotlib()
    import matplotlib as mpl

    ink, paper = PAPERS[look.style]
    own: dict[str, object] = {name: scale * size for name, size in IN_POINTS.items()}
    own |= {"font.family": look.families, "figure.figsize": [DESIGN / crowding, DESIGN / crowding]}
    own |= dict.fromkeys(INKED, ink) | dict.fromkeys(BLANK, paper)
    with mpl.rc_context():
        mpl.rcParams.update(mpl.rcParamsDefault)  # `mpl.rcdefaults` would read all styles that matplotlib brings
        mpl.rcParams.update(STYLE | own)  # type: ignore[arg-type]
        yield


def points(size: float) -> float:
    """So many points, or fewer where the figure at hand is smaller than it was designed."""
    import matplotlib as mpl

    return size * float(mpl.rcParams["font.size"]) / TYPE_SIZE


def space(length: float) -> float:
    """A length as designed, in inches or points, or a shorter one where letters are larger beside it."""
    import matplotlib as mpl

    return length * (float(mpl.rcParams["figure.figsize"][0]) / DESIGN)


@contextmanager
def drawn(draw: "Callable[[], Figure]", look: Look = Look(), most: float = MOST_DOTS) -> "Iterator[Figure]":
    """A figure while the house style holds; where it is smaller than designed, so is what is written in it.

    With `look.font_size` letters have that size, and the figure is laid out anew for them. Raises UsageError for more
    than so many dots, which would not fit in memory, for letters under four points and for letters without room.
    """
    with house_style(look):
        figure = draw()
        own = figure.get_size_inches()
        width, height = look.size or own
        if (dots := width * height * (dpi := look.dpi or DPI) ** 2) > most:
            sides = f"{width:g} by {height:g} inches with {dpi} dots each"
            rule = f"a figure must have at most {most:,} dots, and {sides} have {dots:,.0f}"
            raise UsageError(f"{rule}: choose a smaller --dpi or --size")
        if look.size is None and look.font_size is None:
            yield figure
            return
    scale = (look.font_size or TYPE_SIZE) / TYPE_SIZE
    crowding = scale * max(own[0] / width, own[1] / height)
    if look.font_size is None:
        scale, crowding = min(1.0, scale / crowding), 1.0
    room = LARGER if look.size is None else LARGER_IN_SIZE
    if scale < LEAST_SCALE or crowding > room:
        factor = 10 * (scale / LARGER_IN_SIZE if look.font_size else LEAST_SCALE)
        least = [ceil(factor * side) / 10 for side in own]
        size = f"in this one from {least[0]:g} by {least[1]:g} inches on, not {width:g} by {height:g}"
        rule = f"a figure must have letters to read and room for them, {size}"
        raise UsageError(f"{rule}: choose a larger --size or another --font-size")
    with house_style(look, scale, crowding):
        figure = draw()
        figure.set_size_inches(*(look.size or scale * figure.get_size_inches()))
        yield figure
