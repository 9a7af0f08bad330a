"""Two folders of runs, series by series and seed by seed: what differs, and what only one of them has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from gsm_cli.analysis.groups import sort_records
from gsm_cli.analysis.series import Series
from gsm_cli.analysis.statistics import Comparison, Summary, compare, side, summarize
from gsm_cli.records.run import RunRecord

Seeds = Mapping[str, Sequence[int]]  # by the label of a series


@dataclass(frozen=True)
class Pair:
    """A series that both folders have: its mean test accuracies and their differences, second minus first.

    All are over the seeds that have the same split in both, after the last epoch. `log_p` is in nats, and None where
    the objective has no bound. It is worse if the whole interval of the difference lies below zero, as it is printed.
    """

    label: str
    first: float
    second: float
    comparison: Comparison
    log_p: Summary | None
    worse: bool


@dataclass(frozen=True)
class Matches:
    """The series that both have, in the order of a report, and the finished seeds that only one of them has."""

    pairs: Sequence[Pair]
    only_first: Seeds
    only_second: Seeds


def match(first: Sequence[RunRecord], second: Sequence[RunRecord]) -> Matches:
    """The series of two folders, matched by all of their settings."""
    runs = [
        {each.config.digest: each.records for group in sort_records(records) for each in group.series}
        for records in (first, second)
    ]
    pairs = []
    alone: list[dict[str, list[int]]] = [{}, {}]
    for group in sort_records([*first, *second]):
        for both in group.series:
            label = both.identity.in_brackets(group.name)
            ours, theirs = (Series(both.identity, own.get(both.config.digest, [])) for own in runs)
            pair = _pair(label, ours, theirs)
            pairs += [pair] if pair else []
            for series, seeds in zip((ours, theirs), alone, strict=True):
                if rest := sorted(series.scores.keys() - (pair.comparison.seeds if pair else ())):
                    seeds[label] = rest
    return Matches(pairs, *alone)


def _pair(label: str, first: Series, second: Series) -> Pair | None:
    """None without a common seed."""
    found = compare(second.scores, first.scores)
    if found is None:
        return None
    ours, theirs = first.bounds, second.bounds
    gains = [theirs[seed] - ours[seed] for seed in found.seeds if seed in ours.keys() & theirs.keys()]
    means = [fmean(series.scores[seed].accuracy for seed in found.seeds) for series in (first, second)]
    worse = side(found.summary) == "worse"
    return Pair(label, means[0], means[1], found, summarize(gains) if gains else None, worse)
