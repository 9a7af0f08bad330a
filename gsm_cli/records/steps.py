"""What `gsm cost --for` measured, as data: the training step of every series of a report, in turns."""

from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from gsm_cli.config import SETTINGS, RunConfig
from gsm_cli.objectives import SPARSE
from gsm_cli.records.run import Classes
from gsm_cli.records.store import Measurement, NotBelowZero, Seconds, read_whole, shuffled
from gsm_cli.rules import Count, Natural

TIMELESS = {"seed", *(name for name, setting in SETTINGS.items() if setting.timeless)}  # settings of no time
EVALUATIONS = (1.0, 1.5, 2.0, 4.0)  # for each image: at which, and at all classes, a step of SPARSE is timed
WORKED = 0.95  # of the time of the clock, that one thread works on an idle machine at least
LOAD = 0.5  # of an idle machine at most


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


def read_steps(path: Path) -> StepRecord:
    """Read a record of steps. Raises DataError as `read_run` does, also if a part of it is missing."""
    return read_whole(path, StepRecord)
