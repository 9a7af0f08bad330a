"""The pictures of a report: accuracy against epochs and seconds, and the gradients; drawn from given numbers."""

from base64 import b64decode
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, StrMethodFormatter
from PIL import Image

from gsm_cli.config import Dataset, Objective
from gsm_cli.records.cost import CostRecord
from gsm_cli.records.run import GradientRecord, GradientRow
from gsm_cli.reports.groups import Group
from gsm_cli.reports.references import ARTICLE_CURVES, JANG_SPEED_UPS
from gsm_cli.style import INK

COLOURS = {
    **{"marginalize": "#d73c2c", "gumbel": "#0067b0", "straight-through": "#6e248d", "supervised": "#9e6c4b"},
    **{"gumbel-rao": "#009c41", "reinmax": "#ca2c68", "sum-and-sample": "#e08214", "sparse-marginalize": "#666666"},
    "reinforce": "#1f9e9e",
}
PANELS = 5  # in a row
SUBJECT_TITLES = {"linear": "f(y) linear", "quadratic": "f(y) quadratic", "model": "bound of a trained model"}


def curve_data(each: Group) -> dict[str, list[list[list[float]]]]:
    """For each series and seed the epochs, the seconds of training so far, and the validation accuracies."""
    data: dict[str, list[list[list[float]]]] = {}
    for series in each.series:
        data[series.name] = []
        for record in series.finished:
            seconds = 0.0
            points = []
            for epoch in record.epochs:
                seconds += epoch.seconds
                points.append([float(epoch.epoch), round(seconds, 3), epoch.validation_accuracy])
            data[series.name].append(points)
    return data


