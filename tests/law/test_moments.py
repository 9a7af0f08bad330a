"""The exact moments of the law, against closed forms, arbitrary precision, quadratures and sampling."""

import tracemalloc
from itertools import pairwise

import mpmath
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from scipy import integrate, special

from gsm_cli.law import gumbel, moments

PI = np.array([0.107, 0.765, 0.022, 0.006, 0.055, 0.045])  # the article's law
LOGITS = np.log(PI)
TEMPERATURES = (0.01, 0.1, 1.0, 5.0, 100.0, 1000.0)

a_temperature = st.floats(-2, 3).map(lambda exponent: 10.0**exponent)
a_law = st.integers(2, 8).flatmap(lambda k: arrays(np.float64, k, elements=st.floats(-27, 0)))


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def second_moment(logits, temperature):
    mean, variance = moments.exact_moments(logits, temperature)
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
        assert_allclose(moments.exact_expectation(logits, temperature), [first, 1 - first], rtol=1e-10)
        assert_allclose(second_moment(logits, temperature)[0], second, rtol=1e-10)

    def test_standard_deviation(self, pi, temperature):
        logits = np.log([pi, 1 - pi])
        mean = two_class_moment(logits[0] - logits[1], temperature, 1)
        variance = two_class_moment(logits[0] - logits[1], temperature, 2, mean)
        assert_allclose(moments.exact_standard_deviation(logits, temperature) ** 2, variance, rtol=1e-10, atol=1e-16)


@pytest.mark.parametrize("temperature", [0.01, 0.9, 1.0, 1.1, 1e3, 1e5, 1e8, 1e12, 1e20])
@pytest.mark.parametrize("logit", [-7.0, 0.5])
def test_two_classes_in_arbitrary_precision(logit, temperature):
    """Integrals with 50 digits over the noise's own scale and over the sigmoid's, against those in float64."""
    with mpmath.workdps(50):
        mean, variance = precise_two_class_moments(mpmath.mpf(logit), mpmath.mpf(temperature))
        exact_mean, exact_variance = moments.exact_moments([logit, 0.0], temperature)
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
    assert_allclose(moments.exact_standard_deviation(LOGITS, temperature), expected, rtol=10 / temperature + 1e-12)


@pytest.mark.parametrize("classes", [2, 40])
def test_moments_do_not_jump_at_temperature_one(classes):
    """There the two noises change places."""
    logits = gumbel.random_logits(classes, rng(10))
    below, above = (moments.exact_moments(logits, 1.0 + step) for step in (-1e-9, 1e-9))
    assert_allclose(below, above, rtol=1e-7)


@pytest.mark.parametrize("pi", [0.01, 0.2, 0.9])
def test_two_classes_at_temperature_one_in_closed_form(pi):
    ratio = (1 - pi) / pi
    expected = (1 - ratio + ratio * np.log(ratio)) / (1 - ratio) ** 2
    assert_allclose(moments.exact_expectation(np.log([pi, 1 - pi]), 1.0)[0], expected, rtol=1e-12)


@pytest.mark.parametrize("classes", [3, 40, 1000])
def test_many_classes_at_temperature_one_in_bessel_functions(classes):
    """There h = E exp(-t e^g) = 2 sqrt(t) K_1(2 sqrt(t)), with h' = -2 K_0(2 sqrt(t)) and sqrt(t) h'' = 2 K_1."""
    pi = gumbel.relax(gumbel.random_logits(classes, rng(6)), 0.0, 1.0)
    step = 0.05
    t = np.exp(np.arange(-60.0, 8.0, step))[:, None]
    root = np.sqrt(t * pi)
    k0, k1 = special.k0(2 * root), special.k1(2 * root)
    h = 2 * root * k1
    others = step * t * np.exp(np.log(h).sum(axis=1, keepdims=True)) / h
    first = (others * 2 * pi * k0).sum(axis=0)
    second = (others * t * 2 * pi**2 * k1 / root).sum(axis=0)
    assert_allclose(moments.exact_expectation(np.log(pi), 1.0), first, rtol=1e-11)
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
    assert_allclose(weights @ z, moments.exact_expectation(logits, temperature), rtol=1e-10)
    assert_allclose(weights @ z**2, second_moment(logits, temperature), rtol=1e-10)


@pytest.mark.parametrize("temperature", [*TEMPERATURES, 1e6, 1e9])
@pytest.mark.parametrize("logits", [LOGITS, rng(4).normal(0.0, 0.5, size=40)], ids=["6", "40"])
def test_exact_moments_agree_with_sampling(logits, temperature):
    """Five of the draws' own standard errors: 100,000 draws of seed 5."""
    z = gumbel.sample(logits, temperature, 100_000, rng(5))
    mean = moments.exact_expectation(logits, temperature)
    variance = moments.exact_standard_deviation(logits, temperature) ** 2
    second = second_moment(logits, temperature)
    for draws, exact in ((z, mean), (z**2, second), ((z - mean) ** 2, variance)):
        error = draws.std(axis=0) / np.sqrt(len(draws))
        assert_allclose((draws.mean(axis=0) - exact) / error, 0.0, atol=5.0)


