"""Ways to average a conditional bound over the class: E_{y ~ q(y)}[bound(y)].

An estimator takes the bound as a function of y on the simplex, the logits (..., K) of q(y), and a generator for its
noise; it returns (...): a number for one law (K,), (B,) for the laws of B images, (S, B) for S draws of each. Its
gradient, not only its value, is an estimate: where q(y) enters by sampling, a term of value zero carries the gradient.
A class with the logit -inf has no weight in any. What is wrong with a setting, the logits or the bound is a ValueError.
"""

from dataclasses import dataclass
from math import prod

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from gsm_cli.model.bounds import Bound, evaluate, evaluate_classes, evaluate_images, weighed
from gsm_cli.model.categorical import (
    bounded,
    centred,
    entropy,
    gumbel_noise,
    log_probabilities,
    one_hot_argmax,
    one_hots,
    sample_one_hot,
    score_term,
    soften,
    widened,
    with_gradient_of,
)
from gsm_cli.model.checks import Temperature, check_laws, check_logits, check_temperature, check_threshold, check_whole

NUMBERS = 2**22  # of the y of a piece of classes at most; four times as many are kept


@dataclass(frozen=True)
class Marginal:
    """The exact sum over classes, sum_y q(y) bound(y).

    The classes are evaluated in pieces of about `piece` evaluations, small enough for a processor's caches. The first
    `keep` evaluations keep what the backward pass needs; the others are computed again there: the same numbers in
    bounded memory. Batch normalisation normalises each piece by itself, and counts it once.
    """

    piece: int = 2_000
    keep: int = 20_000

    def __post_init__(self) -> None:
        check_whole("piece", self.piece, 1)
        check_whole("keep", self.keep, 0)

    def __call__(self, bound: Bound, logits: Tensor, rng: torch.Generator) -> Tensor:
        q = log_probabilities(logits).exp()
        *leading, classes = logits.shape
        images, once = max(1, prod(leading)), [1 for _ in leading]
        largest = self.piece if logits.device.type == "cpu" else self.keep  # a GPU wants large products
        size = max(1, min(largest // images, NUMBERS // classes))
        kept = min(self.keep // images, 4 * NUMBERS // classes)
        values = [
            evaluate_classes(bound, y.view(len(y), *once, classes), leading, recompute=n * size > kept)
            for n, y in enumerate(one_hots(classes, size, logits), start=1)
        ]
        by_class = torch.cat(values).movedim(0, -1)
        return (q * weighed(by_class, q)).sum(dim=-1).to(by_class.dtype)


@dataclass(frozen=True)
class _Relaxed:
    """Those with a temperature, a number or (..., 1) for the laws, and a number of draws of Gumbel noise."""

    temperature: Temperature
    draws: int = 1

    def __post_init__(self) -> None:
        check_temperature(self.temperature)
        check_whole("draws", self.draws, 1)

    def noise(self, log_q: Tensor, rng: torch.Generator) -> Tensor:  # (draws, ..., K)
        check_laws(self.temperature, log_q)
        return gumbel_noise((self.draws, *log_q.shape), rng, log_q)


@dataclass(frozen=True)
class Gumbel(_Relaxed):
    """The mean of bound(z) over relaxed samples z = softmax((logits + g) / temperature)  (Jang et al. 2017)."""

    def __call__(self, bound: Bound, logits: Tensor, rng: torch.Generator) -> Tensor:
        scores = centred(logits)
        z = soften(scores + self.noise(scores, rng), self.temperature)
        return evaluate(bound, z.to(logits)).mean(dim=0)


@dataclass(frozen=True)
class StraightThrough(_Relaxed):
    """The mean of bound(one_hot(argmax z)) over Gumbel samples, with the gradient of bound(z)  (Jang et al. 2017)."""

    def __call__(self, bound: Bound, logits: Tensor, rng: torch.Generator) -> Tensor:
        scores = centred(logits)
        scores = scores + self.noise(scores, rng)
        y = with_gradient_of(soften(scores, self.temperature), one_hot_argmax(scores))
        return evaluate(bound, y.to(logits)).mean(dim=0)


@dataclass(frozen=True)
class GumbelRao(_Relaxed):
    """Straight-through with the mean gradient of `draws` Gumbel noises that share the class (arXiv:2010.04838).

    Given the class i, with exponential E: log q_i + g_i = -log E_i, and for the others
    log q_j + g_j = -log(E_j / q_j + E_i)  (Paulus et al. 2021, equation 9). One evaluation of the bound.
    """

    draws: int = 10

    def __call__(self, bound: Bound, logits: Tensor, rng: torch.Generator) -> Tensor:
        log_q = bounded(log_probabilities(logits))
        hard = sample_one_hot(log_q, rng)
        with torch.no_grad():
            log_e = -self.noise(log_q, rng)
            log_e_top = (hard * log_e).sum(dim=-1, keepdim=True)
            others = -torch.logaddexp(log_e - log_q, log_e_top)
            noise = torch.where(hard.bool(), -log_e_top, others) - log_q
        soft = soften(log_q + noise, self.temperature).mean(dim=0)
        return evaluate(bound, with_gradient_of(soft, hard).to(logits))


@dataclass(frozen=True)
class ReinMax:
    """Straight-through of second order (Liu et al. 2023, arXiv:2304.08612, algorithm 2).

    With a sample D, p = softmax(l) and m = (D + softmax(l / tau)) / 2, the gradient of D is that of
    2 softmax(l + stop(log m - l)) - p / 2. The temperature is at least 1: its authors' code refuses others, and
    at 1 it is exact to second order.
    """

    temperature: Temperature = 1.0

    def __post_init__(self) -> None:
        check_temperature(self.temperature, least=1.0)

    def __call__(self, bound: Bound, logits: Tensor, rng: torch.Generator) -> Tensor:
        log_q = bounded(log_probabilities(logits))
        check_laws(self.temperature, logits)
        hard = sample_one_hot(log_q, rng)
        middle = 0.5 * (hard + soften(log_q, self.temperature))
        shifted = (log_q + (middle.log() - log_q).detach()).softmax(dim=-1)
        return evaluate(bound, with_gradient_of(2.0 * shifted - 0.5 * log_q.exp(), hard).to(logits))


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
        classes = logits.shape[-1]
        if self.top >= classes:
            return Marginal()(bound, logits, rng)
        summed = F.one_hot(log_q.topk(self.top, dim=-1).indices, classes).movedim(-2, 0).to(log_q)  # (top, ..., K)
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
class SparseMarginal:
    """The sum over the classes C with q(y) > `threshold`, and the most probable one, gathered image by image.

    It averages over q~(y) = q(y) / q(C), and brings its entropy: sum_{y in C} q~(y) f(y) + H(q~) <= log sum_y exp f(y)
    is a lower bound whatever C is. Without the division it would be none: f is far below 0, so dropped mass raises it.
    """

    threshold: float = 0.01

    def __post_init__(self) -> None:
        check_threshold(self.threshold)

    def __call__(self, bound: Bound, logits: Tensor, rng: torch.Generator) -> Tensor:
        q = log_probabilities(self._restricted(logits)).exp()[None].flatten(0, -2)  # a row for each image
        images, kept = self.keeps(logits).view(q.shape).nonzero(as_tuple=True)
        values = evaluate_images(bound, F.one_hot(kept, q.shape[-1]).to(logits), images)
        parts = q[images, kept] * values
        return parts.new_zeros(len(q)).index_add(0, images, parts).view(logits.shape[:-1]).to(values.dtype)

    def keeps(self, logits: Tensor) -> Tensor:
        """Which classes are summed, (..., K); all where a probability is nan, which is not to be lost."""
        check_logits(logits)
        q = widened(logits.detach()).softmax(dim=-1)
        return ~(q <= self.threshold) | (q == q.amax(dim=-1, keepdim=True))

    def entropy(self, logits: Tensor) -> Tensor:
        """H(q~), (...), in nats."""
        return entropy(self._restricted(logits))

    def _restricted(self, logits: Tensor) -> Tensor:
        """The logits of q~."""
        return torch.where(self.keeps(logits), logits, -torch.inf)
