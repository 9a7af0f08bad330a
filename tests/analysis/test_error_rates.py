"""How often intervals and verdicts are wrong, by simulation: the rates that a report promises, for few seeds.

Every rate is held to what is promised within three of its Monte Carlo standard errors.
"""

from collections.abc import Callable
from math import sqrt

import numpy as np
import pytest
from numpy.typing import NDArray

from gsm_cli.analysis.statistics import Comparison, Score, compare, holm, seeds_needed
from gsm_cli.analysis.verdict import rule

IMAGES, MARGIN = 400, 0.01
RUNS = 2_000
MANY = 10_000  # images, with which counts are all but normal
Draw = Callable[[np.random.Generator, int, float], NDArray[np.float64]]


def normal(images: int, deviation: float) -> Draw:
    """Differences that are normal, but for being whole numbers of many images."""
    return lambda rng, seeds, mean: np.round(images * rng.normal(mean, deviation, seeds))


def bernoulli(rng: np.random.Generator, seeds: int, mean: float) -> NDArray[np.float64]:
    """Differences of a few images: each of 40 doubtful ones is won or lost."""
    return rng.binomial(40, 0.5, seeds) - 20 + IMAGES * mean


CASES: dict[str, tuple[int, Draw]] = {
    "normal": (MANY, normal(MANY, 0.01)),
    "multiples of 1/400": (IMAGES, normal(IMAGES, 0.01)),
    "few values": (IMAGES, normal(IMAGES, 0.0025)),
    "binomial": (IMAGES, bernoulli),
}


def differences(counts: NDArray[np.float64], images: int) -> Comparison:
    """As a report makes them, from counts of correct answers."""
    base = images // 2
    first = {seed: Score(base + int(count), images, "") for seed, count in enumerate(counts)}
    comparison = compare(first, {seed: Score(base, images, "") for seed in first})
    assert comparison is not None
    return comparison


def rate(events: list[bool]) -> float:
    return sum(events) / len(events)


def error(probability: float, runs: int = RUNS) -> float:
    """Three standard errors of a rate."""
    return 3 * sqrt(probability * (1 - probability) / runs)


@pytest.mark.parametrize("seeds", [3, 6, 10])
@pytest.mark.parametrize("case", CASES)
class TestOneComparison:
    def test_the_interval_covers_the_true_difference_in_95_of_100_cases(self, case, seeds):
        """A bootstrap of ten seeds covers 91 %, of which three errors are 1.9 %: it fails."""
        (images, draw), rng = CASES[case], np.random.default_rng(seeds)
        found = [differences(draw(rng, seeds, 0.005), images).summary for _ in range(RUNS)]
        covered = rate([each.low < 0.005 < each.high for each in found])
        least = 0.95 - error(0.95)
        assert covered >= least
        assert case == "few values" or covered <= 0.95 + error(0.95)

    def test_a_loss_of_the_margin_is_called_no_worse_in_at_most_2_5_of_100_cases(self, case, seeds):
        (images, draw), rng = CASES[case], np.random.default_rng(10 + seeds)
        found = [differences(draw(rng, seeds, -MARGIN), images) for _ in range(RUNS)]
        wrong = rate([rule(each.summary, each.p_value, MARGIN) == "no worse" for each in found])
        assert 0.002 < wrong <= 0.025 + error(0.025)

    def test_no_difference_is_called_worse_in_at_most_5_of_100_cases(self, case, seeds):
        (images, draw), rng = CASES[case], np.random.default_rng(20 + seeds)
        found = [differences(draw(rng, seeds, 0.0), images) for _ in range(RUNS)]
        wrong = rate([rule(each.summary, each.p_value, 1e-9) == "worse" for each in found])
        assert wrong <= 0.05 + error(0.05)


@pytest.mark.parametrize("seeds", [9, 10])
def test_a_family_without_differences_is_called_worse_somewhere_in_at_most_5_of_100_cases(seeds):
    """Seven objectives against the same runs of the sum; nine seeds are the fewest that can reject one of seven."""
    rng, families = np.random.default_rng(seeds), []
    for _ in range(1_000):
        shared = rng.normal(0.0, 0.007, seeds)
        counts = np.round(IMAGES * (rng.normal(0.0, 0.007, (7, seeds)) - shared))
        families.append([differences(each, IMAGES) for each in counts])

    def wrong(correct: Callable[[list[float]], list[float]]) -> float:
        rates = []
        for family in families:
            p_values = correct([each.p_value for each in family])
            rates.append("worse" in [rule(each.summary, p, 1e-9) for each, p in zip(family, p_values, strict=True)])
        return rate(rates)

    assert wrong(holm) <= 0.05 + error(0.05, 1_000)
    assert wrong(list) > 0.05


@pytest.mark.parametrize(("loss", "deviation"), [(0.0, 0.01), (0.004, 0.012)])
def test_the_seeds_that_are_named_decide_in_80_of_100_cases(loss, deviation):
    seeds = int(seeds_needed(MARGIN - loss, deviation))

    def decided(count: int) -> float:
        rng = np.random.default_rng(0)
        draws = normal(MANY, deviation)
        found = [differences(draws(rng, count, -loss), MANY) for _ in range(1_000)]
        return rate([rule(each.summary, each.p_value, MARGIN) == "no worse" for each in found])

    assert decided(seeds) >= 0.8 - error(0.8, 1_000)
    assert decided(seeds // 2) < 0.7
