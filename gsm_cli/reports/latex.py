"""The table of a report's page in LaTeX, for a paper."""

import re
from collections.abc import Iterator
from pathlib import Path

from markdown_it import MarkdownIt

from gsm_cli.files import write_atomic
from gsm_cli.reports.page import Report

START = "% Made by gsm report --latex; the document needs \\usepackage{booktabs}.\n"
SPECIAL = {each: f"\\{each}" for each in "&%$#_{}"} | {each: f"${each}$" for each in "<>|"}
SPECIAL |= {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "×": r"$\times$"}
SPECIAL |= {"–": r"\textendash{}", "`": r"\textasciigrave{}", "'": r"\textquotesingle{}", "≤": r"$\leq$"}


def write_latex(report: Report) -> list[Path]:
    """Write the table of a report's page beside its text; its path, or none of a page without a table."""
    rows = list(_rows(report.text))
    if not rows:
        return []
    head, *body = (" & ".join(map(escaped, row)) + r" \\" for row in rows)
    start = [f"\\begin{{tabular}}{{l{'r' * (len(rows[0]) - 1)}}}", r"\toprule", head, r"\midrule"]
    text = "\n".join([*start, *body, r"\bottomrule", r"\end{tabular}"])
    write_atomic(path := report.folder.path / "results.tex", f"{START}{text}\n".encode())
    return [path]


def escaped(text: str) -> str:
    """A text that LaTeX prints as it is; before a number a hyphen is a minus."""
    found = re.sub(r"(?<![\w-])-(?=\d)", "$-$", "".join(SPECIAL.get(letter, letter) for letter in text))
    return re.sub(r"-(?=-)|^(?=[\[*])", r"\g<0>{}", found)  # neither a dash, nor an option of the line before


def _rows(text: str) -> Iterator[list[str]]:
    """The cells of the first table of a text in Markdown, as they are read."""
    row: list[str] = []
    for token in MarkdownIt("js-default").parse(text):
        if token.type == "table_close":
            return
        if token.type == "tr_open":
            row = []
        elif token.type == "tr_close":
            yield row
        elif token.type == "inline":
            row.append("".join(child.content for child in token.children or ()))
