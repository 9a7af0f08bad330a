"""The report on the cost of a step: measurements in, sections out."""

from collections.abc import Sequence
from statistics import median

import msgspec

from gsm_cli import commands
from gsm_cli.analysis.costs import (
    CHANCE,
    JANG_SPEED_UPS,
    KEPT,
    MIB,
    Spread,
    claims_of,
    costs,
    enough_rounds,
    gains,
    numbers_of,
    process_bytes,
    seconds,
)
from gsm_cli.analysis.identity import with_looks
from gsm_cli.objectives import GUMBEL, MARGINALIZE
from gsm_cli.records.cost import CostPlan, CostRecord
from gsm_cli.records.layout import ReportFolder
from gsm_cli.reports.markdown import NOTHING, console, table
from gsm_cli.reports.page import Block, Page, Report
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
MODELS = {"adgm": "The ADGM", "m2": "M2"}


def render_costs(folder: ReportFolder, records: Sequence[CostRecord], problems: Sequence[str] = ()) -> Report:
    """The report on these measurements; `problems` are sentences about other files."""
    first = records[0]
    page = Page(TITLE, answer(first), [_picture(first), *gains_table(first)], caveats=[WHOLE, JANG])
    details: list[Block] = [block for record in records for block in _section(record)]
    lines = console([commands.cost(record.plan, folder.place) for record in records])
    environments = dict.fromkeys(record.made_by for record in records)
    details += ["## How it was measured", METHOD, lines, f"Environment: {'; '.join(environments)}."]
    found = [{"name": record.plan.name, "objectives": gains(record)} for record in records]
    return Report(folder, page, details, problems, {"costs": msgspec.to_builtins(found, str_keys=True)})


def answer(record: CostRecord) -> str:
    """From how many classes on one Gumbel sample, or else the first other objective, pays."""
    found = {each.objective: each for each in gains(record)}
    if not found:
        return "There is nothing to compare: measure marginalize and another objective."
    gain, plan = found.get(GUMBEL, next(iter(found.values()))), record.plan
    if numbers_of(record) > len(plan.classes):
        few = f"{counted(plan.rounds, 'round')} at {counted(len(plan.classes), 'number')} of classes cannot tell"
        needed = enough_rounds(claims_of(record), len(plan.classes))
        return f"Whether a {gain.objective} step pays, {few}: measure with --rounds {needed}."
    faster, smaller = gain.faster_from, gain.smaller_from
    speed = "is not seen to be faster than marginalize" if faster is None else "is faster than marginalize"
    memory = "is not seen to take less memory" if smaller is None else "takes less memory"
    both = f"{speed} and {memory}" if faster == smaller else f"{speed}{_from(faster)}, and {memory}"
    return f"A {gain.objective} step {both}{_from(smaller)}."


def _from(least: int | None) -> str:
    return "" if least is None else f" from {least:,} classes on"


def _picture(record: CostRecord) -> Picture[object]:
    lines, classes = with_looks([(name, ()) for name in record.plan.objectives]), record.plan.classes
    steps, memory = [], []
    for line in lines:
        quartiles = [(k, seconds(record, line.objective, k)) for k in classes]
        steps.append(Points(line, [Point(k, 1000 * s.middle, 1000 * s.low, 1000 * s.high) for k, s in quartiles]))
        peaks = [(k, median(costs(record, line.objective, k, process_bytes))) for k in classes]
        memory.append(Points(line, [Point(k, peak / MIB) for k, peak in peaks]))
    panels = [
        Panel("milliseconds of a step", "classes", steps, "", logarithmic=True),
        Panel("greatest memory, MiB", "classes", memory, ",.0f", logarithmic=True),
    ]
    return panel_picture(record.plan.name, panels)


def _section(record: CostRecord) -> list[str]:
    plan = record.plan
    images = f"batches of {plan.batch_size} unlabelled and {plan.batch_size} labelled images"
    heading = f"## {MODELS[plan.model]}, {images}, {plan.precision}, {plan.device}"
    rows = [[each.objective, *(_ratio(plan, found) for found in each.speed_ups.values())] for each in gains(record)]
    return [heading, *([table(["times as fast", *(f"K = {k:,}" for k in plan.classes)], rows)] if rows else [])]


def gains_table(record: CostRecord) -> list[str]:
    """From where on every objective pays; nothing without marginalize and another."""
    found = gains(record)
    few = few_of(record.plan, max((each.faster_from for each in found if each.faster_from), default=None))
    rows = []
    for each in found:
        least = [NOTHING if k is None else f"{k:,}" for k in (each.faster_from, each.smaller_from)]
        rows.append([each.objective, *least, *(_ratio(record.plan, each.speed_ups[classes]) for classes in few)])
    headings = ["objective", "faster from K", "less memory from K", *(f"times as fast, K = {count:,}" for count in few)]
    return [table(headings, rows), _rule(record)] if rows else []


def _rule(record: CostRecord) -> str:
    """What the claims mean, in words."""
    numbers, plan = numbers_of(record), record.plan
    below = "the next smaller one" if numbers == 2 else f"the {numbers - 1} next smaller ones"
    where = f"at K, at every larger number of classes{f' and at {below}' if numbers > 1 else ''}"
    held = 100 * (1 - 2 ** (1 - plan.rounds))
    ranges = f" The range holds the median of all possible rounds with a chance of {held:.0f} %." if held else ""
    return (
        f"*times as fast*: marginalize's step over this one, median [range] of {counted(plan.rounds, 'round')}. "
        f"*from K*: {where}, every process of the objective took less than every process of marginalize; –: nowhere. "
        "If every objective cost what marginalize costs, at most one such measurement in "
        f"{1 / CHANCE:.0f} would say of any of them that it pays (rank-sum tests, {claims_of(record)} claims, "
        f"Bonferroni's correction; an objective is taken to gain on marginalize with every class).{ranges}"
    )


def few_of(plan: CostPlan, first: int | None) -> list[int]:
    """Three numbers of classes at most: the first from which on something pays, one in the middle, the last."""
    classes = [count for count in plan.classes if count >= (first or 0)]
    return list(dict.fromkeys((classes[0], classes[(len(classes) - 1) // 2], classes[-1])))


def _ratio(plan: CostPlan, found: Spread) -> str:
    """How many times as fast it is, with three digits: the median and the range over the rounds."""
    low, middle, high = (
        f"{value:,.{2 if value < 10 else 1 if value < 100 else 0}f}" for value in (found.low, found.middle, found.high)
    )
    return middle if plan.rounds == 1 else f"{middle} [{low}, {high}]"
