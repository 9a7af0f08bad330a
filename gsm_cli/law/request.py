"""Which categorical law and which temperatures a figure command shows: what the user typed, read and written again."""

import math
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

import numpy as np
from numpy.typing import NDArray

from gsm_cli.errors import UsageError, is_seen, shown
from gsm_cli.law.gumbel import Array, gumbel_noise, random_logits, relax
from gsm_cli.law.numbers import Written, read_numbers
from gsm_cli.streams import Purpose, generator

ARTICLE_PROBABILITIES = (0.107, 0.765, 0.022, 0.006, 0.055, 0.045)  # read from the article's first picture
ARTICLE_TRIANGLE = ARTICLE_PROBABILITIES[:3]  # to be scaled
ARTICLE_TEMPERATURES = ("0.1", "1", "5", "100")
MOST_DIGITS = 100  # of a temperature, written without an exponent
MOST_TEMPERATURES = 50  # of one command
MOST_CLASSES = 10_000
MOST_NUMBERS = 10**9  # that one command draws: about a minute on one core
MOST_BARS = 40  # classes that are drawn one by one and may have names
LONGEST_NAME = 20  # characters of a class
SUM_TOLERANCE = 1e-5  # so that 0.33333,0.33333,0.33333 is a law
MOST_ROUNDING = 0.02  # by which a sum of terms with two to four decimals may be off


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
    """A categorical law: log-probabilities (K,), the seed of its draws, the options that name it, names of classes."""

    logits: Array
    seed: int
    options: tuple[str, ...]
    names: tuple[str, ...] = ()

    @property
    def probabilities(self) -> Array:
        return relax(self.logits, 0.0, 1.0)

    def noise(self, draws: int) -> Array:
        """The Gumbel noise of the draws 0 to `draws` - 1, (draws, K): it depends on the seed and on nothing else."""
        return gumbel_noise((draws, self.logits.size), self.rng())

    def rng(self) -> np.random.Generator:
        """The stream of that noise, from its beginning."""
        return generator(self.seed, Purpose.DRAWS)


def read_temperatures(texts: Sequence[str], most: int = MOST_TEMPERATURES) -> list[Temperature]:
    """The temperatures in the order given, with commas or without, each number once. Raises UsageError."""
    parts = [part for text in texts for part in text.split(",")]
    temperatures = list(dict.fromkeys(read_temperature(part) for part in parts))
    if len(temperatures) > most:
        raise UsageError(
            f"--tau must name at most {most} temperatures, not {len(temperatures)}: "
            "leave some out, or draw them with several commands"
        )
    return temperatures


@np.errstate(over="ignore", divide="ignore")  # too great a sum is inf; probability 0 is the logit -inf
def read_law(
    probs: str | None,
    logits: str | None,
    classes: int | None,
    seed: int,
    names: str | None = None,
    normalize: bool = False,
    default: Sequence[float] = ARTICLE_PROBABILITIES,
) -> Law:
    """The law that one of the options names, else that of the default weights. Raises UsageError or DataError."""
    choices = (("--probs", probs), ("--logits", logits), ("--classes", classes))
    given = [name for name, value in choices if value is not None]
    if len(given) > 1:
        raise UsageError(f"one law at a time: {' and '.join(given)} were given together, so leave out all but one")
    if normalize and probs is None:
        raise UsageError("--normalize scales probabilities, and there are none: give them with --probs")
    options: list[str] = []
    if classes is not None:
        options, scores = ["--classes", str(classes)], random_logits(classes, generator(seed, Purpose.LAW))
    elif logits is not None:
        written = read_numbers("--logits", logits, "-0.7,-1.2,-1.6")
        options, scores = ["--logits", written.again], _scores(written)
    elif probs is not None:
        written = read_numbers("--probs", probs, "0.5,0.3,0.2")
        options = ["--probs", written.again, *(["--normalize"] if normalize else [])]
        scores = _logarithms(_weights(written, normalize))
    else:
        scores = _logarithms(np.asarray(default))
    if scores.size > MOST_CLASSES:
        raise UsageError(f"a law must have at most {MOST_CLASSES:,} classes, not {scores.size:,}: leave some out")
    if names is not None:
        options += ["--class-names", names]
    return Law(scores, seed, tuple(options), () if names is None else _read_names(names, scores.size))


