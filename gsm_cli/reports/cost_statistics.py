"""Statistics of measured costs: medians, lines against the number of classes, and from where on an objective pays."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

import numpy as np
from scipy.optimize import nnls

from gsm_cli.objectives import MARGINALIZE
from gsm_cli.records.cost import CostRecord, CostRow

MIB = 2**20
JANG_SPEED_UPS = {10: 2.0, 100: 9.9}  # Jang et al. 2017, figure 5: a step of Gumbel over marginalization, by classes


@dataclass(frozen=True)
class Line:
    """A step's seconds as shared + K per_class, and the root mean square of the relative residuals."""

    shared: float
    per_class: float
    residual: float

    def at(self, classes: float) -> float:
        return self.shared + self.per_class * classes


@dataclass(frozen=True)
class Quartiles:
    """The lower quartile, the median and the upper quartile."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class Scaling:
    """One objective: for every number of classes the seconds of a step and the memory, and the line through them."""

    classes: Sequence[int]
    seconds: Sequence[Quartiles]
    mib: Sequence[float]
    line: Line


def unmeasured(record: CostRecord) -> list[str]:
    """What the plan names and no process measured, in words."""
    measured = {(row.objective, row.classes) for row in record.rows}
    return [
        f"{objective} with {classes} classes"
        for objective in record.plan.objectives
        for classes in record.plan.classes
        if (objective, classes) not in measured
    ]


def scalings(record: CostRecord) -> dict[str, Scaling]:
    """Of every objective."""
    classes = record.plan.classes
    found = {}
    for objective in record.plan.objectives:
        cells = [rows_of(record, objective, count) for count in classes]
        mib = [peak_bytes(rows) / MIB for rows in cells]
        found[objective] = Scaling(classes, [seconds(rows) for rows in cells], mib, fit_line(record, objective))
    return found


def rows_of(record: CostRecord, objective: str, classes: int) -> list[CostRow]:
    """What every process found for one objective at one number of classes."""
    return [row for row in record.rows if (row.objective, row.classes) == (objective, classes)]


def seconds(rows: Sequence[CostRow]) -> Quartiles:
    """Of all steps of all processes."""
    steps = [value for row in rows for value in row.seconds]
    return Quartiles(*quantiles(steps, n=4, method="inclusive")) if len(steps) > 1 else Quartiles(*3 * steps)


def peak_bytes(rows: Sequence[CostRow]) -> float:
    """The median over the processes of the greatest memory."""
    return median(row.peak_bytes for row in rows)


def product_share(rows: Sequence[CostRow]) -> float:
    """The rate of the step's matrix products as a share of that of a large product; median over the processes."""
    return median(row.flops / median(row.seconds) / median(row.product_rates) for row in rows)


def fit_line(record: CostRecord, objective: str) -> Line:
    """The line with coefficients from 0 on and the least squares of relative residuals, through the medians."""
    classes = np.asarray(record.plan.classes, float)
    times = np.array([seconds(rows_of(record, objective, count)).middle for count in record.plan.classes])
    (shared, per_class), norm = nnls(np.stack([1 / times, classes / times], axis=1), np.ones(len(times)))
    return Line(float(shared), float(per_class), float(norm / np.sqrt(len(times))))


def pays_from(record: CostRecord, objective: str, cost: Callable[[CostRow], float]) -> int | None:
    """The least number of classes from which on every process found less than every one of marginalize found."""
    least = None
    for classes in sorted(record.plan.classes, reverse=True):
        own = max(cost(row) for row in rows_of(record, objective, classes))
        if own >= min(cost(row) for row in rows_of(record, MARGINALIZE, classes)):
            break
        least = classes
    return least


def step_seconds(row: CostRow) -> float:
    """The median step of one process."""
    return median(row.seconds)


def process_bytes(row: CostRow) -> float:
    """The greatest memory of one process."""
    return row.peak_bytes


def speed_up(record: CostRecord, objective: str, classes: int) -> float:
    """How many times as fast as marginalize a step is, by the medians."""
    own, marginal = (seconds(rows_of(record, name, classes)).middle for name in (objective, MARGINALIZE))
    return marginal / own
