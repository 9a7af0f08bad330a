"""The committed reports: one page each that answers in a minute, details beside it, and the index of all."""

import re

import pytest
from tree import ROOT

PAGES = sorted(ROOT.glob("reports/*/report.md"))
WORDS, BEFORE, ANSWER, DETAILS = 700, 60, 25, 2_500
COLUMNS, BULLETS = 8, 4


def of(path):
    return path.parent.name


def words(text: str) -> int:
    """As `wc -w` counts them."""
    return len(text.split())


def test_there_are_reports():
    assert len(PAGES) > 10


@pytest.mark.parametrize("path", PAGES, ids=of)
class TestPage:
    def test_is_short(self, path):
        assert words(path.read_text("utf-8")) <= WORDS
        assert words((path.parent / "details.md").read_text("utf-8")) <= DETAILS

    def test_answers_in_one_sentence_before_its_one_picture(self, path):
        text = path.read_text("utf-8")
        before, picture, _ = re.split(r"^(!\[.*\]\(.*\.png\))$", text, flags=re.MULTILINE)
        assert words(before) <= BEFORE
        question, answer = before.split("\n\n")[:2]
        assert question.startswith("# ")
        assert question.endswith("?")
        sentence = re.fullmatch(r"\*\*(.+)\.\*\*", answer)[1]
        assert words(sentence) <= ANSWER
        assert ". " not in sentence
        assert (path.parent / re.search(r"\]\(([\w-]+\.png)\)$", picture)[1]).is_file()

    def test_has_one_table_and_few_bullets(self, path):
        text = path.read_text("utf-8")
        (ruler,) = re.findall(r"^\| --- .*$", text, re.MULTILINE)
        assert ruler.count("---") <= COLUMNS
        assert len(re.findall(r"^\* ", text.partition("## Keep in mind")[2], re.MULTILINE)) <= BULLETS

    def test_its_links_lead_somewhere(self, path):
        for name in (path, path.parent / "details.md"):
            links = re.findall(r"\]\(([^)#:]+)\)", name.read_text("utf-8"))
            assert links
            assert not [link for link in links if not (path.parent / link).exists()]

    def test_every_picture_is_shown(self, path):
        shown = "".join(name.read_text("utf-8") for name in (path, path.parent / "details.md"))
        assert not [picture.name for picture in path.parent.glob("*.png") if f"({picture.name})" not in shown]

    def test_is_in_the_index(self, path):
        text = path.read_text("utf-8")
        question, answer = text[2:].split("\n\n")[:2]
        row = f"| [{question}]({path.parent.name}/report.md) | {answer.strip('*')} |"
        assert row in (ROOT / "reports/README.md").read_text("utf-8")