def accuracy_chart(each: Group, data: dict[str, list[list[list[float]]]]) -> Figure:
    """Above, the mean over seeds of every objective; below, a panel for each with its seeds and their deviation."""
    frame = pd.DataFrame(
        [(name, seed, *point) for name, seeds in data.items() for seed, points in enumerate(seeds) for point in points],
        columns=["objective", "seed", "epoch", "seconds", "accuracy"],
    )
    frame["mean seconds"] = frame.groupby(["objective", "epoch"])["seconds"].transform("mean")
    names = [name for name, seeds in data.items() if seeds]
    colours = _colours(names)
    width = min(PANELS, len(names))
    rows = -(-len(names) // width)
    figure = Figure(figsize=(11.0, 4.4 + 1.9 * rows))
    parts: Any = figure.subfigures(2, 1, height_ratios=[4.4, 1.9 * rows])
    above, below = parts
    lowest = max(0.0, float(frame.groupby("objective")["accuracy"].quantile(0.02).min()) - 0.02)
    left, right = above.subplots(1, 2, sharey=True)
    for axes, x in ((left, "epoch"), (right, "mean seconds")):
        sns.lineplot(frame, x=x, y="accuracy", hue="objective", palette=colours, errorbar=None, legend=False, ax=axes)
    left.set(xlabel="epoch", ylabel="validation accuracy", ylim=(lowest, 1.0))
    right.set(xlabel="seconds of training", xscale="log")
    if each.settings["dataset"] is Dataset.MNIST:
        _article(left)
    cells = below.subplots(rows, width, sharex=True, sharey=True, squeeze=False).ravel()
    for axes, name in zip(cells, names, strict=False):
        _seeds(axes, frame[frame["objective"] == name], name, colours[name])
    for axes in cells[len(names) :]:
        axes.set_axis_off()
    cells[0].set_ylim(lowest, 1.0)
    return figure


def _seeds(axes: Axes, own: pd.DataFrame, name: str, colour: Any) -> None:
    """One objective: a thin line for each seed, a band of one standard deviation, and the mean."""
    shared: dict[str, Any] = {"x": "epoch", "y": "accuracy", "color": colour, "ax": axes, "legend": False}
    sns.lineplot(own, units="seed", estimator=None, linewidth=0.4, alpha=0.4, **shared)
    sns.lineplot(own, errorbar="sd", linewidth=2.0, **shared)
    axes.set_title(name, color=colour, weight="bold", fontsize=11)
    axes.set(xlabel="", ylabel="")
    axes.tick_params(labelsize=9)


def _article(axes: Axes) -> None:
    """The article's values as crosses."""
    for name, curve in ARTICLE_CURVES.items():
        axes.plot(list(curve), list(curve.values()), "x", color=COLOURS[name])
    axes.plot([], [], "x", color=INK, label="the article")
    axes.legend(loc="best")
    axes.set_xscale("log")  # the article's curves are four times as long as the preset


def _colours(names: list[str]) -> dict[str, Any]:
    """An objective's own colour; where it has several series, the others take seaborn's."""
    others = iter(sns.color_palette("husl", len(names)))
    taken: dict[str, Any] = {}
    for name in names:
        colour = COLOURS.get(name.partition(",")[0])
        taken[name] = colour if colour and colour not in taken.values() else next(others)
    return taken


def generated_chart(images: dict[str, str]) -> Figure:
    """What each objective's model generates: a row for each z, a column for each class."""
    figure = Figure(figsize=(11.0, 0.4 + 2.3 * -(-len(images) // 2)))
    cells = figure.subplots(-(-len(images) // 2), 2, squeeze=False).ravel()
    for axes in cells:
        axes.set_axis_off()
    for axes, (name, image) in zip(cells, images.items(), strict=False):
        axes.imshow(Image.open(BytesIO(b64decode(image))), cmap="gray_r", vmin=0, vmax=255)
        axes.set_title(name, color=COLOURS.get(name.partition(",")[0], INK), weight="bold", fontsize=11)
    return figure


def gradient_chart(record: GradientRecord) -> Figure:
    """Bias (above) and deviation (below) of every estimator's gradient against the temperature, for each subject."""
    subjects = list(dict.fromkeys(row.subject for row in record.rows))
    figure = Figure(figsize=(4.0 * len(subjects), 6.4))
    cells = figure.subplots(2, len(subjects), sharex=True, sharey="row", squeeze=False)
    for column, subject in zip(cells.T, subjects, strict=True):
        column[0].set_title(SUBJECT_TITLES[subject])
        for axes, name in zip(column, ("bias", "deviation"), strict=True):
            rows = [row for row in record.rows if row.subject == subject]
            _gradient_lines(axes, rows, name)
            axes.set(xscale="log", yscale="log")
            taus = list(dict.fromkeys(row.temperature for row in rows if row.temperature is not None))
            axes.set_xticks(taus, [f"{tau:g}" for tau in taus])
            axes.minorticks_off()
        _exact_bias(column[0], [row for row in record.rows if row.subject == subject])
        column[1].set_xlabel("temperature")
    cells[0, 0].set_ylabel("bias / norm of the gradient")
    cells[1, 0].set_ylabel("deviation / norm")
    handles, labels = cells[0, 0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5)
    return figure


def _exact_bias(axes: Axes, rows: Sequence[GradientRow]) -> None:
    exact = [(row.temperature or 0.0, row.exact_bias) for row in rows if row.exact_bias is not None]
    if exact:
        axes.plot([tau for tau, _ in exact], [bias for _, bias in exact], "x", color=INK, label="gumbel, exactly")


def _gradient_lines(axes: Axes, rows: Sequence[GradientRow], name: str) -> None:
    """Estimators with a temperature as lines, the others as level dashes; what cannot be told from 0 is left out."""
    temperatures = [row.temperature for row in rows if row.temperature is not None]
    ends = [min(temperatures), max(temperatures)]
    for estimator in dict.fromkeys(row.estimator for row in rows):
        own = [row for row in rows if row.estimator == estimator]
        seen = [(row.temperature or 0.0, getattr(row, name)) for row in own if _is_seen(row, name)]
        style: dict[str, Any] = {"color": COLOURS[estimator], "label": estimator}
        if own[0].temperature is None:
            level = seen[0][1] if seen else np.nan
            axes.plot(ends, [level, level], linestyle="--", **style)
        else:
            axes.plot([tau for tau, _ in seen], [value for _, value in seen], marker="o", **style)


def _is_seen(row: GradientRow, name: str) -> bool:
    """Whether a number can be told from 0."""
    return bool(getattr(row, name) > max(2 * getattr(row, f"{name}_error"), 1e-9))


def cost_chart(record: CostRecord, data: dict[str, Any]) -> Figure:
    """Seconds (left) and memory (right) against the number of classes, with the fitted lines."""
    figure = Figure(figsize=(11.0, 4.6))
    left, right = figure.subplots(1, 2)
    classes = record.plan.classes
    grid = np.geomspace(min(classes), max(classes), 100)
    for name, cost in data.items():
        colour = COLOURS[name]
        low, middle, high = 1000 * np.array(cost["seconds"]).T
        left.errorbar(classes, middle, (middle - low, high - middle), fmt="o", color=colour, label=name, capsize=3)
        left.plot(grid, 1000 * (cost["line"][0] + cost["line"][1] * grid), color=colour, linewidth=1)
        right.plot(classes, cost["mib"], "o-", color=colour)
    if Objective.GUMBEL in data:
        shared, per_class = data[Objective.GUMBEL]["line"]
        above = {k: 1000 * ratio * (shared + per_class * k) for k, ratio in JANG_SPEED_UPS.items()}
        label = "marginalize, by Jang et al."
        left.plot(list(above), list(above.values()), "x", color=INK, markersize=9, zorder=3, label=label)
    left.set(ylabel="milliseconds of a step")
    right.set(ylabel="greatest memory, MiB")
    for axes in (left, right):
        axes.set(xscale="log", yscale="log", xlabel="classes K")
        axes.set_xticks(classes, [f"{each:,}" for each in classes])
        axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        axes.minorticks_off()
    figure.legend(loc="outside lower center", ncols=4)
    return figure
