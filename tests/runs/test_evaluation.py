"""What a model is worth, of models whose answers are known."""

from base64 import b64decode
from functools import partial
from io import BytesIO
from math import log

import numpy as np
import pytest
import torch
from PIL import Image

from gsm_cli.data.dataset import Images
from gsm_cli.data.split import Split
from gsm_cli.model.estimators import Gumbel, Marginal, SparseMarginal, StraightThroughGumbel
from gsm_cli.model.generative import ADGM
from gsm_cli.model.networks import Architecture
from gsm_cli.model.terms import ConditionalBound, unlabelled_bound
from gsm_cli.runs import evaluation
from gsm_cli.runs.evaluation import (
    BATCH,
    Classification,
    analogies,
    classification,
    mean_dropped_mass,
    over,
    probabilities,
)
from gsm_cli.streams import Purpose

KNOWN = torch.tensor([[0.5, 0.3, 0.2], [0.1, 0.8, 0.1]])  # probabilities of three classes: the first pixel chooses


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def images(*first: int, classes: tuple[int, ...] = ()) -> Images:
    """Images of two pixels, the first of them 0 or 255."""
    pixels = np.array([[255 * value, 51] for value in first], np.uint8)
    return Images(pixels, np.array(classes or [0] * len(first)))


class Known(torch.nn.Module):
    """A classifier with those probabilities, and with the classes turned round in every second draw of `a`."""

    def classify(self, x: torch.Tensor, samples: int, rng: torch.Generator) -> torch.Tensor:
        assert not self.training
        assert not torch.is_grad_enabled()
        assert (x[:, 1] == torch.tensor(51).float() / 255).all()
        self.samples = samples
        logits = KNOWN[x[:, 0].long()].log()
        return torch.stack([logits.flip(-1) if number % 2 else logits for number in range(samples)])


def test_probabilities_are_the_mean_over_draws_of_a():
    model = Known().eval()
    with torch.no_grad():
        found = probabilities(model, torch.tensor([[0.0, 0.2]]), rng(), 6)
    assert model.samples == 6
    torch.testing.assert_close(found, torch.tensor([[0.35, 0.3, 0.35]]))


def test_a_prediction_may_be_of_a_binary_draw():
    """Of a grey level of a half each draw is black or white; the mean over images tells how often."""
    seen = []

    class Model:
        def classify(self, x, samples, rng):
            seen.append(x)
            return torch.zeros(samples, len(x), 2)

    grey = torch.full((1000, 2), 0.25)
    for binary in (False, True):
        probabilities(Model(), grey, rng(), 1, binary)
    assert torch.equal(seen[0], grey)
    assert set(seen[1].unique().tolist()) == {0.0, 1.0}
    assert seen[1].mean().item() == pytest.approx(0.25, abs=4 * (0.25 * 0.75 / 2000) ** 0.5)


def test_a_classification_by_hand():
    found = classification(
        Known(), images(0, 1, 1, 0, 0, classes=(0, 1, 0, 2, 0)), rng(), partial(probabilities, draws=1)
    )
    assert found.wrong.tolist() == [False, False, True, True, False]
    assert (found.accuracy, found.modal_share) == (0.6, 0.6)
    entropies = [-sum(p * log(p) for p in each) for each in KNOWN.tolist()]
    assert found.entropy == pytest.approx((3 * entropies[0] + 2 * entropies[1]) / 5)


@pytest.mark.parametrize(("threshold", "expected"), [(0.05, 0.0), (0.25, 0.6 / 3), (0.4, 0.9 / 3)])
def test_the_mass_that_a_threshold_leaves_out(threshold, expected):
    """Of the classes below it; with one draw of a."""
    model = Known()
    found = mean_dropped_mass(model, images(0, 1, 1), SparseMarginal(threshold), rng())
    assert found == pytest.approx(expected)
    assert model.samples == 1


