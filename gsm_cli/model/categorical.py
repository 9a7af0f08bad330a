"""The categorical law in torch: noise, samples, relaxed samples and the entropy, all of logits (..., K)."""

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from gsm_cli.model.checks import check_temperature


def gumbel_noise(shape: tuple[int, ...], rng: torch.Generator, like: Tensor) -> Tensor:
    """Standard Gumbel noise -log(-log u), always finite: u lies in the middle of one of 2**52 equal parts of (0, 1)."""
    u = (torch.randint(2**52, shape, generator=rng, device=like.device).double() + 0.5) / 2**52
    return -torch.log(-torch.log(u)).to(like.dtype)


def relax(logits: Tensor, noise: Tensor, temperature: float) -> Tensor:
    """softmax((logits + noise) / temperature) over the last dimension: the law's `relax`, with gradients.

    Raises ValueError for a temperature that is not positive and finite.
    """
    check_temperature(temperature)
    return ((logits + noise) / temperature).softmax(dim=-1)


def sample_one_hot(logits: Tensor, rng: torch.Generator) -> Tensor:
    """A one-hot sample of softmax(logits), without a gradient (Gumbel-Max)."""
    noise = gumbel_noise(tuple(logits.shape), rng, logits)
    return F.one_hot((logits + noise).argmax(dim=-1), logits.shape[-1]).to(logits)


def entropy(logits: Tensor) -> Tensor:
    """The entropy of softmax(logits) over the last dimension, in nats; a class with the logit -inf adds nothing."""
    log_probabilities = logits.log_softmax(dim=-1)
    finite = log_probabilities.clamp_min(torch.finfo(logits.dtype).min)  # 0 * -inf is nan
    return -(log_probabilities.exp() * finite).sum(dim=-1)
