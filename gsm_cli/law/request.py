"""Which categorical law and which temperatures a figure command shows: what the user typed, read and written again."""

import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import numpy as np

from gsm_cli.errors import UsageError
from gsm_cli.law.gumbel import Array, gumbel_noise, random_logits, softmax
from gsm_cli.streams import Purpose, generator

ARTICLE_PROBABILITIES = "0.107,0.765,0.022,0.006,0.055,0.045"  # read from the article's first picture
ARTICLE_TEMPERATURES = ("0.1", "1", "5", "100")
MOST_DIGITS = 100  # of a temperature, written without an exponent
SUM_TOLERANCE = 1e-5  # so that 0.33333,0.33333,0.33333 is a law


@dataclass(frozen=True)
class Temperature:
    """A temperature in the very decimal that the user typed."""

    exact: Decimal

    @property
    def value(self) -> float:
        return float(self.exact)

    @property
    def text(self) -> str:
        return format(self.exact.normalize(), "f")

    @property
    def file_label(self) -> str:
        """10 tau as the article names its files; a period would be read as an extension: 4.1 is 41, 0.25 is 2_5."""
        return format((10 * self.exact).normalize(), "f").replace(".", "_")


@dataclass(frozen=True)
class Law:
    """A categorical law by its log-probabilities (K,), the seed of its draws and the options that name it again."""

    logits: Array
    seed: int
    options: tuple[str, ...]

    @property
    def probabilities(self) -> Array:
        return softmax(self.logits)

    def noise(self, draws: int) -> Array:
        """The Gumbel noise of the draws 0 to `draws` - 1, (draws, K): it depends on the seed and on nothing else."""
        return gumbel_noise((draws, self.logits.size), self.rng())

    def rng(self) -> np.random.Generator:
        """The stream of that noise, from its beginning."""
        return generator(self.seed, Purpose.DRAWS)


def read_temperatures(texts: Sequence[str]) -> list[Temperature]:
    """The temperatures in the order given, each number once, however it is written. Raises UsageError."""
    return list(dict.fromkeys(_read_temperature(text) for text in texts))


def read_law(probs: str | None, logits: str | None, classes: int | None, seed: int) -> Law:
    """The law that one of the options names; the article's own where none is given. Raises UsageError."""
    choices = (("--probs", probs), ("--logits", logits), ("--classes", classes))
    given = [(name, value) for name, value in choices if value is not None]
    if len(given) > 1:
        names = " and ".join(name for name, _ in given)
        raise UsageError(f"one law at a time: {names} were given together, so leave out all but one")
    options = tuple(str(part) for pair in given for part in pair)
    if classes is not None:
        return Law(random_logits(classes, generator(seed, Purpose.LAW)), seed, options)
    if logits is not None:
        return Law(_read_logits(logits), seed, options)
    return Law(_read_probabilities(probs if probs is not None else ARTICLE_PROBABILITIES), seed, options)


def command_line(command: str, law: Law, temperatures: Sequence[Temperature], *options: object) -> str:
    """The line, quoted for a shell, that asks `gsm` for this command, law and temperatures, with further options."""
    taus = [word for temperature in temperatures for word in ("--tau", temperature.text)]
    return shlex.join(str(word) for word in ("gsm", command, *taus, *law.options, "--seed", law.seed, *options))


def _read_temperature(text: str) -> Temperature:
    try:
        exact = Decimal(text.strip())
    except InvalidOperation:
        raise UsageError(f"--tau must be a number, not {text!r}: write for example --tau 0.5") from None
    if not exact.is_finite() or not 0.0 < float(exact) < math.inf:
        raise UsageError(f"--tau must be positive and finite, not {text}: write for example --tau 0.5")
    temperature = Temperature(+exact)  # to the 28 digits that a file name is computed with
    if len(temperature.text) > MOST_DIGITS:
        raise UsageError(f"--tau names a file and must have at most {MOST_DIGITS} digits, not {text}: choose another")
    return temperature


def _read_numbers(option: str, text: str) -> Array:
    try:
        numbers = np.array([float(part) for part in text.split(",")])
    except ValueError:
        raise UsageError(
            f"{option} must be numbers separated by commas, not {text!r}: write for example {option} 0.5,0.3,0.2"
        ) from None
    if numbers.size < 2:
        raise UsageError(f"{option} must name at least two classes, not {numbers.size}: add the others after a comma")
    if not np.isfinite(numbers).all():
        raise UsageError(f"{option} must be finite numbers, not {text}: replace the nan or inf")
    return numbers


def _read_probabilities(text: str) -> Array:
    probabilities = _read_numbers("--probs", text)
    if (probabilities < 0).any():
        raise UsageError(
            f"--probs must not be negative, and {probabilities.min():g} is: log-probabilities go with --logits"
        )
    total = _total(probabilities)
    if not _is_one(total):
        raise UsageError(f"--probs must sum to 1, not to {total:g}: scale them, or pass log-probabilities as --logits")
    with np.errstate(divide="ignore"):  # probability 0 is the logit -inf
        return np.asarray(np.log(probabilities / total))


def _read_logits(text: str) -> Array:
    logits = _read_numbers("--logits", text)
    if (logits >= 0).all() and _is_one(_total(logits)):
        raise UsageError(
            f"--logits must be log-probabilities, and {text} are probabilities: pass them as --probs "
            "(if they are meant, add one number to all of them, which leaves the law as it is)"
        )
    with np.errstate(over="ignore"):  # a logit too far below the best to be told from -inf
        scores = logits - logits.max()
    return np.asarray(scores - np.log(np.exp(scores).sum()))


def _total(numbers: Array) -> float:
    with np.errstate(over="ignore"):  # too great a sum is inf
        return float(numbers.sum())


def _is_one(total: float) -> bool:
    return abs(total - 1.0) <= SUM_TOLERANCE
