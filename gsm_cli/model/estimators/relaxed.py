"""Gumbel-Softmax and its straight-through forms: the gradient goes through a relaxed sample; biased."""

from dataclasses import dataclass

import torch
from torch import Tensor

from gsm_cli.model.bounds import Bound, evaluate
from gsm_cli.model.categorical import (
    bounded,
    centred,
    gumbel_noise,
    log_probabilities,
    one_hot_argmax,
    sample_one_hot,
    soften,
    soften_given,
    with_gradient_of,
)
from gsm_cli.model.checks import Temperature, check_laws, check_temperature, check_whole


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

    One evaluation of the bound.
    """

    draws: int = 10

    def __call__(self, bound: Bound, logits: Tensor, rng: torch.Generator) -> Tensor:
        log_q = bounded(log_probabilities(logits))
        hard = sample_one_hot(log_q, rng)
        soft = soften_given(hard, log_q, self.noise(log_q, rng), self.temperature)
        return evaluate(bound, with_gradient_of(soft, hard).to(logits))
