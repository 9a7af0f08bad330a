"""What a figure says of the law: its numbers against the draws, and the command that makes it again."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import special

from gsm_cli import __version__
from gsm_cli.law.facts import moments, origin, rounded, rounded_rows
from gsm_cli.law.moments import exact_moments
from gsm_cli.law.request import read_law, read_temperature, read_temperatures
from gsm_cli.style import Look

LAW = read_law(None, None, None, seed=0)


@pytest.mark.parametrize("temperature", ["0.1", "1", "5", "100"])
def test_moments_are_the_mean_of_the_draws_and_the_exact_ones(temperature):
    tau = read_temperature(temperature)
    z = special.softmax((LAW.logits + LAW.noise(200)) / tau.value, axis=1)
    exact, variance = exact_moments(LAW.logits, tau.value)
    error = np.sqrt(variance / 200)
    facts = moments(LAW, tau, 200)
    assert_allclose(facts["mean"], z.mean(axis=0), rtol=1e-5)
    assert_allclose(facts["exact"], exact, rtol=1e-5)
    assert_allclose(facts["standard_error"], error, rtol=1e-5)
    assert facts["z_score"] == tuple(float(f"{score:.3g}") for score in (z.mean(axis=0) - exact) / error)


def test_z_scores_over_many_seeds_are_standard_normal():
    """200 seeds, one class each: mean within four standard errors of 0, mean square within four of 1."""
    tau = read_temperature("1")
    scores = [moments(read_law(None, None, None, seed), tau, 100)["z_score"][1] for seed in range(200)]
    assert abs(np.mean(scores)) < 4 / np.sqrt(200)
    assert abs(np.mean(np.square(scores)) - 1) < 4 * np.sqrt(2 / 200)


def test_a_class_that_never_varies_has_no_z_score():
    *others, never = moments(read_law("0.5,0.5,0", None, None, 0), read_temperature("0.1"), 10)["z_score"]
    assert never is None
    assert None not in others


@pytest.mark.parametrize(("temperature", "resolved"), [("1e9", True), ("1e13", False)])
def test_a_z_score_is_said_only_where_float64_resolves_it(temperature, resolved):
    facts = moments(LAW, read_temperature(temperature), 100)
    assert all(error > 0 for error in facts["standard_error"])
    assert [z is not None and abs(z) < 5 for z in facts["z_score"]] == [resolved] * 6


def test_the_origin_is_the_command_with_all_that_it_depends_on():
    law = read_law("0.5,0.3,0.2", None, None, 7, "a b,c,d")
    look = Look(title="Mine", dpi=90)
    assert origin(law, look, "grid", read_temperatures(["1.0", "1e-1"]), "--samples", 9) == {
        "command": "gsm grid --tau 1 --tau 0.1 --probs 0.5,0.3,0.2 --class-names 'a b,c,d' --seed 7 --samples 9 "
        "--title Mine --dpi 90",
        "version": __version__,
        "seed": 7,
        "temperatures": (1.0, 0.1),
        "probabilities": (0.5, 0.3, 0.2),
    }


def test_numbers_have_six_digits():
    assert rounded(np.array([1 / 3, 2e-20 / 3, 0.0])) == (0.333333, 6.66667e-21, 0.0)
    assert rounded_rows(np.array([[1 / 3], [2 / 3]])) == ((0.333333,), (0.666667,))
