"""What a second thread brings one run: a step of the MNIST preset on one thread, over the same step on two.

A batch of several runs gives each a thread instead, which wastes nothing. A step is made of products of a hundred rows,
too few for two threads to halve its time. Takes half a minute, on two free cores.

    python benchmarks/threads.py
"""

import sys
from collections.abc import Iterator

import torch
from step import STILL, Result, Work, report, take_turns, training_step

from gsm_cli.measures.steps import random_split
from gsm_cli.objectives import GUMBEL, MARGINALIZE
from gsm_cli.runs.environment import bf16_slowdown
from gsm_cli.runs.training import Run
from gsm_cli.settings import build


def on(threads: int, work: Work) -> Work:
    def limited() -> None:
        torch.set_num_threads(threads)
        work()

    return limited


def second_thread() -> Iterator[Result]:
    for precision in ("float32", "bf16") if bf16_slowdown("cpu") < 1 else ("float32",):
        for name in (GUMBEL, "sum-and-sample", MARGINALIZE):
            config = build({"dataset": "mnist", "objective": name, "precision": precision, "learning_rate": STILL})
            work = training_step(config, Run(config, random_split(config, 10)))
            single, double = take_turns(on(1, work), on(2, work))
            yield Result(f"{name} in {precision}: one thread, over two", single / double, least=1)


if __name__ == "__main__":
    sys.exit(report([second_thread()]))
