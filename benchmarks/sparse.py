"""How many classes `sparse-marginalize` sums over on a model of its own, and what that saves.

Its cost is that of the model that it has trained, which is why `gsm cost` does not measure it. Here it trains on the
digits; its steps are then timed against those of the sum and of Gumbel on the same weights, which stay as they are.
With 100 classes the classifier of an untrained model is sharpened until it keeps as few. Takes three minutes.

    python benchmarks/sparse.py
"""

import sys
from collections.abc import Iterator
from statistics import fmean

import torch
from step import STILL, Result, report, take_turns, trained, training_step

from gsm_cli.data.split import Split
from gsm_cli.measures.steps import random_split
from gsm_cli.objectives import GUMBEL, MARGINALIZE, SPARSE
from gsm_cli.runs.training import Run
from gsm_cli.settings import build

EPOCHS = 60
SEEDS = range(3)
FEW = 1.5  # classes for each image


def classes_summed() -> Iterator[Result]:
    """On the settings of the digits' report, less the epochs: of its own models, by seed and in the mean."""
    counts = []
    for seed in SEEDS:
        run, _ = trained(build({"objective": SPARSE, "epochs": EPOCHS, "seed": seed}))
        counts.append(run.epochs[-1].evaluations)
        accuracy = run.epochs[-1].validation_accuracy
        print(f"seed {seed}: {counts[-1]:.2f} of 10 classes for each image, validation accuracy {accuracy:.3f}")
    yield Result("digits: classes for each image in the last epoch", fmean(counts), most=2)


def against_the_sum(weights: Run, split: Split, classes: int, saving: float) -> Iterator[Result]:
    """Steps of three objectives on the same weights, in turns."""
    runs = []
    for name in (MARGINALIZE, SPARSE, GUMBEL):
        shared = {key: getattr(weights.config, key) for key in ("hidden", "latent", "auxiliary", "batch_size")}
        runs.append(Run(build({**shared, "objective": name, "learning_rate": STILL}, preset=None), split))
        runs[-1].model.load_state_dict(weights.model.state_dict())
    kept = evaluations(runs[1])
    marginal, sparse, gumbel = take_turns(*(training_step(run.config, run) for run in runs))
    yield Result(
        f"K = {classes}: marginalize, over sparse-marginalize with {kept:.2f} classes", marginal / sparse, saving
    )
    yield Result(f"K = {classes}: sparse-marginalize with {kept:.2f} classes, over gumbel", sparse / gumbel, most=2)


def evaluations(run: Run) -> float:
    """Of the conditional bound for each unlabelled image, in a step that moves no weight."""
    rows, labelled_rows = torch.arange(run.config.batch_size), torch.arange(len(run.labelled))
    return run.step(0, rows, labelled_rows).evaluations


def savings() -> Iterator[Result]:
    """On the digits, with networks as large as those of `gsm cost`; and with 100 classes, without training."""
    large = {"hidden": (500, 500), "batch_size": 100, "epochs": EPOCHS}
    yield from against_the_sum(*trained(build({**large, "objective": SPARSE})), classes=10, saving=1.2)
    config = build({"objective": SPARSE, "learning_rate": STILL}, preset=None)
    split = random_split(config, 100)
    yield from against_the_sum(sharpened(Run(config, split)), split, classes=100, saving=4)


def sharpened(run: Run) -> Run:
    """The run with the logits of its q(y|a,x) doubled until it sums over few classes."""
    while evaluations(run) > FEW:
        with torch.no_grad():
            run.model.q_y.head.weight *= 2
    return run


if __name__ == "__main__":
    sys.exit(report([classes_summed(), savings()]))
