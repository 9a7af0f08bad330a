"""What each figure command shows: computed once, then drawn, and described in words and in JSON.

One seed fixes one sequence of noise. Draw r of a law is the same vector of noise in every figure and at every
temperature: `sample` shows draw 0, `z_r` draw r, `expectation` the mean of the first draws, `grid` the first rows.
"""

import json
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from gsm_cli import __version__, style
from gsm_cli.law import figures
from gsm_cli.law.gumbel import Array, exact_expectation, exact_standard_deviation, expectation, one_hot_argmax, relax
from gsm_cli.law.request import NOISE_STREAM, Law, Temperature


@dataclass(frozen=True)
class Picture:
    """One figure: its file name, its words, the facts it shows (JSON values) and how to draw it."""

    name: str
    title: str
    description: str
    facts: dict[str, Any]
    draw: Callable[[], Figure]

    def encode(self, format: style.Format) -> bytes:
        return style.render(self.draw, format, self.title, self.description, json.dumps(self.facts))


def samples(law: Law, temperatures: Sequence[Temperature], repeat: int) -> list[Picture]:
    """The law itself, draw 0 at every temperature, and the draws 0 to `repeat` - 1 at the first temperature."""
    pi = _rounded(law.probabilities)
    title = f"Categorical law π, {len(pi)} classes"
    pictures = [_bar_picture("original", title, style.ORIGINAL_COLOUR, pi, _facts(law, "sample", ()))]
    noise = law.noise(max(1, repeat))
    for temperature in temperatures:
        facts = _facts(law, "sample", (temperature,)) | {"draw": 0}
        pictures.append(_draw_picture(f"sample_{temperature.file_label}", law, temperature, noise[0], facts))
    for r in range(repeat):
        facts = _facts(law, "sample", temperatures[:1], "--repeat", r + 1) | {"draw": r}
        pictures.append(_draw_picture(f"z_{r}", law, temperatures[0], noise[r], facts, style.REPEAT_COLOUR))
    return pictures


def expectations(law: Law, temperatures: Sequence[Temperature], size: int, plain: bool) -> list[Picture]:
    """The mean of `size` draws at every temperature, against its exact value."""
    return [_expectation_picture(law, temperature, size, plain) for temperature in temperatures]


def grid(law: Law, temperatures: Sequence[Temperature], size: int, draws: int) -> Picture:
    """The categorical law and every temperature side by side: expectation above, the same `draws` noises below."""
    noise = law.noise(draws)
    pi = _rounded(law.probabilities)
    one_hots = [_rounded(draw) for draw in one_hot_argmax(law.logits + noise)]
    columns = [figures.Column("categorical π", style.ORIGINAL_COLOUR, pi, one_hots)]
    facts = _facts(law, "grid", temperatures, "--samples", size, "--draws", draws)
    facts |= {"samples": size, "columns": [{"temperature": None, "mean": pi, "draws": one_hots}]}
    for temperature in temperatures:
        relaxed = [_rounded(draw) for draw in relax(law.logits, noise, temperature.value)]
        shown, numbers = _expectation(law, temperature, size)
        colour = style.temperature_colour(temperature.value)
        columns.append(figures.Column(f"τ = {temperature.text}", colour, shown, relaxed))
        facts["columns"].append({"temperature": temperature.value, **numbers, "draws": relaxed})
    rows = ["expectation", *(f"draw {r}" for r in range(draws))]
    taus = ", ".join(temperature.text for temperature in temperatures)
    description = (
        f"A grid of bar charts over {len(pi)} classes. Columns: the categorical law, then temperatures {taus}. "
        f"Top row: the mean of {size} draws with its exact value. Below: {draws} draws, each row with one and the same "
        "Gumbel noise: one-hot on the left, closer to uniform as the temperature grows."
    )
    title = "Gumbel-Softmax over temperatures"
    return Picture("grid", title, description, facts, lambda: figures.grid_chart(columns, rows))


def _rounded(values: Array) -> list[float]:
    """What a figure shows and says does not depend on a processor's last bit."""
    numbers: list[float] = style.rounded(values.tolist())
    return numbers


def _draw_picture(
    name: str, law: Law, temperature: Temperature, noise: Array, facts: dict[str, Any], colour: str | None = None
) -> Picture:
    values = _rounded(relax(law.logits, noise, temperature.value))
    title = f"One Gumbel-Softmax draw, τ = {temperature.text}"
    return _bar_picture(name, title, colour or style.temperature_colour(temperature.value), values, facts)


def _bar_picture(name: str, title: str, colour: str, values: list[float], facts: dict[str, Any]) -> Picture:
    description = f"Bar chart. {title}. {_heights(values)}"
    return Picture(
        name, title, description, facts | {"values": values}, lambda: figures.bar_chart(values, title, colour)
    )


def _expectation_picture(law: Law, temperature: Temperature, size: int, plain: bool) -> Picture:
    shown, numbers = _expectation(law, temperature, size)
    options = ("--samples", size, *(("--plain",) if plain else ()))
    facts = _facts(law, "expectation", (temperature,), *options) | {"samples": size, **numbers}
    draws = "draw" if size == 1 else "draws"
    title = f"Mean of {size:,} Gumbel-Softmax {draws}, τ = {temperature.text}"
    colour = style.temperature_colour(temperature.value)
    return Picture(
        f"expectation_{temperature.file_label}",
        title,
        f"Bar chart. {title}. {_heights(numbers['mean'])}",
        facts,
        lambda: figures.expectation_chart(shown, title, colour, plain),
    )


def _expectation(law: Law, temperature: Temperature, size: int) -> tuple[figures.Expectation, dict[str, Any]]:
    """The chart's content, and the same as JSON values. The standard error is the exact one, not one from the draws."""
    rng = np.random.default_rng([law.seed, NOISE_STREAM])
    estimate = expectation(law.logits, temperature.value, size, rng)
    exact = exact_expectation(law.logits, temperature.value)
    error = exact_standard_deviation(law.logits, temperature.value) / np.sqrt(size)
    z_scores = [(m - e) / s if s > 0 else None for m, e, s in zip(estimate.mean, exact, error, strict=True)]
    shown = figures.Expectation(_rounded(estimate.mean), _rounded(error), _rounded(exact), _rounded(law.probabilities))
    numbers = {
        "mean": shown.mean,
        "standard_error": shown.standard_error,
        "exact": shown.exact,
        "z_score": [None if z is None else float(f"{z:.3g}") for z in z_scores],
    }
    return shown, numbers


def _facts(law: Law, command: str, temperatures: Sequence[Temperature], *options: object) -> dict[str, Any]:
    """What every figure says of itself: first of all the command that makes it again."""
    taus = [part for temperature in temperatures for part in ("--tau", temperature.text)]
    words = ["gsm", command, *taus, *law.options, "--seed", law.seed, *options]
    return {
        "command": shlex.join(str(word) for word in words),
        "version": __version__,
        "seed": law.seed,
        "temperatures": [temperature.value for temperature in temperatures],
        "probabilities": _rounded(law.probabilities),
    }


def _heights(values: Sequence[float]) -> str:
    top = int(np.argmax(values))
    return f"The highest of {len(values)} bars is class {top + 1} with {values[top]:.2f}."
