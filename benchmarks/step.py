"""What a training step costs, as ratios measured in one run; docs/performance.md says what they mean.

Both sides of a comparison take turns, so that a busy moment of the machine slows both. The steps of today are compared
with those of an earlier commit, which git unpacks into a temporary folder. The exit code is 1 where a ratio misses what
is wanted. Takes five minutes.

    python benchmarks/step.py
"""

import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from io import BytesIO
from itertools import cycle
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import torch
from msgspec import structs
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from turns import HERE, Side, over

from gsm_cli.config import RunConfig
from gsm_cli.data import find_dataset
from gsm_cli.data.dataset import Images
from gsm_cli.data.split import Split, load
from gsm_cli.measures.steps import measure_apart, random_split
from gsm_cli.model.bounds import Estimator
from gsm_cli.model.estimators import Marginal
from gsm_cli.model.generative import M2
from gsm_cli.model.networks import Architecture
from gsm_cli.model.terms import ConditionalBound, unlabelled_bound
from gsm_cli.objectives import MARGINALIZE
from gsm_cli.records.cost import CostPlan
from gsm_cli.runs.build import shuffle
from gsm_cli.runs.environment import timed
from gsm_cli.runs.training import Run
from gsm_cli.settings import build

IMAGES, PIXELS = 100, 784
LEAST_SECONDS, LEAST_TURNS = 3.0, 5
STILL = 1e-12  # a learning rate that moves no weight, so that a step costs the same however often it is taken
PAST = "e2ce408"
WANTED = {  # of the past over now
    ("gumbel", "float32"): 1.35,
    ("sum-and-sample", "float32"): 1.25,
    ("marginalize", "float32"): 1.1,
    ("gumbel", "bf16"): 1.45,
    ("sum-and-sample", "bf16"): 1.35,
    ("marginalize", "bf16"): 1.18,
}
Work = Callable[[], object]


@dataclass(frozen=True)
class Result:
    """A measured ratio, and what it should be at the least or at the most."""

    name: str
    ratio: float
    least: float = 0.0
    most: float = float("inf")

    def __str__(self) -> str:
        wanted = f"at least {self.least:.3g}" if self.least else f"at most {self.most:g}"
        return f"{self.name:<72}{self.ratio:>8.2f}  {wanted:<14}{'' if self.holds else 'MISSED'}"

    @property
    def holds(self) -> bool:
        return self.least <= self.ratio <= self.most


def take_turns(*works: Work) -> list[float]:
    """The median seconds of each, taken in turns after one turn to warm the caches."""
    times: list[list[float]] = [[] for _ in works]
    while len(times[0]) <= LEAST_TURNS or sum(map(sum, times)) < LEAST_SECONDS:
        for work, own in zip(works, times, strict=True):
            own.append(timed(work, "cpu"))
    return [median(own[1:]) for own in times]


class Unlabelled:
    """Unlabelled M2 steps of one batch with fixed noise: this project's, and others' with the same weights."""

    def __init__(self, classes: int) -> None:
        torch.manual_seed(0)
        self.architecture = Architecture(PIXELS, classes)
        self.model = M2(self.architecture)
        self.x = (torch.rand(IMAGES, PIXELS) > 0.5).float()
        self.noise = torch.randn(IMAGES, self.architecture.latent)

    def loss(self, estimator: Estimator, model: M2) -> Tensor:
        rng = torch.Generator().manual_seed(0)
        evidence = replace(model.encode(self.x, 1, rng), noise=self.noise[None])
        return -unlabelled_bound(ConditionalBound(model, evidence), estimator, rng).mean()

    def ours(self, estimator: Estimator, bf16: bool = False) -> Work:
        model = M2(replace(self.architecture, bf16=bf16))
        model.load_state_dict(self.model.state_dict())
        return step(lambda: self.loss(estimator, model), model)


def step(loss: Callable[[], Tensor], model: nn.Module) -> Work:
    """A whole update: bound, gradient, Adam."""
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-4, fused=True)

    def update() -> None:
        optimizer.zero_grad()
        loss().backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return update


def training_step(config: RunConfig, run: Run) -> Work:
    """A step of `gsm train-ssl` on the first images of a run."""
    rows, labelled_rows = torch.arange(config.batch_size), torch.arange(len(run.labelled))
    return lambda: run.step(0, rows, labelled_rows)


def trained(config: RunConfig) -> tuple[Run, Split]:
    """A run to its end, and its images."""
    split = load(find_dataset(config.dataset), config.labels, config.seed)
    run = Run(config, split)
    for _ in range(config.epochs):
        run.epochs.append(run.epoch())
    return run, split


