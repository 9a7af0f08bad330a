"""The models against the same densities written with torch.distributions, and against log p(x) itself."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor
from torch.distributions import Bernoulli, Independent, Normal

from gsm_cli.model.categorical import entropy
from gsm_cli.model.estimators import Marginal, SparseMarginal
from gsm_cli.model.generative import ADGM, M2, log_normal
from gsm_cli.model.generative import gaussian as halves
from gsm_cli.model.networks import Architecture
from gsm_cli.model.terms import ConditionalBound

TINY = Architecture(pixels=6, classes=3, hidden=(8, 7), latent=2, auxiliary=2)
BOTH = pytest.mark.parametrize("kind", [M2, ADGM])


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def build(kind: type[M2], architecture: Architecture = TINY) -> M2:
    """A model in float64 whose random weights are large enough to matter."""
    torch.manual_seed(1)
    model = kind(architecture).double().eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape, dtype=torch.float64, generator=rng(2)))
    return model


def images(count: int = 4) -> Tensor:
    return torch.randint(2, (count, TINY.pixels), generator=rng(3)).double()


@pytest.fixture(autouse=True)
def float64():
    torch.set_default_dtype(torch.float64)
    yield
    torch.set_default_dtype(torch.float32)


def dense(network, *inputs: Tensor) -> Tensor:
    """The network as one perceptron whose inputs are concatenated, in the order of its first layer."""
    shape = torch.broadcast_shapes(*(each.shape[:-1] for each in inputs))
    x = torch.cat([each.expand(*shape, each.shape[-1]) for each in inputs], dim=-1)
    hidden = x @ torch.cat([layer.weight for layer in network.first.values()], dim=1).T
    hidden = torch.relu(network.norms[0](hidden))
    for layer, norm in zip(network.hidden, list(network.norms)[1:], strict=True):
        hidden = torch.relu(norm(layer(hidden)))
    return network.head(hidden)


def gaussian(outputs: Tensor) -> Independent:
    mean, log_variance = outputs.chunk(2, dim=-1)
    return Independent(Normal(mean, torch.exp(0.5 * log_variance)), 1)


def reference_bound(model: M2, evidence, y: Tensor, kl_weight: float) -> Tensor:
    """f(a, x, y, z) term by term from torch.distributions, with the noise that was drawn."""
    x = evidence.x.expand(*evidence.noise.shape[:-1], -1)
    context = (x,) if evidence.a is None else (x, evidence.a)
    q_z = gaussian(dense(model.q_z, *context, y))
    z = q_z.base_dist.loc + q_z.base_dist.scale * evidence.noise
    latent = Normal(0.0, 1.0).log_prob(z).sum(-1) - q_z.log_prob(z)
    if evidence.a is not None:
        p_a = gaussian(dense(model.p_a, x, y, z))
        latent = latent + p_a.log_prob(evidence.a) - gaussian(dense(model.q_a, x)).log_prob(evidence.a)
    log_p_x = Bernoulli(logits=dense(model.p_x, y, z)).log_prob(x).sum(-1)
    return log_p_x + torch.log(torch.tensor(1 / TINY.classes)) + kl_weight * latent


@BOTH
@pytest.mark.parametrize("kl_weight", [1.0, 0.3])
def test_bound_is_the_sum_of_its_densities(kind, kl_weight):
    model, y = build(kind), torch.rand(5, 2, 4, 3, generator=rng()).softmax(dim=-1)
    evidence = model.encode(images(), 2, rng())
    torch.testing.assert_close(model.bound(evidence, y, kl_weight), reference_bound(model, evidence, y, kl_weight))


@BOTH
def test_logits_are_those_of_the_classifier(kind):
    model = build(kind)
    evidence = model.encode(images(), 3, rng())
    x = evidence.x.expand(3, -1, -1)
    expected = dense(model.q_y, *((x,) if evidence.a is None else (x, evidence.a)))
    torch.testing.assert_close(evidence.logits, expected)
    torch.testing.assert_close(model.classify(images(), 3, rng()), expected)


@BOTH
def test_broadcast_classes_equal_repeated_ones(kind):
    model = build(kind)
    evidence = model.encode(images(), 2, rng())
    once = torch.eye(3)[:, None, None]
    torch.testing.assert_close(model.bound(evidence, once), model.bound(evidence, once.expand(3, 2, 4, 3)))


@BOTH
def test_taken_images_have_the_bounds_of_their_batch(kind):
    model = build(kind)
    evidence = model.encode(images(), 2, rng())
    values = model.bound(evidence, torch.eye(3)[:, None, None])  # (K, S, B)
    chosen, classes = torch.tensor([7, 0, 3, 3]), torch.tensor([2, 0, 1, 2])
    taken = model.bound(evidence.take(chosen), torch.eye(3)[classes])
    assert torch.equal(evidence.take(chosen).logits, evidence.logits.flatten(0, 1)[chosen])
    torch.testing.assert_close(taken, values.flatten(1)[classes, chosen])


def test_a_is_the_mean_and_so_many_deviations():
    model = build(ADGM)
    a, log_q_a, _ = model.draw_a(images(), 2, rng())
    law = gaussian(dense(model.q_a, images()))
    torch.testing.assert_close(a, law.mean + law.stddev * torch.randn(2, 4, 2, generator=rng()))
    torch.testing.assert_close(log_q_a, law.log_prob(a))


def test_densities_are_those_of_torch():
    values = torch.randn(5, 3, generator=rng())
    torch.testing.assert_close(log_normal(values), Normal(0.0, 1.0).log_prob(values).sum(-1))
    mean, log_variance = halves(values.expand(2, 5, 3).reshape(5, 6))
    assert (mean.shape, log_variance.shape) == ((5, 3), (5, 3))


@BOTH
def test_generated_images_are_the_means_of_the_likelihood(kind):
    model, y, z = build(kind), torch.eye(3)[:, None], torch.randn(4, 2, generator=rng())
    expected = Bernoulli(logits=dense(model.p_x, y, z)).mean
    assert model.generate(y, z).shape == (3, 4, 6)
    torch.testing.assert_close(model.generate(y, z), expected)


def test_a_is_drawn_once_for_every_image_and_sample(monkeypatch):
    """The noise of a and of z, and nothing else, whatever the number of classes that are then asked for."""
    drawn = []
    original = torch.randn

    def counting(*shape, **options):
        drawn.append(torch.Size(shape[0] if len(shape) == 1 and not isinstance(shape[0], int) else shape))
        return original(*shape, **options)

    model = build(ADGM)
    monkeypatch.setattr(torch, "randn", counting)
    evidence = model.encode(images(), 5, rng())
    Marginal()(ConditionalBound(model, evidence), evidence.logits, rng())
    assert drawn == [(5, 4, 2), (5, 4, 2)]


@BOTH
def test_gradients_agree_with_finite_differences(kind):
    model = build(kind)
    y = torch.rand(1, 4, 3, generator=rng()).requires_grad_()
    weights = [model.p_x.head.weight, model.q_z.first["y"].weight, model.q_y.head.bias]

    def loss(y: Tensor, *_: Tensor) -> Tensor:
        evidence = model.encode(images(), 1, rng())
        return model.bound(evidence, y.softmax(dim=-1)).sum() + evidence.logits.square().sum()

    assert torch.autograd.gradcheck(loss, (y, *weights))


@BOTH
def test_bound_is_below_the_likelihood(kind):
    """log p(x) by 20,000 importance samples; the bound's mean over 20,000 draws is lower by many standard errors."""
    model, draws = build(kind), 20_000
    with torch.no_grad():
        evidence = model.encode(images(3), draws, rng())
        by_class = model.bound(evidence, torch.eye(3)[:, None, None])  # log p(a, x, y, z) - log q(a, z)
        single = (evidence.logits.softmax(-1).movedim(-1, 0) * by_class).sum(0) + entropy(evidence.logits)
        likelihood = by_class.logsumexp(0).logsumexp(0) - torch.log(torch.tensor(float(draws)))
        weights = (by_class.logsumexp(0) - likelihood).exp()
    error = (single.var(0) / draws).sqrt() + (weights.var(0) / draws).sqrt()
    assert (single.mean(0) < likelihood - 5 * error).all()
    ten = by_class.logsumexp(0).view(draws // 10, 10, 3).logsumexp(1) - torch.log(torch.tensor(10.0))
    assert (ten.mean(0) > single.mean(0)).all()


@pytest.mark.parametrize("threshold", [0.0, 0.2, 0.34, 0.9])
@pytest.mark.parametrize("scale", [1.0, 30.0])
def test_a_bound_over_some_classes_is_never_above_the_sum(threshold, scale):
    """log sum_y exp f(y) by enumeration, for every draw of a and z; functions far below 0 reward no dropped mass."""
    estimator = SparseMarginal(threshold)
    logits = scale * torch.randn(5, 40, 3, generator=rng(), dtype=torch.float64)
    values = -25.0 + 8.0 * torch.randn(5, 40, 3, generator=rng(1), dtype=torch.float64)

    def bound(y: Tensor, images: Tensor | None = None, /) -> Tensor:
        return (y * (values if images is None else values.view(-1, 3)[images])).sum(dim=-1)

    found = estimator(bound, logits, rng()) + estimator.entropy(logits)
    assert (found <= values.logsumexp(dim=-1) + 1e-9).all()
    full = Marginal()(bound, logits, rng()) + entropy(logits)
    assert (full <= values.logsumexp(dim=-1) + 1e-9).all()


def test_a_constant_bound_gives_a_sparse_sum_no_gradient():
    """The audit's example: one likely class, nine just below the threshold."""
    q = torch.tensor([1 - 9 * 0.0099] + [0.0099] * 9, dtype=torch.float64)
    logits = q.log().requires_grad_()
    estimator = SparseMarginal(0.01)
    value = estimator(lambda y, images=None: 0 * y.sum(dim=-1) - 24.0, logits, rng()) + estimator.entropy(logits)
    (gradient,) = torch.autograd.grad(value, logits)
    assert value.item() == pytest.approx(-24.0)
    assert gradient.abs().max() < 1e-12


def test_likelihood_sums_to_one_over_images():
    """The importance-sampled likelihoods of all 64 images of six pixels: a check of every density's constant."""
    model, draws = build(ADGM), 4_000
    everything = torch.cartesian_prod(*[torch.tensor([0.0, 1.0])] * TINY.pixels)
    with torch.no_grad():
        evidence = model.encode(everything, draws, rng())
        weights = model.bound(evidence, torch.eye(3)[:, None, None]).logsumexp(0).exp()  # (S, B)
    total = weights.sum(1)
    assert total.mean() == pytest.approx(1.0, abs=5 * (total.std() / draws**0.5).item())
    assert (total.std() / draws**0.5).item() < 0.02


def test_layer_normalisation_keeps_classes_apart_and_batch_normalisation_mixes_them():
    once = torch.eye(3)[:, None, None]
    for norm, apart in (("layer", True), ("none", True), ("batch", False)):
        model = build(ADGM, replace(TINY, norm=norm)).train()
        evidence = model.encode(images(), 1, rng())
        together = model.bound(evidence, once)
        one_by_one = torch.cat([model.bound(evidence, each[None]) for each in once])
        assert torch.allclose(together, one_by_one) is apart
