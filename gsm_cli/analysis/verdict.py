"""What a group of runs decides: may an objective of few evaluations replace the sum over classes?"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from math import floor
from typing import Literal

from gsm_cli.analysis.groups import Group
from gsm_cli.analysis.series import Floor, Series
from gsm_cli.analysis.statistics import (
    LEVEL,
    PRINTED,
    Comparison,
    Summary,
    compare,
    fewest_seeds,
    holm,
    least_seeds,
    seeds_needed,
    side,
)
from gsm_cli.objectives import GUMBEL, MARGINALIZE, SUPERVISED

Role = Literal["primary", "secondary", "exploratory"]
Ruling = Literal["no worse", "worse", "undecided"]
Compared = tuple[Series, Comparison, Comparison]  # with the sum, after the last epoch and at validation's
LARGEST_MARGIN = 0.01  # of test accuracy
MORE_ERRORS = 0.25  # of the sum's errors
MARGIN_STEP = 0.001

FLOORS: dict[Floor, list[str]] = {"": [], "chance": ["not above chance"], "supervised": ["not above supervised"]}
SEEN = {"worse": ["a loss is seen"], "better": ["a gain is seen"], "open": []}  # beside no worse, by the interval alone


@dataclass(frozen=True)
class Margin:
    """The loss of test accuracy that counts as none, and the sum's own errors, of so many test images."""

    value: float
    errors: int
    images: int


@dataclass(frozen=True)
class Judgement:
    """An objective against marginalize after the last epoch: the difference, what it decides, and what would decide.

    A series with a floor has learned nothing that is seen, and is equivalent to nothing. `beyond` is the interval for
    other images of the kind, where splits share theirs.
    """

    series: Series
    role: Role
    comparison: Comparison
    p_value: float  # corrected, where it is one of a family
    ruling: Ruling
    floor: Floor
    needed: int  # seeds with which its test can say worse
    beyond: Summary | None
    chosen: Comparison  # at the epochs that validation would choose
    chosen_ruling: Ruling
    seeds: float | None = None  # in all, that would decide; None where nothing is left to decide
    likely: Ruling | None = None  # what so many seeds would find; None where one seed shows no deviation

    @property
    def told(self) -> str:
        """The ruling, and what the interval shows beside it or what the series is not above; of no decision, that."""
        if self.role == "exploratory":
            return "not tested"
        if self.is_costly and not self.floor:
            return "worse by its interval alone"
        more = SEEN[side(self.summary)] if self.ruling == "no worse" else FLOORS[self.floor]
        return ", ".join([self.ruling] * (self.ruling != "undecided" or not self.floor) + more)

    @property
    def summary(self) -> Summary:
        return self.comparison.summary

    @property
    def is_costly(self) -> bool:
        """Whether the interval alone says worse."""
        return self.ruling == "undecided" and side(self.summary) == "worse"


@dataclass(frozen=True)
class Verdict:
    """A group, analysed once: its margin, None without the sum, and every objective against the sum by role."""

    group: Group
    margin: Margin | None
    is_named: bool  # the margin, or it follows from the sum's errors
    judgements: tuple[Judgement, ...]

    @cached_property
    def candidates(self) -> list[str]:
        """The objectives that may replace the sum, as far as they have a finished run."""
        trained = dict.fromkeys(each.config.objective for each in self.group.trained)
        return [name for name in trained if name not in (MARGINALIZE, SUPERVISED)]

    @property
    def absent(self) -> list[str]:
        """Without which nothing is compared: gumbel where there is no candidate, and the sum."""
        return [GUMBEL] * (not self.candidates) + [MARGINALIZE] * (self.margin is None)

    @cached_property
    def decisive(self) -> list[Judgement]:
        """All that are not exploratory, the primary one first."""
        return [each for each in self.judgements if each.role != "exploratory"]

    @property
    def enough(self) -> dict[Series, float]:
        """The seeds in all that would decide each series that more seeds would decide."""
        return {each.series: each.seeds for each in self.decisive if each.seeds is not None}

    @property
    def short(self) -> list[Judgement]:
        """Those with fewer seeds than their tests need to say worse: they are exploratory."""
        return [each for each in self.decisive if len(each.comparison.seeds) < each.needed]

    @property
    def floor(self) -> Floor:
        """What the sum itself is not above."""
        marginal = self.group.find(MARGINALIZE)
        return marginal.floor if marginal else ""


