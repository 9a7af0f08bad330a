"""The tables of the report on costs, and what stands with them."""

from collections.abc import Callable

from gsm_cli.analysis.claims import CHANCE, claims_of, pays_from, process_bytes, rule_of, step_seconds
from gsm_cli.analysis.costs import rows_of, seconds, speed_up
from gsm_cli.objectives import MARGINALIZE
from gsm_cli.records.cost import CostPlan, CostRecord, CostRow
from gsm_cli.reports.markdown import table
from gsm_cli.words import counted, digits


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
    every = [[name, *(ratio_of(record, name, classes) for classes in plan.classes)] for name in others]
    headings = ["objective", "faster from K", "less memory from K", *(f"times as fast, K = {count:,}" for count in few)]
    return [
        f"From how many classes on an objective pays, and how many times as fast as marginalize it then is: median "
        f"[range] of {rounds_of(plan)}, in each the ratio of one process to one:",
        table(headings, rows),
        _rule(record),
        folded("At every number of classes", table(["times as fast", *_columns(plan)], every)),
    ]


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
        f"*From K on* says that {where}, {wins}; – that this was nowhere so. If every objective cost what marginalize "
        f"costs, at most one such measurement in {1 / CHANCE:.0f} would say of any of them that it pays "
        f"(rank-sum tests, {claims_of(record)} claims, Bonferroni's correction; an "
        f"objective is taken to gain on marginalize with every class).{ranges}"
    )


def by_classes(record: CostRecord, cell: Callable[[list[CostRow]], str]) -> str:
    """A cell for every objective and number of classes, from what its processes found."""
    rows = [
        [objective, *(cell(rows_of(record, objective, classes)) for classes in record.plan.classes)]
        for objective in record.plan.objectives
    ]
    return table(["objective", *_columns(record.plan)], rows)


def milliseconds(rows: list[CostRow]) -> str:
    found = seconds(rows)
    low, middle, high = (digits(1000 * value) for value in (found.low, found.middle, found.high))
    return f"{middle} [{low}, {high}]"


def _columns(plan: CostPlan) -> list[str]:
    return [f"K = {classes:,}" for classes in plan.classes]


def folded(summary: str, block: str) -> str:
    """A block that opens when its summary is clicked."""
    return f"<details>\n<summary>{summary}</summary>\n\n{block}\n\n</details>"


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
