"""What estimators ask of their settings and of the logits; every breach is a ValueError of one sentence."""

from math import inf, isnan
from numbers import Integral, Real

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


def check_whole(name: str, value: int, least: int) -> None:
    """Raise ValueError unless `value` is a whole number of at least `least`."""
    if isinstance(value, bool) or not isinstance(value, Integral) or value < least:
        raise ValueError(f"{name} must be a whole number from {least} on, not {value}")


def check_positive(name: str, value: float) -> None:
    """Raise ValueError unless `value` is positive and finite."""
    if not isinstance(value, Real | Tensor) or not 0.0 < value < inf:
        raise ValueError(f"{name} must be positive and finite, not {value}")


def check_floating(name: str, value: object) -> None:
    """Raise ValueError unless `value` is a tensor of floating-point numbers."""
    if not isinstance(value, Tensor) or not value.is_floating_point():
        kind = value.dtype if isinstance(value, Tensor) else type(value).__name__
        raise ValueError(f"{name} must be a tensor of floating-point numbers, not {kind}: convert it")


def check_logits(logits: Tensor) -> None:
    """Raise ValueError unless the logits (..., K) are floating-point, with a dimension of classes and a class in it."""
    check_floating("logits", logits)
    if logits.dim() == 0 or logits.shape[-1] == 0:
        raise ValueError(f"logits must have the shape (..., K) with at least one class, not {tuple(logits.shape)}")


def check_density(log_z: Tensor, logits: Tensor) -> None:
    """Raise ValueError for logits that are not finite, and for a log z that is not, or whose z does not sum to 1."""
    check_floating("log_z", log_z)
    off = max(1e-6, torch.finfo(log_z.dtype).eps ** 0.5)  # what rounding does to the logarithm of the sum
    sums_to_one = all(abs(each) < off for each in _numbers(log_z.logsumexp(dim=-1)))
    if -inf in _numbers(log_z.amin(dim=-1)) or not sums_to_one:
        raise ValueError("log_z must be finite logarithms of numbers with sum 1, as those of log_relax are")
    if -inf in _numbers(logits.amin(dim=-1)):
        raise ValueError("the density needs finite logits: a class of probability zero leaves the simplex")


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
