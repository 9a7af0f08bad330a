"""Functions of y whose average is differentiated: what a subject is, and the bounds of a model as it trains."""

import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from gsm_cli.config import RunConfig
from gsm_cli.data.split import Split
from gsm_cli.model.bounds import Bound
from gsm_cli.model.estimators import Marginal
from gsm_cli.model.terms import ConditionalBound
from gsm_cli.objectives import MARGINALIZE
from gsm_cli.records.gradients import MOST_SHARE, GradientSubject
from gsm_cli.runs.build import binarise, stream
from gsm_cli.runs.training import Run
from gsm_cli.streams import Purpose

LEAST_IMAGES, MOST_IMAGES = 50, 1_000  # that are taken if no number is asked for
REPLICATES, IMAGES = 0, 1  # counters of the random stream


@dataclass(frozen=True, eq=False)
class Subject:
    """The mean over B images of E_{q(y)}[bound(y)], to be differentiated with respect to the logits (B, K) of q(y)."""

    name: str
    logits: Tensor
    bound: Callable[[int], Bound]  # the conditional bound of so many copies of the B images, (..., copies * B, K)
    replicates: int
    seed: int
    epoch: int | None = None  # after which of a model's training ...
    trained_by: str | None = None  # ... by which objective

    def facts(self) -> GradientSubject:
        """What the record says of it."""
        squares = squared_norms(self.logits, self.bound(1))
        images, classes = self.logits.shape
        return GradientSubject(
            name=self.name,
            seed=None if self.epoch is None else self.seed,
            epoch=self.epoch,
            trained_by=self.trained_by,
            classes=classes,
            images=images,
            replicates=self.replicates,
            largest_share=(squares.max() / squares.sum()).item(),
        )


def squared_norms(logits: Tensor, bound: Bound) -> Tensor:
    """The squared norms (B,) of the gradients of E_{q(y)}[bound(y)], one for every image, logits (B, K)."""
    leaf = logits[None].requires_grad_()
    (gradient,) = torch.autograd.grad(Marginal()(bound, leaf, torch.Generator()).sum(), leaf)
    return gradient[0].double().square().sum(dim=-1)


def model_subjects(config: RunConfig, split: Split, images: int | None, replicates: int) -> Iterator[Subject]:
    """The bound of a model after the first epoch of its training, after half of them and at the end.

    The images are the first of a random order of the unlabelled ones: `images` of them, or as many as `enough` wants.
    """
    run = Run(config, split)
    for number in range(1, config.epochs + 1):
        run.epochs.append(run.epoch())
        if number in (1, -(-config.epochs // 2), config.epochs):
            yield _model_subject(run, images, replicates)


def enough(squares: Tensor) -> int:
    """Of how many images, from the first on, none holds more than a tenth of the sum of their squared norms (N,).

    The fewest from 50 on; where no number will do, that with the least greatest share.
    """
    shares = (squares.cummax(dim=0).values / squares.cumsum(dim=0))[LEAST_IMAGES - 1 :]
    if not len(shares):
        return len(squares)
    few = (shares <= MOST_SHARE).nonzero()
    return LEAST_IMAGES + int(few[0] if len(few) else shares.argmin())


def _model_subject(run: Run, images: int | None, replicates: int) -> Subject:
    """The bound for one draw of x, a and z, weighted as in the training of the run's last epoch."""
    config, epoch = run.config, len(run.epochs)
    model, kl_weight = copy.deepcopy(run.model).eval().requires_grad_(False), run.kl_weight(epoch * run.steps - 1)
    rng = stream(config.seed, Purpose.GRADIENTS, IMAGES)
    order = torch.randperm(len(run.pixels), generator=rng)[: max(images or 0, MOST_IMAGES)]
    with torch.no_grad():
        seen = model.encode(binarise(run.pixels[order], rng), 1, rng)
    bound = ConditionalBound(model, seen, kl_weight)
    count = images or enough(squared_norms(seen.logits[0], bound))

    def copies(number: int) -> Bound:
        rows = torch.arange(count).repeat(number)

        def copied(y: Tensor, images: Tensor | None = None, /) -> Tensor:
            return model.bound(seen.take(rows if images is None else rows[images]), y, kl_weight)

        return copied

    trainer = config.objective_name
    name = f"{'' if trainer == MARGINALIZE else f'{trainer}, '}seed {config.seed}, epoch {epoch}"
    return Subject(name, seen.logits[0, :count], copies, replicates, config.seed, epoch, trainer)
