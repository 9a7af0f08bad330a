"""Command lines rebuilt from settings: read again, they give the same settings, to the last digit."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from tree import ROOT

from gsm_cli import commands
from gsm_cli.config import SETTINGS, RunConfig
from gsm_cli.data import DATASETS
from gsm_cli.objectives import OBJECTIVES
from gsm_cli.records.cost import CostPlan, read_steps
from gsm_cli.records.gradients import GradientPlan
from gsm_cli.records.layout import ReportFolder
from gsm_cli.settings import Source, build, plan, read_names, read_seeds

POSITIVE = st.floats(min_value=0, exclude_min=True, allow_infinity=False, allow_nan=False)
OWN = '''
class Mine:
    """The probabilities themselves."""

    def __init__(self, temperature=0.3, strength=2.5, sharp=True, kind="plain"): ...

    def __call__(self, bound, logits, rng): ...
'''


@dataclass(frozen=True)
class Parsed:
    configs: list[RunConfig]
    seeds: list[int]
    report: str | None = None


def options(command: str, name: str) -> Iterator[tuple[str, str]]:
    """The options of a command line, as its parser names them, with their texts."""
    program, found, *words = shlex.split(command)
    assert (program, found) == ("gsm", name)
    for option, text in zip(words[::2], words[1::2], strict=True):
        assert option.startswith("--")
        yield option[2:].replace("-", "_"), text


WITH_AN_OPTION = {name for name, setting in SETTINGS.items() if setting.option}


def parse_run(command: str) -> Parsed:
    """What `gsm train-ssl` makes of a command line: only these options are there, all else follows --set."""
    values: dict[str, str] = {}
    for name, text in options(command, "train-ssl"):
        if name == "set":
            name, _, text = text.partition("=")
            assert name not in WITH_AN_OPTION
        else:
            assert name in {*WITH_AN_OPTION, "objective", "preset", "report", "seeds"}
        assert name not in values
        values[name] = text
    names, seeds = read_names("objective", values.pop("objective")), read_seeds("--seeds", values.pop("seeds"))
    preset = values.pop("preset", "laptop")
    report = values.pop("report", None)
    return Parsed(plan(names, [Source(values)], preset), seeds, report)


PAGES = sorted((ROOT / "reports").glob("*/*.md"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: f"{page.parent.name}/{page.stem}")
def test_pasted_in_a_clone_it_names_the_runs_that_are_there_or_those_that_the_page_misses(page):
    folder = ReportFolder(page.parent)
    for line in re.findall(r"^\$ (.*)$", page.read_text("utf-8"), re.MULTILINE):
        if line.startswith("gsm train-ssl"):
            parsed = parse_run(line)
            runs = [replace(config, seed=seed) for config in parsed.configs for seed in parsed.seeds]
            assert {parsed.report or run.folder for run in runs} == {folder.name}
            assert all(folder.record(run.name).exists() for run in runs) is (page == folder.details)
        elif line.startswith("gsm cost --for"):
            of_steps = read_steps(folder.steps).plan if page == folder.details else None
            assert line.removesuffix(" --force") == commands.steps(folder, of_steps)
        else:
            assert line.split()[:2] in (["gsm", "gradients"], ["gsm", "cost"])


class TestRun:
    def test_what_it_says(self):
        config = build({"objective": "gumbel", "epochs": 2, "hidden": [32, 16], "tau": 0.25, "kl_start": 7})
        assert commands.train_ssl(config, [3, 0, 1, 2, 9]) == (
            "gsm train-ssl --dataset digits --objective gumbel --seeds 0-3,9 "
            "--set hidden=32,16 --epochs 2 --set kl_start=7 --tau 0.25"
        )

    @pytest.mark.parametrize("objective", OBJECTIVES)
    @pytest.mark.parametrize(("dataset", "preset"), [(d.name, p) for d in DATASETS.values() for p in d.presets])
    def test_a_preset_is_read_again(self, objective, dataset, preset):
        config = build({"objective": objective, "dataset": dataset}, preset)
        command = commands.train_ssl(config, [0])
        assert parse_run(command) == Parsed([config], [0])
        assert "--set" not in command

    @given(rate=POSITIVE, tau=POSITIVE, weight=POSITIVE, std=st.none() | POSITIVE, share=st.floats(0, 1))
    def test_every_digit_is_kept(self, rate, tau, weight, std, share):
        settings = {"learning_rate": rate, "tau": tau, "classification_weight": weight, "weight_std": std}
        config = build({"objective": "gumbel", "decay": share, **settings})
        assert parse_run(commands.train_ssl(config, [0])) == Parsed([config], [0])

    @pytest.mark.parametrize(
        "settings",
        [
            {"labels": 50, "model": "m2", "mc_samples": 3, "batch_size": 7, "precision": "bf16", "norm": "none"},
            {"hidden": [1], "latent": 3, "activation": "elu", "labelled_batch": 5, "clip": 1e300, "kl_warmup": 0},
            {"tau": 1.0, "tau_min": 0.1 + 0.2, "tau_rate": 2.005010688544157e-06, "draws": 4},
            {"dataset": "mnist", "labelled_batch": None, "classification_weight": 1e-5},
        ],
        ids=str,
    )
    def test_other_settings_are_read_again(self, settings):
        config = build({"objective": "gumbel", **settings})
        assert parse_run(commands.train_ssl(config, [0])) == Parsed([config], [0])

    @given(st.sets(st.integers(0, 40), min_size=1))
    def test_seeds_are_read_again(self, seeds):
        assert read_seeds("--seeds", commands.write_seeds(seeds)) == sorted(seeds)

    def test_what_is_somebodys_own_is_read_again_and_needs_no_file_to_be_named(self, folder):
        file = folder / "my code" / "mine.py"
        file.parent.mkdir()
        file.write_text(OWN)
        settings = {"strength": 0.1, "sharp": False, "kind": "a b", "tau": 0.3}
        config = build({"objective": f"{file}:Mine", **settings})
        command = commands.train_ssl(config, [0])
        assert parse_run(command) == Parsed([config], [0])
        file.unlink()
        assert commands.train_ssl(config, [0]) == command

    def test_images_of_somebodys_own_need_no_file_to_be_named(self):
        own = msgspec.structs.replace(build({"epochs": 3}), dataset="there/mine.npz", dataset_sha256="0" * 64)
        assert dict(options(commands.train_ssl(own, [0]), "train-ssl"))["dataset"] == "there/mine.npz"


class TestGradients:
    @pytest.mark.parametrize(
        ("plan", "words"),
        [
            ({}, {}),
            ({"seeds": [0, 1, 2], "replicates": 500}, {"seeds": "0-2", "replicates": "500"}),
            ({"temperatures": [0.1 + 0.2, 1.0]}, {"tau": "0.30000000000000004,1"}),
            ({"objectives": ["marginalize", "a/b.py:C"]}, {"objective": "marginalize,a/b.py:C"}),
            ({"images": 20, "classes": 40}, {"images": "20", "classes": "40"}),
            ({"config": {"epochs": 7}}, {"epochs": "7"}),
            ({"config": {"dataset": "mnist"}}, {"dataset": "mnist"}),
        ],
        ids=str,
    )
    def test_what_departs_from_the_defaults_is_named(self, plan, words):
        config = build({"objective": "marginalize", **plan.get("config", {})})
        wanted = msgspec.convert(plan | {"config": config}, GradientPlan, strict=False)
        assert dict(options(commands.gradients(wanted), "gradients")) == words

    def test_other_settings_have_another_name(self):
        plan = GradientPlan(config=build({"objective": "marginalize"}))
        changes = [{"replicates": 300}, {"classes": 6}, {"images": 9}, {"seeds": (0,)}, {"temperatures": (1.0,)}]
        changes += [{"config": build({"objective": "marginalize", "epochs": 3})}, {"sha256": {"a.py:A": "0"}}]
        names = {msgspec.structs.replace(plan, **change).name for change in changes}
        assert len(names | {plan.name}) == len(changes) + 1

    def test_the_folder_of_a_file_is_no_setting(self):
        config = build({"objective": "marginalize"})
        here, there = (
            GradientPlan(config=config, objectives=(name,), sha256={name: "0"}) for name in ("a.py:A", "b/a.py:A")
        )
        assert here.name == there.name


PLANS = [
    CostPlan(),
    CostPlan(objectives=("marginalize", "gumbel"), classes=(2, 10, 100), rounds=2),
    CostPlan(model="m2", batch_size=7, precision="bf16", device="cuda", rounds=1, seed=4),
]


@pytest.mark.parametrize("wanted", PLANS, ids=lambda wanted: wanted.name)
def test_costs_are_read_again(wanted):
    values: dict[str, object] = dict(options(commands.cost(wanted), "cost"))
    if "objective" in values:
        values["objectives"] = read_names("--objective", values.pop("objective"))
    if "classes" in values:
        values["classes"] = values["classes"].split(",")
    assert msgspec.convert(values, CostPlan, strict=False) == wanted
    assert commands.cost(CostPlan()) == "gsm cost --device cpu"


VALUES = [
    *((0.1, "0.1"), (0.0, "0"), (100000.0, "100000"), (1e-6, "1e-06"), (0.1 + 0.2, "0.30000000000000004")),
    *(((1, 2), "1,2"), (None, "none"), (True, "true"), (3, "3"), ("a.0", "a.0")),
]


@pytest.mark.parametrize(("value", "text"), VALUES)
def test_values(value, text):
    assert commands.write(value) == text
