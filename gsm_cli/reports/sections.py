"""The sections of a report on one group of runs that are tables: results, differences, and what the classifier does."""

from collections.abc import Sequence
from itertools import combinations

from gsm_cli.objectives import MARGINALIZE, SUPERVISED
from gsm_cli.reports.groups import Group, Series
from gsm_cli.reports.markdown import interval, percent, points, table
from gsm_cli.reports.report import Section
from gsm_cli.reports.statistics import Comparison, compare, summarize

HEADINGS = (
    *("objective", "runs", "validation %", "test %", "gain", "test bound", "s / epoch", "images / s"),
    *("evaluations", "speed-up"),
)


def results(group: Group) -> Section:
    """Accuracy, bound and cost of every objective, and the runs that failed."""
    marginal, floor = group.find(MARGINALIZE), group.find(SUPERVISED)
    rows = [_results_row(series, marginal, floor) for series in group.series]
    failures = [
        f"* {series.name} seed {record.config.seed} failed at step {record.failure.step}: {record.failure.reason}."
        for series in group.series
        for record in series.records
        if record.failure
    ]
    return Section(["## Results", table(HEADINGS, rows), *(["\n".join(failures)] if failures else []), _legend(group)])


def _results_row(series: Series, marginal: Series | None, floor: Series | None) -> list[str]:
    failed = len(series.records) - len(series.finished)
    runs = f"{len(series.finished)}" + (f" (+ {failed} failed)" if failed else "")
    if not series.finished:
        return [series.name, runs, *["–"] * (len(HEADINGS) - 2)]
    gain = compare(series.test_accuracy(), floor.test_accuracy()) if floor and floor is not series else None
    bounds = [] if series.config.objective == SUPERVISED else list(series.test_bound().values())
    return [
        series.name,
        runs,
        percent(summarize(list(series.best_validation().values())).mean),
        interval(summarize(list(series.test_accuracy().values()))),
        points(gain.summary.mean) if gain else "–",
        f"{summarize(bounds).mean:.2f}" if bounds else "–",
        f"{series.seconds_per_epoch():.3g}",
        f"{series.images_per_second():,.0f}",
        f"{series.evaluations():.3g}",
        f"{series.speed_up(marginal):.2f}" if marginal else "–",
    ]


def _legend(group: Group) -> str:
    record = group.records[0]
    whole = "" if record.images_per_epoch == record.unlabelled else f" (whole batches, of {record.unlabelled:,})"
    return (
        "Validation: at the best epoch, mean over seeds. Test: read once, with the weights of that epoch; mean over "
        "seeds and 95 % interval of the mean (BCa bootstrap from eight seeds on, Student's t below). Gain: test "
        "accuracy above the supervised floor, in points, same seeds. Test bound: of log p(x), in nats per image, the "
        "class summed exactly. Seconds per epoch: median time of training on the "
        f"{record.images_per_epoch:,} unlabelled images of an epoch{whole}; images per second: these images over that "
        "time. Evaluations: how often a step evaluates the bound of a class for each of these images. Speed-up: over "
        "marginalize."
    )


def paired_differences(group: Group) -> Section:
    """Every objective against every other, seed by seed."""
    rows, details = [], []
    for first, second in combinations(group.trained, 2):
        comparison = compare(second.test_accuracy(), first.test_accuracy())
        if comparison is None:
            continue
        name = f"{second.name} − {first.name}"
        rows.append([name, str(len(comparison.seeds)), *_tested(comparison)])
        details.append(f"* {name}: {', '.join(points(difference) for difference in comparison.differences)}")
    if not rows:
        nothing = "There is nothing to pair: no two objectives have a seed in common."
        return Section(["## Paired differences", nothing])
    return Section(
        [
            "## Paired differences",
            "Differences of test accuracy in points, one for every seed that both have: the same split, initial "
            "weights, batch order and noise. p is that of the exact two-sided sign-flip test; the last column is the "
            "smallest p that so many seeds can give.",
            table(["difference", "seeds", "mean and 95 % interval", "p", "least p"], rows),
            "<details><summary>Seed by seed, in the order of the seeds</summary>",
            "\n".join(details),
            "</details>",
        ]
    )


def _tested(comparison: Comparison) -> list[str]:
    if len(comparison.seeds) == 1:
        return [points(comparison.summary.mean), "one seed: no conclusion", "1"]
    return [interval(comparison.summary, points), f"{comparison.p_value:.3g}", f"{comparison.least_p_value:.3g}"]


def classifier(group: Group) -> Section:
    """The temperature, how sure the classifier is, and whether it predicts one class for everything."""
    rows = []
    for series in group.trained:
        entropies = [f"{value:.3f}" for value in series.curve(lambda epochs: epochs.validation_entropy)]
        collapsed = [str(record.config.seed) for record in series.finished if record.collapsed]
        states = f"seeds {', '.join(collapsed)}" if collapsed else "none"
        rows.append([series.name, _temperatures(series), entropies[0], entropies[-1], states])
    headings = ["objective", "temperature", "entropy of q(y given x), first epoch", "last epoch", "collapsed"]
    return Section(["## Temperature, entropy, collapse", table(headings, rows), *_left_out(group.trained)])


def _temperatures(series: Series) -> str:
    taus = series.finished[0].epochs.tau
    return " to ".join(dict.fromkeys(f"{tau:.3g}" for tau in (taus[0], taus[-1]))) if taus else "none"


def _left_out(trained: Sequence[Series]) -> list[str]:
    """A sentence for every objective that leaves classes out."""
    sentences = []
    for series in trained:
        dropped = series.curve(lambda epochs: epochs.dropped_mass)
        evaluations = series.curve(lambda epochs: epochs.evaluations)
        if dropped:
            sentences.append(
                f"{series.name} leaves out {100 * dropped[-1]:.2f} % of the probability after the last epoch "
                f"({100 * dropped[0]:.2f} % after the first), and evaluates {evaluations[-1]:.2f} classes per image "
                f"({evaluations[0]:.2f} in the first)."
            )
    return sentences


def relaxed_and_one_hot(group: Group) -> Section:
    """The relaxed objectives: what the bound loses when y is made one-hot; empty if there are none."""
    rows = []
    for series in group.trained:
        relaxed = series.curve(lambda epochs: epochs.relaxed_bound)
        one_hot = series.curve(lambda epochs: epochs.one_hot_bound)
        if relaxed and one_hot:
            differences = [f"{one_hot[epoch] - relaxed[epoch]:+.3f}" for epoch in (0, len(relaxed) // 2, -1)]
            rows.append([series.name, f"{relaxed[-1]:.2f}", f"{one_hot[-1]:.2f}", *differences])
    if not rows:
        return Section([])
    return Section(
        [
            "## Does a relaxed y promise too much?",
            "The bound of the validation images in nats per image, with a relaxed y and with its one-hot argmax, from "
            "the same noise; means over seeds. A negative difference is how much the relaxed bound is too high.",
            table(["objective", "relaxed, last", "one-hot, last", "difference, first epoch", "middle", "last"], rows),
        ]
    )
