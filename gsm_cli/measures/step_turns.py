"""The training steps of a report timed in turns, in one process, so that every one meets the same machine."""

import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import torch
from torch import Tensor

from gsm_cli.data import find_dataset
from gsm_cli.errors import UsageError
from gsm_cli.extensions import own_code
from gsm_cli.measures.rounds import apart, measure_turns
from gsm_cli.measures.step_cost import random_split
from gsm_cli.model.generative import M2
from gsm_cli.records.run import RunRecord
from gsm_cli.records.steps import Step, StepPlan, StepRecord, StepRow, step_key
from gsm_cli.runs.build import Averaging
from gsm_cli.runs.environment import Device, keep_memory, timed
from gsm_cli.runs.places import PLACE
from gsm_cli.runs.processes import Processes
from gsm_cli.runs.training import Run

WARM_UP = 2  # steps before a turn
STEPS, LEAST_SECONDS = 5, 0.3  # of a turn: so many steps, and as many again until it is long enough
LEFT_OUT = -1_000.0  # the logit of a class whose probability is then 0


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


def measure_steps(
    record: StepRecord, path: Path, on_row: Callable[[StepRecord], None] = lambda record: None
) -> StepRecord:
    """Time the turns that a plan's record still lacks, all in one process."""
    plan = record.plan
    with Processes(1, record.environment.threads) as pool:

        def measured(number: int, place: int, evaluations: float | None) -> StepRow:
            what = f"a step of {plan.steps[place].config.name}"
            return apart(pool, what, turn, plan, number, place, evaluations)

        return measure_turns(record, path, measured, on_row)


@own_code()
def turn(plan: StepPlan, number: int, place: int, evaluations: float | None) -> StepRow:
    """Several steps of a fresh model on random images, after some that warm it up."""
    keep_memory()
    torch.set_num_threads(PLACE.get().threads or torch.get_num_threads())
    step, device = plan.steps[place], plan.device
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
    busy = time.process_time() - start
    return StepRow(
        step=place,
        round=number,
        evaluations=several(1),
        steps=count,
        seconds=round(seconds, 6),
        processor_seconds=round(busy, 6),
    )


def keep_classes(model: M2, evaluations: float) -> None:
    """Let q(y|a,x) hold so many classes equally possible and no other, on average over images, whatever it learns."""

    @cache
    def left_out(images: int, classes: int, device: torch.device) -> Tensor:  # (B, K)
        ends = (torch.arange(images + 1, dtype=torch.float64, device=device) * evaluations).floor()
        return torch.arange(classes, device=device) >= ends.diff()[:, None]

    def settle(network: torch.nn.Module, inputs: object, logits: Tensor) -> Tensor:
        return (0.0 * logits).masked_fill(left_out(*logits.shape[-2:], logits.device), LEFT_OUT)

    model.q_y.register_forward_hook(settle)
