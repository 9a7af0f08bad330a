"""How a run stands before it starts, by its record and its checkpoints."""

from pathlib import Path

import msgspec
import torch
from batches import tasks
from msgspec.structs import replace
from records_of import record

from gsm_cli.cli.preview import foresee
from gsm_cli.records.curves import Epoch
from gsm_cli.runs.task import Task


def begun(path: Path, task: Task, epochs: int) -> None:
    """What is looked at of a checkpoint after so many epochs."""
    run = record("gumbel", 0, (0.5,))
    epoch = {name: column and column[0] for name, column in run.columns.items()}
    assert set(epoch) == set(Epoch.__struct_fields__)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save({"epochs": msgspec.json.encode({"config": task.config, "epochs": [epoch] * epochs})}, path)


def test_a_run_starts_resumes_or_is_finished(tmp_path):
    (task,) = tasks(tmp_path / "new", "gumbel")
    assert foresee(task, force=False).words == "to start"
    begun(task.checkpoint, task, 3)
    assert foresee(task, force=False).words == "to resume after epoch 3 of 4"
    run = record("gumbel", 0, [0.5] * 4)
    replace(run, config=task.config).save(task.record)
    assert foresee(task, force=False).words == "finished"
    assert foresee(task, force=True).words == "to start"


def test_what_was_begun_anew_goes_on_where_nothing_else_was_or_by_force(tmp_path):
    (task,) = tasks(tmp_path / "new", "gumbel")
    begun(task.checkpoint.with_suffix(".anew.pt"), task, 1)
    assert foresee(task, force=False).done == 1
    begun(task.checkpoint, task, 3)
    assert foresee(task, force=False).done == 3
    assert foresee(task, force=True).done == 1