@pytest.mark.parametrize("count", [1, BATCH, 2 * BATCH + 1])
def test_all_images_are_read_in_their_order_in_batches(count):
    sizes = []

    def function(model, x, rng):
        sizes.append(len(x))
        return x[:, :1].double() * torch.ones(2)

    pixels = np.arange(count, dtype=np.uint64).astype(np.uint8)[:, None]
    found = over(function, torch.nn.Module(), Images(pixels, np.zeros(count)), rng())
    assert sizes == [BATCH] * (count // BATCH) + [1] * (count % BATCH)
    assert found.dtype == torch.float64
    assert np.array_equal((255 * found).round().numpy(), np.repeat(pixels, 2, axis=1))


@pytest.fixture
def model() -> ADGM:
    torch.manual_seed(0)
    return ADGM(Architecture(pixels=2, classes=3, hidden=(4,), latent=2, auxiliary=2, norm="none")).eval()


def averaged(model, estimator, x, rng) -> torch.Tensor:
    """The bound of these images with one draw of a and z, as the model has it."""
    return unlabelled_bound(ConditionalBound(model, model.encode(x, 1, rng)), estimator, rng).squeeze(0)


def test_the_bounds_are_those_of_the_model_with_the_noise_that_is_given(model):
    x, few = torch.tensor([[0.0, 0.2], [1.0, 0.2]]), images(0, 1)
    with torch.no_grad():
        soft, hard = (averaged(model, each(0.5), x, rng(1)).mean().item() for each in (Gumbel, StraightThroughGumbel))
        noise = rng(2)
        binary = averaged(model, Marginal(), torch.bernoulli(x, generator=noise), noise)
    assert evaluation.relaxation(model, few, 0.5, partial(rng, 1)) == pytest.approx((soft, hard))
    found = evaluation.mean_bound(model, few, rng(2), 0)
    assert (found.mean, found.images, found.draws) == (pytest.approx(binary.mean().item()), 2, 1)
    assert found.standard_error == pytest.approx((binary[1] - binary[0]).abs().item() / 2)


def test_the_mean_of_one_image_has_no_standard_error(model):
    assert evaluation.mean_bound(model, images(1), rng(), 0).standard_error is None


@pytest.mark.parametrize(
    ("most", "expected"), [(10, [0, 1, 2, 3, 4]), (5, [0, 1, 2, 3, 4]), (4, [0, 1, 2, 3]), (2, [0, 2])]
)
def test_some_of_the_images_are_evenly_spaced(most, expected):
    pixels = np.arange(10, dtype=np.uint8).reshape(5, 2)
    found = evaluation.spread(Images(pixels, np.arange(5)), most)
    assert found.classes.tolist() == expected
    assert np.array_equal(found.pixels, pixels[expected])


def test_a_reading_keeps_which_images_are_wrong(model, monkeypatch):
    asked, given, predict = [], [], partial(probabilities, draws=3)

    def classify(model, images, rng, predict):
        given.append((len(images.classes), rng.initial_seed(), predict))
        return Classification(np.arange(len(images.classes)) % 4 == 1, 0.7, 1.0)

    def stream(purpose, counter):
        asked.append((purpose, counter))
        return rng(9)

    monkeypatch.setattr(evaluation, "classification", classify)
    monkeypatch.setattr(evaluation, "ASSIGNED", 4)
    test, known = images(*[0] * 10), np.zeros((8, 2), np.uint8)
    split = Split(test, Images(known, np.zeros(8, int)), test, test, 3, (1, 2), "")
    found = evaluation.read_model(model, split, 7, stream, predict)
    assert (found.epoch, found.accuracy, found.modal, found.unlabelled_accuracy) == (7, 0.7, 7, 0.75)
    assert b64decode(found.wrong) == bytes([0b01000100, 0b01000000])
    assert given == [(10, 9, predict), (4, 9, predict)]
    assert asked == [(Purpose.EVALUATION, 0)] * 2  # always the same noise


class Painter(torch.nn.Module):
    """Generates images of one row of two pixels: the first shows the class, the second the z."""

    def __init__(self, classes: int) -> None:
        super().__init__()
        self.architecture = Architecture(pixels=2, classes=classes, latent=3)

    def generate(self, y: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
        assert not self.training
        assert y.requires_grad is False
        self.z = z
        shown = torch.broadcast_tensors(y.argmax(dim=-1) / 255, (z[..., 0] > 0).float())
        return torch.stack(shown, dim=-1)


@pytest.mark.parametrize(("classes", "draws"), [(2, 4), (20, 4), (21, 1)])
def test_generated_images_by_hand(classes, draws):
    """A column for each class and a row for each z; of more than twenty classes ten in a row, and white at the end."""
    model = Painter(classes)
    sheet = Image.open(BytesIO(b64decode(analogies(model, (1, 2), rng(3)))))
    z = torch.randn(draws, 1, 3, generator=rng(3))
    assert torch.equal(model.z, z)
    bright = [255 * (value > 0) for value in z[:, 0, 0].tolist()]
    expected = [[value for k in range(classes) for value in (k, shade)] for shade in bright]
    if draws == 1:
        whole = expected[0] + [255] * 18
        expected = [whole[start : start + 20] for start in (0, 20, 40)]
    assert (sheet.format, np.asarray(sheet).tolist()) == ("PNG", expected)
