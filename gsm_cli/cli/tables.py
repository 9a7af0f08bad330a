"""Tables for the terminal, on stderr."""

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from gsm_cli.law.facts import ExpectationFacts
from gsm_cli.style import Picture

HEADINGS = ("class", "π", "mean", "s.e.", "exact", "z-score")


def print_expectations(pictures: Sequence[Picture[ExpectationFacts]]) -> None:
    """One table per temperature: pi, the mean of the draws, its standard error, E[z], and how far apart they are."""
    console = Console(stderr=True)
    for picture in pictures:
        facts = picture.facts
        table = Table(title=picture.title, title_justify="left")
        for heading in HEADINGS:
            table.add_column(heading, justify="right")
        columns = zip(facts.probabilities, facts.mean, facts.standard_error, facts.exact, strict=True)
        for k, (numbers, z) in enumerate(zip(columns, facts.z_score, strict=True), start=1):
            table.add_row(str(k), *(f"{number:.4f}" for number in numbers), "–" if z is None else f"{z:+.2f}")
        console.print(table)
