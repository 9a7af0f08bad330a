"""A report for other places: as one HTML file, from which no request leaves, and the table of its page in LaTeX."""

import re
from base64 import b64encode
from collections.abc import Iterator
from html import escape
from importlib.resources import files
from pathlib import Path
from string import Template

from markdown_it import MarkdownIt

from gsm_cli.files import read_bounded, write_atomic
from gsm_cli.reports.folder import MOST
from gsm_cli.reports.page import Report

DOCUMENT = Template(files("gsm_cli.reports").joinpath("page.html").read_text("utf-8"))
TABLE = '<div class="table" role="region" aria-label="Table" tabindex="0">\n<table>\n'
MARKDOWN = MarkdownIt("js-default")  # in which HTML is text
MARKDOWN.add_render_rule("table_open", lambda *_: TABLE)
MARKDOWN.add_render_rule("table_close", lambda *_: "</table>\n</div>\n")
START = "% Made by gsm report --latex; the document needs \\usepackage{booktabs}.\n"
SPECIAL = {each: f"\\{each}" for each in "&%$#_{}"} | {each: f"${each}$" for each in "<>|"}
SPECIAL |= {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "×": r"$\times$"}
SPECIAL |= {"–": r"\textendash{}", "`": r"\textasciigrave{}", "'": r"\textquotesingle{}", "≤": r"$\leq$"}


def write_html(report: Report) -> list[Path]:
    """Write a report, whose pictures are on disk, as one file beside its text; its path."""
    folder = report.folder
    places = {folder.link(folder.text): "#answer", folder.link(folder.details): "#details"}
    for path in (folder.picture(picture.name) for picture in report.pictures):
        places[folder.link(path)] = f"data:image/png;base64,{b64encode(read_bounded(path, MOST)).decode()}"
    details = report.details_text.replace(f"# {report.title}", "# Details", 1)
    page, more = (_html(text, places) for text in (report.text, details))
    whole = DOCUMENT.substitute(title=escape(report.title), page=page, details=more)
    write_atomic(path := folder.path / "report.html", whole.encode())
    return [path]


def _html(text: str, places: dict[str, str]) -> str:
    """Markdown as HTML; `places` are where the pictures and texts of the report are in the file."""
    tokens = MARKDOWN.parse(text)
    for token in (child for block in tokens for child in block.children or ()):
        if token.type == "image":  # another one would be a request
            token.attrs |= {"src": places.get(link := str(token.attrs["src"]), ""), "class": Path(link).stem}
        if token.type == "link_open":
            token.attrs["href"] = places.get(str(token.attrs["href"]), token.attrs["href"])
    return str(MARKDOWN.renderer.render(tokens, MARKDOWN.options, {}))


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
    for token in MARKDOWN.parse(text):
        if token.type == "table_close":
            return
        if token.type == "tr_open":
            row = []
        elif token.type == "tr_close":
            yield row
        elif token.type == "inline":
            row.append("".join(child.content for child in token.children or ()))
