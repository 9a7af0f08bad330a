"""From settings and seeds to what they mean: the model with its initial weights, the estimator and noise of a step.

The random streams of `gsm_cli.streams` are PyTorch's generators here. Objectives of one seed stay in step however much
noise each of them draws.
"""

from collections.abc import Callable, Iterable
from dataclasses import fields
from functools import partial
from pkgutil import resolve_name
from typing import cast

import numpy as np
import torch
from torch import Tensor

from gsm_cli.config import RunConfig
from gsm_cli.errors import UsageError
from gsm_cli.extensions import find_objective, own_code
from gsm_cli.model.bounds import Estimator, OwnEntropy, Selective
from gsm_cli.model.estimators import MinusLogQ
from gsm_cli.model.generative import ADGM, M2
from gsm_cli.model.networks import Architecture
from gsm_cli.settings import build
from gsm_cli.streams import Purpose, sequence

MODELS = {"adgm": ADGM, "m2": M2}
OTHER_VALUES = "{} must draw its noise from rng alone, and gives other values for the same: pass it on"


def state(seed: int, purpose: Purpose, counter: int = 0) -> int:
    """A seed of 63 bits for one stream.

    PyTorch's generator of a processor takes 32 of them, so that two of the 49,900 steps of a hundred epochs of MNIST
    have the same noise in one run of four.
    """
    return int(sequence(seed, purpose, counter).generate_state(1, np.uint64)[0]) >> 1


def stream(seed: int, purpose: Purpose, counter: int = 0, device: str = "cpu") -> torch.Generator:
    """The generator for one purpose, at one step or epoch; a GPU's differs from a processor's."""
    return torch.Generator(device).manual_seed(state(seed, purpose, counter))


def shuffle(count: int, steps: int, size: int, rng: torch.Generator) -> Tensor:
    """Row numbers for `steps` batches (steps, size): permutations of all rows, one after the other."""
    passes = -(-steps * size // count)
    order = torch.cat([torch.randperm(count, generator=rng, device=rng.device) for _ in range(passes)])
    return order[: steps * size].view(steps, size)


def binarise(pixels: Tensor, rng: torch.Generator) -> Tensor:
    """A Bernoulli draw of grey levels 0 to 255 (N, D): 1 with the probability level / 255."""
    threshold = torch.randint(255, pixels.shape, generator=rng, device=pixels.device, dtype=torch.uint8)
    return (threshold < pixels).float()


def build_model(config: RunConfig, pixels: int, classes: int, device: str = "cpu") -> M2:
    """The model with the initial weights of the seed; the global generator stays as it was."""
    shared = {field.name: getattr(config, field.name) for field in fields(Architecture) if hasattr(config, field.name)}
    known = {"pixels": pixels, "classes": classes, "bf16": config.precision == "bf16"}
    architecture = Architecture(**shared | known)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(state(config.seed, Purpose.INITIALISATION))
        return MODELS[config.model](architecture).to(device)


class Averaging:
    """The estimators of a run, one for each step: the class that the objective names, with its own settings."""

    def __init__(self, config: RunConfig, steps: int = 1) -> None:
        """With so many steps in an epoch. Raises UsageError for somebody's own class that changed or breaks a rule."""
        row = find_objective(config.objective)
        if row.sha256 != config.objective_sha256:
            raise UsageError(f"{config.objective} must stay as it was when the run began, and changed: start it again")
        assert row.estimator is not None, f"{row.name} has no unlabelled bound"
        self.estimator = resolve_name(row.estimator) if isinstance(row.estimator, str) else row.estimator
        self.settings, self.steps = config.estimator, steps
        if row.sha256:
            try_out(config.objective, partial(self.at_step, 0))

    def at_step(self, step: int) -> Estimator:
        """The estimator of a step, from 0 on."""
        return self.at(self.settings.temperature(step, self.steps))

    def at(self, temperature: float | None) -> Estimator:
        """The estimator at a temperature; None for one that has none."""
        warmth = {} if temperature is None else {"temperature": temperature}
        estimator = cast(Estimator, self.estimator(**self.settings.parameters, **warmth))
        return MinusLogQ(estimator) if self.settings.flat.get("minus_log_q") else estimator


def try_own(names: Iterable[str]) -> None:
    """Raise UsageError for estimators of somebody's own that break a rule, before anything is measured with them."""
    for name in names:
        Averaging(build({"objective": name}))


def try_out(name: str, make: Callable[[], Estimator]) -> None:
    """Make somebody's own estimator and let it average a small linear bound.

    Raises UsageError with the rule that it breaks, OwnCodeError for what it raises.
    """
    with own_code(name):
        first, second = (_trial(name, make) for _ in range(2))
    if not torch.equal(first, second):
        raise UsageError(OTHER_VALUES.format(name))


def _trial(name: str, make: Callable[[], Estimator]) -> Tensor:
    """Its average of the bound (2,) and the gradient for the logits (6,), always with the same generator."""
    rng = torch.Generator().manual_seed(0)
    logits, weights = torch.randn(1, 2, 3, generator=rng), torch.randn(3, generator=rng)
    logits.requires_grad_()
    estimator = make()
    found = estimator(lambda y, images=None, /: y @ weights, logits, rng)
    given: dict[str, object] = {name: found}
    given |= {f"{name}.entropy": estimator.entropy(logits)} if isinstance(estimator, OwnEntropy) else {}
    parts = [each for place, value in given.items() for each in _checked(place, value, logits)]
    if isinstance(estimator, Selective):
        kept: object = estimator.keeps(logits)
        if not isinstance(kept, Tensor) or kept.shape != logits.shape or kept.dtype != torch.bool:
            raise UsageError(f"{name}.keeps must give true or false for each class, as a tensor (1, 2, 3): correct it")
        parts.append(kept.flatten())
    return torch.cat(parts)


def _checked(place: str, value: object, logits: Tensor) -> list[Tensor]:
    """What was given for two images and its gradient for the logits. Raises UsageError for the rule that it breaks."""
    if not isinstance(value, Tensor) or value.shape != (1, 2):
        came = tuple(value.shape) if isinstance(value, Tensor) else type(value).__name__
        raise UsageError(f"{place} must give a tensor (1, 2) for logits (1, 2, 3), not {came}: correct it")
    if not value.isfinite().all():
        raise UsageError(f"{place} must give finite values for finite bounds, not {value.tolist()}: correct it")
    if not value.requires_grad:
        raise UsageError(f"{place} must have a gradient for the logits, and has none: do not detach them")
    (gradient,) = torch.autograd.grad(value.sum(), logits, retain_graph=True)
    if not gradient.isfinite().all():
        raise UsageError(f"{place} must have a finite gradient, not {gradient.tolist()}: correct it")
    return [value.detach().flatten(), gradient.flatten()]
