"""The training steps of a report timed in turns, in one process, so that every one meets the same machine.

python -m gsm_cli.measures.step_turns     reads a Task as JSON, prints the rows of every round as a line of JSON
"""

import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import IO, cast

import msgspec
import torch
from msgspec.structs import replace
from torch import Tensor

from gsm_cli.data import find_dataset
from gsm_cli.errors import UsageError
from gsm_cli.extensions import own_code
from gsm_cli.files import move
from gsm_cli.measures.cost_rounds import PART, begun, failure
from gsm_cli.measures.step_cost import random_split
from gsm_cli.model.generative import M2
from gsm_cli.records.run import RunRecord
from gsm_cli.records.steps import Step, StepPlan, StepRecord, StepRow, step_key
from gsm_cli.runs.build import Averaging
from gsm_cli.runs.environment import Device, keep_memory, timed
from gsm_cli.runs.processes import python
from gsm_cli.runs.training import Run

WARM_UP = 2  # steps before a turn
STEPS, LEAST_SECONDS = 5, 0.3  # of a turn: so many steps, and as many again until it is long enough
LEFT_OUT = -1_000.0  # the logit of a class whose probability is then 0


class Task(msgspec.Struct, frozen=True):
    """The rounds of a plan from one on."""

    plan: StepPlan
    threads: int
    first: int


def plan_of(records: Sequence[RunRecord], rounds: int, device: Device, seed: int) -> StepPlan:
    """A step for all runs whose steps take the same time.

    Raises UsageError where an estimator or images of somebody's own are gone, or are not what they were.
    """
    steps = {step_key(record.config): record for record in reversed(records)}
    return StepPlan(steps=tuple(map(_step, reversed(steps.values()))), rounds=rounds, device=device, seed=seed)


def _step(record: RunRecord) -> Step:
    config = record.config
    if config.objective_sha256:
        Averaging(config)
    dataset = find_dataset(config.dataset)
    if dataset.sha256 != config.dataset_sha256:
        raise UsageError(f"{config.dataset} must stay as it was when the runs began, and changed: restore it")
    height, width = dataset.shape
    labelled = config.labels * record.classes // dataset.classes
    return Step(
        config=config,
        pixels=height * width,
        classes=record.classes,
        labelled=min(labelled, config.labelled_batch or labelled),
    )


def measure_steps(record: StepRecord, path: Path, on_round: Callable[[int], None] = lambda done: None) -> StepRecord:
    """Time the rounds that a plan's record still lacks, and move it to `path` when it is whole.

    Until then it lies beside it under the ending `.part`, with which a later call goes on.
    """
    record, part = begun(record, path, is_beginning), path.with_suffix(PART)
    for number, rows in _rounds(record):
        record = replace(record, rows=[*record.rows, *rows])
        record.save(part)
        on_round(number + 1)
    move(part, path)
    return record


def is_beginning(record: StepRecord) -> bool:
    """Whether a record has whole rounds, as many as there may be."""
    turns = [(number, place) for number in range(record.plan.rounds) for place, _ in order(record.plan, number)]
    return [(row.round, row.step) for row in record.rows] == turns[: len(record.rows)] and not _rest(record)


def _rest(record: StepRecord) -> int:
    return len(record.rows) % len(record.plan.turns)


def _rounds(record: StepRecord) -> Iterator[tuple[int, list[StepRow]]]:
    """Every round that is lacking, from a process of its own. Raises GsmError if that fails."""
    plan = record.plan
    first = len(record.rows) // len(plan.turns)
    command = python("gsm_cli.measures.step_turns")
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as child:
        try:
            requests, answers = cast(IO[bytes], child.stdin), cast(IO[bytes], child.stdout)
            requests.write(msgspec.json.encode(Task(plan, record.environment.threads, first)))
            requests.close()
            for number in range(first, plan.rounds):
                line = answers.readline()
                if not line:
                    said = cast(IO[bytes], child.stderr).read()
                    raise failure(child.wait(), said, "every step of the report", "free memory")
                yield number, msgspec.json.decode(line, type=list[StepRow])
        finally:
            child.kill()


def order(plan: StepPlan, number: int) -> list[tuple[int, float | None]]:
    """The turns of a round, shuffled anew."""
    return random.Random(f"{plan.seed} {number}").sample(plan.turns, len(plan.turns))


def turn(step: Step, evaluations: float | None, device: Device) -> tuple[int, float, float, float]:
    """Several steps of a fresh model on random images, after some that warm it up.

    How many they were, the seconds of the clock and of the processor, and what one evaluates for each unlabelled image.
    """
    config = step.config
    run = Run(config, random_split(config, step.classes, step.labelled, (1, step.pixels)), device)
    if evaluations is not None:
        keep_classes(run.model, evaluations)
    rows, labelled = (torch.arange(count, device=device) for count in (config.batch_size, step.labelled))

    def several(count: int) -> float:
        return [run.step(0, rows, labelled).evaluations for _ in range(count)][-1]

    several(WARM_UP)
    count, seconds, start = 0, 0.0, time.process_time()
    while not count or seconds < LEAST_SECONDS:
        seconds += timed(lambda: several(STEPS), device)
        count += STEPS
    return count, seconds, time.process_time() - start, several(1)


def keep_classes(model: M2, evaluations: float) -> None:
    """Let q(y|a,x) hold so many classes equally possible and no other, on average over images, whatever it learns."""

    @cache
    def left_out(images: int, classes: int, device: torch.device) -> Tensor:  # (B, K)
        ends = (torch.arange(images + 1, dtype=torch.float64, device=device) * evaluations).floor()
        return torch.arange(classes, device=device) >= ends.diff()[:, None]

    def settle(network: torch.nn.Module, inputs: object, logits: Tensor) -> Tensor:
        return (0.0 * logits).masked_fill(left_out(*logits.shape[-2:], logits.device), LEFT_OUT)

    model.q_y.register_forward_hook(settle)


def main() -> None:
    """Time what stdin asks for."""
    task = msgspec.json.decode(sys.stdin.buffer.read(), type=Task)
    plan = task.plan
    keep_memory()
    torch.set_num_threads(task.threads)
    for number in range(task.first, plan.rounds):
        with own_code():
            rows = [_row(plan, number, place, count) for place, count in order(plan, number)]
        print(msgspec.json.encode(rows).decode(), flush=True)


def _row(plan: StepPlan, number: int, place: int, count: float | None) -> StepRow:
    steps, seconds, busy, evaluations = turn(plan.steps[place], count, plan.device)
    return StepRow(
        step=place,
        round=number,
        evaluations=evaluations,
        steps=steps,
        seconds=round(seconds, 6),
        processor_seconds=round(busy, 6),
    )


if __name__ == "__main__":
    main()
