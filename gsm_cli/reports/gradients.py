"""The section of a report on the quality of gradients."""

from collections.abc import Sequence

from gsm_cli import commands
from gsm_cli.objectives import MARGINALIZE, SPARSE
from gsm_cli.records.gradients import GradientRecord, GradientRow
from gsm_cli.records.layout import ReportFolder
from gsm_cli.reports.gradient_chart import BIAS, gradient_chart
from gsm_cli.reports.markdown import table
from gsm_cli.reports.report import Section, show
from gsm_cli.style import Picture

SUBJECTS = {
    "linear": "A linear function of y, six classes",
    "quadratic": "A quadratic function of y, six classes",
    "model": "The conditional bound of a trained model",
}
HEADINGS = ("estimator", "bias", "exactly", "deviation", "rmse", "cosine")


def gradient_section(folder: ReportFolder, title: str, record: GradientRecord) -> Section:
    """What was measured, the answer, a picture, and a table for every subject."""
    picture = Picture("gradients", title, _description(record), record.rows, lambda: gradient_chart(record.rows))
    blocks = [
        "## How good the gradients are",
        "The gradient of E_{q(y)}[f(y)] with respect to the logits of q(y) is known, because the sum over classes is "
        f"finite. Each estimator is compared with it in {record.replicates:,} estimates; all numbers are in units of "
        "the exact gradient's norm, ± their Monte Carlo error. The bias is that of the mean estimate, less what the "
        "noise of that mean adds; below twice its error it cannot be told from zero.",
        *([show(folder, picture)] if record.rows else []),
    ]
    for subject in dict.fromkeys(row.subject for row in record.rows):
        rows = [row for row in record.rows if row.subject == subject]
        blocks += [f"### {SUBJECTS.get(subject, subject)}", _best(rows), table(HEADINGS, [_cells(row) for row in rows])]
    model = commands.run(record.config, [record.config.seed])
    blocks += [
        f"The model: `{model}`, and its bound of {record.images} unlabelled images for one draw of a and z. Measured "
        f"by gsm {record.version}: `{commands.gradients(record)}`."
    ]
    return Section(blocks, [picture] if record.rows else [])


def _description(record: GradientRecord) -> str:
    subjects = " and ".join(dict.fromkeys(row.subject for row in record.rows))
    return (
        f"Bias (above) and standard deviation (below) of each estimator's gradient against the temperature, for the "
        f"subjects {subjects}. Estimators without a temperature are level dashes; a bias that cannot be told from zero "
        "is left out."
    )


def _name(row: GradientRow) -> str:
    return row.estimator if row.temperature is None else f"{row.estimator}, tau {commands.write(row.temperature)}"


def _cells(row: GradientRow) -> list[str]:
    pairs = ((row.bias, row.bias_error), (row.deviation, row.deviation_error), (row.rmse, row.rmse_error))
    bias, deviation, rmse = (f"{value:.3f} ± {error:.3f}" for value, error in pairs)
    exact = "" if row.exact_bias is None else f"{row.exact_bias:.4f}"
    return [_name(row), bias, exact, deviation, rmse, f"{row.cosine:.3f} ± {row.cosine_error:.3f}"]


def _best(rows: Sequence[GradientRow]) -> str:
    """In a sentence: which estimate of few evaluations has the least error, and which are biased."""
    biased = ", ".join(dict.fromkeys(row.estimator for row in rows if BIAS.is_seen(row))) or "none"
    sampled = [row for row in rows if row.estimator not in (MARGINALIZE, SPARSE)]
    if not sampled:
        return f"A bias is seen in {biased}."
    least = min(sampled, key=lambda row: row.rmse)
    closest = max(sampled, key=lambda row: row.cosine)
    return (
        f"Of the estimators that sample, {_name(least)} has the least error ({least.rmse:.2f}) and {_name(closest)} "
        f"points best (cosine {closest.cosine:.2f}). A bias is seen in {biased}."
    )
