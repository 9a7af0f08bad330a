"""The pictures of a report on runs, drawn from given numbers: accuracy, and what the models generate."""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO

import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from PIL import Image

from gsm_cli.objectives import INK, OBJECTIVES

PANELS = 5  # in a row


@dataclass(frozen=True)
class Curve:
    """One run: after each epoch the seconds of training so far, and the validation accuracy."""

    seed: int
    seconds: Sequence[float]
    accuracy: Sequence[float]


@dataclass(frozen=True)
class Learning:
    """The runs of every series, and the accuracies that others report after epochs, by objective."""

    curves: Mapping[str, Sequence[Curve]]
    others: Mapping[str, Mapping[int, float]]
    source: str


def colours(names: Sequence[str]) -> dict[str, str]:
    """An objective's own colour; where it has several series, or none, one of seaborn's."""
    others = iter(sns.color_palette("husl", len(names)).as_hex())
    taken: dict[str, str] = {}
    for name in names:
        row = OBJECTIVES.get(name.partition(",")[0])
        colour = row.colour if row else None
        taken[name] = colour if colour and colour not in taken.values() else next(others)
    return taken


def accuracy_chart(learning: Learning) -> Figure:
    """Above, the mean over seeds of every objective; below, a panel for each with its seeds and their deviation."""
    frame = _frame(learning)
    names = list(learning.curves)
    palette = colours(names)
    rows = -(-len(names) // PANELS)
    figure = Figure(figsize=(11.0, 4.4 + 1.9 * rows))
    above, below = figure.subfigures(2, 1, squeeze=False, height_ratios=[4.4, 1.9 * rows]).ravel()
    lowest = max(0.0, float(frame.groupby("objective")["accuracy"].quantile(0.02).min()) - 0.02)
    _means(above, frame, palette, learning)
    above.axes[0].set_ylim(lowest, 1.0)
    cells = below.subplots(rows, min(PANELS, len(names)), sharex=True, sharey=True, squeeze=False).ravel()
    for axes, name in zip(cells, names, strict=False):
        _seeds(axes, frame[frame["objective"] == name], name, palette[name])
    for axes in cells[len(names) :]:
        axes.set_axis_off()
    cells[0].set_ylim(lowest, 1.0)
    return figure


def _frame(learning: Learning) -> pd.DataFrame:
    """A row for every epoch of every run."""
    rows = [
        (name, curve.seed, epoch, seconds, accuracy)
        for name, runs in learning.curves.items()
        for curve in runs
        for epoch, (seconds, accuracy) in enumerate(zip(curve.seconds, curve.accuracy, strict=True), start=1)
    ]
    frame = pd.DataFrame(rows, columns=["objective", "seed", "epoch", "seconds", "accuracy"])
    frame["mean seconds"] = frame.groupby(["objective", "epoch"])["seconds"].transform("mean")
    return frame


def _means(figure: SubFigure, frame: pd.DataFrame, palette: Mapping[str, str], learning: Learning) -> None:
    """Accuracy against epochs, with what others report as crosses, and against seconds."""
    left, right = figure.subplots(1, 2, sharey=True)
    for axes, x in ((left, "epoch"), (right, "mean seconds")):
        sns.lineplot(frame, x=x, y="accuracy", hue="objective", palette=palette, errorbar=None, legend=False, ax=axes)
    left.set(xlabel="epoch", ylabel="validation accuracy")
    right.set(xlabel="seconds of training", xscale="log")
    for name, colour in colours(list(learning.others)).items():
        curve = learning.others[name]
        left.plot(list(curve), list(curve.values()), "x", color=colour)
    if learning.others:
        left.plot([], [], "x", color=INK, label=learning.source.partition(",")[0])
        left.legend(loc="best")
        left.set_xscale("log")  # the curves of others may be many times as long


def _seeds(axes: Axes, own: pd.DataFrame, name: str, colour: str) -> None:
    """One objective: a thin line for each seed, a band of one standard deviation, and the mean."""
    for line in ({"units": "seed", "estimator": None, "linewidth": 0.4, "alpha": 0.4}, {"errorbar": "sd"}):
        sns.lineplot(own, x="epoch", y="accuracy", color=colour, ax=axes, legend=False, **{"linewidth": 2.0, **line})
    axes.set_title(name, color=colour, weight="bold", fontsize=11)
    axes.set(xlabel="", ylabel="")
    axes.tick_params(labelsize=9)


def generated_chart(images: Mapping[str, str]) -> Figure:
    """What each objective's model generates: a row for each z, a column for each class."""
    rows = -(-len(images) // 2)
    figure = Figure(figsize=(11.0, 0.4 + 2.3 * rows))
    cells = figure.subplots(rows, 2, squeeze=False).ravel()
    for axes in cells:
        axes.set_axis_off()
    palette = colours(list(images))
    for axes, (name, image) in zip(cells, images.items(), strict=False):
        axes.imshow(Image.open(BytesIO(b64decode(image))), cmap="gray_r", vmin=0, vmax=255)
        axes.set_title(name, color=palette[name], weight="bold", fontsize=11)
    return figure
