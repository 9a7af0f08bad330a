"""The answer that a report gives in its first lines, computed from its numbers."""

from collections.abc import Sequence
from math import inf

from gsm_cli import commands
from gsm_cli.analysis.groups import Group
from gsm_cli.analysis.margin import Margin
from gsm_cli.analysis.next_runs import Enough, NextRuns, absent_runs, commands_for, next_runs
from gsm_cli.analysis.statistics import MOST_SEEDS
from gsm_cli.analysis.verdict import Judgement, Ruling, Verdict
from gsm_cli.objectives import GUMBEL, MARGINALIZE
from gsm_cli.records.layout import ReportFolder
from gsm_cli.records.steps import StepRecord
from gsm_cli.reports.markdown import console, interval
from gsm_cli.reports.page import Answer
from gsm_cli.words import counted, digits, listed, margin_points, points, ratio

LOWEST = {"chance": "the sum accuracy is not above chance", "supervised": "the sum it is not above the labels alone"}
CORRECTION = ", corrected for several objectives,"  # left out where there is one
CORRECTED = f"the exact test{CORRECTION} does not confirm"  # that the interval lies below zero
RULINGS: dict[str, tuple[str, str]] = {  # of one objective, of several
    "chance": ("is not above chance", "are not above chance"),
    "supervised": ("is not above the labels alone", "are not above the labels alone"),
    "no worse": ("is no worse than the sum within the margin", "are no worse than the sum within the margin"),
    "worse": ("is worse", "are worse"),
    "costly": (f"is worse by its interval, which {CORRECTED}", f"are worse by their intervals, which {CORRECTED}"),
    "undecided": ("is undecided", "are undecided"),
}


def answer(verdict: Verdict | None, options: Sequence[str] = ()) -> Answer:
    """Which objective may replace marginalization here, how sure that is, what it saves, and what is missing.

    `options` are those with which a command makes runs for the same report.
    """
    if verdict is None:
        return Answer("There is nothing to compare yet: no run has been made.")
    group, margin = verdict.group, verdict.margin
    if margin is None or not verdict.candidates:
        absent = [*([] if verdict.candidates else [GUMBEL]), *([] if margin else [MARGINALIZE])]
        remedies = [f"{name} with `{absent_runs(group, name, options)}`" for name in absent]
        return Answer(
            f"There is nothing to compare yet: no finished run of {listed(absent)}.{_so_far(group)}",
            [f"Add {listed(remedies)}."],
        )
    if not verdict.decisive:
        found = [series for name in verdict.candidates if (series := group.find(name))]
        lines = commands_for(group, [(series, len(series.scores)) for series in found], options)
        return Answer(
            "There is nothing to compare yet: no objective that the verdict takes has a seed with the same split in "
            "common with marginalize.",
            [console(lines)] if lines else [],
        )
    if verdict.floor:
        return Answer(f"Nothing is concluded: with {LOWEST[verdict.floor]}.", [_meaning(margin, verdict.is_named)])
    primary = verdict.of("primary")
    where = "on these images" if group.shares_images else "here"
    sentences = [*(_of_gumbel(each, margin, where) for each in primary)]
    sentences += [*_of_others(verdict.of("secondary"), margin, first=not primary), *_failed(verdict)]
    details = [*_cautions(verdict), *_which(verdict), *_saving(verdict), _meaning(margin, verdict.is_named)]
    return Answer(" ".join(sentences), [*details, *_missing(next_runs(verdict, options))])


def difference(judgement: Judgement) -> str:
    """A difference with its interval and its seeds, in words."""
    number = interval(judgement.summary, points)
    return f"{judgement.label} − marginalize: {number} points, {counted(len(judgement.comparison.seeds), 'seed')}"


