"""The sections of a report on the quality of gradients."""

from collections.abc import Iterable, Mapping, Sequence

from gsm_cli import commands
from gsm_cli.analysis.contrasts import TAU
from gsm_cli.analysis.gradients import (
    CLOSE,
    Estimator,
    bias,
    by_estimator,
    conclusions,
    cosine,
    deviation,
    means,
    own_models,
    subjects_of,
)
from gsm_cli.analysis.identity import Identity, with_looks
from gsm_cli.data import describe_dataset
from gsm_cli.errors import inert, printable
from gsm_cli.records.gradients import MOST_SHARE, GradientRecord, GradientSubject
from gsm_cli.records.layout import ReportFolder
from gsm_cli.reports.markdown import NOTHING, numbered, table
from gsm_cli.reports.page import Block, Page
from gsm_cli.reports.panels import Panel, Point, Points, panel_picture
from gsm_cli.style import Picture
from gsm_cli.words import listed, sentence

KINDS = {
    "unbiased": "no bias at all",
    "unseen": "no bias that is seen",
    "close": f"a biased mean within 26° (cosine from {CLOSE:g})",
    "between": "between",
    "away": "a mean beyond a right angle",
}
SHORT = {"unbiased": "no bias", "unseen": "no bias seen", "away": "a mean beyond a right angle"}
COSINE, BIAS, DEVIATION = "cosine of the mean", "bias / norm", "deviation / norm"
METHOD = (
    "The sum over classes is finite, so the exact gradient of E_{q(y)}[f(y)] with respect to the logits of q(y) is "
    "known. Each estimator is held against it, in units of its norm. More images and steps average the deviation of "
    "an estimate away and leave the bias of its mean: so the first number is the cosine between the mean and the "
    "exact gradient."
)
BESIDE = (
    "Early and late in training by the sum, at a temperature of {tau} where an estimator has one: at the top the mean "
    "points where the exact gradient does, at the left an estimate varies least. Estimators that do not vary are left "
    "out, and those whose mean cannot be told from 0."
)
AGAINST_TAU = (
    "Against the temperature a point is the mean over models, with a line from the least to the greatest; it is "
    "missing where one cannot be told from 0. Dashes: estimators without a temperature."
)
OWN = (
    "After the last epoch on models that each estimator has trained itself, beside the cosine of the same estimator on "
    "the sum's models:"
)
LAST = (
    "The models after the last epoch, each mean over them, at a temperature of {tau} where an estimator has one; "
    "*minus_log_q*: with log q taken from the learning signal."
)
SEVERAL = 3  # functions and epochs, from which on the last alone is told
TAUS = (0.5, 1.0)  # of the table: the first that was measured


def gradient_sections(folder: ReportFolder, records: Sequence[GradientRecord]) -> list[Block]:
    """A section for every measurement; that with the fewest settings of its own first, the others named by them."""
    settings = {record.plan.name: commands.gradients(record.plan).removeprefix("gsm gradients") for record in records}
    ordered = sorted(records, key=lambda record: (len(settings[record.plan.name]), record.plan.name))
    return [
        block
        for number, each in enumerate(ordered, start=1)
        for block in _section(folder, each, settings[each.plan.name], number)
    ]


def _section(folder: ReportFolder, record: GradientRecord, settings: str, number: int) -> list[Block]:
    heading = "## How good the gradients are" + (f":{settings}" if number > 1 else "")
    pictures: list[Block] = []
    if record.rows:
        beside = BESIDE.format(tau=commands.write(_usual_tau(record)))
        first = gradient_picture(record, number)
        pictures += [first, beside] if first else []
        pictures += [against_tau(record, number), AGAINST_TAU]
    measured = commands.gradients(record.plan, folder.options(record.plan.config))
    path = folder.link(folder.measurement(record.plan.name))
    source = f"Measured by gsm {inert(record.version)}: `{printable(measured)}` ([record]({path}))."
    tables = [*_last(record), *_own(record), *_heavy(record)]
    return [heading, METHOD, *_conclusions(record)[:1], *pictures, *tables, source]


def gradient_picture(record: GradientRecord, number: int = 1) -> Picture[object] | None:
    """Cosine of the mean against the deviation, a dot for each estimator: early in training and late.

    None where no estimator has both.
    """
    titled = subjects_of(record)
    models = [title for title, subjects in titled.items() if subjects[0].epoch is not None] or [*titled]
    panels = []
    for title in dict.fromkeys([*models[:1], *models[-1:]]):
        read = {line: _numbers(record, line.objective, titled[title]) for line in _lines(record)}
        dots = [
            Points(line, [Point(varies, direction)])
            for line, (direction, _, varies) in read.items()
            if varies is not None and direction is not None
        ]
        panels += [Panel(f"{COSINE}, {title}", DEVIATION, dots, ".3f", 0.0, continuous=True)] if dots else []
    return panel_picture(numbered("gradients", number), panels, len(panels)) if panels else None


def against_tau(record: GradientRecord, number: int) -> Picture[object]:
    """A row for cosine, bias and deviation, a column for the models of every epoch, or for every function."""
    titled = subjects_of(record)
    titled = {title: own for title, own in titled.items() if own[0].epoch is not None} or titled
    panels, lines = [], _lines(record)
    for name, quantity, reference in ((COSINE, cosine, 0.0), (BIAS, bias, 1.0), (DEVIATION, deviation, None)):
        for title, subjects in titled.items():
            read = {line: means(record, line.objective, subjects, quantity) for line in lines}
            points = [
                Points(line, [Point.of(tau, each, scale=1.0) for tau, each in own.items()])
                for line, own in read.items()
                if own
            ]
            panels.append(Panel(f"{name}, {title}", TAU, points, ".3f", reference, logarithmic=name != COSINE))
    return panel_picture(numbered("gradients-tau", number), panels, len(titled))


