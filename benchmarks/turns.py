"""Processes that take turns: each does so many training steps when it is asked, and says what the processor took.

Started by the other benchmarks; by itself it is one side, a step of `gsm train-ssl` in the MNIST preset on random
images, by whatever `gsm_cli` it finds.

    python benchmarks/turns.py OBJECTIVE PRECISION
"""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from statistics import median

STEPS, TURNS = 10, 12  # in a turn; of every side, after one to warm the caches
IMAGES = 2_000
HERE = Path(__file__).parent
ALONE = {  # one thread, of PyTorch and of JAX
    "OMP_NUM_THREADS": "1",
    "JAX_PLATFORMS": "cpu",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
}


class Side:
    """One of the processes, on one thread; `path` is where it finds its packages first."""

    def __init__(self, script: str, *words: str, path: Path = HERE.parent) -> None:
        variables = os.environ | ALONE | {"PYTHONPATH": str(path)}
        command = [sys.executable, str(HERE / script), *words]
        self.process = subprocess.Popen(
            command, env=variables, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def take(self) -> float:
        """The processor's seconds of a turn."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        return float(self.process.stdout.readline())

    def end(self) -> None:
        self.process.communicate()


def over(sides: Mapping[str, Side], last: str) -> dict[str, float]:
    """The median over turns of the seconds of each side, over those of the last one in the same turn."""
    times = [{name: side.take() for name, side in sides.items()} for _ in range(TURNS + 1)][1:]
    for side in sides.values():
        side.end()
    return {name: median(turn[name] / turn[last] for turn in times) for name in sides if name != last}


def serve(step: Callable[[int], object]) -> None:
    """Take turns as long as somebody asks; `step` is given the number of the step."""
    number = 0
    for _ in sys.stdin:
        start = time.process_time()
        for _ in range(STEPS):
            step(number)
            number += 1
        print(time.process_time() - start, flush=True)


def main(words: Sequence[str]) -> None:
    """Steps of this objective and precision, each on the next batch of images."""
    import torch
    from msgspec import structs

    from gsm_cli.measures.steps import random_split
    from gsm_cli.runs.environment import keep_memory
    from gsm_cli.runs.training import Run
    from gsm_cli.settings import build

    keep_memory()
    torch.set_num_threads(1)
    objective, precision = words
    config = build({"dataset": "mnist", "objective": objective, "precision": precision})
    run = Run(config, random_split(structs.replace(config, batch_size=IMAGES), 10))
    run.model.train()
    rows, labelled = torch.arange(IMAGES).view(-1, config.batch_size), torch.arange(config.labelled_batch or 100)
    serve(lambda number: run.step(number, rows[number % len(rows)], labelled))


if __name__ == "__main__":
    main(sys.argv[1:])
