"""Command lines that the project prints: the real command reads them back as the settings that they came from."""

import shlex

import pytest

from gsm_cli import commands
from gsm_cli.settings import build


@pytest.mark.parametrize(
    "settings",
    [
        {"objective": "gumbel"},
        {"objective": "marginalize", "dataset": "mnist"},
        {"objective": "gumbel", "tau": 0.1 + 0.2, "tau_min": 1e-5, "tau_rate": 1e-7, "draws": 3},
        {"objective": "sum-and-sample", "top": 2, "hidden": [8], "norm": "none", "decay": 1 / 3, "precision": "bf16"},
        {"objective": "sparse-marginalize", "threshold": 0.0, "labels": 50, "mc_samples": 2, "weight_std": 0.01},
        {"objective": "supervised", "dataset": "mnist", "labelled_batch": None, "kl_start": 1.0, "model": "m2"},
        {"objective": "reinforce", "labelled_weight": 0.0, "classification_weight": 1e6, "batch_size": 7, "epochs": 1},
    ],
    ids=str,
)
@pytest.mark.parametrize("preset", ["laptop", None])
def test_a_run(gsm, monkeypatch, settings, preset):
    taken = []
    monkeypatch.setattr("gsm_cli.cli.train._run", lambda plan, *_: taken.append(plan) or [])
    config = build(settings, preset)
    result = gsm(*shlex.split(commands.train_ssl(config, [0, 1, 2, 7]))[1:])
    assert result.exit_code == 0, result.stderr
    assert [found.seed for found in taken[0].configs] == [0, 1, 2, 7]
    assert taken[0].configs[0] == config


def test_the_preset_of_the_article():
    config = build({"objective": "gumbel", "dataset": "mnist"}, "article")
    assert commands.train_ssl(config, [3]).split() == [
        *("gsm", "train-ssl", "--dataset", "mnist", "--objective", "gumbel", "--seeds", "3", "--preset", "article")
    ]
