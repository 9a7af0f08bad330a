"""The estimators of the article, against loops, against the NumPy law, and against their limits."""

import numpy as np
import pytest
import torch
from every import ESTIMATORS
from scipy import stats
from torch import Tensor

from gsm_cli.law import gumbel, moments
from gsm_cli.model.categorical import entropy, gumbel_noise, relax
from gsm_cli.model.estimators import Gumbel, Marginal, StraightThroughGumbel

K, B = 7, 5
WEIGHTS = torch.linspace(-2.0, 2.0, K, dtype=torch.float64) ** 3


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def random_logits(samples: int = 1) -> Tensor:
    return torch.randn(samples, B, K, dtype=torch.float64, generator=rng(1)).requires_grad_()


def smooth(parameter: Tensor):
    """A bound that is not linear in y, differs from image to image and has a parameter of its own (B, K)."""

    def bound(y: Tensor, images: Tensor | None = None) -> Tensor:
        weights = parameter if images is None else parameter[images % len(parameter)]
        return torch.sin(y * weights).sum(-1) + (y.square() * weights).sum(-1)

    return bound


def linear(y: Tensor, images: Tensor | None = None) -> Tensor:
    return y @ WEIGHTS


class TestNoise:
    def test_relax_is_the_one_of_numpy(self):
        noise = gumbel.gumbel_noise((1000, K), np.random.default_rng(0))
        logits = np.random.default_rng(1).normal(size=K)
        for tau in (0.1, 1.0, 5.0, 100.0):
            ours = relax(torch.from_numpy(logits), torch.from_numpy(noise), tau).numpy()
            np.testing.assert_allclose(ours, gumbel.relax(logits, noise, tau), rtol=0, atol=1e-12)

    def test_is_always_finite(self):
        assert gumbel_noise((10_000_000,), rng(), torch.zeros(1)).isfinite().all()

    @pytest.mark.parametrize("kind", [torch.float32, torch.float64])
    def test_has_the_gumbel_law(self, kind):
        """Kolmogorov-Smirnov with 200,000 draws of a fixed seed, at the level 1e-3."""
        noise = gumbel_noise((200_000,), rng(), torch.zeros(1, dtype=kind))
        assert noise.dtype is kind
        assert stats.kstest(noise.double().numpy(), stats.gumbel_r.cdf).pvalue > 1e-3


class TestMarginal:
    @pytest.mark.parametrize("keep", [0, 3 * B, 1000])
    @pytest.mark.parametrize("piece", [1, B, 2 * B, 6 * B, 1000])
    @pytest.mark.parametrize("samples", [1, 3])
    def test_is_a_loop_over_classes_in_value_and_gradient(self, piece, keep, samples):
        logits, parameter = random_logits(samples), torch.randn(B, K, dtype=torch.float64, generator=rng(2))
        parameter.requires_grad_()
        loop = sum(logits.softmax(-1)[..., k] * smooth(parameter)(torch.eye(K)[k].double()) for k in range(K))
        value = Marginal(piece, keep)(smooth(parameter), logits, rng())
        torch.testing.assert_close(value, loop, rtol=1e-12, atol=1e-12)
        weights = torch.arange(1.0, samples * B + 1).view(samples, B).double()
        for ours, theirs in zip(
            torch.autograd.grad((weights * value).sum(), (logits, parameter)),
            torch.autograd.grad((weights * loop).sum(), (logits, parameter)),
            strict=True,
        ):
            torch.testing.assert_close(ours, theirs, rtol=1e-12, atol=1e-12)

    @pytest.mark.parametrize(
        ("keep", "again"), [(0, [1, 3, 3]), (3 * B, [1, 3]), (6 * B, [1]), (K * B, [1]), (9 * B, [])]
    )
    def test_only_pieces_beyond_those_kept_are_computed_again_in_the_backward_pass(self, keep, again):
        calls = []

        def bound(y: Tensor, images: Tensor | None = None) -> Tensor:
            calls.append(len(y))
            return torch.sin(y * WEIGHTS).sum(-1).expand(-1, 1, B)

        logits = random_logits()
        value = Marginal(3 * B, keep)(lambda y: bound(y) * logits.sum(), logits, rng()).sum()
        assert calls == [3, 3, 1]
        value.backward()
        assert calls[3:] == again

    @pytest.mark.parametrize("keep", [0, 10_000])
    def test_a_bound_that_draws_is_computed_again_with_the_same_noise(self, keep):
        """The value is linear in the weights, so that it is their product with the gradient."""
        weights, logits = torch.ones(5, dtype=torch.float64, requires_grad=True), random_logits().detach()

        def bound(y: Tensor) -> Tensor:
            units = torch.dropout(weights.new_ones(len(y), 1, B, 5), 0.5, train=True)
            return (units + torch.randn_like(units)) @ weights

        with torch.random.fork_rng():
            torch.manual_seed(0)
            value = Marginal(B, keep)(bound, logits, rng()).sum()
            state = torch.get_rng_state()
            (gradient,) = torch.autograd.grad(value, weights)
            assert torch.equal(torch.get_rng_state(), state)
        torch.testing.assert_close(weights.double() @ gradient.double(), value.double())

    @pytest.mark.parametrize("keep", [0, 3 * B])
    def test_what_is_not_kept_has_a_second_backward_pass_and_a_second_derivative(self, keep):
        logits = random_logits()
        parameter = torch.randn(B, K, dtype=torch.float64, generator=rng(2), requires_grad=True)
        passes, curvatures = [], []
        for each in (keep, 1000):
            value = Marginal(B, each)(smooth(parameter), logits, rng()).sum()
            twice = [torch.autograd.grad(value, parameter, retain_graph=True)[0] for _ in range(2)]
            torch.testing.assert_close(*twice, rtol=0, atol=0)
            passes.append(twice[0])
            (gradient,) = torch.autograd.grad(value, parameter, create_graph=True)
            curvatures.append(torch.autograd.grad(gradient.square().sum(), parameter)[0])
        torch.testing.assert_close(*passes)
        torch.testing.assert_close(*curvatures)

    def test_pieces_of_a_single_image_are_as_large_as_they_may_be(self):
        pieces = []
        Marginal(piece=3)(lambda y: pieces.append(len(y)) or linear(y), torch.zeros(K, dtype=torch.float64), rng())
        assert pieces == [3, 3, 1]


