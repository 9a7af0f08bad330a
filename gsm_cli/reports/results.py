"""The results of one group of runs: accuracy, bound and cost of every objective."""

from collections.abc import Sequence
from statistics import fmean

from gsm_cli.objectives import MARGINALIZE, SUPERVISED
from gsm_cli.reports.groups import Group
from gsm_cli.reports.markdown import NOTHING, interval, plain, table, without_constants
from gsm_cli.reports.report import Section
from gsm_cli.reports.series import Series
from gsm_cli.reports.statistics import compare
from gsm_cli.words import counted, digits, listed, percent, points, ratio

HEADINGS = (
    *("objective", "runs", "validation %", "test % [95 %]", "test % last epoch", "gain", "log p(x) [95 %]"),
    *("s / epoch", "speed-up [95 %]", "evaluations"),
)


def results(group: Group) -> Section:
    """Accuracy, bound and cost of every objective, and the runs that failed."""
    rows = [_row(group, series) for series in group.series]
    failures = [
        f"* {series.name} seed {record.config.seed} failed at step {record.failure.step}: "
        f"{plain(record.failure.reason)}."
        for series in group.series
        for record in series.records
        if record.failure
    ]
    headings, shown = without_constants(HEADINGS, rows, told=("runs",))
    return Section(
        ["## Results", table(headings, shown), *(["\n".join(failures)] if failures else []), _legend(group, headings)]
    )


def _row(group: Group, series: Series) -> list[str]:
    failed = len(series.records) - len(series.finished)
    runs = f"{len(series.finished)}" + (f" (+ {failed} failed)" if failed else "")
    if not series.finished:
        return [series.name, runs, *[NOTHING] * (len(HEADINGS) - 2)]
    marginal, floor = group.find(MARGINALIZE), group.find(SUPERVISED)
    gain = compare(series.scores, floor.scores) if floor and floor is not series else None
    last = [score.accuracy for score in series.last_scores.values()]
    seconds, faster = series.seconds_per_epoch, series.times_as_fast(marginal)
    return [
        series.name,
        runs,
        percent(fmean(series.best_validation.values())),
        interval(series.accuracy),
        percent(fmean(last)),
        points(gain.summary.mean) if gain else NOTHING,
        interval(series.bound, lambda nats: f"{nats:.2f}") if series.bound else NOTHING,
        digits(seconds) if seconds else NOTHING,
        interval(faster, ratio) if faster and series is not marginal else NOTHING,
        f"{series.evaluations():.3g}",
    ]


def _legend(group: Group, headings: Sequence[str]) -> str:
    record = group.records[0]
    whole = "" if record.images_per_epoch == record.unlabelled else f" (whole batches, of {record.unlabelled:,})"
    times = next((series.clock.words for series in group.series if series.clock), "")
    bounds = {record.test.bound for series in group.series for record in series.finished if record.test}
    images = listed([f"{number:,}" for number in sorted({bound.images for bound in bounds if bound})])
    words = {
        "validation %": "at the epoch that validation chose, which is the best of them",
        "test % [95 %]": "with the weights of that epoch, mean over seeds and its Student's interval, cut at 100 %",
        "test % last epoch": "with the weights of the last epoch",
        "gain": "test accuracy above supervised in points, same seeds",
        "log p(x) [95 %]": f"its bound in nats after the last epoch, the class summed exactly, on {images} test images",
        "s / epoch": f"{group.series[0].updates:,} updates with "
        f"{record.images_per_epoch:,} unlabelled images{whole}, each as long as its step, measured {times}",
        "speed-up [95 %]": "the sum's seconds over these, and Student's interval over rounds",
        "evaluations": "of the bound of a class, for each unlabelled image in a step",
    }
    lines = [f"*{name}*: {text}" for name, text in words.items() if name in headings]
    numbers = {len(series.finished) for series in group.series}
    start = f"{counted(numbers.pop(), 'finished run')} of each objective. " if "runs" not in headings else ""
    return f"{start}{'; '.join(lines)}." if lines else start.rstrip()
