"""What `gsm gradients` measured, as data."""

from pathlib import Path

import msgspec
from msgspec import Struct

from gsm_cli.config import Count, NotNegative, Positive, RunConfig
from gsm_cli.records.run import Number
from gsm_cli.records.store import Record, read


class GradientRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One estimator's gradient against the exact one, in units of its norm; each number with its Monte Carlo error."""

    subject: str  # linear, quadratic or model
    estimator: str
    temperature: Positive | None
    bias: NotNegative  # of the mean estimate
    bias_error: NotNegative  # a bias below it cannot be seen
    exact_bias: NotNegative | None  # the same without Monte Carlo, where that is possible
    deviation: NotNegative
    deviation_error: NotNegative
    rmse: NotNegative
    rmse_error: NotNegative
    cosine: Number  # between an estimate and the exact gradient, mean
    cosine_error: NotNegative


class GradientRecord(Record, frozen=True, kw_only=True, tag="gradients"):
    """All that is known of one measurement of gradients."""

    config: RunConfig  # of the model that was trained
    images: Count  # of the model's bound
    replicates: Count
    rows: list[GradientRow]
    sha256: dict[str, str] = msgspec.field(
        default_factory=dict
    )  # of the files of estimators of somebody's own, by name


def read_gradients(path: Path) -> GradientRecord:
    """Read a measurement of gradients. Raises DataError as `read_run` does."""
    return read(path, GradientRecord)
