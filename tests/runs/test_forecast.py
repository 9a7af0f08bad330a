"""What a batch is told before it starts: how every run stands, and how long the rest takes on this machine."""

from pathlib import Path

import msgspec
import pytest
import torch
from batches import tasks
from msgspec.structs import replace
from records_of import failed, record, timed

from gsm_cli.config import SETTINGS
from gsm_cli.records.curves import Epoch
from gsm_cli.records.run import RunRecord
from gsm_cli.runs.environment import environment
from gsm_cli.runs.forecast import TIMELESS, Prospect, foresee, total
from gsm_cli.runs.task import Task

HERE = environment("cpu")


@pytest.fixture
def task(tmp_path) -> Task:
    """A run of four epochs that is to do."""
    (task,) = tasks(tmp_path / "new", "gumbel")
    return task


def of(task: Task, *seconds: float, **settings: object) -> RunRecord:
    """A finished run on this machine whose epochs took so long, otherwise with the settings of a task."""
    config = replace(task.config, epochs=len(seconds), **settings)
    whole = record(config.objective, 0, [0.5] * len(seconds))
    return replace(timed(whole, seconds), config=config, environment=HERE)


def keep(folder: Path, *records: RunRecord) -> Path:
    for number, each in enumerate(records):
        each.save(folder / "records" / f"{number}.json")
    return folder


def begun(path: Path, task: Task, epochs: int) -> None:
    """What is looked at of a checkpoint after so many epochs."""
    run = record("gumbel", 0, (0.5,))
    named = {name: getattr(run.epochs, name, None) for name in Epoch.__struct_fields__}
    named |= {"tau": run.tau, "kl_weight": run.kl_weight, "learning_rate": run.learning_rate}
    epoch = {name: column and column[0] for name, column in named.items()}
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"epochs": msgspec.json.encode({"config": task.config, "epochs": [epoch] * epochs})}, path)


def test_the_seconds_are_the_median_of_the_medians_times_the_epochs_to_come(task, tmp_path):
    first = keep(tmp_path / "first", of(task, 1.0, 2.0, 90.0), of(task, 12.0))
    second = keep(tmp_path / "second", of(task, 5.0, 3.0))
    assert [*foresee([task], [first, second], force=False)] == [Prospect(task, False, 0, 4 * 4.0)]
    begun(task.checkpoint, task, 3)
    (prospect,) = foresee([task], [first, second], force=False)
    assert (prospect.done, prospect.seconds, prospect.state) == (3, 4.0, "resumes after epoch 3 of 4")


def test_without_a_record_nobody_knows(task, tmp_path):
    (prospect,) = foresee([task], [tmp_path / "nothing"], force=False)
    assert (prospect.seconds, prospect.state) == (None, "to do")
    assert [*foresee([], [keep(tmp_path / "old", of(task, 1.0))], force=False)] == []


def test_what_is_finished_takes_no_time_but_with_force_all_of_it(task):
    keep(task.record.parent.parent, of(task, 2.0))
    of(task, 2.0, 2.0, 2.0, 2.0).save(task.record)
    folders = [task.record.parent.parent]
    (prospect,) = foresee([task], folders, force=False)
    assert (prospect, prospect.state) == (Prospect(task, True, 4, 0.0), "finished")
    begun(task.checkpoint, task, 3)
    assert [*foresee([task], folders, force=True)] == [Prospect(task, False, 0, 8.0)]
    begun(task.checkpoint.with_suffix(".anew.pt"), task, 1)
    assert [*foresee([task], folders, force=True)] == [Prospect(task, False, 1, 6.0)]


def test_what_was_begun_anew_goes_on_only_where_nothing_else_was(task):
    begun(task.checkpoint.with_suffix(".anew.pt"), task, 1)
    assert next(foresee([task], [], force=False)).done == 1
    begun(task.checkpoint, task, 3)
    assert next(foresee([task], [], force=False)).done == 3


@pytest.mark.parametrize(
    ("settings", "counts"),
    [({"seed": 7, "learning_rate": 0.5, "clip": 1.0}, True), ({"hidden": (9,)}, False), ({"batch_size": 100}, False)],
)
def test_runs_with_epochs_of_the_same_size_count(task, tmp_path, settings, counts):
    (prospect,) = foresee([task], [keep(tmp_path / "old", of(task, 1.0, **settings))], force=False)
    assert (prospect.seconds is not None) is counts


def test_settings_that_leave_the_time_as_it_is_are_settings():
    assert set(TIMELESS) <= {*SETTINGS, "seed"}


@pytest.mark.parametrize(
    ("other", "counts"),
    [
        ({"system": "Linux abacus"}, False),
        ({"device": "cuda"}, False),
        ({"kernels": "BEADS"}, False),
        ({"features": ["beads"]}, False),
        ({"python": "2.7", "threads": 99}, True),
    ],
)
def test_only_records_of_such_a_machine_count(task, tmp_path, other, counts):
    there = replace(of(task, 1.0), environment=replace(HERE, **other))
    (prospect,) = foresee([task], [keep(tmp_path / "old", there)], force=False)
    assert (prospect.seconds is not None) is counts


def test_what_failed_or_cannot_be_read_does_not_count(task, tmp_path):
    broken = replace(failed("gumbel", 0), config=replace(task.config, epochs=3), environment=HERE)
    old = keep(tmp_path / "old", broken, broken, of(task, 3.0))
    (old / "records" / "0.json").write_text("{")
    assert next(foresee([task], [old], force=False)).seconds == 12.0
    (old / "records" / "2.json").unlink()
    assert next(foresee([task], [old], force=False)).seconds is None


@pytest.mark.parametrize(
    ("seconds", "jobs", "expected"),
    [
        ([3.0, 5.0, 4.0], 1, 12.0),
        ([3.0, 5.0, 4.0], 2, 6.0),
        ([3.0, 5.0, 4.0], 9, 5.0),  # a run is not divided
        ([3.0, None], 1, None),
        ([], 2, 0.0),
    ],
)
def test_the_time_of_a_batch(task, seconds, jobs, expected):
    prospects = [Prospect(task, False, 0, each) for each in seconds]
    assert total([*prospects, Prospect(task, True, 4, 100.0)], jobs) == expected
