"""A report as one HTML file: its page, and below it the details; pictures are inside, and no request leaves it."""

from base64 import b64encode
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
