"""The answer that a report gives in its first lines, computed from its numbers."""

from collections.abc import Sequence
from itertools import chain, count, islice
from math import inf

import msgspec

from gsm_cli import commands
from gsm_cli.objectives import GUMBEL, MARGINALIZE, SUPERVISED
from gsm_cli.reports.groups import Group, usual_settings
from gsm_cli.reports.judgements import Judgement, Margin, Ruling, judge, margin_of
from gsm_cli.reports.markdown import console, counted, digits, interval, listed, margin_points, points
from gsm_cli.reports.names import in_brackets
from gsm_cli.reports.report import Verdict
from gsm_cli.reports.series import Series
from gsm_cli.reports.statistics import MOST_SEEDS, least_seeds

CORRECTION = ", corrected for several objectives,"  # left out where there is one
CORRECTED = f"the exact test{CORRECTION} does not confirm"  # that the interval lies below zero
RULINGS: dict[str, tuple[str, str]] = {  # of one objective, of several
    "no worse": ("is no worse than the sum within the margin", "are no worse than the sum within the margin"),
    "worse": ("is worse", "are worse"),
    "costly": (f"is worse by its interval, which {CORRECTED}", f"are worse by their intervals, which {CORRECTED}"),
    "undecided": ("is undecided", "are undecided"),
}


def verdict(group: Group | None, named: float | None = None, options: Sequence[str] = ()) -> Verdict:
    """Which objective may replace marginalization here, how sure that is, what it saves, and what is missing.

    `options` are those with which a command makes runs for the same report.
    """
    if group is None:
        return Verdict("There is nothing to compare yet: no run has been made.")
    margin, candidates = margin_of(group, named), [name for name in _objectives(group) if name != MARGINALIZE]
    if margin is None or not candidates:
        missing = [*([] if candidates else [GUMBEL]), *([] if margin else [MARGINALIZE])]
        remedy = _remedy(group, missing, options)
        return Verdict(
            f"There is nothing to compare yet: no finished run of {listed(missing)}.{_so_far(group)}", [remedy]
        )
    judgements = [each for each in judge(group, margin.value) if each.role != "exploratory"]
    if not judgements:
        found = [series for name in candidates if (series := group.find(name))]
        lines = _commands(group, [(series, len(series.scores)) for series in found], options)
        return Verdict(
            "There is nothing to compare yet: no objective that the verdict takes has a seed with the same split in "
            "common with marginalize.",
            [console(lines)] if lines else [],
        )
    primary = [each for each in judgements if each.role == "primary"]
    others = [each for each in judgements if each.role == "secondary"]
    answer = [*(_of_gumbel(each, margin) for each in primary), *_of_others(others, margin, first=not primary)]
    details = [
        *_failed(group, judgements),
        *_which(group, judgements),
        *_saving(group, judgements),
        _meaning(margin, named),
    ]
    details += _missing(group, judgements, options)
    return Verdict(" ".join(answer), details)


def difference(judgement: Judgement) -> str:
    """A difference with its interval and its seeds, in words."""
    number = interval(judgement.summary, points)
    return f"{judgement.name} − marginalize: {number} points, {counted(len(judgement.comparison.seeds), 'seed')}"


def _of_gumbel(judgement: Judgement, margin: Margin) -> str:
    """The answer to the question that was asked first."""
    loss = margin_points(margin.value)
    words: dict[Ruling, str] = {
        "no worse": f"One Gumbel-Softmax sample may replace the sum over classes here: if it costs test accuracy, then "
        f"less than {loss}",
        "worse": "One Gumbel-Softmax sample does not replace the sum over classes here: it costs test accuracy",
        "undecided": "Whether one Gumbel-Softmax sample may replace the sum over classes is undecided here: "
        + _doubt(judgement, loss),
    }
    return f"{words[judgement.ruling]} ({difference(judgement)})."


def _doubt(judgement: Judgement, loss: str) -> str:
    """Why nothing is decided."""
    if judgement.summary.high is None:
        return "one seed shows no deviation"
    if judgement.is_costly:
        return "the interval says that it costs test accuracy, and the exact test does not confirm it"
    return f"it may cost {loss} of test accuracy or more, and it may cost less"


def _of_others(judgements: Sequence[Judgement], margin: Margin, first: bool) -> list[str]:
    """One sentence on all the other objectives."""
    parts = []
    for ruling, (one, several) in RULINGS.items():
        own = [each for each in judgements if ("costly" if each.is_costly else each.ruling) == ruling]
        if names := [in_brackets(each.name, interval(each.summary, points)) for each in own]:
            words = (several if len(names) > 1 else one).replace("the margin", margin_points(margin.value))
            words = words if len(judgements) > 1 else words.replace(CORRECTION, "")
            parts.append(f"{listed(names)} {words}")
    start = "Without a run of gumbel that could be compared: " if first else "Of the other objectives, "
    return [start + "; ".join(parts) + "."] if parts else []


