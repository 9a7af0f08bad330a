"""Statistics of measured costs: medians and ratios."""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median, quantiles

from gsm_cli.analysis.claims import costs, step_seconds
from gsm_cli.objectives import MARGINALIZE
from gsm_cli.records.cost import CostRecord, CostRow

MIB = 2**20
JANG_SPEED_UPS = {10: 2.0, 100: 9.9}  # Jang et al. 2017, figure 5: a step of Gumbel over marginalization, by classes
KEPT = {MARGINALIZE: 20_000}  # evaluations in a step, beyond which an objective computes again in its backward pass


@dataclass(frozen=True)
class Spread:
    """A median between two others: the quartiles of all steps, or the least and the greatest of several rounds."""

    low: float
    middle: float
    high: float


def rows_of(record: CostRecord, objective: str, classes: int) -> list[CostRow]:
    """What every process found for one objective at one number of classes."""
    return [row for row in record.rows if (row.objective, row.classes) == (objective, classes)]


def seconds(rows: Sequence[CostRow]) -> Spread:
    """Of all steps of all processes."""
    steps = [value for row in rows for value in row.seconds]
    return Spread(*quantiles(steps, n=4, method="inclusive")) if len(steps) > 1 else Spread(*3 * steps)


def peak_bytes(rows: Sequence[CostRow]) -> float:
    """The median over the processes of the greatest memory."""
    return median(row.peak_bytes for row in rows)


def product_share(rows: Sequence[CostRow]) -> float:
    """The rate of the step's matrix products as a share of that of a large product; median over the processes."""
    return median(row.flops / median(row.seconds) / median(row.product_rates) for row in rows)


def speed_up(record: CostRecord, objective: str, classes: int) -> Spread:
    """How many times as fast as marginalize a step is: the ratio in every round, of the median steps of its two.

    The range holds the median of all rounds that there could be with probability 1 - 2^(1 - R).
    """
    own, marginal = (costs(record, name, classes, step_seconds) for name in (objective, MARGINALIZE))
    ratios = [theirs / ours for ours, theirs in zip(own, marginal, strict=True)]
    return Spread(min(ratios), median(ratios), max(ratios))
