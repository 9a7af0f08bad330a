"""From settings to what they mean: the model with its initial weights, and the estimator of a step."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import cast

import torch

from gsm_cli.config import RunConfig
from gsm_cli.errors import UsageError
from gsm_cli.extensions import find_objective, load_class
from gsm_cli.model.estimators import Estimator
from gsm_cli.model.generative import ADGM, M2
from gsm_cli.model.networks import Architecture
from gsm_cli.objectives import SCHEDULE
from gsm_cli.runs.streams import state
from gsm_cli.schedules import temperature_at
from gsm_cli.settings import build
from gsm_cli.streams import Purpose

MODELS = {"adgm": ADGM, "m2": M2}


def build_model(config: RunConfig, pixels: int, classes: int, device: str = "cpu") -> M2:
    """The model with the initial weights of the seed; the global generator stays as it was."""
    architecture = Architecture(
        pixels=pixels,
        classes=classes,
        hidden=config.hidden,
        latent=config.latent,
        auxiliary=config.auxiliary,
        norm=config.norm,
        activation=config.activation,
        weight_std=config.weight_std,
        bf16=config.precision == "bf16",
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(state(config.seed, Purpose.INITIALISATION))
        return MODELS[config.model](architecture).to(device)


class Averaging:
    """The estimators of a run, one for each step: the class that the objective names, with its own settings."""

    def __init__(self, config: RunConfig) -> None:
        row = find_objective(config.objective)
        if row.sha256 != config.objective_sha256:
            raise UsageError(f"{config.objective} must stay as it was when the run began, and changed: start it again")
        assert row.estimator is not None, f"{row.name} has no unlabelled bound"
        self.estimator = load_class(row.estimator, row.sha256)
        self.own = {name: value for name, value in config.own.items() if name not in SCHEDULE}
        if row.sha256:
            try_out(config.objective, partial(self.at, temperature_at(config, 0)))

    def at(self, tau: float | None) -> Estimator:
        """The estimator at a temperature."""
        temperature = {} if tau is None else {"temperature": tau}
        return cast(Estimator, self.estimator(**self.own, **temperature))


def try_own(names: Iterable[str]) -> None:
    """Raise UsageError for estimators of somebody's own that break a rule, before anything is measured with them."""
    for name in names:
        Averaging(build({"objective": name}))


def try_out(name: str, make: Callable[[], Estimator]) -> None:
    """Make somebody's own estimator and let it average a small linear bound.

    Raises UsageError with the rule that it breaks.
    """
    first, second = (_trial(name, make) for _ in range(2))
    if not torch.equal(first, second):
        raise UsageError(f"{name} must draw its noise from rng alone, and gives other values for the same: pass it on")


def _trial(name: str, make: Callable[[], Estimator]) -> torch.Tensor:
    """Its average of the bound (2,) and the gradient for the logits (6,), always with the same generator."""
    rng = torch.Generator().manual_seed(0)
    logits, weights = torch.randn(1, 2, 3, generator=rng), torch.randn(3, generator=rng)
    logits.requires_grad_()
    try:
        found: object = make()(lambda y, images=None, /: y @ weights, logits, rng)
    except Exception as error:
        raise UsageError(
            f"{name} must average a bound over the classes, and raises {type(error).__name__} ({error}): correct it"
        ) from error
    if not isinstance(found, torch.Tensor) or found.shape != (1, 2):
        came = tuple(found.shape) if isinstance(found, torch.Tensor) else type(found).__name__
        raise UsageError(f"{name} must give a tensor (1, 2) for logits (1, 2, 3), not {came}: correct it")
    if not found.isfinite().all():
        raise UsageError(f"{name} must give finite values for finite bounds, not {found.tolist()}: correct it")
    if not found.requires_grad:
        raise UsageError(f"{name} must have a gradient for the logits, and has none: do not detach them")
    (gradient,) = torch.autograd.grad(found.sum(), logits)
    if not gradient.isfinite().all():
        raise UsageError(f"{name} must have a finite gradient, not {gradient.tolist()}: correct it")
    return torch.cat([found.detach().flatten(), gradient.flatten()])
