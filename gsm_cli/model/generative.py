"""Semi-supervised deep generative models: M2 and ADGM, with the lower bound of log p(x, y) given a class.

Shapes: B images, D pixels, K classes, S draws of the latent noise; ... are leading dimensions of the caller's choice.
Densities and bounds are in nats, summed over pixels and latent dimensions.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import reduce
from math import log, pi

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

from gsm_cli.model.networks import Architecture, Network, Rows, in_parts

LOG_TWO_PI = log(2 * pi)
HEAD_SCALE = 0.1  # Gaussian heads start near mean 0 and variance 1


@dataclass(frozen=True)
class Evidence:
    """What a model knows of a batch before a class is named: all that the classes share, computed once per image."""

    x: Tensor  # (B, D)
    q_a: Tensor | None  # (B, 2 A): mean and log variance of q(a|x), None in M2
    a: Tensor | None  # (S, B, A), None in M2
    log_q_a: Tensor | None  # (S, B, 1): log q(a|x)
    noise: Tensor  # (S, B, Z): z = mean(y) + deviation(y) * noise, the same noise for every class
    logits: Tensor  # (S, B, K) of q(y|a,x)
    q_z: Tensor  # ([S,] B, H): the share of x and a in the first layer of q(z|a,x,y)
    p_a: Tensor | None  # (B, H): the share of x in the first layer of p(a|x,y,z)

    def split(self, sizes: list[int]) -> "list[Evidence]":
        """The evidence of each of several batches that were encoded as one, with so many images each."""
        parts = {name: value.split_with_sizes(sizes, dim=-2) for name, value in vars(self).items() if value is not None}
        return [replace(self, **{name: part[i] for name, part in parts.items()}) for i in range(len(sizes))]

    def take(self, images: Tensor) -> "Evidence":
        """The evidence of single images (N,), flat indices into (S, B); every part then has the shape (N, ...)."""
        s, b = images // len(self.x), images % len(self.x)
        parts = {name: value for name, value in vars(self).items() if value is not None}
        return replace(self, **{name: part[s, b] if part.dim() == 3 else part[b] for name, part in parts.items()})


Case = tuple[Evidence, Tensor]  # images, and the y of their bound
Drawn = tuple[Tensor, Tensor, Tensor]  # samples, their log density, and the outputs of a network that their law has


class M2(nn.Module):
    """The model M2 of Kingma et al. 2014 (arXiv:1406.5298).

    Inference q(y|x) q(z|x,y); generation p(x|y,z) Bernoulli, p(y) uniform, p(z) = N(0, I).
    """

    given: tuple[str, ...] = ("x",)  # what q(y|.) is given

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        k, z = architecture.classes, architecture.latent
        sizes = {"x": architecture.pixels, "a": architecture.auxiliary}
        inputs = {name: sizes[name] for name in self.given}
        hidden = architecture.classifier_hidden or architecture.hidden
        self.q_y = Network(inputs, k, replace(architecture, hidden=hidden))
        self.q_z = Network(inputs | {"y": k}, 2 * z, architecture, HEAD_SCALE)
        self.p_x = Network({"y": k, "z": z}, architecture.pixels, architecture)

    def draw_a(self, x: Tensor, samples: int, rng: torch.Generator) -> Drawn | tuple[None, None, None]:
        """The auxiliary variable (S, B, A), log q(a|x) (S, B), and that law's outputs (B, 2 A); M2 has none."""
        return None, None, None

    def classify(self, x: Tensor, samples: int, rng: torch.Generator) -> Tensor:
        """Logits of q(y|a,x), (S, B, K), for images x (B, D) in [0, 1] and S draws of a."""
        a, *_ = self.draw_a(x, samples, rng)
        return self.logits(context(x, a), samples)

    def encode(self, x: Tensor, samples: int, rng: torch.Generator) -> Evidence:
        """Draw a, and the noise of z, S times for images x (B, D); compute all that the bounds of the classes share."""
        a, log_q_a, q_a = self.draw_a(x, samples, rng)
        known = context(x, a)
        return Evidence(
            x=x,
            q_a=q_a,
            a=a,
            log_q_a=None if log_q_a is None else log_q_a[..., None],
            noise=torch.randn(samples, len(x), self.architecture.latent, generator=rng, device=x.device),
            logits=self.logits(known, samples),
            q_z=self.q_z.lift(**known),
            p_a=None,
        )

    def redrawn(self, evidence: Evidence, noise: Tensor) -> Evidence:
        """The same with another draw of a, from standard normal noise (..., S, B, A)."""
        assert evidence.q_a is not None
        a, log_q_a = place(evidence.q_a, noise)
        return replace(evidence, a=a, log_q_a=log_q_a[..., None], q_z=self.q_z.lift(**context(evidence.x, a)))

    def bound(self, evidence: Evidence, y: Tensor, kl_weight: float = 1.0) -> Tensor:
        """One draw of f(a, x, y, z), (..., S, B), for y (..., S, B, K) on the simplex.

            f = log p(x|y,z) + log p(y) + w [log p(z) - log q(z|a,x,y) + log p(a|x,y,z) - log q(a|x)]

        With w = 1 its mean over a and z is a lower bound of log p(x, y). A dimension of y along which it does not vary
        may have the size 1, as in the identity matrix (K, 1, 1, K).
        """
        return self.bounds([(evidence, y)], kl_weight)[0]

    def bounds(self, cases: Sequence[Case], kl_weight: float = 1.0) -> list[Tensor]:
        """The `bound` of several batches with their y, in one pass; batch normalisation takes each by itself."""
        rows = Rows([np.broadcast_shapes(known.noise.shape[:-1], y.shape[:-1]) for known, y in cases])
        with in_parts(rows.sizes):
            mean, log_variance = gaussian(self.q_z(lift(self.q_z, cases, rows, [known.q_z for known, _ in cases])))
            noise = rows.join(known.noise for known, _ in cases)
            z = mean + torch.exp(0.5 * log_variance) * noise
            latent = log_normal(z) - log_normal(noise, log_variance) + self.auxiliary(cases, rows, z)
            log_p_y = -log(self.architecture.classes)
            return rows.split(self.log_likelihood(cases, rows, z) + log_p_y + kl_weight * latent)

    def log_likelihood(self, cases: Sequence[Case], rows: Rows, z: Tensor) -> Tensor:
        """The reconstruction log p(x|y,z) of every row (N,)."""
        logits = rows.split(self.p_x(lift(self.p_x, cases, rows, z=z)))
        values = (log_bernoulli(known.x, part) for (known, _), part in zip(cases, logits, strict=True))
        return torch.cat([value.flatten() for value in values])

    def generate(self, y: Tensor, z: Tensor) -> Tensor:
        """The mean images of p(x|y,z), (..., D), for y (..., K) and z (..., Z)."""
        return torch.sigmoid(self.p_x(self.p_x.lift(y=y, z=z)))

    def auxiliary(self, cases: Sequence[Case], rows: Rows, z: Tensor) -> Tensor | float:
        """The auxiliary variable's part of the bound of every row, log p(a|x,y,z) - log q(a|x); M2 has none."""
        return 0.0

    def logits(self, known: dict[str, Tensor], samples: int) -> Tensor:
        """Logits of q(y|a,x), (S, B, K), of its inputs by name."""
        logits: Tensor = self.q_y(self.q_y.lift(**known))
        return logits.expand(samples, *logits.shape[-2:])


