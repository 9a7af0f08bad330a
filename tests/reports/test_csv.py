"""`gsm report --csv`: the records as tables, with every run and every epoch, and nothing that a report would miss."""

import csv
import io

import pytest
from msgspec.structs import replace
from records_of import SIX, batch, record

from gsm_cli.estimator_settings import OwnSettings
from gsm_cli.records.layout import ReportFolder
from gsm_cli.records.run import Failure
from gsm_cli.reports.frames import encode, run_row


@pytest.fixture
def digits(folder) -> ReportFolder:
    found = ReportFolder(folder / "reports" / "digits-100")
    failed = replace(record("gumbel", 99), test=None, failure=Failure(step=7, reason="not finite, at all"))
    for each in (*batch(SIX), failed):
        each.save(found.record(each.config.name))
    return found


def table(path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_files_are_named_beside_the_report_and_are_no_part_of_its_check(gsm, digits):
    result = gsm("report", "--csv")
    assert result.exit_code == 0, result.stderr
    assert result.stdout.splitlines() == [
        f"reports/digits-100/{name}" for name in ("report.md", "runs.csv", "epochs.csv")
    ]
    assert gsm("report", "--check").exit_code == 0
    before = [digits.table(name).read_bytes() for name in ("runs", "epochs")]
    assert gsm("report", "--csv").exit_code == 0
    assert [digits.table(name).read_bytes() for name in ("runs", "epochs")] == before


def test_a_row_for_every_run_with_settings_and_results(gsm, digits):
    gsm("report", "--csv")
    rows = {row["run"]: row for row in table(digits.table("runs"))}
    assert len(rows) == len(digits.records)
    for each in batch(SIX):
        row = rows[each.config.name]
        assert (row["objective"], int(row["seed"])) == (each.config.objective, each.config.seed)
        assert float(row["chosen_test_accuracy"]) == each.test.chosen.accuracy
        assert (int(row["chosen_epoch"]), int(row["test_images"])) == (each.test.chosen.epoch, each.test.images)
        last = (float(row["last_test_accuracy"]), int(row["last_epoch"]))
        assert last == (each.test.last.accuracy, each.test.last.epoch) != (each.test.chosen.accuracy, 0)
        assert row["last_log_p"] == ("" if each.test.bound is None else "-25")
        assert float(row["seconds"]) == pytest.approx(sum(each.epochs.seconds))
        assert row["tau"] == ("0.5" if "tau" in each.config.own else "")
        assert row["hidden"] == ",".join(map(str, each.config.hidden))
    failed = next(row for row in rows.values() if row["seed"] == "99")
    assert (failed["failure"], failed["chosen_test_accuracy"]) == ("not finite, at all", "")


def test_a_row_for_every_epoch(gsm, digits):
    gsm("report", "--csv")
    rows = table(digits.table("epochs"))
    for each in batch(SIX):
        own = [row for row in rows if row["run"] == each.config.name]
        assert [int(row["epoch"]) for row in own] == [*range(1, len(each.epochs) + 1)]
        assert [float(row["validation_accuracy"]) for row in own] == each.epochs.validation_accuracy
        assert [row["tau"] for row in own] == [
            str(tau).removesuffix(".0") for tau in each.columns["tau"] or [""] * len(own)
        ]


def test_rows_of_other_columns_share_a_table():
    rows = list(csv.DictReader(io.StringIO(encode([{"a": 1, "b": None}, {"a": True, "c": 'ä, "x"'}]).decode())))
    assert rows == [{"a": "1", "b": "", "c": ""}, {"a": "true", "b": "", "c": 'ä, "x"'}]


def test_it_does_not_go_with_a_check(gsm, digits):
    result = gsm("report", "--csv", "--check")
    assert result.exit_code == 2
    assert "--csv goes with reports that are written" in result.stderr


def test_a_setting_of_somebodys_own_takes_no_column_of_what_was_measured():
    whole = record("gumbel", 0)
    settings = OwnSettings(
        of="mine.py:Mine", sha256="a" * 64, values={"threads": 7, "backward": 2.0, "run": 3, "test_accuracy": 1}
    )
    own = replace(whole, config=replace(whole.config, estimator=settings))
    row = run_row(own)
    assert (row["own_threads"], row["threads"], row["backward"]) == (7, whole.environment.threads, 2.0)
    assert (row["own_run"], row["run"]) == (3, own.config.name)
    assert row["own_test_accuracy"] == 1  # `load_runs` calls the last one so
    assert "own_threads" not in run_row(whole)
