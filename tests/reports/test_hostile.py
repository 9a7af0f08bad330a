"""One record whose texts would be obeyed, through every exit: nothing of it is live, and every exit shows it."""

import csv
import json
import re
from collections.abc import Iterator

import msgspec
import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token
from msgspec.structs import replace
from PIL import Image
from records_of import record
from typer.testing import CliRunner

from gsm_cli.cli.app import app
from gsm_cli.errors import DataError, UsageError, inert, printable
from gsm_cli.estimator_settings import OwnSettings
from gsm_cli.extensions import find_objective
from gsm_cli.records.cost import CostPlan
from gsm_cli.records.gradients import GradientPlan
from gsm_cli.records.layout import ReportFolder
from gsm_cli.records.run import RunRecord, read_run
from gsm_cli.settings import build

LIVE = "=x *b* __u__ [l](https://e.org/p.png) ![i](//e.org) | $a_b$ ~~s~~ &lt; #1 @me www.e.org \\e {0}%^\u200b\u202e"
TEXT = LIVE.replace("\u202e", "")  # a bidirectional one no record may have
SHOWN = inert(TEXT)
SETTINGS = {"kind": TEXT, "tau": 0.5, "tau_min": 0.0, "tau_rate": 0.0, "tau_by_epoch": False, "entropy_weight": 1.0}


def hostile(seed: int, kind: str) -> RunRecord:
    """A run of somebody's own estimator and images, all of whose free texts are hostile."""
    usual = record("gumbel", seed)
    own = OwnSettings(of="mine.py:__Mine__", sha256="a" * 64, values=SETTINGS | {"kind": kind})
    machine = replace(usual.environment, system=TEXT, kernels=TEXT, python=TEXT, torch=TEXT, numpy=TEXT)
    config = replace(usual.config, estimator=own, dataset=f"{TEXT.replace('/', '')}.npz", dataset_sha256="b" * 64)
    return replace(usual, config=config, environment=machine, version=TEXT)


@pytest.fixture
def folder(tmp_path, monkeypatch) -> ReportFolder:
    monkeypatch.chdir(tmp_path)
    found = ReportFolder(tmp_path / "reports" / "hostile")
    for seed in range(2):
        first = hostile(seed, TEXT)
        other = replace(first, config=replace(first.config, estimator=record("marginalize", seed).config.estimator))
        for each in (first, hostile(seed, f"2{TEXT}"), other):
            each.save(found.record(each.config.name))
    found.question.write_text(f"kind = 'settings'\nabout = {json.dumps(TEXT)}\n", "utf-8")
    return found


def gsm(*words: object):
    return CliRunner().invoke(app, [str(word) for word in words], prog_name="gsm")


def inline(text: str) -> Iterator[Token]:
    for block in MarkdownIt("gfm-like", {"html": True, "linkify": False}).enable("strikethrough").parse(text):
        yield block
        yield from block.children or ()


def problems(text: str, ours: set[str]) -> list[str]:
    """What is live in a Markdown text besides links to the files of its own folder, and emphasis of our own words."""
    found = re.findall(r"\S+://\S+|www\.\w+|(?<!\\)\$\w+", re.sub("```.*?```|`.*?`", "", text, flags=re.DOTALL))
    for token in inline(text):
        target = str(token.attrs.get("href") or token.attrs.get("src") or "")
        if target and target not in ours:
            found.append(f"{token.type} {target}")
        if token.type.startswith(("html", "s_open")):
            found.append(token.content)
    return found


