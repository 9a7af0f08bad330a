"""The categorical law in torch: noise, samples, relaxed samples and the entropy, all of logits (..., K)."""

from typing import Self

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from gsm_cli.model.checks import check_temperature


def gumbel_noise(shape: tuple[int, ...], rng: torch.Generator, like: Tensor) -> Tensor:
    """Standard Gumbel noise -log(-log u), always finite: u lies in the middle of one of 2**52 equal parts of (0, 1)."""
    u = (torch.randint(2**52, shape, generator=rng, device=like.device).double() + 0.5) / 2**52
    return -torch.log(-torch.log(u)).to(like.dtype)


class Outcomes(torch.Generator):
    """A generator under which `sample_one_hot` draws nothing: the row of every image says which outcome it takes.

    With K classes, outcome `number` of n draws is the number in base K whose digit s is the class of draw s, so that
    0 .. K^n - 1 are all outcomes. Other noise is drawn as ever; `drew` says whether any was, and the outcomes are then
    not all that the estimate depends on.
    """

    def __new__(cls, number: Tensor) -> Self:
        return super().__new__(cls)

    def __init__(self, number: Tensor) -> None:
        self.number = number  # (N,)
        self.draws = 0
        self.log_q = torch.zeros(len(number), dtype=torch.float64)  # (N,): of each row's outcome
        self._start = self.get_state()

    @property
    def drew(self) -> bool:
        """Whether random numbers were drawn."""
        return not torch.equal(self._start, self.get_state())

    def one_hot(self, logits: Tensor) -> Tensor:
        """The next classes, one-hot, for logits (..., N, K): a draw for every entry of the leading dimensions."""
        rows, classes = logits.shape[-2:]
        if rows != len(self.number):
            raise ValueError(f"logits must have {len(self.number)} rows, not {rows}")
        draws = logits.numel() // (rows * classes)
        digits = [self.number // classes**s % classes for s in range(self.draws, self.draws + draws)]
        self.draws += draws
        chosen = torch.stack(digits).view(logits.shape[:-1])
        log_q = logits.detach().double().log_softmax(dim=-1).gather(-1, chosen[..., None])
        self.log_q = self.log_q + log_q.reshape(draws, rows).sum(dim=0)
        return F.one_hot(chosen, classes).to(logits)


def relax(logits: Tensor, noise: Tensor, temperature: float) -> Tensor:
    """softmax((logits + noise) / temperature) over the last dimension: the law's `relax`, with gradients.

    Raises ValueError for a temperature that is not positive and finite.
    """
    check_temperature(temperature)
    return ((logits + noise) / temperature).softmax(dim=-1)


def sample_one_hot(logits: Tensor, rng: torch.Generator) -> Tensor:
    """A one-hot sample of softmax(logits), without a gradient (Gumbel-Max); under `Outcomes` the one that is named."""
    if isinstance(rng, Outcomes):
        return rng.one_hot(logits)
    noise = gumbel_noise(tuple(logits.shape), rng, logits)
    return F.one_hot((logits + noise).argmax(dim=-1), logits.shape[-1]).to(logits)


def bounded(logits: Tensor) -> Tensor:
    """The logits with a number for -inf, the logit of a class that is never drawn: 0 * log q(y) is 0 then, not nan."""
    return logits.clamp_min(torch.finfo(logits.dtype).min / 4)


def with_gradient_of(soft: Tensor, hard: Tensor) -> Tensor:
    """The value of `hard` with the gradient of `soft`."""
    return hard + (soft - soft.detach())


def entropy(logits: Tensor) -> Tensor:
    """The entropy of softmax(logits) over the last dimension, in nats; a class with the logit -inf adds nothing."""
    log_probabilities = bounded(logits).log_softmax(dim=-1)
    return -(log_probabilities.exp() * log_probabilities).sum(dim=-1)
