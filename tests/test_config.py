"""Settings: presets, kinds, rules, and names that say which runs may be averaged."""

import hashlib
import json
from dataclasses import asdict, replace

import pytest

from gsm_cli.config import OWN_SETTINGS, PRESETS, Dataset, Objective, RunConfig, build, read_seeds
from gsm_cli.errors import UsageError
from gsm_cli.runs.schedules import temperature


@pytest.mark.parametrize(("dataset", "preset"), [(dataset, name) for dataset in Dataset for name in PRESETS[dataset]])
def test_presets_are_settings_that_something_given_overrides(dataset, preset):
    config = build({"dataset": dataset.value}, preset)
    assert {name: getattr(config, name) for name in PRESETS[dataset][preset]} == PRESETS[dataset][preset]
    assert build({"dataset": dataset.value, "epochs": 3}, preset).epochs == 3


def test_the_article_lowers_tau_by_a_thousandth_an_epoch():
    config = build({"dataset": "mnist"}, "article")
    assert temperature(config, 0) == 1.0
    assert temperature(config, 499) == pytest.approx(0.999)
    assert temperature(config, 499 * 1000) == 0.5


def test_a_preset_that_a_data_set_does_not_have_is_refused():
    with pytest.raises(
        UsageError, match="--preset must be one of laptop for digits, not 'article': choose one of them"
    ):
        build({}, "article")


@pytest.mark.parametrize("objective", Objective)
def test_settings_that_an_objective_does_not_read_are_none(objective):
    config = build(
        {"objective": objective.value, "tau": 0.3, "tau_min": 0.1, "tau_rate": 0.0, "top": 2, "threshold": 0.1}
    )
    for name, readers in OWN_SETTINGS.items():
        if name != "draws":
            assert (getattr(config, name) is not None) is (objective in readers)


def test_round_trip_through_json():
    config = build({"objective": "gumbel", "hidden": [5, 4], "weight_std": 0.01, "labelled_batch": 20, "tau": 1})
    assert build(json.loads(json.dumps(asdict(config)))) == config


def test_runs_of_one_digest_differ_in_seed_and_device_alone():
    config = build({})
    assert replace(config, seed=7).digest == replace(config, device="cuda").digest == config.digest
    for changed in ({"epochs": 7}, {"tau": 0.7}, {"hidden": [3]}, {"objective": "marginalize"}, {"model": "m2"}):
        assert build(changed).digest != config.digest


def test_the_digest_is_that_of_what_departs_from_the_defaults():
    """So that a new setting, at a default that changes nothing, leaves the names of finished runs as they are."""
    bare = build({}, preset=None)
    assert bare.digest == hashlib.sha256(b"{}").hexdigest()[:8]
    assert replace(bare, clip=3.0).digest == hashlib.sha256(b'{"clip": 3.0}').hexdigest()[:8]


def test_a_record_says_all_and_presets_add_nothing():
    assert build({"dataset": "mnist"}, preset=None).epochs == RunConfig.epochs != build({"dataset": "mnist"}).epochs


def test_settings_that_are_not_read_do_not_make_another_run():
    assert build({"objective": "marginalize", "tau": 0.1}).digest == build({"objective": "marginalize"}).digest


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("0", [0]), ("0-4", [0, 1, 2, 3, 4]), ("0,3,7", [0, 3, 7]), ("2-3,0,3", [2, 3, 0]), (" 1 , 2", [1, 2])],
)
def test_seeds(text, seeds):
    assert read_seeds(text) == seeds


@pytest.mark.parametrize("text", ["", "a", "-1", "3-1", "0-", "1.5", "0,,1", "0 - 4x"])
def test_seeds_that_do_not_parse(text):
    with pytest.raises(UsageError, match=r"--seeds must be whole numbers and ranges, not .*: write for example"):
        read_seeds(text)


NAN, INF = float("nan"), float("inf")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[
            (name, value)
            for name in ("labels", "latent", "auxiliary", "epochs", "batch_size")
            for value in (0, -1, 1.5)
        ],
        *[(name, value) for name in ("labelled_batch", "mc_samples", "draws") for value in (0, "many")],
        *[(name, value) for name in ("learning_rate", "weight_std", "tau", "clip") for value in (0, -1.0, NAN, INF)],
        *[(name, value) for name in ("classification_weight", "kl_start", "tau_min") for value in (-0.1, NAN, INF)],
        *[(name, value) for name in ("decay", "kl_warmup") for value in (-0.1, 1.1, NAN, True)],
        *[("hidden", value) for value in ([], [0], [1.5], "wide", -3, [True])],
        *[(name, "none such") for name in ("objective", "dataset", "model", "norm", "activation")],
        *[("seed", -1), ("device", 3), ("epochs", None), ("objective", None)],
    ],
)
def test_bad_settings_are_refused_in_one_sentence(name, value):
    """The rule, the value and the remedy."""
    with pytest.raises(UsageError) as refused:
        build({name: value})
    message = str(refused.value)
    assert message.startswith(f"{name} must be ") or message.startswith(f"{name.replace('_', '-')} must be ")
    assert str(value).strip("[]") in message
    assert ": ch" in message
    assert "\n" not in message


@pytest.mark.parametrize(
    ("objective", "name", "value"),
    [("sum-and-sample", "top", 0), ("sparse-marginalize", "threshold", 2), ("reinforce", "draws", 1)],
)
def test_own_settings_are_checked_where_they_are_read(objective, name, value):
    with pytest.raises(UsageError, match=f"{name} must be"):
        build({"objective": objective, name: value})


def test_the_least_temperature_is_not_above_the_first():
    with pytest.raises(UsageError, match=r"tau-min must be at most tau \(0\.3\), not 0\.5"):
        build({"tau": 0.3, "tau_min": 0.5})


def test_an_unknown_setting_names_those_that_there_are():
    with pytest.raises(UsageError, match=r"no setting 'epoch': choose from objective, dataset, .*epochs"):
        build({"epoch": 3})


def test_every_setting_of_the_class_is_a_legal_one():
    assert build(asdict(build({}))) == build({})