def against_the_past() -> Iterator[Result]:
    """The step of `gsm train-ssl` in the MNIST preset, over that of an earlier commit."""
    found = subprocess.run(["git", "-C", HERE.parent, "archive", PAST], capture_output=True)
    if found.returncode:
        print(f"not compared with {PAST}: this is no clone of gsm with that commit")
        return
    with TemporaryDirectory() as folder, tarfile.open(fileobj=BytesIO(found.stdout)) as past:
        past.extractall(folder, filter="data")
        for (objective, precision), least in WANTED.items():
            if precision == "bf16" and not has_bf16():
                print(f"{objective} in bf16: not measured, for this processor has no instructions for it")
                continue
            sides = {"past": Side("turns.py", objective, precision, path=Path(folder))}
            sides["now"] = Side("turns.py", objective, precision)
            yield Result(f"{objective} in {precision}: {PAST}, over now", over(sides, "now")["past"], least)


def product_rate(size: int = 2_048) -> float:
    """Floating-point operations per second of a large matrix product."""
    factors = torch.rand(2, size, size)
    return 2 * size**3 / median([timed(lambda: factors[0] @ factors[1], "cpu") for _ in range(4)][1:])


def has_bf16() -> bool:
    """Whether the processor multiplies in bfloat16."""
    present = torch.cpu.get_capabilities()
    return any(present.get(name) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def arithmetic() -> Iterator[Result]:
    for classes in (10, 100):
        steps = Unlabelled(classes)
        work = steps.ours(Marginal())
        with FlopCounterMode(display=False) as counter:
            work()
        rate = product_rate()
        single, half = take_turns(work, steps.ours(Marginal(), bf16=True))
        share = counter.get_total_flops() / single / rate
        wanted = {10: 0.5, 100: 0.75}[classes]
        yield Result(f"K = {classes}: rate of marginalize, of that of one large product", share, least=wanted)
        yield Result(f"K = {classes}: marginalize in float32, over bf16", single / half, least=1.5)


def pieces() -> Iterator[Result]:
    steps = Unlabelled(100)
    ours, whole = take_turns(steps.ours(Marginal()), steps.ours(Marginal(piece=10**9)))
    yield Result("K = 100: all classes in one piece, over marginalize", whole / ours, least=1)


def few_classes() -> Iterator[Result]:
    configs = [build({"objective": name}, preset=None) for name in ("gumbel", "sum-and-sample")]
    works = [training_step(config, Run(config, random_split(config, 100))) for config in configs]
    gumbel, summed = take_turns(*works)
    yield Result("K = 100: sum-and-sample, over gumbel", summed / gumbel, most=2)


def memory() -> Iterator[Result]:
    steps = Unlabelled(1000)
    bounded, kept = take_turns(steps.ours(Marginal()), steps.ours(Marginal(keep=10**9)))
    yield Result("K = 1,000: marginalize in bounded memory, over all kept", bounded / kept, most=1.4)
    plan = CostPlan(rounds=1)
    peak = measure_apart(plan, MARGINALIZE, 1000, torch.get_num_threads()).peak_bytes
    yield Result("K = 1,000: greatest memory of an ADGM marginalize process, GiB", peak / 2**30, most=2)


def loop() -> Iterator[Result]:
    config = build({"objective": "gumbel", "epochs": 1}, preset=None)
    split = random_split(structs.replace(config, batch_size=20_000), 10)
    images = Images(split.unlabelled.pixels[:4_000], split.unlabelled.pixels[:4_000, 0].astype("int64") % 10)
    run = Run(config, replace(split, validation=images))
    rng = torch.Generator().manual_seed(0)
    rows = shuffle(len(run.pixels), run.steps, config.batch_size, rng)
    labelled_rows = torch.arange(config.labels)
    numbers = cycle(range(run.steps))

    def one_step() -> None:
        run.step(0, rows[next(numbers)], labelled_rows)

    ratios = [timed(run.epoch, "cpu") / (run.steps * take_turns(one_step)[0]) for _ in range(3)]
    yield Result("an epoch with its validation, over its steps", median(ratios), most=1.1)


def report(parts: Iterable[Iterator[Result]]) -> int:
    """Print every number; 1 where one misses what is wanted, else 0."""
    missed = False
    for part in parts:
        for result in part:
            print(result, flush=True)
            missed |= not result.holds
    return int(missed)


if __name__ == "__main__":
    sys.exit(report(part() for part in (against_the_past, arithmetic, pieces, few_classes, memory, loop)))
