"""Tables for the terminal, on stderr."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from gsm_cli.law.facts import ExpectationFacts
from gsm_cli.style import Picture

HEADINGS = ("class", "π", "mean", "s.e.", "exact", "z-score")
MOST_ROWS = 40
LARGEST = 20  # classes by E[z] that are named where there are more than that


def print_expectations(pictures: Sequence[Picture[ExpectationFacts]], names: Sequence[str]) -> None:
    """One table per temperature: pi, the mean of the draws, its standard error, E[z], and how far apart they are."""
    console = Console(stderr=True)
    for picture in pictures:
        table = Table(title=escape(picture.title), title_justify="left")
        for heading in HEADINGS:
            table.add_column(heading, justify="right")
        for row in _rows(picture.facts, names):
            table.add_row(*row)
        console.print(table)


def _rows(facts: ExpectationFacts, names: Sequence[str]) -> list[list[str]]:
    classes = range(len(facts.exact))
    by_size = sorted(classes, key=lambda k: -facts.exact[k])
    named = classes if len(classes) <= MOST_ROWS else by_size[:LARGEST]
    rows = []
    for k in named:
        numbers = (facts.probabilities[k], facts.mean[k], facts.standard_error[k], facts.exact[k])
        z = facts.z_score[k]
        name = escape(names[k]) if names else str(k + 1)
        rows.append([name, *(f"{number:.4f}" for number in numbers), "–" if z is None else f"{z:+.2f}"])
    return rows