def _failed(group: Group, judgements: Sequence[Judgement]) -> list[str]:
    """Which of the runs that were compared failed, and are in none of the numbers."""
    compared = [series for series in group.series if series.name in {MARGINALIZE, *(each.name for each in judgements)}]
    words = [
        f"{failed} of {len(series.records)} of {in_brackets(series.name)}"
        for series in compared
        if (failed := len(series.records) - len(series.finished))
    ]
    return [f"**What failed:** of the runs {listed(words)}; the numbers are of the others alone."] if words else []


def _which(group: Group, judgements: Sequence[Judgement]) -> list[str]:
    """Of objectives with several series, as at several temperatures, the one that is judged, and by which rule."""
    words = [
        f"{in_brackets(each.name)} of {several} {'by its settings' if group.is_usual(each.series) else 'by validation'}"
        for each in judgements
        if (several := len(group.candidates(each.series.config.objective))) > 1
    ]
    if not words:
        return []
    return [
        "**Which series:** of several of one objective the verdict takes that with the settings of a preset or by "
        "default, and without one that which is most accurate on validation, a choice that no interval covers: here "
        f"{listed(words)}."
    ]


def _saving(group: Group, judgements: Sequence[Judgement]) -> list[str]:
    """What every objective saves that is no worse, and first of all what the one would that was asked for."""
    chosen = [each.series for each in judgements if each.ruling == "no worse" or each is judgements[0]]
    marginal = group.find(MARGINALIZE)
    assert marginal is not None
    dear = marginal.seconds_per_epoch(group.circumstances)
    parts = [part for series in chosen if dear and (part := _one_saving(group, series, dear))]
    if not parts or dear is None:
        return []
    evaluations = listed([f"{series.evaluations():.3g} with {in_brackets(series.name)}" for series in chosen])
    return [
        f"**What it saves:** with the sum an epoch takes {digits(dear)} s, with {listed(parts)}. Evaluations of the "
        f"decoder for each unlabelled image: {marginal.evaluations():.3g} with the sum, {evaluations}; what one "
        "takes in memory `gsm cost` measures."
    ]


def _one_saving(group: Group, series: Series, dear: float) -> str | None:
    cheap = series.seconds_per_epoch(group.circumstances)
    return f"{in_brackets(series.name)} {digits(cheap)} s ({dear / cheap:.2f} times as fast)" if cheap else None


def _meaning(margin: Margin, named: float | None) -> str:
    default = (
        "by default a quarter of the sum's errors on these images, at most one point, rounded down to a tenth of a "
        "point; `gsm report --margin` names another"
    )
    return (
        f"**What counts as no worse:** a loss of less than {margin_points(margin.value)}, with which "
        f"{counted(margin.errors, 'error')} of the sum become{'s' if margin.errors == 1 else ''} {margin.with_it:,} of "
        f"{margin.images:,} images "
        f"({default if named is None else 'named with `--margin`'}); the whole 95 % interval must lie above that loss."
    )


def _missing(group: Group, judgements: Sequence[Judgement], options: Sequence[str]) -> list[str]:
    """How many seeds would decide what is undecided, and the commands that run them."""
    undecided = [each for each in judgements if each.ruling == "undecided"]
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
    lines = _commands(group, runs, options)
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


def _commands(group: Group, runs: Sequence[tuple[Series, int]], options: Sequence[str]) -> list[str]:
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


def _objectives(group: Group) -> list[str]:
    """Those with a finished run, but for the floor."""
    return list(dict.fromkeys(each.config.objective for each in group.trained if each.config.objective != SUPERVISED))


def _so_far(group: Group) -> str:
    """How accurate they are that have a finished run, as a further sentence."""
    found = [f"{in_brackets(series.name)} {interval(series.accuracy)} %" for series in group.trained]
    return f" Test accuracy so far: {listed(found)}." if found else ""


def _remedy(group: Group, missing: Sequence[str], options: Sequence[str]) -> str:
    """The commands that make the runs of `missing` with the settings and the seeds of the first series.

    What is an objective's own is that of the preset that the runs are of: the command with that is the shortest.
    """
    texts = []
    for name in missing:
        failed = {seed for series in group.series if series.config.objective == name for seed in series.seeds}
        seeds = sorted({*group.series[0].seeds} - failed) or [max(failed) + 1]
        usual = usual_settings(name, group.config.dataset)
        found = [msgspec.structs.replace(group.config, objective=name, own=own, objective_sha256=None) for own in usual]
        texts.append(f"{name} with `{min((commands.train_ssl(config, seeds, options) for config in found), key=len)}`")
    return f"Add {listed(texts)}."
