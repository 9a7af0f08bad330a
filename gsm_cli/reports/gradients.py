"""The sections of a report on the quality of gradients."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from gsm_cli import commands
from gsm_cli.analysis.contrasts import TAU
from gsm_cli.analysis.gradients import CLOSE, bias, conclusions, cosine, deviation, means, subjects_of
from gsm_cli.analysis.identity import Identity, with_looks
from gsm_cli.objectives import OBJECTIVES
from gsm_cli.records.gradients import (
    DEVIATIONS,
    MOST_SHARE,
    ROUNDING,
    GradientRecord,
    GradientRow,
    GradientSubject,
    MeanGradient,
)
from gsm_cli.records.layout import ReportFolder
from gsm_cli.reports.markdown import numbered, table
from gsm_cli.reports.page import Block, Section
from gsm_cli.reports.panels import Panel, Point, Points, panel_picture
from gsm_cli.words import listed

KINDS = {
    "unbiased": "no bias at all",
    "unseen": "none that is seen",
    "close": f"a biased mean within 26° (cosine from {CLOSE:g})",
    "between": "between",
    "away": "a mean beyond a right angle",
}
COSINE, BIAS, DEVIATION = "cosine of the mean", "bias / norm", "deviation / norm"
PICTURE = (
    "A point is the mean over models, with a line from the least to the greatest; it is missing where one of them "
    "cannot be told from 0. Dashes: estimators without a temperature. Dotted: a right angle, and the norm of the exact "
    "gradient, which is the bias of the gradient 0."
)
METHOD = (
    "The gradient of E_{q(y)}[f(y)] with respect to the logits of q(y) is known, because the sum over classes is "
    "finite. Each estimator is held against it, in units of the exact gradient's norm, for one draw of the latent "
    "variables. An estimate has a mean, which may point elsewhere, and a deviation around it. More images and more "
    "steps average the deviation away and leave the bias: so the first number is the cosine between the mean and the "
    "exact gradient."
)
EXACTNESS = (
    "A number without ± is exact to {rounding:g}: the mean over all outcomes of an estimator's one-hot samples, or "
    "from the exact expectation of a relaxed one. The others are Monte Carlo, ± their standard error: a bias along its "
    "own direction, freed of what the noise of the mean adds. Where no bias is seen (z below "
    "{deviations:g}), the least that would be stands in brackets: one below it may be there."
)


def gradient_sections(folder: ReportFolder, records: Sequence[GradientRecord]) -> list[Section]:
    """A section for every measurement; that with the fewest settings of its own first, the others named by them."""
    settings = {record.plan.name: commands.gradients(record.plan).removeprefix("gsm gradients") for record in records}
    ordered = sorted(records, key=lambda record: (len(settings[record.plan.name]), record.plan.name))
    return [_section(folder, each, settings[each.plan.name], number) for number, each in enumerate(ordered, start=1)]


def _section(folder: ReportFolder, record: GradientRecord, settings: str, number: int) -> Section:
    name = numbered("gradients", number)
    subjects = subjects_of(record)
    lines = with_looks([(name, ()) for name in dict.fromkeys(row.estimator for row in record.rows)])
    columns = [gradient_panels(lines, record, title, own) for title, own in subjects.items()]
    panels = [panel for row in zip(*columns, strict=True) for panel in row]
    heading = "## How good the gradients are" + (f":{settings}" if number > 1 else "")
    blocks: list[Block] = [heading, METHOD, *_conclusions(record)]
    blocks += [panel_picture(name, panels, len(subjects)), PICTURE] if record.rows else []
    for words, cell in (
        (
            "Cosine of the mean gradient with the exact one; – where the mean cannot be told from 0:",
            lambda row: _cosine(row.logits, row),
        ),
        ("Bias, |mean − exact|:", lambda row: _bias(row.logits)),
        ("Deviation of one estimate:", _deviation),
    ):
        blocks += [words, _table(record, record.rows, cell)] if record.rows else []
    blocks += [EXACTNESS.format(rounding=ROUNDING, deviations=DEVIATIONS), *_decoder(record), *_parts(record)]
    model = commands.train_ssl(record.plan.config, record.plan.seeds)
    blocks += [
        f"The models: `{model}`, with the weight that training gives the terms of z and a at that moment. Measured by "
        f"gsm {record.version}: `{commands.gradients(record.plan, folder.options(record.plan.config))}` "
        f"([record]({folder.link(folder.measurement(record.plan.name))}))."
    ]
    return Section(blocks)


def gradient_panels(
    lines: Sequence[Identity], record: GradientRecord, title: str, subjects: Sequence[GradientSubject]
) -> list[Panel]:
    """Cosine of the mean, bias and deviation of the gradients of these estimators against the temperature."""
    panels = []
    for name, quantity, reference in ((COSINE, cosine, 0.0), (BIAS, bias, 1.0), (DEVIATION, deviation, None)):
        read = {line: [*means(record.rows, line.objective, subjects, quantity)] for line in lines}
        points = [
            Points(line, [Point(each.temperature, each.mean, each.low, each.high) for each in own])
            for line, own in read.items()
            if own
        ]
        words = ", ".join(filter(None, [name, title]))
        panels.append(Panel(words, TAU, points, ".3f", reference, logarithmic=name != COSINE))
    return panels


def _label(row: GradientRow) -> str:
    return row.estimator if row.temperature is None else f"{row.estimator}, tau {commands.write(row.temperature)}"


def _table(record: GradientRecord, rows: Sequence[GradientRow], cell: Callable[[GradientRow], str]) -> str:
    """A line for every estimator and temperature, a column for every subject."""
    names = [subject.name for subject in record.subjects if any(row.subject == subject.name for row in rows)]
    lines: dict[str, dict[str, str]] = {}
    for row in rows:
        lines.setdefault(_label(row), {})[row.subject] = cell(row)
    return table(["estimator", *names], [[label, *(cells.get(n, "") for n in names)] for label, cells in lines.items()])


def _cosine(found: MeanGradient, row: GradientRow) -> str:
    if found.cosine is None:
        return "–"
    return f"{found.cosine:.3f}" + (f" ± {found.cosine_error:.3f}" if row.mean == "sampled" else "")


def _bias(found: MeanGradient) -> str:
    exact = found.squared_noise == 0.0
    if not found.is_biased:
        return "0" if exact else f"not seen (from {found.least:.3f})"
    return f"{found.bias:.3f}" + ("" if exact else f" ± {found.bias_error:.3f}")


def _deviation(row: GradientRow) -> str:
    return f"{row.deviation:.3f}" + (f" ± {row.deviation_error:.3f}" if row.deviation_error else "")


def _conclusions(record: GradientRecord) -> list[str]:
    """What the means say, for every column of the picture apart; and why nothing is ranked by its squared error."""
    lines = []
    for each in conclusions(record):
        seeds = f" (every one of seeds {listed([str(seed) for seed in each.seeds])})" if len(each.seeds) > 1 else ""
        parts = [f"{words}: {_compact(each.kinds[kind])}" for kind, words in KINDS.items() if kind in each.kinds]
        lines.append(f"* {each.title}{seeds}: {'; '.join(parts)}.")
    worse = sum(row.logits.bias**2 + row.deviation**2 > 1.0 for row in record.rows)
    ranking = (
        f"Nothing here is ranked by the squared error, bias² + deviation²: the gradient 0, which teaches nothing, has "
        f"1.00, and {worse} of these {len(record.rows)} have more."
    )
    return ["\n".join(lines), ranking] if lines else []


def _compact(labels: Sequence[tuple[str, float | None]]) -> str:
    """Names, each with its temperatures."""
    taus: dict[str, list[str]] = {}
    for name, tau in labels:
        taus.setdefault(name, []).extend([] if tau is None else [commands.write(tau)])
    return ", ".join(f"{name} (tau {', '.join(each)})" if each else name for name, each in taus.items())


def _decoder(record: GradientRecord) -> list[str]:
    """What the gradient of the decoder's weights says: all rows without a bias in one sentence, the others a table."""
    rows = [row for row in record.rows if row.decoder is not None]
    biased = {_label(row) for row in rows if row.decoder is not None and row.decoder.is_biased}
    if not rows:
        return []
    clean = dict.fromkeys((row.estimator, row.temperature) for row in rows if _label(row) not in biased)
    words = (
        "The gradient with respect to the weights of p(x|y,z) needs no derivative through the sample: it is biased "
        f"only where the y that it sees are not drawn from q(y). No bias is seen in {_compact(list(clean)) or 'none'}."
    )
    if not biased:
        return [words]
    shown = [row for row in rows if _label(row) in biased]
    return [f"{words} Of the others the bias, and in brackets the cosine:", _table(record, shown, _of_decoder)]


