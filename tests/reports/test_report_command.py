"""`gsm report`: with a margin, as JSON, and as a check of both."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from records_of import SIX, batch

from gsm_cli.errors import shown
from gsm_cli.records.layout import ReportFolder


@pytest.fixture
def digits(folder) -> ReportFolder:
    found = ReportFolder(folder / "reports" / "digits-100")
    for each in batch(SIX):
        each.save(found.record(each.config.name))
    return found


def test_the_default_margin_is_checked_against_itself(gsm, digits):
    assert gsm("report").exit_code == 0
    assert gsm("report", "--check").exit_code == 0
    other = gsm("report", "--check", "--margin", "0.5")
    assert other.exit_code == 1
    assert "whether one Gumbel-Softmax sample loses more than 0.5 points" in other.stdout
    assert "loses less than 1 point" in digits.text.read_text("utf-8")


def test_a_named_margin_is_rebuilt_and_checked(gsm, digits):
    assert gsm("report", "--margin", "0.5").exit_code == 0
    assert "named for this report" in digits.details.read_text("utf-8")
    assert gsm("report", "--check", "--margin", "0.50").exit_code == 0
    assert gsm("report", "--check").exit_code == 1


def test_a_margin_in_report_toml_stays_and_an_option_goes_before_it(gsm, digits):
    digits.question.write_text('kind = "comparison"\nmargin = 0.5\n')
    assert gsm("report").exit_code == 0
    assert "whether one Gumbel-Softmax sample loses more than 0.5 points" in digits.text.read_text("utf-8")
    assert gsm("report", "--check").exit_code == 0
    assert "loses less than 1 point" in gsm("report", "--check", "--margin", "1").stdout


def test_damage_is_named_with_the_folder_that_it_is_in(gsm, digits, folder):
    other = ReportFolder(folder / "reports" / "digits-200")
    for each in batch(SIX):
        each.save(other.record(each.config.name))
    for each in (digits, other):
        each.record("damaged").write_text("{}")
    result = gsm("report")
    assert result.exit_code == 3
    for name in ("digits-100", "digits-200"):
        assert f"in reports/{name}: records/damaged.json must be" in result.stderr


@pytest.mark.parametrize("margin", ["0", "-1", "100", "nan", "inf", "much"])
def test_a_margin_is_a_number_of_points(gsm, digits, margin):
    result = gsm("report", "--margin", margin)
    assert result.exit_code == 2
    assert f"--margin must be above 0 and below 100 points, not {shown(margin)}: write" in result.stderr
    assert not digits.text.exists()


def test_json_has_the_answer_and_its_numbers(gsm, digits):
    result = gsm("report", "--json")
    (report,) = json.loads(result.stdout)["results"]["reports"]
    assert report["path"] == "reports/digits-100/report.md"
    assert report["answer"].startswith("Yes: one Gumbel-Softmax sample loses")
    (group,) = report["facts"]["groups"]
    assert (group["margin"]["value"], [each["label"] for each in group["series"]]) == (0.01, list(SIX))
    gumbel = group["differences"][0]
    assert (gumbel["series"]["label"], gumbel["ruling"]) == ("gumbel", "no worse")
    assert gumbel["comparison"]["summary"]["low"] == pytest.approx(-0.00629, abs=1e-5)
    assert digits.text.exists()


def damage(folder: Path) -> Path:
    """A report's folder in which nothing is whole."""
    path = folder / "reports" / "digits-200" / "records" / "gumbel-07e74f12-0.json"
    path.parent.mkdir(parents=True)
    path.write_text("{")
    return path


def test_a_folder_without_a_whole_record_costs_itself_alone(gsm, folder, digits):
    path = damage(folder)
    result = gsm("report")
    assert result.exit_code == 3
    assert result.stdout == f"{digits.text.relative_to(folder)}\n"
    _, line = result.stderr.splitlines()
    assert line.startswith("gsm: reports/digits-200 has no readable record: ")
    assert line.count(path.name) == 1
    checked = gsm("report", "--check")
    assert checked.exit_code == 1
    assert checked.stdout.startswith("reports/digits-200 has no readable record: ")


def test_every_damaged_record_is_named_once_with_the_code_of_damage(gsm, digits):
    names = [f"gumbel-0000000{number}-0.json" for number in range(3)]
    for name in names:
        (digits.path / "records" / name).write_text("{")
    result = gsm("report")
    assert (result.exit_code, result.stdout) == (3, "reports/digits-100/report.md\n")
    assert all(result.stderr.count(name) == 1 for name in names)
    assert all(digits.text.read_text("utf-8").count(name) == 1 for name in names)


def test_what_a_damaged_record_says_is_neither_markdown_nor_obeyed(gsm, digits):
    """Of a field that there is none of, the name reaches the sentence."""
    path = next((digits.path / "records").glob("gumbel-*-0.json"))
    path.write_text(path.read_text().replace('"split"', r'"<script>|`*_\u001b[31m"'))
    result = gsm("report")
    assert result.exit_code == 3
    assert "\x1b" not in result.stderr
    text = digits.text.read_text("utf-8")
    assert "\x1b" not in text
    assert r"&lt;script>\|\`\*\_\\x1b\[31m" in text


def test_a_folder_that_cannot_be_read(gsm, digits, monkeypatch):
    listed = Path.iterdir

    def refuse(path: Path) -> Iterator[Path]:
        if path.parts[-2:] == ("digits-100", "records"):
            raise PermissionError(13, "Permission denied", str(path))
        return listed(path)

    monkeypatch.setattr(Path, "iterdir", refuse)
    result = gsm("report")
    assert result.exit_code == 3
    assert result.stderr.endswith(
        "gsm: reports/digits-100/records cannot be read (Permission denied): make it readable, or name another\n"
    )


def test_a_report_without_records_is_believed_by_nobody(gsm, digits):
    assert gsm("report").exit_code == 0
    other = digits.path.parent / "mnist-100"
    other.mkdir()
    (other / "report.md").write_text("**Gumbel is better than the sum.**")
    result = gsm("report", "--check")
    assert result.exit_code == 1
    assert "reports/mnist-100/report.md has no records: restore them, or remove it" in result.stdout
    assert gsm("report", "--check", "reports/digits-100").exit_code == 0


def test_json_and_check_exclude_each_other(gsm, digits):
    assert gsm("report", "--json", "--check").exit_code == 2
