"""Numbers and tables as Markdown."""

from collections.abc import Callable, Sequence

from gsm_cli.reports.statistics import Spread


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table whose first column is text and whose others are numbers."""
    lines = [headings, ["---", *["---:"] * (len(headings) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def numbered(name: str, number: int) -> str:
    """The file of the picture that belongs to the group of that number; the first bears none."""
    return f"{name}{f'-{number}' if number > 1 else ''}.png"


def digits(value: float) -> str:
    """Three significant digits, from 1,000 on whole numbers."""
    return f"{value:,.0f}" if value >= 1000 else f"{value:.3g}"


def percent(value: float) -> str:
    return f"{100 * value:.2f}"


def interval(values: Spread, form: Callable[[float], str] = percent) -> str:
    """Mean, and the 95 % interval if there is one."""
    if values.low is None or values.high is None:
        return form(values.mean)
    return f"{form(values.mean)} [{form(values.low)}, {form(values.high)}]"


def points(value: float) -> str:
    """A difference of accuracies, in percentage points."""
    return f"{100 * value:+.2f}"
