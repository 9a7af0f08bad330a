"""What a user changes of how a figure looks: read from what was typed."""

from typing import Any

from gsm_cli.errors import UsageError, is_seen, shown
from gsm_cli.law.fonts import check_characters, family_of
from gsm_cli.style import Look

LONGEST_TITLE = 80
SMALLEST, LARGEST = 1.5, 40.0  # inches, of a side of a figure


def read_look(title: str | None, size: str | None, dpi: int | None, font: str | None = None, **others: Any) -> Look:
    """What a user changes of a figure. Raises UsageError."""
    if title is not None and not (is_seen(title) and 0 < len(title.strip()) <= LONGEST_TITLE):
        raise UsageError(
            f"--title must have from 1 to {LONGEST_TITLE} printable characters, not {shown(title)}: "
            + ("shorten it" if title.strip() else "write one, or leave --title out")
        )
    families = Look.families if font is None else (family_of(font), *Look.families)
    check_characters("--title", title or "", families)
    return Look(title, None if size is None else _read_size(size), dpi, font=font, families=families, **others)


def _read_size(text: str) -> tuple[float, float]:
    try:
        width, height = (float(part) for part in text.lower().split("x"))
        fits = all(SMALLEST <= length <= LARGEST for length in (width, height))
    except ValueError:
        fits = False
    if not fits:
        raise UsageError(
            f"--size must be WIDTHxHEIGHT with {SMALLEST:g} to {LARGEST:g} inches each, not {shown(text)}: "
            "write for example --size 6x4"
        )
    return width, height
