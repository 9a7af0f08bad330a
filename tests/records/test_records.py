"""Records: data that survive a round trip, and files that are refused with their remedy."""

import json

import msgspec
import pytest
from records_of import ABACUS, failed, gradient_record, record

from gsm_cli.errors import DataError
from gsm_cli.records.cost import CostPlan, CostRecord, CostRow, read_cost
from gsm_cli.records.gradients import read_gradients
from gsm_cli.records.run import Curves, Epoch, read_run
from gsm_cli.records.store import SCHEMA

COST = CostRow(
    objective="gumbel",
    classes=2,
    seconds=[0.1],
    evaluations=1.0,
    flops=10,
    product_rates=[1e9],
    base_bytes=1,
    peak_bytes=2,
)


@pytest.mark.parametrize(
    "whole",
    [
        record("gumbel", 0),
        record("marginalize", 3, hidden=[4, 5]),
        record("supervised", 1, dataset="mnist"),
        record("sparse-marginalize", 1),
        failed("gumbel", 2),
    ],
    ids=lambda whole: whole.config.name,
)
def test_round_trip(tmp_path, whole):
    path = tmp_path / "records" / "a.json"
    whole.save(path)
    assert read_run(path) == whole


def test_gradients_and_costs_round_trip(tmp_path):
    shared = {"version": "0.0.0", "environment": ABACUS}
    gradients = gradient_record(("gumbel", 0.5), ("reinforce", None))
    gradients.save(tmp_path / "gradients.json")
    assert read_gradients(tmp_path / "gradients.json") == gradients
    cost = CostRecord(
        **shared,
        plan=CostPlan(objectives=("gumbel",), classes=(2, 3), rounds=1),
        rows=[COST, msgspec.structs.replace(COST, classes=3)],
    )
    cost.save(tmp_path / "cost.json")
    assert read_cost(tmp_path / "cost.json") == cost


def test_a_line_for_every_setting_and_every_column(tmp_path):
    """So that two records compare line by line."""
    first, second = record("gumbel", 0, (0.5, 0.6, 0.7)), record("gumbel", 1, (0.5, 0.61, 0.7))
    lines = []
    for whole in (first, second):
        whole.save(tmp_path / "a.json")
        lines.append((tmp_path / "a.json").read_text().splitlines())
    changed = [ours for ours, theirs in zip(*lines, strict=True) if ours != theirs]
    assert [line.split(":")[0].strip() for line in changed] == ['"seed"', '"validation_accuracy"']


def test_no_statistic_is_stored(tmp_path):
    record("gumbel", 0).save(tmp_path / "a.json")
    data = json.loads((tmp_path / "a.json").read_text())
    assert set(data) == {
        *("kind", "schema", "version", "environment", "config", "split", "unlabelled", "images_per_epoch", "classes"),
        *("parameters", "epochs", "test", "generated", "failure"),
    }
    assert (data["schema"], data["kind"]) == (SCHEMA, "run")


class TestColumns:
    def test_have_the_fields_of_an_epoch(self):
        assert Curves.__struct_fields__ == Epoch.__struct_fields__

    def test_are_those_of_the_epochs_and_none_where_nothing_is_said(self):
        epochs = record("marginalize", 0, (0.5, 0.8)).epochs
        assert (epochs.validation_accuracy, epochs.tau, len(epochs)) == ([0.5, 0.8], None, 2)

    def test_the_best_epoch_is_the_earliest_of_equals(self):
        assert record("gumbel", 0, (0.5, 0.8, 0.8, 0.1)).epochs.best == 2


def changed(path: tuple[str, ...], value: object) -> bytes:
    """A record with one value in it replaced."""
    data = msgspec.to_builtins(record("gumbel", 0))
    part = data
    for name in path[:-1]:
        part = part[name]
    part[path[-1]] = value
    return json.dumps(data).encode()


@pytest.mark.parametrize(
    ("path", "value"),
    [
        *[(("config", name), value) for name, value in (("norm", "bogus"), ("epochs", 2.5), ("epochs", 0))],
        *[(("config", name), value) for name, value in (("objective", "unheard of"), ("own", {}), ("nothing", 1))],
        *[(("epochs", "seconds"), value) for value in ([1.0, 2.0, "abc"], [1.0], [1.0, 2.0, -3.0], None, "abc")],
        *[(("epochs", "validation_accuracy"), value) for value in ([0.5, 0.8, 1.1], [0.5, 0.8, float("nan")])],
        *[
            ((name,), value)
            for name, value in (("schema", 2), ("kind", "cost"), ("environment", []), ("classes", None))
        ],
    ],
    ids=str,
)
def test_a_wrong_value_is_named(tmp_path, path, value):
    file = tmp_path / "strange.json"
    file.write_bytes(changed(path, value))
    with pytest.raises(DataError, match=r"strange\.json must be a .*record.*remove it"):
        read_run(file)


@pytest.mark.parametrize(
    "text",
    [
        *("", "{", "[]", "null", "3", '"text"', "[" * 100_000, '{"other": "json"}'),
        *('{"schema": 0}', '{"schema": 1}', '{"schema": 2}', '{"schema": 2, "kind": "run"}'),
    ],
    ids=lambda text: text[:20],
)
def test_what_is_no_record_is_named_with_its_remedy(tmp_path, text):
    path = tmp_path / "strange.json"
    path.write_text(text)
    with pytest.raises(DataError, match=r"strange\.json must be a .*record.*remove it and run again"):
        read_run(path)
    assert path.read_text() == text


def test_bytes_that_are_no_text(tmp_path):
    path = tmp_path / "strange.json"
    path.write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(DataError, match=r"strange\.json"):
        read_run(path)


def test_a_missing_record(tmp_path):
    with pytest.raises(DataError, match=r"nowhere\.json"):
        read_run(tmp_path / "nowhere.json")


def test_a_plan_refuses_what_has_no_cost_to_compare():
    with pytest.raises(ValueError, match="supervised has none"):
        CostPlan(objectives=("supervised",))
