"""Statistics over seeds: intervals, paired differences, exact tests, and how many seeds a question needs.

Everything is computed from counts of correct test images, so that a tie is a tie. scipy has the distributions.
"""

from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from math import exp, gcd, inf, log, sqrt
from statistics import fmean, stdev
from typing import Literal

import numpy as np
from scipy import special

CONFIDENCE = 0.95
SIDES = 1.96  # standard errors at either side of a 95 % interval
LEVEL = 0.05  # of a test, or of a family of tests
POWER = 0.8
MOST_SEEDS = 10_000  # beyond which nobody counts them
PRINTED = 4  # decimals of a share, as points have two
Side = Literal["worse", "better", "open"]


@dataclass(frozen=True)
class Summary:
    """A mean over seeds, the deviation of one seed, and the 95 % interval of the mean; None of a single seed."""

    mean: float
    deviation: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Score:
    """What one run reads on the test set: images that it classifies correctly, of so many, and of which split."""

    correct: int
    images: int
    split: str

    @property
    def accuracy(self) -> float:
        return self.correct / self.images


@dataclass(frozen=True)
class Comparison:
    """Differences of accuracy, first minus second, one for each seed, with their summary and the sign-flip test."""

    seeds: tuple[int, ...]
    differences: tuple[float, ...]
    summary: Summary
    p_value: float  # two-sided, of the hypothesis that every difference is as likely as its negative


def summarize(values: Sequence[float], step: float = 0.0) -> Summary:
    """Mean, deviation and Student's interval of the mean.

    `step` is what one test image is worth. Where all values are equal, the deviation is the least that can be seen,
    that of one seed that is one image off: a tie of few seeds is no certainty.
    """
    mean, count = fmean(values), len(values)
    if count < 2:
        return Summary(mean, None, None, None)
    deviation = max(stdev(values), step / sqrt(count))
    return with_interval(mean, deviation, deviation / sqrt(count), count - 1)


def with_interval(mean: float, deviation: float | None, error: float, freedom: float) -> Summary:
    """A mean with Student's 95 % interval, of its standard error and of so many degrees of freedom."""
    half = float(special.stdtrit(freedom, (1 + CONFIDENCE) / 2)) * error
    return Summary(mean, deviation, mean - half, mean + half)


def of_shares(found: Summary) -> Summary:
    """Of a mean that lies in [0, 1]: what its interval has beyond is left out."""
    if found.low is None or found.high is None:
        return found
    return replace(found, low=max(0.0, found.low), high=min(1.0, found.high))


def summarize_ratios(first: Sequence[float], second: Sequence[float]) -> Summary:
    """The geometric mean of the ratios of two positive quantities, pair by pair, and Student's interval of its log."""
    found = summarize([log(one / other) for one, other in zip(first, second, strict=True)])
    low, high = (None if end is None else exp(end) for end in (found.low, found.high))
    return Summary(exp(found.mean), found.deviation, low, high)


def unpaired(first: Summary, second: Summary, counts: tuple[int, int]) -> Summary:
    """First minus second where nothing pairs them, with Welch's interval, and none of a single seed."""
    mean, deviations = first.mean - second.mean, (first.deviation, second.deviation)
    squares = [each**2 / count for each, count in zip(deviations, counts, strict=True) if each is not None]
    if len(squares) < 2:
        return Summary(mean, None, None, None)
    freedom = sum(squares) ** 2 / sum(each**2 / (count - 1) for each, count in zip(squares, counts, strict=True))
    return with_interval(mean, None, sqrt(sum(squares)), freedom)


def corrected(summary: Summary, count: int, test_per_training: float) -> Summary:
    """The interval of Nadeau and Bengio (2003) for splits of one pool of images, whose parts overlap between seeds."""
    if summary.deviation is None:
        return summary
    error = summary.deviation * sqrt(1 / count + test_per_training)
    return with_interval(summary.mean, summary.deviation, error, count - 1)


def one_more(accuracy: Summary, count: int) -> Summary:
    """Student's 95 % prediction interval: in it lies the accuracy of one more run, after so many."""
    return of_shares(corrected(accuracy, count, 1.0))  # to the error of the mean comes the deviation of that run