@given(a_law, a_temperature, st.randoms(use_true_random=False))
def test_exact_moments_are_those_of_a_law_on_the_simplex(logits, temperature, random):
    first = moments.exact_expectation(logits, temperature)
    second = second_moment(logits, temperature)
    assert_allclose(first.sum(), 1.0, atol=1e-12)
    assert (second <= first * (1 + 1e-10)).all()
    order = random.sample(range(logits.size), logits.size)
    assert_allclose(moments.exact_expectation(logits[order] + 1000.0, temperature), first[order], rtol=1e-10)
    by_pi = logits.argsort()
    assert (np.diff(first[by_pi]) >= -1e-14).all()


@pytest.mark.parametrize("chunk", [1, 10_000])
def test_exact_moments_are_the_same_in_pieces(monkeypatch, chunk):
    whole = moments.exact_moments(LOGITS, 0.5)
    monkeypatch.setattr(moments, "CHUNK", chunk)
    assert_allclose(moments.exact_moments(LOGITS, 0.5), whole, rtol=1e-12)


@pytest.mark.parametrize("temperature", [0.01, 1.0, 1000.0])
def test_a_thousand_classes_take_bounded_memory(temperature):
    logits = gumbel.random_logits(1000, rng(6))
    tracemalloc.start()
    moments.exact_expectation(logits, temperature)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 200 * 2**20


@pytest.mark.parametrize(("temperature", "expected"), [(0.1, 0.7629), (1, 0.6042), (5, 0.2682), (100, 0.1711)])
def test_class_two_of_the_article(temperature, expected):
    assert_allclose(moments.exact_expectation(LOGITS, temperature)[1], expected, atol=5e-5)


def test_cold_expectation_is_pi_and_hot_is_uniform():
    assert_allclose(moments.exact_expectation(LOGITS, 1e-7), PI, rtol=1e-10)
    assert_allclose(second_moment(LOGITS, 1e-7), PI, rtol=1e-6)
    assert_allclose(moments.exact_expectation(LOGITS, 1e7), 1 / 6, rtol=1e-6)
    assert_allclose(second_moment(LOGITS, 1e7), 1 / 36, rtol=1e-6)


@pytest.mark.parametrize("temperature", TEMPERATURES)
def test_impossible_classes_change_nothing(temperature):
    possible = np.log([0.25, 0.75])
    with_zeros = [-np.inf, possible[0], -np.inf, possible[1]]
    for moment in (moments.exact_expectation, second_moment):
        a, b = moment(possible, temperature)
        assert_allclose(moment(with_zeros, temperature), [0.0, a, 0.0, b], rtol=1e-12)
    assert_array_equal(moments.exact_standard_deviation(with_zeros, temperature)[[0, 2]], 0.0)


MANY = {
    "as the article": gumbel.random_logits(600, rng(11)),
    "flat": np.zeros(400),
    "one class above": np.r_[10.0, rng(12).normal(0.0, 0.5, 600)],
    "a third masked": np.where(np.arange(900) % 3, rng(13).normal(0.0, 2.0, 900), -np.inf),
}


@pytest.mark.parametrize("temperature", [0.001, 0.3, 1.0, 5.0, 1000.0])
@pytest.mark.parametrize("logits", MANY.values(), ids=MANY)
def test_nodes_stand_in_for_many_classes(monkeypatch, logits, temperature):
    """Against every class by itself."""
    few = moments.exact_moments(logits, temperature)
    monkeypatch.setattr(moments, "CELL", logits.size)
    assert_allclose(few, moments.exact_moments(logits, temperature), rtol=2e-13)


@pytest.mark.parametrize("temperature", [0.1, 10.0])
def test_a_hundred_thousand_classes(temperature):
    """The mean of K equal classes is 1 / K; of others the sum is 1, and each class has its mean for its logit alone."""
    assert_allclose(moments.exact_expectation(np.zeros(100_000), temperature), 1e-5, rtol=1e-12)
    logits = gumbel.random_logits(100_000, rng(14))
    logits[1::2] = logits[::2]
    mean, variance = moments.exact_moments(logits, temperature)
    assert_allclose(mean.sum(), 1.0, atol=1e-12)
    assert_array_equal(mean[1::2], mean[::2])
    assert (variance < mean * (1.0 - mean)).all()
