"""A report as one HTML file: its page, and below it the details; pictures are inside, and no request leaves it."""

from base64 import b64encode
from html import escape
from pathlib import Path

from markdown_it import MarkdownIt

from gsm_cli.files import read_bounded, write_atomic
from gsm_cli.reports.page import Report
from gsm_cli.reports.png import MOST

DOCUMENT = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; --text: #1c1e21; --ground: #fff; --line: #d5d9de; --soft: #f3f5f7; --link: #0b5cad }}
@media (prefers-color-scheme: dark) {{
  :root {{ --text: #dfe2e6; --ground: #16181b; --line: #3a3f45; --soft: #212429; --link: #7db8f5 }}
  img {{ filter: brightness(.88) }}
}}
body {{ margin: 0 auto; padding: 1rem; max-width: 72rem; font: 1rem/1.55 system-ui, sans-serif;
  color: var(--text); background: var(--ground); overflow-wrap: break-word }}
h1, h2, h3 {{ line-height: 1.25; margin: 2rem 0 .75rem; text-wrap: balance }}
h1 {{ font-size: 1.6rem; margin-top: .5rem }}
h2 {{ font-size: 1.25rem }}
h3 {{ font-size: 1.05rem }}
p, li, blockquote {{ max-width: 44rem }}
a {{ color: var(--link) }}
p:has(img) {{ max-width: none; overflow-x: auto }}
img {{ display: block; max-width: min(100%, 50rem); height: auto; background: #fff; border-radius: .4rem }}
blockquote {{ margin: 1rem 0; padding: .1rem 1rem; border-left: .25rem solid var(--line) }}
code, pre {{ font-family: ui-monospace, monospace; font-size: .875em; background: var(--soft); border-radius: .25rem }}
code {{ padding: .1em .25em }}
pre {{ padding: .75rem; overflow-x: auto }}
pre code {{ padding: 0; font-size: 1em }}
.table {{ overflow-x: auto; margin: 1rem 0; background:
  linear-gradient(to right, var(--ground) 30%, transparent) left / 2.5rem 100%,
  linear-gradient(to left, var(--ground) 30%, transparent) right / 2.5rem 100%,
  linear-gradient(to left, var(--line), transparent) right / 1rem 100%, var(--ground);
  background-repeat: no-repeat; background-attachment: local, local, scroll }}
table {{ border-spacing: 0; font-size: .875rem; line-height: 1.5; font-variant-numeric: tabular-nums }}
th, td {{ padding: .375rem .7rem; border-bottom: 1px solid var(--line); white-space: nowrap }}
th:first-child, td:first-child {{ position: sticky; left: 0; padding-left: 0; text-align: left;
  background: var(--ground); white-space: normal; min-width: 7rem; max-width: 14rem }}
th {{ vertical-align: bottom }}
img:not(.answer) {{ min-width: 36rem }}
#details {{ margin-top: 3rem; padding-top: 2rem; border-top: 2px solid var(--line) }}
</style>
</head>
<body>
<main id="answer">
{page}<section id="details">
{details}</section>
</main>
</body>
</html>
"""
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
    whole = DOCUMENT.format(title=escape(report.title), page=page, details=more)
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
