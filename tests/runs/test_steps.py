"""Steps: what the settings of the article and of Liu et al. change in them, each against what it says."""

from dataclasses import replace

import pytest
import torch
from batches import TINY
from torch.nn import functional as F  # noqa: N812

from gsm_cli.data import find_dataset
from gsm_cli.data.split import load
from gsm_cli.model.estimators import Marginal, SparseMarginal
from gsm_cli.model.generative import ADGM
from gsm_cli.model.networks import Architecture
from gsm_cli.model.terms import ConditionalBound, unlabelled_bound
from gsm_cli.runs.optimizer import AdamW
from gsm_cli.runs.training import Run, train
from gsm_cli.settings import build

S, B, K, A = 2, 5, 3, 4


@pytest.fixture(scope="module")
def split():
    return load(find_dataset("digits"), 100, 0)


def run(split, objective: str = "gumbel", **settings: object) -> Run:
    return Run(build({**TINY, "objective": objective, **settings}), split)


def rng(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def seen() -> tuple[ADGM, ConditionalBound]:
    torch.manual_seed(0)
    model = ADGM(Architecture(pixels=6, classes=K, hidden=(8, 7), latent=2, auxiliary=A))
    x = torch.randint(2, (B, 6), generator=rng(1)).float()
    return model, ConditionalBound(model, model.encode(x, S, rng(2)), fresh=rng(3))


class TestFreshA:
    """Every evaluation of the unlabelled bound has an a of its own, and the classifier another."""

    def test_every_class_of_the_sum_has_its_own(self):
        model, bound = seen()
        found = bound(torch.eye(K)[:, None, None])
        noise = torch.randn(K, S, B, A, generator=rng(3))
        *_, outputs = model.draw_a(bound.evidence.x, S, rng(2))
        mean, log_variance = outputs.chunk(2, dim=-1)
        law = torch.distributions.Normal(mean, (0.5 * log_variance).exp())
        for k, class_k in enumerate(torch.eye(K)):
            a = mean + (0.5 * log_variance).exp() * noise[k]
            q_z = model.q_z.lift(x=bound.evidence.x) + model.q_z.lift(a=a)
            log_q_a = law.log_prob(a).sum(dim=-1, keepdim=True)
            alone = replace(bound.evidence, a=a, log_q_a=log_q_a, q_z=q_z)
            torch.testing.assert_close(found[k], model.bound(alone, class_k.expand(S, B, K)), rtol=1e-5, atol=1e-5)

    def test_a_piece_that_is_computed_again_has_the_same(self):
        gradients = []
        for keep in (10**9, 0):
            model, bound = seen()
            value = unlabelled_bound(bound, Marginal(piece=S * B, keep=keep), rng(4)).mean()
            gradients.append(torch.autograd.grad(value, list(model.parameters()), allow_unused=True))
        torch.testing.assert_close(*gradients)

    def test_single_images_have_their_own_too(self):
        _, bound = seen()
        value = unlabelled_bound(bound, SparseMarginal(0.5), rng(4))
        assert value.shape == (S, B)
        assert bound.count < K * S * B

    def test_a_step_reads_it_off_the_settings(self, split):
        rows, labelled = torch.arange(200), torch.arange(100)
        usual, fresh = (run(split, "marginalize", fresh_a=value).step(0, rows, labelled) for value in ("false", "true"))
        assert usual.labelled_bound == fresh.labelled_bound
        assert usual.classification == fresh.classification
        assert usual.unlabelled_bound != fresh.unlabelled_bound


class TestClassifierStep:
    def test_moves_the_classifier_alone_with_the_optimizer_of_all(self, split):
        rows, labelled = torch.arange(200), torch.arange(100)
        without = run(split, classification_weight=0.0)
        apart = run(split, classification_weight=3.0, classifier_step="true")
        for each in (without, apart):
            each.step(0, rows, labelled)
        pairs = zip(without.model.named_parameters(), apart.model.named_parameters(), strict=True)
        moved = {name.partition(".")[0] for (name, first), (_, second) in pairs if not torch.equal(first, second)}
        assert moved == {"q_y"}
        counts = {
            name.partition(".")[0]: int(count)
            for (name, _), count in zip(apart.model.named_parameters(), apart.optimizer.steps, strict=True)
        }
        assert counts == {"q_y": 2, "q_z": 1, "p_x": 1, "q_a": 1, "p_a": 1}

    def test_of_the_labels_alone_the_one_step_is_the_usual_one(self, split):
        rows, labelled = torch.arange(200), torch.arange(100)
        runs = [run(split, "supervised", classifier_step=value) for value in ("false", "true")]
        for each in runs:
            each.step(0, rows, labelled)
        assert all(map(torch.equal, runs[0].model.parameters(), runs[1].model.parameters()))


class TestWarmStart:
    @pytest.mark.parametrize(
        ("objective", "networks"), [("gumbel", {"q_y", "q_a", "q_z", "p_x", "p_a"}), ("supervised", {"q_y", "q_a"})]
    )
    def test_the_labelled_images_are_learned_as_the_objective_learns_them(self, split, objective, networks):
        warm = run(split, objective, warm_epochs=60, hidden=[32], labelled_batch=50, learning_rate=3e-3)
        before = {name: value.clone() for name, value in warm.model.named_parameters()}
        warm.warm_up()
        with torch.no_grad():
            logits = warm.model.classify(warm.labelled.float() / 255, 8, rng(0))
        assert (logits.mean(dim=0).argmax(dim=-1) == warm.classes).double().mean() > 0.9
        changed = {
            name.partition(".")[0]
            for name, value in warm.model.named_parameters()
            if not torch.equal(value, before[name])
        }
        assert changed == networks
        assert not warm.optimizer.steps.any()

    def test_is_a_part_of_the_run_and_not_of_its_epochs(self, split, tmp_path):
        settings = {**TINY, "epochs": 2, "warm_epochs": 30}
        record = train(build(settings), split, tmp_path / "a.pt")
        cold = train(build({**settings, "warm_epochs": 0}), split, tmp_path / "b.pt")
        assert len(record.epochs) == 2
        assert record.epochs.classification[0] > cold.epochs.classification[0]
        assert record.epochs.labelled_bound[0] > cold.epochs.labelled_bound[0]


class TestOptimizer:
    @pytest.mark.parametrize(
        ("settings", "kind"),
        [({"l2": 0.3}, torch.optim.Adam), ({"weight_decay": 0.3}, torch.optim.AdamW), ({}, torch.optim.Adam)],
    )
    def test_is_pytorchs(self, settings, kind):
        """Plain Adam's weight decay is a gradient of half the squared weights, AdamW's none."""
        start = [torch.randn(4, 3, generator=rng(0)), torch.randn(3, generator=rng(1))]
        ours, theirs = ([each.clone().requires_grad_() for each in start] for _ in range(2))
        optimizer = AdamW(ours, **settings)
        reference = kind(theirs, lr=0.1, weight_decay=next(iter(settings.values()), 0.0))
        for _ in range(5):
            loss = sum(F.softplus(each).sum() for each in ours)
            optimizer.step(loss, 0.1, None)
            reference.zero_grad()
            sum(F.softplus(each).sum() for each in theirs).backward()
            reference.step()
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=1e-6)

    @pytest.mark.parametrize("greatest", [None, 0.5, 50.0])
    @pytest.mark.parametrize("l2", [0.0, 0.3])
    def test_a_gradient_is_scaled_to_a_norm_or_left(self, greatest, l2):
        """As PyTorch clips it before its step; a parameter without a gradient stays."""
        start = [torch.randn(4, 3, generator=rng(0)), torch.randn(3, generator=rng(1)), torch.ones(2)]
        ours, theirs = ([each.clone().requires_grad_() for each in start] for _ in range(2))
        optimizer, reference = AdamW(ours, l2=l2), torch.optim.Adam(theirs, lr=0.1, weight_decay=l2)
        for factor in (1.0, 3.0, 0.1):
            optimizer.step(factor * sum(F.softplus(each).sum() for each in ours[:2]), 0.1, greatest)
            reference.zero_grad()
            (factor * sum(F.softplus(each).sum() for each in theirs[:2])).backward()
            torch.nn.utils.clip_grad_norm_(theirs[:2], greatest or 1e9)
            reference.step()
        torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6)
        assert torch.equal(ours[2], start[2])
