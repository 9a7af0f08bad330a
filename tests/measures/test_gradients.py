"""The measurement of gradients: what it says of estimators whose bias and variance are known."""

import contextlib
import json
from dataclasses import dataclass, replace
from pathlib import Path
from shutil import copytree

import numpy as np
import pytest
import torch
from torch import Tensor
from typer.testing import CliRunner

from gsm_cli.cli.app import app
from gsm_cli.data import find_dataset
from gsm_cli.data.split import load
from gsm_cli.errors import GsmError
from gsm_cli.law.moments import exact_expectation
from gsm_cli.measures.gradient_subjects import Subject, enough, model_subjects, squared_norms
from gsm_cli.measures.gradients import (
    compare_estimators,
    enumerate_outcomes,
    left_out,
    measure,
    sample_gradients,
    toy_subjects,
)
from gsm_cli.model.categorical import Outcomes, gumbel_noise, sample_one_hot
from gsm_cli.model.estimators import (
    Gumbel,
    GumbelRao,
    Marginal,
    MinusLogQ,
    Rebar,
    Reinforce,
    ReinMax,
    SparseMarginal,
    StraightThrough,
    StraightThroughGumbel,
    SumAndSample,
    UnorderedSet,
)
from gsm_cli.model.generative import M2
from gsm_cli.records.gradients import read_gradients
from gsm_cli.runs.training import Run
from gsm_cli.settings import build

LINEAR, QUADRATIC, POLYNOMIAL = toy_subjects(None, 200, 0)  # 20,000 estimates
SUBJECTS = pytest.mark.parametrize("subject", [LINEAR, QUADRATIC, POLYNOMIAL], ids=lambda subject: subject.name)
NAMED = [ReinMax(1.0), StraightThrough(2.0), SumAndSample(1), Reinforce(3), MinusLogQ(UnorderedSet())]


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@dataclass(frozen=True)
class Scaled:
    """The exact sum times `factor`, with normal noise of `noise` in the first logit's gradient."""

    factor: float
    noise: float = 0.0

    def __call__(self, bound, logits: Tensor, rng: torch.Generator) -> Tensor:
        noise = self.noise * torch.randn(logits.shape[:-1], generator=rng, dtype=logits.dtype)
        return self.factor * Marginal()(bound, logits, rng) + noise * logits[..., 0]


def gradient_of_sum(subject: Subject) -> Tensor:
    """By a loop over classes, of which each term is differentiated by hand: q_k (f_k - mean f)."""
    q = subject.logits.softmax(dim=-1)
    values = torch.stack([subject.bound(1)(y.expand_as(q)) for y in torch.eye(q.shape[-1], dtype=q.dtype)], dim=-1)
    return (q * (values - (q * values).sum(dim=-1, keepdim=True)) / len(q)).flatten()


@SUBJECTS
class TestMeasure:
    def test_the_exact_sum_is_exact(self, subject):
        row = measure("marginalize", Marginal(), subject, rng())
        assert row.mean == "enumerated"
        assert (row.logits.bias, row.deviation, row.logits.cosine) == pytest.approx((0.0, 0.0, 1.0), abs=1e-12)

    def test_a_known_bias_is_found(self, subject):
        row = measure("scaled", Scaled(1.25), subject, rng())
        assert row.mean == "sampled"  # it draws, if only to multiply by 0
        assert (row.logits.bias, row.deviation) == pytest.approx((0.25, 0.0), abs=1e-7)
        assert row.logits.is_biased

    def test_a_known_deviation_is_found(self, subject):
        expected = 0.3 / gradient_of_sum(subject).norm().item()
        row = measure("noisy", Scaled(1.0, 0.3), subject, rng())
        assert row.deviation == pytest.approx(expected, abs=5 * row.deviation_error)
        assert not row.logits.is_biased
        assert row.deviation_error == pytest.approx(expected / (2 * subject.replicates) ** 0.5, rel=0.1)

    def test_the_opposite_has_the_cosine_minus_one(self, subject):
        assert measure("scaled", Scaled(-0.5), subject, rng()).logits.cosine == pytest.approx(-1.0)


