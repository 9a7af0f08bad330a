"""What `gsm sample`, `gsm expectation` and `gsm grid` show: computed once, drawn, and described in words and facts.

One seed fixes one sequence of noise. Draw r of a law is the same vector of noise in every figure and at every
temperature: `sample` shows draw 0, `z_r` draw r, `expectation` the mean of the first draws, `grid` the first rows.
"""

from collections.abc import Sequence
from functools import partial
from typing import TypeVar

from gsm_cli.law import figures
from gsm_cli.law.colours import ORIGINAL_COLOUR, REPEAT_COLOUR, temperature_colour
from gsm_cli.law.facts import (
    DrawFacts,
    ExpectationFacts,
    GridFacts,
    LawColumn,
    LawFacts,
    Numbers,
    TemperatureColumn,
    moments,
    origin,
    rounded,
    rounded_rows,
)
from gsm_cli.law.gumbel import Array, one_hot_argmax, relax
from gsm_cli.law.request import Law, Temperature
from gsm_cli.style import Look, Picture

Bars = TypeVar("Bars", LawFacts, DrawFacts)
PLAIN = Look()


def samples(
    law: Law, temperatures: Sequence[Temperature], repeat: int, look: Look = PLAIN
) -> list[Picture[LawFacts | DrawFacts]]:
    """The law itself, draw 0 at every temperature, and the draws 0 to `repeat` - 1 at the first temperature."""
    noise = law.noise(max(1, repeat))
    pictures: list[Picture[LawFacts | DrawFacts]] = [_law_picture(law, look)]
    for temperature in temperatures:
        colour = temperature_colour(temperature.value)
        pictures.append(_draw_picture(f"sample_{temperature.file_label}", law, look, temperature, 0, noise[0], colour))
    for r in range(repeat):
        asked = ("--repeat", r + 1)
        picture = _draw_picture(f"z_{r}", law, look, temperatures[0], r, noise[r], REPEAT_COLOUR, *asked)
        pictures.append(picture)
    return pictures


def expectations(
    law: Law, temperatures: Sequence[Temperature], size: int, plain: bool, look: Look = PLAIN
) -> list[Picture[ExpectationFacts]]:
    """The mean of `size` draws at every temperature, against its exact value."""
    return [_expectation_picture(law, look, temperature, size, plain) for temperature in temperatures]


def grid(
    law: Law, temperatures: Sequence[Temperature], size: int, draws: int, look: Look = PLAIN
) -> Picture[GridFacts]:
    """The categorical law and every temperature side by side: expectation above, the same `draws` noises below."""
    noise = law.noise(draws)
    source = origin(law, look, "grid", temperatures, "--samples", size, "--draws", draws)
    law_column = LawColumn(mean=source["probabilities"], draws=rounded_rows(one_hot_argmax(law.logits + noise)))
    columns = [
        TemperatureColumn(
            temperature=temperature.value,
            **moments(law, temperature, size),
            draws=rounded_rows(relax(law.logits, noise, temperature.value)),
        )
        for temperature in temperatures
    ]
    facts = GridFacts(**source, samples=size, columns=(law_column, *columns))
    charts = [figures.Column("categorical π", ORIGINAL_COLOUR, law_column)]
    for temperature, column in zip(temperatures, columns, strict=True):
        charts.append(figures.Column(f"τ = {temperature.text}", temperature_colour(temperature.value), column))
    rows = ["expectation", *(f"draw {r}" for r in range(draws))]
    taus = ", ".join(temperature.text for temperature in temperatures)
    description = (
        f"A grid of bar charts over {law.logits.size} classes. Columns: the categorical law, then temperatures {taus}. "
        f"Top row: the mean of {size} draws with its exact value. Below: {draws} draws, each row with one and the same "
        "Gumbel noise: one-hot on the left, closer to uniform as the temperature grows."
    )
    title = look.title or "Gumbel-Softmax over temperatures"
    draw = partial(figures.grid_chart, charts, rows, classes_of(law), look.title)
    return Picture("grid", title, description, facts, draw, look)


def classes_of(law: Law) -> figures.Classes:
    """What stands beneath the bars of a law."""
    return figures.Classes(rounded(law.probabilities), law.names)


def _law_picture(law: Law, look: Look) -> Picture[LawFacts]:
    source = origin(law, look, "sample", ())
    facts = LawFacts(**source, values=source["probabilities"])
    title = f"{look.title or 'Categorical law π'}, {len(facts.values)} classes"
    return _bar_picture("original", law, look, title, facts, ORIGINAL_COLOUR)


def _draw_picture(
    name: str, law: Law, look: Look, temperature: Temperature, draw: int, noise: Array, colour: str, *options: object
) -> Picture[DrawFacts]:
    values = rounded(relax(law.logits, noise, temperature.value))
    facts = DrawFacts(**origin(law, look, "sample", (temperature,), *options), draw=draw, values=values)
    title = f"{look.title or 'One Gumbel-Softmax draw'}, τ = {temperature.text}"
    return _bar_picture(name, law, look, title, facts, colour)


def _bar_picture(name: str, law: Law, look: Look, title: str, facts: Bars, colour: str) -> Picture[Bars]:
    description = f"Bar chart. {title}. {_highest(facts.values, law)}"
    draw = partial(figures.bar_chart, facts.values, classes_of(law), title, colour)
    return Picture(name, title, description, facts, draw, look)


def _expectation_picture(
    law: Law, look: Look, temperature: Temperature, size: int, plain: bool
) -> Picture[ExpectationFacts]:
    options = ("--samples", size, *(("--plain",) if plain else ()))
    source = origin(law, look, "expectation", (temperature,), *options)
    facts = ExpectationFacts(**source, samples=size, **moments(law, temperature, size))
    words = f"Mean of {size:,} Gumbel-Softmax {'draw' if size == 1 else 'draws'}"
    title = f"{look.title or words}, τ = {temperature.text}"
    colour = temperature_colour(temperature.value)
    return Picture(
        f"expectation_{temperature.file_label}",
        title,
        f"Bar chart. {title}. {_highest(facts.mean, law)}",
        facts,
        partial(figures.expectation_chart, facts, classes_of(law), title, colour, plain),
        look,
    )


def _highest(values: Numbers, law: Law) -> str:
    top = max(range(len(values)), key=values.__getitem__)
    name = law.names[top] if law.names else f"class {top + 1}"
    return f"The highest of {len(values)} bars is {name} with {values[top]:.2f}."
