"""Estimators beyond the article: unbiased where they claim it, exact where they must be, and as cheap as they say.

The gradient with respect to the logits of E_q[f(y)] is known because the sum over classes is finite. Statistical tests
fix their seed and allow 5 standard errors for each of a handful of numbers.
"""

import pytest
import torch
from every import ANNEALED, SCORED
from torch import Tensor

from gsm_cli.model.categorical import Outcomes, entropy, soften
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

DRAWS = 200_000
LOGITS = torch.tensor([0.3, -0.5, 1.2, 0.0], dtype=torch.float64)
WEIGHTS = torch.tensor([1.0, -2.0, 0.5, 3.0], dtype=torch.float64)
MATRIX = torch.linspace(-1.0, 1.0, 16, dtype=torch.float64).view(4, 4) ** 3


class Toy:
    """f(y) = w y + y A y, for any leading dimensions; counts the values it gives."""

    def __init__(self, weights: Tensor, matrix: Tensor) -> None:
        self.weights, self.matrix, self.count = weights, matrix, 0

    def __call__(self, y: Tensor, images: Tensor | None = None, /) -> Tensor:
        values = y @ self.weights + ((y @ self.matrix) * y).sum(dim=-1)
        self.count += values.numel()
        return values


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def toy() -> Toy:
    return Toy(WEIGHTS, MATRIX)


def values_and_gradients(estimator, bound, logits: Tensor, draws: int = DRAWS) -> tuple[Tensor, Tensor]:
    """`draws` independent estimates (draws,) and their gradients with respect to the logits (draws, K)."""
    leaf = logits.repeat(1, draws, 1).requires_grad_()
    values = estimator(bound, leaf, rng())
    (gradients,) = torch.autograd.grad(values.sum(), leaf)
    return values[0].detach(), gradients[0]


def exact(bound, logits: Tensor) -> tuple[Tensor, Tensor]:
    values, gradients = values_and_gradients(Marginal(), bound, logits, 1)
    return values[0], gradients[0]


def assert_mean(samples: Tensor, expected: Tensor, standard_errors: float = 5.0) -> None:
    error = samples.std(dim=0) / len(samples) ** 0.5
    assert ((samples.mean(dim=0) - expected).abs() <= standard_errors * error + 1e-12).all()


UNBIASED = [Marginal(), SumAndSample(3), Rebar(0.5), Rebar(2.0, eta=0.3)]
UNBIASED += [*SCORED, *map(MinusLogQ, SCORED)]
UNBIASED += [ReinMax(1.0)]  # because the toy is of second order
BIASED = [SparseMarginal(0.2), ReinMax(2.0), *(kind(0.5) for kind in ANNEALED if kind not in (Gumbel, Rebar))]


@pytest.mark.parametrize("estimator", UNBIASED, ids=repr)
def test_value_and_gradient_are_unbiased(estimator):
    values, gradients = values_and_gradients(estimator, toy(), LOGITS)
    value, gradient = exact(toy(), LOGITS)
    assert_mean(values, value)
    assert_mean(gradients, gradient)


@pytest.mark.parametrize("estimator", BIASED, ids=repr)
def test_the_test_of_bias_finds_bias(estimator):
    _, gradients = values_and_gradients(estimator, toy(), LOGITS)
    assert gradients.isfinite().all()
    with pytest.raises(AssertionError):
        assert_mean(gradients, exact(toy(), LOGITS)[1])


def enumerated(estimator, bound, logits: Tensor) -> tuple[Tensor, Tensor]:
    """The mean of the value and of the gradient (K,) over all outcomes of the estimator's samples, no Monte Carlo."""
    estimator(bound, logits[None], probe := Outcomes(torch.zeros(1, dtype=torch.long)))
    outcomes = Outcomes(torch.arange(len(logits) ** probe.draws))
    leaf = logits.repeat(len(outcomes.number), 1).requires_grad_()
    values = estimator(bound, leaf, outcomes)
    q = outcomes.log_q.exp()
    (gradients,) = torch.autograd.grad(values.sum(), leaf)
    possible = q > 0.0
    return q[possible] @ values[possible].detach(), q[possible] @ gradients[possible]