@SUBJECTS
class TestEnumeration:
    @pytest.mark.parametrize(
        "estimator", [SumAndSample(3), Reinforce(2), UnorderedSet(), MinusLogQ(SumAndSample(1))], ids=repr
    )
    def test_unbiased_estimators_give_the_sum_to_rounding(self, subject, estimator):
        mean, _ = enumerate_outcomes(estimator, subject, 1_000)
        torch.testing.assert_close(mean, gradient_of_sum(subject), rtol=0.0, atol=1e-13)

    @pytest.mark.parametrize("estimator", NAMED, ids=repr)
    def test_mean_and_variance_are_those_of_monte_carlo(self, subject, estimator):
        mean, variance = enumerate_outcomes(estimator, subject, 1_000)
        samples = sample_gradients(estimator, subject, rng())
        error = samples.std(dim=0) / len(samples) ** 0.5
        assert ((samples.mean(dim=0) - mean).abs() <= 5 * error + 1e-12).all()
        assert samples.var(dim=0).sum().item() == pytest.approx(variance, rel=0.05)

    @pytest.mark.parametrize(
        "estimator", [Gumbel(1.0), StraightThroughGumbel(1.0), GumbelRao(1.0), Scaled(1.0), Rebar(1.0)], ids=repr
    )
    def test_other_noise_cannot_be_enumerated(self, subject, estimator):
        assert enumerate_outcomes(estimator, subject, 10**9) is None

    def test_no_more_outcomes_than_wanted(self, subject):
        assert enumerate_outcomes(Reinforce(3), subject, 215) is None
        assert enumerate_outcomes(Reinforce(3), subject, 216) is not None

    def test_pieces_change_nothing(self, subject, monkeypatch):
        whole = enumerate_outcomes(Reinforce(2), subject, 100)
        monkeypatch.setattr("gsm_cli.measures.gradients.CHUNK", 7)
        pieces = enumerate_outcomes(Reinforce(2), subject, 100)
        torch.testing.assert_close(pieces[0], whole[0])
        assert pieces[1] == pytest.approx(whole[1])

    def test_samples_of_other_rows_are_drawn_and_not_named(self, subject):
        def estimator(bound, logits, rng):
            return bound(sample_one_hot(logits.repeat(1, 2, 1), rng)[:, : logits.shape[-2]]) + 0.0 * logits.sum(dim=-1)

        assert enumerate_outcomes(estimator, subject, 1_000) is None


class TestOutcomes:
    def test_every_outcome_once_with_its_probability(self):
        logits = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64).log()
        outcomes = Outcomes(torch.arange(9))
        y = sample_one_hot(logits.expand(2, 9, 3), outcomes)  # two draws
        assert {tuple(pair) for pair in y.argmax(dim=-1).T.tolist()} == {(i, j) for i in range(3) for j in range(3)}
        expected = (y @ logits.exp()).prod(dim=0)
        torch.testing.assert_close(outcomes.log_q.exp(), expected)
        assert outcomes.log_q.exp().sum().item() == pytest.approx(1.0)
        assert not outcomes.drew

    def test_calls_follow_one_another(self):
        logits, outcomes = torch.zeros(9, 3), Outcomes(torch.arange(9))
        first, second = (sample_one_hot(logits, outcomes).argmax(dim=-1) for _ in range(2))
        assert (first + 3 * second).tolist() == list(range(9))
        assert outcomes.draws == 2

    def test_other_noise_is_noticed(self):
        outcomes = Outcomes(torch.arange(3))
        gumbel_noise((2,), outcomes, torch.zeros(1))
        assert outcomes.drew


def mean_through_z(tau: float, step: float = 1e-4) -> torch.Tensor:
    """The gradient of w . E[z] on the article's law, by central differences of the exact expectation."""
    logits = LINEAR.logits[0].numpy()
    weights = LINEAR.bound(1)(torch.eye(len(logits), dtype=torch.float64)).numpy()
    differences = [
        weights @ (exact_expectation(logits + d, tau) - exact_expectation(logits - d, tau))
        for d in step * np.eye(len(logits))
    ]
    return torch.tensor(differences, dtype=torch.float64) / (2 * step)


