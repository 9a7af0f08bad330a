"""Statistics over seeds: means with intervals, and paired differences. scipy computes, this module decides what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from scipy import stats

CONFIDENCE = 0.95
RESAMPLES = 9_999
SMALLEST_SAMPLE = 3  # fewer values give no interval
SMALLEST_BOOTSTRAP = 8  # of fewer values a bootstrap interval covers far less than it says: of three, 75 %


@dataclass(frozen=True)
class Summary:
    """A mean over seeds and its 95 % interval; None where too few seeds give none."""

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Comparison:
    """Per-seed differences, first minus second, with their summary and the exact sign-flip test."""

    seeds: tuple[int, ...]
    differences: tuple[float, ...]
    summary: Summary
    p_value: float  # two-sided, of the hypothesis that every difference is as likely as its negative
    least_p_value: float  # the smallest that so many seeds can give


def summarize(values: Sequence[float]) -> Summary:
    """Mean and interval of the mean: the BCa bootstrap's (Efron 1987), of few values Student's t.

    Equal values give an interval of no width, and fewer than three none at all.
    """
    mean = fmean(values)
    if len(values) < SMALLEST_SAMPLE:
        return Summary(mean, None, None)
    if np.ptp(values) < 1e-12:
        return Summary(mean, mean, mean)
    if len(values) < SMALLEST_BOOTSTRAP:
        low, high = stats.ttest_1samp(values, 0.0).confidence_interval(CONFIDENCE)
        return Summary(mean, float(low), float(high))
    resampled = stats.bootstrap(
        (np.asarray(values),), np.mean, confidence_level=CONFIDENCE, n_resamples=RESAMPLES, method="BCa", rng=0
    )
    low, high = resampled.confidence_interval
    return Summary(mean, float(low), float(high))


def compare(first: Mapping[int, float], second: Mapping[int, float]) -> Comparison | None:
    """The paired comparison over the seeds that both have; None if they share none."""
    seeds = tuple(sorted(first.keys() & second.keys()))
    if not seeds:
        return None
    differences = tuple(first[seed] - second[seed] for seed in seeds)
    return Comparison(seeds, differences, summarize(differences), sign_flip_test(differences), 2.0 ** (1 - len(seeds)))


def sign_flip_test(differences: Sequence[float]) -> float:
    """The two-sided p-value of the sum of the differences among all choices of their signs; exact up to 16 of them."""
    if len(differences) == 1:
        return 1.0
    values = (np.asarray(differences),)
    return float(stats.permutation_test(values, np.sum, permutation_type="samples", n_resamples=2**16, rng=0).pvalue)
