"""What training maximises: mean_u U + v mean_l L + w mean_l log q(y|a,x), each term in nats per image.

Where virtual adversarial training has a weight, training subtracts that times its loss (`virtual_adversarial`).
"""

from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812

from gsm_cli.model.bounds import Estimator, OwnEntropy
from gsm_cli.model.categorical import entropy
from gsm_cli.model.generative import M2, Case, Evidence, context
from gsm_cli.model.networks import in_parts, is_kept


@dataclass(frozen=True)
class Batch:
    """Binary images: unlabelled (U, D), labelled (L, D), and the classes of the labelled ones (L,)."""

    unlabelled: Tensor
    labelled: Tensor
    classes: Tensor


@dataclass(frozen=True)
class Terms:
    """The three terms of the objective, each a scalar, and what the first cost."""

    unlabelled_bound: Tensor
    labelled_bound: Tensor
    classification: Tensor
    evaluations: float  # of the conditional bound for each unlabelled image

    def objective(self, labelled_weight: float, classification_weight: float) -> Tensor:
        """What is maximised: the unlabelled bound + v times the labelled one + w times the classification."""
        bounds = self.unlabelled_bound + labelled_weight * self.labelled_bound
        return bounds + classification_weight * self.classification

    def detach(self) -> "Terms":
        """The same values without their graph."""
        values = (self.unlabelled_bound.detach(), self.labelled_bound.detach(), self.classification.detach())
        return Terms(*values, self.evaluations)


@dataclass
class ConditionalBound:
    """f(a, x, y, z) of the images that gave the evidence, as a function of y; it counts how often it is evaluated.

    The `companion`, images with their y, goes through the networks with the first y whose pass is kept: whoever takes a
    gradient of the values by himself must retain their graph. With `fresh` every evaluation has an a of its own, and so
    has every class of the sum, whose y (N, 1, ..., 1, K) is the same for all images.
    """

    model: M2
    evidence: Evidence
    kl_weight: float = 1.0
    companion: Case | None = None
    fresh: torch.Generator | None = None
    count: int = 0  # of images with a class
    _values: Tensor | None = None  # of the companion

    def __call__(self, y: Tensor, images: Tensor | None = None, /) -> Tensor:
        joins = self._values is None and torch.is_grad_enabled() and is_kept()
        companions = [self.companion] if self.companion and joins else []
        values, *of_companion = self.model.bounds([(self._known(y, images), y), *companions], self.kl_weight)
        if of_companion:
            (self._values,) = of_companion
        self.count += values.numel()
        return values

    def _known(self, y: Tensor, images: Tensor | None) -> Evidence:
        evidence = self.evidence if images is None else self.evidence.take(images)
        if self.fresh is None or evidence.q_a is None:
            return evidence
        if images is None and y.shape[1:-1].numel() == 1:
            return self.model.redrawn(evidence, self._noise_of_classes[y.flatten(0, -2).argmax(dim=-1)])
        shape = torch.broadcast_shapes(evidence.noise.shape[:-1], y.shape[:-1])  # type: ignore[no-untyped-call]
        return self.model.redrawn(evidence, self._noise(*shape))

    @cached_property
    def _noise_of_classes(self) -> Tensor:
        """Of a, (K, S, B, A): the same where a class is computed again."""
        return self._noise(self.evidence.logits.shape[-1], *self.evidence.noise.shape[:-1])

    def _noise(self, *shape: int) -> Tensor:
        size = (*shape, self.model.architecture.auxiliary)
        return torch.randn(size, generator=self.fresh, device=self.evidence.x.device)

    def of_companion(self) -> Tensor:
        """Its values; computed now if no y was evaluated before."""
        if self._values is None:
            assert self.companion is not None
            self._values = self.model.bound(*self.companion, self.kl_weight)
        return self._values


def unlabelled_bound(
    bound: ConditionalBound, estimator: Estimator, rng: torch.Generator, entropy_weight: float = 1.0
) -> Tensor:
    """One draw of U(x), (S, B): the estimator's average of f over the class, and the entropy.

        U(x) = E_{q(y|a,x)}[f(a, x, y, z)] + H(q(y|a,x))

    An estimator that averages over another distribution than q brings that one's entropy in place of q's. With a weight
    of the entropy below 1 it is a lower bound still, and with one above 1 none.
    """
    logits = bound.evidence.logits
    own = estimator.entropy if isinstance(estimator, OwnEntropy) else entropy
    return estimator(bound, logits, rng) + entropy_weight * own(logits)


def semi_supervised(
    model: M2,
    batch: Batch,
    estimator: Estimator,
    samples: int,
    kl_weight: float,
    rng: torch.Generator,
    entropy_weight: float = 1.0,
    fresh: torch.Generator | None = None,
) -> Terms:
    """The three terms with S = `samples` draws of a and z; the estimator's own noise is drawn last.

        U(x) = mean_l E_{q(y|a_l,x)}[f(a_l, x, y, z_l)] + H(q(y|a_l,x)),    L(x, y) = mean_l f(a_l, x, y, z_l)

    The draw of a that serves the classifier serves every class and the bound; with `fresh` every evaluation of the
    unlabelled bound has an a of its own, drawn by that generator.
    """
    sizes = [len(batch.unlabelled), len(batch.labelled)]
    with in_parts(sizes):
        evidence = model.encode(torch.cat([batch.unlabelled, batch.labelled]), samples, rng)
    unlabelled, labelled = evidence.split(sizes)
    one_hot = torch.eye(model.architecture.classes, device=batch.classes.device)
    y = one_hot.index_select(0, batch.classes)[None]  # (1, L, K)
    bound = ConditionalBound(model, unlabelled, kl_weight, companion=(labelled, y), fresh=fresh)
    u = unlabelled_bound(bound, estimator, rng, entropy_weight)
    classification = log_probability(labelled.logits, batch.classes)
    return Terms(u.mean(), bound.of_companion().mean(), classification, bound.count / len(batch.unlabelled))


def labels_alone(model: M2, batch: Batch, samples: int, kl_weight: float, rng: torch.Generator) -> Terms:
    """The two terms of the labelled images alone."""
    evidence = model.encode(batch.labelled, samples, rng)
    y = F.one_hot(batch.classes, model.architecture.classes).float()[None]  # (1, L, K)
    bound = model.bound(evidence, y, kl_weight).mean()
    return Terms(torch.zeros_like(bound), bound, log_probability(evidence.logits, batch.classes), 0.0)


def supervised(model: M2, batch: Batch, samples: int, rng: torch.Generator) -> Terms:
    """The classification term alone, from the labelled images alone."""
    zero = torch.zeros((), device=batch.labelled.device)
    return Terms(zero, zero, log_probability(model.classify(batch.labelled, samples, rng), batch.classes), 0.0)


def classifier_alone(model: M2, batch: Batch, samples: int, rng: torch.Generator) -> Tensor:
    """The mean of log q(y|a,x) of the labelled images, with draws of a that are constants: q(a|x) learns nothing."""
    with torch.no_grad():
        a, *_ = model.draw_a(batch.labelled, samples, rng)
    return log_probability(model.logits(context(batch.labelled, a), samples), batch.classes)


def log_probability(logits: Tensor, classes: Tensor) -> Tensor:
    """The mean of log q(y|a,x) over images and draws, from logits (S, B, K) and classes (B,)."""
    return -F.cross_entropy(logits.flatten(0, 1), classes.repeat(len(logits)))