class TestToys:
    @pytest.mark.parametrize("tau", [0.5, 1.0, 2.0])
    @pytest.mark.parametrize(
        ("name", "estimator"),
        [("gumbel", Gumbel), ("straight-through-gumbel", StraightThroughGumbel), ("gumbel-rao", GumbelRao)],
    )
    def test_the_mean_through_z_is_the_derivative_of_the_exact_expectation(self, name, estimator, tau):
        """For f(y) = w . y what an estimator puts in the place of df/dy is w everywhere."""
        row, exact = measure(name, estimator(tau), LINEAR, rng(), tau), gradient_of_sum(LINEAR).double()
        mean = mean_through_z(tau)
        assert row.mean == "sampled"
        bias = ((mean - exact).norm() / exact.norm()).item()
        cosine = (mean @ exact / (mean.norm() * exact.norm())).item()
        assert row.logits.bias == pytest.approx(bias, abs=4 * row.logits.bias_error)
        assert row.logits.cosine == pytest.approx(cosine, abs=4 * row.logits.cosine_error)
        assert bias > 0.01

    @pytest.mark.parametrize("classes", [2, 5, 10, 40])
    def test_any_number_of_classes(self, classes):
        """On the random law of the figures; w takes every value from -1 to 1 once."""
        linear, quadratic, polynomial = toy_subjects(classes, 1, 3)
        assert linear.logits.shape == (1, classes)
        assert len(linear.bound(1)(torch.eye(classes, dtype=torch.float64)).unique()) == classes
        assert squared_norms(quadratic.logits, quadratic.bound(1)).item() > 0
        assert not torch.equal(linear.logits, toy_subjects(classes, 1, 4)[0].logits)
        one_hot = torch.eye(classes, dtype=torch.float64)
        assert polynomial.bound(1)(one_hot)[[0, -1]].tolist() == pytest.approx([0.45**1.5, 0.55**1.5])
        assert polynomial.bound(1)(one_hot[0] / 2 + one_hot[-1] / 2).item() == pytest.approx(0.05**1.5)

    def test_chunks_change_nothing_but_the_noise(self, monkeypatch):
        monkeypatch.setattr("gsm_cli.measures.gradients.CHUNK", 300)
        few = replace(QUADRATIC, replicates=1_001)
        samples = sample_gradients(StraightThroughGumbel(1.0), few, rng())
        assert samples.shape == (1_001, 6)
        assert not measure("noisy", Scaled(1.0, 0.3), few, rng()).logits.is_biased


class TestTemperatures:
    def test_reinmax_leaves_out_those_below_one(self):
        few = replace(LINEAR, replicates=10)
        rows = list(compare_estimators(few, ["gumbel", "reinmax", "reinforce"], [0.5, 1.0, 2.0]))
        assert [row.temperature for row in rows] == [0.5, 1.0, 2.0, 1.0, 2.0, None, None]
        assert [row.minus_log_q for row in rows] == [False] * 6 + [True]
        assert left_out(["gumbel", "reinmax"], [0.5, 1.0]) == [
            "reinmax leaves out tau 0.5: it must be finite and at least 1"
        ]
        assert left_out(["reinmax", "reinforce"], [1.0, 2.0]) == []


def test_enough_images_are_the_first_of_which_none_holds_a_tenth():
    assert enough(torch.ones(100)) == 50
    assert enough(torch.ones(10)) == 10
    heavy = torch.ones(100)
    heavy[60] = 8.0
    assert enough(heavy) == 50
    heavy[20] = 7.5  # 7.5 / (60 + 6.5), then 8 / (67 + 13.5)
    assert enough(heavy) == 67
    alone = torch.zeros(100)
    alone[3] = 1.0
    assert enough(alone) == 50


@pytest.fixture(scope="module")
def models() -> list[Subject]:
    config = build({"objective": "marginalize", "epochs": 5, "hidden": [12], "batch_size": 200})
    return list(model_subjects(config, load(find_dataset("digits"), 100, 0), None, 60))


