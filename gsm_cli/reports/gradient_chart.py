"""The picture of a measurement of gradients."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import nan

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gsm_cli.objectives import INK
from gsm_cli.records.gradients import GradientRow
from gsm_cli.reports.charts import colours

TITLES = {"linear": "f(y) linear", "quadratic": "f(y) quadratic", "model": "bound of a trained model"}


@dataclass(frozen=True)
class Quantity:
    """What a row of panels shows: its label, a number of a row of the record, and that number's error."""

    label: str
    value: Callable[[GradientRow], float]
    error: Callable[[GradientRow], float]

    def is_seen(self, row: GradientRow) -> bool:
        """Whether the number can be told from 0."""
        return self.value(row) > max(2 * self.error(row), 1e-9)


BIAS = Quantity("bias / norm of the gradient", lambda row: row.bias, lambda row: row.bias_error)
DEVIATION = Quantity("deviation / norm", lambda row: row.deviation, lambda row: row.deviation_error)


def gradient_chart(rows: Sequence[GradientRow]) -> Figure:
    """Bias (above) and deviation (below) of every estimator's gradient against the temperature, for each subject."""
    subjects = list(dict.fromkeys(row.subject for row in rows))
    palette = colours(list(dict.fromkeys(row.estimator for row in rows)))
    figure = Figure(figsize=(max(4.0 * len(subjects), 8.0), 6.4))
    cells = figure.subplots(2, len(subjects), sharex=True, sharey="row", squeeze=False)
    for column, subject in zip(cells.T, subjects, strict=True):
        own = [row for row in rows if row.subject == subject]
        column[0].set_title(TITLES.get(subject, subject))
        for axes, quantity in zip(column, (BIAS, DEVIATION), strict=True):
            _lines(axes, own, quantity, palette)
        _exact_bias(column[0], own)
        column[1].set_xlabel("temperature")
    for axes, quantity in zip(cells[:, 0], (BIAS, DEVIATION), strict=True):
        nothing = not any(quantity.is_seen(row) for row in rows)
        axes.set(ylabel=quantity.label, yscale="linear" if nothing else "log")
    for axes in cells.flat:
        axes.minorticks_off()
    handles, labels = cells[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5)
    return figure


def _lines(axes: Axes, rows: Sequence[GradientRow], quantity: Quantity, palette: dict[str, str]) -> None:
    """Estimators with a temperature as lines, the others as level dashes; what cannot be told from 0 is left out."""
    temperatures = list(dict.fromkeys(row.temperature for row in rows if row.temperature is not None)) or [1.0]
    ends = [min(temperatures), max(temperatures)]
    for estimator in dict.fromkeys(row.estimator for row in rows):
        own = [row for row in rows if row.estimator == estimator]
        seen = [(row.temperature, quantity.value(row)) for row in own if quantity.is_seen(row)]
        colour, values = palette[estimator], [value for _, value in seen]
        if own[0].temperature is None:
            axes.plot(ends, [values[0] if values else nan] * 2, linestyle="--", color=colour, label=estimator)
        else:
            axes.plot([tau or nan for tau, _ in seen], values, marker="o", color=colour, label=estimator)
    axes.set_xscale("log")
    axes.set_xticks(temperatures, [f"{tau:g}" for tau in temperatures])


def _exact_bias(axes: Axes, rows: Sequence[GradientRow]) -> None:
    exact = [(row.temperature or nan, row.exact_bias) for row in rows if row.exact_bias is not None]
    if exact:
        axes.plot([tau for tau, _ in exact], [bias for _, bias in exact], "x", color=INK, label="gumbel, exactly")
