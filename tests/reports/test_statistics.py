"""Statistics over seeds against cases that can be worked out by hand."""

import itertools
import math
from statistics import stdev

import numpy as np
import pytest

from gsm_cli.reports.statistics import Summary, compare, sign_flip_test, summarize


class TestSummary:
    @pytest.mark.parametrize(("values", "mean"), [([0.9], 0.9), ([1.0, 3.0], 2.0)])
    def test_one_or_two_values_have_no_interval(self, values, mean):
        assert summarize(values) == Summary(mean, None, None)

    def test_equal_values_have_an_interval_without_width(self):
        same = summarize([0.7] * 5)
        assert same == Summary(pytest.approx(0.7), same.mean, same.mean)

    def test_interval_of_few_values_is_students(self):
        values = [1.0, 2.0, 4.0]
        few = summarize(values)
        quantile = 4.3026527  # of Student's t with two degrees of freedom, 97.5 %; from a table
        half = quantile * stdev(values) / math.sqrt(3)
        assert (few.low, few.high) == pytest.approx((few.mean - half, few.mean + half))

    def test_interval_of_many_values_holds_the_mean_and_lies_within_the_values(self):
        values = [0.91, 0.95, 0.93, 0.96, 0.90, 0.92, 0.92, 0.97]
        several = summarize(values)
        assert min(values) <= several.low < several.mean < several.high <= max(values)

    @pytest.mark.parametrize("size", [3, 20])
    def test_interval_covers_a_known_mean_about_as_often_as_it_says(self, size):
        """400 samples of normal values: 95 % would be 380; BCa at n = 20 covers about 93 %, s.e. 1.3 %."""
        rng = np.random.default_rng(0)
        intervals = [summarize(list(rng.normal(size=size))) for _ in range(400)]
        covered = sum(each.low < 0.0 < each.high for each in intervals) / len(intervals)
        assert 0.89 < covered < 0.98

    def test_is_the_same_twice(self):
        assert summarize([1.0, 2.0, 4.0]) == summarize([1.0, 2.0, 4.0])


class TestCompare:
    def test_pairs_the_seeds_that_both_have(self):
        paired = compare({0: 0.9, 1: 0.8, 5: 0.7}, {1: 0.5, 5: 0.6, 7: 1.0})
        assert paired.seeds == (1, 5)
        assert paired.differences == pytest.approx((0.3, 0.1))

    def test_without_a_common_seed_there_is_none(self):
        assert compare({0: 0.9}, {1: 0.8}) is None

    def test_equal_runs_differ_by_nothing(self):
        paired = compare(dict.fromkeys(range(5), 0.9), dict.fromkeys(range(5), 0.9))
        assert paired.differences == (0.0,) * 5
        assert (paired.summary.low, paired.summary.high, paired.p_value) == (0.0, 0.0, 1.0)

    @pytest.mark.parametrize("seeds", range(1, 11))
    def test_least_p_value_is_reached_by_differences_of_one_sign(self, seeds):
        paired = compare({seed: 1.0 + seed for seed in range(seeds)}, dict.fromkeys(range(seeds), 0.0))
        assert paired.p_value == pytest.approx(paired.least_p_value)
        assert paired.least_p_value == 2 ** (1 - seeds)


@pytest.mark.parametrize("differences", [(1.0, 2.0, -0.5), (0.3, -0.2, 0.1, 0.05), (1.0, 1.0, 1.0, -3.0, 0.5)])
def test_sign_flip_test_counts_all_signs(differences):
    """By brute force: twice the smaller tail of the sums under every choice of signs."""
    sums = [
        sum(map(math.prod, zip(signs, differences, strict=True)))
        for signs in itertools.product((-1, 1), repeat=len(differences))
    ]
    observed = sum(differences)
    above = sum(value >= observed - 1e-12 for value in sums)
    below = sum(value <= observed + 1e-12 for value in sums)
    assert sign_flip_test(differences) == pytest.approx(min(1.0, 2 * min(above, below) / len(sums)))