class TestEveryExit:
    def test_markdown_html_and_latex(self, folder):
        result = gsm("report", folder.path, "--html", "--latex", "--csv")
        assert result.exit_code == 0, result.output
        pages = [folder.text.read_text("utf-8"), folder.details.read_text("utf-8")]
        files = {path.name for path in folder.path.iterdir()} | {"records"}
        for page in pages:
            assert SHOWN in page
            assert problems(page, files) == []
            assert page.replace("\n", "").isprintable()
        heading = next(token for token in inline(pages[0]) if token.type == "inline")
        assert [each.type for each in heading.children] == ["text"]
        html = (folder.path / "report.html").read_text("utf-8")
        assert "<script" not in html
        assert re.findall(r'(?:href|src)="(?!#|data:|[\w./-]+")', html) == []
        assert "<em>b</em>" not in html
        latex = (folder.path / "results.tex").read_text("utf-8")
        latex = re.sub(r"\$[-<>|]\$|\\[%&#_$]| & ", "", latex.partition("\n")[2])
        assert not re.search(r"[%#&_$^~]", latex), latex

    def test_the_index(self, folder):
        for seed in range(2):
            each = record("gumbel", seed)
            each.save(ReportFolder(folder.path.parent / "digits-100").record(each.config.name))
        assert gsm("report", folder.path.parent).exit_code == 0
        text = (folder.path.parent / "README.md").read_text("utf-8")
        assert problems(text, {"digits-100/report.md", "hostile/report.md"}) == []
        assert sum(token.type == "link_open" for token in inline(text)) == 2

    def test_csv_has_no_formula(self, folder):
        assert gsm("report", folder.path, "--csv").exit_code == 0
        for name in ("runs", "epochs"):
            rows = list(csv.reader(folder.table(name).read_text("utf-8").splitlines()))
            assert all(len(row) == len(rows[0]) for row in rows)
            texts = {cell for row in rows for cell in row}
            numbers = re.compile(r"-?[\d.]+(e-?\d+)?")
            assert not [cell for cell in texts if cell[:1] in "=+-@\t\r" and cell and not numbers.fullmatch(cell)]
        assert f"'{TEXT}" in folder.table("runs").read_text("utf-8")

    def test_pictures_carry_and_draw_it(self, folder):
        assert gsm("report", folder.path).exit_code == 0
        for path in folder.pictures:
            texts = Image.open(path).text
            assert all(text.isprintable() and "$" not in text for text in texts.values())
            assert SHOWN in texts["Title"]
            assert json.loads(texts["Comment"])

    def test_the_terminal(self, folder):
        """Commands on stdout and stderr, and the sentence of a record that is refused."""
        other = folder.path.parent / "other"
        for path in folder.records:
            (other / "records").mkdir(parents=True, exist_ok=True)
            (other / "records" / path.name).write_bytes(path.read_bytes())
        damaged = json.loads(folder.records[0].read_text("utf-8"))
        damaged["config"]["estimator"]["of"] = f"m.py:{TEXT}\x1b[31m"
        folder.record("damaged").write_text(json.dumps(damaged))
        for words in (["report", folder.path], ["report", folder.path, "--json"], ["report", folder.path, "--check"]):
            result = gsm(*words)
            assert result.output.replace("\n", "").isprintable(), result.output
        result = gsm("compare", folder.path, other)
        assert result.output.replace("\n", "").isprintable(), result.output

    def test_a_refused_record_is_named_on_the_page(self, folder):
        path = folder.record("damaged")
        path.write_text(json.dumps({"schema": 4, "kind": "run", TEXT: f"\x1b[31m{LIVE}"}))
        assert gsm("report", folder.path).exit_code == 3
        files = {each.name for each in folder.path.iterdir()} | {"records"}
        assert problems(folder.text.read_text("utf-8"), files) == []


@pytest.mark.parametrize("text", ["a\u200bb", "a\u202eb", "a\u2060", "\ufeffa", "a\u3164", "a\ufe0f", "a\U000e0041b"])
class TestInvisible:
    def test_is_refused_where_somebody_gives_it(self, tmp_path, monkeypatch, text):
        monkeypatch.chdir(tmp_path)
        (tmp_path / "mine.py").write_text(
            "class Mine:\n    def __init__(self, kind='a'): ...\n    def __call__(self, bound, logits, rng): ...\n"
        )
        for settings in ({"dataset": f"{text}.npz"}, {"objective": f"{text}.py:Mine"}):
            with pytest.raises(UsageError, match=r"seen|one line"):
                build(settings)
        with pytest.raises(UsageError, match=r"seen|one line"):
            build({"objective": "mine.py:Mine", "kind": text})
        result = gsm("sample", "--tau", 1, "--title", text)
        assert result.exit_code == 2
        assert result.stderr.replace("\n", "").isprintable()

    def test_is_written_out(self, text):
        assert printable(text) != text
        assert printable(text).isascii()


def test_what_nothing_obeys_stays_as_it_is():
    usual = "gumbel, tau 0.5 (kl_start 4; 85.1 % - x86_64, NVIDIA H100 80GB HBM3, 2.13.0+cpu)"
    assert inert(usual) == usual
    assert inert("\\*a*") == r"\x5c\x2aa\x2a"


@pytest.mark.parametrize("of", ["m.py:[x](y)", "m.py:*", "a|b.py:M", "m.py:M\\", "$a$.py:M"])
def test_the_name_of_an_estimator_is_refused(tmp_path, of):
    content = msgspec.json.encode(hostile(0, "a")).replace(b"mine.py:__Mine__", of.replace("\\", "\\\\").encode())
    (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(DataError, match="whole record"):
        read_run(tmp_path / "a.json")
    with pytest.raises(UsageError, match="objective must be one line without any of"):
        find_objective(of)


@pytest.mark.parametrize("plan", [CostPlan, GradientPlan])
def test_digests_are_hex(plan):
    for digest in ("a" * 63, "A" * 64, "g" * 64, "x"):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert({"sha256": {"m.py:M": digest}}, plan)
