"""The report on the cost of a step: measurements in, sections out."""

from collections.abc import Callable, Sequence

from gsm_cli import commands
from gsm_cli.objectives import GUMBEL, MARGINALIZE
from gsm_cli.records.cost import CostPlan, CostRecord, CostRow
from gsm_cli.records.layout import ReportFolder
from gsm_cli.reports.cost_chart import cost_chart
from gsm_cli.reports.cost_claims import (
    CHANCE,
    claims_of,
    enough_rounds,
    pays_from,
    process_bytes,
    rule_of,
    step_seconds,
)
from gsm_cli.reports.cost_statistics import (
    JANG_SPEED_UPS,
    KEPT,
    MIB,
    Line,
    fit_line,
    peak_bytes,
    product_share,
    rows_of,
    scalings,
    seconds,
    speed_up,
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
    faster = pays_from(record, objective, step_seconds)
    ratios = [f"{_ratio(record, objective, count)} with {count:,}" for count in _few(record.plan, faster)]
    return Verdict(
        _verdict(record, objective),
        [
            f"How many times as fast it is, by the number of classes, as the median and the range over "
            f"{_rounds(record.plan)}: {listed(ratios)} ({_name(record.plan)})."
        ],
    )


def _verdict(record: CostRecord, objective: str) -> str:
    """The first sentence of the report."""
    plan, needed = record.plan, enough_rounds(claims_of(record), len(record.plan.classes))
    if rule_of(record).numbers > len(plan.classes):
        few = f"{_rounds(plan)} at {_count(len(plan.classes), 'number')} of classes cannot tell"
        return f"Whether a {objective} step pays, {few}: measure with --rounds {needed}."
    faster, smaller = (pays_from(record, objective, cost) for cost in (step_seconds, process_bytes))
    speed = "is not seen to be faster than marginalize" if faster is None else "is faster than marginalize"
    memory = "is not seen to take less memory" if smaller is None else "takes less memory"
    if faster == smaller:
        return f"A {objective} step {speed} and {memory}{_from(smaller)}."
    return f"A {objective} step {speed}{_from(faster)}, and {memory}{_from(smaller)}."


def _from(least: int | None) -> str:
    return "" if least is None else f" from {least:,} classes on"


def _count(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}"


def _rounds(plan: CostPlan) -> str:
    return _count(plan.rounds, "round")


def _few(plan: CostPlan, first: int | None) -> list[int]:
    """Three numbers of classes at most: the first from which on something pays, one in the middle, the last."""
    classes = [count for count in plan.classes if count >= (first or 0)]
    return list(dict.fromkeys((classes[0], classes[(len(classes) - 1) // 2], classes[-1])))


def _ratio(record: CostRecord, objective: str, classes: int) -> str:
    """How many times as fast it is: the median and the range over the rounds."""
    found = speed_up(record, objective, classes)
    low, middle, high = (_times(value) for value in (found.low, found.middle, found.high))
    return middle if record.plan.rounds == 1 else f"{middle} [{low}, {high}]"


def _name(plan: CostPlan) -> str:
    images = f"batches of {plan.batch_size} unlabelled and {plan.batch_size} labelled images"
    return f"{MODELS[plan.model]}, {images}, {plan.precision}, {plan.device}"


def _picture(record: CostRecord) -> Picture[object]:
    facts = scalings(record)
    ends = [f"{name} {digits(1000 * scaling.seconds[-1].middle)} ms" for name, scaling in facts.items()]
    description = (
        f"Milliseconds and memory of a training step against the number of classes, on a logarithmic axis, for "
        f"{_name(record.plan)}. With {record.plan.classes[-1]:,} classes: {', '.join(ends)}."
    )
    return Picture(record.plan.name, TITLE, description, facts, lambda: cost_chart(facts))


def _times(ratio: float) -> str:
    """A ratio with three digits, of which none is left out."""
    return f"{ratio:,.{2 if ratio < 10 else 1 if ratio < 100 else 0}f}"


def _section(folder: ReportFolder, record: CostRecord) -> Section:
    name, picture = _name(record.plan), _picture(record)
    before = min(row.base_bytes for row in record.rows) / MIB
    blocks = [
        f"## {name[0].upper() + name[1:]}",
        show(folder, picture),
        *_pays(record),
        "Milliseconds of a step, median [quartiles], by the number of classes:",
        _by_classes(record, _milliseconds),
        f"Greatest memory of the process in MiB, of which {before:.0f} are there before the model is made:",
        _by_classes(record, lambda rows: f"{peak_bytes(rows) / MIB:,.0f}"),
        *_lines(record),
        folded(
            "Evaluations of the bound of a class, for each unlabelled image",
            _by_classes(record, lambda rows: digits(rows[0].evaluations)),
        ),
        folded(
            "Rate of the step's matrix products in % of that of one large product, measured in the same process",
            _by_classes(record, lambda rows: f"{100 * product_share(rows):.0f}"),
        ),
    ]
    return Section(blocks, [picture])


def folded(summary: str, block: str) -> str:
    """A block that opens when its summary is clicked."""
    return f"<details>\n<summary>{summary}</summary>\n\n{block}\n\n</details>"


def _by_classes(record: CostRecord, cell: Callable[[list[CostRow]], str]) -> str:
    rows = [
        [objective, *(cell(rows_of(record, objective, classes)) for classes in record.plan.classes)]
        for objective in record.plan.objectives
    ]
    return table(["objective", *_columns(record.plan)], rows)


def _milliseconds(rows: list[CostRow]) -> str:
    found = seconds(rows)
    low, middle, high = (digits(1000 * value) for value in (found.low, found.middle, found.high))
    return f"{middle} [{low}, {high}]"


def _pays(record: CostRecord) -> list[str]:
    """From where on every objective pays; nothing without marginalize and another."""
    plan = record.plan
    others = [name for name in plan.objectives if name != MARGINALIZE]
    if MARGINALIZE not in plan.objectives or not others:
        return []
    found = {name: [pays_from(record, name, cost) for cost in (step_seconds, process_bytes)] for name in others}
    few = _few(plan, max((faster for faster, _ in found.values() if faster), default=None))
    rows = [
        [
            *(name, *("–" if least is None else f"{least:,}" for least in leasts)),
            *(_ratio(record, name, classes) for classes in few),
        ]
        for name, leasts in found.items()
    ]
    every = [[name, *(_ratio(record, name, classes) for classes in plan.classes)] for name in others]
    headings = ["objective", "faster from K", "less memory from K", *(f"times as fast, K = {count:,}" for count in few)]
    return [
        f"From how many classes on an objective pays, and how many times as fast as marginalize it then is: median "
        f"[range] of {_rounds(plan)}, in each the ratio of one process to one:",
        table(headings, rows),
        _rule(record),
        folded("At every number of classes", table(["times as fast", *_columns(plan)], every)),
    ]


def _rule(record: CostRecord) -> str:
    """What the claims mean, in words."""
    rule, plan = rule_of(record), record.plan
    if rule.losses:
        pairs = plan.rounds**2
        wins = f"at least {pairs - rule.losses} of the {pairs} pairs of a process of it and one of marginalize"
    else:
        wins = "every process of it, against every one of marginalize"
    smaller = ["", " and at the next smaller one", f" and at the {rule.numbers - 1} next smaller ones"][
        min(rule.numbers, 3) - 1
    ]
    held = 100 * (1 - 2 ** (1 - plan.rounds))
    ranges = f" The range holds the median of all possible rounds with a chance of {held:.0f} %." if held else ""
    return (
        f"*From K on* says that it won at K, at every larger number of classes{smaller}: {wins}; – says that it "
        f"nowhere did. If every objective cost what marginalize costs, at most one report in {1 / CHANCE:.0f} would "
        f"say of any of them that it pays (rank-sum tests, {claims_of(record)} claims, Bonferroni's correction; an "
        f"objective is taken to gain on marginalize with every class).{ranges}"
    )


def _columns(plan: CostPlan) -> list[str]:
    return [f"K = {classes:,}" for classes in plan.classes]


def _lines(record: CostRecord) -> list[str]:
    """The fitted lines with their residuals, or why there is none."""
    lines = {name: fit_line(record, name) for name in record.plan.objectives}
    fitted = {name: line for name, line in lines.items() if line}
    missing = [name for name, line in lines.items() if not line]
    why = (
        f"No line for {listed(missing)}: too few numbers of classes to see whether one fits (three are enough, or four "
        "where the objective begins to compute again, of which two lie before)."
    )
    blocks = [why] if missing else []
    if fitted:
        turns = {line.turn for line in fitted.values() if line.turn is not None}
        further = [f"ms per class beyond K = {turn:,g}" for turn in turns]
        numbers = [[name, *_coefficients(line, bool(turns))] for name, line in fitted.items()]
        residuals = [[name, *(f"{100 * each:+.0f}" for each in line.residuals)] for name, line in fitted.items()]
        blocks = [
            "The line milliseconds = shared + K per class, with the least squares of relative residuals"
            + (", and where a step begins to compute again another that joins it:" if turns else ":"),
            table(["objective", "shared ms", "ms per class", *further, "greatest residual %"], numbers),
            *blocks,
            folded(
                "Residuals: line over measurement, less 1, in %",
                table(["objective", *_columns(record.plan)], residuals),
            ),
        ]
    return blocks


def _coefficients(line: Line, turns: bool) -> list[str]:
    greatest = max(line.residuals, key=abs)
    beyond = "" if line.beyond is None else digits(1000 * line.beyond)
    further = [beyond] if turns else []
    return [digits(1000 * line.shared), digits(1000 * line.per_class), *further, f"{100 * greatest:+.0f}"]


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
            "Crosses: the marginalization of Jang et al. 2017 (arXiv:1611.01144), figure 5, which takes "
            f"{theirs} as their Gumbel step, drawn as multiples of the Gumbel step measured here.",
            console([commands.cost(record.plan) for record in records]),
            f"Environment: {'; '.join(environments)}.",
            f"Records: {', '.join(f'[{name}]({folder.link(folder.record(name))})' for name in names)}.",
        ]
    )
