"""What `gsm cost` was asked and what it measured, as data: of random images, or of the series of a report."""

import random
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, ClassVar, Literal, TypeVar

import msgspec
from msgspec import Meta, Struct

from gsm_cli.config import SETTINGS, Model, Precision, RunConfig, short_digest
from gsm_cli.objectives import OBJECTIVES, SPARSE, SUPERVISED
from gsm_cli.records.run import Classes
from gsm_cli.records.store import NotBelowZero, Record, Seconds, read
from gsm_cli.rules import Count, Digest, Name, Natural

CLASSES = (2, 5, 10, 20, 50, 100, 200, 500, 1000)
MEASURED = tuple(name for name in OBJECTIVES if name not in (SPARSE, SUPERVISED))
REFUSED = {
    SPARSE: "must cost the same whatever its model has learnt, and sparse-marginalize does not: leave it out; "
    "benchmarks/sparse.py measures it on a trained model",
    SUPERVISED: "must have a sum over classes to replace, and supervised has none: leave it out",
}
TIMELESS = {"seed", *(name for name, setting in SETTINGS.items() if setting.timeless)}  # settings of no time
EVALUATIONS = (1.0, 1.5, 2.0, 4.0)  # for each image: at which, and at all classes, a step of SPARSE is timed
WORKED = 0.95  # of the time of the clock, that one thread works on an idle machine at least
LOAD = 0.5  # of an idle machine at most
Turn = TypeVar("Turn")


class Measurement(Record, frozen=True, kw_only=True):
    """A record of turns, a row for each: of a plan that has their `order`, and whose rows say which `turn` they are."""

    PARTS: ClassVar[str] = "every turn of its plan"
    plan: Any
    rows: list[Any]

    @property
    def is_whole(self) -> bool:
        """Whether there is a row for every turn."""
        plan = self.plan
        if len(self.rows) != plan.rounds * len(plan.turns):
            return False
        return Counter(row.turn for row in self.rows) == Counter(turn[:2] for turn in plan.order)


def shuffled(turns: Sequence[Turn], rounds: int, seed: int) -> list[tuple[int, Turn]]:
    """Every turn once in each round, with the number of that, in an order that the seed fixes."""
    rng = random.Random(seed)
    return [(number, turn) for number in range(rounds) for turn in rng.sample(turns, len(turns))]


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
        return f"{self.model}-{self.device}-{short_digest(settings)}"


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


def step_key(config: RunConfig) -> str:
    """What the time of a step depends on; that of `sparse-marginalize` is read off at the evaluations of its runs."""
    timeless = {*TIMELESS, "threshold"} if config.objective == SPARSE else TIMELESS
    return repr({name: value for name, value in config.identity.items() if name not in timeless})


class Step(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A training step: the settings of a run that takes it, and the sizes of its data."""

    config: RunConfig
    pixels: Count
    classes: Classes
    labelled: Count  # images in a step

    @property
    def evaluations(self) -> tuple[float | None, ...]:
        """At how many for each unlabelled image it is timed; None: at those that it has by itself."""
        if self.config.objective != SPARSE:
            return (None,)
        return (*(count for count in EVALUATIONS if count < self.classes), float(self.classes))


class StepPlan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which steps to time, all of them in each round, in an order that `seed` fixes."""

    steps: Annotated[tuple[Step, ...], Meta(min_length=1)]
    rounds: Count = 5
    device: Literal["cpu", "cuda"] = "cpu"
    seed: Natural = 0

    @property
    def turns(self) -> list[tuple[int, float | None]]:
        """Those of a round: a step by its place, and the evaluations at which it is timed."""
        return [(place, count) for place, step in enumerate(self.steps) for count in step.evaluations]

    @property
    def order(self) -> list[tuple[int, int, float | None]]:
        """The number of the round and the turn, of all of them, in each round shuffled anew."""
        return [(number, *turn) for number, turn in shuffled(self.turns, self.rounds, self.seed)]


class StepRow(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A turn: several steps in a row."""

    step: Natural  # its place in the plan
    round: Natural
    evaluations: NotBelowZero  # of the conditional bound for each unlabelled image
    steps: Count
    seconds: Seconds  # of all of them, by the clock
    processor_seconds: Seconds  # of all threads in that time: less, where others had the processor

    @property
    def turn(self) -> tuple[int, int]:
        return self.round, self.step


class StepRecord(Measurement, frozen=True, kw_only=True, tag="steps"):
    """All that is known of the steps of a report."""

    plan: StepPlan
    load: NotBelowZero | None = None  # cores at work before, over half a second; None where the system does not say
    rows: list[StepRow]

    @property
    def by_processor(self) -> bool:
        """Whether one thread of the processor does all the work, so that its seconds leave out what others do."""
        return self.environment.device == "cpu" and self.environment.threads == 1

    @property
    def worked(self) -> float:
        """The processor's seconds over those of the clock."""
        return sum(row.processor_seconds for row in self.rows) / sum(row.seconds for row in self.rows)

    @property
    def disturbances(self) -> list[str]:
        """Why the machine was not idle, in words; none if it seems that it was."""
        words = [f"had a load of {self.load:.2g} before"] if (self.load or 0.0) > LOAD else []
        if self.rows and self.by_processor and self.worked < WORKED:
            words.append(f"gave the steps {100 * self.worked:.0f} % of the time")
        return words

    def seconds(self, row: StepRow) -> float:
        """Of one step of a turn: the processor's, where one thread of it does all the work, else the clock's."""
        return (row.processor_seconds if self.by_processor else row.seconds) / row.steps


read_cost = partial(read, kind=CostRecord)
read_steps = partial(read, kind=StepRecord)
