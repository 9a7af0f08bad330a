"""What `gsm sample`, `gsm expectation` and `gsm grid` show: computed once, drawn, and described in words and facts.

One seed fixes one sequence of noise. Draw r of a law is the same vector of noise in every figure and at every
temperature: `sample` shows draw 0, `z_r` draw r, `expectation` the mean of the first draws, `grid` the first rows.
"""

from collections.abc import Sequence
from functools import partial

from gsm_cli.law import figures
from gsm_cli.law.colours import ORIGINAL_COLOUR, REPEAT_COLOUR, temperature_colour
from gsm_cli.law.facts import (
    BarFacts,
    Column,
    ExpectationFacts,
    Numbers,
    SampleFacts,
    moments,
    origin,
    rounded,
    rounded_rows,
)
from gsm_cli.law.gumbel import one_hot_argmax, relax
from gsm_cli.law.request import Law, Temperature
from gsm_cli.style import Look, Picture
from gsm_cli.words import counted

PLAIN = Look()


def samples(law: Law, temperatures: Sequence[Temperature], repeat: int, look: Look = PLAIN) -> list[Picture[BarFacts]]:
    """The law itself, draw 0 at every temperature, and the draws 0 to `repeat` - 1 at the first temperature."""
    source, noise = origin(law, look, "sample", ()), law.noise(max(1, repeat))
    title = f"{look.title or 'Categorical law π'}, {law.logits.size} classes"
    original = BarFacts(**source, values=source["probabilities"])
    pictures = [_bar_picture("original", law, look, title, original, ORIGINAL_COLOUR)]
    drawn: list[tuple[str, Temperature, int, str, tuple[object, ...]]] = [
        *((f"sample_{each.file_label}", each, 0, temperature_colour(each.value), ()) for each in temperatures),
        *((f"z_{r}", temperatures[0], r, REPEAT_COLOUR, ("--repeat", r + 1)) for r in range(repeat)),
    ]
    for name, temperature, draw, colour, options in drawn:
        values = rounded(relax(law.logits, noise[draw], temperature.value))
        facts = BarFacts(**origin(law, look, "sample", (temperature,), *options), draw=draw, values=values)
        title = f"{look.title or 'One Gumbel-Softmax draw'}, τ = {temperature.text}"
        pictures.append(_bar_picture(name, law, look, title, facts, colour))
    return pictures


def expectations(
    law: Law, temperatures: Sequence[Temperature], size: int, plain: bool, look: Look = PLAIN
) -> list[Picture[ExpectationFacts]]:
    """The mean of `size` draws at every temperature, against its exact value."""
    options = ("--samples", size, *(("--plain",) if plain else ()))
    words = look.title or f"Mean of {counted(size, 'Gumbel-Softmax draw')}"
    pictures = []
    for temperature in temperatures:
        source = origin(law, look, "expectation", (temperature,), *options)
        facts = ExpectationFacts(**source, samples=size, **moments(law, temperature, size))
        title, colour = f"{words}, τ = {temperature.text}", temperature_colour(temperature.value)
        description = f"Bar chart. {title}. {_highest(facts.mean, law)}"
        draw = partial(figures.expectation_chart, facts, classes_of(law), title, colour, plain)
        pictures.append(Picture(f"expectation_{temperature.file_label}", title, description, facts, draw, look))
    return pictures


def grid(
    law: Law, temperatures: Sequence[Temperature], size: int, draws: int, look: Look = PLAIN
) -> Picture[SampleFacts]:
    """The categorical law and every temperature side by side: expectation above, the same `draws` noises below."""
    noise = law.noise(draws)
    source = origin(law, look, "grid", temperatures, "--samples", size, "--draws", draws)
    one_hot = rounded_rows(one_hot_argmax(law.logits + noise))
    columns = [Column(temperature=None, mean=source["probabilities"], draws=one_hot)]
    for temperature in temperatures:
        relaxed = rounded_rows(relax(law.logits, noise, temperature.value))
        columns.append(Column(temperature=temperature.value, **moments(law, temperature, size), draws=relaxed))
    facts = SampleFacts(**source, samples=size, columns=tuple(columns))
    taus = [temperature.text for temperature in temperatures]
    description = (
        f"A grid of bar charts over {law.logits.size} classes. Columns: the categorical law, then temperatures "
        f"{', '.join(taus)}. Top row: the mean of {size} draws with its exact value. Below: {draws} draws, each row "
        "with one and the same Gumbel noise: one-hot on the left, closer to uniform as the temperature grows."
    )
    title = look.title or "Gumbel-Softmax over temperatures"
    titles = ["categorical π", *(f"τ = {tau}" for tau in taus)]
    draw = partial(figures.grid_chart, facts.columns, titles, classes_of(law), look.title)
    return Picture("grid", title, description, facts, draw, look)


def classes_of(law: Law) -> figures.Classes:
    """What stands beneath the bars of a law."""
    return figures.Classes(rounded(law.probabilities), law.names)


def _bar_picture(name: str, law: Law, look: Look, title: str, facts: BarFacts, colour: str) -> Picture[BarFacts]:
    description = f"Bar chart. {title}. {_highest(facts.values, law)}"
    draw = partial(figures.bar_chart, facts.values, classes_of(law), title, colour)
    return Picture(name, title, description, facts, draw, look)


def _highest(values: Numbers, law: Law) -> str:
    top = max(range(len(values)), key=values.__getitem__)
    name = law.names[top] if law.names else f"class {top + 1}"
    return f"The highest of {len(values)} bars is {name} with {values[top]:.2f}."