class TestModel:
    def test_start_middle_and_end(self, models):
        assert [subject.name for subject in models] == [f"seed 0, epoch {epoch}" for epoch in (1, 3, 5)]
        facts = [subject.facts() for subject in models]
        assert all(each.largest_share <= 0.1 and each.images >= 50 for each in facts)

    def test_the_terms_of_z_and_a_have_the_weight_of_that_epoch(self, models, monkeypatch):
        seen, bound = [], M2.bound
        monkeypatch.setattr(M2, "bound", lambda *given: seen.append(given[-1]) or bound(*given))
        for subject in models:
            subject.bound(1)(torch.eye(10)[:1].expand(len(subject.logits), 10)[None])
        config = build({"objective": "marginalize", "epochs": 5, "hidden": [12], "batch_size": 200})
        run = Run(config, load(find_dataset("digits"), 100, 0))
        assert seen == [run.kl_weight(epoch * run.steps - 1) for epoch in (1, 3, 5)]
        assert len(set(seen)) > 1

    def test_images_that_are_asked_for(self):
        config = build({"objective": "marginalize", "epochs": 1, "hidden": [12], "batch_size": 200})
        (subject,) = model_subjects(config, load(find_dataset("digits"), 100, 0), 7, 10)
        assert subject.facts().images == 7

    def test_no_more_images_than_memory_and_time_allow(self, monkeypatch):
        monkeypatch.setattr("gsm_cli.measures.gradient_subjects.MOST_IMAGES", 55)
        monkeypatch.setattr("gsm_cli.measures.gradient_subjects.MOST_SHARE", 0.0)
        config = build({"objective": "marginalize", "epochs": 1, "hidden": [12], "batch_size": 200})
        (subject,) = model_subjects(config, load(find_dataset("digits"), 100, 0), None, 10)
        assert 50 <= subject.facts().images <= 55

    def test_the_sum_of_two_gradients_is_autograds(self, models):
        subject = models[-1]
        mean, _ = enumerate_outcomes(SumAndSample(), subject, 60)
        torch.testing.assert_close(mean, gradient_of_sum(subject).double(), rtol=1e-3, atol=1e-6)

    def test_single_images_are_evaluated(self, models):
        row = measure("sparse-marginalize", SparseMarginal(0.0), models[0], rng())
        assert (row.mean, row.deviation) == ("enumerated", 0.0)
        assert not row.logits.is_biased
        assert measure("sparse-marginalize", SparseMarginal(0.3), models[0], rng()).logits.is_biased


WORDS = ("gradients", "--epochs", 1, "--images", 3, "--replicates", 10, "--tau", "0.5,1", "--seeds", 2)
FEW = (*WORDS, "--objective", "marginalize,reinmax,gumbel", "--no-own-models")


@pytest.fixture(scope="module")
def template(tmp_path_factory) -> Path:
    """A folder in which FEW are measured."""
    path = tmp_path_factory.mktemp("gradients")
    with contextlib.chdir(path):
        assert CliRunner().invoke(app, [str(word) for word in FEW]).exit_code == 0
    return path


@pytest.fixture
def few(template, folder) -> Path:
    """The record of that measurement, in a folder of one's own."""
    copytree(template, folder, dirs_exist_ok=True)
    (path,) = folder.glob("reports/digits-100/gradients-*.json")
    return path


