"""The report on the cost of a step: measurements in, sections out."""

from collections.abc import Callable, Sequence

from gsm_cli import commands
from gsm_cli.objectives import GUMBEL, MARGINALIZE
from gsm_cli.records.cost import CostPlan, CostRecord, CostRow
from gsm_cli.records.layout import ReportFolder
from gsm_cli.reports.cost_chart import cost_chart
from gsm_cli.reports.cost_statistics import (
    JANG_SPEED_UPS,
    MIB,
    fit_line,
    pays_from,
    peak_bytes,
    process_bytes,
    product_share,
    rows_of,
    scalings,
    seconds,
    speed_up,
    step_seconds,
)
from gsm_cli.reports.markdown import console, digits, listed, table
from gsm_cli.reports.report import Report, Section, Verdict, show, warnings
from gsm_cli.style import Picture

TITLE = "What a step costs: from how many classes on does a sample pay?"
MODELS = {"adgm": "the ADGM", "m2": "M2"}


def render_costs(folder: ReportFolder, records: Sequence[CostRecord], problems: Sequence[str] = ()) -> Report:
    """The report on these measurements; `problems` are sentences about other files."""
    answers = [answer(record) for record in records]
    opening = Section([*(block for each in answers for block in each.blocks), *warnings(problems)])
    sections = [opening, *(_section(folder, record) for record in records), _method(folder, records)]
    return Report(folder, TITLE, " ".join(each.answer for each in answers), sections, problems)


def answer(record: CostRecord) -> Verdict:
    """From how many classes on one Gumbel sample, or else the first other objective, pays."""
    others = [name for name in record.plan.objectives if name != MARGINALIZE]
    if MARGINALIZE not in record.plan.objectives or not others:
        return Verdict("There is nothing to compare: measure marginalize and another objective.")
    objective = GUMBEL if GUMBEL in others else others[0]
    faster, smaller = (pays_from(record, objective, cost) for cost in (step_seconds, process_bytes))
    speed = "is never faster than marginalize" if faster is None else f"is faster than marginalize {_from(faster)}"
    memory = "never takes less memory" if smaller is None else f"takes less memory {_from(smaller)}"
    ratios = [f"{speed_up(record, objective, count):.1f} with {count:,}" for count in record.plan.classes]
    return Verdict(
        f"A {objective} step {speed}, and {memory}.",
        [f"How many times as fast it is, by the number of classes: {', '.join(ratios)} ({_name(record.plan)})."],
    )


def _from(least: int) -> str:
    return f"from {least:,} classes on"


def _name(plan: CostPlan) -> str:
    images = f"batches of {plan.batch_size} unlabelled and {plan.batch_size} labelled images"
    return f"{MODELS[plan.model]}, {images}, {plan.precision}, {plan.device}"


def _picture(record: CostRecord) -> Picture[object]:
    facts = scalings(record)
    ends = [f"{name} {digits(1000 * scaling.seconds[-1].middle)} ms" for name, scaling in facts.items()]
    description = (
        f"Milliseconds and memory of a training step against the number of classes, both axes logarithmic, for "
        f"{_name(record.plan)}. With {record.plan.classes[-1]:,} classes: {', '.join(ends)}."
    )
    return Picture(record.plan.name, TITLE, description, facts, lambda: cost_chart(facts))


def _section(folder: ReportFolder, record: CostRecord) -> Section:
    name, picture = _name(record.plan), _picture(record)
    before = min(row.base_bytes for row in record.rows) / MIB
    blocks = [
        f"## {name[0].upper() + name[1:]}",
        show(folder, picture),
        "Milliseconds of a step, median [quartiles], by the number of classes:",
        _by_classes(record, _milliseconds),
        f"Greatest memory of the process in MiB, of which {before:.0f} are there before the model is made:",
        _by_classes(record, lambda rows: f"{peak_bytes(rows) / MIB:,.0f}"),
        *_pays(record),
        "The line milliseconds = shared + K per class, with the least squares of relative residuals:",
        _lines(record),
        "Evaluations of the bound of a class, for each unlabelled image:",
        _by_classes(record, lambda rows: digits(rows[0].evaluations)),
        "Rate of the step's matrix products in % of that of one large product, measured in the same process:",
        _by_classes(record, lambda rows: f"{100 * product_share(rows):.0f}"),
    ]
    return Section(blocks, [picture])


def _by_classes(record: CostRecord, cell: Callable[[list[CostRow]], str]) -> str:
    rows = [
        [objective, *(cell(rows_of(record, objective, classes)) for classes in record.plan.classes)]
        for objective in record.plan.objectives
    ]
    return table(["objective", *(f"K = {classes:,}" for classes in record.plan.classes)], rows)


def _milliseconds(rows: list[CostRow]) -> str:
    found = seconds(rows)
    low, middle, high = (digits(1000 * value) for value in (found.low, found.middle, found.high))
    return f"{middle} [{low}, {high}]"


def _pays(record: CostRecord) -> list[str]:
    """From where on every objective pays; nothing without marginalize."""
    if MARGINALIZE not in record.plan.objectives:
        return []
    rows = []
    for objective in record.plan.objectives:
        if objective != MARGINALIZE:
            found = (pays_from(record, objective, cost) for cost in (step_seconds, process_bytes))
            ratios = (f"{speed_up(record, objective, classes):.2f}" for classes in record.plan.classes)
            rows.append([objective, *("never" if least is None else str(least) for least in found), *ratios])
    ratios_of = (f"faster, K = {classes:,}" for classes in record.plan.classes)
    headings = ["objective", "faster from K", "less memory from K", *ratios_of]
    return ["From how many classes on an objective pays:", table(headings, rows)]


def _lines(record: CostRecord) -> str:
    rows = []
    for objective in record.plan.objectives:
        line = fit_line(record, objective)
        numbers = (digits(1000 * line.shared), digits(1000 * line.per_class), f"{100 * line.residual:.0f}")
        rows.append([objective, *numbers])
    return table(["objective", "shared ms", "ms per class", "residual %"], rows)


def _method(folder: ReportFolder, records: Sequence[CostRecord]) -> Section:
    theirs = listed([f"{ratio} times as long with {classes} classes" for classes, ratio in JANG_SPEED_UPS.items()])
    environments = dict.fromkeys(f"gsm {record.version}, {record.environment.words}" for record in records)
    names = [record.plan.name for record in records]
    return Section(
        [
            "## How it was measured",
            "One step is all that training does for a batch: draw the binary images and the noise, compute the three "
            "terms of the objective, differentiate, clip, update. Networks of 784 inputs and 500-500 units, random "
            "images and classes. Every number comes from fresh processes, one for each round, all in random order, so "
            "that a drift of the machine favours none. Faster, or less memory, means: in every process of the one than "
            "in every process of the other, for all larger numbers of classes too. Beyond 20,000 evaluations in a step "
            "marginalize saves memory: the backward pass computes the rest again, which adds up to a third of the "
            "arithmetic and counts among the operations.",
            "Crosses: the marginalization of Jang et al. 2017 (arXiv:1611.01144), figure 5, which takes "
            f"{theirs} as their Gumbel step, drawn in proportion to the Gumbel step measured here.",
            console([commands.cost(record.plan) for record in records]),
            f"Environment: {'; '.join(environments)}.",
            f"Records: {', '.join(f'[{name}]({folder.link(folder.record(name))})' for name in names)}.",
        ]
    )
