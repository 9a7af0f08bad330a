"""What a report says, as data: for `--json`, and for whoever reads reports with a program."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import msgspec

from gsm_cli.analysis.claims import pays_from, process_bytes, step_seconds
from gsm_cli.analysis.contrasts import Swept, named
from gsm_cli.analysis.costs import speed_up
from gsm_cli.analysis.findings import Findings
from gsm_cli.analysis.frontier import at_equal_time
from gsm_cli.analysis.next_runs import next_runs
from gsm_cli.analysis.series import Series
from gsm_cli.analysis.statistics import Summary
from gsm_cli.analysis.verdict import Judgement, Verdict
from gsm_cli.config import RunConfig
from gsm_cli.objectives import MARGINALIZE
from gsm_cli.records.cost import CostRecord


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
class SavingFacts:
    """An objective that is no worse, or that was asked for first: seconds of an epoch, and times as fast as the sum."""

    name: str
    seconds: float | None
    factor: float | None
    low: float | None
    high: float | None


@dataclass(frozen=True)
class GroupFacts:
    """A group of runs with common settings; the margin is a share of the test images."""

    name: str
    margin: float | None
    series: list[SeriesFacts]
    differences: list[DifferenceFacts]
    savings: list[SavingFacts]
    next_runs: list[str]  # commands


@dataclass(frozen=True)
class ReportFacts:
    """All numbers of a report, each kind as `gsm_cli.analysis` has it; series by what `_series` says of them."""

    groups: list[GroupFacts] = field(default_factory=list)
    best: list[dict[str, Any]] = field(default_factory=list)
    searches: list[dict[str, Any]] = field(default_factory=list)
    trades: list[dict[str, Any]] = field(default_factory=list)
    sweeps: list[dict[str, Any]] = field(default_factory=list)
    frontier: dict[str, Any] | None = None
    costs: list[dict[str, Any]] = field(default_factory=list)


def run_facts(findings: Findings, options: Callable[[RunConfig], list[str]]) -> ReportFacts:
    """Of a report on runs; the options are those with which a command makes such a run for it."""
    frontier = findings.frontier
    sweeps = [each for swept in (findings.sweeps.lines, findings.sweeps.maps) for each in _sweeps(swept)]
    return ReportFacts(
        groups=[group_facts(each, options(each.group.config)) for each in findings.verdicts],
        best=_plain(findings.best),
        searches=_plain(findings.searches),
        trades=_plain(findings.trades),
        sweeps=_plain(sweeps),
        frontier=_plain(frontier) | {"at_equal_time": _plain(at_equal_time(frontier))} if frontier else None,
    )


def cost_facts(record: CostRecord) -> dict[str, Any]:
    """From how many classes on every objective pays, and how many times as fast as marginalize it is."""
    names = [name for name in record.plan.objectives if name != MARGINALIZE]
    if MARGINALIZE not in record.plan.objectives:
        return {"name": record.plan.name, "objectives": []}
    rows = [
        {
            "objective": name,
            "faster_from": pays_from(record, name, step_seconds),
            "smaller_from": pays_from(record, name, process_bytes),
            "speed_ups": {str(k): _plain(speed_up(record, name, k)) for k in record.plan.classes},
        }
        for name in names
    ]
    return {"name": record.plan.name, "objectives": rows}


def _plain(value: object) -> Any:
    return msgspec.to_builtins(value, str_keys=True, enc_hook=_series)


def _series(series: object) -> dict[str, Any]:
    """A series, in short."""
    assert isinstance(series, Series)
    words = {"label": series.label, "objective": series.objective, "settings": dict(series.identity.settings)}
    return words | {"seeds": [*series.scores], "validation": series.validation, "test": series.accuracy}


def _sweeps(found: Sequence[Swept]) -> list[dict[str, Any]]:
    """Sets of runs that differ in one or two settings alone, each with its series by the values."""
    return [
        {
            "settings": each.names,
            "identity": identity,
            "points": [{"values": values, "series": series} for values, series in each.series.items()],
        }
        for names in dict.fromkeys(each.names for each in found)
        for identity, each in named([one for one in found if one.names == names]).items()
    ]


def group_facts(verdict: Verdict, options: Sequence[str]) -> GroupFacts:
    """The numbers behind a group's verdict."""
    group, margin = verdict.group, verdict.margin
    rows = []
    for series in group.series:
        found = series.accuracy if series.finished else None
        faster = _ends(series.times_as_fast(group.find(MARGINALIZE)))
        named = series.label, series.objective, [*series.scores]
        rows.append(SeriesFacts(*named, *_ends(found), series.seconds_per_epoch, *faster))
    differences = [_difference(each) for each in verdict.judgements]
    savings = [SavingFacts(each.series.label, each.seconds, *_ends(each.factor)) for each in verdict.savings]
    lacking = next_runs(verdict, options)
    commands = [*lacking.pairing, *lacking.deciding]
    return GroupFacts(group.name, margin.value if margin else None, rows, differences, savings, commands)


def _ends(found: Summary | None) -> tuple[float | None, float | None, float | None]:
    """The mean and its interval."""
    return (found.mean, found.low, found.high) if found else (None, None, None)


def _difference(judgement: Judgement) -> DifferenceFacts:
    comparison, summary = judgement.comparison, judgement.summary
    return DifferenceFacts(
        name=judgement.label,
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
