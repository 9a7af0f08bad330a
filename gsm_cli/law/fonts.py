"""The fonts of figures: the one that matplotlib brings, and before it one that a user names."""

import shlex
from collections.abc import Sequence
from contextlib import suppress
from logging import ERROR, getLogger
from pathlib import Path

from matplotlib.font_manager import FontEntry, FontProperties, findfont, findSystemFonts, fontManager, get_font

from gsm_cli.errors import UsageError
from gsm_cli.files import check_ordinary

FILES = (".ttf", ".otf", ".ttc")
REMEDY = "install one, such as Noto Sans CJK JP for Japanese (fonts.google.com/noto), and write its name after --font"


def family_of(name: str) -> str:
    """The family of a font that is installed, or of a file. Raises UsageError for what is neither."""
    getLogger("matplotlib.font_manager").setLevel(ERROR)  # or it tells of every font that is not bold
    reason = "it is not installed"
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
