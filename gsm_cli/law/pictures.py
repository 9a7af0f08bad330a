"""What each figure command shows: computed once, then drawn, and described in words and in facts.

One seed fixes one sequence of noise. Draw r of a law is the same vector of noise in every figure and at every
temperature: `sample` shows draw 0, `z_r` draw r, `expectation` the mean of the first draws, `grid` the first rows.
"""

from collections.abc import Sequence
from typing import TypedDict, TypeVar

import numpy as np

from gsm_cli import __version__, style
from gsm_cli.law import figures
from gsm_cli.law.facts import DrawFacts, ExpectationFacts, GridFacts, LawColumn, LawFacts, Numbers, TemperatureColumn
from gsm_cli.law.gumbel import Array, exact_moments, expectation, one_hot_argmax, relax
from gsm_cli.law.request import Law, Temperature, command_line
from gsm_cli.style import Picture

Bars = TypeVar("Bars", LawFacts, DrawFacts)
RESOLUTION = 1e-12  # of a mean in float64, with a margin: a smaller standard error cannot be told from rounding


def samples(law: Law, temperatures: Sequence[Temperature], repeat: int) -> list[Picture[LawFacts | DrawFacts]]:
    """The law itself, draw 0 at every temperature, and the draws 0 to `repeat` - 1 at the first temperature."""
    noise = law.noise(max(1, repeat))
    pictures: list[Picture[LawFacts | DrawFacts]] = [_law_picture(law)]
    for temperature in temperatures:
        facts = _draw_facts(law, temperature, 0, noise[0])
        colour = style.temperature_colour(temperature.value)
        pictures.append(_draw_picture(f"sample_{temperature.file_label}", temperature, facts, colour))
    for r in range(repeat):
        facts = _draw_facts(law, temperatures[0], r, noise[r], "--repeat", r + 1)
        pictures.append(_draw_picture(f"z_{r}", temperatures[0], facts, style.REPEAT_COLOUR))
    return pictures


def expectations(
    law: Law, temperatures: Sequence[Temperature], size: int, plain: bool
) -> list[Picture[ExpectationFacts]]:
    """The mean of `size` draws at every temperature, against its exact value."""
    return [_expectation_picture(law, temperature, size, plain) for temperature in temperatures]


def grid(law: Law, temperatures: Sequence[Temperature], size: int, draws: int) -> Picture[GridFacts]:
    """The categorical law and every temperature side by side: expectation above, the same `draws` noises below."""
    noise = law.noise(draws)
    origin = _origin(law, "grid", temperatures, "--samples", size, "--draws", draws)
    law_column = LawColumn(mean=origin["probabilities"], draws=_rows(one_hot_argmax(law.logits + noise)))
    columns = [_temperature_column(law, temperature, size, noise) for temperature in temperatures]
    facts = GridFacts(**origin, samples=size, columns=(law_column, *columns))
    charts = [figures.Column("categorical π", style.ORIGINAL_COLOUR, law_column.mean, law_column.draws)]
    for temperature, column in zip(temperatures, columns, strict=True):
        shown = figures.Expectation(column.mean, column.standard_error, column.exact, facts.probabilities)
        colour = style.temperature_colour(temperature.value)
        charts.append(figures.Column(f"τ = {temperature.text}", colour, shown, column.draws))
    rows = ["expectation", *(f"draw {r}" for r in range(draws))]
    taus = ", ".join(temperature.text for temperature in temperatures)
    description = (
        f"A grid of bar charts over {law.logits.size} classes. Columns: the categorical law, then temperatures {taus}. "
        f"Top row: the mean of {size} draws with its exact value. Below: {draws} draws, each row with one and the same "
        "Gumbel noise: one-hot on the left, closer to uniform as the temperature grows."
    )
    title = "Gumbel-Softmax over temperatures"
    return Picture("grid", title, description, facts, lambda: figures.grid_chart(charts, rows))


