"""The report on the cost of a step: measurements in, sections out."""

from collections.abc import Sequence

from gsm_cli import commands
from gsm_cli.analysis.costs import (
    CHANCE,
    JANG_SPEED_UPS,
    KEPT,
    MIB,
    claims_of,
    enough_rounds,
    pays_from,
    peak_bytes,
    process_bytes,
    rows_of,
    rule_of,
    seconds,
    speed_up,
    step_seconds,
)
from gsm_cli.analysis.facts import cost_facts
from gsm_cli.analysis.identity import with_looks
from gsm_cli.objectives import GUMBEL, MARGINALIZE
from gsm_cli.records.cost import CostPlan, CostRecord, CostRow
from gsm_cli.records.layout import ReportFolder
from gsm_cli.reports.markdown import console, table
from gsm_cli.reports.page import Block, Page, Report, Section
from gsm_cli.reports.panels import Panel, Point, Points, panel_picture
from gsm_cli.style import Picture
from gsm_cli.words import counted, listed

TITLE = "What a step costs: from how many classes on does a sample pay?"
WHOLE = (
    "sparse-marginalize is not in the table: its cost belongs to a trained model. benchmarks/sparse.py measures it on "
    "models that it has trained."
)
JANG = (
    "The marginalization of Jang et al. 2017 (arXiv:1611.01144), figure 5, takes "
    f"{listed([f'{ratio} times as long with {classes} classes' for classes, ratio in JANG_SPEED_UPS.items()])} "
    "as their Gumbel step."
)
METHOD = (
    "One step is all that training does for a batch: draw the binary images and the noise, compute the three terms of "
    "the objective, differentiate, clip, update. Networks of 784 inputs and 500-500 units, random images and classes. "
    "Every number comes from fresh processes, one for each round, all in random order, so that a drift of the machine "
    f"favours none. Beyond {KEPT[MARGINALIZE]:,} evaluations in a step marginalize saves memory: the backward pass "
    "computes the rest again, which adds up to a third of the arithmetic."
)
MODELS = {"adgm": "the ADGM", "m2": "M2"}


def render_costs(folder: ReportFolder, records: Sequence[CostRecord], problems: Sequence[str] = ()) -> Report:
    """The report on these measurements; `problems` are sentences about other files."""
    first = records[0]
    page = Page(TITLE, answer(first), [_picture(first), *gains(first)], caveats=[WHOLE, JANG])
    sections = [*(_section(record) for record in records), _method(folder, records)]
    return Report(folder, page, sections, problems, {"costs": [cost_facts(record) for record in records]})


def answer(record: CostRecord) -> str:
    """From how many classes on one Gumbel sample, or else the first other objective, pays."""
    others = [name for name in record.plan.objectives if name != MARGINALIZE]
    if MARGINALIZE not in record.plan.objectives or not others:
        return "There is nothing to compare: measure marginalize and another objective."
    return _verdict(record, GUMBEL if GUMBEL in others else others[0])


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
    return panel_picture(record.plan.name, panels)


def _milliseconds(classes: int, rows: Sequence[CostRow]) -> Point:
    found = seconds(rows)
    return Point(classes, 1000 * found.middle, 1000 * found.low, 1000 * found.high)


def _section(record: CostRecord) -> Section:
    name = _name(record.plan)
    compared = MARGINALIZE in record.plan.objectives
    others = [each for each in record.plan.objectives if each != MARGINALIZE] if compared else []
    every = [[each, *(ratio_of(record, each, classes) for classes in record.plan.classes)] for each in others]
    blocks: list[Block] = [
        f"## {name[0].upper() + name[1:]}",
        *([table(["times as fast", *_columns(record.plan)], every)] if others else []),
    ]
    return Section(blocks)


def gains(record: CostRecord) -> list[str]:
    """From where on every objective pays; nothing without marginalize and another."""
    plan = record.plan
    others = [name for name in plan.objectives if name != MARGINALIZE]
    if MARGINALIZE not in plan.objectives or not others:
        return []
    found = {name: [pays_from(record, name, cost) for cost in (step_seconds, process_bytes)] for name in others}
    few = few_of(plan, max((faster for faster, _ in found.values() if faster), default=None))
    rows = [
        [
            *(name, *("–" if least is None else f"{least:,}" for least in leasts)),
            *(ratio_of(record, name, classes) for classes in few),
        ]
        for name, leasts in found.items()
    ]
    headings = ["objective", "faster from K", "less memory from K", *(f"times as fast, K = {count:,}" for count in few)]
    return [table(headings, rows), _rule(record)]


def _rule(record: CostRecord) -> str:
    """What the claims mean, in words."""
    rule, plan = rule_of(record), record.plan
    if rule.losses:
        pairs = plan.rounds**2
        wins = f"the objective took less in at least {pairs - rule.losses} of the {pairs} pairs of processes of the two"
    else:
        wins = "every process of the objective took less than every process of marginalize"
    below = "the next smaller one" if rule.numbers == 2 else f"the {rule.numbers - 1} next smaller ones"
    where = f"at K, at every larger number of classes{f' and at {below}' if rule.numbers > 1 else ''}"
    held = 100 * (1 - 2 ** (1 - plan.rounds))
    ranges = f" The range holds the median of all possible rounds with a chance of {held:.0f} %." if held else ""
    return (
        f"*times as fast*: marginalize's step over this one, median [range] of {rounds_of(plan)}. *from K*: {where}, "
        f"{wins}; –: nowhere. If every objective cost what marginalize costs, at most one such measurement in "
        f"{1 / CHANCE:.0f} would say of any of them that it pays (rank-sum tests, {claims_of(record)} claims, "
        f"Bonferroni's correction; an objective is taken to gain on marginalize with every class).{ranges}"
    )


def _columns(plan: CostPlan) -> list[str]:
    return [f"K = {classes:,}" for classes in plan.classes]


def few_of(plan: CostPlan, first: int | None) -> list[int]:
    """Three numbers of classes at most: the first from which on something pays, one in the middle, the last."""
    classes = [count for count in plan.classes if count >= (first or 0)]
    return list(dict.fromkeys((classes[0], classes[(len(classes) - 1) // 2], classes[-1])))


def ratio_of(record: CostRecord, objective: str, classes: int) -> str:
    """How many times as fast it is: the median and the range over the rounds."""
    found = speed_up(record, objective, classes)
    low, middle, high = (_times(value) for value in (found.low, found.middle, found.high))
    return middle if record.plan.rounds == 1 else f"{middle} [{low}, {high}]"


def _times(ratio: float) -> str:
    """A ratio with three digits, of which none is left out."""
    return f"{ratio:,.{2 if ratio < 10 else 1 if ratio < 100 else 0}f}"


def rounds_of(plan: CostPlan) -> str:
    return counted(plan.rounds, "round")


def _method(folder: ReportFolder, records: Sequence[CostRecord]) -> Section:
    environments = dict.fromkeys(record.made_by for record in records)
    return Section(
        [
            "## How it was measured",
            METHOD,
            console([commands.cost(record.plan, folder.place) for record in records]),
            f"Environment: {'; '.join(environments)}.",
        ]
    )
