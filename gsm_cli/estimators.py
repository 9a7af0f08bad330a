"""Ways to average a conditional bound over the class: E_{y ~ q(y)}[bound(y)].

An estimator takes the bound as a function of y (..., S, B, K) with values (..., S, B), the logits (S, B, K) of q(y),
and a generator for its noise; it returns (S, B). Each is a few lines that stand for one equation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812
from torch.utils.checkpoint import checkpoint

Bound = Callable[[Tensor], Tensor]


class Estimator(Protocol):
    """One way to average a conditional bound over q(y)."""

    def __call__(self, bound: Bound, logits: Tensor, rng: torch.Generator) -> Tensor: ...


@dataclass(frozen=True)
class Marginal:
    """The exact sum over classes, sum_y q(y) bound(y).

    All classes make one batch, or with `chunk` batches of so many classes, which are computed again in the backward
    pass: the same numbers in bounded memory.
    """

    chunk: int | None = None

    def __call__(self, bound: Bound, logits: Tensor, rng: torch.Generator) -> Tensor:
        classes = logits.shape[-1]
        one_hot = torch.eye(classes, dtype=logits.dtype, device=logits.device)[:, None, None]  # (K, 1, 1, K)
        if self.chunk is None:
            values = bound(one_hot)
        else:
            pieces = torch.split(one_hot, self.chunk)
            values = torch.cat([checkpoint(bound, piece, use_reentrant=False) for piece in pieces])
        return (logits.softmax(dim=-1) * values.movedim(0, -1)).sum(dim=-1)


@dataclass(frozen=True)
class Gumbel:
    """The mean of bound(z) over relaxed samples z = softmax((logits + g) / temperature)  (Jang et al. 2017)."""

    temperature: float
    samples: int = 1

    def __call__(self, bound: Bound, logits: Tensor, rng: torch.Generator) -> Tensor:
        noise = gumbel_noise((self.samples, *logits.shape), rng, logits)
        return bound(relax(logits, noise, self.temperature)).mean(dim=0)


@dataclass(frozen=True)
class StraightThrough:
    """The mean of bound(one_hot(argmax z)) over Gumbel samples, with the gradient of bound(z)  (Jang et al. 2017)."""

    temperature: float
    samples: int = 1

    def __call__(self, bound: Bound, logits: Tensor, rng: torch.Generator) -> Tensor:
        soft = relax(logits, gumbel_noise((self.samples, *logits.shape), rng, logits), self.temperature)
        hard = F.one_hot(soft.argmax(dim=-1), logits.shape[-1]).to(soft)
        return bound(hard + (soft - soft.detach())).mean(dim=0)


def relax(logits: Tensor, noise: Tensor, temperature: float) -> Tensor:
    """softmax((logits + noise) / temperature) over the last dimension: `gumbel.relax` with gradients."""
    return ((logits + noise) / temperature).softmax(dim=-1)


def gumbel_noise(shape: tuple[int, ...], rng: torch.Generator, like: Tensor) -> Tensor:
    """Standard Gumbel noise -log(-log u), always finite: u lies in the middle of one of 2**52 equal parts of (0, 1)."""
    u = (torch.randint(2**52, shape, generator=rng, device=like.device).double() + 0.5) / 2**52
    return -torch.log(-torch.log(u)).to(like.dtype)


def entropy(logits: Tensor) -> Tensor:
    """The entropy of softmax(logits) over the last dimension, in nats."""
    log_probabilities = logits.log_softmax(dim=-1)
    return -(log_probabilities.exp() * log_probabilities).sum(dim=-1)
