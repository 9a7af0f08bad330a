"""The picture of a measurement of gradients."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np

from gsm_cli.analysis.identity import with_looks
from gsm_cli.records.gradients import ROUNDING, GradientRecord, GradientRow, GradientSubject
from gsm_cli.reports.charts import value_ticks
from gsm_cli.style import INK

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Look = dict[str, Any]  # how something is drawn, as matplotlib names it

TITLES = {"linear": "f(y) linear", "quadratic": "f(y) quadratic"}
WIDTH = 3.1  # inches of a column
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


def gradient_chart(record: GradientRecord) -> "Figure":
    """Cosine of the mean, bias and deviation (from above) of every estimator's gradient against the temperature."""
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.ticker import LogLocator, StrMethodFormatter

    columns = panels(record)
    looks = _looks(record.rows)
    figure = Figure(figsize=(max(WIDTH * len(columns) + 0.6, 8.0), 9.0))
    cells = figure.subplots(len(QUANTITIES), len(columns), sharex=True, sharey="row", squeeze=False)
    for column, (title, subjects) in zip(cells.T, columns.items(), strict=True):
        column[0].set_title(title)
        column[-1].set_xlabel("temperature")
        for axes, quantity in zip(column, QUANTITIES, strict=True):
            for number, subject in enumerate(subjects):
                own = [row for row in record.rows if row.subject == subject.name]
                _draw(axes, own, quantity, looks, PALE if number else 1.0)
    for line, quantity in zip(cells, QUANTITIES, strict=True):
        seen = any(quantity.value(row) is not None for row in record.rows)
        line[0].set(ylabel=quantity.label, yscale=quantity.scale if seen else "linear")
        if line[0].get_yscale() == "log":
            line[0].yaxis.set_major_locator(LogLocator(subs=(1, 3)))
        for axes in line:
            axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
            axes.tick_params(labelsize=10)
            value_ticks(axes, _temperatures(record.rows), WIDTH - 0.6, 10)
            axes.axhline(0.0 if quantity is COSINE else 1.0, color=INK, linewidth=0.6, linestyle=":", zorder=0)
    handles = [Line2D([], [], **look) for look in looks.values()]
    figure.legend(handles, list(looks), loc="outside lower center", ncols=4)
    return figure


def _looks(rows: Sequence[GradientRow]) -> dict[str, Look]:
    """How every estimator is drawn: those with a temperature as lines, the others as dashes."""
    names = list(dict.fromkeys(row.estimator for row in rows))
    level = {row.estimator for row in rows if row.temperature is None}
    return {
        line.objective: {
            "color": line.colour,
            "marker": line.marker,
            "markersize": 5,
            "linestyle": "--" if line.objective in level else "-",
        }
        for line in with_looks([(name, ()) for name in names])
    }


def _temperatures(rows: Sequence[GradientRow]) -> list[float]:
    """All that were measured; without any, the ends of the level dashes."""
    return sorted({row.temperature for row in rows if row.temperature is not None}) or [0.5, 1.0]


def _draw(
    axes: "Axes",
    rows: Sequence[GradientRow],
    quantity: Quantity,
    looks: Mapping[str, Look],
    opacity: float,
) -> None:
    """Estimators with a temperature as lines that break where nothing is seen or measured, the others level.

    What is not seen is an open triangle on the lower axis.
    """
    from matplotlib.lines import Line2D

    temperatures = _temperatures(rows)
    axes.set_xscale("log")
    names = list(dict.fromkeys(row.estimator for row in rows))
    level = [name for name in names if any(row.temperature is None for row in rows if row.estimator == name)]
    places = np.geomspace(temperatures[0], temperatures[-1], len(level) + 2)[1:-1]
    for name in names:
        own = {row.temperature: quantity.value(row) for row in rows if row.estimator == name}
        look: Look = {**looks[name], "alpha": opacity}
        if name in level:
            number = level.index(name)
            x, value = [float(places[number])], own[None]
            unseen = x if value is None else []
            dashes = (number * DASH, (DASH, DASH * max(1, len(level) - 1)))
            axes.plot(
                [temperatures[0], temperatures[-1]], [_shown(value)] * 2, **{**look, "linestyle": dashes, "marker": ""}
            )
            axes.plot(x, [_shown(value)], **{**look, "linestyle": ""})
        else:
            axes.plot(temperatures, [_shown(own.get(tau)) for tau in temperatures], **look)
            unseen = [tau for tau, value in own.items() if tau is not None and value is None]
        height = 0.03 if name in level else 0.03 + STEP * names.index(name)  # of the panel
        below: Look = {"marker": "v", "fillstyle": "none", "linestyle": "", "transform": axes.get_xaxis_transform()}
        axes.add_artist(Line2D(unseen, [height] * len(unseen), **{**look, **below}))


def _shown(value: float | None) -> float:
    return nan if value is None else value
