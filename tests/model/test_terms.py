"""The objective against its terms written out by hand."""

import pytest
import torch
from torch import Tensor

from gsm_cli.model.bounds import Estimator
from gsm_cli.model.categorical import entropy, gumbel_noise
from gsm_cli.model.estimators import Gumbel, Marginal, Reinforce, SparseMarginal, SumAndSample
from gsm_cli.model.generative import ADGM, M2, Architecture, Evidence
from gsm_cli.model.terms import (
    Batch,
    ConditionalBound,
    Terms,
    log_probability,
    semi_supervised,
    supervised,
    unlabelled_bound,
)


@pytest.fixture
def model() -> ADGM:
    torch.manual_seed(0)
    return ADGM(Architecture(pixels=6, classes=3, hidden=(8,), latent=2, auxiliary=2)).eval()


@pytest.fixture
def batch() -> Batch:
    pixels = torch.randint(2, (7, 6), generator=torch.Generator().manual_seed(1)).float()
    return Batch(pixels[:4], pixels[4:], torch.tensor([2, 0, 1]))


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(5)


def encoded(model: M2, batch: Batch, samples: int, noise: torch.Generator) -> list[Evidence]:
    """What is known of unlabelled and of labelled images, whose noise is drawn together."""
    both = torch.cat([batch.unlabelled, batch.labelled])
    return model.encode(both, samples, noise).split([len(batch.unlabelled), len(batch.labelled)])


@pytest.mark.parametrize("kl_weight", [1.0, 2.5])
@pytest.mark.parametrize("samples", [1, 3])
def test_marginal_terms_by_hand(model, batch, kl_weight, samples):
    """Image by image and class by class; the entropy and the classifier use the very draws of a that the bound uses."""
    terms = semi_supervised(model, batch, Marginal(), samples, kl_weight, rng())
    unlabelled_evidence, evidence = encoded(model, batch, samples, rng())
    q = unlabelled_evidence.logits.softmax(-1)
    unlabelled = -(q * q.log()).sum(-1)
    for k in range(3):
        y = torch.eye(3)[k].expand(samples, 4, 3)
        unlabelled = unlabelled + q[..., k] * model.bound(unlabelled_evidence, y, kl_weight)
    labelled = [model.bound(evidence, torch.eye(3)[k].expand(samples, 3, 3), kl_weight) for k in (2, 0, 1)]
    log_q = evidence.logits.log_softmax(-1)
    torch.testing.assert_close(terms.unlabelled_bound, unlabelled.mean())
    torch.testing.assert_close(terms.labelled_bound, sum(each[:, i].mean() for i, each in enumerate(labelled)) / 3)
    torch.testing.assert_close(terms.classification, (log_q[:, 0, 2] + log_q[:, 1, 0] + log_q[:, 2, 1]).mean() / 3)
    assert terms.evaluations == 3 * samples


def test_gumbel_has_the_entropy_and_draws_its_noise_last(model, batch):
    terms = semi_supervised(model, batch, Gumbel(0.5), 1, 1.0, rng())
    noise = rng()
    evidence, _ = encoded(model, batch, 1, noise)
    g = gumbel_noise((1, *evidence.logits.shape), noise, evidence.logits)
    y = ((evidence.logits + g) / 0.5).softmax(-1)
    torch.testing.assert_close(terms.unlabelled_bound, (model.bound(evidence, y)[0] + entropy(evidence.logits)).mean())
    assert terms.evaluations == 1


@pytest.mark.parametrize("weight", [0.0, 0.5, 1.0])
def test_the_entropy_has_its_weight(model, batch, weight):
    """0 is the article's published code for Gumbel, 1 its formula."""
    bound = ConditionalBound(model, model.encode(batch.unlabelled, 1, rng()))
    found = unlabelled_bound(bound, Gumbel(0.5), rng(), weight)
    whole = unlabelled_bound(bound, Gumbel(0.5), rng())
    torch.testing.assert_close(whole - found, (1 - weight) * entropy(bound.evidence.logits))


