"""The section of a report on the quality of gradients."""

from collections.abc import Sequence

from gsm_cli.records.run import GradientRecord, GradientRow
from gsm_cli.reports.groups import command
from gsm_cli.reports.markdown import table

PICTURE = "gradients.png"
TITLES = {
    "linear": "A linear function of y, six classes",
    "quadratic": "A quadratic function of y, six classes",
    "model": "The conditional bound of a trained model",
}


def gradient_section(record: GradientRecord) -> list[str]:
    """What was measured, the answer, a picture, and a table for every subject."""
    config = record.config
    blocks = [
        "## How good the gradients are",
        "The gradient of E_{q(y)}[f(y)] with respect to the logits of q(y) is known, because the sum over classes is "
        f"finite. Against it stand {record.replicates:,} estimates of each estimator; all numbers are in units of the "
        "exact gradient's norm, ± their Monte Carlo error. A bias is that of the mean estimate less what the noise of "
        "the mean adds; below twice its error it cannot be told from none.",
        f"![{describe(record)}]({PICTURE})",
    ]
    for subject, title in TITLES.items():
        rows = [row for row in record.rows if row.subject == subject]
        blocks += [f"### {title}", _best(rows), table(_HEADINGS, [_row(row) for row in rows])]
    blocks += [
        f"The model: `{command(config, [config.seed])}`, and its bound of {record.images} unlabelled images for one "
        f"draw of a and z. Measured by gsm {record.version}: `{gradient_command(record)}`."
    ]
    return blocks


def gradient_command(record: GradientRecord) -> str:
    """The command that measures it again."""
    config = record.config
    taus = dict.fromkeys(row.temperature for row in record.rows if row.temperature is not None)
    words = [f"--dataset {config.dataset}", f"--epochs {config.epochs}", f"--seed {config.seed}"]
    words += [f"--images {record.images}", f"--replicates {record.replicates}", *(f"--tau {tau:g}" for tau in taus)]
    return " ".join(["gsm gradients", *words])


def describe(record: GradientRecord) -> str:
    """What the picture shows, for those who cannot see it."""
    subjects = " and ".join(dict.fromkeys(row.subject for row in record.rows))
    return (
        f"Bias (above) and standard deviation (below) of each estimator's gradient against the temperature, for the "
        f"subjects {subjects}. Estimators without a temperature are level dashes; a bias that cannot be told from none "
        "is left out."
    )


_HEADINGS = ("estimator", "bias", "exactly", "deviation", "rmse", "cosine")


def _row(row: GradientRow) -> list[str]:
    name = row.estimator if row.temperature is None else f"{row.estimator}, tau {row.temperature:g}"
    pairs = ((row.bias, row.bias_error), (row.deviation, row.deviation_error), (row.rmse, row.rmse_error))
    bias, deviation, rmse = (f"{value:.3f} ± {error:.3f}" for value, error in pairs)
    exact = "" if row.exact_bias is None else f"{row.exact_bias:.4f}"
    return [name, bias, exact, deviation, rmse, f"{row.cosine:.3f} ± {row.cosine_error:.3f}"]


def _best(rows: Sequence[GradientRow]) -> str:
    """In a sentence: which estimate of few evaluations has the least error, and which are biased."""
    sampled = [row for row in rows if row.estimator not in ("marginalize", "sparse-marginalize")]
    least = min(sampled, key=lambda row: row.rmse)
    closest = max(sampled, key=lambda row: row.cosine)
    biased = dict.fromkeys(row.estimator for row in rows if row.bias > 2 * row.bias_error and row.bias > 1e-9)
    return (
        f"Of the estimators that sample, {_row(least)[0]} has the least error ({least.rmse:.2f}) and "
        f"{_row(closest)[0]} points best (cosine {closest.cosine:.2f}). "
        f"A bias is seen in {', '.join(biased) or 'none'}."
    )