class ADGM(M2):
    """The auxiliary deep generative model of Maaloe et al. 2016 (arXiv:1602.05473).

    Inference q(a|x) q(y|a,x) q(z|a,x,y); generation as M2, with p(a|x,y,z) Gaussian.
    """

    given = ("x", "a")

    def __init__(self, architecture: Architecture) -> None:
        super().__init__(architecture)
        sizes = {"x": architecture.pixels, "y": architecture.classes, "z": architecture.latent}
        self.q_a = Network({"x": architecture.pixels}, 2 * architecture.auxiliary, architecture, HEAD_SCALE)
        self.p_a = Network(sizes, 2 * architecture.auxiliary, architecture, HEAD_SCALE)

    def draw_a(self, x: Tensor, samples: int, rng: torch.Generator) -> Drawn:
        outputs = self.q_a(self.q_a.lift(x=x))
        noise = torch.randn(samples, len(x), outputs.shape[-1] // 2, generator=rng, device=x.device)
        return *place(outputs, noise), outputs

    def encode(self, x: Tensor, samples: int, rng: torch.Generator) -> Evidence:
        return replace(super().encode(x, samples, rng), p_a=self.p_a.lift(x=x))

    def auxiliary(self, cases: Sequence[Case], rows: Rows, z: Tensor) -> Tensor:
        p_a = [known.p_a for known, _ in cases if known.p_a is not None]
        mean, log_variance = gaussian(self.p_a(lift(self.p_a, cases, rows, p_a, z=z)))
        a = rows.join(known.a for known, _ in cases if known.a is not None)
        log_q_a = rows.join(known.log_q_a for known, _ in cases if known.log_q_a is not None)
        return log_normal((a - mean) * torch.exp(-0.5 * log_variance), log_variance) - log_q_a.squeeze(-1)


def lift(
    network: Network, cases: Sequence[Case], rows: Rows, known: Sequence[Tensor] | None = None, **others: Tensor
) -> Tensor:
    """The first layer (N, H) of a network: what is known of it, (..., H) for each case, with y and others (N, ...).

    A y that is the same for many rows, as in the sum over classes, is multiplied before it is repeated.
    """
    if all(y.shape[:-1] == shape for (_, y), shape in zip(cases, rows.shapes, strict=True)):
        lifted = network.lift_at_once(y=rows.join(y for _, y in cases), **others)
        return lifted if known is None else lifted + rows.join(known)
    shares = [[network.lift(y=y) for _, y in cases], known, others and rows.split(network.lift(**others))]
    return rows.join(reduce(torch.add, parts) for parts in zip(*filter(None, shares), strict=True))


def gaussian(outputs: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and log variance, (..., Z) each, from the outputs (..., 2 Z) of a network."""
    mean, log_variance = torch.chunk(outputs, 2, dim=-1)
    return mean, log_variance


def place(outputs: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
    """The sample (..., A) that standard normal noise makes of a Gaussian, and its log density (...)."""
    mean, log_variance = gaussian(outputs)
    return mean + torch.exp(0.5 * log_variance) * noise, log_normal(noise, log_variance)


def log_normal(noise: Tensor, log_variance: Tensor | float = 0.0) -> Tensor:
    """The log density of mean + deviation * noise under its normal law, summed over the last dimension."""
    return -0.5 * (noise.square() + log_variance + LOG_TWO_PI).sum(dim=-1)


def log_bernoulli(x: Tensor, logits: Tensor) -> Tensor:
    """The log probability (...) of pixels x ([...,] B, D) under logits (..., B, D), summed over the pixels."""
    return -F.binary_cross_entropy_with_logits(logits, x.expand_as(logits), reduction="none").sum(dim=-1)


def context(x: Tensor, a: Tensor | None) -> dict[str, Tensor]:
    """What q(y|a,x) takes, by name: images x (B, D), and draws a (S, B, A) unless the model has none."""
    return {"x": x} if a is None else {"x": x, "a": a}