def _law_picture(law: Law) -> Picture[LawFacts]:
    origin = _origin(law, "sample", ())
    facts = LawFacts(**origin, values=origin["probabilities"])
    title = f"Categorical law π, {len(facts.values)} classes"
    return _bar_picture("original", title, facts, style.ORIGINAL_COLOUR)


def _draw_facts(law: Law, temperature: Temperature, draw: int, noise: Array, *options: object) -> DrawFacts:
    values = _rounded(relax(law.logits, noise, temperature.value))
    return DrawFacts(**_origin(law, "sample", (temperature,), *options), draw=draw, values=values)


def _draw_picture(name: str, temperature: Temperature, facts: DrawFacts, colour: str) -> Picture[DrawFacts]:
    return _bar_picture(name, f"One Gumbel-Softmax draw, τ = {temperature.text}", facts, colour)


def _bar_picture(name: str, title: str, facts: Bars, colour: str) -> Picture[Bars]:
    description = f"Bar chart. {title}. {_highest(facts.values)}"
    return Picture(name, title, description, facts, lambda: figures.bar_chart(facts.values, title, colour))


def _expectation_picture(law: Law, temperature: Temperature, size: int, plain: bool) -> Picture[ExpectationFacts]:
    options = ("--samples", size, *(("--plain",) if plain else ()))
    moments = _moments(law, temperature, size)
    facts = ExpectationFacts(**_origin(law, "expectation", (temperature,), *options), samples=size, **moments)
    shown = figures.Expectation(facts.mean, facts.standard_error, facts.exact, facts.probabilities)
    title = f"Mean of {size:,} Gumbel-Softmax {'draw' if size == 1 else 'draws'}, τ = {temperature.text}"
    colour = style.temperature_colour(temperature.value)
    return Picture(
        f"expectation_{temperature.file_label}",
        title,
        f"Bar chart. {title}. {_highest(facts.mean)}",
        facts,
        lambda: figures.expectation_chart(shown, title, colour, plain),
    )


def _temperature_column(law: Law, temperature: Temperature, size: int, noise: Array) -> TemperatureColumn:
    draws = _rows(relax(law.logits, noise, temperature.value))
    return TemperatureColumn(temperature=temperature.value, **_moments(law, temperature, size), draws=draws)


class _Moments(TypedDict):
    mean: Numbers
    standard_error: Numbers
    exact: Numbers
    z_score: tuple[float | None, ...]


def _moments(law: Law, temperature: Temperature, size: int) -> _Moments:
    """The mean of the draws against its exact value; the standard error is exact too, not one from the draws."""
    mean = expectation(law.logits, temperature.value, size, law.rng()).mean
    exact, variance = exact_moments(law.logits, temperature.value)
    error = np.sqrt(variance / size)
    z_score = [
        float(f"{(m - e) / s:.3g}") if s > RESOLUTION * e else None for m, e, s in zip(mean, exact, error, strict=True)
    ]
    return {
        "mean": _rounded(mean),
        "standard_error": _rounded(error),
        "exact": _rounded(exact),
        "z_score": tuple(z_score),
    }


class _Origin(TypedDict):
    command: str
    version: str
    seed: int
    temperatures: Numbers
    probabilities: Numbers


def _origin(law: Law, command: str, temperatures: Sequence[Temperature], *options: object) -> _Origin:
    """What every figure says of itself: first of all the command that makes it again."""
    return {
        "command": command_line(command, law, temperatures, *options),
        "version": __version__,
        "seed": law.seed,
        "temperatures": tuple(temperature.value for temperature in temperatures),
        "probabilities": _rounded(law.probabilities),
    }


def _rounded(values: Array) -> Numbers:
    """What a figure shows and says does not depend on a processor's last bit."""
    return tuple(style.six_digits(value) for value in values.tolist())


def _rows(values: Array) -> tuple[Numbers, ...]:
    return tuple(_rounded(row) for row in values)


def _highest(values: Numbers) -> str:
    top = max(range(len(values)), key=values.__getitem__)
    return f"The highest of {len(values)} bars is class {top + 1} with {values[top]:.2f}."
