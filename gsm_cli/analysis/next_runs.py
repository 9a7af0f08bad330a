"""What a verdict lacks: how many seeds would decide, and the commands that run them."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain, count, islice
from math import inf

import msgspec

from gsm_cli import commands
from gsm_cli.analysis.groups import Group, usual_settings
from gsm_cli.analysis.series import Series
from gsm_cli.analysis.statistics import least_seeds
from gsm_cli.analysis.verdict import Judgement, Ruling, Verdict
from gsm_cli.objectives import MARGINALIZE, OBJECTIVES

Options = Sequence[str]  # with which a command makes runs for the same report


@dataclass(frozen=True)
class Enough:
    """The seeds in all that would decide, and what they would find; None where one seed shows no deviation."""

    series: Series
    seeds: float
    likely: Ruling | None


@dataclass(frozen=True)
class NextRuns:
    """The seeds that would decide what is undecided, and the commands that bring them, or all that is not there."""

    enough: Sequence[Enough]
    commands: Sequence[str]


def next_runs(verdict: Verdict, options: Options) -> NextRuns:
    """What a verdict lacks: an objective, seeds in common with the sum, or enough of them."""
    group = verdict.group
    if verdict.absent or verdict.floor:
        return NextRuns([], [absent_runs(group, name, options) for name in verdict.absent])
    judged = {each.series for each in verdict.judgements}
    found = [series for name in verdict.candidates if (series := group.find(name))]
    family = len(verdict.of("secondary"))
    enough = [_enough(each, family) for each in verdict.decisive if each.is_open]
    runs = [(series, len(series.scores)) for series in found if series not in judged]
    runs += [(each.series, int(each.seeds)) for each in enough if each.seeds < inf]
    return NextRuns(enough, commands_for(group, runs, options))


def _enough(judgement: Judgement, family: int) -> Enough:
    fewest = least_seeds(family if judgement.role == "secondary" else 1)
    return Enough(judgement.series, fewest if judgement.seeds is None else judgement.seeds, judgement.likely)


def commands_for(group: Group, runs: Sequence[tuple[Series, int]], options: Options) -> list[str]:
    """The commands that bring each of these series, and the sum, to so many seeds."""
    marginal = group.find(MARGINALIZE)
    assert marginal is not None
    of_sum: set[int] = set()
    lines = []
    for series, seeds in runs:
        chosen = _common(series, marginal, seeds)
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


def absent_runs(group: Group, objective: str, options: Options) -> str:
    """The command that makes runs of an objective that has none, with the settings and seeds of the first series.

    What is an objective's own is that of the preset that the runs are of: the command with that is the shortest.
    """
    failed = {seed for series in group.series if series.config.objective == objective for seed in series.seeds}
    seeds = sorted({*group.series[0].seeds} - failed) or [max(failed) + 1]
    usual = usual_settings(objective, group.config.dataset)
    found = [msgspec.structs.replace(group.config, estimator=OBJECTIVES[objective].choose(own)) for own in usual]
    return min((commands.train_ssl(config, seeds, options) for config in found), key=len)
