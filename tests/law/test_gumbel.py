"""The law and its moments, against symmetries, other implementations, quadratures and sampling."""

import re
import tracemalloc
from itertools import pairwise

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from scipy import integrate, special, stats

from gsm_cli.law import gumbel

PI = np.array([0.107, 0.765, 0.022, 0.006, 0.055, 0.045])  # the article's law
LOGITS = np.log(PI)
TEMPERATURES = (0.01, 0.1, 1.0, 5.0, 100.0, 1000.0)

a_temperature = st.floats(-2, 3).map(lambda exponent: 10.0**exponent)
a_law = st.integers(2, 8).flatmap(lambda k: arrays(np.float64, k, elements=st.floats(-27, 0)))
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


def second_moment(logits, temperature):
    mean, variance = gumbel.exact_moments(logits, temperature)
    return variance + mean**2


def two_class_moment(logit, temperature, power, centre=0.0):
    """E[(z_1 - centre)^power] of two classes, z_1 = sigmoid((logit + logistic noise) / tau), by adaptive quadrature."""

    def integrand(x):
        z = special.expit((logit + x) / temperature)
        return (z - centre) ** power * special.expit(x) * special.expit(-x)

    steps = -logit + temperature * np.array([-40, -5, -1, 0, 1, 5, 40])
    ends = [-60.0, *sorted({0.0, *steps[abs(steps) < 60]}), 60.0]
    return sum(integrate.quad(integrand, *piece, epsabs=1e-15, epsrel=1e-13)[0] for piece in pairwise(ends))


@pytest.mark.parametrize("temperature", TEMPERATURES)
@pytest.mark.parametrize("pi", [1e-12, 1e-3, 0.3, 0.5, 0.999])
class TestTwoClasses:
    def test_moments(self, pi, temperature):
        logits = np.log([pi, 1 - pi])
        first, second = (two_class_moment(logits[0] - logits[1], temperature, power) for power in (1, 2))
        assert_allclose(gumbel.exact_expectation(logits, temperature), [first, 1 - first], rtol=1e-10)
        assert_allclose(second_moment(logits, temperature)[0], second, rtol=1e-10)

    def test_standard_deviation(self, pi, temperature):
        logits = np.log([pi, 1 - pi])
        mean = two_class_moment(logits[0] - logits[1], temperature, 1)
        variance = two_class_moment(logits[0] - logits[1], temperature, 2, mean)
        assert_allclose(gumbel.exact_standard_deviation(logits, temperature) ** 2, variance, rtol=1e-10, atol=1e-16)


@pytest.mark.parametrize("temperature", [0.01, 0.9, 1.0, 1.1, 1e3, 1e5, 1e8, 1e12, 1e20])
@pytest.mark.parametrize("logit", [-7.0, 0.5])
def test_two_classes_in_arbitrary_precision(logit, temperature):
    """Integrals with 50 digits over the noise's own scale and over the sigmoid's, against those in float64."""
    with mpmath.workdps(50):
        mean, variance = precise_two_class_moments(mpmath.mpf(logit), mpmath.mpf(temperature))
        exact_mean, exact_variance = gumbel.exact_moments([logit, 0.0], temperature)
        assert abs(exact_mean[0] - mean) < 1e-13 * mean
        assert abs(exact_variance[0] - variance) < 1e-12 * variance


def precise_two_class_moments(logit, temperature):
    """The mean and the variance of z_1 = sigmoid((logit + x) / tau), where x is logistic noise."""

    def sigmoid(x):
        return 1 / (1 + mpmath.exp(-x))

    def expected(function):
        return mpmath.quad(lambda x: function(x) * sigmoid(x) * sigmoid(-x), [-120, *near, 120])

    steps = (-logit + temperature * k for k in (-50, -10, -3, 0, 3, 10, 50))
    near = sorted({step for step in (*steps, -30, -3, 0, 3, 30) if abs(step) < 120})
    mean = expected(lambda x: sigmoid((logit + x) / temperature))
    return mean, expected(lambda x: (sigmoid((logit + x) / temperature) - mean) ** 2)


@pytest.mark.parametrize("temperature", [1e6, 1e9, 1e30, 1e100])
def test_the_deviation_of_one_draw_falls_as_one_over_a_high_temperature(temperature):
    """z_i = 1/K + (v_i - mean v) / (K tau) + O(1/tau^2) with v = l + g, and Var g = pi^2 / 6."""
    expected = np.sqrt(np.pi**2 / 6 * (1 - 1 / 6)) / (6 * temperature)
    assert_allclose(gumbel.exact_standard_deviation(LOGITS, temperature), expected, rtol=10 / temperature + 1e-12)


