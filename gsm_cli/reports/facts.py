"""What a report says, as data: for `--json`, and for whoever reads reports with a program."""

from dataclasses import dataclass
from math import isfinite

from gsm_cli.objectives import MARGINALIZE
from gsm_cli.reports.groups import Group
from gsm_cli.reports.judgements import Judgement, judge, margin_of


@dataclass(frozen=True)
class SeriesFacts:
    """An objective in a group: accuracies are shares, seconds those of an epoch, the speed-up the sum's over these."""

    name: str
    objective: str
    seeds: list[int]
    test_accuracy: float | None
    low: float | None
    high: float | None
    seconds: float | None
    speed_up: float | None
    speed_up_low: float | None
    speed_up_high: float | None


@dataclass(frozen=True)
class DifferenceFacts:
    """An objective minus marginalize, in shares of the test images; `seeds_needed` would decide an undecided one."""

    name: str
    minus: str
    role: str
    seeds: list[int]
    mean: float
    low: float | None
    high: float | None
    p_value: float
    corrected_p_value: float
    verdict: str
    seeds_needed: int | None


@dataclass(frozen=True)
class GroupFacts:
    """A group of runs with common settings; the margin is a share of the test images."""

    name: str
    margin: float | None
    series: list[SeriesFacts]
    differences: list[DifferenceFacts]


def group_facts(group: Group, named: float | None) -> GroupFacts:
    """The numbers behind a group's verdict."""
    margin = margin_of(group, named)
    judgements = judge(group, margin.value) if margin else []
    rows = []
    for series in group.series:
        found = series.accuracy if series.finished else None
        mean, low, high = (found.mean, found.low, found.high) if found else (None, None, None)
        faster = series.times_as_fast(group.find(MARGINALIZE))
        speed_up = (faster.mean, faster.low, faster.high) if faster else (None, None, None)
        name, seconds = series.config.objective_name, series.seconds_per_epoch
        rows.append(SeriesFacts(series.name, name, [*series.scores], mean, low, high, seconds, *speed_up))
    return GroupFacts(group.name, margin.value if margin else None, rows, [_difference(each) for each in judgements])


def _difference(judgement: Judgement) -> DifferenceFacts:
    comparison, summary = judgement.comparison, judgement.summary
    return DifferenceFacts(
        name=judgement.name,
        minus=MARGINALIZE,
        role=judgement.role,
        seeds=list(comparison.seeds),
        mean=summary.mean,
        low=summary.low,
        high=summary.high,
        p_value=comparison.p_value,
        corrected_p_value=judgement.p_value,
        verdict=judgement.told,
        seeds_needed=int(needed) if (needed := judgement.seeds) and isfinite(needed) else None,
    )
