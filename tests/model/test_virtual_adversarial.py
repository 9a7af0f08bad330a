"""The worst perturbation against what is known of it where a step of power iteration is exact."""

import pytest
import torch
from torch import Tensor

from gsm_cli.model.generative import ADGM, M2, context
from gsm_cli.model.networks import Architecture
from gsm_cli.model.virtual_adversarial import virtual_adversarial_loss

IMAGES, PIXELS = 20, 6
SMALL = 0.01  # a radius within which the divergence is quadratic


def model(kind: type[M2] = ADGM, classes: int = 2, norm: str = "layer") -> M2:
    torch.manual_seed(0)
    return kind(Architecture(PIXELS, classes, hidden=(16,), latent=2, auxiliary=2, norm=norm, activation="softplus"))


def images() -> Tensor:
    return torch.rand(IMAGES, PIXELS, generator=torch.Generator().manual_seed(1))


def rng(seed: int = 5) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def logits_of(model: M2, x: Tensor, a: Tensor | None) -> Tensor:
    found: Tensor = model.q_y(model.q_y.lift(**context(x, a)))
    return found


def divergence(model: M2, x: Tensor, a: Tensor | None, r: Tensor) -> Tensor:
    """KL(q(y|a,x) || q(y|a,x+r)), (S, B), written out."""
    q, moved = (logits_of(model, each, a).softmax(-1) for each in (x, x + r))
    return (q * (q / moved).log()).sum(-1)


@pytest.mark.parametrize("kind", [ADGM, M2])
@pytest.mark.parametrize("radius", [SMALL, 3 * SMALL])
@pytest.mark.parametrize("norm", ["layer", "none"])
def test_of_two_classes_it_is_that_of_the_worst_direction(kind, radius, norm):
    """KL = q (1 - q) (r' g)^2 / 2 for the gradient g of the log odds, and r along g is the worst of its norm."""
    adgm, x = model(kind, norm=norm), images().requires_grad_()
    with torch.no_grad():
        for name, each in adgm.q_y.named_parameters():
            if name.endswith("x.bias"):
                each += 1.0  # where a bias counts, it counts visibly
    a = adgm.draw_a(x, 1, rng())[0]
    logits = logits_of(adgm, x, None if a is None else a.detach())
    (g,) = torch.autograd.grad((logits[..., 0] - logits[..., 1]).sum(), x)
    q = logits.softmax(-1)
    expected = (q.prod(-1) * (radius * g.norm(dim=-1)) ** 2 / 2).mean()
    torch.testing.assert_close(virtual_adversarial_loss(adgm, x, radius, rng()), expected, rtol=0.1, atol=0)


def test_of_many_classes_it_is_worse_than_a_random_direction():
    adgm, x = model(classes=5), images()
    loss = virtual_adversarial_loss(adgm, x, 1.0, rng()).item()
    a = adgm.draw_a(x, 1, rng())[0]
    directions = torch.nn.functional.normalize(torch.randn(200, IMAGES, PIXELS, generator=rng(9)), dim=-1)
    at_random = torch.stack([divergence(adgm, x, a, r).mean() for r in directions])
    assert loss > 2 * at_random.mean()
    assert loss > at_random.max()


def test_its_gradient_is_that_of_the_moved_image_alone():
    """Nothing else is moved: not q(a|x), not what the classifier says of the image itself, not the decoder."""
    adgm, x = model(classes=5), images()
    said = []
    adgm.q_y.register_forward_hook(lambda module, given, logits: said.append(logits.detach().softmax(-1)))
    virtual_adversarial_loss(adgm, x, 1.0, rng()).backward()
    assert {name.partition(".")[0] for name, each in adgm.named_parameters() if each.grad is not None} == {"q_y"}
    q, *_, moved = said
    expected = (moved - q).flatten(0, -2).mean(dim=0)  # of KL(q || softmax(logits)) with respect to the logits
    assert expected.abs().max() > 1e-3
    torch.testing.assert_close(adgm.q_y.head.bias.grad, expected)


def test_the_noise_decides():
    adgm, x = model(classes=5), images()
    first, same, other = (virtual_adversarial_loss(adgm, x, 1.0, rng(seed)) for seed in (5, 5, 6))
    assert torch.equal(first, same)
    assert not torch.equal(first, other)


def test_batch_normalisation_does_not_count_its_images():
    adgm = model(norm="batch").train()
    before = {name: value.clone() for name, value in adgm.named_buffers()}
    virtual_adversarial_loss(adgm, images(), 1.0, rng())
    assert before
    assert all(torch.equal(value, before[name]) for name, value in adgm.named_buffers())


@pytest.mark.parametrize("margin", [20.0, 60.0, 80.0])
def test_a_nearly_certain_classifier_is_moved_by_the_radius(margin, monkeypatch):
    """However small the gradient: its squares are no numbers any more from a margin of fifty nats on."""
    adgm, x, moves = model(norm="none"), images(), []
    with torch.no_grad():
        adgm.q_y.head.bias.copy_(torch.tensor([margin, 0.0]))
    lift = adgm.q_y.lift

    def watched(**inputs: Tensor) -> Tensor:
        moves.append(inputs["x"].detach())
        return lift(**inputs)

    monkeypatch.setattr(adgm.q_y, "lift", watched)
    virtual_adversarial_loss(adgm, x, 1.25, rng())
    torch.testing.assert_close(moves[-1].norm(dim=-1), torch.full((IMAGES,), 1.25))


def test_a_certain_classifier_has_nothing_to_lose():
    """Where no direction changes anything the loss is 0, and its gradient finite."""
    adgm = model()
    with torch.no_grad():
        adgm.q_y.head.weight.zero_()
        adgm.q_y.head.bias.copy_(torch.tensor([1e4, -1e4]))
    loss = virtual_adversarial_loss(adgm, images(), 1.0, rng())
    loss.backward()
    assert loss == 0
    assert all(each.grad.isfinite().all() for each in adgm.q_y.parameters())
