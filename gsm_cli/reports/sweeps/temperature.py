"""The section of a report on a sweep over temperatures: accuracy, what the bound promises, and the gradients."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from statistics import fmean

from gsm_cli import commands
from gsm_cli.objectives import SCHEDULE, own_defaults
from gsm_cli.records.gradients import GradientRecord, GradientRow, GradientSubject
from gsm_cli.records.layout import ReportFolder
from gsm_cli.reports.gradient_chart import seen_bias
from gsm_cli.reports.markdown import folded, table
from gsm_cli.reports.names import apart, objective_of, own_settings
from gsm_cli.reports.report import Section, show
from gsm_cli.reports.series import Series
from gsm_cli.reports.sweeps.charts import Level
from gsm_cli.reports.sweeps.section import described, level_of, lines_of, lines_table
from gsm_cli.reports.sweeps.swept import TAU, Sweeps, Swept, named, settings_of, task_of
from gsm_cli.reports.sweeps.temperature_chart import Panel, Points, Temperatures, temperature_chart
from gsm_cli.style import Picture
from gsm_cli.words import counted

ONE_HOT, PROMISED = "bound with one-hot y, nats", "relaxed bound − that, nats"
COSINE, BIAS, DEVIATION = "cosine of mean gradient", "bias / norm", "deviation / norm"
ACCURACY = "Test accuracy: the mean over seeds with its 95 % interval; all else is equal in a line."
LEVELS = "Dashed: a temperature that falls over the run, and objectives that read none."
BOUNDS = (
    "Bounds: of the validation images after the last epoch, in nats per image; what a relaxed y promises above a "
    "one-hot one, from the same noise, is no likelihood."
)
GRADIENTS = (
    "Gradients: of each estimator against the exact one, in norms of the exact one, on {models} that marginalize "
    "trained, after epoch {epoch}; means over the models. A point is missing where a mean, or a bias, cannot be told "
    "from 0 in one of them. Dotted: a right angle, and the bias of the gradient 0."
)


def temperature_section(
    folder: ReportFolder, title: str, sweeps: Sweeps, gradients: Sequence[GradientRecord]
) -> Section:
    """One picture with everything on the axis of tau; empty unless tau was swept."""
    found = [swept for swept in sweeps.lines if swept.names == (TAU,)]
    if not found:
        return Section([])
    lines = lines_of(found, sweeps.series)
    lines = replace(lines, levels={**lines.levels, **_annealed(found, sweeps.series)})
    tasks = [swept.task for swept in found]
    on_these = [each for each in gradients if task_of(each.plan.config, (TAU,)) in tasks]
    record = max(on_these, key=lambda each: len({row.temperature for row in each.rows}), default=None)
    bounds, measured = _bounds(named(found)), _gradients(_measured(named(found)), record) if record else []
    facts = Temperatures(lines, [*bounds, *measured])
    picture = Picture("temperature", title, _description(facts), facts, partial(temperature_chart, facts))
    sentences = [ACCURACY, *([LEVELS] if lines.levels else []), *([BOUNDS] if bounds else [])]
    if record and measured:
        models = _models(record)
        sentences.append(GRADIENTS.format(models=counted(len(models), "model"), epoch=models[0].epoch))
    blocks = ["## Against the temperature", show(folder, picture), " ".join(sentences), lines_table(lines)]
    return Section([*blocks, *_table(facts.panels)], [picture])


def _annealed(found: Sequence[Swept], series: Sequence[Series]) -> dict[str, Level]:
    """The accuracy of those whose temperature falls, and that share all else with a sweep of their objective."""
    shown = {id(each) for swept in found for each in swept.series.values()}
    falling: dict[str, list[Series]] = defaultdict(list)
    for each in series:
        taus = each.finished[0].tau
        if taus and each.config.own.get("tau_rate") and id(each) not in shown and _is_like_one_of(each, found):
            first = commands.write(each.config.own[TAU])
            falling[f"{each.config.objective_name}, tau {first} to {taus[-1]:.3g}"].append(each)
    return {
        ", ".join([label, *apart(own_settings(each.config), [own_settings(other.config) for other in like])]): level_of(
            each
        )
        for label, like in falling.items()
        for each in like
    }


def _is_like_one_of(series: Series, found: Sequence[Swept]) -> bool:
    """Whether it shares all but the course of the temperature with a sweep of its objective."""
    alike = [swept.rest for swept in found if swept.objective == series.config.objective_name]
    return _without_schedule(settings_of(series.config)) in map(_without_schedule, alike)


def _without_schedule(settings: Mapping[str, object]) -> dict[str, object]:
    return {name: value for name, value in settings.items() if name not in SCHEDULE}


def _bounds(found: Mapping[str, Swept]) -> list[Panel]:
    """The one-hot bound, and how much more the relaxed one promises; nothing where they were not read."""
    one_hot: dict[str, Points] = {}
    promised: dict[str, Points] = {}
    for label, swept in found.items():
        read = [
            (float(str(value)), hard[-1], soft[-1] - hard[-1])
            for value in swept.values(0)
            if (hard := swept.series[(value,)].curve(lambda epochs: epochs.one_hot_bound))
            and (soft := swept.series[(value,)].curve(lambda epochs: epochs.relaxed_bound))
        ]
        if read:
            one_hot[label] = [(tau, hard) for tau, hard, _ in read]
            promised[label] = [(tau, more) for tau, _, more in read]
    return [Panel(ONE_HOT, one_hot), Panel(PROMISED, promised, 0.0)] if one_hot else []


def _measured(found: Mapping[str, Swept]) -> list[str]:
    """The lines whose own settings, `tau` apart, are those that `gsm gradients` has: by default, and no fall."""
    return [
        name
        for name, swept in found.items()
        if all(swept.rest[own] == value for own, value in own_defaults(swept.objective).items() if own != TAU)
    ]


def _gradients(labels: Iterable[str], record: GradientRecord) -> list[Panel]:
    """What was measured on the models after their last epoch, for the estimators of these lines."""
    models = _models(record)
    quantities = ((COSINE, lambda row: row.logits.cosine, 0.0), (BIAS, seen_bias, 1.0), (DEVIATION, _deviation, None))
    panels = []
    for label, value, reference in quantities:
        lines = {
            line: points
            for line in labels
            if (points := list(_means(record.rows, objective_of(line), [each.name for each in models], value)))
        }
        panels.append(Panel(label, lines, reference, logarithmic=label != COSINE))
    return [panel for panel in panels if panel.lines]


def _means(
    rows: Sequence[GradientRow], estimator: str, models: Sequence[str], value: Callable[[GradientRow], float | None]
) -> Iterator[tuple[float, float]]:
    """The mean over models of a quantity of one estimator, at every temperature at which all of them show it."""
    own = [row for row in rows if row.estimator == estimator and row.subject in models]
    for tau in sorted({row.temperature for row in own if row.temperature is not None}):
        read = [each for row in own if row.temperature == tau and (each := value(row)) is not None]
        if len(read) == len(models):
            yield tau, fmean(read)


def _models(record: GradientRecord) -> list[GradientSubject]:
    """The models after the last epoch that was measured."""
    last = max((subject.epoch or 0 for subject in record.subjects), default=0)
    return [subject for subject in record.subjects if subject.epoch == last]


def _deviation(row: GradientRow) -> float | None:
    return row.deviation or None


def _description(found: Temperatures) -> str:
    labels = "; ".join(panel.label for panel in found.panels)
    return described(found.accuracy) + (f" Beside it, against the same temperatures: {labels}." if labels else "")


def _table(panels: Sequence[Panel]) -> list[str]:
    """The numbers of the panels, folded."""
    rows: dict[str, dict[str, str]] = {}
    for panel in panels:
        for name, points in panel.lines.items():
            for tau, value in points:
                rows.setdefault(f"{name}, tau {commands.write(tau)}", {})[panel.label] = f"{value:.3f}"
    headings = [panel.label for panel in panels]
    cells = [[name, *(row.get(heading, "") for heading in headings)] for name, row in rows.items()]
    return folded("These panels as a table", [table(["runs", *headings], cells)] if rows else [])
