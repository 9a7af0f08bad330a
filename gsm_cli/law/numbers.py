"""Numbers as people have them: typed, in a file or through a pipe; with commas, spaces, lines, semicolons, brackets."""

import errno
import re
import sys
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np

from gsm_cli.errors import DataError, UsageError, shortened, shown
from gsm_cli.files import is_there, read_stream
from gsm_cli.law.gumbel import Array

MOST_BYTES, PATIENCE = 1_000_000, 60.0  # of a file or a pipe, and seconds in which it must end
LONGEST_LIST = 100_000  # letters, which a shell takes as one word
BRACKETS = str.maketrans(dict.fromkeys("[](){}", " "))
BETWEEN = re.compile(r"\s*[,;]\s*|\s+")


@dataclass(frozen=True)
class Written:
    """Numbers (K,), each as it was written, and the word of a command line that brings all of them again."""

    words: list[str]
    values: Array
    again: str

    @property
    def rounding(self) -> float:
        """How far off their sum may be because those of two or more decimals were rounded to them."""
        places = [int(Decimal(word).as_tuple().exponent) for word in self.words]
        return sum(0.5 * 10.0**place for place in places if place <= -2)


def read_numbers(option: str, text: str, example: str) -> Written:
    """Two numbers or more, finite or not, from what was typed; else from the file of that name, or stdin for `-`.

    Raises UsageError, or DataError for what the file holds.
    """
    try:
        written = _written(text, text)
    except ValueError:
        written = _read(option, text, example)
    if written.values.size < 2:
        raise UsageError(f"{option} must name at least two classes, not {written.values.size}: add the others")
    return written


def _written(content: str, text: str) -> Written:
    words = BETWEEN.split(content.translate(BRACKETS).strip().removesuffix(",").removesuffix(";").strip())
    values = np.array([float(word) for word in words])
    inside = content is not text and sum(map(len, words)) + len(words) <= LONGEST_LIST
    return Written(words, values, ",".join(words) if inside else text)


def _read(option: str, text: str, example: str) -> Written:
    if text != "-" and not (text.strip() and is_there(Path(text))):
        raise UsageError(
            f"{option} must be numbers with commas, a file of them or - for stdin, not {shown(text)}: "
            f"write for example {option} {example}"
        )
    try:
        if text == "-" and not sys.stdin:
            raise OSError(errno.EBADF, "it is closed")
        content = read_stream(0 if text == "-" else text, MOST_BYTES, PATIENCE).decode("utf-8-sig")
        if content.strip():
            return _written(content, text)
        reason = "it is empty"
    except UnicodeDecodeError:
        reason = "it is no text"
    except OSError as error:
        reason = str(error.strerror)
    except ValueError as error:  # names the word
        reason = shortened(str(error).replace("could not convert string to float", "no number"))
    place = "stdin" if text == "-" else text
    raise DataError(f"{place} must hold numbers ({reason}): write for example {example}")
