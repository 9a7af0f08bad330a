"""What one training step costs, measured in a process of its own, so that no measurement warms or burdens another.

python -m gsm_cli.measures.step_cost     reads settings and the number of classes as JSON, prints a CostRow as JSON
"""

import json
import resource
import sys
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from gsm_cli.config import Precision, RunConfig, build
from gsm_cli.data.split import Images, Split
from gsm_cli.records.cost import CostRow
from gsm_cli.runs.environment import timed
from gsm_cli.runs.training import Run

PIXELS = 784
PRODUCT_SIZE = 2_048  # of the square matrices whose product is timed
PRODUCTS = 3
LEAST_STEPS, LEAST_SECONDS = 3, 0.5


def measure(config: RunConfig, classes: int) -> CostRow:
    """Time the training step of these settings on random images, as many labelled ones as the settings say."""
    base = 0 if config.device == "cuda" else memory("VmRSS")
    run = Run(config, random_split(config, classes))
    rows, labelled_rows = (torch.arange(count, device=config.device) for count in (config.batch_size, config.labels))
    run.step(0, rows, labelled_rows)  # the caches are warm now, and Adam has its moments
    evaluations = run.step(0, rows, labelled_rows)[-1].item()
    peak = torch.cuda.max_memory_allocated() if config.device == "cuda" else memory("VmHWM")
    rates = product_rates(config)  # after the peak: its matrices take memory too
    seconds: list[float] = []
    while len(seconds) < LEAST_STEPS or sum(seconds) < LEAST_SECONDS:
        seconds.append(timed(lambda: run.step(0, rows, labelled_rows), config.device))
    with FlopCounterMode(display=False) as counter:  # last: it holds on to memory
        run.step(0, rows, labelled_rows)
    return CostRow(
        objective=config.objective,
        classes=classes,
        seconds=seconds,
        evaluations=evaluations,
        flops=counter.get_total_flops(),
        product_rates=rates + product_rates(config),
        base_bytes=base,
        peak_bytes=peak,
    )


def random_split(config: RunConfig, classes: int) -> Split:
    """Random bytes as images, with random classes; nothing to validate or to test."""
    rng = np.random.default_rng(config.seed)

    def images(count: int) -> Images:
        return Images(rng.integers(0, 256, (count, PIXELS), np.uint8), rng.integers(0, classes, count))

    return Split(images(config.labels), images(config.batch_size).pixels, images(0), images(0), classes, "random")


def product_rates(config: RunConfig) -> list[float]:
    """Floating-point operations per second of a large matrix product in the precision of the settings."""
    dtype = torch.bfloat16 if config.precision is Precision.BF16 else torch.float32
    factors = torch.rand(2, PRODUCT_SIZE, PRODUCT_SIZE, device=config.device).to(dtype)
    times = [timed(lambda: factors[0] @ factors[1], config.device) for _ in range(1 + PRODUCTS)][1:]
    return [2 * PRODUCT_SIZE**3 / seconds for seconds in times]


def memory(name: str) -> int:
    """Bytes of this process: VmRSS now, VmHWM at the greatest; where there is no /proc, the greatest for both."""
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # macOS counts in bytes
    fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
    return 1024 * int(fields[name].split()[0])


def main() -> None:
    """Measure what stdin asks for."""
    task = json.load(sys.stdin)
    row = measure(build(task["settings"], preset=None), task["classes"])
    print(json.dumps(asdict(row)))


if __name__ == "__main__":
    main()
