"""Many measurements of cost, one process after the other in a random order; an interrupted plan goes on."""

import random
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from gsm_cli.config import RunConfig
from gsm_cli.errors import DataError, GsmError, OwnCodeError
from gsm_cli.files import is_there, move
from gsm_cli.measures.step_cost import Task
from gsm_cli.records.cost import CostPlan, CostRecord, CostRow
from gsm_cli.records.steps import StepRecord
from gsm_cli.records.store import read
from gsm_cli.runs.processes import python
from gsm_cli.settings import build

PART = ".part"  # the ending of a measurement that is not whole
Measured = TypeVar("Measured", CostRecord, StepRecord)


def order(plan: CostPlan) -> list[tuple[str, int]]:
    """All measurements of a plan: in each round every objective at every number of classes, shuffled anew."""
    rng = random.Random(plan.seed)
    pairs = [(objective, classes) for objective in plan.objectives for classes in plan.classes]
    return [pair for _ in range(plan.rounds) for pair in rng.sample(pairs, len(pairs))]


def step_settings(plan: CostPlan, objective: str) -> RunConfig:
    """The run whose step is measured: the class's own network and as many labelled as unlabelled images."""
    shared = {"model": plan.model, "precision": plan.precision, "seed": plan.seed, "objective": objective}
    return build({**shared, "batch_size": plan.batch_size, "labels": plan.batch_size}, preset=None)


def begun(record: Measured, path: Path, is_beginning: Callable[[Measured], bool]) -> Measured:
    """The part of a record that lies beside `path`, or the record itself if none does.

    Raises GsmError if the part is of another code or machine, which are never mixed, of another plan, or no beginning.
    """
    part = path.with_suffix(PART)
    if not is_there(part):
        return record
    found = read(part, type(record))
    if (found.code, found.environment) != (record.code, record.environment):
        raise GsmError(
            f"{part} must be of this code and this machine to go on with, and is of {found.code}, "
            f"{found.made_by}: finish it there, or remove it and measure anew"
        )
    if found.plan != record.plan or not is_beginning(found):
        raise DataError(f"{part} must be the beginning of this measurement, and is not: remove it and measure anew")
    return found


def is_beginning(record: CostRecord) -> bool:
    """Whether a record has the first measurements of its plan."""
    return [(row.objective, row.classes) for row in record.rows] == order(record.plan)[: len(record.rows)]


def measure_all(
    record: CostRecord, path: Path, on_row: Callable[[CostRow, int], None] = lambda row, done: None
) -> CostRecord:
    """Measure what a plan's record still lacks, and move it to `path` when it is whole.

    Until then it lies beside it under the ending `.part`, with which a later call goes on.
    """
    record, part = begun(record, path, is_beginning), path.with_suffix(PART)
    for objective, classes in order(record.plan)[len(record.rows) :]:
        row = measure_apart(record.plan, objective, classes)
        record = replace(record, rows=[*record.rows, row])
        record.save(part)
        on_row(row, len(record.rows))
    move(part, path)
    return record


def measure_apart(plan: CostPlan, objective: str, classes: int) -> CostRow:
    """One measurement in a fresh process. Raises GsmError if it fails, for example because memory runs out."""
    task = msgspec.json.encode(Task(step_settings(plan, objective), classes, plan.device))
    child = subprocess.run(python("gsm_cli.measures.step_cost"), input=task, capture_output=True)
    if child.returncode:
        step = f"a step of {objective} with {classes} classes"
        raise failure(child.returncode, child.stderr, step, "leave out the largest --classes")
    return msgspec.json.decode(child.stdout, type=CostRow)


def failure(code: int, said: bytes, what: str, remedy: str) -> GsmError:
    """Why a process that measured ended early: what its last line says, which names somebody's own code."""
    last = (said.decode(errors="replace").strip().splitlines() or ["no word"])[-1]
    if own := last.partition(f"{OwnCodeError.__name__}: ")[2]:
        return OwnCodeError(own)
    reason = "was killed" if code < 0 else last
    return GsmError(f"{what} must fit into memory and end, and did not ({reason}): {remedy}")
