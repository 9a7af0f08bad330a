"""Settings: presets, kinds, rules, and names that say which runs may be averaged."""

import hashlib
import json
import math
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from gsm_cli.config import RunConfig, differences
from gsm_cli.data import DATASETS
from gsm_cli.data.dataset import Dataset
from gsm_cli.errors import UsageError
from gsm_cli.estimator_settings import NO_PARAMETERS
from gsm_cli.objectives import OBJECTIVES, SUPERVISED
from gsm_cli.rules import rule_of
from gsm_cli.runs.build import Averaging
from gsm_cli.settings import Source, build, plan, read_names, read_preset, read_seeds

RECORDS = sorted((Path(__file__).parents[1] / "reports").glob("*/records/*.json"))


class TestPresets:
    def test_that_of_liu_et_al_has_their_loss_and_their_temperature(self):
        """45,000 mean_u U + 5,000 mean_l (L + log q) with L2 1e-5; max(0.5, exp(-5e-4 epoch 5,000 / 64))."""
        config = build({"dataset": "mnist", "objective": "gumbel"}, "liu2019")
        for weight, theirs in (
            (config.labelled_weight, 5_000),
            (config.classification_weight, 5_000),
            (config.l2, 1e-5),
        ):
            assert 45_000 * weight == pytest.approx(theirs)
        steps = 45_000 // config.batch_size
        for epoch in (0, 1, 10, 17, 18, 99):
            tau = max(0.5, math.exp(-5e-4 * epoch * 5_000 / 64))
            assert config.estimator.temperature(epoch * steps, steps) == pytest.approx(tau)
            assert config.estimator.temperature((epoch + 1) * steps - 1, steps) == pytest.approx(tau)

    @pytest.mark.parametrize(
        ("dataset", "preset"), [(dataset, name) for dataset in DATASETS.values() for name in dataset.presets]
    )
    def test_are_settings_that_something_given_overrides(self, dataset, preset):
        settings = build({"dataset": dataset.name}, preset).identity
        assert {name: settings[name] for name in dataset.presets[preset]} == dataset.presets[preset]
        assert build({"dataset": dataset.name, "epochs": 3}, preset).epochs == 3

    def test_the_article_lowers_tau_by_a_thousandth_an_epoch(self):
        config = build({"dataset": "mnist"}, "article")
        found = [config.estimator.temperature(step, 499) for step in (0, 498, 499, 997, 499 * 1000)]
        assert found == pytest.approx([1.0, 1.0, 0.999, 0.999, 0.5])

    def test_one_that_a_data_set_does_not_have_is_refused(self):
        with pytest.raises(
            UsageError,
            match="--preset must be one of laptop for digits, not 'article': choose one of them, or name --dataset",
        ):
            build({}, "article")

    @pytest.mark.parametrize(("name", "value"), [("norm", "bogus"), ("epochs", 2.5), ("epohcs", 3), ("tau", -1)])
    def test_a_wrong_one_is_named_with_its_place(self, name, value):
        bad = Dataset("mine", "Mine", (1, 1), lambda folder, fetch: None, 1, presets={"laptop": {name: value}})
        with pytest.raises(
            UsageError,
            match=rf"({name} of the preset laptop of mine.*must be|{name} of the preset laptop of mine is no setting)",
        ):
            read_preset(bad, "laptop")


class TestNames:
    def test_runs_of_one_digest_differ_in_the_seed_alone(self):
        config = build({})
        assert replace(config, seed=7).digest == config.digest
        for changed in ({"epochs": 7}, {"tau": 0.7}, {"hidden": [3]}, {"objective": "marginalize"}, {"model": "m2"}):
            assert build(changed).digest != config.digest

    def test_the_digest_is_that_of_what_departs_from_the_defaults(self):
        """So that a new setting, at a default that changes nothing, leaves the names of finished runs as they are."""
        bare = build({}, preset=None)
        assert bare.digest == hashlib.sha256(b"{}").hexdigest()[:8]
        assert replace(bare, clip=3.0).digest == hashlib.sha256(b'{"clip": 3.0}').hexdigest()[:8]

    @pytest.mark.parametrize(
        ("settings", "preset", "name"),
        [
            ({"objective": "marginalize"}, "laptop", "marginalize-d8afc933-0"),
            ({"objective": "gumbel", "seed": 9}, "laptop", "gumbel-07e74f12-9"),
            ({"objective": "reinmax"}, "laptop", "reinmax-37c3fe49-0"),
            ({"objective": "sum-and-sample"}, "laptop", "sum-and-sample-8224dd79-0"),
            ({"objective": "marginalize", "dataset": "mnist", "precision": "bf16"}, "laptop", "marginalize-0b6767dc-0"),
        ],
    )
    def test_of_committed_runs_stay_as_they_are(self, settings, preset, name):
        assert build(settings, preset).name == name
        assert any(path.stem == name for path in RECORDS)

    def test_of_all_committed_runs_are_those_of_their_settings(self):
        runs = [json.loads(path.read_text("utf-8")) for path in RECORDS]
        names = [
            (msgspec.convert(run["config"], RunConfig).name, path)
            for run, path in zip(runs, RECORDS, strict=True)
            if run["kind"] == "run"
        ]
        assert len(names) > 90
        assert [name for name, _ in names] == [path.stem for _, path in names]

    def test_differences_are_said_in_words(self):
        first, second = build({}), build({"tau": 0.7, "epochs": 3})
        assert differences(first.identity, first.identity) == ""
        assert differences(first.identity, second.identity) == "epochs 200 and not 3, tau 0.5 and not 0.7"


