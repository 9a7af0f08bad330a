"""The report on the cost of a step: measurements in, Markdown out."""

from collections.abc import Callable, Sequence
from typing import Any

from gsm_cli.config import Objective
from gsm_cli.records.cost import CostPlan, CostRecord, CostRow
from gsm_cli.reports.cost_statistics import (
    fit_line,
    pays_from,
    peak_bytes,
    product_share,
    rows_of,
    seconds,
    speed_up,
    step_seconds,
)
from gsm_cli.reports.markdown import digits, table
from gsm_cli.reports.references import JANG_SPEED_UPS

COST_TITLE = "What a step costs: from how many classes on does a sample pay?"
MIB = 2**20


def render_costs(records: Sequence[CostRecord], problems: Sequence[str] = ()) -> str:
    """The report on all measurements of a folder; `problems` are sentences about files that are not records."""
    blocks = [f"# {COST_TITLE}", *(f"> **Warning.** {problem}." for problem in problems)]
    blocks += [answer(record) for record in records]
    for record in records:
        blocks += _section(record)
    return "\n\n".join([*blocks, *_method(records)]) + "\n"


def picture_name(record: CostRecord) -> str:
    """The file of a measurement's picture."""
    return f"{record.plan.name}.png"


def cost_data(record: CostRecord) -> dict[str, Any]:
    """What the picture shows: for each objective the quartiles of seconds, the memory and the line's coefficients."""
    data: dict[str, Any] = {}
    for objective in record.plan.objectives:
        cells = [rows_of(record, objective, classes) for classes in record.plan.classes]
        line = fit_line(record, objective)
        data[objective] = {
            "classes": list(record.plan.classes),
            "seconds": [list(seconds(rows)) for rows in cells],
            "mib": [peak_bytes(rows) / MIB for rows in cells],
            "line": [line.shared, line.per_class],
        }
    return data


def describe_costs(record: CostRecord) -> str:
    """What the picture shows, for those who cannot see it."""
    largest = max(record.plan.classes)
    ends = [
        f"{objective} {digits(1000 * seconds(rows_of(record, objective, largest))[1])} ms"
        for objective in record.plan.objectives
    ]
    return (
        f"Milliseconds and memory of a training step against the number of classes, both axes logarithmic, for "
        f"{_name(record.plan)}. With {largest:,} classes: {', '.join(ends)}."
    )


def cost_command(plan: CostPlan) -> str:
    """The command that measures it again."""
    usual = CostPlan()
    words = [f"--classes {','.join(map(str, plan.classes))}"] if plan.classes != usual.classes else []
    words += [f"--objective {each}" for each in plan.objectives] if plan.objectives != usual.objectives else []
    words += [
        f"--{name.replace('_', '-')} {getattr(plan, name)}"
        for name in ("model", "batch_size", "precision", "rounds", "seed", "device")
        if name == "device" or getattr(plan, name) != getattr(usual, name)
    ]
    return " ".join(["gsm cost", *words])


def _name(plan: CostPlan) -> str:
    model = {"adgm": "the ADGM", "m2": "M2"}[plan.model]
    images = f"batches of {plan.batch_size} unlabelled and {plan.batch_size} labelled images"
    return f"{model}, {images}, {plan.precision}, {plan.device}"


def answer(record: CostRecord) -> str:
    """In a sentence: from how many classes on one Gumbel sample, or else the first other objective, pays."""
    others = [each for each in record.plan.objectives if each is not Objective.MARGINALIZE]
    if Objective.MARGINALIZE not in record.plan.objectives or not others:
        return "**There is nothing to compare:** it takes marginalize and another objective."
    objective = Objective.GUMBEL if Objective.GUMBEL in others else others[0]
    least = pays_from(record, objective, step_seconds)
    memory = pays_from(record, objective, _peak)
    ratios = ", ".join(f"{speed_up(record, objective, each):.1f} with {each:,}" for each in record.plan.classes)
    return (
        f"**A {objective} step is {_from('faster', least)} and takes {_from('less memory', memory)} than "
        f"marginalize.** Times faster, by the number of classes: {ratios} ({_name(record.plan)})."
    )


def _from(what: str, least: int | None) -> str:
    return f"not {what} at any number of classes measured" if least is None else f"{what} from {least} classes on"