def test_the_weight_of_the_entropy_is_one_of_the_unlabelled_term_alone(model, batch):
    half, whole = (semi_supervised(model, batch, Gumbel(0.5), 1, 1.0, rng(), weight) for weight in (0.5, 1.0))
    logits = encoded(model, batch, 1, rng())[0].logits
    torch.testing.assert_close(whole.unlabelled_bound - half.unlabelled_bound, 0.5 * entropy(logits).mean())
    assert torch.equal(half.labelled_bound, whole.labelled_bound)


def test_a_class_may_have_no_label(model, batch):
    """Neither the last class nor any other need be among the labelled images."""
    few = Batch(batch.unlabelled, batch.labelled[:2], torch.tensor([0, 0]))
    _, evidence = encoded(model, few, 1, rng())
    labelled = semi_supervised(model, few, Marginal(), 1, 1.0, rng()).labelled_bound
    torch.testing.assert_close(labelled, model.bound(evidence, torch.eye(3)[0].expand(1, 2, 3)).mean())


def test_a_bound_of_single_images_is_theirs_and_counts_them(model, batch):
    bound = ConditionalBound(model, model.encode(batch.unlabelled, 2, rng()))
    every = bound(torch.eye(3)[:, None, None])  # (K, S, B)
    found = bound(torch.eye(3)[[2, 0, 1]], torch.tensor([7, 1, 4]))
    torch.testing.assert_close(found, every.flatten(1)[[2, 0, 1], [7, 1, 4]])
    assert bound.count == 3 * 2 * 4 + 3


def test_detached_terms_have_the_same_values(model, batch):
    terms = semi_supervised(model, batch, Marginal(), 1, 1.0, rng())
    detached = terms.detach()
    values = (detached.unlabelled_bound, detached.labelled_bound, detached.classification)
    assert values == (terms.unlabelled_bound, terms.labelled_bound, terms.classification)
    assert not any(each.requires_grad for each in values)
    assert detached.evaluations == terms.evaluations


def test_labelled_terms_are_the_same_for_every_objective(model, batch):
    exact, sampled = (semi_supervised(model, batch, each, 2, 1.0, rng()) for each in (Marginal(), Gumbel(0.5)))
    assert torch.equal(exact.labelled_bound, sampled.labelled_bound)
    assert torch.equal(exact.classification, sampled.classification)


def test_supervised_reads_labelled_images_alone(model, batch):
    other = Batch(1 - batch.unlabelled, batch.labelled, batch.classes)
    first, second = (supervised(model, each, 1, rng()) for each in (batch, other))
    assert torch.equal(first.classification, second.classification)
    assert (first.unlabelled_bound, first.labelled_bound, first.evaluations) == (0.0, 0.0, 0.0)
    first.classification.backward()
    used = {name.partition(".")[0] for name, each in model.named_parameters() if each.grad is not None}
    assert used == {"q_a", "q_y"}


def test_objective_weighs_its_terms():
    terms = Terms(torch.tensor(-5.0), torch.tensor(-7.0), torch.tensor(-0.5), evaluations=3.0)
    assert terms.objective(labelled_weight=0.1, classification_weight=20.0).item() == pytest.approx(-5.0 - 0.7 - 10.0)


class Certain:
    """Averages over the first class alone, a law without entropy."""

    def __call__(self, bound, logits: Tensor, rng: torch.Generator) -> Tensor:
        return bound(torch.eye(3)[0].expand_as(logits))

    def entropy(self, logits: Tensor) -> Tensor:
        return torch.full(logits.shape[:-1], 0.25)  # not the truth, so that it is recognised


