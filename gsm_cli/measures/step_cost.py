"""What one training step costs, measured in a process of its own, so that no measurement warms or burdens another.

python -m gsm_cli.measures.step_cost     reads a Task as JSON, prints a CostRow as JSON
"""

import resource
import sys
from math import prod
from pathlib import Path

import msgspec
import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from gsm_cli.config import Precision, RunConfig
from gsm_cli.data.images import Images
from gsm_cli.data.split import Split
from gsm_cli.extensions import own_code
from gsm_cli.records.cost import CostRow
from gsm_cli.runs.environment import Device, timed
from gsm_cli.runs.training import Run
from gsm_cli.streams import Purpose, generator

SHAPE = (28, 28)
PIXELS = 28 * 28
PRODUCT_SIZE = 2_048  # of the square matrices whose product is timed
PRODUCTS = 3
LEAST_STEPS, LEAST_SECONDS = 3, 0.5


class Task(msgspec.Struct, frozen=True):
    """What one process measures."""

    config: RunConfig
    classes: int
    device: Device


def measure(config: RunConfig, classes: int, device: Device = "cpu") -> CostRow:
    """Time the training step of these settings on random images, as many labelled ones as the settings say."""
    base = 0 if device == "cuda" else memory("VmRSS")
    run = Run(config, random_split(config, classes), device)
    rows, labelled_rows = (torch.arange(count, device=device) for count in (config.batch_size, config.labels))
    run.step(0, rows, labelled_rows)  # the caches are warm now, and Adam has its moments
    evaluations = run.step(0, rows, labelled_rows).evaluations
    peak = torch.cuda.max_memory_allocated() if device == "cuda" else memory("VmHWM")
    rates = product_rates(config.precision, device)  # after the peak: its matrices take memory too
    seconds: list[float] = []
    while len(seconds) < LEAST_STEPS or sum(seconds) < LEAST_SECONDS:
        seconds.append(timed(lambda: run.step(0, rows, labelled_rows), device))
    with FlopCounterMode(display=False) as counter:  # last: it holds on to memory
        run.step(0, rows, labelled_rows)
    return CostRow(
        objective=config.objective,
        classes=classes,
        seconds=seconds,
        evaluations=evaluations,
        flops=counter.get_total_flops(),
        product_rates=rates + product_rates(config.precision, device),
        base_bytes=base,
        peak_bytes=peak,
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


def product_rates(precision: Precision, device: Device) -> list[float]:
    """Floating-point operations per second of a large matrix product."""
    dtype = torch.bfloat16 if precision == "bf16" else torch.float32
    factors = torch.rand(2, PRODUCT_SIZE, PRODUCT_SIZE, device=device).to(dtype)
    times = [timed(lambda: factors[0] @ factors[1], device) for _ in range(1 + PRODUCTS)][1:]
    return [2 * PRODUCT_SIZE**3 / seconds for seconds in times]


def memory(name: str) -> int:
    """Bytes of this process: VmRSS now, VmHWM at the greatest; where there is no /proc, the greatest for both.

    Not psutil, which has no greatest memory on Linux; nor getrusage there, which counts that of the process before it
    became Python.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS counts in bytes
    fields = dict(line.split(":", 1) for line in status.read_text("utf-8").splitlines())
    return 1024 * int(fields[name].split()[0])


def main() -> None:
    """Measure what stdin asks for."""
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    with own_code():
        row = measure(task.config, task.classes, task.device)
    print(msgspec.json.encode(row).decode())


if __name__ == "__main__":
    main()
