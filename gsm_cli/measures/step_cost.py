"""What one training step costs, measured in a process of its own, so that no measurement warms or burdens another."""

import resource
from collections.abc import Callable
from math import prod
from pathlib import Path

import numpy as np
import torch

from gsm_cli.config import RunConfig
from gsm_cli.data.dataset import Images
from gsm_cli.data.split import Split
from gsm_cli.extensions import own_code
from gsm_cli.measures.rounds import apart, measure_turns
from gsm_cli.records.cost import CostPlan, CostRecord, CostRow
from gsm_cli.runs.environment import Device, timed
from gsm_cli.runs.processes import Processes
from gsm_cli.runs.training import Run
from gsm_cli.settings import build
from gsm_cli.streams import Purpose, generator

SHAPE = (28, 28)
PIXELS = 28 * 28
LEAST_STEPS, LEAST_SECONDS = 3, 0.5


def measure_costs(record: CostRecord, path: Path, on_row: Callable[[CostRecord], None]) -> CostRecord:
    """Measure what a plan's record still lacks, each turn in a fresh process."""
    plan, threads = record.plan, record.environment.threads
    return measure_turns(record, path, lambda name, classes: measure_apart(plan, name, classes, threads), on_row)


def measure_apart(plan: CostPlan, objective: str, classes: int, threads: int) -> CostRow:
    """One measurement in a fresh process, with as many labelled as unlabelled images. Raises GsmError if it fails."""
    shared = {"model": plan.model, "precision": plan.precision, "seed": plan.seed, "objective": objective}
    config = build({**shared, "batch_size": plan.batch_size, "labels": plan.batch_size}, preset=None)
    with Processes(1, threads) as pool:
        what = f"a step of {objective} with {classes} classes"
        return apart(pool, what, measure, config, classes, plan.device)


@own_code()
def measure(config: RunConfig, classes: int, device: Device = "cpu") -> CostRow:
    """Time the training step of these settings on random images, as many labelled ones as the settings say."""
    run = Run(config, random_split(config, classes), device)
    rows, labelled_rows = (torch.arange(count, device=device) for count in (config.batch_size, config.labels))
    run.step(0, rows, labelled_rows)  # the caches are warm now, and Adam has its moments
    evaluations = run.step(0, rows, labelled_rows).evaluations
    seconds: list[float] = []
    while len(seconds) < LEAST_STEPS or sum(seconds) < LEAST_SECONDS:
        seconds.append(timed(lambda: run.step(0, rows, labelled_rows), device))
    peak = torch.cuda.max_memory_allocated() if device == "cuda" else peak_memory()
    return CostRow(
        objective=config.objective, classes=classes, seconds=seconds, evaluations=evaluations, peak_bytes=peak
    )


def random_split(config: RunConfig, classes: int, labelled: int | None = None, shape: tuple[int, int] = SHAPE) -> Split:
    """Random bytes as images, of one unlabelled batch, with random classes; nothing to validate or to test."""
    rng = generator(config.seed, Purpose.COST)

    def images(count: int) -> Images:
        return Images(rng.integers(0, 256, (count, prod(shape)), np.uint8), rng.integers(0, classes, count))

    unlabelled = images(config.batch_size)
    return Split(
        labelled=images(labelled or config.labels),
        unlabelled=unlabelled.pixels,
        unlabelled_classes=unlabelled.classes,
        validation=images(0),
        test=images(0),
        classes=classes,
        shape=shape,
        digest="random",
    )


def peak_memory() -> int:
    """The greatest memory of this process, in bytes.

    Not by psutil, which has none on Linux; nor by getrusage there, which counts what the process had before it became
    Python.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS counts in bytes
    fields = dict(line.split(":", 1) for line in status.read_text("utf-8").splitlines())
    return 1024 * int(fields["VmHWM"].split()[0])
