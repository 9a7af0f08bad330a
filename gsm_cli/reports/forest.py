"""The forest plot: every objective minus marginalize, with its interval, and the margin as a band."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from gsm_cli.analysis.identity import Identity
from gsm_cli.analysis.statistics import LEVEL, Summary
from gsm_cli.analysis.verdict import Judgement, Verdict
from gsm_cli.objectives import MARGINALIZE
from gsm_cli.reports.charts import ink, wrapped
from gsm_cli.reports.markdown import folded, interval, table, without_constants
from gsm_cli.reports.page import Section
from gsm_cli.style import INK, Picture
from gsm_cli.words import margin_points, points

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

BAND = "#e6e6e6"


@dataclass(frozen=True)
class Row:
    """One objective: its differences in points, seed by seed, their mean and interval, and what is decided."""

    identity: Identity
    role: str
    ruling: str
    mean: float
    low: float | None
    high: float | None
    differences: Sequence[float]


@dataclass(frozen=True)
class Forest:
    """The rows from above to below, and the margin in points; 0 for none."""

    rows: Sequence[Row]
    margin: float


def forest_section(verdict: Verdict) -> Section:
    """The plot, and the numbers behind it; empty if nothing was compared."""
    judgements, margin = verdict.judgements, verdict.margin
    if not judgements or margin is None:
        return Section([])
    rows = [
        forest_row(each.series.identity, each.comparison.differences, each.summary, each.role, each.told)
        for each in judgements
    ]
    facts = Forest(rows, 100 * margin.value)
    picture = Picture[object]("differences", "", _description(judgements), facts, partial(draw, facts))
    return Section(
        [
            "## Differences from the sum",
            picture,
            "Test accuracy minus that of marginalize at the same seeds, which have the same split, initial weights, "
            f"batch order and noise: mean, Student's 95 % interval, and faint the seeds. The band is the margin of "
            f"{margin_points(margin.value)}: an interval that lies to the right of its left edge means no worse.",
            *folded("These numbers, with tests", [_numbers(judgements), _explanation(judgements)]),
        ]
    )


def forest_row(
    identity: Identity, differences: Sequence[float], found: Summary, role: str = "", ruling: str = ""
) -> Row:
    """The row of differences of accuracy, seed by seed, and of their summary."""
    low, high = (None if value is None else 100 * value for value in (found.low, found.high))
    return Row(identity, role, ruling, 100 * found.mean, low, high, [100 * value for value in differences])


def _description(judgements: Sequence[Judgement]) -> str:
    words = [f"{each.label} {interval(each.summary, points)}, {each.told}" for each in judgements]
    return f"Test accuracy minus that of marginalize in points, mean and 95 % interval: {'; '.join(words)}."


def _numbers(judgements: Sequence[Judgement]) -> str:
    rows = [
        [
            f"{each.label} − {MARGINALIZE}",
            each.role,
            str(len(each.comparison.seeds)),
            interval(each.summary, points),
            interval(each.chosen.summary, points),
            "–" if each.summary.deviation is None else f"{100 * each.summary.deviation:.2f}",
            f"{each.comparison.p_value:.3g}",
            "–" if each.role == "exploratory" else f"{each.p_value:.3g}",
            each.told,
        ]
        for each in judgements
    ]
    headings = [
        "difference",
        "question",
        "seeds",
        "points [95 %]",
        "at the chosen epoch [95 %]",
        "deviation of a seed",
        "p",
        "p, corrected",
        "verdict",
    ]
    return table(*without_constants(headings, rows, told=("question", "seeds")))


def _explanation(judgements: Sequence[Judgement]) -> str:
    family = sum(each.role == "secondary" for each in judgements)
    holm = {0: "", 1: " the one secondary question is not corrected either;"}.get(
        family, f" the {family} secondary ones are corrected together by Holm's method;"
    )
    return (
        "At the chosen epoch: with the weights of the epoch that validation would choose. p is that of the sign-flip "
        "test on counts of correct answers, exact and two-sided. Worse means: the interval lies below zero and the "
        f"corrected p is at most {LEVEL}. Gumbel is the primary question and is tested by itself;{holm} exploratory "
        "ones, and every other pair, are not corrected and decide nothing. Each interval, and so each no worse, holds "
        "with 95 % by itself. Equal differences of all seeds get the deviation of one seed that is one image off."
    )


def draw(forest: Forest, quantity: str = "points of test accuracy, minus the sum's") -> "Figure":
    """A row for every objective, the numbers at the right, over an axis of this quantity."""
    from matplotlib.figure import Figure

    names = [wrapped(row.identity.label) for row in forest.rows]
    lines = 1 + max(name.count("\n") for name in names)
    figure = Figure(figsize=(11.0, 1.1 + (0.2 + 0.26 * lines) * len(forest.rows)))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[2.4, 1.0])
    low, high = _limits(forest)
    left.axvline(0.0, color=INK, linewidth=0.8, zorder=1)
    if forest.margin:
        left.axvspan(-forest.margin, forest.margin, color=BAND, linewidth=0, zorder=0)
        left.axvline(-forest.margin, color=INK, linewidth=0.8, linestyle="--", zorder=1)
    for place, row in enumerate(forest.rows):
        _draw_row(left, row, place, (low, high))
        number = _number(row)
        right.text(0.0, place, number, va="center", fontsize=11, weight=_weight(row), color=INK)
    left.set(xlim=(low, high), ylim=(len(forest.rows) - 0.5, -0.5), xlabel=quantity)
    left.set_yticks(range(len(forest.rows)), names)
    for label, row in zip(left.get_yticklabels(), forest.rows, strict=True):
        label.set(color=ink(row.identity.colour), weight=_weight(row))
    left.tick_params(axis="y", length=0, pad=12)
    left.spines["left"].set_visible(False)
    right.set(xlim=(0.0, 1.0))
    right.set_axis_off()
    return figure


def _limits(forest: Forest) -> tuple[float, float]:
    """Of the axis: all seeds, the margin, and intervals up to half as wide again; a wider one ends in an arrow."""
    seen = [value for row in forest.rows for value in row.differences] + [-1.5 * forest.margin, 1.5 * forest.margin]
    span = max(seen) - min(seen) or 1.0
    lows = [min(seen), *(row.low for row in forest.rows if row.low is not None)]
    highs = [max(seen), *(row.high for row in forest.rows if row.high is not None)]
    low, high = max(min(lows), min(seen) - span / 4), min(max(highs), max(seen) + span / 4)
    return low - 0.04 * span, high + 0.04 * span


def _draw_row(axes: "Axes", row: Row, place: int, limits: tuple[float, float]) -> None:
    """The seeds, faint; the interval, with an arrow where it leaves the picture; the mean."""
    colour = row.identity.colour
    axes.plot(row.differences, [place] * len(row.differences), "|", color=colour, markersize=13, alpha=0.3, zorder=2)
    if row.low is not None and row.high is not None:
        shown = [max(row.low, limits[0]), min(row.high, limits[1])]
        axes.plot(shown, [place, place], color=colour, linewidth=2.6, zorder=3, solid_capstyle="butt")
        for end, inside, marker in ((row.low, shown[0], "<"), (row.high, shown[1], ">")):
            if end != inside:
                axes.plot(inside, place, marker, color=colour, markersize=8, clip_on=False, zorder=4)
    shape = "s" if row.role == "primary" else "o"
    axes.plot(row.mean, place, shape, color=colour, markersize=9, markeredgecolor="white", zorder=5)


def _number(row: Row) -> str:
    span = "" if row.low is None or row.high is None else f" [{row.low:+.2f}, {row.high:+.2f}]"
    return f"{row.mean:+.2f}{span}  {row.ruling}"


def _weight(row: Row) -> str:
    return "bold" if row.role == "primary" else "normal"
