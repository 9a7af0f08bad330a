"""`gsm report`: with a margin, as JSON, and as a check of both."""

import json

import pytest
from records_of import SIX, batch

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
    assert "less than 0.5 points" in other.stdout
    assert "less than 1 point," in digits.text.read_text("utf-8")


def test_a_named_margin_is_rebuilt_and_checked(gsm, digits):
    assert gsm("report", "--margin", "0.5").exit_code == 0
    assert "(named with `--margin`)" in digits.text.read_text("utf-8")
    assert gsm("report", "--check", "--margin", "0.50").exit_code == 0
    assert gsm("report", "--check").exit_code == 1


@pytest.mark.parametrize("margin", ["0", "-1", "100", "nan", "inf", "much"])
def test_a_margin_is_a_number_of_points(gsm, digits, margin):
    result = gsm("report", "--margin", margin)
    assert result.exit_code == 2
    assert f"--margin must be between 0 and 100 points, not {margin}" in result.stderr
    assert not digits.text.exists()


def test_json_has_the_answer_and_its_numbers(gsm, digits):
    result = gsm("report", "--json")
    (report,) = json.loads(result.stdout)["results"]["reports"]
    assert report["path"] == "reports/digits-100/report.md"
    assert report["answer"].startswith("One Gumbel-Softmax sample may replace")
    (group,) = report["groups"]
    assert (group["margin"], [each["name"] for each in group["series"]]) == (0.01, list(SIX))
    gumbel = group["differences"][0]
    assert (gumbel["name"], gumbel["minus"], gumbel["verdict"]) == ("gumbel", "marginalize", "no worse")
    assert gumbel["low"] == pytest.approx(-0.00629, abs=1e-5)
    assert digits.text.exists()


def test_json_and_check_exclude_each_other(gsm, digits):
    assert gsm("report", "--json", "--check").exit_code == 2