def check_work(option: str, draws: int, law: Law, temperatures: int) -> None:
    """Refuse more draws at so many temperatures than a minute gives. Raises UsageError."""
    most = MOST_NUMBERS // (law.logits.size * temperatures)
    if draws > most:
        raise UsageError(
            f"{option} must be at most {most} for {law.logits.size} classes and {temperatures} temperatures, "
            f"not {draws}: take fewer draws, classes or temperatures"
        )


def command_line(command: str, law: Law, temperatures: Sequence[Temperature], *options: object) -> str:
    """The line, quoted for a shell, that asks `gsm` for this command, law and temperatures, with further options."""
    taus = [word for temperature in temperatures for word in ("--tau", temperature.text)]
    return shlex.join(str(word) for word in ("gsm", command, *taus, *law.options, "--seed", law.seed, *options))


def read_temperature(text: str, option: str = "--tau") -> Temperature:
    """The temperature that an option names. Raises UsageError."""
    try:
        exact = Decimal(text.strip())
    except InvalidOperation:
        raise UsageError(f"{option} must be a number, not {shown(text)}: write for example {option} 0.5") from None
    if not exact.is_finite() or not 0.0 < float(exact) < math.inf:
        raise UsageError(f"{option} must be positive and finite, not {shown(text)}: write for example {option} 0.5")
    temperature = Temperature(+exact)  # to the 28 digits that a file name is computed with
    if len(temperature.text) > MOST_DIGITS:
        raise UsageError(f"{option} must have at most {MOST_DIGITS} digits, not {shown(text)}: choose another")
    return temperature


def _weights(written: Written, normalize: bool) -> Array:
    """Probabilities, or with `normalize` weights of any sum, of which none is above 1."""
    probabilities = written.values
    _check("--probs", written, np.isfinite(probabilities))
    if (probabilities < 0).any():
        raise UsageError(
            f"--probs must not be negative, and {probabilities.min():g} is: log-probabilities go with --logits"
        )
    if normalize and probabilities.any():
        return np.asarray(probabilities / probabilities.max())
    total = float(probabilities.sum())
    if not _is_one(total, min(written.rounding, MOST_ROUNDING)):
        beyond = "beyond 1e308" if math.isinf(total) else f"to {total:g}"
        scaled = "scale them with --normalize, or pass log-probabilities as --logits"
        wanted = "more than 0" if normalize else "1"
        raise UsageError(f"--probs must sum to {wanted}, not {beyond}: {scaled if total else 'replace one of them'}")
    return probabilities


def _scores(written: Written) -> Array:
    """Logits less the logarithm of the sum of their exponentials; -inf is a class that never comes."""
    logits = written.values
    _check("--logits", written, np.isfinite(logits) | np.isneginf(logits))
    if not np.isfinite(logits).any():
        raise UsageError("--logits must have a number above -inf, and have none: replace one of them")
    if (logits >= 0).all() and _is_one(float(logits.sum())):
        raise UsageError(
            f"--logits must be log-probabilities, and {shown(written.again)} are probabilities: pass them as "
            "--probs (if they are meant, add one number to all of them, which leaves the law as it is)"
        )
    scores = logits - logits.max()
    return np.asarray(scores - np.log(np.exp(scores).sum()))


def _check(option: str, written: Written, fine: NDArray[np.bool_]) -> None:
    if not fine.all():
        word, line = shown(written.words[int(fine.argmin())]), shown(written.again)
        beside = " or -inf" if option == "--logits" else ""
        raise UsageError(f"{option} must be finite numbers up to 1e308{beside}, not {word}: replace it in {line}")


def _read_names(text: str, classes: int) -> tuple[str, ...]:
    names = tuple(name.strip() for name in text.split(","))
    example = "write for example --class-names cat,dog,bird"
    if classes > MOST_BARS:
        raise UsageError(f"--class-names must be of at most {MOST_BARS} classes, not {classes}: leave the names out")
    if len(names) != classes:
        raise UsageError(f"--class-names must be one for each of {classes} classes, not {len(names)}: {example}")
    for name in names:
        if not (is_seen(name) and 0 < len(name) <= LONGEST_NAME):
            raise UsageError(
                f"--class-names must have 1 to {LONGEST_NAME} printable characters, not {shown(name)}: {example}"
            )
    return names


def _logarithms(weights: Array) -> Array:
    return np.asarray(np.log(weights / weights.sum()))


def _is_one(total: float, rounding: float = 0.0) -> bool:
    return abs(total - 1.0) <= max(SUM_TOLERANCE, rounding) + 1e-12
