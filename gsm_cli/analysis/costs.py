"""What a step costs: medians, ratios, and from how many classes on an objective pays.

A report may claim the last, and chance makes it claim so as seldom as it says.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import count
from math import comb
from statistics import median, quantiles

from gsm_cli.objectives import MARGINALIZE
from gsm_cli.records.cost import CostRecord, CostRow

MIB = 2**20
JANG_SPEED_UPS = {10: 2.0, 100: 9.9}  # Jang et al. 2017, figure 5: a step of Gumbel over marginalization, by classes
KEPT = {MARGINALIZE: 20_000}  # evaluations in a step, beyond which an objective computes again in its backward pass
CHANCE = 0.05  # that objectives which cost what marginalize costs give a report with a claim
Cost = Callable[[CostRow], float]


def claims_of(record: CostRecord) -> int:
    """How many claims a record gives: two for each objective, of its time and of its memory."""
    return 2 * sum(name != MARGINALIZE for name in record.plan.objectives)


def numbers_needed(claims: int, rounds: int) -> int:
    """At how many neighbouring numbers of classes an objective must win for one of so many claims.

    It wins where each of its R processes takes less than each of marginalize's. Where both cost the same, all orders of
    their 2 R processes are equally likely, and chance lets it win with P = 1 / C(2R, R) (Mann and Whitney 1947).

    An objective gains on marginalize with every class, so that one which does not pay at K pays at no smaller number
    either, and a wrong claim "from K on" means that `numbers` fresh comparisons went wrong at once: P^numbers. It must
    be at most CHANCE / claims (Bonferroni), so that all claims of a measurement are right with 1 - CHANCE. Larger
    numbers of classes need no more correction: the claim goes down from the largest and ends at the first that fails.
    """
    return next(numbers for numbers in count(1) if comb(2 * rounds, rounds) ** -numbers <= CHANCE / claims)


def numbers_of(record: CostRecord) -> int:
    """The same for the claims of this record."""
    return numbers_needed(claims_of(record), record.plan.rounds)


def enough_rounds(claims: int, numbers: int) -> int:
    """The fewest rounds with which so many numbers of classes can show that an objective pays."""
    return next(rounds for rounds in count(1) if numbers_needed(claims, rounds) <= numbers)


def pays_from(record: CostRecord, objective: str, cost: Cost) -> int | None:
    """The least number of classes from which on the objective pays, all larger ones included; None if unknown."""
    won: list[int] = []
    for classes in sorted(record.plan.classes, reverse=True):
        own, marginal = (costs(record, name, classes, cost) for name in (objective, MARGINALIZE))
        if max(own) >= min(marginal):
            break
        won.append(classes)
    numbers = numbers_of(record)
    return won[-numbers] if len(won) >= numbers else None


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
    steps = [value for row in record.rows if row.turn == (objective, classes) for value in row.seconds]
    return Spread(*quantiles(steps, n=4, method="inclusive")) if len(steps) > 1 else Spread(*3 * steps)


def speed_up(record: CostRecord, objective: str, classes: int) -> Spread:
    """How many times as fast as marginalize a step is."""
    own, marginal = (costs(record, name, classes, step_seconds) for name in (objective, MARGINALIZE))
    ratios = [theirs / ours for ours, theirs in zip(own, marginal, strict=True)]
    return Spread(min(ratios), median(ratios), max(ratios))