@pytest.mark.parametrize("count", [1, 2, 3, 4])
@pytest.mark.parametrize("estimator", [*SCORED, *map(MinusLogQ, SCORED)], ids=repr)
def test_the_mean_over_all_outcomes_is_the_sum(estimator, count):
    """In value and gradient, to rounding, whatever the number of classes; also where the bound has a constant."""
    if isinstance(estimator, Reinforce) and estimator.draws > 2 and count > 3:
        return  # a thousand outcomes say no more than a hundred
    for weights in (WEIGHTS[:count], WEIGHTS[:count] - 1e4):
        bound = Toy(weights, MATRIX[:count, :count])
        found, expected = enumerated(estimator, bound, LOGITS[:count]), exact(bound, LOGITS[:count])
        torch.testing.assert_close(found, expected, rtol=1e-10, atol=1e-8)


@pytest.mark.parametrize("estimator", [StraightThrough(), GappedStraightThrough(), ReinMax(2.0)], ids=repr)
def test_enumeration_finds_bias(estimator):
    assert (enumerated(estimator, toy(), LOGITS)[1] - exact(toy(), LOGITS)[1]).abs().max() > 0.05


@pytest.mark.parametrize("estimator", [*SCORED, *map(MinusLogQ, SCORED), Rebar(), Rebar(1e-8), Rebar(1e8)], ids=repr)
def test_of_a_constant_bound_the_mean_gradient_is_zero(estimator):
    constant = Toy(torch.full((4,), 3.0, dtype=torch.float64), 0 * MATRIX)
    values, gradients = values_and_gradients(estimator, constant, LOGITS, 20_000)
    assert_mean(gradients, torch.zeros(4, dtype=torch.float64))
    assert_mean(values, torch.tensor(3.0, dtype=torch.float64))


@pytest.mark.parametrize("leading", [(), (5,), (4,), (2, 5), (1, 4)], ids=str)
def test_the_signal_less_log_q_is_of_any_estimator(leading):
    """Of one that evaluates a single y for each law too, without a dimension of samples before."""
    logits, weights = torch.randn(*leading, 4, generator=rng(3)), torch.randn(4, generator=rng(4))

    def average(bound, logits, rng):
        """The bound of the probabilities, which for a linear bound is the sum."""
        return bound(logits.softmax(dim=-1))

    value = MinusLogQ(average)(lambda y: y @ weights, logits, rng(5))
    torch.testing.assert_close(value, logits.softmax(dim=-1) @ weights)


@pytest.mark.parametrize("estimator", [SparseMarginal(), StraightThrough(1.0, forward_tau=0.5)], ids=repr)
def test_the_signal_less_log_q_is_of_no_other_law(estimator):
    with pytest.raises(ValueError, match=r"^MinusLogQ must have an unbiased estimator, not \w+\("):
        MinusLogQ(estimator)


