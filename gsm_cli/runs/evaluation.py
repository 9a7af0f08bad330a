"""What a trained model is worth: accuracy on grey images with a discrete class, and the bound of log p(x)."""

from base64 import b64encode
from collections.abc import Callable
from functools import partial
from io import BytesIO
from math import isfinite, sqrt
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from gsm_cli.data.dataset import Images
from gsm_cli.data.split import Split
from gsm_cli.model.bounds import Estimator, Selective
from gsm_cli.model.checks import NotALawError
from gsm_cli.model.estimators import Gumbel, Marginal, StraightThroughGumbel
from gsm_cli.model.generative import M2
from gsm_cli.model.terms import ConditionalBound, unlabelled_bound
from gsm_cli.records.run import WIDEST, Bound, Reading
from gsm_cli.records.store import rounded
from gsm_cli.streams import Purpose

BOUNDED = 4_000  # test images at most that the bound is a mean over
ASSIGNED = 10_000  # unlabelled images at most that are classified
BATCH = 250  # images at once: eight draws of `a` of more take more memory, and no less time
ANALOGIES = 4  # draws of z
ACROSS = 10  # classes in a row of generated images, where they do not fit into one

Function = Callable[[M2, Tensor, torch.Generator], Tensor]  # of a model and grey images (B, D)


class NotFiniteError(ArithmeticError):
    """The objective, or what is measured of the model, became nan or infinite at `step`."""

    def __init__(self, step: int, what: str = "the objective") -> None:
        super().__init__(f"{what} is not finite at step {step}")
        self.step = step


class Classification(NamedTuple):
    """Of a set of images: which are wrong, the share of the class predicted most often, the mean entropy of q(y|x)."""

    wrong: NDArray[np.bool_]  # (N,)
    modal_share: float
    entropy: float  # in nats

    @property
    def accuracy(self) -> float:
        return 1.0 - float(self.wrong.mean())


def probabilities(model: M2, x: Tensor, rng: torch.Generator, draws: int = 8, binary: bool = False) -> Tensor:
    """The classifier's (B, K), from the grey levels or a binary draw of them, averaged over draws of a."""
    seen = torch.bernoulli(x, generator=rng) if binary else x
    return model.classify(seen, draws, rng).softmax(dim=-1).mean(dim=0)


def bound_by(estimator: Estimator, model: M2, x: Tensor, rng: torch.Generator) -> Tensor:
    """The bound of log p(x), (B,), with one draw of a and z and the class averaged by an estimator.

    It is nan where the classifier has diverged.
    """
    try:
        return unlabelled_bound(ConditionalBound(model, model.encode(x, 1, rng)), estimator, rng)[0]
    except NotALawError:
        return torch.full((len(x),), torch.nan, device=x.device)


def classification(model: M2, images: Images, rng: torch.Generator, predict: Function) -> Classification:
    """How well the classifier does on these images, by the probabilities that `predict` gives."""
    found = over(predict, model, images, rng)
    predicted = found.argmax(dim=1).cpu()
    return Classification(
        wrong=predicted.numpy() != images.classes,
        modal_share=predicted.bincount().max().item() / len(predicted),
        entropy=torch.special.entr(found).sum(dim=-1).double().mean().item(),
    )


def binary_bound(model: M2, x: Tensor, rng: torch.Generator) -> Tensor:
    """The lower bound of log p(x), (B,), of a Bernoulli draw of grey images, with the class summed exactly.

    Of the draw: with grey levels p(x|y,z) is no normalised density.
    """
    return bound_by(Marginal(), model, torch.bernoulli(x, generator=rng), rng)


def mean_bound(model: M2, images: Images, rng: torch.Generator, step: int) -> Bound:
    """The mean bound over some of the images, in nats, with one draw of each, of its a and of its z, after a step.

    Raises NotFiniteError.
    """
    bounds = over(binary_bound, model, spread(images, BOUNDED), rng).double()
    mean, error = bounds.mean().item(), bounds.std().item() / sqrt(len(bounds)) if len(bounds) > 1 else None
    if not isfinite(mean + (error or 0.0)):
        raise NotFiniteError(step, "the bound of the test images")
    error = None if error is None else rounded(error)
    return Bound(mean=rounded(mean), standard_error=error, images=len(bounds), draws=1)


