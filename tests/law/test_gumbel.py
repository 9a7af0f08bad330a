"""The law, against symmetries, other implementations, quadratures and sampling."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from scipy import special, stats

from gsm_cli.law import gumbel, moments

PI = np.array([0.107, 0.765, 0.022, 0.006, 0.055, 0.045])  # the article's law
LOGITS = np.log(PI)
TEMPERATURES = (0.01, 0.1, 1.0, 5.0, 100.0, 1000.0)

a_temperature = st.floats(-2, 3).map(lambda exponent: 10.0**exponent)
a_draw = st.integers(2, 8).flatmap(lambda k: arrays(np.float64, (2, k), elements=st.floats(-30, 37)))  # logits, noise


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


class TestRelax:
    @given(a_draw, a_temperature)
    def test_lands_on_the_simplex_as_scipy_does(self, draw, temperature):
        logits, noise = draw
        z = gumbel.relax(logits, noise, temperature)
        assert (z >= 0).all()
        assert_allclose(z.sum(), 1.0, atol=1e-15 * z.size)
        assert_allclose(z, special.softmax((logits + noise) / temperature), atol=2e-12)

    @given(a_draw, a_temperature, st.floats(-100, 100))
    def test_ignores_a_constant(self, draw, temperature, shift):
        logits, noise = draw
        expected = gumbel.relax(logits, noise, temperature)
        assert_allclose(gumbel.relax(logits + shift, noise, temperature), expected, atol=2e-12)

    @given(a_draw, a_temperature, st.randoms(use_true_random=False))
    def test_follows_a_permutation(self, draw, temperature, random):
        order = random.sample(range(draw.shape[1]), draw.shape[1])
        expected = gumbel.relax(*draw, temperature)[order]
        assert_allclose(gumbel.relax(*draw[:, order], temperature), expected, rtol=1e-14)

    @given(a_draw, st.floats(min_value=1e-300, max_value=1e300))
    def test_keeps_its_argmax_at_every_temperature(self, draw, temperature):
        z = gumbel.relax(*draw, temperature)
        assert z[draw.sum(axis=0).argmax()] == z.max()

    @pytest.mark.parametrize("temperature", [5e-324, 1e-300, 1e-100, 1e100, 1e300])
    def test_survives_extreme_temperatures(self, temperature):
        z = gumbel.relax(LOGITS, gumbel.gumbel_noise((100, 6), rng()), temperature)
        assert np.isfinite(z).all()
        assert_allclose(z.sum(axis=-1), 1.0, atol=1e-14)
        limit = np.full_like(z, 1 / 6) if temperature > 1 else z.round()
        assert_allclose(z, limit, atol=1e-15)

    @pytest.mark.parametrize("noise", [0.0, [-1.7e308, 0.0]])
    def test_survives_logits_that_are_too_far_apart_for_a_difference(self, noise):
        far = [1.7e308, -1.7e308]
        assert_allclose(gumbel.relax(far, 0.0, 1.0), [1.0, 0.0])
        assert gumbel.relax([0.0, -1.7e308], noise, 1.0).sum() == 1.0
        assert_allclose(gumbel.sample(far, 1.0, 5, rng()), [[1.0, 0.0]] * 5)

    def test_computes_in_float64_and_broadcasts(self):
        noise = gumbel.gumbel_noise((5, 1, 6), rng())
        logits = np.stack([LOGITS, LOGITS[::-1]])
        z = gumbel.relax(logits, noise, 0.7)
        assert z.shape == (5, 2, 6)
        assert_allclose(z[3, 1], gumbel.relax(logits[1], noise[3, 0], 0.7), rtol=1e-15)
        single = gumbel.relax(LOGITS.astype(np.float32), noise.astype(np.float32), 0.7)
        assert single.dtype == np.float64
        assert_allclose(single.sum(axis=-1), 1.0, atol=1e-15 * 6)
        for kinds in ((np.float64, np.longdouble), (np.longdouble, np.float64)):
            assert gumbel.relax(*(np.zeros(6, kind) for kind in kinds), 0.7).dtype == np.float64

    def test_gives_an_impossible_class_nothing(self):
        z = gumbel.relax([-np.inf, 0.0, 1.0], gumbel.gumbel_noise((100, 3), rng()), 100.0)
        assert (z[:, 0] == 0).all()
        assert_allclose(z.sum(axis=-1), 1.0, atol=1e-15 * 3)


class TestNoise:
    def test_ten_million_are_finite_with_the_gumbel_mean_and_variance(self):
        """Four standard errors; the kurtosis of a Gumbel variable is 5.4. Seed 0."""
        n, variance = 10_000_000, np.pi**2 / 6
        noise = gumbel.gumbel_noise(n, rng())
        assert np.isfinite(noise).all()
        assert abs(noise.mean() - np.euler_gamma) < 4 * np.sqrt(variance / n)
        assert abs(noise.var() - variance) < 4 * variance * np.sqrt((5.4 - 1) / n)

    def test_follows_the_gumbel_distribution(self):
        """Kolmogorov-Smirnov at the level 0.001. Seed 1."""
        assert stats.kstest(gumbel.gumbel_noise(100_000, rng(1)), stats.gumbel_r.cdf).pvalue > 0.001

    def test_is_finite_at_both_ends_of_the_generator(self):
        class Extremes:
            def integers(self, low, high, size):
                return np.array([low, high - 1])

        assert_allclose(gumbel.gumbel_noise(2, Extremes()), [-np.log(53 * np.log(2)), 53 * np.log(2)], rtol=1e-14)

    @pytest.mark.parametrize("classes", [2, 7])
    def test_of_fewer_draws_is_a_prefix(self, classes):
        few, many = (gumbel.gumbel_noise((draws, classes), rng(3)) for draws in (5, 1000))
        assert_array_equal(few, many[:5])


@pytest.mark.parametrize("temperature", [0.1, 100.0])
def test_argmax_frequencies_equal_pi(temperature):
    """Gumbel-Max: chi-square at the level 0.001. Seed 2."""
    winners = gumbel.sample(LOGITS, temperature, 200_000, rng(2)).argmax(axis=1)
    counts = np.bincount(winners, minlength=6)
    assert stats.chisquare(counts, PI * counts.sum()).pvalue > 0.001


def test_one_hot_argmax_marks_the_greatest_score():
    scores = rng().normal(size=(4, 5, 3))
    expected = [[[float(score == max(row)) for score in row] for row in rows] for rows in scores]
    assert_array_equal(gumbel.one_hot_argmax(scores), expected)


class TestLogDensity:
    @pytest.mark.parametrize("temperature", [0.1, 1.0, 5.0])
    @pytest.mark.parametrize("classes", [2, 6, 50])
    def test_equals_torch(self, classes, temperature):
        torch = pytest.importorskip("torch")
        logits = rng(7).normal(size=classes)
        z = rng(8).dirichlet(np.full(classes, 5.0), size=20)
        law = torch.distributions.RelaxedOneHotCategorical(
            torch.tensor(temperature, dtype=torch.float64), logits=torch.from_numpy(logits)
        )
        expected = law.log_prob(torch.from_numpy(z)).numpy()
        assert_allclose(gumbel.log_density(z, logits + 3.0, temperature), expected, rtol=1e-11)

    def test_of_many_is_that_of_each_alone(self):
        """Also where the one is so far from the other that their common scale would lose it; in float64."""
        z = np.array([[[0.5, 0.5], [0.3, 0.7]], [[1e-9, 1 - 1e-9], [0.9, 0.1]]], dtype=np.float32)
        alone = [[gumbel.log_density(one.tolist(), [0.5, 0.0], 100.0) for one in row] for row in z]
        assert_allclose(gumbel.log_density(z, [0.5, 0.0], 100.0), alone, rtol=1e-14)

    def test_bears_the_rounding_of_z(self):
        rounded = gumbel.log_density([0.5, 0.5 + 9e-7], [0.0, 0.0], 1.0)
        assert_allclose(rounded, gumbel.log_density([0.5, 0.5], [0.0, 0.0], 1.0), atol=1e-5)

    @pytest.mark.parametrize("z", [[0.0, 1.0], [-0.1, 1.1], [0.5, 0.6], [0.5, 0.5 + 2e-6], [0.5, np.nan]])
    def test_is_refused_outside_the_simplex(self, z):
        with pytest.raises(ValueError, match=r"^z must lie strictly inside the simplex: positive, with sum 1; "):
            gumbel.log_density(z, [0.0, 0.0], 1.0)

    def test_is_refused_for_an_impossible_class(self):
        sentence = "^the density needs finite logits: a class of probability zero leaves the simplex$"
        with pytest.raises(ValueError, match=sentence):
            gumbel.log_density([0.5, 0.5], [0.0, -np.inf], 1.0)


class TestExpectation:
    @pytest.mark.parametrize("chunk", [1, 100, 2**22])
    @pytest.mark.parametrize("temperature", TEMPERATURES)
    def test_is_the_mean_of_the_samples_with_numpys_standard_error(self, monkeypatch, chunk, temperature):
        z = gumbel.sample(LOGITS, temperature, 500, rng(9))
        monkeypatch.setattr(gumbel, "CHUNK", chunk)
        estimate = gumbel.expectation(LOGITS, temperature, 500, rng(9))
        assert estimate.size == 500
        assert_allclose(estimate.mean, z.mean(axis=0), rtol=1e-12)
        assert_allclose(estimate.standard_error, z.std(axis=0, ddof=1) / np.sqrt(500), rtol=1e-9)

    def test_of_one_draw_has_no_standard_error(self):
        estimate = gumbel.expectation(LOGITS, 1.0, 1, rng(9))
        assert_allclose(estimate.mean, gumbel.sample(LOGITS, 1.0, 1, rng(9))[0], rtol=1e-12)
        assert np.isnan(estimate.standard_error).all()

    @pytest.mark.parametrize("size", [0, -1])
    def test_needs_a_draw(self, size):
        with pytest.raises(ValueError, match=f"^the number of draws must be at least 1, not {size}$"):
            gumbel.expectation(LOGITS, 1.0, size, rng())


FUNCTIONS = {
    "relax": lambda logits, temperature: gumbel.relax(logits, 0.0, temperature),
    "sample": lambda logits, temperature: gumbel.sample(logits, temperature, 3, rng()),
    "expectation": lambda logits, temperature: gumbel.expectation(logits, temperature, 3, rng()),
    "exact_expectation": moments.exact_expectation,
    "exact_standard_deviation": moments.exact_standard_deviation,
    "log_density": lambda logits, temperature: gumbel.log_density([0.5, 0.5], logits, temperature),
}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
class TestRefusals:
    @pytest.mark.parametrize("temperature", [0.0, -1.0, np.nan, np.inf])
    def test_of_temperatures(self, function, temperature):
        with pytest.raises(ValueError, match=f"^the temperature must be positive and finite, not {temperature}$"):
            function([0.0, 0.0], temperature)

    @pytest.mark.parametrize("logits", [[0.0, np.nan], [0.0, np.inf], [-np.inf] * 2])
    def test_of_logits(self, function, logits):
        sentence = "^the greatest logit of a law must be finite, not (nan|inf|-inf): only -inf may stand beside it$"
        with pytest.raises(ValueError, match=sentence):
            function(logits, 1.0)


@pytest.mark.parametrize("shape", [(2, 6), (6, 1), ()])
@pytest.mark.parametrize(
    "function",
    [
        moments.exact_expectation,
        lambda logits, temperature: gumbel.sample(logits, temperature, 3, rng()),
        lambda logits, temperature: gumbel.expectation(logits, temperature, 3, rng()),
    ],
)
def test_moments_and_samples_are_those_of_one_law(function, shape):
    with pytest.raises(ValueError, match=rf"^logits must be .* of the shape \(K,\), not {re.escape(str(shape))}$"):
        function(np.zeros(shape), 1.0)
