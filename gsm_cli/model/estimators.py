"""Ways to average a conditional bound over the class: E_{y ~ q(y)}[bound(y)].

An estimator takes the bound as a function of y on the simplex, the logits (..., K) of q(y), and a generator for its
noise; it returns (...): a number for one law (K,), (B,) for the laws of B images, (S, B) for S draws of each. Its
gradient, not only its value, is an estimate: where q(y) enters by sampling, a term of value zero carries the gradient.
A class with the logit -inf has no weight in any. What is wrong with a setting, the logits or the bound is a ValueError.
"""

from dataclasses import dataclass
from math import prod
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from gsm_cli.model.bounds import Bound, evaluate, evaluate_classes, evaluate_images
from gsm_cli.model.categorical import bounded, entropy, gumbel_noise, relax, sample_one_hot, with_gradient_of
from gsm_cli.model.checks import check_logits, check_temperature, check_threshold, check_whole


class Estimator(Protocol):
    """One way to average a conditional bound over q(y).

    One that averages over another distribution than q also has a method `entropy(logits)`, see `OwnEntropy`.
    """

    def __call__(self, bound: Bound, logits: Tensor, rng: torch.Generator) -> Tensor: ...


@runtime_checkable
class OwnEntropy(Protocol):
    """What an estimator has that averages over another distribution than q: the entropy (...) of that distribution."""

    def entropy(self, logits: Tensor) -> Tensor: ...


