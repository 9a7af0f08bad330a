"""What a hundred classes cost on pairs of MNIST digits: reading them, the sum over them, and the sum over few of them.

`sparse-marginalize` costs what its own model leaves it, so that it trains first. Takes a minute or two, and needs MNIST
as `gsm train-ssl --dataset mnist-pairs` does. The exit code is 1 where a number misses what is wanted.

    python benchmarks/pairs.py
"""

import sys
from collections.abc import Iterator
from statistics import median
from time import perf_counter

from step import STILL, Result, product_rate, report, take_turns, trained, training_step
from torch.utils.flop_counter import FlopCounterMode

from gsm_cli.data import find_dataset
from gsm_cli.data.split import Split, load
from gsm_cli.objectives import GUMBEL, MARGINALIZE, SPARSE
from gsm_cli.runs.training import Run
from gsm_cli.settings import build

DATASET = "mnist-pairs"
EPOCHS = 3


def pairs() -> Split:
    """With the labels of the preset."""
    return load(find_dataset(DATASET), labels=1000, seed=0)


def reading() -> Iterator[Result]:
    """From the files of MNIST to the parts of a split, in bytes."""
    times = []
    for _ in range(3):
        start = perf_counter()
        split = pairs()
        times.append(perf_counter() - start)
    yield Result(
        f"reading and making {len(split.unlabelled.classes):,} unlabelled pairs, seconds", median(times), most=2
    )


def the_sum() -> Iterator[Result]:
    """A whole step of the preset, labelled images and Adam included."""
    config = build({"dataset": DATASET, "objective": MARGINALIZE})
    work = training_step(config, Run(config, pairs()))
    with FlopCounterMode(display=False) as counter:
        work()
    rate = product_rate()
    (seconds,) = take_turns(work)
    share = counter.get_total_flops() / seconds / rate
    yield Result("rate of the products of marginalize, of that of one large product", share, least=0.75)


def few_classes() -> Iterator[Result]:
    """Steps of two objectives on the weights of a model that the first has trained, in turns."""
    weights, split = trained(build({"dataset": DATASET, "objective": SPARSE, "epochs": EPOCHS}))
    runs = [
        Run(build({"dataset": DATASET, "objective": name, "learning_rate": STILL}), split) for name in (SPARSE, GUMBEL)
    ]
    for run in runs:
        run.model.load_state_dict(weights.model.state_dict())
    sparse, gumbel = take_turns(*(training_step(run.config, run) for run in runs))
    kept = weights.epochs[-1].evaluations
    yield Result(f"sparse-marginalize with {kept:.1f} of 100 classes, over gumbel", sparse / gumbel, most=2)


if __name__ == "__main__":
    sys.exit(report([reading(), the_sum(), few_classes()]))
