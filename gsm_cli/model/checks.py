"""What estimators ask of their settings and of the logits; every breach is a ValueError of one sentence."""

from math import inf
from numbers import Integral

from torch import Tensor


def check_temperature(temperature: float, least: float = 0.0) -> None:
    """Raise ValueError unless the temperature is positive, finite and at least `least`."""
    if not 0.0 < temperature < inf:
        raise ValueError(f"the temperature must be positive and finite, not {temperature}")
    if temperature < least:
        raise ValueError(f"the temperature must be at least {least:g}, not {temperature}")


def check_whole(name: str, value: int, least: int) -> None:
    """Raise ValueError unless `value` is a whole number of at least `least`."""
    if not isinstance(value, Integral) or value < least:
        raise ValueError(f"{name} must be a whole number from {least} on, not {value}")


def check_threshold(threshold: float) -> None:
    """Raise ValueError unless the threshold lies in [0, 1)."""
    if not 0.0 <= threshold < 1.0:
        raise ValueError(f"the threshold must be at least 0 and less than 1, not {threshold}")


def check_logits(logits: Tensor) -> None:
    """Raise ValueError unless the logits (..., K) have a dimension of classes, and a class in it."""
    if logits.dim() == 0 or logits.shape[-1] == 0:
        raise ValueError(f"logits must have the shape (..., K) with at least one class, not {tuple(logits.shape)}")
