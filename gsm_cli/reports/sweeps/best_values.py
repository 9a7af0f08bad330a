"""The answer to a sweep: of the values that a setting took, which is best, and which are told apart from it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from gsm_cli import commands
from gsm_cli.reports.judgements import PRINTED
from gsm_cli.reports.markdown import interval
from gsm_cli.reports.report import Verdict
from gsm_cli.reports.series import Series
from gsm_cli.reports.statistics import LEVEL, Comparison, Summary, compare, holm
from gsm_cli.reports.sweeps.swept import FITTED, OF_THE_DATA, Swept, named, over_lengths
from gsm_cli.words import counted, listed, points

BEST = "Best by validation, with its accuracy on the test set: {}."
RULE = (
    "The best value is that of the greatest validation accuracy over the seeds that all values have, a choice that no "
    "interval covers. The others are held against it on the test set at the same seeds; worse or better is what both "
    "the 95 % interval of the difference and the exact sign-flip test say, corrected for the number of values in a "
    "line."
)


@dataclass(frozen=True)
class Rival:
    """A value that was not the best on validation, and its test accuracy minus that of the best."""

    value: float
    comparison: Comparison
    p_value: float  # corrected by Holm's method for the number of rivals

    @property
    def side(self) -> str:
        """Worse or better than the best, if interval and test say so; the ends as they are printed."""
        low, high = self.comparison.summary.low, self.comparison.summary.high
        if low is None or high is None or self.p_value > LEVEL:
            return "open"
        return "worse" if round(high, PRINTED) < 0 else "better" if round(low, PRINTED) > 0 else "open"


@dataclass(frozen=True)
class BestValue:
    """What a sweep over one setting found for one objective."""

    name: str
    setting: str
    value: float
    seeds: int
    test: Summary
    rivals: Sequence[Rival]

    @property
    def words(self) -> str:
        """The value, and what it has on the test set."""
        reached = f"{interval(self.test)} %, {counted(self.seeds, 'seed')}"
        return f"{self.name} at {self.setting} {commands.write(self.value)} ({reached})"

    @property
    def told_apart(self) -> str:
        """Which other values are worse, better or neither."""
        sides = {"worse": "worse is", "better": "better is", "open": "not told apart is"}
        parts = [
            f"{words} {listed([_one(rival) for rival in rivals])}"
            for side, words in sides.items()
            if (rivals := [rival for rival in self.rivals if rival.side == side])
        ]
        return f"{self.name} against its {self.setting} {commands.write(self.value)}, in points: {'; '.join(parts)}."


def best_values(series: Sequence[Series], lines: Sequence[Swept]) -> list[BestValue]:
    """For every one of these lines whose values share their data, so that they can be compared seed by seed.

    Those over the length of training, with what is fitted to it, are `frontier`'s, those over the data `losses`'.
    """
    left_out = (*OF_THE_DATA, *(FITTED if over_lengths(series) else ()))
    swept = [each for each in lines if each.names[0] not in left_out]
    found: list[BestValue] = []
    for names in dict.fromkeys(each.names for each in swept):
        for label, own in named([each for each in swept if each.names == names]).items():
            found += _best(label, own)
    return found


def best_answer(found: Sequence[BestValue]) -> Verdict | None:
    """What a sweep found, in one sentence, and a line for each objective; None if nothing was swept."""
    if not found:
        return None
    told = "\n".join(f"* {each.told_apart}" for each in found)
    return Verdict(BEST.format(listed([each.words for each in found])), [told, RULE])


def _best(name: str, swept: Swept) -> Iterator[BestValue]:
    """Nothing unless all values have seeds in common, and every other one can be compared with the best."""
    series = {float(str(value)): swept.series[(value,)] for value in swept.values(0)}
    common = set.intersection(*(set(each.scores) for each in series.values()))
    if not common:
        return
    best = max(series, key=lambda value: fmean(series[value].best_validation[seed] for seed in common))
    comparisons = {
        value: found
        for value, other in series.items()
        if value != best and (found := compare(other.scores, series[best].scores))
    }
    if len(comparisons) == len(series) - 1:
        p_values = holm([each.p_value for each in comparisons.values()])
        rivals = [Rival(value, each, p) for (value, each), p in zip(comparisons.items(), p_values, strict=True)]
        yield BestValue(name, swept.names[0], best, len(series[best].scores), series[best].accuracy, rivals)


def _one(rival: Rival) -> str:
    return f"{commands.write(rival.value)} ({interval(rival.comparison.summary, points)})"
