"""What a figure of the law says of itself, in its file and on stdout."""

import msgspec

Numbers = tuple[float, ...]


class Facts(msgspec.Struct, frozen=True, kw_only=True):
    """What every figure of the law says; `command` makes it again, but for its folder and its format."""

    command: str
    version: str
    seed: int
    temperatures: Numbers
    probabilities: Numbers  # (K,)


class LawFacts(Facts, frozen=True, kw_only=True):
    """The bars of the law itself, (K,)."""

    values: Numbers


class DrawFacts(Facts, frozen=True, kw_only=True):
    """The number of a draw, from 0, and its bars, (K,)."""

    draw: int
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


class LawColumn(msgspec.Struct, frozen=True, kw_only=True):
    """The first column of a grid: pi (K,) and its one-hot draws, each (K,); it has no temperature."""

    temperature: None = None
    mean: Numbers
    draws: tuple[Numbers, ...]


class TemperatureColumn(msgspec.Struct, frozen=True, kw_only=True):
    """A column of a grid: an expectation as in `ExpectationFacts`, and relaxed draws, each (K,)."""

    temperature: float
    mean: Numbers
    standard_error: Numbers
    exact: Numbers
    z_score: tuple[float | None, ...]
    draws: tuple[Numbers, ...]


class GridFacts(Facts, frozen=True, kw_only=True):
    """Means of `samples` draws and single draws: the law first, then every temperature."""

    samples: int
    columns: tuple[LawColumn | TemperatureColumn, ...]
