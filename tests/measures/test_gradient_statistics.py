"""Errors and tests of a mean gradient, against simulated estimates whose mean and covariance are known.

Every simulation repeats a measurement of R estimates in D dimensions; the noise is normal, with unequal deviations.
"""

from math import sqrt

import pytest
import torch

from gsm_cli.measures.gradient_statistics import deviation, exact_mean, sampled_mean, squared_trace

SIMULATIONS, R, D = 400, 200, 60
DEVIATIONS = torch.linspace(0.2, 1.0, D, dtype=torch.float64)
EXACT = torch.cos(torch.arange(D, dtype=torch.float64))
NORM = EXACT.norm().item()


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def simulate(offset: torch.Tensor, count: int = SIMULATIONS):
    generator = rng()
    for _ in range(count):
        noise = torch.randn(R, D, generator=generator, dtype=torch.float64)
        yield EXACT + offset + noise * DEVIATIONS


def summary(values: list[float]) -> tuple[float, float]:
    tensor = torch.tensor(values)
    return tensor.mean().item(), tensor.std().item()


def test_z_is_about_standard_normal_without_a_bias():
    """The standard errors of mean and deviation are 0.05 and 0.035; the law leans to the right a little."""
    found = [sampled_mean(samples, EXACT) for samples in simulate(torch.zeros(D))]
    mean, std = summary([each.squared_bias / each.squared_noise for each in found])
    assert abs(mean) < 0.2
    assert 0.86 < std < 1.14
    assert sum(each.is_biased for each in found) == 0
    assert 0.9 < sum(each.squared_bias < 1.645 * each.squared_noise for each in found) / SIMULATIONS < 0.98


@pytest.mark.parametrize("size", [0.5, 1.0])
def test_the_error_of_a_bias_covers_it(size):
    """And is many times smaller than the norm of the mean's noise, which passes for it where nobody looks."""
    direction = torch.eye(D, dtype=torch.float64)[7]
    truth = size / NORM
    found = [sampled_mean(samples, EXACT) for samples in simulate(size * direction)]
    mean, std = summary([(each.bias - truth) / each.bias_error for each in found])
    assert abs(mean) < 0.3
    assert 0.85 < std < 1.15
    assert all(each.is_biased for each in found)
    noise_of_mean = DEVIATIONS.norm().item() / sqrt(R) / NORM
    assert found[0].bias_error < 0.5 * noise_of_mean


def test_a_small_bias_is_seen_that_twice_the_norm_of_the_noise_would_hide():
    offset = torch.full((D,), 0.075, dtype=torch.float64)  # of norm 0.58, and the mean's noise has 0.35
    assert offset.norm() < 2 * DEVIATIONS.norm() / sqrt(R)
    assert sum(sampled_mean(samples, EXACT).is_biased for samples in simulate(offset, 50)) == 50


@pytest.mark.parametrize("turn", [0.0, 0.5, 2.0])
def test_the_error_of_a_cosine_covers_it(turn):
    offset = turn * NORM * torch.eye(D, dtype=torch.float64)[1]
    mean = EXACT + offset
    truth = (mean @ EXACT / mean.norm() / NORM).item()
    found = [sampled_mean(samples, EXACT) for samples in simulate(offset)]
    if turn:
        average, std = summary([(each.cosine - truth) / each.cosine_error for each in found])
        assert abs(average) < 0.3
        assert 0.85 < std < 1.15
    else:  # the greatest cosine there is
        assert all(each.cosine > 1.0 - 4 * each.cosine_error for each in found)


def test_a_mean_that_is_noise_has_no_cosine():
    found = [sampled_mean(samples, EXACT) for samples in simulate(-EXACT, 100)]
    assert all(each.cosine is None and each.cosine_error == 0.0 for each in found)
    assert all(each.bias == pytest.approx(1.0, abs=5 * each.bias_error) for each in found)


def test_the_trace_of_the_squared_covariance_is_unbiased():
    expected = DEVIATIONS.pow(4).sum().item()
    mean, std = summary([squared_trace(samples) for samples in simulate(torch.ones(D), 200)])
    assert mean == pytest.approx(expected, abs=4 * std / sqrt(200))
    assert std < 0.2 * expected


def test_of_many_estimates_some_pairs_are_enough():
    samples = torch.randn(20_000, 3, generator=rng(), dtype=torch.float64)
    assert squared_trace(samples) == pytest.approx(3.0, rel=0.2)


def test_the_deviation_of_one_estimate():
    roots, errors = zip(*(deviation(samples, EXACT) for samples in simulate(EXACT, 200)), strict=True)
    mean, std = summary(list(roots))
    assert mean == pytest.approx(DEVIATIONS.norm().item() / NORM, abs=4 * std / sqrt(200))
    assert summary(list(errors))[0] == pytest.approx(std, rel=0.2)


def test_a_mean_without_noise_has_no_error():
    found = exact_mean(EXACT * 1.5, EXACT)
    assert (found.cosine, found.bias) == pytest.approx((1.0, 0.5))
    assert (found.cosine_error, found.squared_noise, found.bias_error) == (0.0, 0.0, 0.0)
    assert found.is_biased
    assert exact_mean(-EXACT, EXACT).cosine == pytest.approx(-1.0)
    assert exact_mean(0.0 * EXACT, EXACT).cosine is None


def test_rounding_is_no_bias():
    assert not exact_mean(EXACT * (1 + 1e-5), EXACT).is_biased
    assert not sampled_mean(EXACT.repeat(10, 1) * (1 + 1e-5), EXACT).is_biased
