"""From settings to what they mean: the model, its estimators, and whether one of somebody's own keeps the rules."""

import re
from dataclasses import replace

import pytest
import torch
from msgspec import structs

from gsm_cli.errors import OwnCodeError, UsageError
from gsm_cli.estimator_settings import OwnSettings
from gsm_cli.model import estimators
from gsm_cli.model.generative import ADGM, M2
from gsm_cli.model.networks import Architecture
from gsm_cli.runs import build
from gsm_cli.runs.build import Averaging, build_model, state, try_out
from gsm_cli.settings import build as settings
from gsm_cli.streams import Purpose


@pytest.mark.parametrize(("name", "kind"), [("adgm", ADGM), ("m2", M2)])
def test_a_model_has_the_sizes_that_the_settings_name(name, kind):
    sizes = {"hidden": [4, 3], "latent": 2, "norm": "batch", "activation": "elu", "weight_std": 0.5}
    sizes |= {"classifier_hidden": [2], "norm_eps": 0.1, "zero_biases": "true"}
    sizes |= {"auxiliary": 5} if kind is ADGM else {}
    model = build_model(settings({"model": name, "precision": "bf16", **sizes}), 6, 7)
    assert type(model) is kind
    assert model.architecture == Architecture(
        pixels=6,
        classes=7,
        hidden=(4, 3),
        latent=2,
        auxiliary=5 if kind is ADGM else 4,
        norm="batch",
        activation="elu",
        weight_std=0.5,
        classifier_hidden=(2,),
        norm_eps=0.1,
        zero_biases=True,
        bf16=True,
    )
    assert not build_model(settings({"hidden": [4]}), 6, 7).architecture.bf16


def test_the_initial_weights_are_those_of_the_seed():
    found = [build_model(settings({"hidden": [4], "model": "m2", "seed": seed}), 6, 7) for seed in (3, 4)]
    torch.manual_seed(state(3, Purpose.INITIALISATION))
    expected = M2(found[0].architecture).state_dict()
    assert all(torch.equal(value, expected[name]) for name, value in found[0].state_dict().items())
    assert not torch.equal(found[1].q_y.head.weight, found[0].q_y.head.weight)


def test_an_estimator_has_its_own_settings_and_the_temperature_of_its_step():
    config = settings({"objective": "gumbel-rao", "tau": 2.0, "tau_min": 0.5, "tau_rate": 1.0, "draws": 3})
    assert [config.estimator.temperature(step, 3) for step in (0, 9)] == [2.0, 0.5]
    assert Averaging(config).at(1.5) == estimators.GumbelRao(temperature=1.5, draws=3)
    assert Averaging(settings({"objective": "marginalize"})).at(None) == estimators.Marginal()


class Own:
    """An estimator of somebody's own, in a file."""

    tried: list[object]

    def __init__(self, temperature: float = 1.0) -> None:
        self.temperature = temperature

    def __call__(self, bound, logits, rng):
        self.tried.append(self.temperature)
        return bound(logits.softmax(dim=-1), None)


def test_one_of_somebodys_own_is_tried_and_must_stay_as_it_was(monkeypatch):
    config = settings({"objective": "gumbel", "tau": 0.25, "tau_rate": 1.0})
    row = replace(build.find_objective("gumbel"), name="Own", sha256="a" * 64)
    monkeypatch.setattr(build, "find_objective", lambda name: row)
    monkeypatch.setattr(build, "resolve_name", lambda name: lambda draws, temperature: Own(temperature))
    Own.tried = []
    Averaging(structs.replace(config, estimator=OwnSettings(of="Own", sha256="a" * 64, values=config.own)))
    assert Own.tried == [0.25, 0.25]
    with pytest.raises(UsageError) as caught:
        Averaging(config)
    assert str(caught.value) == "gumbel must stay as it was when the run began, and changed: start it again"


@pytest.mark.parametrize(
    ("estimator", "sentence"),
    [
        (lambda bound, logits, rng: 3, "give a tensor (1, 2) for logits (1, 2, 3), not int: correct it"),
        (lambda bound, logits, rng: logits, "give a tensor (1, 2) for logits (1, 2, 3), not (1, 2, 3): correct it"),
        (
            lambda bound, logits, rng: logits.sum(dim=-1) * torch.tensor([1.0, float("inf")]) * 0 + 1,
            "give finite values for finite bounds, not [[1.0, nan]]: correct it",
        ),
        (
            lambda bound, logits, rng: bound(logits).detach(),
            "have a gradient for the logits, and has none: do not detach them",
        ),
        (
            lambda bound, logits, rng: (logits[..., 0] * 0).sqrt(),
            "have a finite gradient, not [[[nan, 0.0, 0.0], [nan, 0.0, 0.0]]]: correct it",
        ),
    ],
)
def test_a_rule_that_somebodys_own_breaks_is_named(estimator, sentence):
    with pytest.raises(UsageError) as caught:
        try_out("Mine", lambda: estimator)
    assert str(caught.value) == f"Mine must {sentence}"


def test_one_that_cannot_be_made_is_named():
    def refuse():
        raise ValueError("scale must be positive")

    with pytest.raises(OwnCodeError, match=re.escape("raises ValueError (scale must be positive): correct it")):
        try_out("Mine", refuse)


def test_it_is_tried_with_a_linear_bound_of_random_numbers_that_are_always_the_same():
    seen = []

    def estimator(bound, logits, rng):
        y = torch.randn(2, 1, 2, 3, generator=rng)
        assert logits.shape == (1, 2, 3)
        assert len(logits.unique()) == 6
        torch.testing.assert_close(bound(y).sum(dim=0), bound(y.sum(dim=0), torch.arange(2)))
        assert bound(y).abs().min() > 0
        seen.append(torch.cat([logits.detach().flatten(), bound(y).flatten()]))
        return bound(logits)

    try_out("Mine", lambda: estimator)
    assert torch.equal(*seen)
