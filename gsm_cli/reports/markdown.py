"""Numbers and tables as Markdown."""

import re
from collections.abc import Callable, Sequence

from gsm_cli.analysis.statistics import Summary
from gsm_cli.errors import printable
from gsm_cli.words import percent

NOTHING = "–"  # in a cell


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose first column is text and whose others are numbers."""
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def plain(text: str) -> str:
    """A text that others wrote, in one line, so that nothing in it is Markdown or HTML."""
    marked = re.sub(r"[\\`*_\[\]|#~$]|:(?=//)|(?<=www)\.", r"\\\g<0>", printable(text))
    return marked.replace("&", "&amp;").replace("<", "&lt;")


def without_empty(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[list[str], list[list[str]]]:
    """A table without the columns that are empty."""
    places = [place for place in range(len(headings)) if {row[place] for row in rows} != {NOTHING}]
    return [headings[place] for place in places], [[row[place] for place in places] for row in rows]


def console(commands: Sequence[str]) -> str:
    """Commands as a reader types them."""
    return "```console\n" + "\n".join(f"$ {printable(command)}" for command in commands) + "\n```"


def numbered(name: str, number: int) -> str:
    """The name of the picture that belongs to the group of that number; the first bears none."""
    return f"{name}-{number}" if number > 1 else name


def interval(summary: Summary, form: Callable[[float], str] = percent) -> str:
    """Mean, and the 95 % interval if there is one."""
    if summary.low is None or summary.high is None:
        return form(summary.mean)
    return f"{form(summary.mean)} [{form(summary.low)}, {form(summary.high)}]"
