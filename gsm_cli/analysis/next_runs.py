"""What a verdict lacks: the commands that bring it."""

from collections.abc import Sequence
from itertools import chain, count, islice
from math import inf

import msgspec

from gsm_cli import commands
from gsm_cli.analysis.groups import Group, usual_settings
from gsm_cli.analysis.series import Series
from gsm_cli.analysis.verdict import Verdict
from gsm_cli.objectives import MARGINALIZE, OBJECTIVES

Options = Sequence[str]  # with which a command makes runs for the same report


def next_runs(verdict: Verdict, options: Options) -> list[str]:
    """The commands that bring an objective, seeds in common with the sum, or as many of them as would decide."""
    group, marginal = verdict.group, verdict.group.find(MARGINALIZE)
    if verdict.absent or verdict.floor or marginal is None:
        return [_absent_runs(group, name, options) for name in verdict.absent]
    judged = {each.series for each in verdict.judgements}
    found = [series for name in verdict.candidates if (series := group.find(name))]
    runs = [(series, len(series.scores)) for series in found if series not in judged]
    runs += [(series, int(seeds)) for series, seeds in verdict.enough.items() if seeds < inf]
    of_sum: set[int] = set()
    lines = []
    for series, enough in runs:
        chosen = _common(series, marginal, enough)
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


def _absent_runs(group: Group, objective: str, options: Options) -> str:
    """The command that makes runs of an objective that has none, with the settings and seeds of the first series.

    What is an objective's own is that of the preset that the runs are of: the command with that is the shortest.
    """
    failed = {seed for series in group.series if series.config.objective == objective for seed in series.seeds}
    seeds = sorted({*group.series[0].seeds} - failed) or [max(failed) + 1]
    usual = usual_settings(objective, group.config.dataset)
    found = [msgspec.structs.replace(group.config, estimator=OBJECTIVES[objective].choose(own)) for own in usual]
    return min((commands.train_ssl(config, seeds, options) for config in found), key=len)
