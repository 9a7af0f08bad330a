"""The page that asks whether the table of somebody else comes out."""

from collections.abc import Sequence
from dataclasses import replace

from gsm_cli.analysis.groups import Group
from gsm_cli.analysis.published import Beside, set_beside
from gsm_cli.analysis.series import Series
from gsm_cli.data.dataset import Table
from gsm_cli.objectives import MARGINALIZE
from gsm_cli.reports.dots import forest_picture
from gsm_cli.reports.markdown import NOTHING, columns, interval
from gsm_cli.reports.page import Page
from gsm_cli.reports.panels import Panel, Point, Points
from gsm_cli.style import Picture
from gsm_cli.words import listed, points, ratio

RULINGS = {"agrees": "agree{}", "higher": "lie{} higher here", "lower": "lie{} lower here", "undecided": "stay{} open"}


def table_page(title: str, group: Group, found: Table) -> Page:
    """Whether a table comes out: its rows, and the same objectives here."""
    name, _, _ = found.source.partition(" (")
    rows = {series: set_beside(series, found) for series in group.trained}
    legend = (
        "*test %*: after the last epoch, mean over seeds with Student's interval; *there*: "
        f"{found.source}, {found.trials} trials; *points*: here minus there, with Welch's interval; *here*: agrees "
        "where that holds zero and nothing beyond a point, undecided where it reaches farther; *speed-up*: the sum's "
        "seconds an epoch over these."
    )
    pictures = [_picture(rows, name)] if any(rows.values()) else []
    lacking = [row for row in found.rows if row not in {series.objective for series in rows}]
    alone = [f"Rows there without a run here: {listed(lacking)}."] * bool(lacking)
    return Page(
        f"{title}: does the table of {name} come out?",
        _answer([row for row in rows.values() if row]),
        [*pictures, columns([_row(group, *each) for each in rows.items()]), legend] if rows else [],
        caveats=[*alone, *found.caveats],
    )


def _answer(rows: Sequence[Beside]) -> str:
    """Which rows agree, and which do not."""
    named = {word: [row.series.label for row in rows if row.ruling == word] for word in RULINGS}
    told = [
        f"{listed(names)} {RULINGS[word].format('s' * (len(names) == 1))}" for word, names in named.items() if names
    ]
    if not told:
        return "Nothing is concluded: no objective of the table has two seeds."
    start = "Undecided" if len(named["undecided"]) == len(rows) else "No"
    start = ("Yes" if len(told) == 1 else "In part") if named["agrees"] else start
    return f"{start}: {listed(told)}."


def _row(group: Group, series: Series, row: Beside | None) -> dict[str, str]:
    marginal = group.find(MARGINALIZE)
    others = marginal if series is not marginal else None
    return {
        "objective": series.label,
        "seeds": series.counts,
        "test % [95 %]": interval(series.accuracy),
        "there % [95 %]": interval(row.theirs if row else None),
        "points [95 %]": interval(row.difference if row else None, points),
        "here": (row and row.ruling) or NOTHING,
        "speed-up [95 %]": interval(series.times_as_fast(others), ratio),
        "speed-up there": ratio(row.speed_up) if row and others else NOTHING,
    }


def _picture(rows: dict[Series, Beside | None], name: str) -> Picture[object]:
    """Every objective that both have, here and, hollow, there."""
    lines, hollow = [], []
    for series, row in rows.items():
        if row:
            there = replace(series.identity, settings=(*series.identity.settings, ("of", name)))
            hollow.append(Points(there, [Point.of(None, row.theirs)]))
            lines += [Points(series.identity, [Point.of(None, series.accuracy)]), hollow[-1]]
    return forest_picture("table", Panel("test accuracy, %", "objective", lines), hollow)
