"""Accuracy against the cost of complete schedules: runs of one objective that differ in their epochs.

What is fitted to the length of a schedule may differ with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import floor

from gsm_cli.analysis.contrasts import FITTED, OF_THE_DATA, named, over_lengths
from gsm_cli.analysis.identity import Identity
from gsm_cli.analysis.series import Series

LEVELS = (95, 96, 97)  # of test accuracy, in %; where none reaches the first, the three up to the best
ROUNDING = 5e-5  # of an accuracy as it is shown: one that reads 95.00 % has reached 95 %


@dataclass(frozen=True)
class Crossing:
    """The cost at which the mean over seeds reaches a level, between complete schedules, linear in its logarithm.

    Its interval lies between the costs at which the ends of the means' intervals do; None where they do not.
    A cost that is that of the shortest schedule is at most so much.
    """

    cost: float
    low: float | None
    high: float | None
    shortest: float


@dataclass(frozen=True)
class Line:
    """The schedules of one objective, each the runs of one length, the shortest first."""

    identity: Identity
    schedules: Sequence[Series]


@dataclass(frozen=True)
class Frontier:
    """The schedules of every objective.

    `clock` says how the seconds were measured, and is None where there are none.
    """

    clock: str | None
    lines: Sequence[Line]
    tasks: int = 1  # pairs of numbers of labels and classes

    @property
    def schedules(self) -> list[Series]:
        return [schedule for line in self.lines for schedule in line.schedules]

    @property
    def levels(self) -> list[float]:
        """The accuracies that are asked for."""
        highest = floor(100 * (max(schedule.accuracy.mean for schedule in self.schedules) + ROUNDING))
        return [level / 100 for level in (LEVELS if highest >= LEVELS[0] else range(max(1, highest - 2), highest + 1))]

    @property
    def fitted(self) -> list[str]:
        """The settings that differ between schedules of one line."""
        settings = [[each.config.identity for each in line.schedules] for line in self.lines]
        return [name for name in FITTED if any(len({each.get(name) for each in own}) > 1 for own in settings)]

    def first(self, level: float) -> list[tuple[Identity, Crossing]]:
        """Who reaches a level, by what it costs; nobody that has learned nothing."""
        found = [(line.identity, reached) for line in self.lines if (reached := crossing(line.schedules, level))]
        return sorted(found, key=lambda pair: pair[1].cost)


def find_frontier(series: Sequence[Series]) -> Frontier | None:
    """The frontier of these runs; None unless an objective was trained for several numbers of epochs."""
    found = named(over_lengths(series))
    if not found:
        return None
    clock = next((each.clock.words for _, swept in found for each in swept.series.values() if each.clock), None)
    lines: dict[Identity, list[Series]] = {}
    for name, swept in found:
        for epochs in swept.values(0):
            own = [each for key, each in swept.series.items() if key[0] == epochs and (each.clock or clock is None)]
            if own:
                lines.setdefault(name, []).append(max(own, key=lambda each: each.standing))
    tasks = {tuple(swept.task.get(setting) for setting in OF_THE_DATA) for name, swept in found if name in lines}
    told = [Line(name, schedules) for name, schedules in lines.items()]
    return Frontier(clock, told, len(tasks)) if told else None


def crossing(line: Sequence[Series], level: float) -> Crossing | None:
    """Where a line reaches a level; None if its mean does not, or if it has learned nothing."""
    ordered = sorted((each for each in line if not each.floor), key=lambda schedule: schedule.cost)
    cost = _crossed([(each.cost, each.accuracy.mean) for each in ordered], level)
    if cost is None:
        return None
    low, high = (
        _crossed([(each.cost, end) for each, end in zip(ordered, ends, strict=True) if end is not None], level)
        for ends in ([each.accuracy.high for each in ordered], [each.accuracy.low for each in ordered])
    )
    return Crossing(cost, low, high, ordered[0].cost)


def _crossed(points: Sequence[tuple[float, float]], level: float) -> float | None:
    """The first cost at which a line through these points is at a level."""
    for place, (cost, value) in enumerate(points):
        if value >= level - ROUNDING:
            before, below = points[place - 1] if place else (cost, value)
            share = min(1.0, (level - below) / (value - below)) if value > below else 1.0
            return float(before * (cost / before) ** share)
    return None