@runtime_checkable
class Selective(Protocol):
    """What an estimator has that leaves classes out: which it keeps, (..., K)."""

    def keeps(self, logits: Tensor) -> Tensor: ...


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
        check_logits(logits)
        *leading, classes = logits.shape
        images = max(1, prod(leading))
        one_hot = torch.eye(classes, dtype=logits.dtype, device=logits.device)
        one_hot = one_hot.view(classes, *(1 for _ in leading), classes)  # (K, 1, ..., 1, K)
        largest = self.piece if logits.device.type == "cpu" else self.keep  # a GPU wants large products
        size = max(1, largest // images)
        values = [
            evaluate_classes(bound, y, leading, recompute=n * size * images > self.keep)
            for n, y in enumerate(torch.split(one_hot, size), start=1)
        ]
        return (logits.softmax(dim=-1) * torch.cat(values).movedim(0, -1)).sum(dim=-1)


@dataclass(frozen=True)
class Gumbel:
    """The mean of bound(z) over relaxed samples z = softmax((logits + g) / temperature)  (Jang et al. 2017)."""

    temperature: float
    draws: int = 1

    def __post_init__(self) -> None:
        check_temperature(self.temperature)
        check_whole("draws", self.draws, 1)

    def __call__(self, bound: Bound, logits: Tensor, rng: torch.Generator) -> Tensor:
        check_logits(logits)
        noise = gumbel_noise((self.draws, *logits.shape), rng, logits)
        return evaluate(bound, relax(logits, noise, self.temperature)).mean(dim=0)


@dataclass(frozen=True)
class StraightThrough:
    """The mean of bound(one_hot(argmax z)) over Gumbel samples, with the gradient of bound(z)  (Jang et al. 2017)."""

    temperature: float
    draws: int = 1

    def __post_init__(self) -> None:
        check_temperature(self.temperature)
        check_whole("draws", self.draws, 1)

    def __call__(self, bound: Bound, logits: Tensor, rng: torch.Generator) -> Tensor:
        check_logits(logits)
        noise = gumbel_noise((self.draws, *logits.shape), rng, logits)
        soft = relax(logits, noise, self.temperature)
        hard = F.one_hot(soft.argmax(dim=-1), logits.shape[-1]).to(soft)
        return evaluate(bound, with_gradient_of(soft, hard)).mean(dim=0)


@dataclass(frozen=True)
class GumbelRao:
    """Straight-through with the mean gradient of `draws` Gumbel noises that share the class (arXiv:2010.04838).

    Given the class i, with Z = sum_j e^l_j and exponential E: l_i + g_i = log Z - log E_i, and for the others
    l_j + g_j = -log(E_j e^-l_j + E_i / Z)  (Paulus et al. 2021, equation 9). One evaluation of the bound.
    """

    temperature: float
    draws: int = 10

    def __post_init__(self) -> None:
        check_temperature(self.temperature)
        check_whole("draws", self.draws, 1)

    def __call__(self, bound: Bound, logits: Tensor, rng: torch.Generator) -> Tensor:
        check_logits(logits)
        logits = bounded(logits)
        hard = sample_one_hot(logits, rng)
        with torch.no_grad():
            log_e = -gumbel_noise((self.draws, *logits.shape), rng, logits)
            total = logits.logsumexp(dim=-1, keepdim=True)
            log_e_top = (hard * log_e).sum(dim=-1, keepdim=True)
            others = -torch.logaddexp(log_e - logits, log_e_top - total)
            noise = torch.where(hard.bool(), total - log_e_top, others) - logits
        soft = relax(logits, noise, self.temperature).mean(dim=0)
        return evaluate(bound, with_gradient_of(soft, hard))


@dataclass(frozen=True)
class ReinMax:
    """Straight-through of second order (Liu et al. 2023, arXiv:2304.08612, algorithm 2).

    With a sample D, p = softmax(l) and m = (D + softmax(l / tau)) / 2, the gradient of D is that of
    2 softmax(l + stop(log m - l)) - p / 2. The temperature is at least 1: its authors' code refuses others, and
    at 1 it is exact to second order.
    """

    temperature: float = 1.0

    def __post_init__(self) -> None:
        check_temperature(self.temperature, least=1.0)

    def __call__(self, bound: Bound, logits: Tensor, rng: torch.Generator) -> Tensor:
        check_logits(logits)
        logits = bounded(logits)
        hard = sample_one_hot(logits, rng)
        middle = 0.5 * (hard + (logits / self.temperature).softmax(dim=-1))
        shifted = (logits + (middle.log() - logits).detach()).softmax(dim=-1)
        return evaluate(bound, with_gradient_of(2.0 * shifted - 0.5 * logits.softmax(dim=-1), hard))


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
        check_logits(logits)
        logits = bounded(logits)
        y = sample_one_hot(logits.expand(self.draws, *logits.shape), rng)
        values = evaluate(bound, y)  # (draws, ...)
        baseline = (values.sum(dim=0) - values) / (self.draws - 1)
        log_q = (y * logits.log_softmax(dim=-1)).sum(dim=-1)
        return (values + _score(values - baseline, log_q)).mean(dim=0)


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
        check_logits(logits)
        logits = bounded(logits)
        classes = logits.shape[-1]
        if self.top >= classes:
            return Marginal()(bound, logits, rng)
        log_q = logits.log_softmax(dim=-1)
        summed = F.one_hot(log_q.topk(self.top, dim=-1).indices, classes).movedim(-2, 0).to(logits)  # (top, ..., K)
        rest = log_q.masked_fill(summed.sum(dim=0).bool(), -torch.inf)
        sampled = sample_one_hot(rest, rng)
        values = evaluate(bound, torch.cat([summed, sampled[None]]))
        q = (summed * log_q.exp()).sum(dim=-1)  # (top, ...)
        exact = (q * values[:-1]).sum(dim=0)
        log_rest = rest.logsumexp(dim=-1)
        log_q_sampled = (sampled * log_q).sum(dim=-1) - log_rest
        score = _score(values[-1] - exact / q.sum(dim=0), log_q_sampled)
        return exact + log_rest.exp() * values[-1] + log_rest.exp().detach() * score


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
        check_logits(logits)
        classes = logits.shape[-1]
        q = self._restricted(logits).softmax(dim=-1).reshape(-1, classes)  # a row for each image
        images, kept = self.keeps(logits).view(-1, classes).nonzero(as_tuple=True)
        values = evaluate_images(bound, F.one_hot(kept, classes).to(q), images)
        average = torch.zeros_like(q[:, 0]).index_add(0, images, q[images, kept] * values)
        return average.view(logits.shape[:-1])

    def keeps(self, logits: Tensor) -> Tensor:
        """Which classes are summed, (..., K)."""
        q = logits.detach().softmax(dim=-1)
        return (q > self.threshold) | (q == q.amax(dim=-1, keepdim=True))

    def entropy(self, logits: Tensor) -> Tensor:
        """H(q~), (...), in nats."""
        return entropy(self._restricted(logits))

    def _restricted(self, logits: Tensor) -> Tensor:
        """The logits of q~."""
        return logits.masked_fill(~self.keeps(logits), -torch.inf)


def _score(advantage: Tensor, log_q: Tensor) -> Tensor:
    """Zero, with the gradient `advantage` * grad log q."""
    return advantage.detach() * (log_q - log_q.detach())
