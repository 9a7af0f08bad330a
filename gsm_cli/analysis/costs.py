"""What a step costs: medians, ratios, and from how many classes on an objective pays.

A report may claim the last, and chance makes it claim so as seldom as it says.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from math import comb
from statistics import median, quantiles

from gsm_cli.objectives import MARGINALIZE
from gsm_cli.records.cost import CostRecord, CostRow

MIB = 2**20
JANG_SPEED_UPS = {10: 2.0, 100: 9.9}  # Jang et al. 2017, figure 5: a step of Gumbel over marginalization, by classes
KEPT = {MARGINALIZE: 20_000}  # evaluations in a step, beyond which an objective computes again in its backward pass
CHANCE = 0.05  # that objectives which cost what marginalize costs give a report with a claim
Cost = Callable[[CostRow], float]


@dataclass(frozen=True)
class Rule:
    """What it takes to say that an objective pays from K classes on.

    At K, at every larger number of classes and at the `numbers` - 1 next smaller ones, of all pairs of a process of
    the objective and one of marginalize at most `losses` may show marginalize to cost no more.
    """

    numbers: int
    losses: int


@cache
def find_rule(claims: int, rounds: int) -> Rule:
    """The rule for so many claims of one measurement.

    U counts the pairs that are lost. Where both sides cost the same, all orders of their 2 R processes are equally
    likely (Mann and Whitney 1947):

        P(U <= u) = sum_{v <= u} N(v; R, R) / C(2R, R),   N(v; m, n) = N(v - n; m - 1, n) + N(v; m, n - 1).

    An objective gains on marginalize with every class, so that one which does not pay at K pays at no smaller number
    either, and a wrong claim "from K on" means that `numbers` fresh comparisons went wrong at once: P^numbers. It must
    be at most CHANCE / claims (Bonferroni), so that all claims of a measurement are right with 1 - CHANCE. Larger
    numbers of classes need no more correction: the claim goes down from the largest and ends at the first that fails.
    """
    allowed = CHANCE / claims
    numbers = 1
    while comb(2 * rounds, rounds) ** -numbers > allowed:
        numbers += 1
    losses = 0
    while lost_at_most(losses + 1, rounds) ** numbers <= allowed:
        losses += 1
    return Rule(numbers, losses)


def lost_at_most(losses: int, rounds: int) -> float:
    """P(U <= losses)."""
    return sum(_orders(count, rounds, rounds) for count in range(losses + 1)) / comb(2 * rounds, rounds)


@cache
def _orders(losses: int, first: int, second: int) -> int:
    """N(losses; first, second)."""
    if losses < 0:
        return 0
    if not first or not second:
        return int(losses == 0)
    return _orders(losses - second, first - 1, second) + _orders(losses, first, second - 1)


def enough_rounds(claims: int, numbers: int) -> int:
    """The fewest rounds with which so many numbers of classes can show that an objective pays."""
    rounds = 1
    while find_rule(claims, rounds).numbers > numbers:
        rounds += 1
    return rounds


def claims_of(record: CostRecord) -> int:
    """How many claims a record gives: two for each objective, of its time and of its memory."""
    return 2 * sum(name != MARGINALIZE for name in record.plan.objectives)


def rule_of(record: CostRecord) -> Rule:
    """The rule for what is claimed of this record."""
    return find_rule(claims_of(record), record.plan.rounds)


def pays_from(record: CostRecord, objective: str, cost: Cost) -> int | None:
    """The least number of classes from which on the objective pays, by the record's rule; None if it cannot be said."""
    rule = rule_of(record)
    won: list[int] = []
    for classes in sorted(record.plan.classes, reverse=True):
        own, marginal = (costs(record, name, classes, cost) for name in (objective, MARGINALIZE))
        if lost(own, marginal) > rule.losses:
            break
        won.append(classes)
    return won[-rule.numbers] if len(won) >= rule.numbers else None


def lost(own: list[float], marginal: list[float]) -> int:
    """U: the pairs in which marginalize costs no more."""
    return sum(first >= second for first in own for second in marginal)


def costs(record: CostRecord, objective: str, classes: int, cost: Cost) -> list[float]:
    """A cost in every process, round by round."""
    return [cost(row) for row in record.rows if row.turn == (objective, classes)]


def step_seconds(row: CostRow) -> float:
    """The median step of one process."""
    return median(row.seconds)


def process_bytes(row: CostRow) -> float:
    """The greatest memory of one process."""
    return row.peak_bytes


@dataclass(frozen=True)
class Spread:
    """A median between two others: the quartiles of all steps, or the least and the greatest of several rounds."""

    low: float
    middle: float
    high: float


@dataclass(frozen=True)
class Gain:
    """From how many classes on an objective is faster than marginalize, and takes less memory; None if it is unknown.

    And by classes how many times as fast a step is: the ratio in every round, of the median steps of its two. The range
    holds the median of all rounds that there could be with probability 1 - 2^(1 - R).
    """

    objective: str
    faster_from: int | None
    smaller_from: int | None
    speed_ups: Mapping[int, Spread]


def gains(record: CostRecord) -> list[Gain]:
    """Of every objective that was measured beside marginalize."""
    others = [name for name in record.plan.objectives if name != MARGINALIZE]
    return [
        Gain(
            name,
            pays_from(record, name, step_seconds),
            pays_from(record, name, process_bytes),
            {classes: speed_up(record, name, classes) for classes in record.plan.classes},
        )
        for name in (others if len(others) < len(record.plan.objectives) else [])
    ]


def seconds(record: CostRecord, objective: str, classes: int) -> Spread:
    """Of all steps of all processes."""
    rows = [row for row in record.rows if row.turn == (objective, classes)]
    steps = [value for row in rows for value in row.seconds]
    return Spread(*quantiles(steps, n=4, method="inclusive")) if len(steps) > 1 else Spread(*3 * steps)


def speed_up(record: CostRecord, objective: str, classes: int) -> Spread:
    """How many times as fast as marginalize a step is."""
    own, marginal = (costs(record, name, classes, step_seconds) for name in (objective, MARGINALIZE))
    ratios = [theirs / ours for ours, theirs in zip(own, marginal, strict=True)]
    return Spread(min(ratios), median(ratios), max(ratios))
