"""The sections of a report on one group of runs that are pictures: how accuracy grows, and what the models generate."""

from hashlib import sha256
from itertools import accumulate

from gsm_cli.data import describe_dataset
from gsm_cli.records.layout import ReportFolder
from gsm_cli.records.run import RunRecord
from gsm_cli.reports.charts import Curve, Learning, accuracy_chart, generated_chart
from gsm_cli.reports.groups import Group
from gsm_cli.reports.markdown import digits, numbered, percent, table
from gsm_cli.reports.report import Section, show
from gsm_cli.style import Picture

CURVE_ROWS = 12  # rows of the table that stands for a curve
SHEETS = "For each objective a sheet of generated images: in a column one class, in a row one z with every class."


def learning(folder: ReportFolder, title: str, group: Group, number: int) -> Section:
    """Accuracy against epochs and against seconds, as a picture and as a table."""
    facts = curves(group)
    name, description = numbered("accuracy", number), _description(group)
    picture = Picture(name, title, description, facts, lambda: accuracy_chart(facts))
    return Section(
        [
            "## Accuracy against epochs and against seconds",
            show(folder, picture),
            "Validation accuracy in %, the mean over seeds:",
            _curve_table(group),
        ],
        [picture],
    )


def curves(group: Group) -> Learning:
    """What the picture of accuracy shows."""
    dataset = describe_dataset(group.config.dataset)
    own = {series.name: [_curve(record) for record in series.finished] for series in group.trained}
    return Learning(own, dataset.curves, dataset.curves_source)


def _curve(record: RunRecord) -> Curve:
    seconds = [round(value, 3) for value in accumulate(record.epochs.seconds)]
    return Curve(record.config.seed, seconds, record.epochs.validation_accuracy)


def _description(group: Group) -> str:
    means = {series.name: series.curve(lambda epochs: epochs.validation_accuracy) for series in group.trained}
    last = ", ".join(f"{name} {percent(curve[-1])} %" for name, curve in means.items())
    return (
        "Validation accuracy: means over seeds against epochs and against seconds of training, and a panel for every "
        f"objective with its seeds. After the last epoch the means are: {last}."
    )


def _curve_table(group: Group) -> str:
    accuracies = [series.curve(lambda epochs: epochs.validation_accuracy) for series in group.trained]
    seconds = [list(accumulate(series.curve(lambda epochs: epochs.seconds))) for series in group.trained]
    epochs = group.config.epochs
    shown = sorted({max(1, round(epochs * row / CURVE_ROWS)) for row in range(1, CURVE_ROWS + 1)})
    columns = list(zip(accuracies, seconds, strict=True))
    rows = [
        [str(epoch), *(f"{percent(curve[epoch - 1])} ({digits(after[epoch - 1])})" for curve, after in columns)]
        for epoch in shown
    ]
    return table(["epoch", *(f"{series.name} % (after s)" for series in group.trained)], rows)


def generated(folder: ReportFolder, title: str, group: Group, number: int) -> Section:
    """What the first seed of every objective generates; empty if no images were kept."""
    images = {series.name: series.generated for series in group.trained if series.generated}
    if not images:
        return Section([])
    digests = {name: sha256(image.encode()).hexdigest() for name, image in images.items()}
    name = numbered("generated", number)
    picture = Picture(name, title, SHEETS, digests, lambda: generated_chart(images))
    return Section(
        [
            "## What the models generate",
            show(folder, picture),
            "Mean images of p(x|y,z), of each objective's first seed at the epoch that validation chose: in a column "
            "one class, in a row every class with one z from N(0, I). Where y means the class, a column is one digit, "
            "and where z means the style, a row keeps it.",
        ],
        [picture],
    )
