"""The report on the cost of a step: measurements in, sections out."""

from collections.abc import Sequence

from gsm_cli import commands
from gsm_cli.analysis.claims import claims_of, enough_rounds, pays_from, process_bytes, rule_of, step_seconds
from gsm_cli.analysis.costs import JANG_SPEED_UPS, KEPT, MIB, peak_bytes, product_share, rows_of, seconds
from gsm_cli.analysis.facts import cost_facts
from gsm_cli.analysis.identity import with_looks
from gsm_cli.objectives import GUMBEL, MARGINALIZE
from gsm_cli.records.cost import CostPlan, CostRecord, CostRow
from gsm_cli.records.layout import ReportFolder
from gsm_cli.reports.cost.tables import (
    by_classes,
    few_of,
    folded,
    gains,
    milliseconds,
    ratio_of,
    rounds_of,
)
from gsm_cli.reports.markdown import console
from gsm_cli.reports.page import Answer, Report, Section, show, warnings
from gsm_cli.reports.panel_chart import Panel, Point, Points
from gsm_cli.reports.panels import panel_picture
from gsm_cli.style import Picture
from gsm_cli.words import counted, digits, listed

TITLE = "What a step costs: from how many classes on does a sample pay?"
MODELS = {"adgm": "the ADGM", "m2": "M2"}


def render_costs(folder: ReportFolder, records: Sequence[CostRecord], problems: Sequence[str] = ()) -> Report:
    """The report on these measurements; `problems` are sentences about other files."""
    answers = [answer(record) for record in records]
    opening = Section([*(block for each in answers for block in each.blocks), *warnings(problems)])
    sections = [opening, *(_section(folder, record) for record in records), _method(folder, records)]
    facts = {"costs": [cost_facts(record) for record in records]}
    return Report(folder, TITLE, " ".join(each.answer for each in answers), sections, problems, facts)


def answer(record: CostRecord) -> Answer:
    """From how many classes on one Gumbel sample, or else the first other objective, pays."""
    others = [name for name in record.plan.objectives if name != MARGINALIZE]
    if MARGINALIZE not in record.plan.objectives or not others:
        return Answer("There is nothing to compare: measure marginalize and another objective.")
    objective = GUMBEL if GUMBEL in others else others[0]
    faster = pays_from(record, objective, step_seconds)
    ratios = [f"{ratio_of(record, objective, count)} with {count:,}" for count in few_of(record.plan, faster)]
    return Answer(
        _verdict(record, objective),
        [
            f"How many times as fast it is, by the number of classes, as the median and the range over "
            f"{rounds_of(record.plan)}: {listed(ratios)} ({_name(record.plan)})."
        ],
    )


def _verdict(record: CostRecord, objective: str) -> str:
    """The first sentence of the report."""
    plan, needed = record.plan, enough_rounds(claims_of(record), len(record.plan.classes))
    if rule_of(record).numbers > len(plan.classes):
        few = f"{rounds_of(plan)} at {counted(len(plan.classes), 'number')} of classes cannot tell"
        return f"Whether a {objective} step pays, {few}: measure with --rounds {needed}."
    faster, smaller = (pays_from(record, objective, cost) for cost in (step_seconds, process_bytes))
    speed = "is not seen to be faster than marginalize" if faster is None else "is faster than marginalize"
    memory = "is not seen to take less memory" if smaller is None else "takes less memory"
    if faster == smaller:
        return f"A {objective} step {speed} and {memory}{_from(smaller)}."
    return f"A {objective} step {speed}{_from(faster)}, and {memory}{_from(smaller)}."


def _from(least: int | None) -> str:
    return "" if least is None else f" from {least:,} classes on"


def _name(plan: CostPlan) -> str:
    images = f"batches of {plan.batch_size} unlabelled and {plan.batch_size} labelled images"
    return f"{MODELS[plan.model]}, {images}, {plan.precision}, {plan.device}"


def _picture(record: CostRecord) -> Picture[object]:
    lines = with_looks([(name, ()) for name in record.plan.objectives])
    cells = {line: [(k, rows_of(record, line.objective, k)) for k in record.plan.classes] for line in lines}
    steps = [Points(line, [_milliseconds(k, rows) for k, rows in own]) for line, own in cells.items()]
    memory = [Points(line, [Point(k, peak_bytes(rows) / MIB) for k, rows in own]) for line, own in cells.items()]
    panels = [
        Panel("milliseconds of a step", "classes", steps, "", logarithmic=True),
        Panel("greatest memory, MiB", "classes", memory, ",.0f", logarithmic=True),
    ]
    return panel_picture(record.plan.name, TITLE, panels)


def _milliseconds(classes: int, rows: Sequence[CostRow]) -> Point:
    found = seconds(rows)
    return Point(classes, 1000 * found.middle, 1000 * found.low, 1000 * found.high)


def _section(folder: ReportFolder, record: CostRecord) -> Section:
    name, picture = _name(record.plan), _picture(record)
    before = min(row.base_bytes for row in record.rows) / MIB
    blocks = [
        f"## {name[0].upper() + name[1:]}",
        show(folder, picture),
        *gains(record),
        "Milliseconds of a step, median [quartiles], by the number of classes:",
        by_classes(record, milliseconds),
        f"Greatest memory of the process in MiB, of which {before:.0f} are there before the model is made:",
        by_classes(record, lambda rows: f"{peak_bytes(rows) / MIB:,.0f}"),
        folded(
            "Evaluations of the bound of a class, for each unlabelled image",
            by_classes(record, lambda rows: digits(rows[0].evaluations)),
        ),
        folded(
            "Rate of the step's matrix products in % of that of one large product, measured in the same process",
            by_classes(record, lambda rows: f"{100 * product_share(rows):.0f}"),
        ),
    ]
    return Section(blocks, [picture])


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
            f"that a drift of the machine favours none. Beyond {KEPT[MARGINALIZE]:,} evaluations in a step marginalize "
            "saves memory: the backward pass computes the rest again, which adds up to a third of the arithmetic and "
            "counts among the operations.",
            "sparse-marginalize is not in the tables: it sums over the classes that its model still holds possible, so "
            "its cost belongs to a trained model and not to a number of classes. benchmarks/sparse.py measures it on "
            "models that it has trained.",
            "The marginalization of Jang et al. 2017 (arXiv:1611.01144), figure 5, takes "
            f"{theirs} as their Gumbel step.",
            console([commands.cost(record.plan) for record in records]),
            f"Environment: {'; '.join(environments)}.",
            f"Records: {', '.join(f'[{name}]({folder.link(folder.record(name))})' for name in names)}.",
        ]
    )
