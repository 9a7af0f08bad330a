"""Statistics over seeds against cases that can be worked out by hand, brute force and other implementations."""

import itertools
import math
from statistics import stdev

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from gsm_cli.analysis.statistics import (
    Score,
    Summary,
    compare,
    corrected,
    holm,
    least_seeds,
    of_shares,
    power,
    seeds_needed,
    sign_flip_test,
    summarize,
    summarize_ratios,
    unpaired,
    wilson,
)


def scores(*correct: int, images: int = 400, split: str = "one") -> dict[int, Score]:
    """A run for every seed that classifies so many images correctly."""
    return {seed: Score(count, images, split) for seed, count in enumerate(correct)}


def by_brute_force(counts: list[int]) -> float:
    """The share of all choices of signs whose sum is at least as far from zero."""
    signs = np.array(list(itertools.product((-1, 1), repeat=len(counts))))
    return float(np.mean(np.abs(signs @ np.array(counts)) >= abs(sum(counts))))


class TestSummary:
    def test_a_single_value_has_no_interval(self):
        assert summarize([0.9]) == Summary(0.9, None, None, None)

    @pytest.mark.parametrize("size", [2, 3, 7, 8, 10, 50])
    def test_the_interval_is_students_at_every_number_of_seeds(self, size):
        values = list(np.random.default_rng(size).normal(0.95, 0.01, size))
        low, high = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
        found = summarize(values, 1 / 400)
        assert (found.low, found.high, found.deviation) == pytest.approx((low, high, stdev(values)))

    def test_three_values_with_a_quantile_from_a_table(self):
        half = 4.3026527 * stdev([1.0, 2.0, 4.0]) / math.sqrt(3)
        few = summarize([1.0, 2.0, 4.0])
        assert (few.low, few.high) == pytest.approx((7 / 3 - half, 7 / 3 + half))

    @pytest.mark.parametrize("size", [2, 3, 10, 100])
    def test_a_tie_gets_the_deviation_of_one_seed_that_is_one_image_off(self, size):
        tie, nearly = summarize([0.0] * size, 1 / 400), summarize([0.0] * (size - 1) + [1 / 400], 1 / 400)
        assert tie.deviation == pytest.approx(nearly.deviation)
        assert tie.low < 0.0 < tie.high

    @given(st.lists(st.integers(-400, 400), min_size=2, max_size=12))
    def test_values_that_differ_are_never_touched_by_that(self, counts):
        values = [count / 400 for count in counts]
        if len(set(counts)) > 1:
            assert summarize(values, 1 / 400).deviation == pytest.approx(stdev(values))

    def test_what_an_image_is_worth_must_be_said_to_matter(self):
        assert summarize([0.5, 0.5]) == Summary(0.5, 0.0, 0.5, 0.5)

    @pytest.mark.parametrize("values", [[0.80, 0.93, 0.99], [0.01, 0.07, 0.20]])
    def test_the_interval_of_accuracies_ends_where_they_do(self, values):
        found, plain = of_shares(summarize(values, 1 / 400)), summarize(values, 1 / 400)
        assert plain.low < 0.0 or plain.high > 1.0
        assert (found.low, found.high) == (max(plain.low, 0.0), min(plain.high, 1.0))
        assert (found.mean, found.deviation) == (plain.mean, plain.deviation)

    def test_the_interval_of_accuracies_is_students_otherwise(self):
        assert of_shares(summarize([0.9, 0.91], 1 / 400)) == summarize([0.9, 0.91], 1 / 400)
        assert of_shares(summarize([0.9], 1 / 400)) == summarize([0.9])

    def test_overlapping_splits_widen_the_interval(self):
        """Nadeau and Bengio: 1/n becomes 1/n + test/training, here 0.1 becomes 0.5."""
        plain = summarize([0.01, 0.03] * 5)
        wider = corrected(plain, 10, 0.4)
        assert wider.high - wider.mean == pytest.approx(math.sqrt(5) * (plain.high - plain.mean))
        assert wider.mean - wider.low == pytest.approx(wider.high - wider.mean)
        assert (wider.mean, wider.deviation) == (plain.mean, plain.deviation)
        assert corrected(summarize([0.1]), 1, 0.4) == summarize([0.1])


@pytest.mark.parametrize(("correct", "images"), [(316, 400), (400, 400), (0, 104), (9_689, 10_000)])
def test_the_interval_of_a_share_is_wilsons(correct, images):
    expected = stats.binomtest(correct, images).proportion_ci(method="wilson")
    assert wilson(correct / images, images) == pytest.approx((expected.low, expected.high), abs=2e-6)


class TestCompare:
    def test_pairs_the_seeds_that_both_have(self):
        first = {0: Score(90, 100, "a"), 1: Score(80, 100, "b"), 5: Score(70, 100, "c")}
        second = {1: Score(50, 100, "b"), 5: Score(60, 100, "c"), 7: Score(99, 100, "d")}
        paired = compare(first, second)
        assert paired.seeds == (1, 5)
        assert paired.differences == pytest.approx((0.3, 0.1))

    def test_another_split_is_no_pair(self):
        assert compare(scores(9, 8), scores(9, 8, split="other")) is None
        assert compare(scores(9), {1: Score(9, 400, "one")}) is None

    def test_equal_runs_are_no_certainty(self):
        paired = compare(scores(*[380] * 5), scores(*[380] * 5))
        assert paired.differences == (0.0,) * 5
        assert paired.p_value == 1.0
        assert paired.summary.low < -0.001 < 0.001 < paired.summary.high


