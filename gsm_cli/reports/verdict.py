"""The answer that a report gives in its first lines, computed from its numbers."""

from collections.abc import Sequence

from gsm_cli.objectives import GUMBEL, MARGINALIZE, SUPERVISED
from gsm_cli.reports.groups import Group
from gsm_cli.reports.judgements import Judgement, Margin, Ruling, judge, margin_of
from gsm_cli.reports.markdown import console, interval
from gsm_cli.reports.missing import commands_for, missing, remedy
from gsm_cli.reports.names import in_brackets
from gsm_cli.reports.report import Verdict
from gsm_cli.reports.series import Series
from gsm_cli.words import counted, digits, listed, margin_points, points, ratio

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
        absent = [*([] if candidates else [GUMBEL]), *([] if margin else [MARGINALIZE])]
        return Verdict(
            f"There is nothing to compare yet: no finished run of {listed(absent)}.{_so_far(group)}",
            [remedy(group, absent, options)],
        )
    judgements = [each for each in judge(group, margin.value) if each.role != "exploratory"]
    if not judgements:
        found = [series for name in candidates if (series := group.find(name))]
        lines = commands_for(group, [(series, len(series.scores)) for series in found], options)
        return Verdict(
            "There is nothing to compare yet: no objective that the verdict takes has a seed with the same split in "
            "common with marginalize.",
            [console(lines)] if lines else [],
        )
    primary = [each for each in judgements if each.role == "primary"]
    others = [each for each in judgements if each.role == "secondary"]
    answer = [*(_of_gumbel(each, margin) for each in primary), *_of_others(others, margin, first=not primary)]
    answer += _failed(group, judgements)
    details = [
        *_which(group, judgements),
        *_saving(group, judgements),
        _meaning(margin, named),
    ]
    details += missing(group, judgements, options)
    return Verdict(" ".join(answer), details)


def difference(judgement: Judgement) -> str:
    """A difference with its interval and its seeds, in words."""
    number = interval(judgement.summary, points)
    return f"{judgement.name} − marginalize: {number} points, {counted(len(judgement.comparison.seeds), 'seed')}"


def _of_gumbel(judgement: Judgement, margin: Margin) -> str:
    """The answer to the question that was asked first."""
    loss, draws = margin_points(margin.value), judgement.series.config.own["draws"]
    the, one = ("One", "one") if draws == 1 else (f"The mean of {draws}", f"the mean of {draws}")
    sample = f"Gumbel-Softmax {'sample' if draws == 1 else 'samples'}"
    words: dict[Ruling, str] = {
        "no worse": f"{the} {sample} may replace the sum over classes here: if it costs test accuracy, then less than "
        f"{loss}",
        "worse": f"{the} {sample} does not replace the sum over classes here: it costs test accuracy",
        "undecided": f"Whether {one} {sample} may replace the sum over classes is undecided here: "
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
    return [f"Of the runs {listed(words)} failed, and the numbers are of the others alone."] if words else []


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
        "default, and without one, of those with the most runs, that which is most accurate on validation, a choice "
        "that no interval covers: here "
        f"{listed(words)}."
    ]


def _saving(group: Group, judgements: Sequence[Judgement]) -> list[str]:
    """What every objective saves that is no worse, and first of all what the one would that was asked for."""
    chosen = [each.series for each in judgements if each.ruling == "no worse" or each is judgements[0]]
    marginal = group.find(MARGINALIZE)
    assert marginal is not None
    dear = marginal.seconds_per_epoch
    evaluations = listed([f"{series.evaluations():.3g} with {in_brackets(series.name)}" for series in chosen])
    parts = [part for series in chosen if (part := _one_saving(series, marginal))]
    seconds = f"with the sum an epoch takes {digits(dear)} s, with {listed(parts)}. " if dear and parts else ""
    return [
        f"**What it saves:** {seconds}{'E' if seconds else 'e'}valuations of the decoder for each unlabelled image: "
        f"{marginal.evaluations():.3g} with the sum, {evaluations}; what one takes in memory `gsm cost` measures."
    ]


def _one_saving(series: Series, marginal: Series) -> str | None:
    seconds, faster = series.seconds_per_epoch, series.times_as_fast(marginal)
    if not seconds or not faster:
        return None
    return f"{in_brackets(series.name, f'{interval(faster, ratio)} times as fast')} {digits(seconds)} s"


def _meaning(margin: Margin, named: float | None) -> str:
    default = (
        "by default a quarter of the sum's errors on these images, rounded down to a tenth of a point, from 0.1 "
        "to 1 point; `gsm report --margin` names another"
    )
    more = (
        f"with which {counted(margin.errors, 'error')} of the sum become{'s' if margin.errors == 1 else ''} "
        f"{margin.with_it:,} of {margin.images:,} images"
    )
    if margin.with_it == margin.errors:
        more = f"which is less than one of the {margin.images:,} images"
    return (
        f"**What counts as no worse:** a loss of less than {margin_points(margin.value)}, {more} "
        f"({default if named is None else 'named with `--margin`'}); the whole 95 % interval must lie above that loss."
    )


def _objectives(group: Group) -> list[str]:
    """Those with a finished run, but for the floor."""
    return list(dict.fromkeys(each.config.objective for each in group.trained if each.config.objective != SUPERVISED))


def _so_far(group: Group) -> str:
    """How accurate they are that have a finished run, as a further sentence."""
    found = [f"{in_brackets(series.name)} {interval(series.accuracy)} %" for series in group.trained]
    return f" Test accuracy so far: {listed(found)}." if found else ""
