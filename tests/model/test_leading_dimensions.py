"""Every estimator for every shape of logits, against a loop over images and draws whose gradient is written by hand.

The loops know nothing of autograd: f(y) = sum_k w_k (sin y_k + y_k^2) has the gradient w (cos y + 2 y), and a softmax s
with the temperature tau the Jacobian (diag(s) - s s') / tau. Only the noise is shared.
"""

from collections.abc import Callable
from math import prod

import pytest
import torch
from torch import Tensor

from gsm_cli.model.bounds import Estimator
from gsm_cli.model.categorical import gumbel_noise
from gsm_cli.model.estimators import (
    GappedStraightThrough,
    Gumbel,
    GumbelRao,
    Marginal,
    MinusLogQ,
    Rebar,
    Reinforce,
    ReinMax,
    ReinMaxRao,
    SparseMarginal,
    StraightThrough,
    StraightThroughGumbel,
    SumAndSample,
    UnorderedSet,
)

K, TAU, DRAWS = 5, 0.7, 3
FORWARD, GAP, ETA = 1.3, 0.8, 0.6
Loop = Callable[["Image", list[Tensor]], tuple[Tensor, Tensor]]  # the value () and the gradient (K,) of one image


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(3)


class Image:
    """The law q and the function f of one image."""

    def __init__(self, logits: Tensor, weights: Tensor) -> None:
        self.logits, self.weights = logits, weights
        self.q = logits.exp() / logits.exp().sum()

    def value(self, y: Tensor) -> Tensor:
        return (self.weights * (y.sin() + y**2)).sum()

    def slope(self, y: Tensor) -> Tensor:
        return self.weights * (y.cos() + 2 * y)

    def one_hot(self, k: int) -> Tensor:
        return torch.eye(K, dtype=torch.float64)[k]

    def score(self, k: int) -> Tensor:
        """The gradient of log q(k)."""
        return self.one_hot(k) - self.q

    def relaxed(self, noise: Tensor, temperature: float = TAU) -> Tensor:
        scores = ((self.logits + noise) / temperature).exp()
        return scores / scores.sum()


def jacobian(softmax: Tensor) -> Tensor:
    return torch.diag(softmax) - torch.outer(softmax, softmax)


def sum_over(image: Image, classes: list[int]) -> tuple[Tensor, Tensor]:
    values = [image.q[k] * image.value(image.one_hot(k)) for k in classes]
    gradients = [value * image.score(k) for k, value in zip(classes, values, strict=True)]
    return sum(values, torch.zeros(())), sum(gradients, torch.zeros(K))


def marginal(image: Image, noises: list[Tensor]) -> tuple[Tensor, Tensor]:
    return sum_over(image, list(range(K)))


def sparse_marginal(image: Image, noises: list[Tensor]) -> tuple[Tensor, Tensor]:
    kept = [k for k in range(K) if image.q[k] > 0.15 or image.q[k] == image.q.max()]
    mass = sum(image.q[k] for k in kept)
    value, gradient = (part / mass for part in sum_over(image, kept))
    slope_of_mass = sum((image.q[k] * image.score(k) for k in kept), torch.zeros(K))
    return value, gradient - value * slope_of_mass / mass


def gumbel(image: Image, noises: list[Tensor]) -> tuple[Tensor, Tensor]:
    relaxed = [image.relaxed(noise) for noise in noises[0]]
    gradients = [jacobian(z) @ image.slope(z) / TAU for z in relaxed]
    return sum(map(image.value, relaxed)) / DRAWS, sum(gradients) / DRAWS


def straight_through(image: Image, noises: list[Tensor]) -> tuple[Tensor, Tensor]:
    value, gradient = torch.zeros(()), torch.zeros(K)
    for noise in noises[0]:
        z = image.relaxed(noise)
        hard = image.one_hot(int(z.argmax()))
        value = value + image.value(hard) / DRAWS
        gradient = gradient + jacobian(z) @ image.slope(hard) / TAU / DRAWS
    return value, gradient


def scores_given(drawn: int, law: Tensor, noise: Tensor) -> Tensor:
    """log p + g of a law p, given that the class is `drawn`."""
    exponential = (-noise).exp()
    shared = exponential[drawn]
    return torch.stack([-(shared if k == drawn else exponential[k] / law[k] + shared).log() for k in range(K)])


def gumbel_rao(image: Image, noises: list[Tensor]) -> tuple[Tensor, Tensor]:
    drawn = int((image.logits + noises[0]).argmax())
    hard, gradient = image.one_hot(drawn), torch.zeros(K)
    for noise in noises[1]:
        z = image.relaxed(scores_given(drawn, image.q, noise) - image.logits)
        gradient = gradient + jacobian(z) @ image.slope(hard) / TAU / DRAWS
    return image.value(hard), gradient


