"""Seconds of training: updates times the step that `gsm cost --for` measured. Without its record there are none."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from gsm_cli.errors import inert
from gsm_cli.records.cost import StepRecord, StepRow, step_key
from gsm_cli.words import counted

Numbers = npt.NDArray[np.float64]


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
        measured = [np.array(found).T for found in self.rounds]
        return np.array([np.interp(evaluations, *found) for found in measured])


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
