"""Means and intervals against values: what a picture, its table and its description are made of."""

from collections.abc import Sequence
from functools import partial

from gsm_cli.reports.markdown import NOTHING, table
from gsm_cli.reports.panel_chart import COLUMNS, Panel, panel_chart
from gsm_cli.style import Picture


def panel_picture(name: str, title: str, panels: Sequence[Panel], columns: int = COLUMNS) -> Picture[object]:
    """The picture of these panels, so many in a row."""
    return Picture(name, title, describe(panels), list(panels), partial(panel_chart, panels, columns))


def describe(panels: Sequence[Panel]) -> str:
    """The panels for those who cannot see them: the ends of every line of the first one, and what the others show."""
    first, *others = panels
    ends = [
        f"{line.identity.label} "
        + " and ".join(
            first.write(point) + ("" if point.value is None else f" at {first.at(point.value)}")
            for point in dict.fromkeys((line.points[0], line.points[-1]))
        )
        for line in first.lines
    ]
    beside = f" Beside it: {'; '.join(panel.title for panel in others)}." if others else ""
    return f"{first.title.capitalize()} against {first.axis}. At the ends: {'; '.join(ends)}.{beside}"


def panel_table(panels: Sequence[Panel]) -> str:
    """A row for every line and value, a column for every panel."""
    rows: dict[tuple[str, float | None], dict[str, str]] = {}
    for panel in panels:
        for line in panel.lines:
            for point in line.points:
                cells = rows.setdefault((line.identity.label, point.value), {})
                cells |= {"seeds": str(point.seeds)} if point.seeds else {}
                cells[panel.title] = panel.write(point)
    every = ("seeds", *(panel.title for panel in panels))
    headings = [name for name in every if any(name in row for row in rows.values())]
    axis = panels[0].axis
    names = [label if value is None else f"{label}, {axis} {panels[0].at(value)}" for label, value in rows]
    shown = [[row.get(name, NOTHING) for name in headings] for row in rows.values()]
    return table(["runs", *headings], [[name, *row] for name, row in zip(names, shown, strict=True)])
