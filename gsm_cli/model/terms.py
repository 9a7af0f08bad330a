"""What training maximises: mean_u U + v mean_l L + w mean_l log q(y|a,x), each term in nats per image."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from gsm_cli.model.estimators import Estimator, entropy
from gsm_cli.model.generative import M2, Evidence


@dataclass(frozen=True)
class Batch:
    """Binary images: unlabelled (U, D), labelled (L, D), and the classes of the labelled ones (L,)."""

    unlabelled: Tensor
    labelled: Tensor
    classes: Tensor


@dataclass(frozen=True)
class Terms:
    """The three terms of the objective, each a scalar, and what the first cost."""

    unlabelled: Tensor
    labelled: Tensor
    classification: Tensor
    evaluations: float  # of the conditional bound for each unlabelled image


@dataclass
class ConditionalBound:
    """f(a, x, y, z) of the images that were seen, as a function of y alone; it counts how often it is evaluated."""

    model: M2
    seen: Evidence
    kl_weight: float = 1.0
    count: int = 0  # of images with a class

    def __call__(self, y: Tensor, images: Tensor | None = None, /) -> Tensor:
        seen = self.seen if images is None else self.seen.take(images)
        values = self.model.bound(seen, y, self.kl_weight)
        self.count += values.numel()
        return values


def semi_supervised(
    model: M2, batch: Batch, estimator: Estimator, samples: int, kl_weight: float, rng: torch.Generator
) -> Terms:
    """The three terms with S = `samples` draws of a and z; the estimator's own noise is drawn last.

        U(x) = mean_l E_{q(y|a_l,x)}[f(a_l, x, y, z_l)] + H(q(y|a_l,x)),    L(x, y) = mean_l f(a_l, x, y, z_l)

    The draw of a that serves the classifier serves every class and the bound.
    """
    unseen = model.encode(batch.unlabelled, samples, rng)
    seen = model.encode(batch.labelled, samples, rng)
    y = F.one_hot(batch.classes, seen.logits.shape[-1]).to(seen.logits)[None]  # (1, L, K)
    labelled = model.bound(seen, y, kl_weight)
    bound = ConditionalBound(model, unseen, kl_weight)
    unlabelled = estimator(bound, unseen.logits, rng) + entropy(unseen.logits)
    classification = log_probability(seen.logits, batch.classes)
    return Terms(unlabelled.mean(), labelled.mean(), classification, bound.count / len(batch.unlabelled))


def supervised(model: M2, batch: Batch, samples: int, rng: torch.Generator) -> Terms:
    """The classification term alone, from the labelled images alone."""
    zero = torch.zeros((), device=batch.labelled.device)
    return Terms(zero, zero, log_probability(model.classify(batch.labelled, samples, rng), batch.classes), 0.0)


def log_probability(logits: Tensor, classes: Tensor) -> Tensor:
    """The mean of log q(y|a,x) over images and draws, from logits (S, B, K) and classes (B,)."""
    return -F.cross_entropy(logits.flatten(0, 1), classes.repeat(len(logits)))
