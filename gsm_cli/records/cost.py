"""What `gsm cost` was asked and what it measured, as data in JSON; no heavy import."""

import hashlib
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from gsm_cli.config import ModelName, Objective, Precision
from gsm_cli.errors import UsageError
from gsm_cli.records.run import read_json, save_json

CLASSES = (2, 5, 10, 20, 50, 100, 200, 500, 1000)
OBJECTIVES = tuple(  # the cost of sparse-marginalize is that of what its model has learnt; supervised has no classes
    each for each in Objective if each not in (Objective.SPARSE_MARGINALIZE, Objective.SUPERVISED)
)


@dataclass(frozen=True)
class CostPlan:
    """Which steps to measure, each `rounds` times; all in a random order that `seed` fixes."""

    objectives: tuple[Objective, ...] = OBJECTIVES
    classes: tuple[int, ...] = CLASSES
    model: ModelName = ModelName.ADGM
    batch_size: int = 100  # unlabelled images in a step, and labelled ones
    precision: Precision = Precision.FLOAT32
    device: str = "cpu"
    rounds: int = 3
    seed: int = 0

    def __post_init__(self) -> None:
        if Objective.SPARSE_MARGINALIZE in self.objectives:
            raise UsageError(
                "--objective must cost the same whatever its model has learnt, and sparse-marginalize does not: "
                "leave it out; benchmarks/step.py measures it on a trained model"
            )
        if Objective.SUPERVISED in self.objectives:
            raise UsageError(
                "--objective must have a sum over classes to replace, and supervised has none: leave it out"
            )
        if min(self.classes) < 2:
            raise UsageError(f"--classes must be at least 2, not {min(self.classes)}: raise it")

    @property
    def name(self) -> str:
        """The name of the record's file."""
        digest = hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:8]
        return f"{self.model}-{self.device}-{digest}"


@dataclass(frozen=True)
class CostRow:
    """One step of one objective at one number of classes, as one fresh process measured it."""

    objective: Objective
    classes: int
    seconds: list[float]  # of each step
    evaluations: float  # of the conditional bound for each unlabelled image
    flops: int  # floating-point operations of the matrix products of a step, those computed again included
    product_rates: list[float]  # operations per second of a large matrix product, around the steps
    base_bytes: int  # the process's memory before the model was made; on a GPU 0
    peak_bytes: int  # its greatest; on a GPU what the allocator held


@dataclass(frozen=True)
class CostRecord:
    """All that is known of one measurement of costs."""

    plan: CostPlan
    version: str
    environment: dict[str, Any]
    rows: list[CostRow] = field(default_factory=list)

    @property
    def machine(self) -> str:
        """Where it was measured, in words."""
        return ", ".join(f"{name} {value}" for name, value in self.environment.items())

    @property
    def finished(self) -> bool:
        return len(self.rows) == len(self.plan.objectives) * len(self.plan.classes) * self.plan.rounds

    def save(self, path: Path) -> None:
        """One line of JSON for every process."""
        save_json(path, asdict(self))


def read_cost(path: Path) -> CostRecord:
    """Read a measurement of costs. Raises DataError as `read_record` does."""
    return read_json(path, lambda data: CostRecord(**data | {"plan": _plan(data["plan"]), "rows": _rows(data["rows"])}))


def _plan(data: dict[str, Any]) -> CostPlan:
    enums = {"model": ModelName(data["model"]), "precision": Precision(data["precision"])}
    objectives = tuple(Objective(name) for name in data["objectives"])
    return CostPlan(**data | enums | {"objectives": objectives, "classes": tuple(data["classes"])})


def _rows(rows: list[dict[str, Any]]) -> list[CostRow]:
    return [CostRow(**row | {"objective": Objective(row["objective"])}) for row in rows]
