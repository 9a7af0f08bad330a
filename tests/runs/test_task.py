"""A run as a task: what it takes along, what it says on the way, and where it keeps its state."""

import dataclasses
import tempfile
from pathlib import Path

import pytest
import torch
from batches import tasks
from msgspec.structs import replace
from records_of import record

from gsm_cli.data import find_dataset
from gsm_cli.runs import task as module
from gsm_cli.runs import training
from gsm_cli.runs.locks import RunLock
from gsm_cli.runs.places import PLACE, News, Place
from gsm_cli.runs.task import Task, execute, load_split
from gsm_cli.settings import build


@pytest.fixture
def task(tmp_path) -> Task:
    """A run in batches of 200 of 997 images."""
    (task,) = tasks(tmp_path, "gumbel")
    return task


def test_whoever_works_elsewhere_has_whole_paths(folder):
    task = Task(build({}), Path("records/a.json"))
    assert task.absolute() == Task(task.config, folder / "records/a.json")
    there = dataclasses.replace(task, data_dir=Path("data"), device="cuda", anew=True)
    assert there.absolute() == Task(task.config, folder / "records/a.json", "cuda", folder / "data", True)


@pytest.fixture
def trained(monkeypatch) -> list:
    """Training that gives a record at once, and what it was given."""
    given = []

    def train(config, split, checkpoint, device):
        given.append((config, split.digest, checkpoint, device))
        (checkpoint.parent / "kept").touch()
        return record("gumbel", 0)

    monkeypatch.setattr(training, "train", train)
    monkeypatch.setattr(torch, "set_num_threads", lambda count: given.append(count))
    return given


def executed(task: Task, place: Place):
    token = PLACE.set(place)
    try:
        return execute(task)
    finally:
        PLACE.reset(token)


def test_a_task_says_what_it_does_and_takes_the_threads_of_its_place(task, trained):
    news = []
    found = executed(task, Place(news.append, threads=2))
    assert found == record("gumbel", 0)
    assert news == [News(task.name, images=800)]
    threads, (config, split, _, device) = trained
    assert (threads, config, split, device) == (2, task.config, load_split(task.config, 0, None, None).digest, "cpu")
    executed(task, Place())
    assert len(trained) == 3  # as many threads as it takes by itself


def test_it_reads_its_own_data_and_takes_its_own_device(task, trained, monkeypatch, tmp_path):
    split, asked = load_split(task.config, 0, None, None), []
    monkeypatch.setattr(module, "load_split", lambda *given: asked.append(given) or split)
    there = Task(replace(task.config, seed=3), task.record, "cuda", tmp_path)
    executed(there, Place())
    assert asked == [(there.config, 3, tmp_path, module.download)]
    assert trained[0][3] == "cuda"


def test_its_state_is_beside_the_record_where_whoever_asked_can_see_it(task, trained):
    executed(task, Place())
    elsewhere = trained.pop()[2]
    assert (elsewhere.name, elsewhere.parent.exists()) == (task.checkpoint.name, False)
    assert elsewhere.parent.parent == Path(tempfile.gettempdir())
    assert elsewhere.parent.name.startswith("gsm-")
    lock = RunLock(task.record).path
    lock.parent.mkdir(parents=True)
    lock.touch()
    executed(task, Place())
    assert trained[0][2] == task.checkpoint


def test_a_data_set_is_read_once_in_a_process_and_folder(monkeypatch, tmp_path):
    read, split, digits = [], [], find_dataset("digits")

    def reads(folder, fetch):
        read.append((folder, fetch))
        return digits.read(None, None)

    def load(dataset, *given):
        split.append(given)
        return dataset.read(given[2], given[3])

    monkeypatch.setattr(module, "POOLS", {})
    monkeypatch.setattr(module, "find_dataset", lambda name: dataclasses.replace(digits, name=name, read=reads))
    monkeypatch.setattr(module, "load", load)
    config, fetch = build({"labels": 50, "classes": 3}), lambda *given: None
    pools = [load_split(config, seed, folder, fetch) for folder in (None, tmp_path) for seed in (4, 5)]
    assert read == [(None, fetch), (tmp_path, fetch)]
    assert split == [(50, seed, folder, fetch, 3) for folder in (None, tmp_path) for seed in (4, 5)]
    assert pools[0] is pools[1]
    assert set(module.POOLS) == {("digits", None, None), ("digits", None, tmp_path)}
