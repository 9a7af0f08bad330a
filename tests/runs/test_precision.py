"""Matrix products in bfloat16: what is exact, what is close, and what stays float32."""

from dataclasses import replace

import pytest
import torch

from gsm_cli.data import find_dataset
from gsm_cli.data.split import load
from gsm_cli.model.generative import ADGM, M2
from gsm_cli.model.networks import Architecture, Linear
from gsm_cli.runs import environment
from gsm_cli.runs.training import Run
from gsm_cli.settings import build

SMALL = Architecture(pixels=20, classes=4, hidden=(16, 16), latent=3, auxiliary=3)


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.mark.parametrize("bias", [True, False])
def test_small_whole_numbers_are_exact_in_value_and_gradient(bias):
    torch.manual_seed(0)
    found = []
    for bf16 in (False, True):
        layer = Linear(5, 3, bias, bf16)
        value = torch.randint(-3, 4, (7, 5), generator=rng()).float().requires_grad_()
        with torch.no_grad():
            for number, parameter in enumerate(layer.parameters()):
                parameter.copy_(torch.arange(parameter.numel()).view_as(parameter) % 5 - number)
        output = layer(value)
        gradients = torch.autograd.grad(output.square().sum() / 2, (value, *layer.parameters()))
        assert {tensor.dtype for tensor in (output, *gradients)} == {torch.float32}
        found.append((output, *gradients))
    for plain, half in zip(*found, strict=True):
        torch.testing.assert_close(half, plain, rtol=2**-8, atol=0.0)
    assert torch.equal(found[0][0], found[1][0])


@pytest.mark.parametrize("kind", [M2, ADGM])
def test_a_bound_is_that_of_float32_to_bfloat16s_rounding(kind):
    torch.manual_seed(0)
    plain = kind(SMALL)
    half = kind(replace(SMALL, bf16=True))
    half.load_state_dict(plain.state_dict())
    x = torch.bernoulli(torch.full((6, 20), 0.5), generator=rng())
    y = torch.eye(4)[:, None, None]
    expected, found = (model.bound(model.encode(x, 2, rng()), y) for model in (plain, half))
    assert found.dtype == torch.float32
    torch.testing.assert_close(found, expected, rtol=0.02, atol=0.1)
    assert not torch.equal(found, expected)


def test_a_run_takes_its_precision_from_its_settings():
    split = load(find_dataset("digits"), 100, 0)
    settings = {"hidden": [16], "batch_size": 200, "epochs": 2, "precision": "bf16"}
    run = Run(build(settings), split)
    assert run.config.precision == "bf16"
    assert all(layer.bf16 for layer in run.model.modules() if isinstance(layer, Linear))
    assert {parameter.dtype for parameter in run.model.parameters()} == {torch.float32}
    assert run.epoch().unlabelled_bound == pytest.approx(
        Run(build(settings | {"precision": "float32"}), split).epoch().unlabelled_bound, rel=0.02
    )


@pytest.mark.parametrize("slowdown", [28.4, 0.6])
def test_a_user_hears_whether_bf16_is_slow_here(slowdown, gsm, monkeypatch):
    monkeypatch.setattr(environment, "bf16_slowdown", lambda device: slowdown)
    quick = ("train-ssl", "--objective", "supervised", "--set", "hidden=8", "--epochs", 1)
    warned = "28 times as long as in float32: use --precision float32" in gsm(*quick, "--precision", "bf16").stderr
    assert warned is (slowdown > 1)
    assert "bfloat16" not in gsm(*quick).stderr


def test_the_slowdown_is_that_of_the_processor():
    assert 0.01 < environment.bf16_slowdown("cpu") < 1000
