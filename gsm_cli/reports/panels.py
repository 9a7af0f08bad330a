"""Means and intervals against values: what a picture, its table and its description are made of."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gsm_cli import commands
from gsm_cli.analysis.identity import Identity
from gsm_cli.analysis.statistics import Summary
from gsm_cli.reports.markdown import NOTHING, table
from gsm_cli.style import Picture
from gsm_cli.words import digits

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class Point:
    """A mean at a value, None for one that holds at every value, with its interval if there is one."""

    value: float | None
    mean: float
    low: float | None = None
    high: float | None = None
    seeds: int | None = None

    @classmethod
    def of(cls, value: float | None, found: Summary, seeds: int | None = None) -> "Point":
        """Of shares, in per cent or in points."""
        low, high = (None if end is None else 100 * end for end in (found.low, found.high))
        return cls(value, 100 * found.mean, low, high, seeds)


@dataclass(frozen=True)
class Points:
    """What one objective has at several values, from the first to the last."""

    identity: Identity
    points: Sequence[Point]

    @property
    def is_level(self) -> bool:
        return self.points[0].value is None

    @property
    def look(self) -> dict[str, Any]:
        return {"color": self.identity.colour, "marker": self.identity.marker}


@dataclass(frozen=True)
class Panel:
    """A quantity against a setting, with a line where it means something."""

    title: str
    axis: str
    lines: Sequence[Points]
    form: str = ".2f"  # of the numbers in words and tables; empty: three digits
    reference: float | None = None
    logarithmic: bool = False  # where its means spread widely
    continuous: bool = False  # whether each line has values of its own

    def write(self, point: Point) -> str:
        """A mean with its interval."""
        mean, *ends = (None if each is None else self._number(each) for each in (point.mean, point.low, point.high))
        return f"{mean} [{', '.join(filter(None, ends))}]" if all(ends) else f"{mean}"

    def at(self, value: float) -> str:
        """A value of the axis."""
        return digits(value) if self.continuous else commands.write(value)

    def _number(self, value: float) -> str:
        return f"{value:{self.form}}" if self.form else digits(value)


def panel_picture(name: str, title: str, panels: Sequence[Panel]) -> Picture[object]:
    """The picture of these panels."""

    def draw() -> "Figure":
        from gsm_cli.reports.panel_chart import panel_chart

        return panel_chart(panels)

    return Picture(name, title, describe(panels), list(panels), draw)


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