class TestOwn:
    @pytest.mark.parametrize("row", OBJECTIVES.values(), ids=lambda row: row.name)
    def test_an_objective_has_the_settings_of_its_row(self, row):
        config = build({"objective": row.name})
        assert config.own == {name: setting.default for name, setting in row.settings.items()}

    @pytest.mark.parametrize("row", OBJECTIVES.values(), ids=lambda row: row.name)
    def test_the_factory_gives_the_class_of_the_row_its_settings(self, row):
        """So that a forgotten row cannot train as another one."""
        config = build({"objective": row.name})
        if row.name == SUPERVISED:
            with pytest.raises(AssertionError):
                Averaging(config)
            return
        estimator = Averaging(config).at_step(0)
        assert type(estimator).__name__ == row.estimator.partition(":")[2]
        own = {name: value for name, value in config.own.items() if name not in NO_PARAMETERS}
        assert {name: getattr(estimator, name) for name in own} == own
        assert getattr(estimator, "temperature", None) == config.own.get("tau")

    def test_one_that_some_objectives_read_goes_to_them_alone(self):
        first, second = plan(["marginalize", "gumbel"], [Source({"tau": 0.3})])
        assert first.own == {}
        assert second.own["tau"] == 0.3

    def test_one_that_no_objective_reads_is_refused(self):
        with pytest.raises(
            UsageError, match="top is a setting of sum-and-sample, and none of marginalize, gumbel reads"
        ):
            plan(["marginalize", "gumbel"], [Source({"top": 3})])

    @pytest.mark.parametrize("name", ["auxiliary", "fresh_a"])
    def test_one_of_the_auxiliary_variable_is_refused_of_a_model_without(self, name):
        with pytest.raises(UsageError, match="is of the auxiliary variable, which m2 does not have: leave it out"):
            build({"model": "m2", name: "1"})
        assert build({"model": "adgm", name: "1"}).model == "adgm"

    @pytest.mark.parametrize(
        ("objective", "name", "value"),
        [("sum-and-sample", "top", 0), ("sparse-marginalize", "threshold", 2), ("reinforce", "draws", 1)],
    )
    def test_are_checked_where_they_are_read(self, objective, name, value):
        with pytest.raises(UsageError, match=f"{name} of {objective} must be"):
            build({"objective": objective, name: value})

    def test_the_least_temperature_is_not_above_the_first(self):
        with pytest.raises(UsageError, match=r"tau_min must be at most tau \(0\.3\), not 0\.5"):
            build({"tau": 0.3, "tau_min": 0.5})

    @pytest.mark.parametrize("name", ["batch_size", "labelled_batch"])
    def test_a_batch_of_one_image_has_no_batch_normalisation(self, name):
        with pytest.raises(UsageError, match=f"{name} must be at least 2 where norm is batch, not 1: raise it"):
            build({"norm": "batch", name: 1})
        assert build({"norm": "batch", name: 2}).norm == "batch"
        assert build({name: 1}).norm == "layer"

    @pytest.mark.parametrize("tau", [0.5, float("nan"), float("inf")])
    def test_reinmax_is_not_taken_below_one(self, tau):
        with pytest.raises(UsageError, match="tau of reinmax must be finite and at least 1, not"):
            build({"objective": "reinmax", "tau": tau})

    def test_reinmax_does_not_fall_below_one(self):
        falling = {"objective": "reinmax", "tau": 2.0, "tau_rate": 1e-3}
        with pytest.raises(UsageError, match="tau_min must be at least 1 for reinmax where tau_rate lowers tau, not 0"):
            build(falling)
        assert build(falling | {"tau_min": 1.0}).own["tau_min"] == 1.0
        annealed = {"dataset": "mnist"}, "article"
        assert build({"objective": "reinmax"} | annealed[0], annealed[1]).own["tau_min"] == 1.0
        assert build({"objective": "gumbel"} | annealed[0], annealed[1]).own["tau_min"] == 0.5

    @pytest.mark.parametrize(
        "own",
        [{"tau": -1.0}, {"tau": "0.5"}, {"tau": 0.5, "tau_min": 0.6}, {"draws": 0}, {"top": 1}],
        ids=str,
    )
    def test_a_record_with_others_is_none(self, own):
        data = msgspec.to_builtins(build({"objective": "gumbel"})) | {"estimator": {"objective": "gumbel"} | own}
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(data, RunConfig)


