"""Statistics of measured costs: medians, lines against the number of classes, and from where on an objective pays."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import median, quantiles

import numpy as np
from scipy.optimize import nnls

from gsm_cli.config import Objective
from gsm_cli.records.cost import CostRecord, CostRow


@dataclass(frozen=True)
class Line:
    """A step's seconds as shared + K per_class, and the root mean square of the relative residuals."""

    shared: float
    per_class: float
    residual: float

    def at(self, classes: float) -> float:
        return self.shared + self.per_class * classes


def rows_of(record: CostRecord, objective: Objective, classes: int) -> list[CostRow]:
    """What every process found for one objective at one number of classes."""
    return [row for row in record.rows if (row.objective, row.classes) == (objective, classes)]


def seconds(rows: list[CostRow]) -> tuple[float, float, float]:
    """Lower quartile, median and upper quartile of all steps of all processes."""
    low, middle, high = quantiles([value for row in rows for value in row.seconds], n=4, method="inclusive")
    return low, middle, high


def peak_bytes(rows: list[CostRow]) -> float:
    """The median over the processes of the greatest memory."""
    return median(row.peak_bytes for row in rows)


def product_share(rows: list[CostRow]) -> float:
    """The rate of the step's matrix products as a share of that of a large product; median over the processes."""
    return median(row.flops / median(row.seconds) / median(row.product_rates) for row in rows)


def fit_line(record: CostRecord, objective: Objective) -> Line:
    """The line with coefficients from 0 on and the least squares of relative residuals, through the medians."""
    classes = np.asarray(record.plan.classes, float)
    times = np.array([seconds(rows_of(record, objective, each))[1] for each in record.plan.classes])
    (shared, per_class), norm = nnls(np.stack([1 / times, classes / times], axis=1), np.ones(len(times)))
    return Line(float(shared), float(per_class), float(norm / np.sqrt(len(times))))


def pays_from(record: CostRecord, objective: Objective, cost: Callable[[CostRow], float]) -> int | None:
    """The least number of classes from which on every process found less than every one of marginalize found."""
    least = None
    for classes in sorted(record.plan.classes, reverse=True):
        own = max(cost(row) for row in rows_of(record, objective, classes))
        if own >= min(cost(row) for row in rows_of(record, Objective.MARGINALIZE, classes)):
            break
        least = classes
    return least


def step_seconds(row: CostRow) -> float:
    """The median step of one process."""
    return median(row.seconds)


def speed_up(record: CostRecord, objective: Objective, classes: int) -> float:
    """How many times faster than marginalize a step is, by the medians."""
    ours, marginal = (seconds(rows_of(record, each, classes))[1] for each in (objective, Objective.MARGINALIZE))
    return marginal / ours
