"""What `gsm cost` was asked and what it measured, as data."""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from gsm_cli.config import Count, Model, Natural, NotNegative, Positive, Precision
from gsm_cli.objectives import OBJECTIVES, SPARSE, SUPERVISED
from gsm_cli.records.store import Record, read

CLASSES = (2, 5, 10, 20, 50, 100, 200, 500, 1000)
MEASURED = tuple(name for name in OBJECTIVES if name not in (SPARSE, SUPERVISED))
REFUSED = {
    SPARSE: "must cost the same whatever its model has learnt, and sparse-marginalize does not: leave it out; "
    "benchmarks/sparse.py measures it on a trained model",
    SUPERVISED: "must have a sum over classes to replace, and supervised has none: leave it out",
}
Classes = Annotated[int, Meta(ge=2)]


class CostPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which steps to measure, each `rounds` times; all in a random order that `seed` fixes."""

    objectives: tuple[str, ...] = MEASURED
    classes: tuple[Classes, ...] = CLASSES
    model: Model = "adgm"
    batch_size: Count = 100  # unlabelled images in a step, and labelled ones
    precision: Precision = "float32"
    device: Literal["cpu", "cuda"] = "cpu"
    rounds: Count = 5  # of which one number of classes is enough to show that any of six objectives pays
    seed: Natural = 0
    sha256: dict[str, str] = msgspec.field(
        default_factory=dict
    )  # of the files of estimators of somebody's own, by objective

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

    objective: str
    classes: Classes
    seconds: Annotated[list[Positive], Meta(min_length=1)]  # of each step
    evaluations: NotNegative  # of the conditional bound for each unlabelled image
    flops: Natural  # floating-point operations of the matrix products of a step, those computed again included
    product_rates: Annotated[list[Positive], Meta(min_length=1)]  # operations a second of a large product
    base_bytes: Natural  # the process's memory before the model was made; on a GPU 0
    peak_bytes: Count  # its greatest; on a GPU what the allocator held


class CostRecord(Record, frozen=True, kw_only=True, tag="cost"):
    """All that is known of one measurement of costs."""

    plan: CostPlan
    rows: list[CostRow]


def read_cost(path: Path) -> CostRecord:
    """Read a measurement of costs. Raises DataError as `read_run` does."""
    return read(path, CostRecord)
