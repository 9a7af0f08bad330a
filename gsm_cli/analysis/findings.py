"""All that the runs of a report say, found once, and the commands that bring what is missing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import chain, count, islice
from math import inf
from typing import Any

import msgspec

from gsm_cli import commands
from gsm_cli.analysis.choices import Choice, Trade, best_values, find_searches, find_trades
from gsm_cli.analysis.contrasts import TAU, Swept, are_among, enough, named, over_one, trained
from gsm_cli.analysis.frontier import Frontier, find_frontier
from gsm_cli.analysis.gradients import conclusions
from gsm_cli.analysis.groups import Group, sort_records, usual_settings
from gsm_cli.analysis.published import find_table, set_beside
from gsm_cli.analysis.series import Series
from gsm_cli.analysis.verdict import Verdict, analyse_group
from gsm_cli.config import RunConfig
from gsm_cli.data.dataset import Table
from gsm_cli.objectives import MARGINALIZE, OBJECTIVES
from gsm_cli.records.cost import StepRecord
from gsm_cli.records.gradients import GradientRecord
from gsm_cli.records.layout import Kind
from gsm_cli.records.run import RunRecord

Facts = dict[str, Any]  # what a report says, as plain data
Options = Callable[[RunConfig], list[str]]  # with which a command makes such a run for the report


@dataclass(frozen=True)
class Findings:
    """The verdict of every group, the largest first, and what was swept.

    The best values, and a search for them, are asked for in a report on settings.
    """

    kind: Kind
    verdicts: Sequence[Verdict]
    searches: Sequence[Choice]
    best: Sequence[Choice]
    trades: Sequence[Trade]
    frontier: Frontier | None
    sweeps: Sequence[Swept]
    table: Table | None  # of others, on the task of the largest group, where the report asks for it

    @property
    def groups(self) -> list[Group]:
        return [each.group for each in self.verdicts]

    @property
    def series(self) -> list[Series]:
        """All with a finished run."""
        return trained(self.groups)

    def tells(self, group: Group) -> bool:
        """Whether a search has a row for everything in a group, of which no run failed or collapsed."""
        rows = {trial.series for search in self.searches for trial in search.trials}
        well = all(record.finished and not record.collapsed for record in group.records)
        return well and set(group.series) <= rows


def analyse(records: Sequence[RunRecord], kind: Kind, margin: float | None, steps: StepRecord | None) -> Findings:
    """All that is in these records; what belongs to a search is no sweep as well, but for one over `tau`.

    `margin` is a loss of test accuracy that counts as none; without it, one follows from the sum's errors. `steps` tell
    how long their steps take.
    """
    groups = sort_records(records, steps)
    series = trained(groups)
    searches = find_searches(series) if kind == "settings" else []
    searched = [each for search in searches for each in search.series]
    paired = [each for each in series if kind == "settings" and each not in searched]
    lines = over_one(series)
    swept = [line for line in enough(lines, paired) if line.names == (TAU,) or not are_among(line, searched)]
    return Findings(
        kind,
        [analyse_group(group, margin) for group in groups],
        searches,
        [*best_values(series, swept)] if kind == "settings" else [],
        list(find_trades(lines)),
        find_frontier(series),
        swept,
        find_table(groups[0]) if kind == "table" and groups else None,
    )


def run_facts(findings: Findings, gradients: Sequence[GradientRecord], options: Options) -> Facts:
    """All that is found in runs, and in the gradients beside them."""
    frontier, table = findings.frontier, findings.table
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
        "missing": {
            "enough": {series.label: seeds for series, seeds in verdict.enough.items()},
            "commands": next_runs(verdict, options(group.config)),
        },
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


def next_runs(verdict: Verdict, options: Sequence[str]) -> list[str]:
    """The commands that bring an objective, seeds in common with the sum, or as many of them as would decide.

    The options make runs for the same report.
    """
    group, marginal = verdict.group, verdict.group.find(MARGINALIZE)
    if verdict.absent or verdict.floor or marginal is None:
        return [_absent_runs(group, name, options) for name in verdict.absent]
    judged = {each.series for each in verdict.judgements}
    found = [series for name in verdict.candidates if (series := group.find(name))]
    runs = [(series, len(series.scores)) for series in found if series not in judged]
    runs += [(series, int(seeds)) for series, seeds in verdict.enough.items() if seeds < inf]
    of_sum: set[int] = set()
    lines = []
    for series, number in runs:
        chosen = _common(series, marginal, number)
        of_sum |= chosen - marginal.scores.keys()
        if own := sorted(chosen - series.scores.keys()):
            lines.append(commands.train_ssl(series.config, own, options))
    return [*([commands.train_ssl(marginal.config, sorted(of_sum), options)] if of_sum else []), *lines]


def _common(series: Series, marginal: Series, seeds: int) -> set[int]:
    """So many seeds for both: those that both have, then those that one has, then others, and none that failed."""
    tried, own, other = {*series.seeds, *marginal.seeds}, series.scores.keys(), marginal.scores.keys()
    failed = ({*series.seeds} - own) | ({*marginal.seeds} - other)
    new = (seed for seed in count(min(tried)) if seed not in tried)
    return set(islice(chain(sorted(own & other), sorted((own ^ other) - failed), new), seeds))


def _absent_runs(group: Group, objective: str, options: Sequence[str]) -> str:
    """The command that makes runs of an objective that has none, with the settings and seeds of the first series.

    What is an objective's own is that of the preset that the runs are of: the command with that is the shortest.
    """
    failed = {seed for series in group.series if series.config.objective == objective for seed in series.seeds}
    seeds = sorted({*group.series[0].seeds} - failed) or [max(failed) + 1]
    usual = usual_settings(objective, group.config.dataset)
    found = [msgspec.structs.replace(group.config, estimator=OBJECTIVES[objective].choose(own)) for own in usual]
    return min((commands.train_ssl(config, seeds, options) for config in found), key=len)
