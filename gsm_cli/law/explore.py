"""The page of `gsm explore`: one file in which a reader moves the law, the temperature and the noise.

The page is `explore.html` beside this module. It opens with the law that is put in here, or that its address names.
"""

import json
from importlib.resources import files

import msgspec

from gsm_cli import style
from gsm_cli.errors import UsageError
from gsm_cli.law.colours import ORIGINAL_COLOUR, temperature_colour
from gsm_cli.law.facts import Facts, origin
from gsm_cli.law.request import Law, Temperature
from gsm_cli.style import JSON, Look

LEAST, MOST = 2, 20  # classes: bars that a finger can take
TEMPERATURES = [10.0 ** (step / 20) for step in range(-40, 61)]  # from 0.01 to 1,000, of which the page has the colours


def explore(law: Law, temperature: Temperature) -> tuple[bytes, JSON]:
    """The page, and the facts that it carries. Raises UsageError for more classes than it shows."""
    if not LEAST <= law.logits.size <= MOST:
        raise UsageError(
            f"the page of gsm explore must have {LEAST} to {MOST} classes, not {law.logits.size}: "
            "write for example --probs 0.5,0.3,0.2"
        )
    facts = style.rounded(msgspec.to_builtins(Facts(**origin(law, Look(), "explore", [temperature]))))
    opened = {
        "facts": facts,
        "seed": str(law.seed),  # of more digits than a number of JavaScript has
        "law": ORIGINAL_COLOUR,
        "hues": [temperature_colour(style.six_digits(each)) for each in TEMPERATURES],
    }
    page = files("gsm_cli.law").joinpath("explore.html").read_text("utf-8")
    return page.replace("$OPENED", json.dumps(opened).replace("<", r"\u003c")).encode(), facts