def spread(images: Images, most: int) -> Images:
    """At most so many images, evenly spaced: the first 5,000 test images of MNIST are easier than the others."""
    count = len(images.classes)
    return images.take(np.arange(min(most, count)) * count // min(most, count))


def relaxation(
    model: M2, images: Images, tau: float, stream: Callable[[], torch.Generator]
) -> tuple[float, float] | tuple[None, None]:
    """The mean bound, in nats per image, with a relaxed y and with its one-hot argmax, from the same noise."""
    soft, hard = (
        over(partial(bound_by, estimator), model, images, stream()).double().mean().item()
        for estimator in (Gumbel(tau), StraightThroughGumbel(tau))
    )
    return soft, hard


def mean_dropped_mass(model: M2, images: Images, estimator: Selective, rng: torch.Generator) -> float:
    """The mean probability of the classes that an estimator leaves out."""

    def dropped_mass(model: M2, x: Tensor, rng: torch.Generator) -> Tensor:
        logits = model.classify(x, 1, rng)[0]
        return (logits.softmax(dim=-1) * ~estimator.keeps(logits)).sum(dim=-1)

    return over(dropped_mass, model, images, rng).double().mean().item()


@torch.no_grad()
def analogies(model: M2, shape: tuple[int, int], rng: torch.Generator) -> str:
    """Mean images of p(x|y,z): in a row every class with one z, in a column one class; a grey PNG in base64.

    Of more classes than fit into a row, one z alone, ten classes in a row.
    """
    architecture, (height, width) = model.architecture, shape
    few = architecture.classes <= WIDEST
    z = torch.randn(ANALOGIES if few else 1, 1, architecture.latent, generator=rng, device=rng.device)
    y = torch.eye(architecture.classes, device=rng.device)
    columns = architecture.classes if few else ACROSS
    images = (255 * model.eval().generate(y, z)).round().byte().view(-1, height, width)
    images = torch.cat([images, images.new_full((-len(images) % columns, height, width), 255)])
    mosaic = images.view(-1, columns, height, width).transpose(1, 2).reshape(-1, columns * width)
    buffer = BytesIO()
    Image.fromarray(mosaic.cpu().numpy()).save(buffer, "png", optimize=True)
    return b64encode(buffer.getvalue()).decode()


def read_model(
    model: M2, split: Split, epoch: int, stream: Callable[[Purpose, int], torch.Generator], predict: Function
) -> Reading:
    """What the test set and the unlabelled images say of the weights of an epoch; always with the same noise."""
    found, known = (
        classification(model, images, stream(Purpose.EVALUATION, 0), predict)
        for images in (split.test, spread(split.unlabelled, ASSIGNED))
    )
    return Reading(
        epoch=epoch,
        images=len(found.wrong),
        wrong=b64encode(np.packbits(found.wrong).tobytes()).decode(),
        modal=round(found.modal_share * len(found.wrong)),
        unlabelled=len(known.wrong),
        unlabelled_right=len(known.wrong) - int(known.wrong.sum()),
    )


@torch.no_grad()
def over(function: Function, model: M2, images: Images, rng: torch.Generator) -> Tensor:
    """`function` of all images, in batches, in evaluation mode.

    Results go into one tensor: a list of small ones, each beside the room of a large one, would keep that room.
    """
    model.eval()
    pixels = torch.from_numpy(images.pixels).to(rng.device)
    results = torch.empty(0)
    for start in range(0, len(pixels), BATCH):
        batch = function(model, pixels[start : start + BATCH].float() / 255, rng)
        if start == 0:
            results = batch.new_empty(len(pixels), *batch.shape[1:])
        results[start : start + BATCH] = batch
        del batch
    return results
