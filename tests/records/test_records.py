"""Records: data that survive a round trip, and files that are refused with their remedy."""

import json
import math

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace
from records_of import ABACUS, failed, gradient_record, record

from gsm_cli.errors import DataError
from gsm_cli.records.cost import CostPlan, CostRecord, CostRow, read_cost
from gsm_cli.records.curves import Curves, Epoch
from gsm_cli.records.gradients import read_gradients
from gsm_cli.records.run import read_run
from gsm_cli.records.store import SCHEMA

COST = CostRow(
    objective="gumbel",
    classes=2,
    seconds=[0.1],
    evaluations=1.0,
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
    shared = {"version": "0.0.0", "code": None, "environment": ABACUS}
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
    assert [line.split(":")[0].strip() for line in changed] == ['"seed"', '"right"']


def drawn(rng: np.random.Generator, **values: object) -> Epoch:
    """An epoch of numbers with all their digits; shares of 10,000 images."""
    shares = ("validation_accuracy", "modal_share")
    numbers = {
        name: rng.integers(10_000) / 10_000 if name in shares else float(np.exp(rng.uniform(-5, 5)))
        for name in Epoch.__struct_fields__
    }
    return Epoch(**numbers | {"unlabelled_bound": -numbers["unlabelled_bound"], **values})


def test_a_run_of_two_hundred_epochs_is_short(tmp_path):
    """With numbers of any digits, and 3,000 bytes for the images that a model of digits generates."""
    rng = np.random.default_rng(0)
    drawn_epochs = [
        drawn(rng, evaluations=rng.uniform(1, 10), evaluation_seconds=0.004, relaxed_bound=None, one_hot_bound=None)
        for _ in range(200)
    ]
    epochs = Curves.of([replace(epoch, dropped_mass=None) for epoch in drawn_epochs], 300)
    whole = record("sparse-marginalize", 0, [count / 300 for count in epochs.right])
    replace(whole, epochs=epochs, generated="x" * 3_000).save(tmp_path / "a.json")
    assert (tmp_path / "a.json").stat().st_size <= 18 * 1024


def test_no_statistic_is_stored(tmp_path):
    record("gumbel", 0).save(tmp_path / "a.json")
    data = json.loads((tmp_path / "a.json").read_text())
    assert set(data) == {
        *("kind", "schema", "version", "code", "environment", "config", "split", "unlabelled", "classes"),
        *("parameters", "epochs", "test", "generated", "failure"),
    }
    assert (data["schema"], data["kind"]) == (SCHEMA, "run")


class TestColumns:
    def test_say_what_every_epoch_says(self):
        """Up to the digits that are kept; every third epoch has more than the others."""
        rng = np.random.default_rng(0)
        for number, epoch in enumerate(epochs := [drawn(rng) for _ in range(4)]):
            if number % 3:
                epochs[number] = replace(epoch, relaxed_bound=None, one_hot_bound=None, dropped_mass=None)
        whole = record("gumbel", 0, [epoch.validation_accuracy for epoch in epochs])
        found = replace(whole, epochs=Curves.of(epochs, 10_000)).columns
        assert tuple(found) == Epoch.__struct_fields__
        for name, column in found.items():
            if name not in ("tau", "kl_weight", "learning_rate"):
                expected = [getattr(epoch, name) for epoch in epochs]
                assert [value is None for value in column] == [value is None for value in expected]
                digits = {"rel": 5e-7, "abs": 5e-4 if "seconds" in name else 5e-7}
                given = [(a, b) for a, b in zip(column, expected, strict=True) if b is not None]
                assert [a for a, _ in given] == pytest.approx([b for _, b in given], **digits)

    def test_what_the_settings_say_is_of_the_last_step_of_each_epoch(self):
        schedules = {"tau": 1.0, "tau_rate": 0.01, "kl_start": 3.0, "kl_warmup": 1.0, "decay": 1.0}
        whole = record("gumbel", 0, (0.5, 0.8), **schedules, learning_rate=0.1, batch_size=99)  # ten steps an epoch
        assert whole.columns["tau"] == pytest.approx([math.exp(-0.09), math.exp(-0.19)])
        assert whole.columns["kl_weight"] == pytest.approx([3 - 2 * 9 / 20, 3 - 2 * 19 / 20])
        assert whole.columns["learning_rate"] == pytest.approx([0.1 * 11 / 20, 0.1 * 1 / 20])
        assert record("marginalize", 0).columns["tau"] is None

    def test_are_those_of_the_epochs_and_none_where_nothing_is_said(self):
        epochs = record("marginalize", 0, (0.5, 0.8)).epochs
        assert (epochs.validation_accuracy, epochs.relaxed_bound, len(epochs)) == ([0.5, 0.8], None, 2)

    def test_no_epoch_takes_no_time(self):
        assert Curves.of([drawn(np.random.default_rng(0), seconds=1e-5)], 10_000).seconds == [0.001]

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
        *[(("epochs", "milliseconds"), value) for value in ([1, 2, "abc"], [1], [1, 2, -3], None, "abc")],
        *[(("epochs", "right"), value) for value in ([5, 8, 600_001], [5, 8, float("nan")], [5, 8, 1.5])],
        *[
            ((name,), value)
            for name, value in (("schema", 3), ("kind", "cost"), ("environment", []), ("classes", None))
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
        *('{"schema": 0}', '{"schema": 1}', '{"schema": 2}', '{"schema": 3, "kind": "run"}'),
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