def plain_straight_through(image: Image, noises: list[Tensor]) -> tuple[Tensor, Tensor]:
    hard = image.one_hot(int((image.logits / FORWARD + noises[0]).argmax()))
    return image.value(hard), jacobian(image.relaxed(torch.zeros(K))) @ image.slope(hard) / TAU


def gapped(image: Image, noises: list[Tensor]) -> tuple[Tensor, Tensor]:
    drawn, top = int((image.logits + noises[0]).argmax()), image.logits.max()
    moved = [top if k == drawn else min(image.logits[k], top - GAP) for k in range(K)]
    soft = image.relaxed(torch.stack(moved) - image.logits)
    return image.value(image.one_hot(drawn)), jacobian(soft) @ image.slope(image.one_hot(drawn)) / TAU


def reinmax_rao(image: Image, noises: list[Tensor]) -> tuple[Tensor, Tensor]:
    drawn = int((image.logits + noises[0]).argmax())
    hard = image.one_hot(drawn)
    gradient = -jacobian(image.q) @ image.slope(hard) / 2
    for noise in noises[1]:
        z = image.relaxed(scores_given(drawn, (hard + image.q) / 2, noise) - image.logits)
        gradient = gradient + 2 * jacobian(z) @ image.slope(hard) / TAU / DRAWS
    return image.value(hard), gradient


def rebar(image: Image, noises: list[Tensor]) -> tuple[Tensor, Tensor]:
    """The derivative of the conditional scores by the law is written by hand: for j not drawn it is E_j / q_j over
    E_j / q_j + E_i, times that of log q_j."""
    noise, noise_given = noises[0]
    drawn = int((image.logits + noise).argmax())
    scores = scores_given(drawn, image.q, noise_given)
    z, z_given = image.relaxed(noise), image.relaxed(scores - image.logits)
    value = image.value(image.one_hot(drawn))
    gradient = (value - ETA * image.value(z_given)) * image.score(drawn)
    gradient = gradient + ETA * jacobian(z) @ image.slope(z) / TAU
    for j in range(K):
        if j != drawn:
            part = (-noise_given[j]).exp() / image.q[j] * scores[j].exp()
            slope = (jacobian(z_given) @ image.slope(z_given))[j] / TAU
            gradient = gradient - ETA * slope * part * image.score(j)
    return value, gradient


def unordered(image: Image, noises: list[Tensor], signal: Tensor | None = None) -> tuple[Tensor, Tensor]:
    a = int((image.logits + noises[0]).argmax())
    b = max((k for k in range(K) if k != a), key=lambda k: image.logits[k] + noises[1][k])
    signal = torch.zeros(K) if signal is None else signal
    f_a, f_b = (image.value(image.one_hot(k)) - signal[k] for k in (a, b))
    r_a, r_b = 1 - image.q[a], 1 - image.q[b]
    score = image.score(a) - image.score(b)
    return (r_b * f_a + r_a * f_b) / (r_a + r_b), (f_a - f_b) * r_a * r_b / (r_a + r_b) * score


def unordered_less_log_q(image: Image, noises: list[Tensor]) -> tuple[Tensor, Tensor]:
    log_q = image.q.log()
    value, gradient = unordered(image, noises, log_q)
    return value + image.q @ log_q, gradient + jacobian(image.q) @ log_q


def reinmax(image: Image, noises: list[Tensor]) -> tuple[Tensor, Tensor]:
    hard = image.one_hot(int((image.logits + noises[0]).argmax()))
    middle = (hard + image.relaxed(torch.zeros(K), 1 / TAU)) / 2
    return image.value(hard), (2 * jacobian(middle) - jacobian(image.q) / 2) @ image.slope(hard)


def reinforce(image: Image, noises: list[Tensor]) -> tuple[Tensor, Tensor]:
    drawn = [int((image.logits + noise).argmax()) for noise in noises[0]]
    values = [image.value(image.one_hot(k)) for k in drawn]
    gradient = torch.zeros(K)
    for k, value in zip(drawn, values, strict=True):
        others = (sum(values) - value) / (DRAWS - 1)
        gradient = gradient + (value - others) * image.score(k) / DRAWS
    return sum(values) / DRAWS, gradient


def sum_and_sample(image: Image, noises: list[Tensor]) -> tuple[Tensor, Tensor]:
    ranked = image.q.argsort(descending=True).tolist()
    summed, others = ranked[:2], ranked[2:]
    drawn = max(others, key=lambda k: image.logits[k] + noises[0][k])
    value, gradient = sum_over(image, summed)
    rest, sampled = sum(image.q[k] for k in others), image.value(image.one_hot(drawn))
    slope_of_rest = sum(image.q[k] * image.score(k) for k in others)
    baseline = value / (1 - rest)
    gradient = gradient + slope_of_rest * sampled
    gradient = gradient + rest * (sampled - baseline) * (image.score(drawn) - slope_of_rest / rest)
    return value + rest * sampled, gradient