def test_round_trip_through_json():
    config = build({"objective": "gumbel", "hidden": [5, 4], "weight_std": 0.01, "labelled_batch": 20, "tau": 1})
    assert msgspec.json.decode(msgspec.json.encode(config), type=RunConfig) == config
    assert build({name: value for name, value in config.identity.items() if not name.endswith("sha256")}) == config


def test_values_have_one_grammar_as_text_and_typed():
    """Texts of the command line or the environment, and what TOML gives."""
    text = {"epochs": "3", "decay": "1e-1", "hidden": "8,4", "norm": "none", "labelled_batch": "none", "tau": "1"}
    typed = {"epochs": 3, "decay": 0.1, "hidden": [8, 4], "norm": "none", "labelled_batch": None, "tau": 1}
    assert build(text) == build(typed)
    assert build({"hidden": "8"}) == build({"hidden": 8}) == build({"hidden": [8]})


def test_every_source_is_checked_even_where_another_overrides_it():
    with pytest.raises(UsageError, match=r"--epochs must be a whole number from 1 to 1,000,000, not 'abc'"):
        plan(["gumbel"], [Source({"epochs": "abc"}, lambda name: f"--{name}"), Source({"epochs": 1})])


@pytest.mark.parametrize(
    ("value", "seeds"),
    [
        *[("0", [0]), ("0-4", [0, 1, 2, 3, 4]), ("0,3,7", [0, 3, 7]), ("2-3,0,3", [2, 3, 0]), (" 1 , 2", [1, 2])],
        *[(3, [3]), ([1, 2], [1, 2])],
    ],
)
def test_seeds(value, seeds):
    assert read_seeds("--seeds", value) == seeds


@pytest.mark.parametrize("value", ["", "a", "-1", "3-1", "0-", "1.5", "0,,1", "0 - 4x", "1" * 400, True, [True], 1.5])
def test_seeds_that_do_not_parse(value):
    with pytest.raises(UsageError, match=r"--seeds must be whole numbers and ranges, not .*: write for example"):
        read_seeds("--seeds", value)


def test_names_come_with_commas_or_in_lists():
    assert read_names("--objective", ["gumbel,marginalize", "gumbel"]) == ["gumbel", "marginalize"]


@pytest.mark.parametrize("value", ["", ",", [], [""], 3, True, [["gumbel"]], None, {"a": 1}], ids=str)
def test_names_that_are_none(value):
    with pytest.raises(UsageError, match=r"objective in a\.toml must be a name or several with commas, not "):
        read_names("objective in a.toml", value)


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
        *[("seed", -1), ("epochs", None), ("objective", None), ("dataset", 3), ("epochs", "1\n2")],
    ],
)
def test_bad_settings_are_refused_in_one_sentence(name, value):
    """The rule, the value and the remedy."""
    with pytest.raises(UsageError) as refused:
        build({name: value})
    message = str(refused.value)
    assert message.startswith((name, name.replace("_", "-")))
    assert " must be " in message
    assert str(value).strip("[]") in message or "\n" in str(value)
    assert ": ch" in message or ": write" in message or ": did you mean none?" in message
    assert "\n" not in message


def test_a_long_wrong_value_is_cut():
    with pytest.raises(UsageError) as refused:
        build({"epochs": "x" * 5000})
    assert len(str(refused.value)) < 200


def test_an_unknown_setting_names_those_that_there_are():
    with pytest.raises(UsageError, match=r"depth is no setting: choose from dataset, .*epochs.*tau"):
        build({"depth": 3})
    with pytest.raises(UsageError, match=r"epoch is no setting: did you mean epochs\?"):
        build({"epoch": 3})


def test_the_table_has_every_name_once_and_every_rule_in_words():
    assert len(OBJECTIVES) == len({row.colour for row in OBJECTIVES.values()}) == 14
    for row in OBJECTIVES.values():
        assert all(rule_of(setting.type) for setting in row.settings.values())
