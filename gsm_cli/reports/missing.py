"""What a verdict lacks: how many seeds would decide, and the commands that run them."""

from collections.abc import Sequence
from itertools import chain, count, islice
from math import inf

import msgspec

from gsm_cli import commands
from gsm_cli.objectives import GUMBEL, MARGINALIZE, OBJECTIVES
from gsm_cli.records.layout import ReportFolder
from gsm_cli.records.steps import StepRecord
from gsm_cli.reports.groups import Group, usual_settings
from gsm_cli.reports.judgements import Judgement
from gsm_cli.reports.markdown import console
from gsm_cli.reports.names import in_brackets
from gsm_cli.reports.series import Series
from gsm_cli.reports.statistics import MOST_SEEDS, least_seeds
from gsm_cli.words import listed


def missing(group: Group, judgements: Sequence[Judgement], options: Sequence[str]) -> list[str]:
    """How many seeds would decide what is undecided, and the commands that run them."""
    undecided = [each for each in judgements if each.ruling == "undecided"]
    gumbel = group.find(GUMBEL)
    if gumbel and all(each.role != "primary" for each in judgements):
        lines = commands_for(group, [(gumbel, len(gumbel.scores))], options)
        shared = ["**What is missing:** seeds that gumbel and marginalize have in common, on the same splits."]
        return shared + [console(lines)] * bool(lines) + _seeds(group, undecided, judgements, options)
    return _seeds(group, undecided, judgements, options)


def _seeds(
    group: Group, undecided: Sequence[Judgement], judgements: Sequence[Judgement], options: Sequence[str]
) -> list[str]:
    """How many would decide what is undecided, and their commands."""
    if not undecided:
        return []
    family = sum(each.role == "secondary" for each in judgements)
    needed = [_needed(each, family if each.role == "secondary" else 1) for each in undecided]
    words = [_enough(each, seeds) for each, seeds in zip(undecided, needed, strict=True)]
    least = (
        "; where one seed shows no deviation, the fewest with which the exact test can say worse"
        if any(each.likely is None for each in undecided)
        else ""
    )
    runs = [(each.series, int(seeds)) for each, seeds in zip(undecided, needed, strict=True) if seeds < inf]
    lines = commands_for(group, runs, options)
    return [
        f"**What is missing:** seeds. In all, {listed(words)} would decide, in 80 % of cases, if the true difference "
        f"and the deviation of a seed are those seen here{least}. Seeds that are added after a look make intervals a "
        "little too sure.",
        *([console(lines)] if lines else []),
    ]


def _enough(judgement: Judgement, seeds: float) -> str:
    """How many seeds, and what they would find."""
    number = f"about {seeds:,.0f}" if seeds < inf else f"more than {MOST_SEEDS:,}"
    found = f" (as {judgement.likely})" if judgement.likely and seeds < inf else ""
    return f"{in_brackets(judgement.name)} {number}{found}"


def _needed(judgement: Judgement, family: int) -> float:
    return least_seeds(family) if judgement.seeds is None else judgement.seeds


def commands_for(group: Group, runs: Sequence[tuple[Series, int]], options: Sequence[str]) -> list[str]:
    """The commands that bring each of these series, and the sum, to so many seeds."""
    marginal = group.find(MARGINALIZE)
    if not runs or marginal is None:
        return []
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


def remedy(group: Group, absent: Sequence[str], options: Sequence[str]) -> str:
    """The commands that make the runs of `absent` with the settings and the seeds of the first series.

    What is an objective's own is that of the preset that the runs are of: the command with that is the shortest.
    """
    texts = []
    for name in absent:
        failed = {seed for series in group.series if series.config.objective == name for seed in series.seeds}
        seeds = sorted({*group.series[0].seeds} - failed) or [max(failed) + 1]
        usual = usual_settings(name, group.config.dataset)
        found = [msgspec.structs.replace(group.config, estimator=OBJECTIVES[name].choose(own)) for own in usual]
        texts.append(f"{name} with `{min((commands.train_ssl(config, seeds, options) for config in found), key=len)}`")
    return f"Add {listed(texts)}."


def without_seconds(folder: ReportFolder, groups: Sequence[Group], steps: StepRecord | None) -> list[str]:
    """That seconds are missing, or that the machine was not idle, and the command that mends it."""
    names = [in_brackets(each.name, group.name) for group in groups for each in group.trained if not each.clock]
    if steps is None:
        remedy = f"on an idle machine `{commands.steps(folder)}` times the steps of these runs"
        return [f"**Seconds** are missing: {remedy}."] * bool(names)
    few = listed(names if len(names) < 4 else [*names[:2], f"{len(names) - 2} others"])
    anew = f"on an idle machine `{commands.steps(folder)} --force` times all steps anew"
    lacking = f"**Seconds** of {few} are missing, whose settings {folder.steps.name} does not have: {anew}."
    busy = f"**The machine was not idle** when steps were timed: it {listed(steps.disturbances)}; {anew}."
    return [lacking] * bool(names) + [busy] * bool(steps.disturbances)