def _of_gumbel(judgement: Judgement, margin: Margin, where: str) -> str:
    """The answer to the question that was asked first."""
    loss, draws = margin_points(margin.value), judgement.series.config.own["draws"]
    the, one = ("One", "one") if draws == 1 else (f"The mean of {draws}", f"the mean of {draws}")
    sample = f"Gumbel-Softmax {'sample' if draws == 1 else 'samples'}"
    words: dict[Ruling, str] = {
        "no worse": f"{the} {sample} may replace the sum over classes {where}: if it costs test accuracy, then "
        f"less than {loss}",
        "worse": f"{the} {sample} does not replace the sum over classes {where}: it costs test accuracy",
        "undecided": f"Whether {one} {sample} may replace the sum over classes is undecided {where}: "
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
        own = [each for each in judgements if _ruling(each) == ruling]
        if names := [each.series.identity.in_brackets(interval(each.summary, points)) for each in own]:
            words = (several if len(names) > 1 else one).replace("the margin", margin_points(margin.value))
            words = words if len(judgements) > 1 else words.replace(CORRECTION, "")
            parts.append(f"{listed(names)} {words}")
    start = "Without a run of gumbel that could be compared: " if first else "Of the other objectives, "
    return [start + "; ".join(parts) + "."] if parts else []


def _ruling(judgement: Judgement) -> str:
    """What is said of an objective: that it has learned nothing, if that is so and it is not worse."""
    if judgement.ruling == "worse" or not judgement.floor:
        return "costly" if judgement.is_costly else judgement.ruling
    return judgement.floor


def _cautions(verdict: Verdict) -> list[str]:
    """Too few seeds for the tests, and rulings that the choice of an epoch by validation would change."""
    short = [
        f"{each.series.identity.in_brackets()} has {len(each.comparison.seeds)} and needs {each.needed}"
        for each in verdict.short
    ]
    changed = [
        f"{each.series.identity.in_brackets()} would be {each.chosen_ruling}"
        for each in verdict.decisive
        if each.chosen_ruling != each.ruling
    ]
    found = [f"**Exploratory**, of too few seeds for the corrected tests: {listed(short)}."] * bool(short)
    return found + [f"**At the epochs that validation would choose** {listed(changed)}."] * bool(changed)


def _failed(verdict: Verdict) -> list[str]:
    """Which of the runs that were compared failed, and are in none of the numbers."""
    words = [f"{count} of {len(series.records)} of {series.identity.in_brackets()}" for series, count in verdict.failed]
    return [f"Of the runs {listed(words)} failed, and the numbers are of the others alone."] if words else []


def _which(verdict: Verdict) -> list[str]:
    """Of objectives with several series, as at several temperatures, the one that is judged, and by which rule."""
    group = verdict.group
    words = [
        f"{each.identity.in_brackets()} of {several} {'by its settings' if group.is_usual(each) else 'by validation'}"
        for each in (judgement.series for judgement in verdict.decisive)
        if (several := len(group.candidates(each.config.objective))) > 1
    ]
    if not words:
        return []
    return [
        "**Which series:** of several of one objective the verdict takes that with the settings of a preset or by "
        "default, and without one, of those with the most runs, that which is most accurate on validation, a choice "
        "that no interval covers: here "
        f"{listed(words)}."
    ]


def _saving(verdict: Verdict) -> list[str]:
    """What every objective saves that is no worse, and first of all what the one would that was asked for."""
    marginal, dear = verdict.group.find(MARGINALIZE), verdict.sum_seconds
    assert marginal is not None
    parts = [
        f"{each.series.identity.in_brackets(f'{interval(each.factor, ratio)} times as fast')} {digits(each.seconds)} s"
        for each in verdict.savings
        if each.seconds and each.factor
    ]
    counts = [f"{one.series.evaluations():.3g} with {one.series.identity.in_brackets()}" for one in verdict.savings]
    seconds = f"with the sum an epoch takes {digits(dear)} s, with {listed(parts)}. " if dear and parts else ""
    return [
        f"**What it saves:** {seconds}{'E' if seconds else 'e'}valuations of the decoder for each unlabelled image: "
        f"{marginal.evaluations():.3g} with the sum, {listed(counts)}; what one takes in memory `gsm cost` measures."
    ]


def _missing(lacking: NextRuns) -> list[str]:
    """How many seeds would decide what is undecided, and the commands that run them."""
    blocks = []
    if lacking.unpaired:
        blocks += ["**What is missing:** seeds that gumbel and marginalize have in common, on the same splits."]
        blocks += [console(lacking.pairing)] if lacking.pairing else []
    if lacking.enough:
        least = (
            "; where one seed shows no deviation, the fewest with which the exact test can say worse"
            if any(each.likely is None for each in lacking.enough)
            else ""
        )
        blocks += [
            f"**What is missing:** seeds. In all, {listed([*map(_enough, lacking.enough)])} would decide, in 80 % of "
            f"cases, if the true difference and the deviation of a seed are those seen here{least}. Seeds that are "
            "added after a look make intervals a little too sure.",
            *([console(lacking.deciding)] if lacking.deciding else []),
        ]
    return blocks


def _enough(each: Enough) -> str:
    """How many seeds, and what they would find."""
    number = f"about {each.seeds:,.0f}" if each.seeds < inf else f"more than {MOST_SEEDS:,}"
    found = f" (as {each.likely})" if each.likely and each.seeds < inf else ""
    return f"{each.series.identity.in_brackets()} {number}{found}"


def _meaning(margin: Margin, is_named: bool) -> str:
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
        f"({'named with `--margin`' if is_named else default}); the whole 95 % interval must lie above that loss."
    )


def _so_far(group: Group) -> str:
    """How accurate they are that have a finished run, as a further sentence."""
    found = [f"{series.identity.in_brackets()} {interval(series.accuracy)} %" for series in group.trained]
    return f" Test accuracy so far: {listed(found)}." if found else ""


def without_seconds(folder: ReportFolder, groups: Sequence[Group], steps: StepRecord | None) -> list[str]:
    """That seconds are missing, or that the machine was not idle, and the command that mends it."""
    names = [each.identity.in_brackets(group.name) for group in groups for each in group.trained if not each.clock]
    if steps is None:
        remedy = f"on an idle machine `{commands.steps(folder)}` times the steps of these runs"
        return [f"**Seconds** are missing: {remedy}."] * bool(names)
    few = listed(names if len(names) < 4 else [*names[:2], f"{len(names) - 2} others"])
    anew = f"on an idle machine `{commands.steps(folder)} --force` times all steps anew"
    lacking = f"**Seconds** of {few} are missing, whose settings {folder.steps.name} does not have: {anew}."
    busy = f"**The machine was not idle** when steps were timed: it {listed(steps.disturbances)}; {anew}."
    return [lacking] * bool(names) + [busy] * bool(steps.disturbances)
