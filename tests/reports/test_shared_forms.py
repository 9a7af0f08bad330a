"""`gsm report --html` and `--latex`: one file that asks for nothing, and a table that LaTeX takes."""

import re
import shutil
import subprocess
from base64 import b64decode
from html.parser import HTMLParser
from pathlib import Path

import pytest
from msgspec.structs import replace
from records_of import SIX, batch, record

from gsm_cli.estimator_settings import OwnSettings
from gsm_cli.records.layout import ReportFolder
from gsm_cli.reports.exports import escaped

HOSTILE = "<img src=x onerror=alert(1)>[a](javascript:alert(2))</title><script>alert(3)</script>"
VALUE = "[a](javascript&colon;alert(4))![b](b.png)"  # of a setting; records refuse < and >
KNOWN = {"html", "head", "meta", "title", "style", "body", "main", "section", "div", "h1", "h2", "h3", "p", "a", "img"}
KNOWN |= {"strong", "em", "code", "pre", "ul", "li", "blockquote", "table", "thead", "tbody", "tr", "th", "td", "br"}


class Reader(HTMLParser):
    """Every tag with its attributes, and the text that is seen."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.text = ""
        self.feed(path.read_text("utf-8"))

    def handle_starttag(self, tag, attributes) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, data) -> None:
        self.text += data

    def every(self, name: str) -> list[str]:
        return [attributes[name] for _, attributes in self.tags if name in attributes]


@pytest.fixture
def digits(folder) -> ReportFolder:
    found = ReportFolder(folder / "reports" / "digits-100")
    for each in batch(SIX):
        each.save(found.record(each.config.name))
    return found


def test_html_is_one_file_with_every_picture_and_links_that_work(gsm, digits):
    result = gsm("report", "--html", "--quiet")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.splitlines() == ["reports/digits-100/report.md", "reports/digits-100/report.html"]
    page = Reader(digits.path / "report.html")
    assert {tag for tag, _ in page.tags} <= KNOWN
    pictures = [b64decode(source.removeprefix("data:image/png;base64,")) for source in page.every("src")]
    assert sorted(pictures) == sorted(path.read_bytes() for path in digits.pictures)
    links, places = page.every("href"), page.every("id")
    assert {"#answer", "#details", "records"} <= set(links)
    assert all(link[1:] in places if link[0] == "#" else (digits.path / link).exists() for link in links)
    assert "default-src 'none'; img-src data:" in " ".join(page.every("content"))
    assert "url(" not in (digits.path / "report.html").read_text("utf-8")
    assert page.text.count("Keep in mind") == 1
    cells = {
        cell
        for line in digits.text.read_text("utf-8").splitlines()
        if line[:2] == "| "
        for cell in line[2:-2].split(" | ")
    }
    assert all(cell in page.text for cell in cells if "---" not in cell)


def test_they_are_no_part_of_a_check(gsm, digits):
    assert gsm("report", "--html", "--latex").exit_code == 0
    before = [(digits.path / name).read_bytes() for name in ("report.html", "results.tex")]
    assert gsm("report", "--check").exit_code == 0
    assert gsm("report", "--html", "--latex").exit_code == 0
    assert [(digits.path / name).read_bytes() for name in ("report.html", "results.tex")] == before


@pytest.mark.parametrize("option", ["--html", "--latex"])
def test_they_do_not_go_with_a_check(gsm, digits, option):
    result = gsm("report", option, "--check")
    assert result.exit_code == 2
    assert f"{option} goes with reports that are written" in result.stderr


def test_hostile_words_are_shown_and_do_nothing(gsm, digits):
    """In the title, in a setting of a class of somebody's own and in a damaged record."""
    digits.question.write_text(f"kind = 'comparison'\nabout = '{HOSTILE}'\n")
    settings = OwnSettings(of="mine.py:Mine", sha256="a" * 64, values={"kind": VALUE})
    own = replace(record("gumbel", 0), config=replace(record("gumbel", 0).config, estimator=settings))
    own.save(digits.record(own.config.name))
    (digits.path / "records" / f"{HOSTILE.replace('/', '')}.json").write_text("{")
    gsm("report", "--html", "--latex")
    page = Reader(digits.path / "report.html")
    assert {tag for tag, _ in page.tags} <= KNOWN
    assert page.text.count("onerror=alert(1)") > 2
    assert not [name for _, attributes in page.tags for name in attributes if name.startswith("on")]
    assert not [link for link in page.every("href") if ":" in link]
    assert all(source.startswith("data:image/png;base64,") or source == "" for source in page.every("src"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("-1.15 [-1.80, +0.50]", "$-$1.15 [$-$1.80, +0.50]"),
        ("test % [95 %]", r"test \% [95 \%]"),
        ("[a] *", "{}[a] *"),
        ("straight-through, 1e-05, --x---", "straight-through, 1e-05, -{}-x-{}-{}-"),
        (r"a_b & \input{x} #$~^", r"a\_b \& \textbackslash{}input\{x\} \#\$\textasciitilde{}\textasciicircum{}"),
        ("<5 > | –", r"$<$5 $>$ $|$ \textendash{}"),
    ],
)
def test_what_is_special_in_latex_is_escaped(text, expected):
    assert escaped(text) == expected


def test_latex_has_the_table_of_the_page(gsm, digits):
    result = gsm("report", "--latex")
    assert result.stdout.splitlines()[1] == "reports/digits-100/results.tex"
    lines = (digits.path / "results.tex").read_text("utf-8").splitlines()
    rows = [line for line in digits.text.read_text("utf-8").splitlines() if line.startswith("| ")]
    columns = rows[0].count("|") - 1
    assert lines[1:3] == [rf"\begin{{tabular}}{{l{'r' * (columns - 1)}}}", r"\toprule"]
    assert lines[-2:] == [r"\bottomrule", r"\end{tabular}"]
    body = [line for line in lines if line.endswith(r" \\")]
    assert [line.split(" & ")[0] for line in body] == ["objective", *SIX]
    assert {len(re.split(r"(?<!\\)&", line)) for line in body} == {columns}


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="there is no pdflatex")
def test_latex_compiles(gsm, digits):
    gsm("report", "--latex")
    every = escaped("".join(map(chr, range(32, 127))) + "–×≤")
    text = r"\documentclass{article}\usepackage{booktabs}\begin{document}\input{results}" + every + r"\end{document}"
    (digits.path / "paper.tex").write_text(text, "utf-8")
    words = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    ended = subprocess.run(words, cwd=digits.path, capture_output=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stdout[-2000:]
