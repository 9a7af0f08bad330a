"""The measurement of gradients: what it says of estimators whose bias and variance are known."""

import json
from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from gsm_cli.measures.gradients import exact_gumbel_bias, measure, toy_subjects
from gsm_cli.model.estimators import Gumbel, Marginal, SumAndSample
from gsm_cli.records.gradients import read_gradients

LINEAR, QUADRATIC = toy_subjects()
REPLICATES = 20_000


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


def norm(subject) -> float:
    logits = subject.logits[None].requires_grad_()
    return torch.autograd.grad(Marginal()(subject.bound(1), logits, rng()).sum(), logits)[0].norm().item()


@pytest.mark.parametrize("subject", [LINEAR, QUADRATIC], ids=lambda subject: subject.name)
class TestMeasure:
    def test_the_exact_sum_is_exact(self, subject):
        row = measure("marginalize", Marginal(), subject, 100, rng())
        assert (row.bias, row.deviation, row.rmse) == pytest.approx((0.0, 0.0, 0.0), abs=1e-7)
        assert row.cosine == pytest.approx(1.0)

    def test_a_known_bias_is_found(self, subject):
        row = measure("scaled", Scaled(1.25), subject, 100, rng())
        assert (row.bias, row.rmse, row.deviation) == pytest.approx((0.25, 0.25, 0.0), abs=1e-7)

    def test_a_known_deviation_is_found(self, subject):
        expected = 0.3 / norm(subject)
        row = measure("noisy", Scaled(1.0, 0.3), subject, REPLICATES, rng())
        assert row.deviation == pytest.approx(expected, abs=5 * row.deviation_error)
        assert row.bias < 5 * row.bias_error
        assert row.deviation_error == pytest.approx(expected / (2 * REPLICATES) ** 0.5, rel=0.1)

    def test_errors_add_up(self, subject):
        row = measure("both", Scaled(0.8, 0.3), subject, REPLICATES, rng())
        assert row.rmse**2 == pytest.approx(row.bias**2 + row.deviation**2, rel=1e-3)


@pytest.mark.parametrize("tau", [0.5, 1.0, 2.0])
def test_exact_bias_of_gumbel_agrees_with_monte_carlo(tau):
    """Of the vectors' norms; 4 Monte Carlo errors of the mean."""
    row = measure("gumbel", Gumbel(tau), LINEAR, REPLICATES, rng(), tau)
    assert row.exact_bias == pytest.approx(row.bias, abs=4 * row.bias_error)
    assert row.exact_bias > 0.01


def test_exact_bias_vanishes_with_the_temperature():
    assert exact_gumbel_bias(LINEAR, 0.02) < 1e-3 < 0.1 < exact_gumbel_bias(LINEAR, 1.0)


def test_exact_bias_is_for_linear_functions():
    assert exact_gumbel_bias(QUADRATIC, 1.0) is None


def test_chunks_change_nothing_but_the_noise(monkeypatch):
    monkeypatch.setattr("gsm_cli.measures.gradients.CHUNK", 300)
    row = measure("sum-and-sample", SumAndSample(), QUADRATIC, 1_000, rng())
    assert row.bias < 4 * row.bias_error


class TestCommand:
    WORDS = ("gradients", "--epochs", 1, "--images", 3, "--replicates", 20, "--tau", 0.5)

    def test_writes_record_picture_and_report(self, gsm, folder):
        result = gsm(*self.WORDS)
        assert result.exit_code == 0, result.stderr
        assert result.stdout.splitlines() == ["reports/digits-100/gradients.json", "reports/digits-100/report.md"]
        record = read_gradients(folder / "reports/digits-100/gradients.json")
        assert {row.subject for row in record.rows} == {"linear", "quadratic", "model"}
        assert len(record.rows) == 3 * 8
        text = (folder / "reports/digits-100/report.md").read_text()
        assert "## How good the gradients are" in text
        assert "gsm gradients --epochs 1 --seed 0 --images 3 --replicates 20 --tau 0.5" in text
        assert gsm("report", "--check").exit_code == 0
        (folder / "reports/digits-100/gradients.png").unlink()
        assert gsm("report", "--check").exit_code == 1

    def test_is_the_same_twice(self, gsm, folder):
        first = json.loads(gsm(*self.WORDS, "--json").stdout)
        assert first["rows"] == json.loads(gsm(*self.WORDS, "--json").stdout)["rows"]

    @pytest.mark.parametrize(
        "words",
        [
            ("--images", 0),
            ("--images", 5000),
            ("--replicates", 1),
            ("--epochs", "x"),
            ("--tau", 0),
            ("--dataset", "no"),
        ],
        ids=str,
    )
    def test_bad_input_writes_nothing(self, gsm, folder, words):
        result = gsm("gradients", *words)
        assert result.exit_code == 2
        assert result.stderr.startswith("gsm: ")
        assert len(result.stderr.splitlines()) == 1
        assert not list(folder.iterdir())
