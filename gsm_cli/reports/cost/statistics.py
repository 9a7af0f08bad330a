"""Statistics of measured costs: medians, ratios, and lines against the number of classes."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles

import numpy as np

from gsm_cli.objectives import MARGINALIZE
from gsm_cli.records.cost import CostRecord, CostRow
from gsm_cli.reports.cost.claims import costs, step_seconds

MIB = 2**20
JANG_SPEED_UPS = {10: 2.0, 100: 9.9}  # Jang et al. 2017, figure 5: a step of Gumbel over marginalization, by classes
KEPT = {MARGINALIZE: 20_000}  # evaluations in a step, beyond which an objective computes again in its backward pass


@dataclass(frozen=True)
class Line:
    """A step's seconds: shared + per_class min(K, turn) + beyond max(K - turn, 0).

    That is shared + K per_class up to `turn` classes, and beyond them another line that joins it. The residuals are
    relative, line over measurement less 1, by the number of classes.
    """

    shared: float
    per_class: float
    turn: float | None  # None: the same line everywhere
    beyond: float | None
    residuals: tuple[float, ...]

    def at(self, classes: float) -> float:
        turn = classes if self.turn is None else self.turn
        more = (self.beyond or 0.0) * max(classes - turn, 0)
        return self.shared + self.per_class * min(classes, turn) + more


@dataclass(frozen=True)
class Quartiles:
    """The lower quartile, the median and the upper quartile."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class Range:
    """The least, the median and the greatest of several rounds."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class Scaling:
    """One objective: for every number of classes the seconds of a step and the memory; the line, where there is one."""

    classes: Sequence[int]
    seconds: Sequence[Quartiles]
    mib: Sequence[float]
    line: Line | None


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


def speed_up(record: CostRecord, objective: str, classes: int) -> Range:
    """How many times as fast as marginalize a step is: the ratio in every round, of the median steps of its two.

    The range holds the median of all rounds that there could be with probability 1 - 2^(1 - R).
    """
    own, marginal = (costs(record, name, classes, step_seconds) for name in (objective, MARGINALIZE))
    ratios = [theirs / ours for ours, theirs in zip(own, marginal, strict=True)]
    return Range(min(ratios), median(ratios), max(ratios))


def turn_of(record: CostRecord, objective: str) -> float | None:
    """The number of classes beyond which a step of the objective computes again; None if it has none."""
    return KEPT[objective] / record.plan.batch_size if objective in KEPT else None


def fit_line(record: CostRecord, objective: str) -> Line | None:
    """The line with coefficients from 0 on and the least squares of relative residuals, through the medians.

    None if too few numbers of classes were measured to see by its residuals whether it fits: two on its first side,
    and one more in all than it has coefficients.
    """
    from scipy.optimize import nnls

    classes = np.asarray(record.plan.classes, float)
    turn = turn_of(record, objective)
    if turn is None or classes.max() <= turn:
        turn, parts = None, [np.ones_like(classes), classes]
    else:
        parts = [np.ones_like(classes), np.minimum(classes, turn), np.maximum(classes - turn, 0.0)]
    first_side = len(classes) if turn is None else int((classes <= turn).sum())
    if first_side < 2 or len(classes) <= len(parts):
        return None
    times = np.array([seconds(rows_of(record, objective, count)).middle for count in record.plan.classes])
    relative = np.stack(parts, axis=1) / times[:, None]
    coefficients, _ = nnls(relative, np.ones(len(times)))
    shared, per_class, *beyond = coefficients.tolist()
    residuals = tuple((relative @ coefficients - 1).tolist())
    return Line(shared, per_class, turn, beyond[0] if beyond else None, residuals)
