"""Records in, Markdown out: pure and deterministic, with no clock, no host and no file read."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from gsm_cli.config import Dataset, Objective
from gsm_cli.records.run import GradientRecord, RunRecord
from gsm_cli.reports.generated import generated_section
from gsm_cli.reports.gradients import gradient_section
from gsm_cli.reports.groups import Group, Series, group
from gsm_cli.reports.markdown import digits, interval, numbered, percent, points, table
from gsm_cli.reports.provenance import provenance, setting
from gsm_cli.reports.references import references
from gsm_cli.reports.statistics import Comparison, compare, spread
from gsm_cli.reports.verdict import verdict

CURVE_ROWS = 12  # rows of the table that stands for a curve


@dataclass(frozen=True)
class Picture:
    """A picture of the report: its file, its words, and the runs that it shows."""

    name: str
    description: str
    group: Group


@dataclass(frozen=True)
class Report:
    """The Markdown and the pictures that it shows."""

    title: str
    text: str
    pictures: tuple[Picture, ...]


def render(
    records: Sequence[RunRecord], problems: Sequence[str] = (), gradients: GradientRecord | None = None
) -> Report:
    """The report on the records of one folder; `problems` are sentences about files that are not records."""
    groups = group(records)
    config = (records[0] if gradients is None else gradients).config
    name = {Dataset.DIGITS: "Digits", Dataset.MNIST: "MNIST"}[config.dataset]
    title = f"{name} with {config.labels} labels: can one sample replace the sum over classes?"
    pictures = tuple(
        Picture(numbered("accuracy", number), _description(each), each)
        for number, each in enumerate(groups, start=1)
        if any(series.finished for series in each.series)
    )
    answer = verdict(groups[0]) if groups else ["**There is nothing to compare yet:** no run has been made."]
    blocks = [f"# {title}", *answer, *(f"> **Warning.** {problem}." for problem in problems)]
    for number, each in enumerate(groups, start=1):
        if len(groups) > 1:
            blocks += [f"# Settings {number}", _differences(each, groups[0])]
        if number > 1:
            blocks += verdict(each)
        blocks += _section(each, number, [picture for picture in pictures if picture.group is each])
    blocks += gradient_section(gradients) if gradients else []
    blocks += [*references(config.dataset), *(provenance(groups) if groups else [])]
    return Report(title, "\n\n".join(blocks) + "\n", pictures)


def _section(each: Group, number: int, pictures: Sequence[Picture]) -> list[str]:
    trained = [series for series in each.series if series.finished]
    blocks = ["## Results", _results(each), *_failures(each), _legend(each)]
    if trained:
        blocks += ["## Accuracy against epochs and against seconds"]
        blocks += [f"![{picture.description}]({picture.name})" for picture in pictures]
        blocks += ["Validation accuracy in %, the mean over seeds:", _curve_table(trained)]
        blocks += generated_section(each, number)
        blocks += ["## Paired differences", *_paired(trained)]
        blocks += ["## Temperature, entropy, collapse", _classifier(trained), *_left_out(trained)]
        blocks += _soft_and_hard(trained)
    return blocks


def _results(each: Group) -> str:
    marginal = each.find(Objective.MARGINALIZE)
    floor = each.find(Objective.SUPERVISED)
    rows = []
    for series in each.series:
        failed = len(series.records) - len(series.finished)
        runs = f"{len(series.finished)}" + (f" (+ {failed} failed)" if failed else "")
        if not series.finished:
            rows.append([series.name, runs, *["–"] * 8])
            continue
        seconds = series.seconds_per_epoch()
        gain = compare(series.test_accuracy(), floor.test_accuracy()) if floor and floor is not series else None
        supervised = series.config.objective is Objective.SUPERVISED
        rows.append(
            [
                series.name,
                runs,
                percent(spread(list(series.best_validation().values())).mean),
                interval(spread(list(series.test_accuracy().values()))),
                points(gain.spread.mean) if gain else "–",
                "–" if supervised else f"{spread(list(series.test_bound().values())).mean:.2f}",
                f"{seconds:.3g}",
                f"{series.finished[0].unlabelled / seconds:,.0f}",
                f"{series.evaluations():.3g}",
                f"{marginal.seconds_per_epoch() / seconds:.2f}" if marginal else "–",
            ]
        )
    headings = ["objective", "runs", "validation %", "test %", "gain", "test bound", "s / epoch", "images / s"]
    return table([*headings, "evaluations", "speed-up"], rows)


def _legend(each: Group) -> str:
    records = [record for series in each.series for record in series.records]
    images = records[0].unlabelled
    return (
        "Validation: at the best epoch, mean over seeds. Test: read once, with the weights of that epoch; mean over "
        "seeds and 95 % interval of the mean (BCa bootstrap from eight seeds on, Student's t below). Gain: test "
        "accuracy above the supervised floor, in points, same seeds. Test bound: of log p(x), in nats per image, the "
        f"class summed exactly. Seconds per epoch: median time of training on {images:,} unlabelled images. "
        "Evaluations: of the bound of a class, counted for each of these images in a step. Speed-up: over "
        "marginalize."
    )


def _failures(each: Group) -> list[str]:
    lines = [
        f"* {series.name} seed {record.config.seed} failed at step {record.failure.step}: {record.failure.reason}."
        for series in each.series
        for record in series.records
        if record.failure
    ]
    return ["\n".join(lines)] if lines else []


def _curve_table(trained: Sequence[Series]) -> str:
    epochs = max(len(series.curve("epoch")) for series in trained)
    shown = sorted({max(1, round(epochs * row / CURVE_ROWS)) for row in range(1, CURVE_ROWS + 1)})
    curves = {series.name: series.curve("validation_accuracy") for series in trained}
    seconds = {series.name: series.curve("seconds") for series in trained}
    headings = ["epoch", *(f"{series.name} % (after s)" for series in trained)]
    rows = [
        [
            str(epoch),
            *(f"{percent(curves[name][epoch - 1])} ({digits(sum(seconds[name][:epoch]))})" for name in curves),
        ]
        for epoch in shown
    ]
    return table(headings, rows)


def _paired(trained: Sequence[Series]) -> list[str]:
    rows, details = [], []
    for first, second in combinations(trained, 2):
        comparison = compare(second.test_accuracy(), first.test_accuracy())
        if comparison is None:
            continue
        name = f"{second.name} − {first.name}"
        rows.append([name, str(len(comparison.seeds)), *_test(comparison)])
        details.append([name, *(points(difference) for difference in comparison.differences)])
    if not rows:
        return ["There is nothing to pair: no two objectives have a seed in common."]
    return [
        "Differences of test accuracy in points, one for every seed that both have: the same split, initial weights, "
        "batch order and noise. p is that of the exact two-sided sign-flip test; so many seeds cannot give less than "
        "the last column.",
        table(["difference", "seeds", "mean and 95 % interval", "p", "least p"], rows),
        "<details><summary>Seed by seed, in the order of the seeds</summary>",
        "\n".join(f"* {name}: {', '.join(values)}" for name, *values in details),
        "</details>",
    ]


def _test(comparison: Comparison) -> list[str]:
    if len(comparison.seeds) == 1:
        return [points(comparison.spread.mean), "one seed: no conclusion", "1"]
    return [interval(comparison.spread, points), f"{comparison.p_value:.3g}", f"{comparison.least_p_value:.3g}"]


def _classifier(trained: Sequence[Series]) -> str:
    rows = []
    for series in trained:
        first, last = series.finished[0].epochs[0], series.finished[0].epochs[-1]
        taus = dict.fromkeys(f"{epoch.tau:.3g}" for epoch in (first, last) if epoch.tau is not None)
        collapsed = [str(record.config.seed) for record in series.finished if record.collapsed]
        entropies = [f"{value:.3f}" for value in series.curve("validation_entropy")]
        states = "seeds " + ", ".join(collapsed) if collapsed else "none"
        rows.append([series.name, " to ".join(taus) or "none", entropies[0], entropies[-1], states])
    headings = ["objective", "temperature", "entropy of q(y given x), first epoch", "last epoch", "collapsed"]
    return table(headings, rows)


def _soft_and_hard(trained: Sequence[Series]) -> list[str]:
    """The relaxed objectives: what the bound loses when y is made one-hot."""
    rows = []
    for series in trained:
        if series.config.tau is not None:
            soft, hard = series.curve("relaxed_bound"), series.curve("one_hot_bound")
            middle = len(soft) // 2
            differences = [f"{hard[epoch] - soft[epoch]:+.3f}" for epoch in (0, middle, -1)]
            rows.append([series.name, f"{soft[-1]:.2f}", f"{hard[-1]:.2f}", *differences])
    if not rows:
        return []
    return [
        "## Is a y that is not one-hot all right?",
        "The bound of the validation images in nats per image, with a relaxed y and with its one-hot argmax, from the "
        "same noise; means over seeds. A negative difference is what the relaxed bound promises too much.",
        table(["objective", "relaxed, last", "one-hot, last", "difference, first epoch", "middle", "last"], rows),
    ]


def _left_out(trained: Sequence[Series]) -> list[str]:
    return [
        f"{series.name} leaves out {100 * series.curve('dropped_mass')[-1]:.2f} % of the probability after the last "
        f"epoch ({100 * series.curve('dropped_mass')[0]:.2f} % after the first), and evaluates "
        f"{series.curve('evaluations')[-1]:.2f} classes per image ({series.curve('evaluations')[0]:.2f} in the first)."
        for series in trained
        if series.config.threshold is not None
    ]


def _description(each: Group) -> str:
    """What the picture shows, for those who cannot see it."""
    last = [
        f"{series.name} {percent(series.curve('validation_accuracy')[-1])} %"
        for series in each.series
        if series.finished
    ]
    return (
        "Validation accuracy: means over seeds against epochs and against seconds of training, and a panel for every "
        "objective with its seeds. "
        f"After the last epoch the means are: {', '.join(last)}."
    )


def _differences(each: Group, reference: Group) -> str:
    """The settings in which a group departs from the first."""
    changed = {name: value for name, value in each.settings.items() if value != reference.settings[name]}
    if not changed:
        return "The largest group of runs; those below have other settings and are never averaged with it."
    return "As above, but " + ", ".join(f"{name} {setting(value)}" for name, value in changed.items()) + "."
