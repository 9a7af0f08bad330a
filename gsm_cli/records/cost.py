"""What `gsm cost` was asked and what it measured, as data."""

import hashlib
import json
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from gsm_cli.config import Model, Precision
from gsm_cli.objectives import OBJECTIVES, SPARSE, SUPERVISED
from gsm_cli.records.run import Classes
from gsm_cli.records.store import Measurement, NotBelowZero, Seconds, read_whole, shuffled
from gsm_cli.rules import Count, Digest, Name, Natural

CLASSES = (2, 5, 10, 20, 50, 100, 200, 500, 1000)
MEASURED = tuple(name for name in OBJECTIVES if name not in (SPARSE, SUPERVISED))
REFUSED = {
    SPARSE: "must cost the same whatever its model has learnt, and sparse-marginalize does not: leave it out; "
    "benchmarks/sparse.py measures it on a trained model",
    SUPERVISED: "must have a sum over classes to replace, and supervised has none: leave it out",
}


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
    def turns(self) -> list[tuple[str, int]]:
        """Those of a round: every objective at every number of classes."""
        return [(objective, classes) for objective in self.objectives for classes in self.classes]

    @property
    def order(self) -> list[tuple[str, int]]:
        """All turns, in each round shuffled anew."""
        return [turn for _, turn in shuffled(self.turns, self.rounds, self.seed)]

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
    peak_bytes: Count  # the greatest memory of the process; on a GPU what the allocator held

    @property
    def turn(self) -> tuple[str, int]:
        return self.objective, self.classes


class CostRecord(Measurement, frozen=True, kw_only=True, tag="cost"):
    """All that is known of one measurement of costs."""

    plan: CostPlan
    rows: list[CostRow]


def read_cost(path: Path) -> CostRecord:
    """Read a measurement of costs. Raises DataError as `read_run` does, also if a part of it is missing."""
    return read_whole(path, CostRecord)
