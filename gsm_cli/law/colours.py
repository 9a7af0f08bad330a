"""The colours of the law: the article's, what lies between them, and how a figure on dark paper shows them."""

import matplotlib as mpl
import numpy as np
from matplotlib.colors import hsv_to_rgb, rgb_to_hsv, to_hex, to_rgb

ORIGINAL_COLOUR = "#d73c2c"
REPEAT_COLOUR = "#9e6c4b"
TEMPERATURE_COLOURS = {0.1: "#009c41", 1.0: "#0067b0", 5.0: "#6e248d", 100.0: "#ca2c68"}
HUES = {0.01: "#9ab800", **TEMPERATURE_COLOURS, 1000.0: "#8c0f2c"}  # what lies between is mixed
LIGHTER = 0.3  # the share of white in a colour on dark paper


def temperature_colour(temperature: float) -> str:
    """The article's colour for its four temperatures, and between them the hues between theirs.

    The hue goes on with log tau, from a yellowish green at 0.01 over green, blue and purple to crimson at 1,000.
    """
    if temperature in TEMPERATURE_COLOURS:
        return TEMPERATURE_COLOURS[temperature]
    anchors = rgb_to_hsv([to_rgb(colour) for colour in HUES.values()])
    places = np.log(list(HUES))
    hue, saturation, value = (float(np.interp(np.log(temperature), places, channel)) for channel in anchors.T)
    red, green, blue = hsv_to_rgb((hue, saturation, value)).tolist()
    return to_hex((red, green, blue))


def ink() -> str:
    """The colour of letters and lines in the figure at hand."""
    return str(mpl.rcParams["text.color"])


def paper() -> str:
    """What is blank inside marks: the paper's colour, or white where that is transparent."""
    return to_hex(mpl.rcParams["figure.facecolor"])


def shown(colour: str) -> str:
    """The colour as the figure at hand shows it: lighter on dark paper."""
    mix = [LIGHTER + (1.0 - LIGHTER) * channel for channel in to_rgb(colour)]
    return to_hex((mix[0], mix[1], mix[2])) if to_rgb(paper())[0] < 0.5 else colour


def grey(level: float) -> str:
    """A grey from 1, which is the paper's, to 0, which is black on white and nearly white on dark paper."""
    white = to_rgb(paper())[0]
    return str(round(white + (1.0 - level) * (1.0 - 2.0 * white), 3))
