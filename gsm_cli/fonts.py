"""The fonts of figures: the one that matplotlib brings, and before it one that a user names."""

import shlex
from contextlib import suppress
from functools import cache
from pathlib import Path

from gsm_cli.errors import UsageError
from gsm_cli.files import check_ordinary

FILES = (".ttf", ".otf", ".ttc")
BROUGHT = "sans-serif"  # DejaVu Sans, in the house style
REMEDY = "install one, such as Noto Sans CJK JP for Japanese (fonts.google.com/noto), and give its name or its file"


@cache
def families(name: str | None) -> list[str]:
    """Where each letter is looked for, in turn. Raises UsageError for a font that is not there."""
    if name is None:
        return [BROUGHT]
    of_file = name.lower().endswith(FILES) or "/" in name
    return [_in_file(Path(name)) if of_file else _installed(name), BROUGHT]


def check_characters(option: str, text: str, font: str | None) -> None:
    """Raise UsageError for what the fonts of a figure do not have, and would draw as boxes."""
    strange = {letter for letter in text if not letter.isascii()}
    for family in families(font) if strange else ():
        strange -= _letters(_found(family))
    if strange:
        lacking = "".join(letter for letter in dict.fromkeys(text) if letter in strange)
        other = next((name for name, path in _all() if strange <= _letters(path)), None)
        raise UsageError(
            f"{option} must be of characters that the font of figures has, and it has no {lacking[:20]}: "
            + (f"take another, as --font {shlex.quote(other)}" if other else f"{REMEDY} as --font")
        )


def _in_file(path: Path) -> str:
    """The family of a font file, which is found by it from now on."""
    from matplotlib import font_manager

    try:
        check_ordinary(path)
        font = font_manager.get_font(path)
        font.set_size(12, 72)  # of letters that are pictures in one size there is no other
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or "FreeType cannot read it"
        raise UsageError(f"--font must name a file with a font, and {path} is none ({reason}): {REMEDY}") from error
    entry = font_manager.FontEntry(fname=str(path), name=font.family_name)
    font_manager.fontManager.ttflist.insert(0, entry)  # before another file of the same family
    font_manager.fontManager.addfont(path)
    return str(font.family_name)


def _installed(family: str) -> str:
    if family.lower() not in {name.lower() for name, _ in _all()}:
        raise UsageError(f"--font must be installed, and {family!r} is not: {REMEDY}")
    return family


def _all() -> list[tuple[str, str]]:
    """The families and files of all fonts, those included that came after matplotlib listed them."""
    from matplotlib import font_manager

    manager = font_manager.fontManager
    for path in set(font_manager.findSystemFonts()) - {entry.fname for entry in manager.ttflist}:
        with suppress(Exception):  # of a damaged font FreeType may say anything
            manager.addfont(path)
    return sorted((entry.name, entry.fname) for entry in manager.ttflist)


def _found(family: str) -> str:
    from matplotlib import font_manager

    return str(font_manager.findfont(font_manager.FontProperties([family])))


def _letters(path: str) -> set[str]:
    from matplotlib import font_manager

    with suppress(Exception):
        return {chr(code) for code in font_manager.get_font(path).get_charmap()}
    return set()
