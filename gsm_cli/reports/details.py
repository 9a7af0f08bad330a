"""The details on groups of runs: tests, all parts of the images, what intervals do not cover, others' numbers."""

from collections.abc import Sequence
from statistics import fmean

from gsm_cli.analysis.groups import OF_OTHERS, Group
from gsm_cli.analysis.series import Series
from gsm_cli.analysis.statistics import LEVEL, wilson
from gsm_cli.analysis.verdict import Judgement, Verdict
from gsm_cli.data import Dataset, describe_dataset
from gsm_cli.reports.comparison import result
from gsm_cli.reports.markdown import NOTHING, columns, interval, plain, table
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
    "wrongly; what the test set loses beyond them would be overfitting. *by validation's epoch*: test % with the "
    "weights of the epoch that validation would choose. *gain*: test accuracy above that of supervised at the same "
    "seeds. *one class*: the seeds whose classifier predicts one class for everything."
)
POOLED = (
    "**Overlapping splits.** Every seed splits the same images, and where the data have no test images of their own, "
    "those of two seeds share some: the intervals speak of other splits and initial weights with these images."
)


def tests(verdict: Verdict) -> list[str]:
    """Every difference from the sum with its tests; empty if nothing was compared."""
    judgements = verdict.decisive
    if not judgements or verdict.margin is None:
        return []
    margin = verdict.margin
    loss = margin_points(margin.value)
    share = "named for this report" if verdict.is_named else "a quarter of the sum's errors, from 0.1 to 1 point"
    words = (
        f"The margin is {loss}, {share}: with it {counted(margin.errors, 'error')} of the sum become "
        f"{margin.errors + round(margin.value * margin.images):,} of {margin.images:,} images."
    )
    words += BEYOND if any(each.beyond for each in judgements) else ""
    return ["## Differences from the sum, with tests", columns([*map(_test, judgements)]), TESTS, words]


def _test(judgement: Judgement) -> dict[str, str]:
    deviation = judgement.summary.deviation
    return {
        "objective": judgement.series.label,
        "question": judgement.role,
        "seeds": str(len(judgement.comparison.seeds)),
        "points [95 %]": interval(judgement.summary, points),
        "deviation of a seed": NOTHING if deviation is None else f"{100 * deviation:.2f}",
        "p": f"{judgement.comparison.p_value:.3g}",
        "p, corrected": f"{judgement.p_value:.3g}",
        "by validation's epoch [95 %]": interval(judgement.chosen.summary, points),
        "for other images [95 %]": interval(judgement.beyond, points),
        "verdict": judgement.told,
    }


def accuracies(group: Group) -> list[str]:
    """What is known of every part of the images, the gain over the labels alone, and the runs that failed."""
    if not group.trained:
        return []
    shown = columns([_accuracy(group, series) for series in group.pictured])
    failures = [
        f"* {series.label} seed {record.config.seed} failed at step {record.failure.step}: "
        f"{plain(record.failure.reason)}."
        for series in group.series
        for record in series.records
        if record.failure
    ]
    return ["## Every part of the images", shown, ACCURACIES, *(["\n".join(failures)] if failures else [])]


def _accuracy(group: Group, series: Series) -> dict[str, str]:
    readings = [record.test.last for record in series.finished if record.test]
    gain = group.gain(series)
    collapsed = [str(record.config.seed) for record in series.finished if record.collapsed]
    return {
        "objective": series.label,
        "unlabelled %": percent(fmean(each.unlabelled_accuracy for each in readings)),
        "validation %": percent(series.validation.mean),
        "test %": percent(series.accuracy.mean),
        "by validation's epoch": percent(fmean(score.accuracy for score in series.chosen_scores.values())),
        "gain [95 %]": interval(gain.summary if gain else None, points),
        "evaluations": f"{series.evaluations():.3g}",
        "one class": ", ".join(collapsed) or NOTHING,
    }


def limits(group: Group) -> list[str]:
    """What the intervals do not cover, in a list, with the error of a finite test set; empty without a finished run."""
    if not group.trained:
        return []
    scores, paired = [*group.trained[0].scores.values()], describe_dataset(group.config.dataset).paired
    accuracy, images = fmean(score.accuracy for score in scores), scores[0].images
    low, high = wilson(accuracy, images)
    text = (
        f"**Test images.** With {100 * accuracy:.2f} % of {counted(images, 'test image')} correct, one run's accuracy "
        f"on all images of the kind lies between {100 * low:.2f} and {100 * high:.2f} % (binomial, 95 %)"
    )
    text += f", in truth in a wider range, because every single image stands in {paired} pairs" * (paired > 1)
    text += "" if group.shares_images else "; all seeds have the same test images: more seeds do not remove it"
    sentences = [*[POOLED] * group.shares_images, f"{text}."]
    return ["## What the intervals do not cover", "\n".join(f"* {sentence}" for sentence in sentences)]


def further(verdicts: Sequence[Verdict]) -> list[str]:
    """The groups with other settings, a row for each of their objectives; empty without any."""
    rows = [
        result(verdict, series) | {"objective": f"{series.label}, {verdict.group.name}"}
        for verdict in verdicts
        for series in verdict.group.series
    ]
    return ["## Runs with other settings", columns(rows)] if rows else []


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
    text = f"{dataset.title} with {OF_OTHERS} labels; numbers of others, not measured here."
    return ["## What others report", text, table(["model and objective", "accuracy %", "source"], rows)]