ONE, MANY = (), (DRAWS,)  # the draws of each array of noise that an estimator takes, in this order
CASES: list[tuple[Estimator, Loop, list[tuple[int, ...]]]] = [
    (Marginal(), marginal, []),
    (Gumbel(TAU, DRAWS), gumbel, [MANY]),
    (StraightThroughGumbel(TAU, DRAWS), straight_through, [MANY]),
    (GumbelRao(TAU, DRAWS), gumbel_rao, [ONE, MANY]),
    (ReinMax(1 / TAU), reinmax, [ONE]),
    (Reinforce(DRAWS), reinforce, [MANY]),
    (SumAndSample(2), sum_and_sample, [ONE]),
    (SparseMarginal(0.15), sparse_marginal, []),
    (StraightThrough(TAU, FORWARD), plain_straight_through, [ONE]),
    (GappedStraightThrough(TAU, GAP), gapped, [ONE]),
    (ReinMaxRao(TAU, DRAWS), reinmax_rao, [ONE, MANY]),
    (Rebar(TAU, ETA), rebar, [(2,)]),
    (UnorderedSet(), unordered, [ONE, ONE]),
    (MinusLogQ(UnorderedSet()), unordered_less_log_q, [ONE, ONE]),
    (MinusLogQ(SumAndSample(9)), marginal, []),  # more than all classes: the sum
]


@pytest.mark.parametrize("leading", [(), (1,), (4,), (2, 3), (2, 1, 3)], ids=str)
@pytest.mark.parametrize(("estimator", "loop", "draws"), CASES, ids=[repr(case[0]) for case in CASES])
def test_is_a_loop_over_images_in_value_and_gradient(estimator, loop, draws, leading):
    generator = torch.Generator().manual_seed(prod(leading))
    logits, weights = torch.randn(2, *leading, K, dtype=torch.float64, generator=generator)
    logits.requires_grad_()

    def bound(y: Tensor, images: Tensor | None = None, /) -> Tensor:
        own = weights if images is None else weights.reshape(-1, K)[images]
        return (own * (y.sin() + y**2)).sum(dim=-1)

    values = estimator(bound, logits, rng())
    assert values.shape == leading
    (gradients,) = torch.autograd.grad(values.sum(), logits)
    shared = rng()
    noises = [gumbel_noise((*each, *leading, K), shared, logits).view(*each, -1, K) for each in draws]
    for i, (value, gradient) in enumerate(zip(values.reshape(-1), gradients.reshape(-1, K), strict=True)):
        image = Image(logits.detach().reshape(-1, K)[i], weights.reshape(-1, K)[i])
        expected_value, expected_gradient = loop(image, [noise[..., i, :] for noise in noises])
        torch.testing.assert_close(value, expected_value, check_dtype=False, rtol=1e-10, atol=1e-10)
        torch.testing.assert_close(gradient, expected_gradient, check_dtype=False, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("leading", [(), (4,), (2, 3)], ids=str)
@pytest.mark.parametrize("estimator", [case[0] for case in CASES], ids=repr)
def test_a_bound_that_knows_no_images_broadcasts(estimator, leading):
    """`y @ w`; for `SparseMarginal` with an argument that it ignores. A constant has itself as its mean."""
    logits = torch.randn(*leading, K, dtype=torch.float64, generator=rng())
    weights = torch.full((K,), 3.0, dtype=torch.float64)
    values = estimator(lambda y, images=None: y @ weights, logits, rng())
    assert values.shape == leading
    if not isinstance(estimator, MinusLogQ):  # whose values depend on the class that was drawn
        torch.testing.assert_close(values, torch.full(leading, 3.0, dtype=torch.float64), rtol=1e-12, atol=0)


@pytest.mark.parametrize("estimator", [*(case[0] for case in CASES if case[1] is not rebar), Rebar()], ids=repr)
def test_a_constant_added_to_the_bound_changes_no_gradient(estimator):
    """Not in mean alone, but sample by sample: what a baseline is for; of Rebar with eta = 1."""
    logits = torch.randn(50, K, dtype=torch.float64, generator=rng()).requires_grad_()
    weights = torch.linspace(-1.0, 2.0, K, dtype=torch.float64)
    first, second = (
        torch.autograd.grad(
            estimator(lambda y, images=None, constant=constant: y @ weights + constant, logits, rng()).sum(), logits
        )[0]
        for constant in (0.0, -1000.0)
    )
    torch.testing.assert_close(second, first, rtol=0, atol=1e-9)


@pytest.mark.parametrize("estimator", [case[0] for case in CASES], ids=repr)
def test_no_images_have_no_values(estimator):
    values = estimator(lambda y, images=None: y.sum(dim=-1), torch.zeros(0, K), rng())
    assert values.shape == (0,)