class TestCommand:
    def test_writes_record_picture_and_report(self, gsm, folder):
        result = gsm(*WORDS)
        assert result.exit_code == 0, result.stderr
        path, report = result.stdout.splitlines()
        assert path.startswith("reports/digits-100/gradients-")
        record = read_gradients(folder / path)
        assert [subject.name for subject in record.subjects] == [
            *("linear", "quadratic", "polynomial", "seed 2, epoch 1"),
            *(f"{name}, seed 2, epoch 1" for name in record.plan.objectives[1:]),
        ]
        unbiased = 3 * 2  # with and without log q in their signal
        relaxed = 6 * 2 + 1  # at two temperatures, but reinmax at one
        rows_of_each = {subject.name: 0 for subject in record.subjects}
        for row in record.rows:
            rows_of_each[row.subject] += 1
        assert [*rows_of_each.values()] == [2 + unbiased + relaxed + 2] * 4 + [1] * 12
        assert "reinmax leaves out tau 0.5: it must be finite and at least 1" in result.stderr
        text = (folder / report).with_name("details.md").read_text()
        assert "## How good the gradients are" in text
        command = "`gsm gradients --epochs 1 --seeds 2 --tau 0.5,1 --replicates 10 --images 3`"
        assert command.strip("`") in text
        assert gsm("report", "--check").exit_code == 0
        (folder / "reports/digits-100/gradients.png").unlink()
        assert gsm("report", "--check").exit_code == 1

    def test_a_temperature_that_nobody_allows_is_refused_before_anything_is_trained(self, gsm, folder):
        result = gsm("gradients", "--objective", "reinmax", "--tau", 0.5)
        assert result.exit_code == 2
        assert "and reinmax leaves out tau 0.5: it must be finite and at least 1: name another" in result.stderr
        assert not list(folder.iterdir())

    def test_a_gradient_that_is_not_finite_is_no_measurement(self):
        def broken(bound, logits, rng):
            return Gumbel(0.5)(bound, logits, rng) * float("nan")

        with pytest.raises(GsmError, match=r"that of broken at temperature 0\.5 on linear is not"):
            measure("broken", broken, LINEAR, rng(), 0.5)

    def test_they_stand_in_the_report_of_a_sweep(self, gsm, folder):
        sweep = ("--objective", "gumbel", "--tau", "0.5,1", "--epochs", 1, "--seeds", 0, "--jobs", 1)
        assert gsm("train-ssl", *sweep, "--report", "temperature").exit_code == 0
        result = gsm(*FEW, "--report", "temperature")
        assert result.exit_code == 0, result.stderr
        path, report = result.stdout.splitlines()
        assert path.startswith("reports/temperature/gradients-")
        assert "which tau is best?" in (folder / report).read_text()
        text = (folder / report).with_name("details.md").read_text()
        assert "deviation / norm" in text
        assert (
            "--objective marginalize,gumbel,reinmax --tau 0.5,1 --replicates 10 --images 3 "
            "--no-own-models --report temperature`" in text
        )
        assert gsm("report", "--check").exit_code == 0

    def test_what_was_measured_is_used_again_until_it_is_forced(self, gsm, folder, few):
        before, written = few.read_bytes(), few.stat().st_mtime_ns
        again = gsm(*FEW)
        assert "measured before, here; --force measures again" in again.stderr
        assert folder / again.stdout.splitlines()[0] == few
        assert few.stat().st_mtime_ns == written
        assert gsm(*FEW, "--force").exit_code == 0
        assert few.stat().st_mtime_ns > written
        assert few.read_bytes() == before

    def test_other_settings_replace_nothing(self, gsm, folder, few):
        before = few.read_bytes()
        second = gsm(*FEW, "--replicates", 12, "--classes", 3).stdout.splitlines()[0]
        assert folder / second != few
        assert few.read_bytes() == before
        text = (folder / "reports/digits-100/details.md").read_text()
        assert text.count("## How good the gradients are") == 2
        assert {"gradients-tau.png", "gradients-tau-2.png"} <= {
            path.name for path in (folder / "reports/digits-100").iterdir()
        }
        assert read_gradients(folder / second).subjects[0].classes == 3
        assert gsm("report", "--check").exit_code == 0

    def test_the_order_of_words_is_no_setting(self, gsm, few):
        words = [
            *WORDS,
            "--tau",
            "1",
            "--tau",
            "0.5",
            "--objective",
            "gumbel,reinmax",
            "--objective",
            "marginalize",
            "--no-own-models",
        ]
        words.remove("0.5,1")
        words.remove("--tau")
        again = gsm(*words)
        assert again.stdout.splitlines()[0].endswith(few.name)
        assert "measured before" in again.stderr

    def test_json(self, gsm, few):
        first = json.loads(gsm(*FEW, "--json").stdout)
        assert first["files"][0].startswith("reports/digits-100/gradients-")
        assert first["results"]["record"]["plan"]["replicates"] == 10

    @pytest.mark.parametrize(
        "words",
        [
            *[("--images", 0), ("--images", 5000), ("--replicates", 9), ("--epochs", "x"), ("--tau", 0)],
            *[("--dataset", "no"), ("--classes", 1), ("--seeds", "x"), ("--objective", "supervised")],
            *[("--labels", 0), ("--labels", 95), ("--batch-size", 0), ("--objective", "reinforce", "--tau", "0.5")],
            *[("--report", "digits-50"), ("--report", "a/b"), ("--report", "cost")],
        ],
        ids=str,
    )
    def test_bad_input_writes_nothing(self, gsm, folder, words):
        result = gsm("gradients", *words)
        assert result.exit_code == 2
        assert [line[:5] for line in result.stderr.splitlines()][-1] == "gsm: "
        assert not list(folder.iterdir())
