"""Records: data that survive a round trip, and files that are refused with their remedy."""

import json
from dataclasses import replace

import pytest
from records_of import failed, record

from gsm_cli.errors import DataError
from gsm_cli.records.run import SCHEMA, GradientRecord, GradientRow, read_gradients, read_record

ROW = GradientRow("linear", "gumbel", 0.5, 0.1, 0.01, 0.11, 1.0, 0.1, 1.1, 0.1, 0.5, 0.1)


@pytest.mark.parametrize(
    "whole",
    [
        record("gumbel", 0),
        record("marginalize", 3, hidden=[4, 5]),
        record("supervised", 1, dataset="mnist"),
        failed("gumbel", 2),
    ],
    ids=lambda each: each.config.name,
)
def test_round_trip(tmp_path, whole):
    path = tmp_path / "records" / "a.json"
    whole.save(path)
    assert read_record(path) == whole


def test_gradients_round_trip(tmp_path):
    whole = GradientRecord(
        record("marginalize", 0).config, "0.0.0", {"python": "3.11"}, 20, 100, [ROW, replace(ROW, bias=0)]
    )
    whole.save(tmp_path / "gradients.json")
    assert read_gradients(tmp_path / "gradients.json") == whole


def test_a_line_for_every_setting_and_every_epoch(tmp_path):
    """So that two records compare line by line."""
    first, second = record("gumbel", 0, (0.5, 0.6, 0.7)), record("gumbel", 1, (0.5, 0.61, 0.7))
    lines = []
    for each in (first, second):
        each.save(tmp_path / "a.json")
        lines.append((tmp_path / "a.json").read_text().splitlines())
    changed = [ours for ours, theirs in zip(*lines, strict=True) if ours != theirs]
    assert [line.split(":")[0].strip() for line in changed] == ['"seed"', '{"epoch"']


def test_no_statistic_is_stored(tmp_path):
    record("gumbel", 0).save(tmp_path / "a.json")
    data = json.loads((tmp_path / "a.json").read_text())
    assert set(data) == {
        *("schema", "config", "version", "environment", "split", "unlabelled", "classes", "parameters"),
        *("epochs", "test", "generated", "failure"),
    }
    assert data["schema"] == SCHEMA


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "null", "3", '"text"', '{"schema": 1}', '{"schema": 0}', '{"schema": 2}', '{"other": "json"}'),
        '{"schema": 1, "config": {"objective": "unheard of"}, "epochs": [], "test": null, "failure": null}',
        '{"schema": 1, "config": {}, "epochs": [{"epoch": 1}], "test": null, "failure": null}',
    ],
)
def test_what_is_no_record_is_named_with_its_remedy(tmp_path, text):
    path = tmp_path / "strange.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"strange\.json must be a .*record.*remove it and run again"):
        read_record(path)
    assert path.read_text() == text


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "strange.json"
    path.write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(DataError, match=r"strange\.json"):
        read_record(path)


def test_a_missing_record(tmp_path):
    with pytest.raises(DataError, match=r"nowhere\.json"):
        read_record(tmp_path / "nowhere.json")
