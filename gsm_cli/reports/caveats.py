"""What the intervals of a report do not cover: labels that choose the epoch, overlapping splits, finite test sets."""

from collections.abc import Sequence
from statistics import fmean

from gsm_cli.analysis.groups import Group
from gsm_cli.analysis.series import disagreement_error
from gsm_cli.analysis.statistics import SIDES, wilson
from gsm_cli.analysis.verdict import Judgement, Verdict
from gsm_cli.data import DATASETS, Dataset, describe_dataset
from gsm_cli.objectives import MARGINALIZE
from gsm_cli.words import counted, listed, points


def limits(verdict: Verdict) -> list[str]:
    """In a list; empty without a finished run."""
    group, judgements = verdict.group, verdict.decisive
    if not group.trained:
        return []
    dataset = describe_dataset(group.config.dataset)
    sentences = [_validation(group, dataset), *_overlap(group, dataset), *_test_set(group, dataset)]
    sentences += [*_disagreement(group, dataset, judgements)]
    return ["## What the intervals do not cover", "\n".join(f"* {sentence}" for sentence in sentences)]


def _validation(group: Group, dataset: Dataset) -> str:
    """What an epoch chosen by validation labels would be worth here."""
    images = (
        f"{dataset.validation:,} validation images" if dataset.validation and not group.config.classes else "validation"
    )
    gains = {
        series.label: fmean(
            score.accuracy - series.scores[seed].accuracy for seed, score in series.chosen_scores.items()
        )
        for series in group.pictured
    }
    each = listed([f"{name} {points(gain)}" for name, gain in gains.items()])
    return (
        f"**Validation.** With the epoch that the labels of {images} choose, test accuracy is other by points: {each}."
    )


def _overlap(group: Group, dataset: Dataset) -> list[str]:
    """Where every seed splits the same pool: what the intervals speak of, and the correction for other images."""
    if group.config.dataset not in DATASETS:
        return [
            "**Overlapping splits.** Where the file has no test images of its own, every seed splits the same images, "
            "and the intervals speak of other splits of these alone."
        ]
    return [
        "**Overlapping splits.** Every seed splits the same images, so that the test sets of two seeds share some: the "
        "intervals speak of other splits and initial weights with these images."
    ] * bool(dataset.test)


def _test_set(group: Group, dataset: Dataset) -> list[str]:
    """The error of a finite test set, by the binomial law."""
    first = group.trained[0]
    accuracy = fmean(score.accuracy for score in first.scores.values())
    images = next(iter(first.scores.values())).images
    low, high = wilson(accuracy, images)
    start = (
        f"**Test images.** With {100 * accuracy:.2f} % of {counted(images, 'test image')} correct, one run's accuracy "
        f"on all images of the kind lies between {100 * low:.2f} and {100 * high:.2f} % (binomial, 95 %)"
    )
    if dataset.paired > 1:
        start += f", in truth in a wider range, because every single image stands in {dataset.paired} pairs"
    if dataset.test:
        return [f"{start}; as test images differ between seeds, in part, the intervals contain some of that."]
    fixed = "; all seeds have the same test images, and the intervals leave that out: more seeds do not remove it."
    return [start + fixed] if _is_fixed(group, dataset) else [f"{start}."]


def _disagreement(group: Group, dataset: Dataset, judgements: Sequence[Judgement]) -> list[str]:
    """What the choice of the test images adds to every difference, from which of them each run got wrong."""
    marginal = group.find(MARGINALIZE)
    if marginal is None or not _is_fixed(group, dataset):
        return []
    errors = {each.label: disagreement_error(each.series.finished, marginal.finished) for each in judgements}
    words = [f"{name} ± {100 * SIDES * error:.2f}" for name, error in errors.items() if error is not None]
    start = "**Of the differences** from marginalize the choice of these test images leaves unknown, in points (95 %): "
    return [f"{start}{listed(words)}."] if words else []


def _is_fixed(group: Group, dataset: Dataset) -> bool:
    """Whether all seeds have the same test images; of somebody's own it is not known."""
    return group.config.dataset in DATASETS and not dataset.test
