"""The runs that may be averaged, what a report asks of them, and the clock that times their steps."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import fmean, geometric_mean
from typing import Literal

import numpy as np
import numpy.typing as npt

from gsm_cli.analysis.identity import Identity
from gsm_cli.analysis.statistics import Score, Summary, of_shares, summarize, summarize_ratios, wilson
from gsm_cli.config import RunConfig
from gsm_cli.errors import inert
from gsm_cli.records.cost import StepRecord, StepRow, step_key
from gsm_cli.records.curves import Curves
from gsm_cli.records.run import Reading, RunRecord
from gsm_cli.words import counted

Numbers = npt.NDArray[np.float64]

Floor = Literal["", "chance", "supervised"]  # what a series is not surely above


@dataclass(frozen=True)
class Clock:
    """A step in every round of its measurement: seconds at evaluations of the bound, the fewest first.

    `words` say where and how it was measured.
    """

    rounds: Sequence[Sequence[tuple[float, float]]]
    words: str

    def seconds(self, evaluations: Sequence[float]) -> Numbers:
        """Of steps that evaluate so much for each unlabelled image: a row for each round.

        Between two numbers at which it was measured a straight line is read off.
        """
        return np.array([np.interp(evaluations, *np.array(found).T) for found in self.rounds])


def clocks(record: StepRecord | None) -> dict[str, Clock]:
    """The clock of every step that was measured, by its key."""
    if record is None:
        return {}
    found: dict[tuple[int, int], list[StepRow]] = {}
    for row in record.rows:
        found.setdefault((row.step, row.round), []).append(row)
    rounds, words = range(record.plan.rounds), _words(record)
    return {
        step_key(step.config): Clock(
            [sorted((row.evaluations, record.seconds(row)) for row in found[place, number]) for number in rounds], words
        )
        for place, step in enumerate(record.plan.steps)
    }


def _words(record: StepRecord) -> str:
    machine, rounds = record.environment, counted(record.plan.rounds, "round")
    return f"in turns, {rounds}, on {machine.device} ({inert(machine.kernels)}), {counted(machine.threads, 'thread')}"


class Series:
    """The runs of one objective that differ in their seeds alone, in the order of the seeds.

    The clock is None if the step was not measured. Its group says what floor the series has.
    """

    floor: Floor = ""

    def __init__(self, identity: Identity, records: Sequence[RunRecord], clock: Clock | None = None) -> None:
        self.identity = identity
        self.records = records
        self.clock = clock

    @property
    def label(self) -> str:
        return self.identity.label

    @property
    def objective(self) -> str:
        return self.identity.objective

    @property
    def config(self) -> RunConfig:
        """The settings of the first seed's run."""
        return self.records[0].config

    @property
    def seeds(self) -> list[int]:
        return [record.config.seed for record in self.records]

    @cached_property
    def finished(self) -> tuple[RunRecord, ...]:
        return tuple(record for record in self.records if record.finished)

    @property
    def counts(self) -> str:
        """How many runs finished, and how many failed."""
        failed = len(self.records) - len(self.finished)
        return f"{len(self.finished)}" + (f" (+ {failed} failed)" if failed else "")

    @cached_property
    def scores(self) -> dict[int, Score]:
        """By seed, on the test set, after the last epoch."""
        return {record.config.seed: _score(record, record.test.last) for record in self.finished if record.test}

    @cached_property
    def chosen_scores(self) -> dict[int, Score]:
        """By seed, on the test set, at the epoch that validation would choose."""
        return {record.config.seed: _score(record, record.test.chosen) for record in self.finished if record.test}

    @cached_property
    def validation_by_seed(self) -> dict[int, float]:
        """The validation accuracy after the last epoch."""
        return {record.config.seed: record.epochs.validation_accuracy[-1] for record in self.finished}

    @cached_property
    def validation(self) -> Summary:
        """On the validation images after the last epoch, over seeds."""
        return self.validation_after(self.config.epochs)

    def validation_after(self, epoch: int) -> Summary:
        """On the validation images after so many epochs, over seeds."""
        accuracies = [record.epochs.validation_accuracy[epoch - 1] for record in self.finished]
        return of_shares(summarize(accuracies, validation_step(self)))

    @property
    def standing(self) -> tuple[int, float]:
        """What decides which of several is shown: a lucky seed does not take the place of ten."""
        return len(self.finished), fmean(self.validation_by_seed.values())

    @property
    def merit(self) -> tuple[bool, int, float]:
        """What decides which of several is best: that it has learned something, then its standing."""
        return not self.floor, *self.standing

    @cached_property
    def accuracy(self) -> Summary:
        """On the test set, over seeds."""
        scores = list(self.scores.values())
        return of_shares(summarize([score.accuracy for score in scores], 1 / scores[0].images))

    @cached_property
    def is_above_chance(self) -> bool:
        """Whether the mean accuracy or every run's is surely above a guess's, and some run predicts several classes."""
        least = min(wilson(score.accuracy, score.images)[0] for score in self.scores.values())
        low = max(least, self.accuracy.low or 0.0)
        return low > 1 / self.records[0].classes and not all(record.collapsed for record in self.finished)

    @cached_property
    def bounds(self) -> dict[int, float]:
        """By seed, of log p(x) of binary test images in nats, with the last weights; nothing of runs without it."""
        return {run.config.seed: run.test.bound.mean for run in self.finished if run.test and run.test.bound}

    @cached_property
    def _seconds(self) -> Numbers:
        """Of training up to the end of each epoch, a row for each round of the measurement; no row without one."""
        if self.clock is None or not self.finished:
            return np.empty((0, 0))
        steps = self.clock.seconds(self.curve(lambda epochs: epochs.evaluations))
        return self.records[0].steps * steps.cumsum(axis=1)

    @property
    def seconds_per_epoch(self) -> float | None:
        """Of training, the geometric mean over rounds; None if its step was not measured."""
        return self.seconds_so_far[-1] / len(self.seconds_so_far) if self.seconds_so_far else None

    @cached_property
    def seconds_so_far(self) -> list[float]:
        """Of training after each epoch, the geometric mean over rounds; none if its step was not measured."""
        return [geometric_mean(each) for each in zip(*self._seconds.tolist(), strict=True)]

    @property
    def cost(self) -> float:
        """Seconds of training or, before steps were timed, epochs."""
        return self.seconds_so_far[-1] if self.clock else self.config.epochs

    def times_as_fast(self, other: "Series | None") -> Summary | None:
        """How many times as fast an epoch is as one of another series, over rounds; None without both measurements."""
        if other is None or not len(self._seconds) or not len(other._seconds):
            return None
        return summarize_ratios(*((each._seconds[:, -1] / each._seconds.shape[1]).tolist() for each in (other, self)))

    def evaluations(self) -> float:
        """How often a step evaluates the conditional bound for one unlabelled image, the mean over all epochs."""
        return fmean(fmean(record.epochs.evaluations) for record in self.finished)

    def curve(self, column: Callable[[Curves], Sequence[float | None] | None]) -> list[float]:
        """The mean over seeds of a quantity, after each of the epochs after which every run has it."""
        columns = [column(record.epochs) or [] for record in self.finished]
        present = ([value for value in values if value is not None] for values in zip(*columns, strict=False))
        return [fmean(values) for values in present if len(values) == len(columns)]


def validation_step(*every: Series) -> float:
    """What one validation image is worth."""
    return 1 / max(record.epochs.images for series in every for record in series.finished)


def _score(record: RunRecord, reading: Reading) -> Score:
    return Score(reading.images - reading.errors, reading.images, record.split)
