"""What a measurement says of the estimators' gradients: their means over models, and which of them can be trusted."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from gsm_cli.analysis.statistics import Summary
from gsm_cli.objectives import MARGINALIZE
from gsm_cli.records.gradients import ROUNDING, GradientRecord, GradientRow, GradientSubject

TITLES = {"linear": "f(y) linear", "quadratic": "f(y) quadratic", "polynomial": "f(y) = |b - 0.45|^1.5"}
CLOSE = 0.9  # the cosine of 26 degrees
ERRORS = 2.0  # that a cosine must keep from such a border
Quantity = Callable[[GradientRow], float | None]  # None where it cannot be told from 0
Estimator = tuple[str, float | None]  # with its temperature


def cosine(row: GradientRow) -> float | None:
    return row.logits.cosine


def bias(row: GradientRow) -> float | None:
    return row.logits.bias if row.logits.is_biased else None


def deviation(row: GradientRow) -> float | None:
    return row.deviation if row.deviation > ROUNDING else None


@dataclass(frozen=True)
class Conclusion:
    """What the means on one function, or on the models of all seeds after one epoch, say of every estimator."""

    title: str
    seeds: Sequence[int]
    kinds: Mapping[str, Sequence[Estimator]]


def subjects_of(record: GradientRecord) -> dict[str, list[GradientSubject]]:
    """The subjects by title: a function of y, or the models of all seeds after one epoch, which the sum has trained."""
    found: dict[str, list[GradientSubject]] = {}
    for subject in (each for each in record.subjects if not each.is_own):
        title = TITLES.get(subject.name, subject.name) if subject.epoch is None else f"model, epoch {subject.epoch}"
        found.setdefault(title, []).append(subject)
    return found


def own_models(record: GradientRecord) -> dict[str, list[GradientSubject]]:
    """By estimator the models that it has trained itself, after the last epoch that was measured."""
    last = max((each.epoch or 0 for each in record.subjects), default=0)
    found: dict[str, list[GradientSubject]] = {}
    for subject in (each for each in record.subjects if each.is_own and each.epoch == last):
        found.setdefault(subject.trained_by or "", []).append(subject)
    return found


def by_estimator(record: GradientRecord, subjects: Sequence[GradientSubject]) -> dict[Estimator, list[GradientRow]]:
    """The rows on these subjects; an estimator with log q taken from its signal is one of its own."""
    names = {subject.name for subject in subjects}
    found: dict[Estimator, list[GradientRow]] = {}
    for row in (each for each in record.rows if each.subject in names):
        found.setdefault((row.estimator + ", minus_log_q" * row.minus_log_q, row.temperature), []).append(row)
    return found


def means(
    record: GradientRecord, name: str, subjects: Sequence[GradientSubject], quantity: Quantity
) -> dict[float | None, Summary]:
    """Over these subjects, with the least and the greatest, at every temperature at which all show the quantity."""
    found = {}
    for (estimator, tau), rows in by_estimator(record, subjects).items():
        read = [value for row in rows if (value := quantity(row)) is not None] if estimator == name else []
        if read and len(read) == len(rows):
            ends = (min(read), max(read)) if len(read) > 1 else (None, None)
            found[tau] = Summary(fmean(read), None, *ends)
    return dict(sorted(found.items(), key=lambda pair: pair[0] or 0.0))


def conclusions(record: GradientRecord) -> list[Conclusion]:
    """For every title which estimators have no bias, which means are close and which do not ascend, in all rows."""
    found = []
    for title, subjects in subjects_of(record).items():
        kinds: dict[str, list[Estimator]] = {}
        for estimator, rows in by_estimator(record, subjects).items():
            if estimator[0] != MARGINALIZE and not rows[0].minus_log_q:
                kinds.setdefault(_kind(rows), []).append(estimator)
        if kinds:
            seeds = [subject.seed for subject in subjects if subject.seed is not None]
            found.append(Conclusion(title, seeds, kinds))
    return found


def _kind(rows: Sequence[GradientRow]) -> str:
    """What all of these rows say."""
    if not any(row.logits.is_biased for row in rows):
        return "unbiased" if all(row.mean != "sampled" for row in rows) else "unseen"
    if all(_cosine_from(row, -ERRORS) >= CLOSE for row in rows):
        return "close"
    return "away" if all(_cosine_from(row, ERRORS) < 0.0 for row in rows) else "between"


def _cosine_from(row: GradientRow, errors: float) -> float:
    """The cosine of the mean, so many standard errors on; where it has none, one that says nothing."""
    return CLOSE / 2 if row.logits.cosine is None else row.logits.cosine + errors * row.logits.cosine_error