class TestSignFlips:
    @given(st.lists(st.integers(-6, 6), min_size=1, max_size=11))
    def test_counts_all_signs(self, counts):
        assert sign_flip_test(counts) == pytest.approx(by_brute_force(counts), rel=1e-12)

    def test_ties_count_where_rounded_accuracies_lose_them(self):
        """Of a real pair of objectives: with accuracies instead of counts scipy finds 0.609."""
        counts = [-3, -2, -3, 2, 7, 0, 4, 3, 4, -5]
        assert sign_flip_test(counts) == by_brute_force(counts) == 0.625

    @pytest.mark.parametrize("seeds", range(1, 21))
    def test_the_least_p_value_is_that_of_one_sign(self, seeds):
        assert sign_flip_test([3] * seeds) == pytest.approx(2.0 ** (1 - seeds))

    def test_a_hundred_seeds_are_as_exact(self):
        """As large as MNIST: against the normal approximation, whose error is of the order 1 / 100."""
        counts = [int(count) for count in np.random.default_rng(0).integers(-300, 330, 100)]
        assert sign_flip_test(counts) == pytest.approx(
            2 * stats.norm.sf(abs(sum(counts)) / np.linalg.norm(counts)), abs=0.01
        )

    @given(st.lists(st.integers(-50, 50), min_size=1, max_size=10), st.integers(1, 9))
    def test_units_and_signs_change_nothing(self, counts, unit):
        assert sign_flip_test([-unit * count for count in counts]) == pytest.approx(sign_flip_test(counts))


class TestHolm:
    def test_by_hand(self):
        assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
        assert holm([0.8, 0.9]) == [1.0, 1.0]
        assert holm([]) == []

    @given(st.lists(st.floats(0, 1), min_size=1, max_size=8))
    def test_rejects_what_stepping_down_rejects(self, p_values):
        rejected, ordered = set(), sorted(range(len(p_values)), key=lambda place: p_values[place])
        for rank, place in enumerate(ordered):
            if p_values[place] * (len(p_values) - rank) > 0.05:
                break
            rejected.add(place)
        assert {place for place, p in enumerate(holm(p_values)) if p <= 0.05} == rejected


class TestPower:
    @pytest.mark.parametrize(("distance", "seeds"), [(1.0, 10), (0.8, 15), (0.5, 34), (0.2, 199)])
    def test_numbers_of_the_tables_of_cohen(self, distance, seeds):
        """Paired t-test, two-sided 5 %, power 80 %."""
        assert seeds_needed(distance, 1.0) == seeds

    def test_a_difference_of_0_82_with_a_deviation_of_0_50_needs_six_seeds(self):
        assert seeds_needed(0.82, 0.50) == 6

    @pytest.mark.parametrize("seeds", [2, 3, 10, 200, 9_999])
    def test_power_is_that_of_the_noncentral_t(self, seeds):
        for shift in (0.5, 3.0, 8.0, 29.9):
            expected = stats.nct.sf(stats.t.isf(0.025, seeds - 1), seeds - 1, shift)
            assert power(shift / math.sqrt(seeds), 1.0, seeds, 0.025) == pytest.approx(expected, abs=1e-9)

    def test_two_seeds_are_the_fewest(self):
        assert seeds_needed(100.0, 1.0) == seeds_needed(1e9, 1.0) == 2
        assert power(1e9, 1.0, 2, 0.025) == 1.0

    def test_what_no_number_of_seeds_shows(self):
        assert seeds_needed(0.0, 1.0) == seeds_needed(-1.0, 1.0) == seeds_needed(0.001, 1.0) == math.inf

    @pytest.mark.parametrize(("family", "seeds"), [(1, 6), (2, 7), (7, 9)])
    def test_fewest_seeds_that_can_reject(self, family, seeds):
        assert least_seeds(family) == seeds
        assert holm([sign_flip_test([1] * seeds)] + [1.0] * (family - 1))[0] <= 0.05
        assert holm([sign_flip_test([1] * (seeds - 1))] + [1.0] * (family - 1))[0] > 0.05


def test_ratios_have_a_geometric_mean_and_the_interval_of_their_logarithm():
    found, logs = summarize_ratios([2, 4, 24], [1, 1, 3]), [math.log(ratio) for ratio in (2, 4, 8)]
    low, high = stats.t.interval(0.95, 2, math.log(4), stdev(logs) / math.sqrt(3))
    assert [found.mean, found.deviation, found.low, found.high] == pytest.approx(
        [4, stdev(logs), math.exp(low), math.exp(high)]
    )


class TestUnpaired:
    @pytest.mark.parametrize(("first", "second"), [((5, 0.3), (10, 0.4)), ((3, 2.0), (10, 0.1)), ((20, 1.0), (2, 1.0))])
    def test_the_ends_are_where_welchs_test_has_p_of_a_twentieth(self, first, second):
        ours, theirs = (Summary(mean, deviation, None, None) for mean, (_, deviation) in ((0.7, first), (0.1, second)))
        found = unpaired(ours, theirs, (first[0], second[0]))
        assert found.mean == pytest.approx(0.6)
        for end in (found.low, found.high):
            moved = (0.7 - end, first[1], first[0], 0.1, second[1], second[0])
            assert stats.ttest_ind_from_stats(*moved, equal_var=False).pvalue == pytest.approx(0.05)

    def test_a_single_seed_has_no_interval(self):
        found = unpaired(summarize([0.5]), summarize([0.25, 0.75]), (1, 2))
        assert (found.mean, found.low, found.high) == (0.0, None, None)
