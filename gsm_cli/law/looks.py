"""What a user changes of how a figure looks, read from what was typed; its font stands before that of matplotlib."""

import shlex
from collections.abc import Sequence
from contextlib import suppress
from logging import ERROR, getLogger
from pathlib import Path
from typing import Any

from matplotlib.font_manager import FontEntry, FontProperties, findfont, findSystemFonts, fontManager, get_font

from gsm_cli.errors import UsageError, is_seen, shown
from gsm_cli.files import check_ordinary
from gsm_cli.style import Look

LONGEST_TITLE = 80
SMALLEST, LARGEST = 1.5, 40.0  # inches, of a side of a figure
FILES = (".ttf", ".otf", ".ttc")
REMEDY = "install one, such as Noto Sans CJK JP for Japanese (fonts.google.com/noto), and write its name after --font"


def read_look(title: str | None, size: str | None, dpi: int | None, font: str | None = None, **others: Any) -> Look:
    """What a user changes of a figure. Raises UsageError."""
    if title is not None and not (is_seen(title) and 0 < len(title.strip()) <= LONGEST_TITLE):
        raise UsageError(
            f"--title must have from 1 to {LONGEST_TITLE} printable characters in one line, not {shown(title)}: "
            + ("write another" if title.strip() else "write one, or leave --title out")
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


def family_of(name: str) -> str:
    """The family of a font that is installed, or of a file. Raises UsageError for what is neither."""
    getLogger("matplotlib.font_manager").setLevel(ERROR)  # or it tells of every font that is not bold
    reason = "not installed, and no .ttf, .otf or .ttc"
    if name.lower().endswith(FILES):
        try:
            return _register(Path(name))
        except (OSError, RuntimeError) as error:
            reason = str(getattr(error, "strerror", None) or "FreeType cannot read it")
    elif name.lower() in {entry.name.lower() for entry in _all()}:
        return name
    raise UsageError(f"--font must name a font, and {name!r} is none ({reason}): {REMEDY}")


def check_characters(option: str, text: str, families: Sequence[str]) -> None:
    """Raise UsageError for what no font of a figure has, and would be drawn as a box."""
    lacking = {letter for letter in text if not letter.isascii()}
    for family in families if lacking else ():
        lacking -= _letters(findfont(FontProperties(family=[family])))
    if lacking:
        other = next((entry.name for entry in _all() if lacking <= _letters(entry.fname)), "")
        letters = "".join(sorted(lacking, key=text.index))[:20]
        raise UsageError(
            f"{option} must be of characters that the font of figures has, and it has no {letters}: "
            + (f"take --font {shlex.quote(other)}" if other else REMEDY)
        )


def _register(path: Path) -> str:
    """Have a file found by the name of its family, before others of that family; raises what FreeType raises."""
    check_ordinary(path)
    font = get_font(path)
    font.set_size(12, 72)  # fails for letters that are pictures of one size
    fontManager.ttflist.insert(0, FontEntry(str(path), name=font.family_name, weight=400, size="scalable"))
    fontManager.addfont(path)
    return str(font.family_name)


def _all() -> list[FontEntry]:
    """Every font, those included that were installed after matplotlib had listed them."""
    for path in set(findSystemFonts()) - {entry.fname for entry in fontManager.ttflist}:
        with suppress(Exception):  # of a damaged font FreeType may say anything
            fontManager.addfont(path)
    drawn = [entry for entry in fontManager.ttflist if not entry.name.startswith("Last Resort")]  # has boxes alone
    return sorted(drawn, key=lambda entry: (entry.name, entry.fname))


def _letters(path: str) -> set[str]:
    with suppress(Exception):
        return set(map(chr, get_font(path).get_charmap()))
    return set()
