"""The perceptrons that the models are made of, and their sizes."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import partial, reduce
from itertools import pairwise
from math import prod
from typing import TypeVar, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812

Value = TypeVar("Value")
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": F.relu, "elu": F.elu, "softplus": F.softplus}


@dataclass(frozen=True)
class Architecture:
    """The sizes of a model; `norm` is layer, batch or none, `weight_std` None for 1 / sqrt(3 fan_in).

    `classifier_hidden` are the hidden layers of q(y|a,x), None for those of all others. With `bf16` the matrix products
    are taken in bfloat16, and all else in float32.
    """

    pixels: int
    classes: int
    hidden: tuple[int, ...] = (500, 500)
    classifier_hidden: tuple[int, ...] | None = None
    latent: int = 10
    auxiliary: int = 10
    norm: str = "layer"
    norm_eps: float = 1e-5
    activation: str = "relu"
    weight_std: float | None = None
    zero_biases: bool = False
    bf16: bool = False


class Linear(nn.Linear):
    """A linear map; with `bf16` its product, and those of its gradients, take and give bfloat16.

    The weights, the bias and what comes in and out stay float32.
    """

    def __init__(self, inputs: int, outputs: int, bias: bool = True, bf16: bool = False) -> None:
        super().__init__(inputs, outputs, bias)
        self.bf16 = bf16

    def forward(self, value: Tensor) -> Tensor:
        return linear(value, self.weight, self.bias, self.bf16)


def linear(value: Tensor, weight: Tensor, bias: Tensor | None, bf16: bool) -> Tensor:
    """The map of `Linear` with these weights."""
    if not bf16:
        return F.linear(value, weight, bias)
    product = F.linear(value.bfloat16(), weight.bfloat16()).float()
    return product if bias is None else product + bias


class Network(nn.Module):
    """A perceptron of several named inputs; its first layer is the sum of one linear map for each.

    `lift` multiplies some of the inputs; the caller adds what was lifted apart; calling the network does the rest.
    `scale` multiplies the initial weights of the last layer, unless the architecture gives their deviation.
    """

    def __init__(self, inputs: dict[str, int], outputs: int, architecture: Architecture, scale: float = 1.0) -> None:
        super().__init__()
        sizes, linear = architecture.hidden, partial(Linear, bf16=architecture.bf16)
        biased = next(iter(inputs)) if architecture.norm == "none" else None  # a normalisation has a bias of its own
        self.first = nn.ModuleDict({name: linear(size, sizes[0], bias=name == biased) for name, size in inputs.items()})
        self.hidden = nn.ModuleList(linear(size, after) for size, after in pairwise(sizes))
        self.norms = nn.ModuleList(NORMS[architecture.norm](size, eps=architecture.norm_eps) for size in sizes)
        self.head = linear(sizes[-1], outputs)
        self.activation = ACTIVATIONS[architecture.activation]
        for layer in cast(list[Linear], [*self.first.values(), *self.hidden, self.head]):
            if architecture.weight_std is not None:
                nn.init.normal_(layer.weight, std=architecture.weight_std)
            if architecture.zero_biases and layer.bias is not None:
                nn.init.zeros_(layer.bias)
        if architecture.weight_std is None:
            with torch.no_grad():
                self.head.weight *= scale

    def lift(self, **inputs: Tensor) -> Tensor:
        """The share of these inputs in the first layer, (..., H)."""
        return cast(Tensor, reduce(torch.add, (self.first[name](value) for name, value in inputs.items())))

    def lift_at_once(self, **inputs: Tensor) -> Tensor:
        """The same in one product, for inputs with the same leading dimensions."""
        layers = [cast(Linear, self.first[name]) for name in inputs]
        bias = next((layer.bias for layer in layers if layer.bias is not None), None)
        weight = torch.cat([layer.weight for layer in layers], dim=1)
        return linear(torch.cat(list(inputs.values()), dim=-1), weight, bias, layers[0].bf16)

    def forward(self, lifted: Tensor) -> Tensor:
        """The outputs (..., O), from the sum (..., H) of what was lifted."""
        first, *norms = self.norms
        hidden: Tensor = self.activation(first(lifted))
        for layer, norm in zip(self.hidden, norms, strict=True):
            hidden = self.activation(norm(layer(hidden)))
        return cast(Tensor, self.head(hidden))


class BatchNorm(nn.BatchNorm1d):
    """Batch normalisation over every dimension but the last. Over a batch of classes it mixes the classes.

    Within `in_parts` it takes each part by itself; within `uncounted` the running statistics stay as they are.
    """

    def forward(self, values: Tensor) -> Tensor:
        sizes = _PARTS.get() or [values.shape[-2]]
        return torch.cat([self._normalise(part) for part in values.split_with_sizes(sizes, dim=-2)], dim=-2)

    def _normalise(self, values: Tensor) -> Tensor:
        rows = values.flatten(0, -2)
        if not _UNCOUNTED.get():
            return super().forward(rows).view_as(values)
        running, learned = (self.running_mean, self.running_var), (self.weight, self.bias)
        return F.batch_norm(rows, *running, *learned, self.training, momentum=0.0, eps=self.eps).view_as(values)


_UNCOUNTED = ContextVar("uncounted", default=False)
_PARTS: ContextVar[list[int] | None] = ContextVar("parts", default=None)
_KEPT = ContextVar("kept", default=True)


class _Within(AbstractContextManager[None]):
    """Within it a variable has that value. It may be entered again, as by a second backward pass."""

    def __init__(self, variable: ContextVar[Value], value: Value) -> None:
        self.set, self.reset = partial(variable.set, value), variable.reset

    def __enter__(self) -> None:
        self.token = self.set()

    def __exit__(self, *_: object) -> None:
        self.reset(self.token)


def uncounted() -> AbstractContextManager[None]:
    """Within it running statistics stay as they are: for images that were counted before, or are none of the data."""
    return _Within(_UNCOUNTED, True)


def in_parts(sizes: list[int]) -> AbstractContextManager[None]:
    """Within it values (..., N, H) are those of batches of so many rows, which have nothing to do with one another."""
    return _Within(_PARTS, sizes)


def computed_again() -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
    """For what is not kept for the backward pass, and for the backward pass, which computes it again `uncounted`."""
    return _Within(_KEPT, False), uncounted()


def is_kept() -> bool:
    """Whether what is computed is kept for the backward pass, and so computed once."""
    return _KEPT.get() and not _UNCOUNTED.get()


class Rows:
    """The rows of several batches, one after the other; every batch has leading dimensions of its own."""

    def __init__(self, shapes: Sequence[tuple[int, ...]]) -> None:
        self.shapes = shapes
        self.sizes = [prod(shape) for shape in shapes]

    def join(self, parts: Iterable[Tensor]) -> Tensor:
        """The rows (N, D) of tensors (..., D) with these leading dimensions, or with ones in their place."""
        whole = (part.expand(*shape, part.shape[-1]) for part, shape in zip(parts, self.shapes, strict=True))
        rows = [part.flatten(0, -2) for part in whole]
        return rows[0] if len(rows) == 1 else torch.cat(rows)

    def split(self, rows: Tensor) -> list[Tensor]:
        """The parts of the rows (N, ...), each with its leading dimensions."""
        parts = zip(rows.split_with_sizes(self.sizes), self.shapes, strict=True)
        return [part.view(*shape, *part.shape[1:]) for part, shape in parts]


NORMS: dict[str, Callable[..., nn.Module]] = {"layer": nn.LayerNorm, "batch": BatchNorm, "none": nn.Identity}