def test_the_unlabelled_bound_has_the_entropy_that_the_estimator_brings(model, batch):
    bound = ConditionalBound(model, model.encode(batch.unlabelled, 2, rng()), kl_weight=0.7)
    first = model.bound(bound.evidence, torch.eye(3)[0].expand(2, 4, 3), 0.7)
    torch.testing.assert_close(unlabelled_bound(bound, Certain(), rng()), first + 0.25)


def test_the_unlabelled_bound_has_the_entropy_of_q_where_the_estimator_brings_none(model, batch):
    bound = ConditionalBound(model, model.encode(batch.unlabelled, 2, rng()))
    constant = lambda bound, logits, rng: torch.full(logits.shape[:-1], 2.0)  # noqa: E731
    torch.testing.assert_close(unlabelled_bound(bound, constant, rng()), 2.0 + entropy(bound.evidence.logits))


PIECES = Marginal(piece=4, keep=0)  # a class in each, and all of them computed again
ESTIMATORS = [Marginal(), PIECES, Gumbel(0.5), Gumbel(0.5, draws=3), Reinforce(2), SumAndSample(), SparseMarginal(0.3)]


def in_two_passes(model: M2, batch: Batch, estimator: Estimator, samples: int) -> list[Tensor]:
    """The three terms with the draws of one pass, each network called for the two kinds of images apart."""
    noise, draws = rng(), {}
    for name, size in (("a", model.architecture.auxiliary),) * isinstance(model, ADGM) + (
        ("z", model.architecture.latent),
    ):
        draws[name] = torch.randn(samples, 7, size, generator=noise).split([4, 3], dim=1)

    def encode(x: Tensor, part: int) -> Evidence:
        chosen = iter([each[part] for each in draws.values()])
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(torch, "randn", lambda *_, **__: next(chosen))
            return model.encode(x, samples, rng())

    unlabelled, labelled = encode(batch.unlabelled, 0), encode(batch.labelled, 1)
    u = unlabelled_bound(ConditionalBound(model, unlabelled, 1.5), estimator, noise).mean()
    y = torch.eye(3)[batch.classes][None]
    return [u, model.bound(labelled, y, 1.5).mean(), log_probability(labelled.logits, batch.classes)]


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=str)
@pytest.mark.parametrize("norm", ["layer", "batch", "none"])
@pytest.mark.parametrize("kind", [M2, ADGM])
def test_one_pass_has_the_values_and_gradients_of_two(kind, norm, estimator, batch):
    torch.manual_seed(0)
    model = kind(Architecture(pixels=6, classes=3, hidden=(8, 7), latent=2, auxiliary=2, norm=norm)).train()
    terms = semi_supervised(model, batch, estimator, 2, 1.5, rng())
    found = [terms.unlabelled_bound, terms.labelled_bound, terms.classification]
    expected = in_two_passes(model, batch, estimator, 2)
    torch.testing.assert_close(found, expected)
    gradients = []
    for values in (found, expected):
        model.zero_grad()
        sum(weight * value for weight, value in zip((1.0, 0.7, 3.0), values, strict=True)).backward()
        gradients.append([parameter.grad for parameter in model.parameters()])
    torch.testing.assert_close(*gradients, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("first", ["without a gradient", "none"])
def test_labelled_images_keep_their_gradient_whatever_the_estimator_evaluates(first, model, batch):
    """One that looks at the bound without a gradient before it takes it, and one that never asks for it."""

    def estimator(bound, logits: Tensor, rng: torch.Generator) -> Tensor:
        if first == "none":
            return logits.sum(dim=-1)
        with torch.no_grad():
            bound(logits.softmax(-1))
        return bound(logits.softmax(-1))

    usual, found = (
        semi_supervised(model, batch, each, 1, 1.0, rng()).labelled_bound for each in (Marginal(), estimator)
    )
    torch.testing.assert_close(found, usual)
    gradients = [torch.autograd.grad(each, list(model.p_x.parameters())) for each in (usual, found)]
    torch.testing.assert_close(*gradients)
