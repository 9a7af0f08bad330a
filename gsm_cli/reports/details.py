"""The tables of the details on groups of runs: tests, what the labels alone have, further groups, numbers of others."""

from collections.abc import Sequence
from statistics import fmean

from gsm_cli.analysis.groups import OF_OTHERS, Group
from gsm_cli.analysis.series import Series
from gsm_cli.analysis.statistics import LEVEL, compare
from gsm_cli.analysis.verdict import Judgement, Verdict
from gsm_cli.data import Dataset
from gsm_cli.objectives import SUPERVISED
from gsm_cli.reports.markdown import NOTHING, interval, plain, table, without_empty
from gsm_cli.words import counted, margin_points, percent, points

TESTS = (
    "*points*: test accuracy after the last epoch minus the sum's at the same seeds, which have the same split, "
    "initial weights, batch order and noise; *by validation's epoch*: the same with the weights of the epoch that "
    "validation would choose; *p*: of the exact, two-sided sign-flip test on counts of correct answers. Gumbel is the "
    "primary question, tested by itself; the secondary ones are corrected together by Holm's method. Worse needs a "
    f"corrected p of at most {LEVEL}."
)
BEYOND = " *for other images*: the interval of Nadeau and Bengio (2003), because the seeds' splits share images."
ACCURACIES = (
    "After the last epoch, means over seeds. Errors on the unlabelled training images are classes that were assigned "
    "wrongly; what the test set loses beyond them would be overfitting. *gain*: test accuracy above that of "
    "supervised at the same seeds. *one class*: the seeds whose classifier predicts one class for everything."
)


def tests(verdict: Verdict) -> list[str]:
    """Every difference from the sum with its tests; empty if nothing was compared."""
    judgements = verdict.decisive
    if not judgements or verdict.margin is None:
        return []
    rows = [_test(each) for each in judgements]
    headings = [
        *("objective", "question", "seeds", "points [95 %]", "deviation of a seed", "p", "p, corrected"),
        *("by validation's epoch [95 %]", "for other images [95 %]", "verdict"),
    ]
    margin = verdict.margin
    loss = margin_points(margin.value)
    share = "named with `--margin`" if verdict.is_named else "a quarter of the sum's errors, from 0.1 to 1 point"
    words = (
        f"The margin is {loss}, {share}: with it {counted(margin.errors, 'error')} of the sum become "
        f"{margin.with_it:,} of {margin.images:,} images."
    )
    words += BEYOND if any(each.beyond for each in judgements) else ""
    return ["## Differences from the sum, with tests", table(*without_empty(headings, rows)), TESTS, words]


def _test(judgement: Judgement) -> list[str]:
    deviation = judgement.summary.deviation
    return [
        judgement.label,
        judgement.role,
        str(len(judgement.comparison.seeds)),
        interval(judgement.summary, points),
        NOTHING if deviation is None else f"{100 * deviation:.2f}",
        f"{judgement.comparison.p_value:.3g}",
        NOTHING if judgement.role == "exploratory" else f"{judgement.p_value:.3g}",
        interval(judgement.chosen.summary, points),
        interval(judgement.beyond, points) if judgement.beyond else NOTHING,
        judgement.told,
    ]


def accuracies(group: Group) -> list[str]:
    """What is known of every part of the images, the gain over the labels alone, and the runs that failed."""
    if not group.trained:
        return []
    headings = ["objective", "unlabelled %", "validation %", "test %", "gain [95 %]", "evaluations", "one class"]
    rows = [_accuracy(group, series) for series in group.pictured]
    failures = [
        f"* {series.label} seed {record.config.seed} failed at step {record.failure.step}: "
        f"{plain(record.failure.reason)}."
        for series in group.series
        for record in series.records
        if record.failure
    ]
    shown = table(*without_empty(headings, rows))
    return ["## Every part of the images", shown, ACCURACIES, *(["\n".join(failures)] if failures else [])]


def _accuracy(group: Group, series: Series) -> list[str]:
    readings = [record.test.last for record in series.finished if record.test]
    floor = group.find(SUPERVISED)
    gain = compare(series.scores, floor.scores) if floor and floor is not series else None
    collapsed = [str(record.config.seed) for record in series.finished if record.collapsed]
    return [
        series.label,
        percent(fmean(each.unlabelled_accuracy for each in readings)),
        percent(series.validation.mean),
        percent(series.accuracy.mean),
        interval(gain.summary, points) if gain else NOTHING,
        f"{series.evaluations():.3g}",
        ", ".join(collapsed) or NOTHING,
    ]


def further(verdicts: Sequence[Verdict]) -> list[str]:
    """The groups with other settings, a row for each of their objectives; empty without any."""
    rows = [_further(verdict, series) for verdict in verdicts for series in verdict.group.series]
    headings = ["runs", "seeds", "test % [95 %]", "points [95 %]", "verdict"]
    return ["## Runs with other settings", table(headings, rows)] if rows else []


def _further(verdict: Verdict, series: Series) -> list[str]:
    name, runs = f"{series.label}, {verdict.group.name}", series.counts
    judged = next((each for each in verdict.judgements if each.series is series), None)
    compared = [interval(judged.summary, points), judged.told] if judged else [NOTHING, NOTHING]
    return [name, runs, interval(series.accuracy) if series.finished else NOTHING, *compared]


def others(dataset: Dataset) -> list[str]:
    """Numbers of others, against which a reader may hold the report; empty if there are none."""
    rows = [
        [f"ADGM, {name}, epoch {epoch}", f"{100 * accuracy:.1f}", dataset.curves_source]
        for name, curve in dataset.curves.items()
        for epoch, accuracy in curve.items()
    ]
    rows += [list(each) for each in dataset.published]
    if not rows:
        return []
    text = f"{dataset.title} with {OF_OTHERS} labels; numbers of others, not measured here. {dataset.caution}".strip()
    shown = table(["model and objective", "accuracy %", "source"], rows)
    return ["## What others report", text, shown]
