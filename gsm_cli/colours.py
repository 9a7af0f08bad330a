"""The colours of figures: the article's, what lies between them, and how they look on light and on dark paper."""

from typing import Literal

Paper = Literal["light", "dark", "transparent"]

ORIGINAL_COLOUR = "#d73c2c"
REPEAT_COLOUR = "#9e6c4b"
TEMPERATURE_COLOURS = {0.1: "#009c41", 1.0: "#0067b0", 5.0: "#6e248d", 100.0: "#ca2c68"}
HUES = {0.01: "#9ab800", **TEMPERATURE_COLOURS, 1000.0: "#8c0f2c"}  # what lies between is mixed
INK = "#262626"
PAPERS: dict[Paper, tuple[str, str]] = {  # ink and paper; as the page of `gsm explore` has them
    "light": (INK, "#ffffff"),
    "dark": ("#e8e8e8", "#15171b"),
    "transparent": (INK, "#ffffff00"),
}
LIGHTER = 0.3  # the white in a colour on dark paper


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


def ink() -> str:
    """The colour of letters and lines in the figure at hand."""
    import matplotlib as mpl

    return str(mpl.rcParams["text.color"])


def paper() -> str:
    """The colour of what is left blank inside marks: the paper's, white where that is transparent."""
    import matplotlib as mpl

    return mpl.colors.to_hex(mpl.rcParams["figure.facecolor"])


def shown(colour: str) -> str:
    """The colour as the figure at hand shows it: lighter on dark paper."""
    import matplotlib as mpl

    if _lightness() > 0.5:
        return colour
    red, green, blue = (LIGHTER + (1.0 - LIGHTER) * channel for channel in mpl.colors.to_rgb(colour))
    return mpl.colors.to_hex((red, green, blue))


def grey(level: float) -> str:
    """A grey from 1, which is the paper's, to 0, which is black on white and white on black."""
    return str(round(_lightness() + (1.0 - level) * (1.0 - 2.0 * _lightness()), 3))


def _lightness() -> float:
    import matplotlib as mpl

    return float(mpl.colors.to_rgb(paper())[0])
