"""The sum over classes: all of them, or those that the law holds possible."""

from dataclasses import dataclass
from math import prod
from numbers import Real

import torch
from torch import Tensor

from gsm_cli.model.bounds import Bound, evaluate_classes, evaluate_images, weighed
from gsm_cli.model.categorical import entropy, log_probabilities, one_hot, one_hots, widened
from gsm_cli.model.checks import check_logits, check_whole

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
class SparseMarginal:
    """The sum over the classes C with q(y) > `threshold`, and the most probable ones, image by image.

    It averages over q~(y) = q(y) / q(C), and brings its entropy: sum_{y in C} q~(y) f(y) + H(q~) <= log sum_y exp f(y)
    is a lower bound whatever C is. Without the division it would be none: f is far below 0, so dropped mass raises it.
    """

    threshold: float = 0.01

    def __post_init__(self) -> None:
        if not isinstance(self.threshold, Real | Tensor) or not 0.0 <= self.threshold < 1.0:
            raise ValueError(f"the threshold must be at least 0 and less than 1, not {self.threshold}")

    def __call__(self, bound: Bound, logits: Tensor, rng: torch.Generator) -> Tensor:
        q = log_probabilities(self._restricted(logits)).exp()[None].flatten(0, -2)  # a row for each image
        images, kept = self.keeps(logits).view(q.shape).nonzero(as_tuple=True)
        values = evaluate_images(bound, one_hot(kept, logits), images)
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
