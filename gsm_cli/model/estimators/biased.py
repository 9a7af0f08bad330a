"""Estimators whose gradient goes through something smooth, a relaxed sample or the probabilities; biased.

ReinMax at temperature 1, ZGR (Shekhovtsov 2023) and Gumbel-Rao of all noises as its temperature falls to 0 are one:
with a sample D, p = q(y) and the gradient g at D, the logits get (p g + D (D.g) - p (D.g) - D (p.g)) / 2.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from gsm_cli.model.bounds import Bound, evaluate
from gsm_cli.model.categorical import (
    bounded,
    centred,
    divided,
    entropy,
    gumbel_noise,
    log_probabilities,
    one_hot_argmax,
    sample_one_hot,
    soften,
    soften_given,
    with_gradient_of,
)
from gsm_cli.model.checks import Temperature, check_laws, check_positive, check_temperature, check_whole


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
class StraightThroughGumbel(_Relaxed):
    """The mean of bound(one_hot(argmax z)) over Gumbel samples, with the gradient of bound(z)  (Jang et al. 2017)."""

    def __call__(self, bound: Bound, logits: Tensor, rng: torch.Generator) -> Tensor:
        scores = centred(logits)
        scores = scores + self.noise(scores, rng)
        y = with_gradient_of(soften(scores, self.temperature), one_hot_argmax(scores))
        return evaluate(bound, y.to(logits)).mean(dim=0)


@dataclass(frozen=True)
class GumbelRao(_Relaxed):
    """Straight-through with the mean gradient of `draws` Gumbel noises that share the class (arXiv:2010.04838).

    The noises are held, so that the mean is that of `StraightThroughGumbel`.
    """

    draws: int = 10

    def __call__(self, bound: Bound, logits: Tensor, rng: torch.Generator) -> Tensor:
        log_q = bounded(log_probabilities(logits))
        hard = sample_one_hot(log_q, rng)
        soft = soften_given(hard, log_q, self.noise(log_q, rng), self.temperature)
        return evaluate(bound, with_gradient_of(soft, hard).to(logits))


@dataclass(frozen=True)
class StraightThrough:
    """A sample of q, with the gradient of softmax(logits / temperature) (Bengio et al. 2013, arXiv:1308.3432).

    With a `forward_tau` the sample is one of softmax(logits / forward_tau) and not of q, so that the value is biased
    too: the two temperatures are decoupled (Shah et al. 2024, arXiv:2410.13331).
    """

    temperature: Temperature = 1.0
    forward_tau: float = 1.0

    def __post_init__(self) -> None:
        check_temperature(self.temperature)
        check_temperature(self.forward_tau)

    def __call__(self, bound: Bound, logits: Tensor, rng: torch.Generator) -> Tensor:
        log_q = bounded(log_probabilities(logits))
        check_laws(self.temperature, logits)
        hard = sample_one_hot(divided(log_q, self.forward_tau), rng)
        return evaluate(bound, with_gradient_of(soften(log_q, self.temperature), hard).to(logits))

    def entropy(self, logits: Tensor) -> Tensor:
        """That of the law that is sampled, (...), in nats."""
        return entropy(divided(centred(logits), self.forward_tau)).to(logits.dtype)


@dataclass(frozen=True)
class GappedStraightThrough:
    """Straight-through from logits in which the sample leads by `gap` (Fan et al. 2022, arXiv:2206.07235: GST-1.0).

    Constants raise the sampled class to the greatest logit m and lower the others to at most m - gap; the gradient of
    the sample is that of softmax(these logits / temperature).
    """

    temperature: Temperature = 1.0
    gap: float = 1.0

    def __post_init__(self) -> None:
        check_temperature(self.temperature)
        check_positive("gap", self.gap)

    def __call__(self, bound: Bound, logits: Tensor, rng: torch.Generator) -> Tensor:
        log_q = bounded(log_probabilities(logits))
        check_laws(self.temperature, logits)
        hard = sample_one_hot(log_q, rng)
        with torch.no_grad():
            greatest = log_q.amax(dim=-1, keepdim=True)
            shift = torch.where(hard.bool(), greatest, log_q.clamp_max(greatest - self.gap)) - log_q
        return evaluate(bound, with_gradient_of(soften(log_q + shift, self.temperature), hard).to(logits))


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
        middle = _with_log_of(0.5 * (hard + soften(log_q, self.temperature)), log_q)
        return evaluate(bound, with_gradient_of(2.0 * middle.softmax(dim=-1) - 0.5 * log_q.exp(), hard).to(logits))


@dataclass(frozen=True)
class ReinMaxRao(_Relaxed):
    """ReinMax with a Gumbel-Rao gradient at its midpoint (Wang and Bui 2026, arXiv:2603.08257).

    With a sample D, p = softmax(l) and l_D = l + stop(log((D + p) / 2) - l), the gradient of D is that of
    2 mean softmax((l_D + g) / tau) - p / 2, over `draws` Gumbel noises g given that l_D + g is greatest at D. As tau
    falls to 0 the variance passes that of ReinMax; for a linear bound the mean keeps its direction, at half the length.
    """

    temperature: Temperature = 1.0
    draws: int = 10

    def __call__(self, bound: Bound, logits: Tensor, rng: torch.Generator) -> Tensor:
        log_q = bounded(log_probabilities(logits))
        hard = sample_one_hot(log_q, rng)
        middle = _with_log_of(0.5 * (hard + log_q.exp()), log_q)
        soft = soften_given(hard, middle, self.noise(log_q, rng), self.temperature)
        return evaluate(bound, with_gradient_of(2.0 * soft - 0.5 * log_q.exp(), hard).to(logits))


def _with_log_of(probabilities: Tensor, log_q: Tensor) -> Tensor:
    """The logarithm of these probabilities, with the gradient of log q."""
    return log_q + (bounded(probabilities.log()) - log_q).detach()
