"""The picture of a measurement of gradients."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from gsm_cli.records.gradients import ROUNDING, GradientRecord, GradientRow, GradientSubject
from gsm_cli.reports.charts import colours
from gsm_cli.style import INK

TITLES = {"linear": "f(y) linear", "quadratic": "f(y) quadratic"}
DASH = 5.0  # the length of a dash, in widths of the line
STEP = 0.05  # between triangles at one temperature, in heights of the panel
PALE = 0.4  # of the seeds but the first


@dataclass(frozen=True)
class Quantity:
    """What a row of panels shows: its label, and a number of a row of the record; none where it cannot be seen."""

    label: str
    value: Callable[[GradientRow], float | None]
    scale: str = "log"


def seen_bias(row: GradientRow) -> float | None:
    """The bias; none where it cannot be told from 0."""
    return row.logits.bias if row.logits.is_biased else None


COSINE = Quantity("cosine of the mean", lambda row: row.logits.cosine, "linear")
BIAS = Quantity("bias / norm", seen_bias)
DEVIATION = Quantity("deviation / norm", lambda row: row.deviation if row.deviation > ROUNDING else None)
QUANTITIES = (COSINE, BIAS, DEVIATION)


def panels(record: GradientRecord) -> dict[str, list[GradientSubject]]:
    """The subjects of every column by its title: a function of y, or the models of all seeds after one epoch."""
    found: dict[str, list[GradientSubject]] = {}
    for subject in record.subjects:
        title = TITLES.get(subject.name, subject.name) if subject.epoch is None else f"model, epoch {subject.epoch}"
        found.setdefault(title, []).append(subject)
    return found


def gradient_chart(record: GradientRecord) -> Figure:
    """Cosine of the mean, bias and deviation (from above) of every estimator's gradient against the temperature."""
    columns = panels(record)
    palette = colours(list(dict.fromkeys(row.estimator for row in record.rows)))
    figure = Figure(figsize=(max(3.1 * len(columns) + 0.6, 8.0), 9.0))
    cells = figure.subplots(len(QUANTITIES), len(columns), sharex=True, sharey="row", squeeze=False)
    for column, (title, subjects) in zip(cells.T, columns.items(), strict=True):
        column[0].set_title(title)
        column[-1].set_xlabel("temperature")
        for axes, quantity in zip(column, QUANTITIES, strict=True):
            for number, subject in enumerate(subjects):
                own = [row for row in record.rows if row.subject == subject.name]
                _draw(axes, own, quantity, palette, PALE if number else 1.0)
    for line, quantity in zip(cells, QUANTITIES, strict=True):
        nothing = all(quantity.value(row) is None for row in record.rows)
        line[0].set(ylabel=quantity.label, yscale="linear" if nothing else quantity.scale)
        for axes in line:
            axes.minorticks_off()
            axes.tick_params(labelsize=10)
            axes.axhline(0.0 if quantity is COSINE else 1.0, color=INK, linewidth=0.6, linestyle=":", zorder=0)
    figure.legend(_handles(record.rows, palette), list(palette), loc="outside lower center", ncols=4)
    return figure


def _handles(rows: Sequence[GradientRow], palette: Mapping[str, str]) -> list[Line2D]:
    """What the legend shows: estimators with a temperature by their points, the others by a dash."""
    level = {row.estimator for row in rows if row.temperature is None}
    return [
        Line2D([], [], color=colour, linestyle="--" if name in level else "-", marker="" if name in level else "o")
        for name, colour in palette.items()
    ]


def _draw(
    axes: Axes, rows: Sequence[GradientRow], quantity: Quantity, palette: Mapping[str, str], opacity: float
) -> None:
    """Estimators with a temperature as lines that break where nothing is seen, the others as level dashes.

    What is not seen is an open triangle on the lower axis.
    """
    temperatures = sorted({row.temperature for row in rows if row.temperature is not None}) or [0.5, 1.0]
    names = list(dict.fromkeys(row.estimator for row in rows))
    level = [name for name in names if any(row.temperature is None for row in rows if row.estimator == name)]
    places = np.geomspace(temperatures[0], temperatures[-1], len(level) + 2)[1:-1]
    for name in names:
        own = [row for row in rows if row.estimator == name]
        values = [nan if (value := quantity.value(row)) is None else value for row in own]
        if name in level:
            number = level.index(name)
            dashes = (number * DASH, (DASH, DASH * max(1, len(level) - 1)))
            x, ends = [float(places[number])], [temperatures[0], temperatures[-1]]
            axes.plot(ends, values * 2, linestyle=dashes, color=palette[name], alpha=opacity)
        else:
            x = [row.temperature or nan for row in own]
            axes.plot(x, values, marker="o", markersize=4, color=palette[name], alpha=opacity)
        unseen = [place for place, value in zip(x, values, strict=True) if value != value]
        height = 0.03 if name in level else 0.03 + STEP * names.index(name)  # of the panel
        below = Line2D(unseen, [height] * len(unseen), linestyle="", marker="v", fillstyle="none")
        below.set(color=palette[name], alpha=opacity, transform=axes.get_xaxis_transform())
        axes.add_artist(below)
    axes.set_xscale("log")
    axes.set_xticks(temperatures, [f"{tau:g}" for tau in temperatures])
