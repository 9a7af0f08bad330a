"""Numbers and tables as Markdown."""

import re
from collections.abc import Callable, Mapping, Sequence

from gsm_cli.analysis.statistics import Comparison, Side, Summary, fewest_seeds
from gsm_cli.errors import printable
from gsm_cli.words import percent, points

NOTHING = "–"  # in a cell
MOST_VALUES = 7  # columns of a table


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose first column is text and whose others are numbers."""
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def plain(text: str) -> str:
    """A text that others wrote, in one line, so that nothing in it is Markdown or HTML."""
    marked = re.sub(r"[\\`*_\[\]|#~$]|:(?=//)|(?<=www)\.", r"\\\g<0>", printable(text))
    return marked.replace("&", "&amp;").replace("<", "&lt;")


def filled(rows: Sequence[Mapping[str, str]]) -> list[str]:
    """The columns of rows that name their cells, without those that are empty."""
    names = dict.fromkeys(name for row in rows for name in row)
    return [name for name in names if any(row.get(name, NOTHING) != NOTHING for row in rows)]


def columns(rows: Sequence[Mapping[str, str]]) -> str:
    """A table of these columns."""
    kept = filled(rows)
    return table(kept, [[row.get(name, NOTHING) for name in kept] for row in rows])


def console(commands: Sequence[str]) -> str:
    """Commands as a reader types them."""
    return "```console\n" + "\n".join(f"$ {printable(command)}" for command in commands) + "\n```"


def numbered(name: str, number: int) -> str:
    """The name of the picture that belongs to the group of that number; the first bears none."""
    return f"{name}-{number}" if number > 1 else name


def interval(summary: Summary | None, form: Callable[[float], str] = percent) -> str:
    """Mean, and the 95 % interval if there is one."""
    if summary is None:
        return NOTHING
    if summary.low is None or summary.high is None:
        return form(summary.mean)
    return f"{form(summary.mean)} [{form(summary.low)}, {form(summary.high)}]"


def held(difference: Summary, side: Side) -> str:
    """A difference in points, and whether it is worse or better if interval and test say so."""
    return interval(difference, points) + ("" if side == "open" else f", {side}")


def values_table(name: str, values: Sequence[str], rows: Mapping[str, Mapping[str, str]]) -> str:
    """A row for each objective by its label, a column for each value of a setting."""
    cells = [[label, *(row.get(value, NOTHING) for value in values)] for label, row in rows.items()]
    return table(["objective", *(f"{name} {value}" for value in values)], cells)


def too_few(rows: Sequence[Sequence[Comparison]]) -> str:
    """That some values have fewer seeds than the tests of a row need together; empty where none has."""
    fewest, needed = min(len(test.seeds) for row in rows for test in row), fewest_seeds(max(map(len, rows)))
    short = f"Exploratory: the tests of a row need {needed} seeds, and some values have {fewest}."
    return short if fewest < needed else ""
