"""Many measurements of cost, one process after the other in a random order; an interrupted plan goes on."""

import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from gsm_cli.config import Objective
from gsm_cli.errors import GsmError
from gsm_cli.records.cost import CostPlan, CostRecord, CostRow, read_cost


def order(plan: CostPlan) -> list[tuple[Objective, int]]:
    """All measurements of a plan: in each round every objective at every number of classes, shuffled anew."""
    rng = random.Random(plan.seed)
    pairs = [(objective, classes) for objective in plan.objectives for classes in plan.classes]
    return [pair for _ in range(plan.rounds) for pair in rng.sample(pairs, len(pairs))]


def settings(plan: CostPlan, objective: Objective) -> dict[str, Any]:
    """The run whose step is measured: the class's own network and as many labelled as unlabelled images."""
    shared = {"model": plan.model, "precision": plan.precision, "device": plan.device, "seed": plan.seed}
    return {**shared, "objective": objective, "batch_size": plan.batch_size, "labels": plan.batch_size}


def measure_all(
    record: CostRecord, path: Path, on_row: Callable[[CostRow, int], None] = lambda row, done: None
) -> CostRecord:
    """Measure what a plan's record still lacks, and move it to `path` when it is whole.

    Until then it lies beside it under the ending `.part`, with which a later call goes on.
    """
    part = path.with_suffix(".part")
    if part.exists():
        found = read_cost(part)
        same = (found.version, found.environment) == (record.version, record.environment)
        record = found if same else record
    for objective, classes in order(record.plan)[len(record.rows) :]:
        record.rows.append(measure_apart(record.plan, objective, classes))
        record.save(part)
        on_row(record.rows[-1], len(record.rows))
    record.save(path)
    part.unlink(missing_ok=True)
    return record


def measure_apart(plan: CostPlan, objective: Objective, classes: int) -> CostRow:
    """One measurement in a fresh process. Raises GsmError if it fails, as for want of memory."""
    task = json.dumps({"settings": settings(plan, objective), "classes": classes})
    child = subprocess.run(
        [sys.executable, "-m", "gsm_cli.measures.step_cost"], input=task, capture_output=True, text=True
    )
    if child.returncode:
        reason = "was killed" if child.returncode < 0 else (child.stderr.strip().splitlines() or ["no word"])[-1]
        raise GsmError(
            f"a step of {objective} with {classes} classes must fit into memory and end, and did not ({reason}): "
            "leave out the largest --classes"
        )
    row = json.loads(child.stdout)
    return CostRow(**row | {"objective": Objective(row["objective"])})
