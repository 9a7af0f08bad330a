"""Pictures that are drawn only where their data, their words or the code that draws them have changed."""

import inspect
import json
import re
from collections.abc import Callable
from functools import cache
from hashlib import sha256
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

from gsm_cli.files import read_bounded, write_atomic
from gsm_cli.reports.png import MOST, stamp_of, stamped
from gsm_cli.style import Picture

DRAWING = ("gsm_cli.reports", "gsm_cli.style", "gsm_cli.analysis.identity", "gsm_cli.objectives")  # decide how it looks
LIBRARIES = ("matplotlib",)
IMPORT = re.compile(r"^\s*from (gsm_cli[\w.]*) import ", re.MULTILINE)


def keep_or_draw(path: Path, picture: Picture[object]) -> None:
    """Draw a picture, unless the file is that picture already."""
    stamp = data_digest(picture) + code_digest(module_of(picture.draw))
    if stamp_of_file(path) != stamp:
        write_atomic(path, stamped(picture.encode("png"), stamp))


def stamp_of_file(path: Path) -> str | None:
    """The stamp of a picture that a report wrote; None if it is not there, or is not as it was written."""
    try:
        return stamp_of(read_bounded(path, MOST))
    except OSError:
        return None


def data_digest(picture: Picture[object]) -> str:
    """The SHA-256 of what a picture shows and says."""
    return _digest(json.dumps([picture.title, picture.description, picture.carried]))


@cache
def code_digest(module: str) -> str:
    """The SHA-256 of a module, of what it imports of the code that draws, directly or not, and of the libraries."""
    sources: dict[str, str] = {}
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in sources and name.startswith(DRAWING):
            sources[name] = source(name)
            waiting += IMPORT.findall(sources[name])
    return _digest(json.dumps([sorted(sources.items()), [version(name) for name in LIBRARIES]]))


def source(module: str) -> str:
    """The text of a module."""
    return inspect.getsource(import_module(module))


def module_of(draw: Callable[[], object]) -> str:
    """The module of the function that draws."""
    return str(getattr(draw, "func", draw).__module__)


def _digest(text: str) -> str:
    return sha256(text.encode()).hexdigest()
