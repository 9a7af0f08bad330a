"""The section of a report on complete schedules of several lengths: which accuracy at which cost of training."""

from collections.abc import Sequence
from functools import partial

from gsm_cli import commands
from gsm_cli.objectives import GUMBEL, SUPERVISED
from gsm_cli.records.layout import ReportFolder
from gsm_cli.reports.markdown import NOTHING, folded, interval, table, without_constants
from gsm_cli.reports.names import objective_of
from gsm_cli.reports.report import Section, Verdict, show
from gsm_cli.reports.sweeps.frontier_chart import frontier_chart
from gsm_cli.reports.sweeps.frontier_data import AtEqualTime, Frontier, Schedule, at_equal_time, reaches
from gsm_cli.style import Picture
from gsm_cli.words import counted, digits, listed, percent, points

METHOD = (
    "Every point is a schedule of its own that ran to its end, never a long run read early; its number of epochs "
    "stands beside it, where there is room. Validation accuracy is that of the epoch "
    "that validation chose, the mean over seeds with Student's 95 % interval{seconds}. "
    "Longer schedules have more epochs to choose from; the accuracy on the test set is free of that."
)


def heading(frontier: Frontier) -> str:
    """Of the section."""
    return "Accuracy in so many seconds" if frontier.clock else "Accuracy after so many epochs"


def frontier_answer(frontier: Frontier) -> Verdict:
    """Who is the first to reach which accuracy, and the differences at equal time."""
    if frontier.tasks > 1:
        return Verdict(
            f"Which schedule reaches which accuracy stands below, for each of {frontier.tasks} tasks by itself."
        )
    return Verdict(f"{_first(frontier)}{_equal_time(at_equal_time(frontier))}")


def frontier_section(folder: ReportFolder, title: str, frontier: Frontier | None) -> Section:
    """The picture and the tables; empty unless an objective was trained for several numbers of epochs."""
    if frontier is None:
        return Section([])
    seconds = f"; seconds are updates, each as long as its step, measured {frontier.clock}" if frontier.clock else ""
    picture = Picture("frontier", title, _description(frontier), frontier, partial(frontier_chart, frontier.lines))
    return Section(
        [
            f"## {heading(frontier)}",
            show(folder, picture),
            " ".join([METHOD.format(seconds=seconds), *_cautions(frontier)]),
            "The shortest schedule whose mean over seeds reaches a validation accuracy:",
            _shortest(frontier),
            *_differences(at_equal_time(frontier)),
            *folded("All schedules", [_schedules(frontier)]),
        ],
        [picture],
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
        parts.append(f"{_level(level)} by {f'{reached[0][0]} ({_taken(reached[0][1])})' if reached else 'none'}")
    return f"The first to reach a validation accuracy: {listed(parts)}."


def _equal_time(found: Sequence[AtEqualTime]) -> str:
    """The difference of gumbel, and the greatest of all others but the floor."""
    own = [each for each in found if objective_of(each.name) == GUMBEL][:1]
    others = [each for each in found if each not in own and objective_of(each.name) != SUPERVISED]
    among = f", the best of {len(others)} others" if len(others) > 1 else ""
    told = [*own, *sorted(others, key=lambda each: -each.summary.mean)[:1]]
    parts = [
        f"{each.name} − {each.minus} is {interval(each.summary, points)} points at {digits(each.seconds)} s "
        f"({counted(len(each.seeds), 'seed')}{'' if each in own else among})"
        for each in told
    ]
    return f" At equal time, uncorrected, {listed(parts)}." if parts else ""


def _differences(found: Sequence[AtEqualTime]) -> list[str]:
    """All of them."""
    rows = [
        [f"{each.name} − {each.minus}", digits(each.seconds), str(len(each.seeds)), interval(each.summary, points)]
        for each in found
    ]
    if not rows:
        return []
    text = (
        "Differences of validation accuracy at equal time, seed by seed, uncorrected: at the latest time for which "
        "both have schedules, linear in the logarithm of time between the two around it."
    )
    return [text, table(["difference", "seconds", "seeds", "points [95 %]"], rows)]


def _description(frontier: Frontier) -> str:
    ends = [
        f"{name} from {percent(line[0].validation.mean)} % in {_cost(line[0])} "
        f"to {percent(line[-1].validation.mean)} % in {_cost(line[-1])}"
        for name, line in frontier.lines.items()
    ]
    unit = "seconds" if frontier.clock else "epochs"
    return f"Validation accuracy against {unit} of training, a point for each complete schedule: {'; '.join(ends)}."


def _shortest(frontier: Frontier) -> str:
    """For every objective and level the shortest schedule, or the best that it came to."""
    rows = []
    for name, line in frontier.lines.items():
        best = max(line, key=lambda schedule: schedule.validation.mean)
        nothing = f"not reached: {percent(best.validation.mean)} after {counted(best.epochs, 'epoch')}"
        found = [reaches(line, level) for level in frontier.levels]
        rows.append([name, *(nothing if schedule is None else _taken(schedule) for schedule in found)])
    return table(["objective", *map(_level, frontier.levels)], rows)


def _schedules(frontier: Frontier) -> str:
    told = [*frontier.fitted, *frontier.differing]
    rows = [
        [
            ", ".join([name, counted(schedule.epochs, "epoch"), *_fitted(schedule, told)]),
            str(len(schedule.by_seed)),
            NOTHING if schedule.seconds is None else digits(schedule.seconds),
            interval(schedule.validation),
            interval(schedule.test),
        ]
        for name, line in frontier.lines.items()
        for schedule in line
    ]
    headings = ["schedule", "seeds", "seconds", "validation % [95 %]", "test % [95 %]"]
    return table(*without_constants(headings, rows))


def _fitted(schedule: Schedule, names: Sequence[str]) -> list[str]:
    return [f"{name} {commands.write(schedule.fitted[name])}" for name in names]


def _taken(schedule: Schedule) -> str:
    lengths = dict.fromkeys([_cost(schedule), counted(schedule.epochs, "epoch")])
    return ", ".join([*lengths, counted(len(schedule.by_seed), "seed")])


def _cost(schedule: Schedule) -> str:
    return counted(schedule.epochs, "epoch") if schedule.seconds is None else f"{digits(schedule.seconds)} s"


def _level(level: float) -> str:
    return f"{100 * level:.0f} %"