def _of_decoder(row: GradientRow) -> str:
    assert row.decoder is not None
    return f"{_bias(row.decoder)} ({_cosine(row.decoder, row)})"


def _parts(record: GradientRecord) -> list[str]:
    """The entropy's part, the images and the estimates of every subject, and what was left out."""
    cells = []
    for each in record.subjects:
        counts = [f"{each.images:,}", f"{100 * each.largest_share:.1f}", f"{each.replicates:,}"]
        cells.append([each.name, str(each.classes), *counts, f"{each.entropy_norm / each.norm:.2f}"])
    headings = ["subject", "classes", "images", "largest share %", "estimates", "entropy"]
    return [
        "Of every subject the classes, the images, the largest share of one image in the squared norm of the exact "
        "gradient, the estimates where they are sampled, and the norm of the gradient of the entropy H(q), in the same "
        "units. The entropy is computed and not sampled: its gradient is exact for every estimator that brings no "
        "entropy of its own, as sparse-marginalize does, and adds nothing to bias or deviation.",
        table(headings, cells),
        *_heavy(record),
        *_left_out(record),
    ]


def _heavy(record: GradientRecord) -> list[str]:
    """Which models' numbers are largely those of a single image."""
    held = [each for each in record.subjects if each.epoch is not None and each.largest_share > MOST_SHARE]
    shares = listed([f"{100 * each.largest_share:.1f} % of {each.name}" for each in held])
    rule = "Images are added until none holds more than a tenth of the squared norm; one still holds"
    start = rule if record.plan.images is None else "One image holds"
    return [f"{start} {shares}, whose numbers lean on that image."] if held else []


def _left_out(record: GradientRecord) -> list[str]:
    sentences = []
    for name in dict.fromkeys(row.estimator for row in record.rows if row.temperature is not None):
        taus = {row.temperature for row in record.rows if row.estimator == name}
        missing = [commands.write(tau) for tau in record.plan.temperatures if tau not in taus]
        settings: Mapping[str, Any] = OBJECTIVES[name].settings if name in OBJECTIVES else {}
        if missing and "tau" in settings:
            sentences.append(f"{name} leaves out tau {', '.join(missing)}: it must be {settings['tau'].rule}.")
    return sentences
