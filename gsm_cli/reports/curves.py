"""The sections of a report on one group of runs that are pictures: how accuracy grows, and what the models generate."""

from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from hashlib import sha256
from io import BytesIO
from statistics import fmean
from typing import TYPE_CHECKING

import numpy as np

from gsm_cli.analysis.groups import Group
from gsm_cli.analysis.identity import Identity, with_looks
from gsm_cli.analysis.series import Series
from gsm_cli.analysis.statistics import one_more
from gsm_cli.analysis.verdict import Verdict
from gsm_cli.data import Dataset, describe_dataset
from gsm_cli.records.run import WIDEST
from gsm_cli.reports.charts import LETTERS, blank, wrapped
from gsm_cli.reports.markdown import NOTHING, interval, table
from gsm_cli.reports.page import Block, Page
from gsm_cli.reports.panels import Panel, Point, Points, panel_picture
from gsm_cli.style import Picture
from gsm_cli.words import counted, listed, points

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST_POINTS = 40  # of a line
OF_OTHERS = (
    "Means over seeds with Student's interval; *one more run*: where its accuracy would lie (Student's prediction "
    "interval); *read from the curve*: of one run there. Not told apart is a last reading where one more run would lie."
)
ONE_OF_EACH = " Of every objective one series, which the verdict speaks of; there are too many for a picture of all."
ROWS_OF_Z = (
    "in a column one class, in a row every class with one z from N(0, I). Where y means the class, a column keeps it, "
    "and where z means the style, a row does."
)
ROWS_OF_CLASSES = "every class with the same z from N(0, I), ten classes in a row."
SHEETS = "For each objective a sheet of generated images, "
SHEET = 5.5  # inches of the width of a sheet
GAP = 3.0  # points of the white lines between images


def accuracy_picture(group: Group) -> Picture[object]:
    """Accuracy against epochs, and against seconds where steps were timed."""
    return panel_picture("accuracy", accuracy_panels(group))


