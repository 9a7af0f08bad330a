"""How good each estimator's gradient is, against the exact one: known, because the sum over classes is finite.

Three subjects: a linear and a quadratic function of y on the law of the article's first picture, and the conditional
bound of a model trained on the spot. What is differentiated is the mean over images of E_{q(y)}[bound(y)], with respect
to the logits of q(y), for fixed draws of a and z.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import torch
from torch import Tensor

from gsm_cli.config import RunConfig
from gsm_cli.data.split import Split
from gsm_cli.law.gumbel import exact_expectation
from gsm_cli.law.request import read_law
from gsm_cli.model.bounds import Bound
from gsm_cli.model.estimators import Estimator, Marginal
from gsm_cli.records.gradients import GradientRow
from gsm_cli.runs.build import Averaging
from gsm_cli.runs.streams import binarise, stream
from gsm_cli.runs.training import Run
from gsm_cli.settings import build
from gsm_cli.streams import Purpose

CHUNK = 4_000  # images at once


@dataclass(frozen=True)
class Subject:
    """A function of y whose average is differentiated, for the logits (B, K) of B images."""

    name: str
    logits: Tensor
    bound: Callable[[int], Bound]  # the conditional bound of so many copies of the B images, (1, copies * B, K)
    weights: Tensor | None = None  # (K,) where the function is y . weights


def toy_subjects() -> list[Subject]:
    """f(y) = w . y and f(y) = w . y + y A y on one law of six classes; w and A are fixed and have both signs."""
    logits = torch.from_numpy(read_law(None, None, None, 0).logits)[None]
    classes = logits.shape[-1]
    weights = torch.linspace(-1.0, 1.0, classes, dtype=torch.float64)[torch.arange(classes) * 5 % classes]
    matrix = torch.cos(torch.arange(classes**2, dtype=torch.float64)).view(classes, classes)

    def linear(y: Tensor, images: Tensor | None = None, /) -> Tensor:
        return y @ weights

    def quadratic(y: Tensor, images: Tensor | None = None, /) -> Tensor:
        return y @ weights + ((y @ matrix) * y).sum(dim=-1)

    return [Subject("linear", logits, lambda _: linear, weights), Subject("quadratic", logits, lambda _: quadratic)]


def model_subject(config: RunConfig, split: Split, images: int) -> Subject:
    """The conditional bound of the first unlabelled images, after a training with these settings."""
    run = Run(config, split)
    for _ in range(config.epochs):
        run.epochs.append(run.epoch())
    model = run.model.eval().requires_grad_(False)
    rng = stream(config.seed, Purpose.EVALUATION)
    seen = model.encode(binarise(run.pixels[:images], rng), 1, rng)

    def copies(count: int) -> Bound:
        rows = torch.arange(len(seen.x), device=seen.x.device).repeat(count)

        def bound(y: Tensor, images: Tensor | None = None, /) -> Tensor:
            return model.bound(seen.take(rows if images is None else rows[images]), y)

        return bound

    return Subject("model", seen.logits[0], copies)


def sample_gradients(estimator: Estimator, subject: Subject, replicates: int, rng: torch.Generator) -> Tensor:
    """Independent estimates of the gradient, (R, B, K)."""
    images = len(subject.logits)
    at_once = max(1, CHUNK // images)
    pieces = []
    for start in range(0, replicates, at_once):
        count = min(replicates - start, at_once)
        logits = subject.logits.repeat(count, 1)[None].requires_grad_()
        value = estimator(subject.bound(count), logits, rng).sum() / images
        (gradient,) = torch.autograd.grad(value, logits)
        pieces.append(gradient.view(count, images, -1))
    return torch.cat(pieces).double()


def measure(
    name: str, estimator: Estimator, subject: Subject, replicates: int, rng: torch.Generator, tau: float | None = None
) -> GradientRow:
    """Bias, deviation, root mean squared error and cosine, the first three in units of the exact gradient's norm.

    The squared bias is that of the mean estimate less what its own noise adds; each number has its Monte Carlo error.
    """
    exact = sample_gradients(Marginal(), subject, 1, rng)[0].flatten()
    samples = sample_gradients(estimator, subject, replicates, rng).flatten(1) / exact.norm()  # (R, B * K)
    exact = exact / exact.norm()
    mean = samples.mean(dim=0)
    squared_deviations = (samples - mean).square().sum(dim=1)  # (R,)
    squared_errors = (samples - exact).square().sum(dim=1)
    variance = squared_deviations.sum().item() / (replicates - 1)
    error_of_mean = sqrt(variance / replicates)
    deviation, rmse = sqrt(variance), sqrt(squared_errors.mean().item())
    cosines = (samples @ exact) / samples.norm(dim=1).clamp_min(1e-300)

    def of_root(squares: Tensor, root: float) -> float:
        """The standard error of a root mean square, by the delta method."""
        return squares.std().item() / sqrt(replicates) / (2 * root) if root > 0 else 0.0

    return GradientRow(
        subject=subject.name,
        estimator=name,
        temperature=tau,
        bias=sqrt(max(0.0, (mean - exact).square().sum().item() - error_of_mean**2)),
        bias_error=error_of_mean,
        exact_bias=exact_gumbel_bias(subject, tau) if name == "gumbel" and tau is not None else None,
        deviation=deviation,
        deviation_error=of_root(squared_deviations, deviation),
        rmse=rmse,
        rmse_error=of_root(squared_errors, rmse),
        cosine=cosines.mean().item(),
        cosine_error=cosines.std().item() / sqrt(replicates),
    )


def exact_gumbel_bias(subject: Subject, tau: float, step: float = 1e-4) -> float | None:
    """The Gumbel gradient's bias for f(y) = w . y, without Monte Carlo; None for other functions.

    Its mean is the gradient of w . E[z], here by central differences of the exact expectation; the exact gradient is
    that of w . pi. In units of the latter's norm.
    """
    if subject.weights is None:
        return None
    logits, weights = subject.logits[0].numpy(), subject.weights.numpy()
    steps = step * np.eye(len(logits))
    relaxed = np.array(
        [
            weights @ (exact_expectation(logits + d, tau) - exact_expectation(logits - d, tau)) / (2 * step)
            for d in steps
        ]
    )
    pi = np.exp(logits) / np.exp(logits).sum()
    exact = pi * (weights - weights @ pi)
    return float(np.linalg.norm(relaxed - exact) / np.linalg.norm(exact))


def compare_estimators(
    subject: Subject, objectives: Sequence[str], temperatures: Sequence[float], replicates: int, seed: int
) -> list[GradientRow]:
    """The estimators of these objectives on one subject, those with a temperature at each; all from the same seed."""
    rows = []
    for name in objectives:
        config = build({"objective": name})
        averaging = Averaging(config)
        for tau in temperatures if "tau" in config.own else [None]:
            rng = stream(seed, Purpose.GRADIENTS, device=str(subject.logits.device))
            rows.append(measure(config.objective_name, averaging.at(tau), subject, replicates, rng, tau))
    return rows
