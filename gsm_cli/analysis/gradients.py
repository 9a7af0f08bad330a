"""What a measurement says of the estimators' gradients: their means over models, and which of them can be trusted."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from gsm_cli.objectives import MARGINALIZE
from gsm_cli.records.gradients import ROUNDING, GradientRecord, GradientRow, GradientSubject

TITLES = {"linear": "f(y) linear", "quadratic": "f(y) quadratic"}
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
class Mean:
    """The mean of a quantity over models, and the least and the greatest where there are several."""

    temperature: float | None
    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Conclusion:
    """What the means on one function, or on the models of all seeds after one epoch, say of every estimator."""

    title: str
    seeds: Sequence[int]
    kinds: Mapping[str, Sequence[Estimator]]


def subjects_of(record: GradientRecord) -> dict[str, list[GradientSubject]]:
    """The subjects by title: a function of y, or the models of all seeds after one epoch."""
    found: dict[str, list[GradientSubject]] = {}
    for subject in record.subjects:
        title = TITLES.get(subject.name, subject.name) if subject.epoch is None else f"model, epoch {subject.epoch}"
        found.setdefault(title, []).append(subject)
    return found


def last_models(record: GradientRecord) -> list[GradientSubject]:
    """The models after the last epoch that was measured."""
    last = max((subject.epoch or 0 for subject in record.subjects), default=0)
    return [subject for subject in record.subjects if subject.epoch == last]


def means(
    rows: Sequence[GradientRow], estimator: str, subjects: Sequence[GradientSubject], quantity: Quantity
) -> Iterator[Mean]:
    """Over these subjects, at every temperature at which all of them show the quantity."""
    names = [subject.name for subject in subjects]
    own = [row for row in rows if row.estimator == estimator and row.subject in names]
    for tau in sorted({row.temperature for row in own}, key=lambda tau: tau or 0.0):
        read = [each for row in own if row.temperature == tau and (each := quantity(row)) is not None]
        if len(read) == len(names):
            several = len(read) > 1
            yield Mean(tau, fmean(read), min(read) if several else None, max(read) if several else None)


def conclusions(record: GradientRecord) -> list[Conclusion]:
    """For every title which estimators have no bias, which means are close and which do not ascend, in all rows."""
    found = []
    for title, subjects in subjects_of(record).items():
        names = {subject.name for subject in subjects}
        kinds: dict[str, list[Estimator]] = {}
        by_estimator: dict[Estimator, list[GradientRow]] = {}
        for row in record.rows:
            if row.subject in names:
                by_estimator.setdefault((row.estimator, row.temperature), []).append(row)
        for estimator, rows in by_estimator.items():
            if estimator[0] != MARGINALIZE:
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
