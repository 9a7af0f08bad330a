"""What `gsm cost` was asked and what it measured, as data."""

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from gsm_cli.config import Model, Precision
from gsm_cli.errors import DataError
from gsm_cli.estimator_settings import SPARSE, SUPERVISED
from gsm_cli.objectives import OBJECTIVES
from gsm_cli.records.run import Classes
from gsm_cli.records.store import REMEDY, NotBelowZero, Record, Seconds, read
from gsm_cli.rules import Count, Digest, Name, Natural

CLASSES = (2, 5, 10, 20, 50, 100, 200, 500, 1000)
MEASURED = tuple(name for name in OBJECTIVES if name not in (SPARSE, SUPERVISED))
REFUSED = {
    SPARSE: "must cost the same whatever its model has learnt, and sparse-marginalize does not: leave it out; "
    "benchmarks/sparse.py measures it on a trained model",
    SUPERVISED: "must have a sum over classes to replace, and supervised has none: leave it out",
}
Rate = Annotated[float, Meta(ge=1e-9, le=1e100)]


class CostPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which steps to measure, each `rounds` times; all in a random order that `seed` fixes."""

    objectives: Annotated[tuple[Name, ...], Meta(min_length=1)] = MEASURED
    classes: Annotated[tuple[Classes, ...], Meta(min_length=1)] = CLASSES
    model: Model = "adgm"
    batch_size: Count = 100  # unlabelled images in a step, and labelled ones
    precision: Precision = "float32"
    device: Literal["cpu", "cuda"] = "cpu"
    rounds: Count = 5  # enough to show at two numbers of classes in a row that one of all objectives pays
    seed: Natural = 0
    # of the files of estimators of somebody's own, by objective
    sha256: dict[Name, Digest] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in self.objectives:
            if name in REFUSED:
                raise ValueError(f"--objective {REFUSED[name]}")
        if min(self.classes) < 2:
            raise ValueError(f"--classes must be at least 2, not {min(self.classes)}: raise it")

    @property
    def measurements(self) -> int:
        """How many processes it takes."""
        return len(self.objectives) * len(self.classes) * self.rounds

    @property
    def name(self) -> str:
        """The name of the record's file."""
        settings = {name: value for name, value in msgspec.to_builtins(self).items() if value != {}}
        digest = hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:8]
        return f"{self.model}-{self.device}-{digest}"


class CostRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One step of one objective at one number of classes, as one fresh process measured it."""

    objective: Name
    classes: Classes
    seconds: Annotated[list[Seconds], Meta(min_length=1)]  # of each step
    evaluations: NotBelowZero  # of the conditional bound for each unlabelled image
    flops: Natural  # floating-point operations of the matrix products of a step, those computed again included
    product_rates: Annotated[list[Rate], Meta(min_length=1)]  # operations a second of a large product
    base_bytes: Natural  # the process's memory before the model was made; on a GPU 0
    peak_bytes: Count  # its greatest; on a GPU what the allocator held


class CostRecord(Record, frozen=True, kw_only=True, tag="cost"):
    """All that is known of one measurement of costs."""

    plan: CostPlan
    rows: list[CostRow]

    @property
    def departures(self) -> list[str]:
        """Where what was measured is not what was asked for, in words."""
        plan = self.plan
        if len(self.rows) > plan.measurements:
            return [f"{len(self.rows)} measurements of {plan.measurements}"]
        found = Counter((row.objective, row.classes) for row in self.rows)
        pairs = dict.fromkeys((objective, classes) for objective in plan.objectives for classes in plan.classes)
        others = [pair for pair in found if pair not in pairs]
        return [
            f"{found[pair]} of {plan.rounds if pair in pairs else 0} measurements of {pair[0]} with {pair[1]} classes"
            for pair in [*pairs, *others]
            if found[pair] != plan.rounds or pair not in pairs
        ]


def read_cost(path: Path) -> CostRecord:
    """Read a measurement of costs. Raises DataError as `read_run` does, also if a part of it is missing."""
    record = read(path, CostRecord)
    if departures := record.departures:
        raise DataError(f"{path} must have what its plan names, and has {departures[0]}: {REMEDY}")
    return record
