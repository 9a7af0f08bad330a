"""Numbers as people have them: typed, in a file or through a pipe; with commas, spaces, lines, semicolons, brackets."""

import re
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np

from gsm_cli.errors import DataError, UsageError
from gsm_cli.files import is_there, read_stream
from gsm_cli.law.gumbel import Array

STDIN = "-"
MOST_BYTES = 1_000_000  # of a file or a pipe
PATIENCE = 60.0  # seconds in which it must end
LONGEST_LIST = 100_000  # letters, which a shell takes as one word
BRACKETS = str.maketrans(dict.fromkeys("[](){}", " "))
BETWEEN = re.compile(r"\s*[,;]\s*|\s+")


@dataclass(frozen=True)
class Typed:
    """Numbers (K,), each as it was written, and the word of a command line that brings all of them again."""

    values: Array
    words: list[str]
    word: str

    @property
    def rounding(self) -> float:
        """How far off the sum may be because numbers of two or more decimals were rounded to these."""
        places = [int(Decimal(word).as_tuple().exponent) for word in self.words]
        return sum(0.5 * 10.0**place for place in places if place <= -2)


def read_numbers(option: str, text: str, example: str) -> Typed:
    """At least two numbers, each finite or -inf.

    What is neither numbers nor `-`, which is stdin, names a file. Raises UsageError, or DataError for what is in it.
    """
    words = _words(text)
    values = _values(words)
    if values is None:
        words = _words(_content(option, text, example))
        values = _values(words)
        if values is None:
            wrong = next(word for word in words if _values([word]) is None)
            raise DataError(f"{_place(text)} must hold numbers, not {shortened(wrong)!r}: write for example {example}")
        text = listed if len(listed := ",".join(words)) <= LONGEST_LIST else text
    if values.size < 2:
        raise UsageError(f"{option} must name at least two classes, not {values.size}: add the others after a comma")
    return Typed(values, words, text)


def _words(text: str) -> list[str]:
    return BETWEEN.split(text.translate(BRACKETS).strip().removesuffix(",").removesuffix(";").strip())


def _values(words: list[str]) -> Array | None:
    try:
        return np.array([float(word) for word in words])
    except ValueError:
        return None


def _content(option: str, text: str, example: str) -> str:
    """What is in a file or comes through a pipe, if that is text."""
    if text != STDIN and not (text.strip() and is_there(Path(text))):
        raise UsageError(
            f"{option} must be numbers with commas, a file of them or - for stdin, not {shortened(text)!r}: "
            f"write for example {option} {example}"
        )
    try:
        content = read_stream(0 if text == STDIN else text, MOST_BYTES, PATIENCE).decode("utf-8-sig")
    except UnicodeDecodeError:
        reason = "it is no text"
    except OSError as error:
        reason = str(error.strerror)
    else:
        reason = "" if content.strip() else "it is empty"
    if reason:
        raise DataError(f"{_place(text)} must hold numbers, and cannot be read ({reason}): write for example {example}")
    return content


def _place(text: str) -> str:
    return "stdin" if text == STDIN else shortened(text)


def shortened(text: str) -> str:
    """What was typed, no longer than a sentence bears."""
    return text if len(text) <= 60 else f"{text[:57]}..."
