"""Accuracy against the time of complete schedules: runs of one objective that differ in their epochs.

What is fitted to the length of a schedule may differ with it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import floor, log
from statistics import fmean, median

from gsm_cli.data import describe_dataset
from gsm_cli.objectives import MARGINALIZE
from gsm_cli.reports.groups import common_circumstances
from gsm_cli.reports.names import objective_of
from gsm_cli.reports.sections import accuracy
from gsm_cli.reports.series import Circumstances, Series, clock
from gsm_cli.reports.statistics import Summary, summarize
from gsm_cli.reports.sweeps.swept import EPOCHS, Swept, named, over

LEVELS = (95, 96, 97)  # of validation accuracy, in %; where none reaches the first, the three up to the best
ROUNDING = 1e-9
FITTED = ("kl_start", "kl_warmup", "learning_rate", "decay")  # to the length of a schedule


@dataclass(frozen=True)
class Schedule:
    """A length of training: the median over seeds of its seconds, validation accuracy by seed, and both parts' means.

    Validation is read at the epoch that it chooses, the test set with the weights of that epoch.
    """

    epochs: int
    seconds: float
    by_seed: Mapping[int, float]
    validation: Summary
    test: Summary
    fitted: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Frontier:
    """The schedules of every objective, the shortest first, and those left out for times of other circumstances."""

    circumstances: Circumstances
    lines: Mapping[str, Sequence[Schedule]]
    step: float  # what one validation image is worth
    left_out: Sequence[str] = ()

    @property
    def best(self) -> float:
        """The greatest mean validation accuracy."""
        return max(schedule.validation.mean for line in self.lines.values() for schedule in line)

    @property
    def levels(self) -> list[float]:
        """The accuracies that are asked for."""
        highest = floor(100 * self.best + ROUNDING)
        return [level / 100 for level in (LEVELS if highest >= LEVELS[0] else range(max(1, highest - 2), highest + 1))]

    @property
    def fitted(self) -> list[str]:
        """The settings in which schedules differ besides their epochs."""
        every = [schedule.fitted for line in self.lines.values() for schedule in line]
        return [name for name in FITTED if len({each.get(name) for each in every}) > 1]

    def first(self, level: float) -> list[tuple[str, Schedule]]:
        """Who reaches a level, by the seconds that it takes."""
        found = [(name, schedule) for name, line in self.lines.items() if (schedule := reaches(line, level))]
        return sorted(found, key=lambda pair: pair[1].seconds)


@dataclass(frozen=True)
class AtEqualTime:
    """Validation accuracy of one objective minus another's after as many seconds of training, seed by seed."""

    name: str
    minus: str
    seconds: float
    seeds: Sequence[int]
    summary: Summary


def find_frontier(series: Sequence[Series]) -> Frontier | None:
    """The frontier of these runs; None unless an objective was trained for several numbers of epochs."""
    swept = [each for each in over(series, (EPOCHS, *FITTED)) if len(each.values(0)) > 1]
    found = {name: _lengths(each) for name, each in named(swept).items()}
    if not found:
        return None
    every = [each for own in found.values() for each in own]
    circumstances = common_circumstances(every)
    images = describe_dataset(every[0].config.dataset).validation
    step = 1 / images if images else 0.0
    lines: dict[str, list[Schedule]] = {}
    left_out = []
    for name, own in found.items():
        for each in own:
            times = [sum(clock(record)) for record in each.timed(circumstances)]
            if times and median(times) > 0:
                lines.setdefault(name, []).append(_schedule(each, median(times), step))
            else:
                left_out.append(f"{name} with {each.config.epochs} epochs")
    return Frontier(circumstances, lines, step, left_out) if lines else None


def _lengths(swept: Swept) -> list[Series]:
    """A series for every number of epochs, the shortest first; of several that which is best on validation."""
    best: dict[int, Series] = {}
    for each in sorted(swept.series.values(), key=lambda each: fmean(each.best_validation())):
        best[each.config.epochs] = each
    return [best[epochs] for epochs in sorted(best)]


def _schedule(series: Series, seconds: float, step: float) -> Schedule:
    """Its accuracies are those of all seeds, whatever the circumstances."""
    by_seed = {record.config.seed: max(record.epochs.validation_accuracy) for record in series.finished}
    return Schedule(
        epochs=series.config.epochs,
        seconds=seconds,
        by_seed=by_seed,
        validation=summarize(list(by_seed.values()), step),
        test=accuracy(series),
        fitted={name: value for name, value in series.config.identity.items() if name in FITTED},
    )


def reaches(line: Sequence[Schedule], level: float) -> Schedule | None:
    """The shortest schedule whose mean over seeds is at least that."""
    enough = [schedule for schedule in line if schedule.validation.mean >= level - ROUNDING]
    return min(enough, key=lambda schedule: schedule.seconds, default=None)


def at_equal_time(frontier: Frontier) -> list[AtEqualTime]:
    """Every objective minus the sum, or else the first, at the latest time that both have schedules around."""
    reference = next((name for name in frontier.lines if objective_of(name) == MARGINALIZE), None)
    reference = reference or next(iter(frontier.lines))
    found = [_difference(frontier, name, reference) for name in frontier.lines if name != reference]
    return [each for each in found if each]


def _difference(frontier: Frontier, name: str, reference: str) -> AtEqualTime | None:
    """None where one's longest schedule is over before the other's shortest, or where they share no seed."""
    own, others = frontier.lines[name], frontier.lines[reference]
    seconds = min(max(schedule.seconds for schedule in line) for line in (own, others))
    mine, theirs = _interpolated(own, seconds), _interpolated(others, seconds)
    seeds = sorted(mine.keys() & theirs.keys())
    if not seeds:
        return None
    summary = summarize([mine[seed] - theirs[seed] for seed in seeds], frontier.step)
    return AtEqualTime(name, reference, seconds, seeds, summary)


def _interpolated(line: Sequence[Schedule], seconds: float) -> dict[int, float]:
    """By seed the accuracy after so many seconds, linear in their logarithm between two complete schedules."""
    ordered = sorted(line, key=lambda schedule: schedule.seconds)
    below = [schedule for schedule in ordered if schedule.seconds <= seconds]
    above = [schedule for schedule in ordered if schedule.seconds >= seconds]
    if not below or not above:
        return {}
    first, second = below[-1], above[0]
    span = log(second.seconds / first.seconds)
    share = log(seconds / first.seconds) / span if span else 0.0
    seeds = first.by_seed.keys() & second.by_seed.keys()
    return {seed: (1 - share) * first.by_seed[seed] + share * second.by_seed[seed] for seed in seeds}
