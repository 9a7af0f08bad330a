"""What a measurement says of the estimators' gradients: their means over models, and which of them can be trusted."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isnan, nan
from statistics import fmean

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
    """The subjects by title: a function of y, or the models of all seeds after one epoch, which the sum has trained."""
    found: dict[str, list[GradientSubject]] = {}
    for subject in (each for each in record.subjects if not each.is_own):
        title = TITLES.get(subject.name, subject.name) if subject.epoch is None else f"model, epoch {subject.epoch}"
        found.setdefault(title, []).append(subject)
    return found


def means(
    rows: Sequence[GradientRow], estimator: str, subjects: Sequence[GradientSubject], quantity: Quantity
) -> Iterator[Mean]:
    """Over these subjects, at every temperature at which all of them show the quantity."""
    names = [subject.name for subject in subjects]
    own = [row for row in rows if row.estimator == estimator and row.subject in names and not row.minus_log_q]
    for tau in sorted({row.temperature for row in own}, key=lambda tau: tau or 0.0):
        read = [each for row in own if row.temperature == tau and (each := quantity(row)) is not None]
        if len(read) == len(names):
            several = len(read) > 1
            yield Mean(tau, fmean(read), min(read) if several else None, max(read) if several else None)


@dataclass(frozen=True)
class OnOwnModels:
    """What an estimator's gradient is on models that it has trained itself, after one epoch: means over seeds."""

    estimator: str
    temperature: float | None
    epoch: int
    bias: float
    deviation: float
    cosine: float | None
    cosine_on_sum: float | None  # of the same estimator on the models that the sum has trained, after that epoch


def on_own_models(record: GradientRecord) -> list[OnOwnModels]:
    """Every estimator after the last epoch that was measured."""
    last = max((each.epoch or 0 for each in record.subjects), default=0)
    of_sum = {each.name for each in record.subjects if each.epoch == last and not each.is_own}
    found = []
    for trainer in dict.fromkeys(each.trained_by for each in record.subjects if each.is_own):
        names = {each.name for each in record.subjects if (each.trained_by, each.epoch) == (trainer, last)}
        rows = [row for row in record.rows if row.subject in names]
        beside = [row for row in record.rows if row.subject in of_sum and row.variant == rows[0].variant]
        bias, spread = fmean(row.logits.bias for row in rows), fmean(row.deviation for row in rows)
        cosines = _mean_cosine(rows), _mean_cosine(beside)
        found.append(OnOwnModels(rows[0].estimator, rows[0].temperature, last, bias, spread, *cosines))
    return found


def _mean_cosine(rows: Sequence[GradientRow]) -> float | None:
    """Over rows; None where one cannot be told from 0."""
    known = [row.logits.cosine for row in rows if row.logits.cosine is not None]
    return fmean(known) if known and len(known) == len(rows) else None


def less_log_q(record: GradientRecord) -> dict[str, dict[str, float]]:
    """By estimator and title: the variance with log q taken from the signal, over that without; means over models."""
    plain = {(row.subject, row.estimator, row.temperature): row for row in record.rows if not row.minus_log_q}
    found: dict[str, dict[str, float]] = {}
    for title, subjects in subjects_of(record).items():
        names = {subject.name for subject in subjects}
        ratios: dict[str, list[float]] = {}
        for row in (each for each in record.rows if each.minus_log_q and each.subject in names):
            beside = plain[row.subject, row.estimator, row.temperature].deviation
            ratios.setdefault(row.estimator, []).append((row.deviation / beside) ** 2 if beside > ROUNDING else nan)
        for name, each in ratios.items():
            if not any(map(isnan, each)):
                found.setdefault(name, {})[title] = fmean(each)
    return found


def conclusions(record: GradientRecord) -> list[Conclusion]:
    """For every title which estimators have no bias, which means are close and which do not ascend, in all rows."""
    found = []
    for title, subjects in subjects_of(record).items():
        names = {subject.name for subject in subjects}
        kinds: dict[str, list[Estimator]] = {}
        by_estimator: dict[Estimator, list[GradientRow]] = {}
        for row in record.rows:
            if row.subject in names and not row.minus_log_q:
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
