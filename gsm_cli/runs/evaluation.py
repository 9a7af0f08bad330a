"""What a trained model is worth: accuracy on grey images with a discrete class, and the bound of log p(x)."""

from base64 import b64encode
from collections.abc import Callable
from functools import partial
from io import BytesIO
from math import isqrt

import torch
from PIL import Image
from torch import Tensor

from gsm_cli.config import RunConfig
from gsm_cli.data.split import Images
from gsm_cli.model.estimators import Estimator, Gumbel, Marginal, StraightThrough
from gsm_cli.model.generative import M2
from gsm_cli.model.terms import ConditionalBound, unlabelled_bound
from gsm_cli.records.run import Test
from gsm_cli.runs.streams import EVALUATION, stream

DRAWS = 8  # of a, averaged for every prediction
BATCH = 1_000
ANALOGIES = 4  # draws of z


def predict(model: M2, x: Tensor, rng: torch.Generator) -> Tensor:
    """The classifier's probabilities (B, K), averaged over draws of a."""
    return model.classify(x, DRAWS, rng).softmax(dim=-1).mean(dim=0)


def marginal_bound(model: M2, x: Tensor, rng: torch.Generator) -> Tensor:
    """The lower bound of log p(x), (B,), with the class summed exactly and one draw of a and z."""
    return bound_by(Marginal(), model, x, rng)


def bound_by(estimator: Estimator, model: M2, x: Tensor, rng: torch.Generator) -> Tensor:
    """The bound of log p(x), (B,), with one draw of a and z and the class averaged by an estimator."""
    return unlabelled_bound(ConditionalBound(model, model.encode(x, 1, rng)), estimator, rng)[0]


def dropped_mass(threshold: float, model: M2, x: Tensor, rng: torch.Generator) -> Tensor:
    """The probability of the classes that a threshold leaves out, (B,)."""
    q = model.classify(x, 1, rng)[0].softmax(dim=-1)
    return (q * (q <= threshold)).sum(dim=-1)


def validate(model: M2, images: Images, config: RunConfig, epoch: int) -> tuple[float, float, float]:
    """Accuracy, the share of the class predicted most often, and the mean entropy of q(y|x) in nats."""
    return _classification(_over(predict, model, images, config, epoch), images)


def relaxation(model: M2, images: Images, config: RunConfig, tau: float, epoch: int) -> tuple[float, float]:
    """The mean bound, in nats per image, with a relaxed y and with its one-hot argmax, from the same noise."""
    soft, hard = (
        _over(partial(bound_by, estimator), model, images, config, epoch).double().mean().item()
        for estimator in (Gumbel(tau), StraightThrough(tau))
    )
    return soft, hard


def mean_dropped_mass(model: M2, images: Images, config: RunConfig, epoch: int) -> float | None:
    """The mean mass that the objective leaves out; None if it leaves out none."""
    if config.threshold is None:
        return None
    return _over(partial(dropped_mass, config.threshold), model, images, config, epoch).double().mean().item()


def test(model: M2, images: Images, config: RunConfig, epoch: int) -> Test:
    """Read the test set."""
    accuracy, modal_share, _ = _classification(_over(predict, model, images, config, 0), images)
    bound = _over(marginal_bound, model, images, config, 0).double().mean().item()
    return Test(epoch=epoch, accuracy=accuracy, bound=bound, modal_share=modal_share)


@torch.no_grad()
def analogies(model: M2, config: RunConfig) -> str:
    """Mean images of p(x|y,z): in a row every class with one z, in a column one class; a grey PNG in base64."""
    architecture, rng = model.architecture, stream(config, EVALUATION, 0)
    z = torch.randn(ANALOGIES, 1, architecture.latent, generator=rng, device=config.device)
    y = torch.eye(architecture.classes, device=config.device)
    side = isqrt(architecture.pixels)
    images = model.eval().generate(y, z).view(ANALOGIES, architecture.classes, side, side)
    mosaic = (255 * images).round().byte().transpose(1, 2).reshape(ANALOGIES * side, architecture.classes * side)
    buffer = BytesIO()
    Image.fromarray(mosaic.cpu().numpy()).save(buffer, "png", optimize=True)
    return b64encode(buffer.getvalue()).decode()


def _classification(probabilities: Tensor, images: Images) -> tuple[float, float, float]:
    predicted = probabilities.argmax(dim=1).cpu()
    accuracy = (predicted == torch.from_numpy(images.classes)).double().mean().item()
    modal_share = predicted.bincount().max().item() / len(predicted)
    spread = torch.special.entr(probabilities).sum(dim=-1).double().mean().item()
    return accuracy, modal_share, spread


@torch.no_grad()
def _over(
    function: Callable[[M2, Tensor, torch.Generator], Tensor],
    model: M2,
    images: Images,
    config: RunConfig,
    counter: int,
) -> Tensor:
    """`function` of all images, in batches, in evaluation mode."""
    rng = stream(config, EVALUATION, counter)
    model.eval()
    batches = torch.split(torch.from_numpy(images.pixels).to(config.device), BATCH)
    return torch.cat([function(model, batch.float() / 255, rng) for batch in batches])
