"""The sections of a report on one group of runs that are pictures: how accuracy grows, and what the models generate."""

from functools import partial
from hashlib import sha256

import numpy as np

from gsm_cli.analysis.groups import Group
from gsm_cli.analysis.series import Series
from gsm_cli.data import describe_dataset
from gsm_cli.records.layout import ReportFolder
from gsm_cli.records.run import WIDEST
from gsm_cli.reports.accuracy_chart import FRONT, Curve, Learning, accuracy_chart, width
from gsm_cli.reports.generated_chart import generated_chart
from gsm_cli.reports.markdown import folded, numbered, table
from gsm_cli.reports.page import Section, show
from gsm_cli.style import Picture
from gsm_cli.words import digits, percent

FRONT_WORDS = (
    f"; of more than {FRONT} series the sum, gumbel, the labels alone and the most accurate others are in front"
)
ONE_OF_EACH = " Of every objective one series, which the verdict speaks of; there are too many for a picture of all."
CROSSES = "Crosses are numbers of others; of two at one place the second stands beside it."
CURVE_ROWS = 12  # rows of the table that stands for a curve
ROWS_OF_Z = (
    "in a column one class, in a row every class with one z from N(0, I). Where y means the class, a column keeps it, "
    "and where z means the style, a row does."
)
ROWS_OF_CLASSES = "every class with the same z from N(0, I), ten classes in a row."
SHEETS = "For each objective a sheet of generated images, "


def learning(folder: ReportFolder, title: str, group: Group, number: int) -> Section:
    """Accuracy against epochs, and against seconds where steps were timed, as a picture and as a table."""
    facts = curves(group)
    clock = next((series.clock.words for series in group.pictured if series.clock), None)
    seconds, after = (" and against seconds", ", and after how many seconds") if clock else ("", "")
    how = f" Seconds: updates, each as long as its step, measured {clock}." if clock else ""
    picture = Picture(numbered("accuracy", number), title, _description(facts), facts, partial(accuracy_chart, facts))
    size = width(group.config.epochs)
    smoothed = f", smoothed over the last {size} epochs, and faint as it is" if size > 1 else ""
    behind = FRONT_WORDS if len(facts.curves) > FRONT else ""
    left_out = ONE_OF_EACH if len(facts.curves) < len(group.trained) else ""
    crosses = f" {CROSSES}" if facts.others else ""
    return Section(
        [
            f"## Accuracy against epochs{seconds}",
            show(folder, picture),
            f"Above: validation accuracy, the mean over seeds{smoothed}; the objective's shape marks the median of the "
            f"epochs that validation chose{behind}. Below: mean and deviation of a seed, and a stroke for the epoch "
            f"that every seed chose.{how}{crosses}{left_out}",
            *folded(f"These curves as a table: validation accuracy in %{after}", [_table(facts)]),
        ],
        [picture],
    )


def curves(group: Group) -> Learning:
    """What the picture of accuracy shows."""
    dataset = describe_dataset(group.config.dataset)
    shown = [_curve(each) for each in group.pictured]
    return Learning(shown, dataset.curves if group.as_others else {}, dataset.curves_source)


def _curve(series: Series) -> Curve:
    accuracies = np.array([record.epochs.validation_accuracy for record in series.finished])
    chosen = [record.epochs.best for record in series.finished]
    deviation = accuracies.std(axis=0, ddof=min(1, len(accuracies) - 1)).tolist()
    return Curve(series.identity, accuracies.mean(axis=0).tolist(), deviation, series.seconds_so_far, chosen)


def _description(facts: Learning) -> str:
    last = ", ".join(f"{curve.identity.label} {percent(curve.accuracy[-1])} %" for curve in facts.curves)
    seconds = " and against seconds of training" if facts.timed else ""
    return (
        f"Validation accuracy: means over seeds against epochs{seconds}, and a panel for every "
        f"objective with the deviation of a seed. After the last epoch the means are: {last}."
    )


def _table(facts: Learning) -> str:
    epochs = max(len(curve.accuracy) for curve in facts.curves)
    shown = sorted({max(1, round(epochs * row / CURVE_ROWS)) for row in range(1, CURVE_ROWS + 1)})
    rows = [[str(epoch), *(_cell(curve, epoch) for curve in facts.curves)] for epoch in shown]
    return table(["epoch", *(curve.identity.label for curve in facts.curves)], rows)


def _cell(curve: Curve, epoch: int) -> str:
    after = f" ({digits(curve.seconds[epoch - 1])} s)" if curve.seconds else ""
    return f"{percent(curve.accuracy[epoch - 1])}{after}"


def generated(folder: ReportFolder, title: str, group: Group, number: int) -> Section:
    """What the first seed of every objective generates; empty if no images were kept."""
    images = {series.identity: series.generated for series in group.pictured if series.generated}
    if not images:
        return Section([])
    digests = {line.label: sha256(image.encode()).hexdigest() for line, image in images.items()}
    shape, record = describe_dataset(group.config.dataset).shape, group.records[0]
    arranged = ROWS_OF_Z if record.classes <= WIDEST else ROWS_OF_CLASSES
    picture = Picture(
        numbered("generated", number), title, SHEETS + arranged, digests, partial(generated_chart, images, shape)
    )
    return Section(
        [
            "## What the models generate",
            show(folder, picture),
            f"Mean images of p(x|y,z), of each objective's first seed at the epoch that validation chose: {arranged}",
        ],
        [picture],
    )
