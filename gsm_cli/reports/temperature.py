"""The section of a report on a sweep over temperatures: accuracy, what the bound promises, and the gradients."""

from collections.abc import Mapping, Sequence

from gsm_cli.analysis.contrasts import TAU, Sweeps, Swept, task_of
from gsm_cli.analysis.gradients import last_models
from gsm_cli.analysis.identity import Identity
from gsm_cli.objectives import own_defaults
from gsm_cli.records.gradients import GradientRecord
from gsm_cli.reports.gradients import gradient_panels
from gsm_cli.reports.page import Section
from gsm_cli.reports.panels import Panel, Point, Points, panel_picture, panel_table
from gsm_cli.reports.sweeps import accuracy_panel
from gsm_cli.style import Picture
from gsm_cli.words import counted

ONE_HOT, PROMISED = "bound with one-hot y, nats", "relaxed bound − that, nats"
ACCURACY = "Test accuracy: the mean over seeds with its 95 % interval; all else is equal in a line."
LEVELS = "Dashed: objectives that read no temperature."
BOUNDS = (
    "Bounds: of the validation images after the last epoch, in nats per image; what a relaxed y promises above a "
    "one-hot one, from the same noise, is no likelihood."
)
GRADIENTS = (
    "Gradients: of each estimator against the exact one, in norms of the exact one, on {models} that marginalize "
    "trained, after epoch {epoch}; means over the models. A point is missing where a mean, or a bias, cannot be told "
    "from 0 in one of them. Dotted: a right angle, and the bias of the gradient 0."
)


def swept_over_tau(sweeps: Sweeps) -> list[Swept]:
    return [swept for swept in sweeps.lines if swept.names == (TAU,)]


def temperature_picture(sweeps: Sweeps) -> Picture[object]:
    """Accuracy against the temperature."""
    return panel_picture("accuracy-tau", [_accuracy(sweeps)])


def _accuracy(sweeps: Sweeps) -> Panel:
    return accuracy_panel(swept_over_tau(sweeps), sweeps.series)


def temperature_section(sweeps: Sweeps, gradients: Sequence[GradientRecord]) -> Section:
    """Accuracy, bounds and gradients on the axis of tau; empty unless tau was swept."""
    found = swept_over_tau(sweeps)
    if not found:
        return Section([])
    accuracy = _accuracy(sweeps)
    lines = dict(zip((line.identity for line in accuracy.lines), found, strict=False))
    tasks = [swept.task for swept in found]
    on_these = [each for each in gradients if task_of(each.plan.config, (TAU,)) in tasks]
    record = max(on_these, key=lambda each: len({row.temperature for row in each.rows}), default=None)
    bounds, measured = _bounds(lines), _gradients(_measured(lines), record) if record else []
    levels = any(line.is_level for line in accuracy.lines)
    sentences = [ACCURACY, *([LEVELS] if levels else []), *([BOUNDS] if bounds else [])]
    if record and measured:
        models = last_models(record)
        sentences.append(GRADIENTS.format(models=counted(len(models), "model"), epoch=models[0].epoch))
    picture = panel_picture("temperature", [accuracy, *bounds, *measured])
    return Section(["## Against the temperature", picture, " ".join(sentences), panel_table([accuracy])])


def _bounds(lines: Mapping[Identity, Swept]) -> list[Panel]:
    """The one-hot bound, and how much more the relaxed one promises; nothing where they were not read."""
    one_hot, promised = [], []
    for line, swept in lines.items():
        read = [
            (float(str(value)), hard[-1], soft[-1] - hard[-1])
            for value in swept.values(0)
            if (hard := swept.series[(value,)].curve(lambda epochs: epochs.one_hot_bound))
            and (soft := swept.series[(value,)].curve(lambda epochs: epochs.relaxed_bound))
        ]
        if read:
            one_hot.append(Points(line, [Point(tau, hard) for tau, hard, _ in read]))
            promised.append(Points(line, [Point(tau, more) for tau, _, more in read]))
    return [Panel(ONE_HOT, TAU, one_hot, ".3f"), Panel(PROMISED, TAU, promised, ".3f", 0.0)] if one_hot else []


def _measured(lines: Mapping[Identity, Swept]) -> list[Identity]:
    """The lines whose own settings, `tau` apart, are those that `gsm gradients` has: by default, and no fall."""
    return [
        line
        for line, swept in lines.items()
        if all(swept.rest[own] == value for own, value in own_defaults(swept.objective).items() if own != TAU)
    ]


def _gradients(lines: Sequence[Identity], record: GradientRecord) -> list[Panel]:
    """What was measured on the models after their last epoch, for the estimators of these lines."""
    return [panel for panel in gradient_panels(lines, record, "", last_models(record)) if panel.lines]
