"""What a report says, as plain data: for `--json`, and for whoever reads reports with a program."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from gsm_cli.analysis.contrasts import Swept, named
from gsm_cli.analysis.costs import gains
from gsm_cli.analysis.findings import Findings
from gsm_cli.analysis.gradients import conclusions
from gsm_cli.analysis.next_runs import next_runs
from gsm_cli.analysis.published import find_table, set_beside
from gsm_cli.analysis.series import Series
from gsm_cli.analysis.verdict import Verdict
from gsm_cli.config import RunConfig
from gsm_cli.objectives import MARGINALIZE
from gsm_cli.records.cost import CostRecord
from gsm_cli.records.gradients import GradientRecord

Facts = dict[str, Any]
Options = Callable[[RunConfig], list[str]]  # with which a command makes such a run for the report


def run_facts(findings: Findings, gradients: Sequence[GradientRecord], options: Options) -> Facts:
    """All that is found in runs, and in the gradients beside them."""
    frontier = findings.frontier
    table = find_table(findings.groups[0]) if findings.kind == "table" and findings.groups else None
    facts = {
        "groups": [_group(each, options) for each in findings.verdicts],
        "best": findings.best,
        "searches": findings.searches,
        "trades": findings.trades,
        "sweeps": _sweeps(findings.sweeps),
        "beside": [set_beside(each, table) for each in findings.groups[0].trained] if table else [],
        "frontier": frontier and {"clock": frontier.clock, "lines": frontier.lines},
        "gradients": [{"name": each.plan.name, "conclusions": conclusions(each)} for each in gradients],
    }
    return msgspec.to_builtins(facts, str_keys=True, enc_hook=_series)  # type: ignore[no-any-return]


def cost_facts(record: CostRecord) -> Facts:
    """From how many classes on every objective pays, and how many times as fast as marginalize it is."""
    return msgspec.to_builtins(  # type: ignore[no-any-return]
        {"name": record.plan.name, "objectives": gains(record)}, str_keys=True
    )


def _group(verdict: Verdict, options: Options) -> Facts:
    group = verdict.group
    marginal = group.find(MARGINALIZE)
    return {
        "name": group.name,
        "margin": verdict.margin,
        "series": group.series,
        "seconds": {each.label: each.seconds_per_epoch for each in group.trained},
        "speed_ups": {each.label: each.times_as_fast(marginal) for each in group.trained},
        "differences": verdict.judgements,
        "missing": next_runs(verdict, options(group.config)),
    }


def _series(series: object) -> Facts:
    """A series, in short."""
    assert isinstance(series, Series)
    words = {"label": series.label, "objective": series.objective, "settings": dict(series.identity.settings)}
    seeds = {"seeds": [*series.scores], "failed": len(series.records) - len(series.finished)}
    length = {"epochs": series.config.epochs, "seconds": series.seconds_so_far[-1] if series.clock else None}
    read = {"validation": series.validation, "test": series.accuracy, "floor": series.floor} if series.finished else {}
    return {**words, **seeds, **(length if series.finished else {}), **read}


def _sweeps(found: Sequence[Swept]) -> list[Facts]:
    """Sets of runs that differ in one or two settings alone, each with its series by the values."""
    return [
        {
            "settings": each.names,
            "identity": identity,
            "points": [{"values": values, "series": series} for values, series in each.series.items()],
        }
        for identity, each in named(found)
    ]