@pytest.mark.parametrize("classes", [2, 40])
def test_moments_do_not_jump_at_temperature_one(classes):
    """There the two noises change places."""
    logits = gumbel.random_logits(classes, rng(10))
    below, above = (gumbel.exact_moments(logits, 1.0 + step) for step in (-1e-9, 1e-9))
    assert_allclose(below, above, rtol=1e-7)


@pytest.mark.parametrize("pi", [0.01, 0.2, 0.9])
def test_two_classes_at_temperature_one_in_closed_form(pi):
    ratio = (1 - pi) / pi
    expected = (1 - ratio + ratio * np.log(ratio)) / (1 - ratio) ** 2
    assert_allclose(gumbel.exact_expectation(np.log([pi, 1 - pi]), 1.0)[0], expected, rtol=1e-12)


@pytest.mark.parametrize("classes", [3, 40, 1000])
def test_many_classes_at_temperature_one_in_bessel_functions(classes):
    """There h = E exp(-t e^g) = 2 sqrt(t) K_1(2 sqrt(t)), with h' = -2 K_0(2 sqrt(t)) and sqrt(t) h'' = 2 K_1."""
    pi = gumbel.softmax(gumbel.random_logits(classes, rng(6)))
    step = 0.05
    t = np.exp(np.arange(-60.0, 8.0, step))[:, None]
    root = np.sqrt(t * pi)
    k0, k1 = special.k0(2 * root), special.k1(2 * root)
    h = 2 * root * k1
    others = step * t * np.exp(np.log(h).sum(axis=1, keepdims=True)) / h
    first = (others * 2 * pi * k0).sum(axis=0)
    second = (others * t * 2 * pi**2 * k1 / root).sum(axis=0)
    assert_allclose(gumbel.exact_expectation(np.log(pi), 1.0), first, rtol=1e-11)
    assert_allclose(second_moment(np.log(pi), 1.0), second, rtol=1e-11)


@pytest.mark.parametrize("temperature", [0.1, 0.5, 1.0, 5.0, 100.0])
@pytest.mark.parametrize("logits", [[-1.0, 2.0], [0.5, -2.0, 1.0]])
def test_density_has_mass_one_and_the_exact_moments(logits, temperature):
    """The trapezoid rule in the log-ratios x, z = softmax(x_1, .., x_{K-1}, 0), dz = prod_i z_i dx."""
    step = 0.5 * min(1.0, 1 / temperature)
    reach = np.arange(-30 / temperature, 30 / temperature, step)
    ratios = np.stack(np.meshgrid(*[reach] * (len(logits) - 1)), axis=-1).reshape(-1, len(logits) - 1)
    z = special.softmax(np.pad(ratios, ((0, 0), (0, 1))), axis=-1)
    log_weights = gumbel.log_density(z, logits, temperature) + np.log(z).sum(axis=-1)
    weights = np.exp(log_weights) * step ** (len(logits) - 1)
    assert_allclose(weights.sum(), 1.0, rtol=1e-10)
    assert_allclose(weights @ z, gumbel.exact_expectation(logits, temperature), rtol=1e-10)
    assert_allclose(weights @ z**2, second_moment(logits, temperature), rtol=1e-10)


@pytest.mark.parametrize("temperature", [*TEMPERATURES, 1e6, 1e9])
@pytest.mark.parametrize("logits", [LOGITS, rng(4).normal(0.0, 0.5, size=40)], ids=["6", "40"])
def test_exact_moments_agree_with_sampling(logits, temperature):
    """Five of the draws' own standard errors: 100,000 draws of seed 5."""
    z = gumbel.sample(logits, temperature, 100_000, rng(5))
    mean = gumbel.exact_expectation(logits, temperature)
    variance = gumbel.exact_standard_deviation(logits, temperature) ** 2
    second = second_moment(logits, temperature)
    for draws, exact in ((z, mean), (z**2, second), ((z - mean) ** 2, variance)):
        error = draws.std(axis=0) / np.sqrt(len(draws))
        assert_allclose((draws.mean(axis=0) - exact) / error, 0.0, atol=5.0)


