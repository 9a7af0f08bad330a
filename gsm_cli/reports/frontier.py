"""Complete schedules of several lengths: which accuracy at which cost of training."""

from gsm_cli.analysis.frontier import Crossing, Frontier, crossing
from gsm_cli.reports.markdown import NOTHING, table
from gsm_cli.reports.page import Block, Page
from gsm_cli.reports.panels import Panel, Point, Points, panel_picture
from gsm_cli.style import Picture
from gsm_cli.words import counted, digits, listed, percent

WHEN = (
    "*95 %* and so on: when the mean test accuracy over seeds reaches that, read off between complete schedules, "
    "linear in the logarithm of the cost; in brackets, when the ends of its 95 % interval do. ≤: the shortest "
    "schedule is there already. *longest*: the test accuracy of the longest schedule."
)
OWN = "Every schedule is trained from the beginning to its end; none is a longer one read early."


def frontier_page(title: str, frontier: Frontier, where: str) -> Page:
    """Who is the first to reach which accuracy."""
    cost = "in how many seconds" if frontier.clock else "after how many epochs"
    few = min(len(each.scores) for each in frontier.schedules)
    return Page(
        f"{title}: which accuracy {cost}?",
        first_to_reach(frontier, where),
        [frontier_picture(frontier), _levels(frontier), WHEN],
        f"Exploratory: {counted(few, 'seed')} of a schedule, and no test." if few < 6 else "",
        caveats=_cautions(frontier),
    )


def first_to_reach(frontier: Frontier, where: str = "") -> str:
    """Which objective reaches each level first, in one sentence."""
    if frontier.tasks > 1:
        return f"Which schedule reaches which accuracy differs between the {frontier.tasks} tasks."
    reached: dict[str, list[tuple[float, str]]] = {}
    for level in frontier.levels:
        found = frontier.first(level)
        names = [identity.objective for identity, each in found if each.cost == found[0][1].cost]
        who = f"{listed(names)} {'in a tie ' if len(names) > 1 else ''}" if names else "none"
        reached.setdefault(who, []).append((level, f"{digits(found[0][1].cost)} {_unit(frontier)}" if found else ""))
    parts = [
        f"{listed([f'{100 * level:.0f} %' for level, _ in own])} by {who.strip()}"
        + (f" ({listed([cost for _, cost in own])})" if own[0][1] else "")
        for who, own in reached.items()
    ]
    return f"The first to reach a test accuracy{where}: {listed(parts)}."


def _unit(frontier: Frontier) -> str:
    return "s" if frontier.clock else "epochs"


def frontier_section(frontier: Frontier | None) -> list[Block]:
    """Who reaches which accuracy when; empty unless an objective has several lengths."""
    if frontier is None:
        return []
    heading = f"## Accuracy {'in so many seconds' if frontier.clock else 'after so many epochs'}"
    text = " ".join([first_to_reach(frontier), *_cautions(frontier)])
    return [heading, frontier_picture(frontier), text, _levels(frontier), WHEN]


def frontier_picture(frontier: Frontier) -> Picture[object]:
    """Accuracy against seconds, or against epochs, a point for each schedule."""
    lines = [
        Points(line.identity, [Point.of(each.cost, each.accuracy, len(each.scores)) for each in line.schedules])
        for line in frontier.lines
    ]
    axis = f"{'seconds' if frontier.clock else 'epochs'} of training"
    return panel_picture("frontier", [Panel("test accuracy, %", axis, lines, continuous=True)])


def _cautions(frontier: Frontier) -> list[str]:
    """What else differs between schedules."""
    return [OWN, *[f"Fitted to the length: {listed(frontier.fitted)}."] * bool(frontier.fitted)]


def _levels(frontier: Frontier) -> str:
    """When every objective reaches a level, and what its longest schedule has."""
    rows = []
    for line in frontier.lines:
        found = [crossing(line.schedules, level) for level in frontier.levels]
        longest = max(line.schedules, key=lambda schedule: schedule.config.epochs)
        cells = ["not reached" if each is None else _taken(each, frontier) for each in found]
        last = f"{percent(longest.accuracy.mean)} after {counted(longest.config.epochs, 'epoch')}"
        rows.append([line.identity.label, *cells, last])
    return table(["objective", *(f"{100 * level:.0f} %" for level in frontier.levels), "longest"], rows)


def _taken(reached: Crossing, frontier: Frontier) -> str:
    """Seconds or epochs, with their interval; an end that is not reached is a dash."""
    costs = (reached.cost, reached.low, reached.high)
    first, *ends = (NOTHING if cost is None else "≤ " * (cost == reached.shortest) + digits(cost) for cost in costs)
    span = f" [{', '.join(ends)}]" if ends != [NOTHING, NOTHING] else ""
    return f"{first} {_unit(frontier)}{span}"
