"""The section of a report on complete schedules of several lengths: which accuracy at which cost of training."""

from collections.abc import Sequence

from gsm_cli import commands
from gsm_cli.analysis.frontier import AtEqualTime, Crossing, Frontier, Line, Schedule, at_equal_time, crossing
from gsm_cli.objectives import GUMBEL, SUPERVISED
from gsm_cli.reports.markdown import NOTHING, folded, interval, table, without_constants
from gsm_cli.reports.page import Answer, Section
from gsm_cli.reports.panels import Panel, Point, Points, panel_picture
from gsm_cli.words import counted, digits, listed, percent, points

METHOD = (
    "Every point is a schedule of its own that ran to its end, never a long run read early. Test accuracy is "
    "that of the last epoch, the mean over seeds with Student's 95 % interval{seconds}."
)


WHEN = (
    "When the mean over seeds reaches a test accuracy, read off between complete schedules, linear in the logarithm of "
    "the cost; in brackets when the ends of its 95 % interval do. ≤: the shortest schedule has reached it already."
)


def heading(frontier: Frontier) -> str:
    """Of the section."""
    return "Accuracy in so many seconds" if frontier.clock else "Accuracy after so many epochs"


def frontier_answer(frontier: Frontier) -> Answer:
    """Who is the first to reach which accuracy, and the differences at equal time."""
    if frontier.tasks > 1:
        return Answer(
            f"Which schedule reaches which accuracy stands below, for each of {frontier.tasks} tasks by itself."
        )
    return Answer(f"{_first(frontier)}{_equal_time(at_equal_time(frontier))}")


def frontier_section(frontier: Frontier | None) -> Section:
    """The picture and the tables; empty unless an objective was trained for several numbers of epochs."""
    if frontier is None:
        return Section([])
    seconds = f"; seconds are updates, each as long as its step, measured {frontier.clock}" if frontier.clock else ""
    return Section(
        [
            f"## {heading(frontier)}",
            panel_picture("frontier", [frontier_panel(frontier)]),
            " ".join([METHOD.format(seconds=seconds), *_cautions(frontier)]),
            WHEN,
            _shortest(frontier),
            *_differences(at_equal_time(frontier)),
            *folded("All schedules", [_schedules(frontier)]),
        ]
    )


def _cautions(frontier: Frontier) -> list[str]:
    """What else differs between schedules, which of several settings is shown, and what is left out."""
    words = []
    if frontier.fitted:
        words.append(f"Fitted to the length: {listed(frontier.fitted)}, as the last table has it.")
    if frontier.differing:
        words.append(f"Objectives differ in {listed(frontier.differing)} too, as the last table has it.")
    if frontier.chosen:
        words.append(
            "Of several settings of a length the one with the most seeds, and then the most accurate on validation, is "
            "shown: a choice that no interval covers."
        )
    if frontier.left_out:
        words.append(f"Left out, because their steps were not timed: {listed(frontier.left_out)}.")
    return words


def _first(frontier: Frontier) -> str:
    """Which objective reaches each level first."""
    parts = []
    for level in frontier.levels:
        reached = frontier.first(level)
        first = [each for each, found in reached if found.cost == reached[0][1].cost]
        named = listed([each.label for each in first])
        tie = " in a tie" if len(first) > 1 else ""
        parts.append(f"{_level(level)} by {f'{named}{tie} ({_taken(reached[0][1], frontier)})' if reached else 'none'}")
    return f"The first to reach a test accuracy: {listed(parts)}."


def _equal_time(found: Sequence[AtEqualTime]) -> str:
    """The difference of gumbel, and the greatest of all others but the floor."""
    own = [each for each in found if each.identity.objective == GUMBEL][:1]
    others = [each for each in found if each not in own and each.identity.objective != SUPERVISED]
    among = f", the best of {len(others)} others" if len(others) > 1 else ""
    told = [*own, *sorted(others, key=lambda each: -each.summary.mean)[:1]]
    parts = [
        f"{each.label} is {interval(each.summary, points)} points at {digits(each.seconds)} s "
        f"({counted(len(each.seeds), 'seed')}{'' if each in own else among})"
        for each in told
    ]
    return f" At equal time, uncorrected, {listed(parts)}." if parts else ""


def _differences(found: Sequence[AtEqualTime]) -> list[str]:
    """All of them."""
    rows = [
        [
            f"{each.label}",
            digits(each.seconds),
            str(len(each.seeds)),
            interval(each.summary, points),
        ]
        for each in found
    ]
    if not rows:
        return []
    text = (
        "Differences of test accuracy at equal time, seed by seed, uncorrected: at the latest time for which "
        "both have schedules, linear in the logarithm of time between the two around it."
    )
    return [text, table(["difference", "seconds", "seeds", "points [95 %]"], rows)]


def frontier_panel(frontier: Frontier) -> Panel:
    """Accuracy against seconds, or against epochs, a point for each schedule."""
    axis = f"{'seconds' if frontier.clock else 'epochs'} of training"
    return Panel("test accuracy, %", axis, [*map(_points, frontier.lines)], continuous=True)


def _points(line: Line) -> Points:
    return Points(line.identity, [Point.of(each.cost, each.test, len(each.by_seed)) for each in line.schedules])


def _shortest(frontier: Frontier) -> str:
    """When every objective reaches a level, or the best that it came to."""
    rows = []
    for line in frontier.lines:
        best = max(line.schedules, key=lambda schedule: schedule.test.mean)
        nothing = f"not reached: {percent(best.test.mean)} after {counted(best.epochs, 'epoch')}"
        found = [crossing(line.schedules, level) for level in frontier.levels]
        rows.append([line.identity.label, *(nothing if each is None else _taken(each, frontier) for each in found)])
    return table(["objective", *map(_level, frontier.levels)], rows)


def _schedules(frontier: Frontier) -> str:
    told = [*frontier.fitted, *frontier.differing]
    rows = [
        [
            ", ".join([line.identity.label, counted(schedule.epochs, "epoch"), *_fitted(schedule, told)]),
            str(len(schedule.by_seed)),
            NOTHING if schedule.seconds is None else digits(schedule.seconds),
            interval(schedule.validation),
            interval(schedule.test),
        ]
        for line in frontier.lines
        for schedule in line.schedules
    ]
    headings = ["schedule", "seeds", "seconds", "validation % [95 %]", "test % [95 %]"]
    return table(*without_constants(headings, rows))


def _fitted(schedule: Schedule, names: Sequence[str]) -> list[str]:
    return [f"{name} {commands.write(schedule.fitted[name])}" for name in names]


def _taken(reached: Crossing, frontier: Frontier) -> str:
    """Seconds or epochs, with their interval; an end that is not reached is a dash."""
    unit, low = " s" if frontier.clock else " epochs", reached.low
    ends = [NOTHING if end is None else digits(end) for end in (low, reached.high)]
    interval = f" [{', '.join(ends)}]" if ends != [NOTHING, NOTHING] else ""
    return f"{'≤ ' if reached.is_most else ''}{digits(reached.cost)}{unit}{interval}"


def _level(level: float) -> str:
    return f"{100 * level:.0f} %"