def gradient_page(record: GradientRecord) -> Page:
    """Of a folder with gradients alone: what the means say on the models of the last epoch, or on the last function."""
    title = describe_dataset(record.plan.config.dataset).title
    found = conclusions(record)
    said = found[-1].kinds if found else {}
    parts = [f"{words}: {listed(_short(said, kind))}" for kind, words in SHORT.items() if kind in said]
    answer = f"{sentence('; '.join(parts))}." if parts else "Nothing was measured that could be told apart."
    picture = list(filter(None, [gradient_picture(record)]))
    return Page(f"{title}: how good are the gradients?", answer, [*picture, *_conclusions(record)])


def _short(said: Mapping[str, Sequence[Estimator]], kind: str) -> list[str]:
    """The names of a kind; with the temperatures where another kind has the name too."""
    others = {name for other, labels in said.items() if other != kind for name, _ in labels}
    own = {name: [each for each in said[kind] if each[0] == name] for name in _names(said[kind])}
    return [_compact(labels) if name in others else name for name, labels in own.items()]


def _lines(record: GradientRecord) -> list[Identity]:
    """The estimators that were measured, in the order of the rows."""
    return with_looks([(name, ()) for name in dict.fromkeys(row.estimator for row in record.rows)])


def _names(estimators: Iterable[Estimator]) -> list[str]:
    return list(dict.fromkeys(name for name, _ in estimators))


def _usual_tau(record: GradientRecord) -> float:
    """The temperature of the table; where none of the usual ones was measured, the least."""
    taus = sorted({row.temperature for row in record.rows if row.temperature is not None})
    return next((each for each in (*TAUS, *taus) if each in taus), TAUS[0])


def _numbers(record: GradientRecord, name: str, subjects: Sequence[GradientSubject]) -> list[float | None]:
    """Cosine, bias and deviation at the usual temperature, or at the least that the estimator allows above it."""
    least = _usual_tau(record)
    taus = [tau for each, tau in by_estimator(record, subjects) if each == name and (tau is None or tau >= least)]
    at = min(taus, key=lambda tau: tau or 0.0, default=None)
    found = [means(record, name, subjects, quantity).get(at) for quantity in (cosine, bias, deviation)]
    return [each.mean if each else None for each in found]


def _last(record: GradientRecord) -> list[str]:
    """The numbers of one temperature after the last epoch, or on the last function."""
    subjects = [*subjects_of(record).values()][-1:]
    rows = [
        [name, *map(_cell, _numbers(record, name, subjects[0]))]
        for name in (_names(by_estimator(record, subjects[0])) if subjects else [])
    ]
    words = LAST.format(tau=commands.write(_usual_tau(record)))
    return [words, table(["estimator", COSINE, BIAS, DEVIATION], rows)] if rows else []


def _own(record: GradientRecord) -> list[str]:
    """The same on the models that each estimator has trained itself, at the temperature of its training."""
    rows = []
    for name, subjects in own_models(record).items():
        _, tau = next(iter(by_estimator(record, subjects)))
        of_sum = [each for each in record.subjects if each.epoch == subjects[0].epoch and not each.is_own]
        read = [
            means(record, name, *each).get(tau)
            for each in ((subjects, cosine), (of_sum, cosine), (subjects, bias), (subjects, deviation))
        ]
        label = name if tau is None else f"{name}, {TAU} {commands.write(tau)}"
        rows.append([label, *(_cell(each.mean if each else None) for each in read)])
    return [OWN, table(["estimator", "cosine", "on the sum's models", BIAS, DEVIATION], rows)] if rows else []


def _cell(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.3f}"


def _conclusions(record: GradientRecord) -> list[str]:
    """What the means say, for every column of the picture apart; and why nothing is ranked by its squared error."""
    lines = []
    found = conclusions(record)
    for each in found[-1:] if len(found) > SEVERAL else found:
        seeds = f" (every one of seeds {listed([str(seed) for seed in each.seeds])})" if len(each.seeds) > 1 else ""
        parts = [f"{words}: {_compact(each.kinds[kind])}" for kind, words in KINDS.items() if kind in each.kinds]
        lines.append(f"* {each.title}{seeds}: {'; '.join(parts)}.")
    worse = sum(row.logits.bias**2 + row.deviation**2 > 1.0 for row in record.rows)
    ranking = (
        f"Nothing here is ranked by the squared error, bias² + deviation²: the gradient 0, which teaches nothing, has "
        f"1.00, and {worse} of these {len(record.rows)} have more."
    )
    return ["\n".join(lines), ranking] if lines else []


def _compact(labels: Sequence[Estimator]) -> str:
    """Names, each with its temperatures."""
    taus: dict[str, list[str]] = {}
    for name, tau in labels:
        taus.setdefault(name, []).extend([] if tau is None else [commands.write(tau)])
    return ", ".join(f"{name} (tau {', '.join(each)})" if each else name for name, each in taus.items())


def _heavy(record: GradientRecord) -> list[str]:
    """Which models' numbers are largely those of a single image."""
    held = [each for each in record.subjects if each.epoch is not None and each.largest_share > MOST_SHARE]
    shares = listed([f"{100 * each.largest_share:.1f} % of {each.name}" for each in held])
    rule = "Images are added until none holds more than a tenth of the squared norm; one still holds"
    start = rule if record.plan.images is None else "One image holds"
    return [f"{start} {shares}, whose numbers lean on that image."] if held else []