@given(a_law, a_temperature, st.randoms(use_true_random=False))
def test_exact_moments_are_those_of_a_law_on_the_simplex(logits, temperature, random):
    first = gumbel.exact_expectation(logits, temperature)
    second = second_moment(logits, temperature)
    assert_allclose(first.sum(), 1.0, atol=1e-12)
    assert (second <= first * (1 + 1e-10)).all()
    order = random.sample(range(logits.size), logits.size)
    assert_allclose(gumbel.exact_expectation(logits[order] + 1000.0, temperature), first[order], rtol=1e-10)
    by_pi = logits.argsort()
    assert (np.diff(first[by_pi]) >= -1e-14).all()


@pytest.mark.parametrize("chunk", [1, 10_000])
def test_exact_moments_are_the_same_in_pieces(monkeypatch, chunk):
    whole = gumbel.exact_moments(LOGITS, 0.5)
    monkeypatch.setattr(gumbel, "CHUNK", chunk)
    assert_allclose(gumbel.exact_moments(LOGITS, 0.5), whole, rtol=1e-12)


@pytest.mark.parametrize("temperature", [0.01, 1.0, 1000.0])
def test_a_thousand_classes_take_bounded_memory(temperature):
    logits = gumbel.random_logits(1000, rng(6))
    tracemalloc.start()
    gumbel.exact_expectation(logits, temperature)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200 * 2**20


@pytest.mark.parametrize(("temperature", "expected"), [(0.1, 0.7629), (1, 0.6042), (5, 0.2682), (100, 0.1711)])
def test_class_two_of_the_article(temperature, expected):
    assert_allclose(gumbel.exact_expectation(LOGITS, temperature)[1], expected, atol=5e-5)


def test_cold_expectation_is_pi_and_hot_is_uniform():
    assert_allclose(gumbel.exact_expectation(LOGITS, 1e-7), PI, rtol=1e-10)
    assert_allclose(second_moment(LOGITS, 1e-7), PI, rtol=1e-6)
    assert_allclose(gumbel.exact_expectation(LOGITS, 1e7), 1 / 6, rtol=1e-6)
    assert_allclose(second_moment(LOGITS, 1e7), 1 / 36, rtol=1e-6)


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_impossible_classes_change_nothing(temperature):
    possible = np.log([0.25, 0.75])
    with_zeros = [-np.inf, possible[0], -np.inf, possible[1]]
    for moment in (gumbel.exact_expectation, second_moment):
        a, b = moment(possible, temperature)
        assert_allclose(moment(with_zeros, temperature), [0.0, a, 0.0, b], rtol=1e-12)
    assert_array_equal(gumbel.exact_standard_deviation(with_zeros, temperature)[[0, 2]], 0.0)


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
        with pytest.raises(ValueError, match=r"^z must lie strictly inside the simplex: positive, with sum 1$"):
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
    "exact_expectation": gumbel.exact_expectation,
    "exact_standard_deviation": gumbel.exact_standard_deviation,
    "log_density": lambda logits, temperature: gumbel.log_density([0.5, 0.5], logits, temperature),
}


@pytest.mark.parametrize("function", FUNCTIONS.values(), ids=FUNCTIONS)
class TestRefusals:
    @pytest.mark.parametrize("temperature", [0.0, -1.0, np.nan, np.inf])
    def test_of_temperatures(self, function, temperature):
        with pytest.raises(ValueError, match=f"^the temperature must be positive and finite, not {temperature}$"):
            function([0.0, 0.0], temperature)

    @pytest.mark.parametrize("logits", [[0.0, np.nan], [0.0, np.inf], [-np.inf] * 2, [[0.0, 0.0], [-np.inf] * 2]])
    def test_of_logits(self, function, logits):
        with pytest.raises(ValueError, match=r"^logits must hold no nan or \+inf, and at least one finite value$"):
            function(logits, 1.0)


@pytest.mark.parametrize("shape", [(2, 6), (6, 1), ()])
@pytest.mark.parametrize(
    "function",
    [
        gumbel.exact_expectation,
        lambda logits, temperature: gumbel.sample(logits, temperature, 3, rng()),
        lambda logits, temperature: gumbel.expectation(logits, temperature, 3, rng()),
    ],
)
def test_moments_and_samples_are_those_of_one_law(function, shape):
    with pytest.raises(ValueError, match=rf"^logits must be .* of the shape \(K,\), not {re.escape(str(shape))}$"):
        function(np.zeros(shape), 1.0)
