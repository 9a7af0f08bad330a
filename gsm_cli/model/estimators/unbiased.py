"""Unbiased estimators: classes are sampled, and a score term carries the gradient with respect to their law."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gsm_cli.model.bounds import Bound, Estimator, OwnEntropy, evaluate, evaluate_classes, weighed
from gsm_cli.model.categorical import (
    bounded,
    gumbel_noise,
    gumbels_given,
    log_probabilities,
    one_hot,
    one_hot_argmax,
    sample_one_hot,
    score_term,
    soften,
    widened,
)
from gsm_cli.model.checks import Temperature, check_laws, check_positive, check_temperature, check_whole
from gsm_cli.model.estimators.sums import Marginal


@dataclass(frozen=True)
class Reinforce:
    """The score-function estimator with a leave-one-out baseline over `draws` >= 2 classes; unbiased.

    The gradient of E[f] is E[grad f + (f - b) grad log q], where the baseline b of a sample is the mean of the others
    (Kool et al. 2019, "Buy 4 REINFORCE samples, get a baseline for free").
    """

    draws: int = 2

    def __post_init__(self) -> None:
        check_whole("draws", self.draws, 2)

    def __call__(self, bound: Bound, logits: Tensor, rng: torch.Generator) -> Tensor:
        log_q = bounded(log_probabilities(logits))
        y = sample_one_hot(log_q.expand(self.draws, *log_q.shape), rng)
        given = evaluate(bound, y.to(logits))  # (draws, ...)
        values = widened(given)
        baseline = (values.sum(dim=0) - values) / (self.draws - 1)
        return (values + score_term(values - baseline, (y * log_q).sum(dim=-1))).mean(dim=0).to(given.dtype)


@dataclass(frozen=True)
class SumAndSample:
    """The `top` most probable classes summed, one sample v of the others; unbiased (Liu et al. 2019, arXiv:1810.04777).

    sum_{y in C} q(y) f(y) + q(not C) f(v), v ~ q(v | not C), with the score-function term of v, whose baseline is the
    mean of f over C. It takes `top` + 1 evaluations of the bound.
    """

    top: int = 1

    def __post_init__(self) -> None:
        check_whole("top", self.top, 1)

    def __call__(self, bound: Bound, logits: Tensor, rng: torch.Generator) -> Tensor:
        log_q = bounded(log_probabilities(logits))
        if self.top >= logits.shape[-1]:
            return Marginal()(bound, logits, rng)
        summed = one_hot(log_q.topk(self.top, dim=-1).indices.movedim(-1, 0), log_q)  # (top, ..., K)
        rest = log_q.masked_fill(summed.sum(dim=0).bool(), -torch.inf)
        log_rest = rest.logsumexp(dim=-1)
        sampled = sample_one_hot(rest - log_rest[..., None], rng)
        q, others = (summed * log_q.exp()).sum(dim=-1), log_rest.exp()  # (top, ...), (...)
        given = evaluate(bound, torch.cat([summed, sampled[None]]).to(logits))
        values = weighed(widened(given), torch.cat([q, others[None]]))
        exact = (q * values[:-1]).sum(dim=0)
        score = score_term(values[-1] - exact / q.sum(dim=0), (sampled * log_q).sum(dim=-1) - log_rest)
        return (exact + others * values[-1] + others.detach() * score).to(given.dtype)


@dataclass(frozen=True)
class UnorderedSet:
    """Two different classes, in whatever order they came; unbiased (Kool et al. 2020, arXiv:2002.06043).

    With a ~ q, b ~ q without a, and r = 1 - q, the value is (r_b f_a + r_a f_b) / (r_a + r_b), and the score term
    (f_a - f_b) (log q_a - log q_b) r_a r_b / (r_a + r_b), the factors held. Of two classes it is the sum.
    """

    def __call__(self, bound: Bound, logits: Tensor, rng: torch.Generator) -> Tensor:
        log_q = bounded(log_probabilities(logits))
        if logits.shape[-1] == 1:
            return Marginal()(bound, logits, rng)
        first = sample_one_hot(log_q, rng)
        rest = log_q.masked_fill(first.bool(), -torch.inf)
        pair = torch.stack([first, sample_one_hot(rest - rest.logsumexp(dim=-1, keepdim=True), rng)])  # (2, ..., K)
        log_pair = (pair * log_q).sum(dim=-1)
        rest_pair = log_q.detach().masked_fill(pair.bool(), -torch.inf).logsumexp(dim=-1).exp()  # 1 - q of each
        both = rest_pair.sum(dim=0)
        weights = rest_pair.flip(0) / both
        given = evaluate(bound, pair.to(logits))
        values = weighed(widened(given), weights)
        advantage = (values[0] - values[1]) * weights.prod(dim=0) * both
        score = score_term(advantage, log_pair[0] - log_pair[1])
        return ((weights * values).sum(dim=0) + score).to(given.dtype)


@dataclass(frozen=True)
class Rebar:
    """The score of one sample, less that of a relaxed sample with the same class; unbiased (Tucker et al. 2017).

    With D = one_hot(argmax(l + g)), z = softmax((l + g) / tau), and z' the same from noise of its own given D, the
    gradient is (f(D) - eta f(z')) grad log q(D) + eta grad f(z) - eta grad f(z')  (arXiv:1703.07370, equation 4). Both
    eta and tau are fixed. The weights of the bound get eta (grad f(z) - grad f(z')) too, whose mean is 0.
    """

    temperature: Temperature = 0.5
    eta: float = 1.0

    def __post_init__(self) -> None:
        check_temperature(self.temperature)
        check_positive("eta", self.eta)

    def __call__(self, bound: Bound, logits: Tensor, rng: torch.Generator) -> Tensor:
        log_q = bounded(log_probabilities(logits))
        check_laws(self.temperature, logits)
        noise, noise_given = gumbel_noise((2, *log_q.shape), rng, log_q)
        hard = one_hot_argmax(log_q + noise)
        scores = torch.stack([log_q + noise, gumbels_given(hard, log_q, noise_given)])
        given = evaluate(bound, torch.cat([hard[None], soften(scores, self.temperature)]).to(logits))
        value, relaxed, relaxed_given = widened(given).unbind()
        difference = self.eta * (relaxed - relaxed_given)
        score = score_term(value - self.eta * relaxed_given, (hard * log_q).sum(dim=-1))
        return (value + score + (difference - difference.detach())).to(given.dtype)


@dataclass(frozen=True)
class MinusLogQ:
    """An unbiased estimator whose learning signal is bound(y) - log q(y): what is left out is summed, not sampled.

        estimator(bound(y) - c . y) + q . c,    c = log q, held

    It has the same mean in value and gradient, for any c; with log q the signal is nearly constant where q(y) is near
    the posterior, and so is the score term's noise near 0. No evaluation more.
    """

    estimator: Estimator

    def __post_init__(self) -> None:
        if isinstance(self.estimator, OwnEntropy):
            raise ValueError(f"MinusLogQ must have an unbiased estimator, not {self.estimator}")

    def __call__(self, bound: Bound, logits: Tensor, rng: torch.Generator) -> Tensor:
        log_q = bounded(log_probabilities(logits))
        constant, kinds = log_q.detach(), set[torch.dtype]()

        def signal(y: Tensor) -> Tensor:
            of_law = y.dim() == logits.dim()
            values = evaluate(bound, y) if of_law else evaluate_classes(bound, y, logits.shape[:-1], False)
            kinds.add(values.dtype)
            return widened(values) - (y * constant).sum(dim=-1)

        value = self.estimator(signal, logits, rng)
        return (value + (log_q.exp() * constant).sum(dim=-1)).to(kinds.pop())
