"""What a figure of the law says of itself, in its file and on stdout."""

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from gsm_cli import __version__, style
from gsm_cli.law.gumbel import Array, expectation
from gsm_cli.law.moments import exact_moments
from gsm_cli.law.request import Law, Temperature, command_line
from gsm_cli.style import Look

RESOLUTION = 1e-12  # of a mean in float64, with a margin: a smaller standard error cannot be told from rounding

Numbers = tuple[float, ...]


class Facts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What every figure of the law says; `command` makes it again, but for its folder and its format."""

    command: str
    version: str
    seed: int
    temperatures: Numbers
    probabilities: Numbers  # (K,)


class BarFacts(Facts, frozen=True, kw_only=True):
    """The bars of the law itself, or of a draw with its number, from 0; (K,)."""

    draw: int | None = None
    values: Numbers


class ExpectationFacts(Facts, frozen=True, kw_only=True):
    """The mean of `samples` draws, its exact standard error and what it tends to, each (K,).

    The z-score is the distance of the mean from its exact value in standard errors; null for a class that does not
    vary, or by less than float64 resolves.
    """

    samples: int
    mean: Numbers
    standard_error: Numbers
    exact: Numbers
    z_score: tuple[float | None, ...]


class Column(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An expectation at one temperature, as in `ExpectationFacts`, and single draws, each (K,).

    Without a temperature it is pi, which is no mean of draws.
    """

    temperature: float | None
    mean: Numbers
    standard_error: Numbers = ()
    exact: Numbers = ()
    z_score: tuple[float | None, ...] = ()
    draws: tuple[Numbers, ...] = ()


class SampleFacts(Facts, frozen=True, kw_only=True):
    """Means of `samples` draws at every temperature, and before them the law, if it is shown; of a film no column."""

    samples: int
    columns: tuple[Column, ...] = ()


def moments(law: Law, temperature: Temperature, size: int) -> dict[str, Any]:
    """The fields of a mean of draws against its exact value; the standard error is exact, not one from the draws."""
    mean = expectation(law.logits, temperature.value, size, law.rng()).mean
    exact, variance = exact_moments(law.logits, temperature.value)
    error = np.sqrt(variance / size)
    z_score = [
        float(f"{(m - e) / s:.3g}") if s > RESOLUTION * e else None for m, e, s in zip(mean, exact, error, strict=True)
    ]
    return {"mean": rounded(mean), "standard_error": rounded(error), "exact": rounded(exact), "z_score": tuple(z_score)}


def origin(law: Law, look: Look, command: str, temperatures: Sequence[Temperature], *options: object) -> dict[str, Any]:
    """What every figure says of itself: first of all the command that makes it again."""
    return {
        "command": command_line(command, law, temperatures, *options, *look.options),
        "version": __version__,
        "seed": law.seed,
        "temperatures": tuple(temperature.value for temperature in temperatures),
        "probabilities": rounded(law.probabilities),
    }


def rounded(values: Array) -> Numbers:
    """What a figure shows and says does not depend on a processor's last bit."""
    return tuple(style.six_digits(value) for value in values.tolist())


def rounded_rows(values: Array) -> tuple[Numbers, ...]:
    return tuple(rounded(row) for row in values)
