"""What estimators ask of their settings and of the logits; every breach is a ValueError of one sentence."""

from math import inf, isnan
from numbers import Integral

import torch
from torch import Tensor

Temperature = float | Tensor  # (..., 1): one for all classes of a law; it broadcasts


class NotALawError(ValueError):
    """The logits are those of no law: what computes them has diverged, or masks every class."""


def check_temperature(temperature: Temperature, least: float = 0.0) -> None:
    """Raise ValueError unless the temperature is positive, finite and at least `least`."""
    if isinstance(temperature, Tensor):
        shape = tuple(temperature.shape)
        if shape[-1:] not in ((), (1,)):
            raise ValueError(f"a temperature is one for all classes, of the shape (..., 1), not {shape}: add an axis")
    for number in _numbers(temperature) if isinstance(temperature, Tensor) else [temperature]:
        check_positive("the temperature", number)
        if number < least:
            raise ValueError(f"the temperature must be at least {least:g}, not {number}")


def check_laws(temperature: Temperature, logits: Tensor) -> None:
    """Raise ValueError for a temperature that is not one for each law, or one for all."""
    if isinstance(temperature, Tensor):
        shape, laws = tuple(temperature.shape), tuple(logits.shape)
        sizes = zip(reversed(shape), reversed(laws), strict=False)
        if len(shape) > len(laws) or any(size not in (1, wanted) for size, wanted in sizes):
            raise ValueError(f"the temperature {shape} must broadcast to the logits {laws}: one for each law, or one")


def check_shapes(**arrays: Tensor | float) -> None:
    """Raise ValueError unless these broadcast."""
    shapes = {name: tuple(array.shape) for name, array in arrays.items() if isinstance(array, Tensor)}
    try:
        torch.broadcast_shapes(*shapes.values())  # type: ignore[no-untyped-call]
    except RuntimeError:
        listed = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ValueError(f"the shapes must broadcast, and do not: {listed}") from None


def check_whole(name: str, value: int, least: int) -> None:
    """Raise ValueError unless `value` is a whole number of at least `least`."""
    if not isinstance(value, Integral) or value < least:
        raise ValueError(f"{name} must be a whole number from {least} on, not {value}")


def check_positive(name: str, value: float) -> None:
    """Raise ValueError unless `value` is positive and finite."""
    if not 0.0 < value < inf:
        raise ValueError(f"{name} must be positive and finite, not {value}")


def check_logits(logits: Tensor) -> None:
    """Raise ValueError unless the logits (..., K) are floating-point, with a dimension of classes and a class in it."""
    if not isinstance(logits, Tensor) or not logits.is_floating_point():
        kind = logits.dtype if isinstance(logits, Tensor) else type(logits).__name__
        raise ValueError(f"logits must be a tensor of floating-point numbers, not {kind}: convert them")
    if logits.dim() == 0 or logits.shape[-1] == 0:
        raise ValueError(f"logits must have the shape (..., K) with at least one class, not {tuple(logits.shape)}")


def check_law(logits: Tensor, scores: Tensor) -> None:
    """Raise NotALawError if the greatest logit of a law is not finite: what it was subtracted from holds nan then.

    Where asking would wait for a GPU it is not asked, and nan is handed on.
    """
    if any(map(isnan, _numbers(scores.detach().sum()))):
        greatest = logits.detach().amax(dim=-1)
        wrong = greatest[~greatest.isfinite()][0].item()
        raise NotALawError(f"the greatest logit of a law must be finite, not {wrong}: only -inf may stand beside it")


def _numbers(tensor: Tensor) -> list[float]:
    """The numbers of a tensor, but none on a GPU, which would have to be waited for, in torch.compile and in vmap."""
    if tensor.device.type != "cpu" or torch.compiler.is_compiling():
        return []
    try:
        return list(tensor.detach().flatten().tolist())
    except RuntimeError:  # of vmap, in which a tensor has no numbers
        return []