class TestGumbel:
    @pytest.mark.parametrize("tau", [0.1, 0.5, 1.0, 5.0])
    def test_mean_of_a_linear_bound_is_the_exact_expectation(self, tau):
        """200,000 samples; 5 standard errors."""
        logits = random_logits().detach()[:, :1]
        values = Gumbel(tau)(linear, logits.expand(1, 200_000, K), rng())[0]
        expected = moments.exact_expectation(logits[0, 0].numpy(), tau) @ WEIGHTS.numpy()
        assert values.mean().item() == pytest.approx(expected, abs=5 * values.std().item() / 200_000**0.5)

    @pytest.mark.parametrize("kind", [Gumbel, StraightThroughGumbel])
    def test_tends_to_the_marginal_as_the_temperature_falls(self, kind):
        logits, bound = random_logits().detach(), smooth(torch.ones(B, K, dtype=torch.float64))
        values = kind(1e-3, draws=1)(bound, logits.repeat(20_000, 1, 1), rng())
        expected = Marginal()(bound, logits, rng())[0]
        assert ((values.mean(0) - expected).abs() < 5 * values.std(0) / 20_000**0.5 + 1e-3).all()

    @pytest.mark.parametrize("kind", [Gumbel, StraightThroughGumbel])
    def test_draws_are_averaged(self, kind):
        logits, bound = random_logits(2), smooth(torch.ones(B, K, dtype=torch.float64))
        noise = gumbel_noise((4, 2, B, K), rng(), logits)
        scores = relax(logits, noise, 0.5)
        if kind is StraightThroughGumbel:
            scores = torch.nn.functional.one_hot(scores.argmax(-1), K).double()
        torch.testing.assert_close(kind(0.5, draws=4)(bound, logits, rng()), bound(scores).mean(0))


class TestStraightThrough:
    def test_forward_is_the_one_hot_of_logits_plus_noise(self):
        logits, given = random_logits(), []
        StraightThroughGumbel(0.7)(lambda y: given.append(y) or linear(y), logits, rng())
        noise = gumbel_noise((1, 1, B, K), rng(), logits)
        assert torch.equal(given[0], torch.nn.functional.one_hot((logits + noise).argmax(-1), K).double())

    def test_gradient_is_that_of_the_relaxed_sample(self):
        """For a linear bound the two have the same gradient, from the same noise."""
        logits = random_logits()
        (hard,) = torch.autograd.grad(StraightThroughGumbel(0.7)(linear, logits, rng()).sum(), logits)
        (soft,) = torch.autograd.grad(Gumbel(0.7)(linear, logits, rng()).sum(), logits)
        torch.testing.assert_close(hard, soft)
        assert hard.abs().sum() > 0


def test_entropy_is_that_of_the_categorical_law():
    logits = 3 * random_logits(2)
    torch.testing.assert_close(entropy(logits), torch.distributions.Categorical(logits=logits).entropy())


def test_entropy_is_finite_where_a_class_has_the_probability_zero():
    logits = torch.tensor([0.3, -torch.inf, -0.2], requires_grad=True)
    (gradient,) = torch.autograd.grad(entropy(logits), logits)
    rest = torch.tensor([0.3, -0.2], requires_grad=True)
    torch.testing.assert_close(entropy(logits), entropy(rest))
    torch.testing.assert_close(gradient[[0, 2]], torch.autograd.grad(entropy(rest), rest)[0])
    assert gradient[1] == 0.0


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
def test_every_estimator_is_unchanged_by_a_shift_of_the_logits(estimator):
    logits, bound = random_logits().detach(), smooth(torch.ones(B, K, dtype=torch.float64))
    torch.testing.assert_close(estimator(bound, logits + 3.0, rng()), estimator(bound, logits, rng()))


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=repr)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64], ids=str)
@pytest.mark.parametrize("impossible", [[1], [0, 1, 2]], ids=["one class", "all but one"])
def test_every_estimator_knows_a_class_that_is_never_drawn(estimator, dtype, impossible):
    """As with a logit so low that the class is never drawn, and with the gradient zero."""

    def estimate(lowest: float) -> tuple[torch.Tensor, torch.Tensor]:
        logits = torch.tensor([[0.3, 1.0, -0.2, 0.4]], dtype=dtype).repeat(5, 1)
        logits[:, impossible] = lowest
        logits.requires_grad_()
        value = estimator(lambda y, images=None: (y**2) @ y.new_tensor([1.0, 2.0, 3.0, 5.0]), logits, rng())
        return value.detach(), torch.autograd.grad(value.sum(), logits)[0]

    (value, gradient), expected = estimate(-torch.inf), estimate(-80.0)
    torch.testing.assert_close((value, gradient), expected)
    assert not gradient[:, impossible].any()
