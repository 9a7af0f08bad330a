"""The tables of a group of runs: its results and, folded, pairs, the classifier, relaxation and numbers of others."""

from collections.abc import Sequence
from itertools import combinations
from statistics import fmean

from gsm_cli.analysis.groups import OF_OTHERS, Group
from gsm_cli.analysis.series import Series
from gsm_cli.analysis.statistics import compare
from gsm_cli.data import Dataset
from gsm_cli.objectives import MARGINALIZE, SUPERVISED
from gsm_cli.reports.markdown import NOTHING, folded, interval, plain, table, without_constants
from gsm_cli.reports.page import Section
from gsm_cli.words import counted, digits, listed, percent, points, ratio

HEADINGS = (
    *("objective", "runs", "test % [95 %]", "gain", "log p(x) [95 %]"),
    *("s / epoch", "speed-up [95 %]", "evaluations"),
)


def results(group: Group) -> Section:
    """Accuracy, bound and cost of every objective, and the runs that failed."""
    rows = [_row(group, series) for series in group.series]
    failures = [
        f"* {series.label} seed {record.config.seed} failed at step {record.failure.step}: "
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
        return [series.label, runs, *[NOTHING] * (len(HEADINGS) - 2)]
    marginal, floor = group.find(MARGINALIZE), group.find(SUPERVISED)
    gain = compare(series.scores, floor.scores) if floor and floor is not series else None
    seconds, faster = series.seconds_per_epoch, series.times_as_fast(marginal)
    return [
        series.label,
        runs,
        interval(series.accuracy),
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
        "test % [95 %]": "after the last epoch, mean over seeds and its Student's interval, cut at 100 %",
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


def details(group: Group) -> Section:
    """Folded tables; empty if there is nothing to show."""
    blocks = [*_pairs(group), *_assignment(group), *_classifier(group), *_relaxation(group)]
    return Section(["## Details", *blocks] if blocks else [])


def _pairs(group: Group) -> list[str]:
    """Every objective against every other but the sum: exploratory."""
    rows = []
    for first, second in combinations(group.trained, 2):
        comparison = compare(second.scores, first.scores)
        if comparison and MARGINALIZE not in (first.config.objective, second.config.objective):
            name = f"{second.label} − {first.label}"
            rows.append([name, str(len(comparison.seeds)), interval(comparison.summary, points)])
    text = "Points of test accuracy at the same seeds. Nothing here is corrected for their number, or decides anything."
    table_of_pairs = table(*without_constants(["difference", "seeds", "points [95 %]"], rows, told=("seeds",)))
    return folded("Every other pair (exploratory)", [text, table_of_pairs]) if rows else []


def _assignment(group: Group) -> list[str]:
    """Whether a model is wrong already about the images that it learned from, or about new ones alone."""
    rows = []
    for series in group.trained:
        readings = [record.test.last for record in series.finished if record.test]
        known, new = fmean(each.unlabelled_accuracy for each in readings), fmean(each.accuracy for each in readings)
        rows.append([series.label, percent(known), percent(fmean(series.validation_by_seed.values())), percent(new)])
    headings = ["objective", "unlabelled training images %", "validation %", "test %"]
    text = (
        "Accuracy after the last epoch, means over seeds. Errors on the unlabelled images themselves "
        "are classes that were assigned wrongly; what the test set loses beyond them would be overfitting."
    )
    return folded("Wrongly assigned, or overfitted?", [text, table(headings, rows)]) if rows else []


def _classifier(group: Group) -> list[str]:
    """The temperature, how sure the classifier is, and whether it predicts one class for everything."""
    rows = []
    for series in group.trained:
        entropies = [f"{value:.3f}" for value in series.curve(lambda epochs: epochs.validation_entropy)]
        collapsed = [str(record.config.seed) for record in series.finished if record.collapsed]
        states = f"seeds {', '.join(collapsed)}" if collapsed else NOTHING
        rows.append([series.label, _temperatures(series), entropies[0], entropies[-1], states])
    if not rows:
        return []
    headings = ["objective", "temperature", "entropy of q(y given x), first epoch", "last epoch", "collapsed"]
    shown = table(*without_constants(headings, rows, told=("temperature",)))
    blocks = [shown, *_left_out(group.trained)]
    return folded("Temperature, entropy, collapse of the classifier", blocks)


def _temperatures(series: Series) -> str:
    taus = series.finished[0].tau
    return " to ".join(dict.fromkeys(f"{tau:.3g}" for tau in (taus[0], taus[-1]))) if taus else "none"


def _left_out(trained: Sequence[Series]) -> list[str]:
    """A sentence for every objective that leaves classes out."""
    sentences = []
    for series in trained:
        dropped = series.curve(lambda epochs: epochs.dropped_mass)
        evaluations = series.curve(lambda epochs: epochs.evaluations)
        if dropped:
            sentences.append(
                f"{series.label} leaves out {100 * dropped[-1]:.2f} % of the probability after the last epoch "
                f"({100 * dropped[0]:.2f} % after the first), and evaluates {evaluations[-1]:.2f} classes per image "
                f"({evaluations[0]:.2f} in the first)."
            )
    return sentences


def _relaxation(group: Group) -> list[str]:
    """The relaxed objectives: what the bound loses when y is made one-hot; nothing if there are none."""
    rows = []
    for series in group.trained:
        relaxed = series.curve(lambda epochs: epochs.relaxed_bound)
        one_hot = series.curve(lambda epochs: epochs.one_hot_bound)
        if relaxed and one_hot:
            differences = [f"{relaxed[epoch] - one_hot[epoch]:+.3f}" for epoch in (0, len(relaxed) // 2, -1)]
            rows.append([series.label, f"{relaxed[-1]:.2f}", f"{one_hot[-1]:.2f}", *differences])
    headings = ["objective", "relaxed, last", "one-hot, last", "difference, first epoch", "middle", "last"]
    text = (
        "The bound of the validation images in nats per image, with a relaxed y and with its one-hot argmax, from "
        "the same noise; means over seeds. A positive difference, relaxed minus one-hot, is how much the relaxed bound "
        "promises too much. An objective whose samples are one-hot is never trained on a relaxed value."
    )
    return folded("Does a relaxed y promise too much?", [text, table(headings, rows)]) if rows else []


def others(dataset: Dataset) -> Section:
    """Numbers of others, against which a reader may hold the report; empty if there are none."""
    rows = [
        [f"ADGM, {name}, epoch {epoch}", f"{100 * accuracy:.1f}", dataset.curves_source]
        for name, curve in dataset.curves.items()
        for epoch, accuracy in curve.items()
    ]
    rows += [[each.model, each.accuracy, each.source] for each in dataset.published]
    if not rows:
        return Section([])
    text = f"{dataset.title} with {OF_OTHERS} labels; numbers of others, not measured here. {dataset.caution}".strip()
    shown = table(["model and objective", "accuracy %", "source"], rows)
    return Section(["## What others report", text, shown])
