"""How the project's figures look and how they become bytes: the article's colours, a fixed style, no clock.

The command line imports this module for `Format`; so matplotlib waits in the functions.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from math import log10
from typing import TYPE_CHECKING, Generic, Literal, TypeAlias, TypeVar

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Facts_co = TypeVar("Facts_co", covariant=True)
JSON: TypeAlias = "bool | int | float | str | list[JSON] | dict[str, JSON] | None"

ORIGINAL_COLOUR = "#d73c2c"
REPEAT_COLOUR = "#9e6c4b"
TEMPERATURE_COLOURS = {0.1: "#009c41", 1.0: "#0067b0", 5.0: "#6e248d", 100.0: "#ca2c68"}
INK = "#262626"

Format = Literal["png", "svg", "pdf"]

STYLE: dict[str, object] = {
    "font.size": 13,
    "axes.titlesize": 13,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "legend.frameon": False,
    "legend.fontsize": 11,
    "errorbar.capsize": 4,
    "figure.constrained_layout.use": True,
    "savefig.dpi": 120,
    "svg.hashsalt": "gsm",
    "pdf.fonttype": 42,
}


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

    @property
    def carried(self) -> JSON:
        """The facts as the file carries them, the same on every processor."""
        from msgspec import to_builtins

        return rounded(to_builtins(self.facts, str_keys=True))

    def encode(self, format: Format) -> bytes:
        """The file, as `render` makes it."""
        return render(self.draw, format, self.title, self.description, json.dumps(self.carried))


def temperature_colour(temperature: float) -> str:
    """The article's colour for its four temperatures; elsewhere viridis, ordered by log tau from 0.01 to 1,000."""
    import matplotlib as mpl

    if temperature in TEMPERATURE_COLOURS:
        return TEMPERATURE_COLOURS[temperature]
    position = min(max((log10(temperature) + 2) / 5, 0.0), 1.0)
    return mpl.colors.to_hex(mpl.colormaps["viridis"](0.85 * position))  # its last part is too pale for bars


def six_digits(number: float) -> float:
    """A number to six significant digits, so that a processor's last bit decides nothing."""
    return float(f"{number:.6g}")


def rounded(value: JSON) -> JSON:
    """A JSON value with every float in it to six significant digits."""
    if isinstance(value, dict):
        return {name: rounded(entry) for name, entry in value.items()}
    if isinstance(value, list | tuple):  # a tuple becomes a list, as in JSON
        return [rounded(entry) for entry in value]
    return six_digits(value) if isinstance(value, float) else value


@contextmanager
def house_style() -> Iterator[None]:
    """The defaults of matplotlib and the project's own settings, whatever the user's are."""
    import matplotlib as mpl

    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)  # type: ignore[arg-type]
        yield


def render(draw: "Callable[[], Figure]", format: Format, title: str, description: str, facts: str) -> bytes:
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
    with house_style():
        draw().savefig(buffer, format=format, metadata=metadata[format])
    return buffer.getvalue()
