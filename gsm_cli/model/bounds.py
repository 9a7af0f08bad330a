"""A conditional bound as estimators see it, a function of y, and what an estimator may have; values are checked."""

import inspect
from collections.abc import Sequence
from typing import Protocol, cast, runtime_checkable

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from gsm_cli.model.checks import check_floating
from gsm_cli.model.networks import computed_again


class Bound(Protocol):
    """A conditional bound: y on the simplex, (..., K) or (N, ..., K), gives values (...) or (N, ...).

    The dimensions ... are those of the logits. `Marginal` evaluates every class for all images: its y (N, 1, ..., 1, K)
    broadcasts against what the bound knows of the images, and the values may keep these ones. `SparseMarginal`
    evaluates single images and needs a `SelectiveBound`. A y is to be read and not written into.
    """

    def __call__(self, y: Tensor, /) -> Tensor: ...


class SelectiveBound(Protocol):
    """A bound that can also be evaluated for some of the images.

    With `images` (N,), flat indices into the leading dimensions of the logits, y is (N, K) and the values are (N,). A
    bound that is the same for all images may ignore them: `lambda y, images=None: bound(y)`.
    """

    def __call__(self, y: Tensor, images: Tensor | None = None, /) -> Tensor: ...


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


def evaluate(bound: Bound, y: Tensor) -> Tensor:
    """The values (...) of y (..., K). Raises ValueError if they have another shape."""
    values = bound(y)
    check_floating("the bound", values)
    if values.shape != y.shape[:-1]:
        raise _wrong_shape(y, y.shape[:-1], values)
    return values


def evaluate_classes(bound: Bound, y: Tensor, leading: Sequence[int], recompute: bool) -> Tensor:
    """The values (N, ...) of N classes y (N, 1, ..., 1, K), with the leading dimensions ... of the logits or ones.

    With `recompute` nothing is kept for the backward pass, which computes it again, with the same random numbers of
    PyTorch's global generator. Raises ValueError if the values have another shape.
    """
    if recompute:
        values: Tensor = checkpoint(bound, y, use_reentrant=False, context_fn=computed_again)
    else:
        values = bound(y)
    check_floating("the bound", values)
    wanted = (len(y), *leading)
    fits = [found in (size, once) for found, size, once in zip(values.shape, wanted, y.shape, strict=False)]
    if len(values.shape) != len(wanted) or not all(fits):
        raise _wrong_shape(y, wanted, values)
    return values


def evaluate_images(bound: Bound, y: Tensor, images: Tensor) -> Tensor:
    """The values (N,) of y (N, K) for single images (N,), flat indices into the leading dimensions of the logits.

    Raises ValueError if the bound is no `SelectiveBound`, or if the values have another shape.
    """
    try:
        return evaluate(lambda y: cast(SelectiveBound, bound)(y, images), y)
    except TypeError as error:
        if _takes_images(bound):
            raise
        raise ValueError("the bound must take (y, images) to be evaluated for single images, not y alone") from error


def weighed(values: Tensor, q: Tensor) -> Tensor:
    """The values of classes with the probabilities q, but 0 for a class that has none, whatever its value is."""
    return torch.where(q == 0.0, 0.0, values)


def _takes_images(bound: Bound) -> bool:
    try:
        inspect.signature(bound).bind(None, None)
    except (TypeError, ValueError):  # ValueError: a built-in function without a signature
        return False
    return True


def _wrong_shape(y: Tensor, wanted: tuple[int, ...], values: Tensor) -> ValueError:
    return ValueError(f"the bound of y {tuple(y.shape)} must have the shape {tuple(wanted)}, not {tuple(values.shape)}")
