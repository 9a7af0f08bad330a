"""What it is worth that `--preset article` does not follow all of the code of the article's picture.

A variant is the preset with one thing as it is there. Both are trained from the same seeds, and read on validation
after as many steps. Needs MNIST (`GSM_DATA_DIR`); takes an hour of one core with bfloat16.

    python benchmarks/article.py
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from math import log
from unittest.mock import patch

import torch
from step import has_bf16, trained
from torch import Tensor

from gsm_cli.analysis.statistics import summarize
from gsm_cli.objectives import GUMBEL, MARGINALIZE
from gsm_cli.reports.markdown import interval
from gsm_cli.settings import build
from gsm_cli.words import points

SEEDS = range(3)
EPOCHS = {GUMBEL: 6, MARGINALIZE: 3}
LEAST, MOST = log(0.01), log(10)  # of a log variance there
TINY = 1e-6  # added to a probability there


def clipped(outputs: Tensor) -> tuple[Tensor, Tensor]:
    """Mean and log variance as they are there."""
    mean, log_variance = torch.chunk(outputs, 2, dim=-1)
    return mean, log_variance.clamp(LEAST, MOST)


def entropy(logits: Tensor) -> Tensor:
    """Of the sum's bound as it is there, in nats."""
    q = logits.softmax(dim=-1)
    return -(q * (q + TINY).log()).sum(dim=-1)


@dataclass(frozen=True)
class Variant:
    """What is as it is there: settings, and functions by their place; in so many passes for one of the preset's."""

    name: str
    objectives: tuple[str, ...]
    settings: Mapping[str, object] = field(default_factory=dict)
    functions: Mapping[str, Callable[[Tensor], object]] = field(default_factory=dict)
    passes: int = 1


PRESET = Variant("the preset", (GUMBEL, MARGINALIZE))
VARIANTS = (
    Variant("log variances between log 0.01 and log 10", (GUMBEL,), functions={"generative.gaussian": clipped}),
    Variant("1e-6 inside the logarithm of the entropy", (MARGINALIZE,), functions={"terms.entropy": entropy}),
    Variant("batches of 200", (MARGINALIZE,), settings={"batch_size": 200}, passes=2),
)


def accuracy(objective: str, seed: int, variant: Variant = PRESET) -> float:
    """On the validation images, after the last epoch."""
    named = {"dataset": "mnist", "objective": objective, "seed": seed, "epochs": EPOCHS[objective] * variant.passes}
    named |= {"precision": "bf16" if has_bf16() else "float32", **variant.settings}
    with ExitStack() as stack:
        for place, function in variant.functions.items():
            stack.enter_context(patch(f"gsm_cli.model.{place}", function))
        run, _ = trained(build(named, preset="article"))
    return run.epochs[-1].validation_accuracy


def main() -> None:
    for objective, epochs in EPOCHS.items():
        usual = {seed: accuracy(objective, seed) for seed in SEEDS}
        print(f"{objective} after {epochs} epochs: {interval(summarize([*usual.values()]))} %", flush=True)
        for variant in (each for each in VARIANTS if objective in each.objectives):
            differences = [accuracy(objective, seed, variant) - usual[seed] for seed in SEEDS]
            print(f"  {variant.name}: {interval(summarize(differences), points)} points", flush=True)


if __name__ == "__main__":
    main()
