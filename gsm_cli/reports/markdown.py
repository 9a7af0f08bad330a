"""Numbers and tables as Markdown."""

from collections.abc import Callable, Sequence

from gsm_cli.reports.statistics import Summary


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose first column is text and whose others are numbers."""
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def console(commands: Sequence[str]) -> str:
    """Commands as a reader types them."""
    return "```console\n" + "\n".join(f"$ {command}" for command in commands) + "\n```"


def listed(words: Sequence[str]) -> str:
    """Words in a sentence: a, b and c."""
    return " and ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)


def numbered(name: str, number: int) -> str:
    """The name of the picture that belongs to the group of that number; the first bears none."""
    return f"{name}-{number}" if number > 1 else name


def digits(value: float) -> str:
    """Three significant digits, from 1,000 on whole numbers."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def percent(value: float) -> str:
    return f"{100 * value:.2f}"


def interval(summary: Summary, form: Callable[[float], str] = percent) -> str:
    """Mean, and the 95 % interval if there is one."""
    if summary.low is None or summary.high is None:
        return form(summary.mean)
    return f"{form(summary.mean)} [{form(summary.low)}, {form(summary.high)}]"


def points(value: float) -> str:
    """A difference of accuracies, in percentage points."""
    return f"{100 * value:+.2f}"
