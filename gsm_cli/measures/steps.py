"""The cost of training steps: turn after turn in other processes, in the order of a plan; an interrupted one goes on.

`gsm cost` measures each turn in a process of its own, so that none warms or burdens another. `gsm cost --for` times
all in one process, so that every one meets the same machine.
"""

import resource
import time
from collections.abc import Callable, Sequence
from functools import cache
from math import prod
from pathlib import Path
from typing import ParamSpec, TypeVar

import numpy as np
import torch
from msgspec.structs import replace
from torch import Tensor

from gsm_cli.config import RunConfig
from gsm_cli.data import find_dataset
from gsm_cli.data.dataset import Images
from gsm_cli.data.split import Split
from gsm_cli.errors import DataError, GsmError, OwnCodeError, UsageError
from gsm_cli.extensions import own_code
from gsm_cli.files import is_there, move
from gsm_cli.model.generative import M2
from gsm_cli.records.cost import CostPlan, CostRecord, CostRow, Step, StepPlan, StepRecord, StepRow, step_key
from gsm_cli.records.run import RunRecord
from gsm_cli.records.store import read
from gsm_cli.runs.build import Averaging
from gsm_cli.runs.environment import Device, keep_memory, timed
from gsm_cli.runs.places import PLACE
from gsm_cli.runs.processes import Processes
from gsm_cli.runs.training import Run
from gsm_cli.settings import build
from gsm_cli.streams import Purpose, generator

P = ParamSpec("P")
T = TypeVar("T")
Measured = TypeVar("Measured", CostRecord, StepRecord)
PART = ".part"  # the ending of a measurement that is not whole
SHAPE = (28, 28)
LEAST_STEPS, LEAST_SECONDS = 3, 0.5  # of a row of `gsm cost`
WARM_UP = 2  # steps before a turn of `gsm cost --for`
STEPS, LEAST_TURN = 5, 0.3  # of that turn: so many steps, and as many again until it is so many seconds long
LEFT_OUT = -1_000.0  # the logit of a class whose probability is then 0


def begun(record: Measured, path: Path) -> Measured:
    """The part of a record that lies beside `path`, or the record itself if none does.

    Raises GsmError if the part is of another code or machine, which are never mixed, of another plan, or no beginning.
    """
    part = path.with_suffix(PART)
    if not is_there(part):
        return record
    found = read(part, type(record), part=True)
    if (found.code, found.environment) != (record.code, record.environment):
        raise GsmError(
            f"{part} must be of this code and this machine to go on with, and is of {found.code}, "
            f"{found.made_by}: finish it there, or remove it and measure anew"
        )
    turns = [turn[:2] for turn in record.plan.order[: len(found.rows)]]
    if found.plan != record.plan or [row.turn for row in found.rows] != turns:
        raise DataError(f"{part} must be the beginning of this measurement, and is not: remove it and measure anew")
    return found


def measure_turns(
    record: Measured, path: Path, measure: Callable[..., object], on_row: Callable[[Measured], None]
) -> Measured:
    """Measure the turns that a plan's record still lacks, and move it to `path` when it is whole.

    Until then it lies beside it under the ending `.part`, with which a later call goes on.
    """
    record, part = begun(record, path), path.with_suffix(PART)
    for turn in record.plan.order[len(record.rows) :]:
        record = replace(record, rows=[*record.rows, measure(*turn)])
        record.save(part)
        on_row(record)
    move(part, path)
    return record


def apart(pool: Processes, what: str, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What a call returns in the process of a pool. Raises GsmError if it fails, as where memory runs out."""
    try:
        return pool.submit(call, *args, **kwargs).result()
    except OwnCodeError:
        raise
    except Exception as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        rule = f"{what} must fit into memory and end, and did not ({reason})"
        raise GsmError(f"{rule}: free memory, or ask for less") from error


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
    step = repeated(Run(config, random_split(config, classes), device))
    step()  # the caches are warm now, and Adam has its moments
    evaluations = step()
    seconds: list[float] = []
    while len(seconds) < LEAST_STEPS or sum(seconds) < LEAST_SECONDS:
        seconds.append(timed(step, device))
    peak = torch.cuda.max_memory_allocated() if device == "cuda" else peak_memory()
    return CostRow(
        objective=config.objective, classes=classes, seconds=seconds, evaluations=evaluations, peak_bytes=peak
    )


def repeated(run: Run) -> Callable[[], float]:
    """What takes one and the same step of a run, of its first images, and returns its evaluations."""
    counts = (run.config.batch_size, len(run.labelled))
    rows, labelled = (torch.arange(count, device=run.device) for count in counts)
    return lambda: run.step(0, rows, labelled).evaluations


def random_split(config: RunConfig, classes: int, labelled: int | None = None, shape: tuple[int, int] = SHAPE) -> Split:
    """Random bytes as images, of one unlabelled batch, with random classes; nothing to validate or to test."""
    rng = generator(config.seed, Purpose.COST)

    def images(count: int) -> Images:
        return Images(rng.integers(0, 256, (count, prod(shape)), np.uint8), rng.integers(0, classes, count))

    unlabelled = images(config.batch_size)
    parts = (images(labelled or config.labels), unlabelled, images(0), images(0))
    return Split(*parts, classes, shape, "random")


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
    once = repeated(run)

    def several(count: int) -> float:
        return [once() for _ in range(count)][-1]

    several(WARM_UP)
    count, seconds, start = 0, 0.0, time.process_time()
    while not count or seconds < LEAST_TURN:
        seconds += timed(lambda: several(STEPS), device)
        count += STEPS
    busy = time.process_time() - start
    return StepRow(
        step=place,
        round=number,
        evaluations=once(),
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