def learning(group: Group) -> list[Block]:
    """The curves, and what they are."""
    size = max(1, group.config.epochs // MOST_POINTS)
    smoothed = f", each point over the last {counted(size, 'epoch')}" if size > 1 else ""
    left_out = ONE_OF_EACH if len(group.pictured) < len(group.trained) else ""
    clock = next((series.clock.words for series in group.pictured if series.clock), None)
    how = f" Seconds: updates, each as long as its step, measured {clock}." if clock else ""
    text = f"Validation accuracy, the mean over seeds{smoothed}.{how}{left_out}"
    return ["## How accuracy grows", accuracy_picture(group), text]


def curve_page(title: str, verdict: Verdict) -> Page:
    """Whether the curves of others come out: what they read, and what the same epochs have here."""
    group, rows, parts, departs = verdict.group, [], [], False
    dataset = describe_dataset(group.config.dataset)
    for series in group.trained:
        read, seeds = dataset.curves.get(series.objective, {}), len(series.finished)
        reached = [each for each in read if each <= series.config.epochs]
        for epoch in reached:
            here, there = series.validation_after(epoch), read[epoch]
            ahead = one_more(here, seeds)
            told = interval(ahead).partition(" ")[2] or NOTHING
            rows.append([f"{series.label}, epoch {epoch}", str(seeds), interval(here), told, f"{100 * there:.1f}"])
            if epoch == max(reached) and group.find(series.objective) is series:
                departs |= not (ahead.low or 0.0) <= there <= (ahead.high or 1.0)
                parts.append(f"{series.objective} {interval(here)} % after epoch {epoch} (there {100 * there:.1f})")
    lines = [
        Points(each.identity, [Point.of(n, each.validation_after(n)) for n in range(1, each.config.epochs + 1)])
        for each in group.trained
    ]
    panel = Panel("validation accuracy, %", "epoch", [*lines, *_others(dataset)], continuous=True)
    few = min(len(series.finished) for series in group.trained)
    absent = listed([name for name in dataset.curves if group.find(name) is None])
    more = f"; of {absent} there is no run yet" if absent else ""
    lost = [f"{each.series.label} {interval(each.comparison.summary, points)}" for each in verdict.judgements]
    return Page(
        f"{title}: do the validation curves of {dataset.curves_source.partition(',')[0]} come out?",
        f"{('Not told apart', 'No')[departs]}: {listed(parts)}{more}." if parts else "No run is as long as the curves.",
        [
            panel_picture("curve", [panel]),
            table(["objective", "seeds", "validation % [95 %]", "one more run %", "read from the curve %"], rows),
            OF_OTHERS,
            *[f"Test accuracy minus the sum's at the same seeds, in points: {listed(lost)}."] * bool(lost),
        ],
        f"Exploratory: {counted(few, 'seed')} of an objective, and one there." if few < 6 else "",
    )


def accuracy_panels(group: Group) -> list[Panel]:
    """Against epochs, with what others report, and against seconds, where steps were timed.

    Each point of a line is the mean over the epochs since the one before.
    """
    dataset = describe_dataset(group.config.dataset)
    curves = {each: each.curve(lambda epochs: epochs.validation_accuracy) for each in group.pictured}
    by_epoch = [_points(each, [*range(1, len(curve) + 1)], curve) for each, curve in curves.items()]
    by_second = [_points(each, each.seconds_so_far, curve) for each, curve in curves.items() if each.clock]
    panels = [Panel("validation accuracy, %", "epoch", by_epoch + (_others(dataset) if group.as_others else []))]
    panels += [Panel("validation accuracy, %", "seconds of training", by_second)] if by_second else []
    return [replace(panel, continuous=True) for panel in panels]


def _points(series: Series, places: Sequence[float], curve: Sequence[float]) -> Points:
    size = max(1, len(curve) // MOST_POINTS)
    ends = range(len(curve), 0, -size)
    points = [Point(places[end - 1], 100 * fmean(curve[max(0, end - size) : end])) for end in ends]
    return Points(series.identity, points[::-1])


def _others(dataset: Dataset) -> list[Points]:
    """What others report after epochs."""
    source = dataset.curves_source.partition(",")[0]
    lines = with_looks([(name, [("of", source)]) for name in dataset.curves])
    return [
        Points(replace(line, marker="x"), [Point(epoch, 100 * share) for epoch, share in curve.items()])
        for line, curve in zip(lines, dataset.curves.values(), strict=True)
    ]


def generated(group: Group) -> list[Block]:
    """What the first seed of every objective generates; empty if no images were kept."""
    images = {series.identity: image for series in group.pictured if (image := series.finished[0].generated)}
    if not images:
        return []
    digests = {line.label: sha256(image.encode()).hexdigest() for line, image in images.items()}
    shape, record = describe_dataset(group.config.dataset).shape, group.records[0]
    arranged = ROWS_OF_Z if record.classes <= WIDEST else ROWS_OF_CLASSES
    picture = Picture[object]("generated", "", SHEETS + arranged, digests, partial(generated_chart, images, shape))
    text = f"Mean images of p(x|y,z) of each first seed, with the weights that validation would choose: {arranged}"
    return ["## What the models generate", picture, text]


def generated_chart(images: Mapping[Identity, str], shape: tuple[int, int]) -> "Figure":
    """What each objective's model generates: a row for each z, a column for each class, images of that shape."""
    from PIL import Image

    sheets = {line: np.asarray(Image.open(BytesIO(b64decode(text)))) for line, text in images.items()}
    columns, rows = min(2, len(sheets)), -(-len(sheets) // 2)
    titles = {line: wrapped(line.label, 2 * LETTERS) for line in sheets}
    lines = 1 + max(title.count("\n") for title in titles.values())
    tallest = max(sheet.shape[0] / sheet.shape[1] for sheet in sheets.values())
    figure = blank(SHEET * columns, rows * (0.15 + 0.2 * lines + SHEET * tallest))
    cells = figure.subplots(rows, columns, squeeze=False).ravel()
    for axes in cells:
        axes.set_axis_off()
    for axes, (line, sheet) in zip(cells, sheets.items(), strict=False):
        axes.imshow(sheet, cmap="gray_r", vmin=0, vmax=255, interpolation="nearest")
        tall, wide = sheet.shape[:2]
        axes.hlines(np.arange(0, tall, shape[0] or tall) - 0.5, -0.5, wide - 0.5, "white", linewidth=GAP)
        axes.vlines(np.arange(0, wide, shape[1] or wide) - 0.5, -0.5, tall - 0.5, "white", linewidth=GAP)
        axes.set_title(titles[line], weight="bold", fontsize=11)
    return figure