def _peak(row: CostRow) -> float:
    return row.peak_bytes


def _section(record: CostRecord) -> list[str]:
    plan = record.plan
    blocks = [
        f"## {_name(plan)[0].upper() + _name(plan)[1:]}",
        f"![{describe_costs(record)}]({picture_name(record)})",
        "Milliseconds of a step, median [quartiles], by the number of classes:",
        _by_classes(record, _milliseconds),
        "Greatest memory of the process in MiB, of which "
        f"{min(row.base_bytes for row in record.rows) / MIB:.0f} are there before the model is made:",
        _by_classes(record, lambda rows: f"{peak_bytes(rows) / MIB:,.0f}"),
    ]
    if Objective.MARGINALIZE in plan.objectives:
        blocks += ["From how many classes on an objective pays:", _pays(record)]
    blocks += [
        "The line milliseconds = shared + K per class, with the least squares of relative residuals:",
        _lines(record),
        "Evaluations of the bound of a class, for each unlabelled image:",
        _by_classes(record, lambda rows: digits(rows[0].evaluations)),
        "Rate of the step's matrix products in % of that of one large product, measured in the same process:",
        _by_classes(record, lambda rows: f"{100 * product_share(rows):.0f}"),
    ]
    return blocks


def _by_classes(record: CostRecord, cell: Callable[[list[CostRow]], str]) -> str:
    rows = [
        [objective, *(cell(rows_of(record, objective, classes)) for classes in record.plan.classes)]
        for objective in record.plan.objectives
    ]
    return table(["objective", *(f"K = {classes:,}" for classes in record.plan.classes)], rows)


def _milliseconds(rows: list[CostRow]) -> str:
    low, middle, high = (digits(1000 * value) for value in seconds(rows))
    return f"{middle} [{low}, {high}]"


def _pays(record: CostRecord) -> str:
    rows = []
    for objective in record.plan.objectives:
        if objective is not Objective.MARGINALIZE:
            found = (pays_from(record, objective, cost) for cost in (step_seconds, _peak))
            ratios = (f"{speed_up(record, objective, classes):.2f}" for classes in record.plan.classes)
            rows.append([objective, *("never" if each is None else str(each) for each in found), *ratios])
    ratios_of = (f"faster, K = {classes:,}" for classes in record.plan.classes)
    return table(["objective", "faster from K", "less memory from K", *ratios_of], rows)


def _lines(record: CostRecord) -> str:
    rows = []
    for objective in record.plan.objectives:
        line = fit_line(record, objective)
        numbers = (digits(1000 * line.shared), digits(1000 * line.per_class), f"{100 * line.residual:.0f}")
        rows.append([objective, *numbers])
    return table(["objective", "shared ms", "ms per class", "residual %"], rows)


def _method(records: Sequence[CostRecord]) -> list[str]:
    theirs = ", ".join(f"{ratio} with {classes} classes" for classes, ratio in JANG_SPEED_UPS.items())
    commands = "\n".join(f"$ {cost_command(record.plan)}" for record in records)
    environments = dict.fromkeys(f"gsm {record.version}, {record.machine}" for record in records)
    links = ", ".join(f"[{record.plan.name}](records/{record.plan.name}.json)" for record in records)
    return [
        "## How it was measured",
        "One step is all that training does for a batch: draw the binary images and the noise, compute the three terms "
        "of the objective, differentiate, clip, update. Networks of 784 inputs and 500-500 units, random images and "
        "classes. Every number comes from fresh processes, one for each round, all of them in random order, so that a "
        "drift of the machine favours none. Faster, or less memory, means: in every process of the one than in every "
        "process of the other, for all larger numbers of classes too. What exceeds 20,000 evaluations in a "
        "step marginalize computes again in the backward pass, to save memory: up to a third more arithmetic, which "
        "counts among the operations.",
        f"Crosses: Jang et al. 2017 (arXiv:1611.01144), figure 5, whose marginalization takes {theirs} times as long "
        "as a Gumbel step, set above the Gumbel step measured here.",
        f"```console\n{commands}\n```",
        f"Environment: {'; '.join(environments)}.",
        f"Records: {links}.",
    ]