def default_margin(accuracy: float) -> float:
    """A quarter of the sum's errors and at most one point, rounded down to a tenth of a point, at least one tenth.

    One point is little where a third of the images are wrong, and at 96.7 % it is a third more errors: hence a share of
    the errors. A quarter of many errors is more than anybody calls none: hence at most one point.
    """
    share = min(LARGEST_MARGIN, MORE_ERRORS * (1 - accuracy))
    return MARGIN_STEP * max(1, floor(share / MARGIN_STEP + 1e-9))


def analyse_group(group: Group, named: float | None = None) -> Verdict:
    """What a group decides with the margin that is named, or that follows from the errors of the sum."""
    marginal = group.find(MARGINALIZE)
    if marginal is None:
        return Verdict(group, None, named is not None, ())
    images, accuracy = next(iter(marginal.scores.values())).images, marginal.accuracy.mean
    value = default_margin(accuracy) if named is None else named
    margin = Margin(value, round((1 - accuracy) * images), images)
    return Verdict(group, margin, named is not None, tuple(_judge(group, marginal, value)))


def _judge(group: Group, marginal: Series, margin: float) -> list[Judgement]:
    """Every objective against marginalize, by role, the primary one first.

    Primary is gumbel, tested by itself. Secondary are the other objectives, one series of each: a family, corrected by
    Holm's method. Exploratory, and not corrected, is what remains, as other temperatures. The floor is no candidate.
    """
    found: dict[Role, list[Compared]] = {"primary": [], "secondary": [], "exploratory": []}
    for series in group.trained:
        last, chosen = compare(series.scores, marginal.scores), compare(series.chosen_scores, marginal.chosen_scores)
        if last and chosen and series.config.objective not in (MARGINALIZE, SUPERVISED):
            role: Role = "primary" if series.config.objective == GUMBEL else "secondary"
            is_main = group.find(series.config.objective) is series
            found[role if is_main else "exploratory"].append((series, last, chosen))
    return [judgement for role, own in found.items() for judgement in _family(group, marginal, role, own, margin)]


def _family(group: Group, marginal: Series, role: Role, own: Sequence[Compared], margin: float) -> Iterator[Judgement]:
    """The questions of one role, which are corrected together if they are secondary."""
    family = len(own) if role == "secondary" else 1
    correct = holm if role == "secondary" else list[float]
    p_values = correct([last.p_value for _, last, _ in own])
    p_chosen = correct([chosen.p_value for *_, chosen in own])
    for (series, comparison, chosen), p_value, p_at_chosen in zip(own, p_values, p_chosen, strict=True):
        learned = not series.floor and not marginal.floor
        ruling = rule(comparison.summary, p_value, margin, learned)
        is_open = learned and ruling == "undecided"
        seeds, likely = deciding_seeds(comparison, margin, family) if is_open else (None, None)
        yield Judgement(
            series,
            role,
            comparison,
            p_value,
            ruling,
            series.floor,
            needed=fewest_seeds(family),
            beyond=group.beyond(comparison),
            chosen=chosen,
            chosen_ruling=rule(chosen.summary, p_at_chosen, margin, learned),
            seeds=seeds,
            likely=likely,
        )


def rule(summary: Summary, p_value: float, margin: float, learned: bool = True) -> Ruling:
    """No worse if the interval's lower end lies above minus the margin; worse if interval and test both say so.

    What has learned nothing is equivalent to nothing: it is never no worse.
    The ends are taken as a report prints them, so that nobody reads -0.80 as above -0.8: that decides less, never more.
    """
    if summary.low is None or summary.high is None:
        return "undecided"
    if summary.low > -margin and round(summary.low, PRINTED) > -round(margin, PRINTED + 1):
        return "no worse" if learned else "undecided"
    return "worse" if round(summary.high, PRINTED) < 0 and p_value <= LEVEL else "undecided"


def deciding_seeds(comparison: Comparison, margin: float, family: int) -> tuple[float, Ruling | None]:
    """Seeds that decide in 80 % of cases, if the true difference and the deviation are those that were seen, and what.

    The fewer of two numbers: until the interval lies above minus the margin, and until interval and test say worse.
    Of one seed, which shows no deviation, as many as a test needs.
    """
    mean, deviation = comparison.summary.mean, comparison.summary.deviation
    if deviation is None:
        return least_seeds(family), None
    no_worse = seeds_needed(mean + margin, deviation)
    worse = max(seeds_needed(-mean, deviation, LEVEL / 2 / family), least_seeds(family, -mean / deviation))
    return max(min(no_worse, worse), len(comparison.seeds) + 1), "no worse" if no_worse < worse else "worse"