def test_the_signal_less_log_q_has_no_noise_at_the_posterior():
    """Where f(y) = log p(x, y) and q is the posterior, log p(x) is left, whatever is drawn, with its gradient."""
    log_joint = LOGITS.log_softmax(dim=-1) - 7.0
    bound = Toy(log_joint, torch.zeros_like(MATRIX))
    for estimator in SCORED:
        values, gradients = values_and_gradients(MinusLogQ(estimator), bound, LOGITS, 100)
        value, gradient = exact(bound, LOGITS)
        torch.testing.assert_close(values, value.expand(100), rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(gradients, gradient.expand(100, 4), rtol=1e-12, atol=1e-12)
        assert values_and_gradients(estimator, bound, LOGITS, 100)[1].std(dim=0).max() > 0.01


def test_a_control_variate_lowers_the_variance_of_one_sample():
    """Rebar against the score of one sample alone, which has no baseline: eta near 0."""
    plain, rebar = (
        values_and_gradients(Rebar(0.5, eta), Toy(WEIGHTS - 5.0, MATRIX), LOGITS)[1].var(dim=0).sum()
        for eta in (1e-9, 1.0)
    )
    assert rebar < 0.2 * plain


def test_variance_falls_as_more_classes_are_summed():
    variances = [values_and_gradients(SumAndSample(top), toy(), LOGITS)[1].var(dim=0).sum() for top in (1, 2, 3, 4)]
    assert variances[0] > variances[1] > variances[2] >= variances[3]
    assert variances[3] < 1e-20


@pytest.mark.parametrize("estimator", [SumAndSample(4), SumAndSample(9), SparseMarginal(0.0)], ids=repr)
def test_full_sums_are_the_marginal(estimator):
    value, gradient = (each[0] for each in values_and_gradients(estimator, toy(), LOGITS, 1))
    expected_value, expected_gradient = exact(toy(), LOGITS)
    torch.testing.assert_close(value, expected_value, rtol=1e-14, atol=1e-14)
    torch.testing.assert_close(gradient, expected_gradient, rtol=1e-14, atol=1e-14)


def test_sparse_marginal_sums_what_exceeds_the_threshold():
    """By hand: q = 0.65, 0.25, 0.1 and the threshold 0.2, so that the mass 0.9 is divided out."""
    logits = torch.tensor([0.65, 0.25, 0.1], dtype=torch.float64).log()
    bound = Toy(WEIGHTS[:3], torch.zeros(3, 3, dtype=torch.float64))
    values, _ = values_and_gradients(SparseMarginal(0.2), bound, logits, 1)
    assert values.item() == pytest.approx((0.65 * 1.0 + 0.25 * -2.0) / 0.9)
    assert bound.count == 2


def test_sparse_marginal_leaves_out_what_is_at_the_threshold():
    logits = torch.tensor([0.0, 0.0, 50.0, 50.0, -50.0], dtype=torch.float64)
    threshold = logits.softmax(-1)[0].item()
    assert SparseMarginal(threshold).keeps(logits).tolist() == [False, False, True, True, False]


def test_sparse_marginal_keeps_the_most_probable_class_whatever_the_threshold():
    bound = toy()
    values, _ = values_and_gradients(SparseMarginal(0.9), bound, LOGITS, 1)
    assert bound.count == 1
    assert values.item() == pytest.approx((WEIGHTS[2] + MATRIX[2, 2]).item())


@pytest.mark.parametrize("estimator", [Reinforce(2), Reinforce(5), SumAndSample(1), SumAndSample(2)], ids=repr)
def test_a_baseline_lowers_the_variance_where_the_bound_is_far_from_zero(estimator):
    """Against the same estimator with the plain score, (f grad log q), by hand."""
    q, far = LOGITS.softmax(dim=-1), WEIGHTS - 30.0
    _, gradients = values_and_gradients(estimator, Toy(far, torch.zeros_like(MATRIX)), LOGITS)
    count = estimator.draws if isinstance(estimator, Reinforce) else 1
    scores = torch.eye(4, dtype=torch.float64) - q  # (K, K): of each outcome
    plain = (q[:, None] * (far[:, None] * scores).square()).sum() - exact(Toy(far, 0 * MATRIX), LOGITS)[
        1
    ].square().sum()
    assert gradients.var(dim=0).sum() < 0.1 * plain / count


@pytest.mark.parametrize(
    ("estimator", "evaluations"),
    [
        *[(SumAndSample(1), 2), (SumAndSample(2), 3), (Reinforce(2), 2), (Reinforce(3), 3)],
        *[(StraightThroughGumbel(0.5), 1), (GumbelRao(0.5, 100), 1), (ReinMax(1.0), 1), (SparseMarginal(0.2), 2)],
        *[(StraightThrough(), 1), (GappedStraightThrough(), 1), (ReinMaxRao(0.5, 100), 1), (Rebar(), 3)],
        *[(UnorderedSet(), 2), (MinusLogQ(UnorderedSet()), 2), (MinusLogQ(Reinforce(3)), 3)],
    ],
    ids=repr,
)
def test_evaluations_are_as_many_as_claimed(estimator, evaluations):
    """q = 0.22, 0.10, 0.53, 0.16: two classes exceed 0.2."""
    bound = toy()
    values_and_gradients(estimator, bound, LOGITS, 7)
    assert bound.count == 7 * evaluations


class TestGumbelRao:
    def test_one_sample_is_straight_through_in_mean(self):
        _, rao = values_and_gradients(GumbelRao(0.5, 1), toy(), LOGITS)
        _, straight = values_and_gradients(StraightThroughGumbel(0.5), toy(), LOGITS)
        difference = rao.mean(dim=0) - straight.mean(dim=0)
        error = ((rao.var(dim=0) + straight.var(dim=0)) / DRAWS).sqrt()
        assert (difference.abs() < 5 * error).all()

    def test_many_samples_keep_the_mean_and_lower_the_variance(self):
        _, one = values_and_gradients(GumbelRao(0.5, 1), toy(), LOGITS)
        _, many = values_and_gradients(GumbelRao(0.5, 50), toy(), LOGITS, 20_000)
        error = (one.var(dim=0) / len(one) + many.var(dim=0) / len(many)).sqrt()
        assert ((one.mean(dim=0) - many.mean(dim=0)).abs() < 5 * error).all()
        assert (many.var(dim=0) < 0.8 * one.var(dim=0)).all()

    def test_forward_is_one_hot_with_the_law_of_the_classes(self):
        given = []
        values_and_gradients(GumbelRao(0.5), lambda y, images=None: given.append(y) or y.sum(dim=-1), LOGITS)
        counts = given[0][0].sum(dim=0)
        expected = DRAWS * LOGITS.softmax(dim=-1)
        assert set(given[0].unique().tolist()) == {0.0, 1.0}
        assert ((counts - expected).abs() < 5 * expected.sqrt()).all()

    def test_noise_given_the_class_has_that_class_on_top(self, monkeypatch):
        """At a temperature near 0 the relaxed sample is the class itself, whatever the conditional noise."""
        softs = []
        monkeypatch.setattr(
            "gsm_cli.model.categorical.soften", lambda *given: softs.append(soften(*given)) or softs[-1]
        )
        hards = []
        values_and_gradients(GumbelRao(1e-4, 3), lambda y, images=None: hards.append(y) or y.sum(dim=-1), LOGITS, 1_000)
        assert (softs[0].argmax(dim=-1) == hards[0].argmax(dim=-1)).all()


class TestReinMax:
    @pytest.mark.parametrize("logit", [-1.5, 0.0, 0.7])
    def test_is_exact_for_second_order_functions_of_one_binary_variable(self, logit):
        """In mean over the two outcomes, each weighted by its probability: no Monte Carlo."""
        logits = torch.tensor([logit, 0.0], dtype=torch.float64)
        bound = Toy(WEIGHTS[:2], MATRIX[:2, :2])
        _, gradients = values_and_gradients(ReinMax(1.0), bound, logits, 20_000)
        outcomes = torch.unique(gradients, dim=0)
        assert len(outcomes) == 2
        q = logits.softmax(dim=-1)
        _, gradient = exact(bound, logits)
        means = [q @ outcomes, q.flip(0) @ outcomes]  # in one of the two orders
        assert min((mean - gradient).abs().max() for mean in means) < 1e-12

    def test_straight_through_is_not(self):
        logits = torch.tensor([0.7, 0.0], dtype=torch.float64)
        bound = Toy(WEIGHTS[:2], MATRIX[:2, :2])
        _, gradients = values_and_gradients(StraightThrough(1.0), bound, logits)
        assert gradients.isfinite().all()
        with pytest.raises(AssertionError):
            assert_mean(gradients, exact(bound, logits)[1])


class TestOneEstimator:
    """ReinMax at temperature 1, ZGR and the limit of Gumbel-Rao as the temperature falls, sample by sample."""

    def zgr(self, hard: Tensor) -> Tensor:
        """(p g + D (D.g) - p (D.g) - D (p.g)) / 2, the gradient g of the toy at D."""
        p, g = LOGITS.softmax(dim=-1), WEIGHTS + hard @ (MATRIX + MATRIX.T)
        at = (hard * g).sum(dim=-1, keepdim=True)
        return (p * g + hard * at - p * at - hard * (g @ p)[:, None]) / 2

    def of(self, estimator, draws: int) -> tuple[Tensor, Tensor]:
        """The samples (draws, K) and their gradients."""
        hards = []
        _, gradients = values_and_gradients(estimator, lambda y: hards.append(y) or toy()(y), LOGITS, draws)
        return hards[0].detach().flatten(0, -2)[:draws], gradients

    def test_is_reinmax(self):
        hard, gradients = self.of(ReinMax(1.0), 100)
        torch.testing.assert_close(gradients, self.zgr(hard), rtol=1e-12, atol=1e-12)

    def test_is_the_limit_of_gumbel_rao(self):
        """Four classes, 400,000 noises of each; five standard errors of every number, and what the temperature adds."""
        hard, gradients = self.of(GumbelRao(0.02, 2_000), 800)
        for k in range(4):
            own = gradients[hard[:, k] == 1.0]
            expected = self.zgr(torch.eye(4, dtype=torch.float64)[k][None])[0]
            error = own.std(dim=0) / len(own) ** 0.5
            assert ((own.mean(dim=0) - expected).abs() < 5 * error + 0.01).all()

    def test_of_reinmax_rao_is_less_half_of_straight_through(self):
        """As the temperature falls: its mean has the direction of ReinMax's for a linear bound, and half the length."""
        linear = Toy(WEIGHTS, 0 * MATRIX)
        _, gradients = values_and_gradients(ReinMaxRao(0.02, 2_000), linear, LOGITS, 800)
        half = exact(linear, LOGITS)[1] / 2
        error = gradients.std(dim=0) / len(gradients) ** 0.5
        assert ((gradients.mean(dim=0) - half).abs() < 5 * error + 0.01).all()


class TestOneHotSamples:
    @pytest.mark.parametrize(
        "estimator", [StraightThrough(0.5), GappedStraightThrough(0.5), ReinMaxRao(0.5), ReinMax()], ids=repr
    )
    def test_have_the_law_of_the_classes_and_stay_one_hot(self, estimator):
        given = []
        values_and_gradients(estimator, lambda y: given.append(y) or y.sum(dim=-1), LOGITS)
        counts, expected = given[0][0].sum(dim=0), DRAWS * LOGITS.softmax(dim=-1)
        assert set(given[0].unique().tolist()) == {0.0, 1.0}
        assert ((counts - expected).abs() < 5 * expected.sqrt()).all()

    def test_of_a_forward_temperature_have_its_law(self):
        values, _ = values_and_gradients(StraightThrough(1.0, forward_tau=0.5), lambda y: y[..., 2], LOGITS)
        assert_mean(values, (LOGITS / 0.5).softmax(dim=-1)[2])

    def test_of_a_forward_temperature_have_its_entropy(self):
        """With that of q the bound of this law would lie above log p(x), which is 7 here."""
        bound = lambda y: (y * (LOGITS / 0.5).log_softmax(dim=-1)).sum(dim=-1) + 7.0  # noqa: E731
        estimator = StraightThrough(1.0, forward_tau=0.5)
        values, _ = values_and_gradients(estimator, bound, LOGITS)
        assert_mean(values + estimator.entropy(LOGITS), torch.tensor(7.0, dtype=torch.float64))
        assert torch.equal(StraightThrough().entropy(LOGITS), entropy(LOGITS))