def compare(first: Mapping[int, Score], second: Mapping[int, Score]) -> Comparison | None:
    """The paired comparison over the seeds that both have, on the same split; None if they share none."""
    seeds = tuple(sorted(seed for seed in first.keys() & second.keys() if first[seed].split == second[seed].split))
    if not seeds:
        return None
    images = max(first[seed].images for seed in seeds)
    counts = [first[seed].correct - second[seed].correct for seed in seeds]
    differences = tuple(count / first[seed].images for seed, count in zip(seeds, counts, strict=True))
    return Comparison(seeds, differences, summarize(differences, 1 / images), sign_flip_test(counts))


def sign_flip_test(counts: Sequence[int]) -> float:
    """The exact two-sided p-value of the sum of these differences among all choices of their signs.

    Among whole numbers there are few sums, whatever the number of seeds: the law of the sum is convolved, not drawn.
    """
    sizes = [abs(count) for count in counts if count]
    unit = gcd(*sizes) if sizes else 1
    law, reach = np.ones(1), 0  # P(sum = -reach), ..., P(sum = reach)
    for size in (size // unit for size in sizes):
        wider = np.zeros(len(law) + 2 * size)
        wider[: len(law)] = law / 2
        wider[2 * size :] += law / 2
        law, reach = wider, reach + size
    observed = abs(sum(counts)) // unit
    return 1.0 if observed == 0 else min(1.0, 2 * float(law[reach + observed :].sum()))


def side(summary: Summary, p_value: float = 0.0) -> Side:
    """Worse or better, if the interval says so, as a report prints it, and the corrected test, where there is one."""
    if summary.low is None or summary.high is None or p_value > LEVEL:
        return "open"
    return "worse" if round(summary.high, PRINTED) < 0 else "better" if round(summary.low, PRINTED) > 0 else "open"


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values of a family, corrected so that one error in it is as rare as one of a single test (Holm 1979)."""
    order = np.argsort(p_values, kind="stable")
    scaled = np.minimum(1.0, np.arange(len(order), 0, -1) * np.asarray(p_values)[order])
    return [float(value) for value in np.maximum.accumulate(scaled)[np.argsort(order)]]


def fewest_seeds(family: int) -> int:
    """The fewest seeds with which the sign-flip test, corrected for a family of so many, can reject."""
    return next(seeds for seeds in range(1, MOST_SEEDS) if family * 2.0 ** (1 - seeds) <= LEVEL)


def least_seeds(family: int, shift: float = inf) -> int:
    """The fewest seeds with which the sign-flip test can reject in a family of so many; one more where it rarely does.

    With the fewest every difference must have the same sign; `shift` is their mean in units of their deviation.
    """
    least = fewest_seeds(family)
    return least + (float(special.ndtr(shift)) ** least < POWER)


def seeds_needed(distance: float, deviation: float, tail: float = (1 - CONFIDENCE) / 2) -> float:
    """Seeds with which Student's interval leaves out, in 80 % of cases, a value at this distance; inf if too many.

    `tail` is the probability outside on that side.
    """
    if distance <= 0:
        return inf
    numbers = range(2, MOST_SEEDS + 1)
    place = bisect_left(numbers, POWER, key=lambda seeds: power(distance, deviation, seeds, tail))
    return numbers[place] if place < len(numbers) else inf


def power(distance: float, deviation: float, seeds: int, tail: float) -> float:
    """How often that interval of so many seeds leaves it out."""
    shift, border = distance * sqrt(seeds) / deviation, special.stdtrit(seeds - 1, 1 - tail)
    return 1.0 if shift > 30 else 1.0 - float(special.nctdtr(seeds - 1, shift, border))


def wilson(share: float, images: int) -> tuple[float, float]:
    """The 95 % interval of a probability, of which one share of so many images was seen (Wilson 1927)."""
    square = SIDES**2 / images
    centre = (share + square / 2) / (1 + square)
    half = sqrt(square * share * (1 - share) + square**2 / 4) / (1 + square)
    return centre - half, centre + half
